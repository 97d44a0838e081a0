"""What an attack is, and what must hold of every one."""

import contextlib
import itertools
import re
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ochp_chs.ochp.operations import NAMESPACE
from tests.acceptance.harness import SERVICE, MemoryWatch, Server
from tests.support.edge import SOAP, Reply, envelope
from tests.support.tokens import token_xml

#: What no attack may cost, whatever it sends.
SECONDS_MAX = 5.0
GROWTH_MIB_MAX = 64

_PROMPT_S = 3.0
_ADDRESSES = itertools.count()

Content = bytes | str | Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Attack:
    """What is sent by POST, and a pattern that its answer must match.

    The answer is written as `STATUS fault TEXT`, or `STATUS RESULT DESCRIPTION`; of what is no SOAP
    as `STATUS TEXT`. A callable makes content that is sent in chunks.
    """

    content: Content
    expects: str
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = SERVICE


def soap(content: str, before: str = "") -> str:
    """An envelope around anything."""
    return f'{before}<s:Envelope xmlns:s="{SOAP}">{content}</s:Envelope>'


def request(content: str = "", name: str = "SetRoamingAuthorisationListRequest") -> str:
    """A request element around anything."""
    return f'<{name} xmlns="{NAMESPACE}">{content}</{name}>'


def tokens(content: str = "", *, before: str = "", partner: str = "all") -> str:
    """A whole message that sends tokens, with valid credentials; `content` behind its record."""
    return before + envelope(partner, request(token_xml() + content)).decode()


def strike(server: Server, attack: Attack) -> None:
    """Send it, and see that its answer, its cost and the server afterwards are as they should."""
    content = attack.content
    body = content.encode() if isinstance(content, str) else content
    with MemoryWatch(server) as memory:
        before = sum(process.memory_info().rss for process in server.processes())
        began = time.monotonic()
        reply = post(server, body if isinstance(body, bytes) else body(), attack)
        seconds = time.monotonic() - began
        # Let it see at least one sample of an attack that is over at once.
        time.sleep(0.03)
    grown = sum(memory.peak_bytes.values()) - before
    assert re.match(attack.expects, written(reply), re.DOTALL), written(reply)
    assert_nothing_internal(reply.content)
    assert seconds < SECONDS_MAX
    assert grown < GROWTH_MIB_MAX << 20, f"{grown >> 20} MiB"
    assert_alive(server)


def strike_raw(server: Server, data: bytes, expects: str) -> bytes:
    """Send bytes as they are and nothing more; all that comes back, which must match."""
    before = sum(process.memory_info().rss for process in server.processes())
    began = time.monotonic()
    with server.socket(timeout_s=SECONDS_MAX) as connection:
        # The server may have ended the connection before all is sent, or before it is shut down.
        with contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        received = all_from(connection)
    assert time.monotonic() - began < SECONDS_MAX
    assert re.match(expects, received.decode("latin-1"), re.DOTALL), received
    assert_nothing_internal(received)
    assert_alive(server)
    grown = sum(process.memory_info().rss for process in server.processes()) - before
    assert grown < GROWTH_MIB_MAX << 20
    return received


def all_from(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection, or resets it."""
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(1 << 16):
            received += data
    return bytes(received)


def post(server: Server, body: bytes | Iterable[bytes], attack: Attack) -> Reply:
    """Send a body to its end, or for as long as the server takes it; what it answered."""
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        # Each from an address of its own: those who fail to log in again and again are held up.
        "X-Forwarded-For": f"192.0.2.{next(_ADDRESSES) % 256}",
        **attack.headers,
    }
    with contextlib.closing(server.connection(timeout_s=30)) as connection:
        try:
            chunked = not isinstance(body, bytes)
            connection.request("POST", attack.path, body, headers, encode_chunked=chunked)
        except (BrokenPipeError, ConnectionResetError):
            # It has answered and reads no more.
            pass
        response = connection.getresponse()
        found = {name.title(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())


def written(reply: Reply) -> str:
    """The answer as text, for `Attack.expects`."""
    if not reply.headers.get("Content-Type", "").startswith("text/xml"):
        return f"{reply.status} {reply.content.decode()}"
    if reply.fault is not None:
        return f"{reply.status} fault {reply.fault}"
    return f"{reply.status} {reply.result} {reply.description}"


def assert_nothing_internal(content: bytes) -> None:
    """No traceback, no path and no statement of ours on the wire."""
    for trace in (b"Traceback", b".py", b"site-packages", b"psycopg", b"SELECT ", b"lxml"):
        assert trace not in content, content[:2000]


def assert_alive(server: Server) -> None:
    """A good request is answered as ever."""
    began = time.monotonic()
    reply = server.call("all", "GetRoamingAuthorisationList")
    assert reply.result == "ok", reply.content
    assert time.monotonic() - began < _PROMPT_S
