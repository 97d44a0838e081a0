"""One real server under attack, with narrow limits: what bounds an attack shows soon."""

from collections.abc import Iterator

import pytest

from tests.acceptance.harness import Server
from tests.support import valid_requests
from tests.support.endpoints import SECRET_KEY

#: Seconds, and bytes a second.
READ_TIMEOUT_S, TRANSFER_TIMEOUT_S, BYTES_PER_S_MIN = 1, 2, 2000

LIMITS = {
    "OCHP_CHS_SECRET_KEY": SECRET_KEY,
    "OCHP_CHS_READ_TIMEOUT_S": str(READ_TIMEOUT_S),
    "OCHP_CHS_TRANSFER_TIMEOUT_S": str(TRANSFER_TIMEOUT_S),
    "OCHP_CHS_MIN_BYTES_PER_S": str(BYTES_PER_S_MIN),
    "OCHP_CHS_MAX_REQUEST_BYTES": "8000000",
    "OCHP_CHS_MAX_RECORD_BYTES": "200000",
    "OCHP_CHS_MAX_TEXT_CHARACTERS": "20000",
    "OCHP_CHS_MAX_HEADER_BYTES": "30000",
}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that must still be there at the end, without a traceback in its log."""
    server = Server(tmp_path_factory.mktemp("attacked"), LIMITS, workers=1, threads=8)
    try:
        server.start()
        name, roles, *party_ids = valid_requests.PARTNER
        server.partner(name, roles, *party_ids)
        server.partner("other", "cpo emp", "NL-EMP", "NL*CPO")
        server.connect(name, "other")
        yield server
    finally:
        ended = server.stop()
    assert ended == 0
    assert "Traceback" not in server.log, server.log[server.log.index("Traceback") - 1000 :][:3000]
    assert '"request failed"' not in server.log
