"""A partner's share of a node, and a process's share of memory."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from ochp_chs.ochp.operations import NAMESPACE
from tests.acceptance.harness import SERVICE, Server, kill, message, wait_until
from tests.support import valid_requests
from tests.support.edge import Reply
from tests.support.tokens import token_xml

MOST = 2
LIST = "GetRoamingAuthorisationList"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two processes, of which a partner may keep two threads busy in all."""
    server = Server(
        tmp_path_factory.mktemp("narrow"),
        {
            "OCHP_CHS_PARTNER_REQUESTS_MAX": str(MOST),
            "OCHP_CHS_READ_TIMEOUT_S": "2",
            "OCHP_CHS_MAX_RECORD_BYTES": str(16 << 20),
            "OCHP_CHS_MAX_RECORD_ELEMENTS": "2000000",
            "OCHP_CHS_WORKER_MEMORY_MAX_BYTES": str(256 << 20),
        },
        workers=2,
        threads=8,
    )
    try:
        server.start()
        name, roles, *party_ids = valid_requests.PARTNER
        server.partner(name, roles, *party_ids)
        server.partner("other", "cpo emp", "NL-EMP", "NL*CPO")
        server.connect(name, "other")
        # Verifying a password for the first time takes a process a while.
        for _ in range(8):
            server.call(name, LIST)
        yield server
    finally:
        ended = server.stop()
    assert ended == 0
    assert "Traceback" not in server.log


@contextlib.contextmanager
def under_way(server: Server, count: int) -> Iterator[list[socket.socket]]:
    """So many requests of one partner whose body does not come to its end."""
    content = message("all", "UpdateRoamingAuthorisationList", token_xml() * 1000)
    head = head_of(len(content) + 1)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.socket()) for _ in range(count)]
        for connection in connections:
            connection.sendall(head + content)
        # Their slots are taken once the operation is known. Asking would take one for a moment.
        time.sleep(0.5)
        yield connections


def refused(server: Server) -> bool:
    return server.call("all", LIST).status == 503


def assert_busy(reply: Reply) -> None:
    assert reply.status == 503
    assert reply.headers["Retry-After"] == "1"
    assert reply.body.findtext("faultcode") == "soap:Server"
    assert reply.body.findtext("detail/{*}resultCode") == "server"
    assert reply.fault
    assert f"{MOST} requests of yours under way" in reply.fault
    assert "Send it again in 1 s" in reply.fault


def test_more_than_a_partners_share(narrow: Server) -> None:
    with under_way(narrow, MOST):
        # Whichever process it comes to.
        for _ in range(6):
            assert_busy(narrow.call("all", LIST))
        assert narrow.call("other", LIST).result == "ok"


@pytest.mark.parametrize("end", ["they time out", "they break off", "they are reset", "a crash"])
def test_share_comes_back_however_requests_end(narrow: Server, end: str) -> None:
    with under_way(narrow, MOST) as connections:
        assert refused(narrow)
        if end == "they break off":
            for connection in connections:
                connection.shutdown(socket.SHUT_WR)
        elif end == "they are reset":
            for connection in connections:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()
        elif end == "a crash":
            kill(narrow.processes()[1:])
        wait_until(lambda: not refused(narrow), 10)
    for _ in range(3 * MOST):
        assert not refused(narrow)


def test_share_is_for_requests_that_are_under_way(narrow: Server) -> None:
    for _ in range(5 * MOST):
        assert narrow.call("all", LIST).result == "ok"
        assert narrow.post(b"<a/>").status == 500
        assert narrow.call("all", "SetRoamingAuthorisationList").result == "format"


def test_process_that_grew_too_large_is_replaced(narrow: Server) -> None:
    before = {process.pid for process in narrow.processes()[1:]}
    # Each element costs thirty times the memory of the four bytes that it is written with, for as
    # long as the record is not complete.
    record = f'<cdrInfoArray xmlns="{NAMESPACE}">{"<a/>" * 1_900_000}</cdrInfoArray>'
    content = message("all", "AddCDRs", record)
    with narrow.socket() as connection:
        connection.sendall(head_of(len(content)) + content[:-200])
        time.sleep(1.5)
        connection.sendall(content[-200:])
        answer = connection.recv(1 << 16)
    # What it was at was completed.
    assert b">format</" in answer, answer
    wait_until(lambda: len({p.pid for p in narrow.processes()[1:]} & before) < 2, 10)
    assert '"worker is replaced: too much memory"' in narrow.log
    assert narrow.call("all", LIST).result == "ok"
    wait_until(lambda: len(narrow.processes()) == 3, 10)


def head_of(length: int) -> bytes:
    """The head of a request whose body has this length."""
    return (
        f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()
