"""What survives when processes are killed: all of a list, or nothing of it."""

import contextlib
import http.client
import itertools
import threading
from collections.abc import Iterator

import pytest

from tests.acceptance.harness import Server, kill, streamed, wait_until
from tests.support.tokens import token_xml

SET = "SetRoamingAuthorisationList"


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may be killed; nothing of it is left afterwards."""
    server = Server(tmp_path_factory.mktemp("killed"), workers=1)
    try:
        server.start()
        server.partner("emp", "emp", "DE-EMP")
        server.partner("cpo", "cpo", "DE*CPO")
        server.connect("emp", "cpo")
        yield server
    finally:
        server.kill()
        kill(server.postgres_processes())


def listed(server: Server) -> list[str]:
    reply = server.call("cpo", "GetRoamingAuthorisationList")
    assert reply.result == "ok"
    return [
        record.findtext("{*}EmtId/{*}instance") or ""
        for record in reply.elements("roamingAuthorisationInfoArray")
    ]


class _EndlessSet:
    """A Set that sends records until its connection breaks."""

    def __init__(self, server: Server) -> None:
        self.sent = 0
        self.answer: object = None
        self._server = server
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> "_EndlessSet":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)

    def _records(self) -> Iterator[str]:
        for self.sent in itertools.count():
            yield token_xml(f"05{self.sent:08X}")

    def _send(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.answer = self._server.post(streamed("emp", SET, self._records()))


def test_server_killed_in_the_middle_of_a_set(own_server: Server) -> None:
    old = sorted(f"04{number:06X}" for number in range(1_000))
    assert own_server.call("emp", SET, "".join(map(token_xml, old))).result == "ok"
    with _EndlessSet(own_server) as endless:
        wait_until(lambda: endless.sent > 20_000, 60)
        own_server.kill()
    assert endless.answer is None
    own_server.start()
    assert sorted(listed(own_server)) == old
    # And the killed upload's locks hold nobody up.
    assert own_server.call("emp", SET, token_xml("04AA")).result == "ok"
    assert listed(own_server) == ["04AA"]


def test_answered_set_survives_the_death_of_postgresql(own_server: Server) -> None:
    tokens = sorted(f"04{number:06X}" for number in range(2_000))
    assert own_server.call("emp", SET, token_xml("04AA")).result == "ok"
    assert own_server.call("emp", SET, "".join(map(token_xml, tokens))).result == "ok"
    kill(own_server.postgres_processes())
    own_server.kill()
    own_server.start()
    assert sorted(listed(own_server)) == tokens


def test_server_finds_its_way_when_only_postgresql_dies(own_server: Server) -> None:
    assert own_server.call("emp", SET, token_xml("04AA")).result == "ok"
    kill(own_server.postgres_processes())
    wait_until(lambda: own_server.get("/readyz").status == 200, 30)
    assert listed(own_server) == ["04AA"]


def test_server_starts_again_while_workers_of_a_killed_master_are_at_work(
    own_server: Server,
) -> None:
    own_server.port = int(own_server.address.rpartition(":")[2])
    assert own_server.process is not None
    workers = own_server.processes()[1:]
    with _EndlessSet(own_server) as endless:
        wait_until(lambda: endless.sent > 1_000, 60)
        own_server.process.kill()
        own_server.process.wait()
        wait_until(lambda: _starts(own_server), 10)
        kill(workers)
    assert own_server.call("emp", SET, token_xml("04AA")).result == "ok"
    assert listed(own_server) == ["04AA"]


def _starts(server: Server) -> bool:
    """As an init does it: what ends is started again."""
    try:
        server.start()
    except AssertionError:
        return False
    return True
