"""Many lists at once, each of which arrives in pieces: no sender disturbs another.

lxml's documents must not pass from thread to thread while others are read: a mistake there shows
only with several senders, as memory that is overwritten.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.harness import Server
from tests.support.tokens import token_xml

_SENDERS = 12
_LISTS = 8
_TOKENS = 500


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this test's own, whose workers may die of it."""
    server = Server(tmp_path_factory.mktemp("senders"))
    try:
        server.start()
        for number in range(_SENDERS):
            server.partner(f"emp{number}", "emp", f"DE-P{number:02d}")
        yield server
    finally:
        server.stop()


def test_all_lists_are_taken_and_no_worker_dies(own_server: Server) -> None:
    def send(number: int) -> str | None:
        emp = number % _SENDERS
        records = (
            token_xml(
                f"04{emp:02X}{key:08X}",
                contract_id=f"DE-P{emp:02d}-C{key:08d}",
                printed_number=f"list {number}",
            )
            for key in range(_TOKENS)
        )
        return own_server.call(f"emp{emp}", "SetRoamingAuthorisationList", "".join(records)).result

    with ThreadPoolExecutor(_SENDERS) as pool:
        results = Counter(pool.map(send, range(_SENDERS * _LISTS)))

    assert results == {"ok": _SENDERS * _LISTS}
    assert "was sent SIG" not in own_server.log
