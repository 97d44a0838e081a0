"""20,000 CDRs in one message, judged by all rules: all of them arrive, in flat memory."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from benchmarks.cdrs import cdrs, prepare
from tests.acceptance.harness import MemoryWatch, Server, streamed

COUNT = 20_000
PROCESS_MIB_MAX = 128


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has done nothing else yet: what it takes is for these CDRs."""
    server = Server(tmp_path_factory.mktemp("many"), workers=1)
    try:
        server.start()
        server.partner("cpo", "cpo", "DE*CPO")
        server.partner("emp", "emp", "DE-EMP")
        server.connect("cpo", "emp")
        yield server
    finally:
        server.stop()


def test_twenty_thousand_at_once(own_server: Server) -> None:
    prepare(own_server.call)
    with MemoryWatch(own_server) as memory:
        reply = own_server.post(streamed("cpo", "AddCDRs", cdrs(COUNT, datetime.now(UTC))))
    assert (reply.result, reply.description) == ("ok", f"{COUNT} records accepted.")
    assert memory.peak_mib < PROCESS_MIB_MAX
    assert own_server.call("emp", "GetCDRs").content.count(b"<CdrId>") == COUNT
