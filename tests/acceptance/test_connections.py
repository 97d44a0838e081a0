"""Clients that are slow, broken, rude or gone, and answers that break off."""

import base64
import contextlib
import gzip
import hashlib
import http.client
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from tests.acceptance.harness import SERVICE, MemoryWatch, Server, message, streamed, wait_until
from tests.support.tokens import token_xml

SET = "SetRoamingAuthorisationList"
LIST = "GetRoamingAuthorisationList"

#: Far more than the buffers between server and client take.
TOKENS = 50_000
READ_TIMEOUT_S = 2
GRACEFUL_TIMEOUT_S = 3
REQUEST_BYTES_MAX = 40_000_000
#: What a process has anyway, a password's verification, and the tree of the largest record.
MEMORY_MIB_MAX = 160
#: A request that nothing holds up takes a hundredth of it.
PROMPT_S = 2.0

#: The server's connections that are in a transaction.
_AT_WORK = (
    "pg_stat_activity WHERE application_name = 'ochp-chs' AND pid <> pg_backend_pid()"
    " AND xact_start IS NOT NULL"
)


@pytest.fixture(scope="module")
def tight_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with short timeouts and small limits, and a long list to download."""
    server = Server(
        tmp_path_factory.mktemp("tight"),
        {
            "OCHP_CHS_READ_TIMEOUT_S": str(READ_TIMEOUT_S),
            "OCHP_CHS_GRACEFUL_TIMEOUT_S": str(GRACEFUL_TIMEOUT_S),
            "OCHP_CHS_MAX_REQUEST_BYTES": str(REQUEST_BYTES_MAX),
        },
    )
    try:
        server.start()
        server.partner("emp", "emp", "DE-EMP")
        server.partner("cpo", "cpo", "DE*CPO")
        server.connect("emp", "cpo")
        assert server.post(streamed("emp", SET, map(token, range(TOKENS)))).result == "ok"
        yield server
    finally:
        server.stop()


@pytest.fixture
def tight(tight_server: Server) -> Server:
    """The same, running again if a test has ended it."""
    if tight_server.process is None or tight_server.process.poll() is not None:
        tight_server.start()
    return tight_server


def token(number: int) -> str:
    """A long record of which little is left to pack."""
    noise = base64.b64encode(hashlib.shake_128(b"%d" % number).digest(111)).decode()
    return token_xml(f"04{number:08X}", printed_number=noise)


def request_text(content: bytes, *headers: str, length: int | None = None) -> bytes:
    """An HTTP request as it goes over the wire."""
    lines = [
        f"POST {SERVICE} HTTP/1.1",
        "Host: chs.example",
        "Content-Type: text/xml",
        *headers,
        *([f"Content-Length: {len(content) if length is None else length}"]),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def download(server: Server, *headers: str) -> socket.socket:
    """A connection on which the long list begins to arrive, and of which little is taken."""
    connection = socket.socket()
    connection.settimeout(60)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    host, port = server.address.removeprefix("http://").split(":")
    connection.connect((host, int(port)))
    connection.sendall(request_text(message("cpo", LIST), *headers))
    assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    return connection


def rest_of(connection: socket.socket) -> bytes:
    """All that still comes; a reset is an end like any other."""
    received = bytearray()
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(1 << 16):
            received += data
    return bytes(received)


def answer_on(connection: socket.socket) -> tuple[int, bytes]:
    """The next HTTP answer of a connection."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def prompt_answer(server: Server) -> float:
    """How long a small request takes, in seconds."""
    began = time.monotonic()
    asked = "<emtId><instance>04AA</instance><tokenType>rfid</tokenType></emtId>"
    assert server.call("cpo", "GetSingleRoamingAuthorisation", asked).result == "invalid-id"
    return time.monotonic() - began


