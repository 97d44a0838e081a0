"""Valid messages of all operations, mutated: an answer or a fault goes out, and no bug shows."""

from collections.abc import Iterator
from random import Random

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ochp_chs.clearing.failures import FailureDelays
from ochp_chs.ochp.operations import OPERATIONS
from ochp_chs.repository.engine import Database
from tests.fuzz.mutations import mutated
from tests.fuzz.target import Target, seeds
from tests.fuzz.words import dictionary
from tests.support import valid_requests
from tests.support.edge import envelope

#: Inputs that once led to a bug, as the fuzzer keeps them.
ONCE_FOUND = {
    "attribute of an undeclared prefix in a header that streams": (
        b'\x01<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        b'<a hmlns:w="x"/></s:Header><s:Body><b/></s:Body></s:Envelope>'
    ),
}

whole_or_streamed = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def target(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    # What it sets aside comes back.
    monkeypatch.setattr(FailureDelays, "hold_up", FailureDelays.hold_up)
    yield Target(database)
    structlog.reset_defaults()


@pytest.mark.parametrize("data", seeds().values(), ids=seeds())
def test_what_fuzzing_begins_with_is_served(target: Target, data: bytes) -> None:
    reply = target(data)
    assert reply.fault is None
    # There is nothing to confirm and nothing to be found.
    assert reply.result in (None, "ok", "invalid-id")


@pytest.mark.parametrize("data", ONCE_FOUND.values(), ids=ONCE_FOUND)
def test_what_was_found_once(target: Target, data: bytes) -> None:
    target(data)


@whole_or_streamed
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize("operation", [operation.name for operation in OPERATIONS])
@given(random=st.randoms(use_true_random=False))
def test_mutated_request(target: Target, operation: str, streamed: bool, random: Random) -> None:
    message = mutated(envelope("all", valid_requests.requests()[operation]), random)
    assert message is not None
    target(bytes([streamed]) + message)


def test_dictionary_is_one_that_the_fuzzer_reads() -> None:
    lines = dictionary().splitlines()
    assert len(lines) > 300
    assert all(line[0] == line[-1] == '"' and line.isascii() for line in lines)
