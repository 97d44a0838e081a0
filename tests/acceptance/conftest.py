"""One real server for all acceptance tests that leave it alive."""

from collections.abc import Iterator

import pytest

from tests.acceptance.harness import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with an EMP and a CPO, connected, each with a party ID of its own."""
    server = Server(tmp_path_factory.mktemp("server"))
    try:
        server.start()
        server.partner("emp", "emp", "DE-EMP")
        server.partner("cpo", "cpo", "DE*CPO")
        server.connect("emp", "cpo")
        yield server
    finally:
        ended = server.stop()
    assert ended == 0
    assert "Traceback" not in server.log