class TestDownloadThatFails:
    """An error after the first byte must not leave a short list that looks whole."""

    @staticmethod
    def kill_backends(server: Server) -> None:
        with server.database() as database, database.begin() as connection:
            killed = connection.exec_driver_sql(
                f"SELECT count(pg_terminate_backend(pid)) FROM {_AT_WORK}"
            ).scalar_one()
            assert killed >= 1

    def test_last_chunk_is_missing(self, tight: Server) -> None:
        with download(tight) as connection:
            self.kill_backends(tight)
            rest = rest_of(connection)
        assert not rest.endswith(b"0\r\n\r\n")
        assert b"</soap:Envelope>" not in rest
        assert '"complete": false' in tight.log.splitlines()[-1] + tight.log[-4000:]

    def test_client_library_sees_a_broken_message(self, tight: Server) -> None:
        connection = tight.connection()
        connection.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        connection.request("POST", SERVICE, message("cpo", LIST))
        response = connection.getresponse()
        response.read(1000)
        self.kill_backends(tight)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()
        connection.close()

    def test_packed_stream_has_no_end(self, tight: Server) -> None:
        with download(tight, "Accept-Encoding: gzip") as connection:
            self.kill_backends(tight)
            rest = rest_of(connection)
        assert not rest.endswith(b"0\r\n\r\n")

    def test_server_goes_on(self, tight: Server) -> None:
        with download(tight) as connection:
            self.kill_backends(tight)
            rest_of(connection)
        assert prompt_answer(tight) < PROMPT_S
        assert len(tight.call("cpo", LIST).elements("roamingAuthorisationInfoArray")) >= TOKENS


