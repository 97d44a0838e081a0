"""A CDR exactly once: the same message at once, through a killed server, and again."""

import contextlib
import http.client
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from ochp_chs.repository.feeds import Lock
from tests.acceptance.harness import Server, kill, message, wait_until
from tests.support.cdrs import cdr_xml, period_xml

COUNT = 1_500


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may be killed; nothing of it is left afterwards."""
    server = Server(tmp_path_factory.mktemp("killed"))
    try:
        server.start()
        server.partner("cpo", "cpo", "DE*CPO")
        server.partner("emp", "emp", "DE-EMP")
        server.connect("cpo", "emp")
        yield server
    finally:
        server.kill()
        kill(server.postgres_processes())


def cdrs(count: int) -> bytes:
    """The message of a CPO that bills so many sessions of yesterday."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    begin, end = (f"{t:%Y-%m-%dT%H:%M:%S}+00:00" for t in (start, start + timedelta(hours=2)))
    period = period_xml(cost="3.00", start=begin, end=end)
    records = [
        cdr_xml(
            cdr_id=f"DECPO{number:06}",
            evse_id=f"DE*CPO*E{number:06}",
            start=begin,
            end=end,
            periods=[period],
        )
        for number in range(count)
    ]
    return message("cpo", "AddCDRs", "".join(records))


def given_out(server: Server) -> Counter[str]:
    reply = server.call("emp", "GetCDRs")
    assert reply.result == "ok"
    return Counter(str(record.findtext("{*}CdrId")) for record in reply.elements("cdrInfoArray"))


def steps_taken(server: Server) -> int:
    with server.database() as database, database.begin() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM cdr_step").scalar_one()
    return int(found)


def test_five_at_once_a_kill_and_once_again(own_server: Server) -> None:
    content = cdrs(COUNT)
    with ThreadPoolExecutor(5) as pool:
        replies = list(pool.map(own_server.post, [content] * 5))
    assert [reply.result for reply in replies] == ["ok"] * 5
    once = Counter(f"DECPO{number:06}" for number in range(COUNT))
    assert given_out(own_server) == once
    own_server.kill()
    own_server.start()
    assert own_server.post(content).result == "ok"
    assert given_out(own_server) == once
    assert steps_taken(own_server) == COUNT


def test_killed_while_five_are_stored(own_server: Server) -> None:
    content = cdrs(COUNT)

    def send(_: int) -> str | None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return own_server.post(content).result
        return None

    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(send, number) for number in range(5)]
        # The first of them to be stored has begun; others wait for it.
        wait_until(lambda: _is_storing(own_server), 30)
        own_server.kill()
        results = [answer.result() for answer in answers]
    own_server.start()
    found = given_out(own_server)
    # All of a message or nothing of it; and what was answered is there.
    assert len(found) in (0, COUNT)
    assert set(results) <= {"ok", None}
    assert len(found) == COUNT or "ok" not in results
    assert own_server.post(content).result == "ok"
    assert given_out(own_server) == Counter(f"DECPO{number:06}" for number in range(COUNT))
    assert steps_taken(own_server) == COUNT


def _is_storing(server: Server) -> bool:
    """Whether some upload holds the lock of its CPO's uploads of CDRs."""
    with server.database() as database, database.begin() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_locks"
            f" WHERE locktype = 'advisory' AND granted AND classid = {int(Lock.UPLOAD_CDRS)}"
        )
        return int(found.scalar_one()) > 0