class TestSlowClients:
    def test_slow_uploads_and_downloads_hold_nobody_up(self, tight: Server) -> None:
        content = message("emp", SET, token_xml() * 1000)
        with contextlib.ExitStack() as stack:
            for _ in range(6):
                stack.enter_context(contextlib.closing(download(tight)))
                upload = stack.enter_context(contextlib.closing(tight.socket()))
                upload.sendall(request_text(content, length=len(content) + 1))
            assert max(prompt_answer(tight) for _ in range(10)) < PROMPT_S
            assert tight.get("/readyz").status == 200

    def test_sender_that_falls_silent_is_told_so(self, tight: Server) -> None:
        content = message("emp", SET, token_xml() * 1000)
        with tight.socket() as connection:
            began = time.monotonic()
            connection.sendall(request_text(content, length=len(content) + 1))
            status, body = answer_on(connection)
        assert status == 408
        assert b"nothing moved for 2 seconds" in body
        assert READ_TIMEOUT_S <= time.monotonic() - began < READ_TIMEOUT_S + PROMPT_S

    def test_slow_but_steady_sender_is_served(self, tight: Server) -> None:
        content = message("cpo", LIST)[:-1]
        with tight.socket() as connection:
            connection.sendall(request_text(b"", "Accept-Encoding: gzip", length=len(content) + 1))
            for start in range(0, len(content), len(content) // 4 + 1):
                connection.sendall(content[start : start + len(content) // 4 + 1])
                time.sleep(READ_TIMEOUT_S * 0.4)
            connection.sendall(b">")
            assert answer_on(connection)[0] == 200

    def test_header_that_never_ends(self, tight: Server) -> None:
        with tight.socket() as connection:
            connection.sendall(b"POST / HTTP/1.1\r\n")
            began = time.monotonic()
            received = b""
            with contextlib.suppress(ConnectionError):
                while time.monotonic() - began < READ_TIMEOUT_S + 5:
                    connection.sendall(b"X-A: b\r\n")
                    connection.settimeout(0.2)
                    with contextlib.suppress(TimeoutError):
                        received = connection.recv(1000)
                        break
        assert time.monotonic() - began < READ_TIMEOUT_S + 4
        assert not received.startswith(b"HTTP/1.1 200")

    def test_client_that_reads_nothing_is_let_go(self, tight: Server) -> None:
        with download(tight):
            wait_until(lambda: streaming(tight) == 0, READ_TIMEOUT_S + 10)

    def test_client_that_goes_away_ends_its_download(self, tight: Server) -> None:
        download(tight).close()
        wait_until(lambda: streaming(tight) == 0, READ_TIMEOUT_S + 10)


def streaming(server: Server) -> int:
    """How many downloads hold a transaction open."""
    with server.database() as database, database.begin() as connection:
        count = connection.exec_driver_sql(f"SELECT count(*) FROM {_AT_WORK}").scalar_one()
        return int(count)


class TestEndOfTheServer:
    def test_download_under_way_is_completed(self, tight: Server) -> None:
        assert tight.process is not None
        with download(tight) as connection:
            tight.process.terminate()
            rest = rest_of(connection)
        assert rest.endswith(b"0\r\n\r\n")
        assert rest.count(b"<roamingAuthorisationInfoArray>") >= TOKENS - 20
        assert tight.process.wait(GRACEFUL_TIMEOUT_S + 5) == 0

    @pytest.mark.parametrize("ended_by", ["terminate", "interrupt"])
    def test_client_that_stands_still_delays_it_only_so_long(
        self, tight: Server, ended_by: str
    ) -> None:
        assert tight.process is not None
        with download(tight):
            began = time.monotonic()
            tight.process.terminate() if ended_by == "terminate" else tight.process.send_signal(2)
            tight.process.wait(GRACEFUL_TIMEOUT_S + 10)
        assert time.monotonic() - began < GRACEFUL_TIMEOUT_S + 5
        assert tight.postgres_processes() == []

    def test_upload_under_way_is_completed_or_undone(self, tight: Server) -> None:
        assert tight.process is not None
        content = message("emp", "UpdateRoamingAuthorisationList", token_xml("05AA") * 3000)
        with tight.socket() as connection:
            connection.sendall(request_text(content[:-500], length=len(content)))
            time.sleep(0.3)
            tight.process.terminate()
            time.sleep(0.3)
            connection.sendall(content[-500:])
            status, body = answer_on(connection)
        assert status == 200
        assert b"3000 records accepted" in body
        assert tight.process.wait(GRACEFUL_TIMEOUT_S + 5) == 0


def packed_forever(head: bytes, forever: bytes, megabytes: int) -> Iterator[bytes]:
    """The head and very much of the same, packed a thousandfold."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    block = forever * ((1 << 20) // len(forever))
    yield packer.compress(head) + packer.flush(zlib.Z_SYNC_FLUSH)
    for _ in range(megabytes):
        yield packer.compress(block) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()


_HEAD = message("emp", SET, "\0").split(b"\0")[0]


class TestBounds:
    @pytest.mark.parametrize(
        ("head", "forever"),
        [
            pytest.param(_HEAD.partition(b"<w:")[0], b"<x/>", id="header"),
            pytest.param(_HEAD + b"<x>", b"x", id="text"),
            pytest.param(_HEAD, b" ", id="space"),
            pytest.param(_HEAD, b"<x/>", id="elements"),
            pytest.param(_HEAD + b"<roamingAuthorisationInfoArray>", b"<x/>", id="large record"),
            pytest.param(_HEAD, b"<roamingAuthorisationInfoArray/>", id="records"),
            pytest.param(_HEAD, b"<a>", id="depth"),
            pytest.param(_HEAD, b"<!-- x -->", id="comments"),
            pytest.param(_HEAD + b"<x", b" ", id="unfinished tag"),
            pytest.param(_HEAD + b"<!--", b"x", id="unfinished comment"),
        ],
    )
    def test_packed_bomb_stays_small_in_memory(
        self, server: Server, head: bytes, forever: bytes
    ) -> None:
        with MemoryWatch(server) as memory:
            # A record is refused in microseconds; the others end as soon as they are too large.
            bomb = b"".join(packed_forever(head, forever, 4 if forever.startswith(b"<r") else 64))
            reply = server.post(bomb, headers={"Content-Encoding": "gzip"})
        assert reply.fault
        assert memory.peak_mib < MEMORY_MIB_MAX

    def test_message_that_is_announced_too_large(self, tight: Server) -> None:
        with tight.socket() as connection:
            connection.sendall(request_text(_HEAD, length=REQUEST_BYTES_MAX + 1))
            status, body = answer_on(connection)
        assert status == 413
        assert b"larger than 40000000 bytes" in body

    def test_message_that_grows_too_large(self, tight: Server) -> None:
        block = b"".join(b" " * 100 + token_xml("04AA").encode() for _ in range(300))

        def endless() -> Iterator[bytes]:
            yield _HEAD
            while True:
                yield block

        status = None
        connection = tight.connection()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.putrequest("POST", SERVICE)
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            for piece in endless():
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        with contextlib.suppress(ConnectionResetError):
            status = connection.getresponse().status
        connection.close()
        assert status in (413, None)
        # The log has no numbers of faults: they might be somebody's.
        assert "The message is larger than" in tight.log[-3000:]

    @pytest.mark.parametrize(
        "chunks",
        [
            pytest.param(b"5\r\nab", id="ends in a chunk"),
            pytest.param(b"zz\r\n", id="no size"),
            pytest.param(b"1\r\nabc\r\n", id="longer than its size"),
            pytest.param(b"0\r\nX\nY\r\n\r\n", id="broken trailer"),
            pytest.param(b"1;" + b"x" * 20_000, id="long extension"),
        ],
    )
    def test_broken_chunks(self, tight: Server, chunks: bytes) -> None:
        whole = message("emp", SET, token_xml("05AA"))
        with tight.socket() as connection:
            head = request_text(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
            connection.sendall(head + b"%x\r\n%s\r\n" % (len(whole), whole) + chunks)
            connection.shutdown(socket.SHUT_WR)
            received = rest_of(connection)
        assert received == b"" or received.startswith((b"HTTP/1.1 500", b"HTTP/1.1 400"))
        assert b"soap:Server" not in received
        assert tight.log[-3000:].count("Traceback") == 0

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(b"nonsense\r\n\r\n", id="no HTTP"),
            pytest.param(b"POST / HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", id="long line"),
            pytest.param(b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 300 + b"\r\n", id="many lines"),
            pytest.param(b"POST /" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n", id="long path"),
            pytest.param(
                b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"0\r\n\r\n",
                id="two lengths",
            ),
            pytest.param(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", id="negative length"),
            pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", id="no length"),
            pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50, id="TLS"),
        ],
    )
    def test_what_is_no_http_is_refused(self, tight: Server, text: bytes) -> None:
        with tight.socket() as connection:
            connection.sendall(text)
            if text.startswith(b"\x16"):
                connection.shutdown(socket.SHUT_WR)
            received = rest_of(connection)
        assert received == b"" or received.startswith(b"HTTP/1.1 4")
        assert b"Traceback" not in received
        assert prompt_answer(tight) < PROMPT_S


class TestHttp:
    def test_client_that_asks_to_continue_first(self, tight: Server) -> None:
        content = message("cpo", "GetSingleRoamingAuthorisation")
        with tight.socket() as connection:
            connection.sendall(request_text(b"", "Expect: 100-continue", length=len(content)))
            assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue")
            connection.sendall(content)
            assert answer_on(connection)[0] == 200

    @pytest.mark.parametrize(
        "first",
        [
            pytest.param(b"<unknown/>", id="fault"),
            pytest.param(b"<unknown/>" + b" " * 3_000_000, id="fault before the body was read"),
            pytest.param(message("cpo", "GetSingleRoamingAuthorisation"), id="answer"),
        ],
    )
    def test_connection_serves_the_next_request_or_is_closed(
        self, tight: Server, first: bytes
    ) -> None:
        second = message("cpo", "GetSingleRoamingAuthorisation")
        with tight.socket() as connection, contextlib.suppress(ConnectionError):
            connection.sendall(request_text(first) + request_text(second))
            assert answer_on(connection)[0] in (200, 500)
            with contextlib.suppress(http.client.BadStatusLine):
                status, body = answer_on(connection)
                assert (status, b"GetSingleRoamingAuthorisationResponse" in body) == (200, True)

    def test_http_1_0(self, tight: Server) -> None:
        content = message("cpo", LIST)
        with tight.socket() as connection:
            connection.sendall(request_text(content).replace(b"HTTP/1.1", b"HTTP/1.0"))
            head, _, body = rest_of(connection).partition(b"\r\n\r\n")
        assert b" 200 OK" in head
        assert b"chunked" not in head
        assert len(etree.fromstring(body)[0][0]) > TOKENS

    def test_packed_download_is_the_same_list(self, tight: Server) -> None:
        content = message("cpo", LIST)
        packed = tight.post(content, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert len(packed.content) < TOKENS * 200
        assert gzip.decompress(packed.content) == tight.post(content).content

    def test_many_at_once(self, tight: Server) -> None:
        failures: list[object] = []

        def ask() -> None:
            for _ in range(20):
                try:
                    prompt_answer(tight)
                except Exception as error:
                    failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(16)]
        run(threads, threading.Thread.start)
        run(threads, threading.Thread.join)
        assert failures == []


def run(threads: list[threading.Thread], what: Callable[[threading.Thread], None]) -> None:
    for thread in threads:
        what(thread)
