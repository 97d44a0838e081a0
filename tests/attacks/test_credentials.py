"""Guessing passwords and names: slow for who guesses, and nothing is learnt by text or time."""

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ochp_chs.clearing.failures import FailureDelays
from ochp_chs.clearing.partners import add_partner
from ochp_chs.clearing.passwords import Passwords
from ochp_chs.ochp.roles import Role
from tests.acceptance.harness import Server
from tests.attacks.corpus import assert_alive
from tests.support.edge import Edge, Reply, envelope
from tests.support.valid_requests import requests

WRONG = "The user name or the password is wrong."
LIST = requests()["GetRoamingAuthorisationList"]

#: Names that are somebody's, nobody's, and nobody's who ever was.
NAMES = ("all", "other", "nobody", "admin", "root", "all'--", "ALL", "a" * 500, "\U0001f600", "")

#: By how much the median of one kind of failure may be off that of another. A hash takes more than
#: ten times what everything beside it takes.
_ALIKE = 1.7
_ROUNDS = 15


def attempt(name: str, password: str) -> bytes:
    message = envelope("\0", LIST).decode()
    return message.replace("\0-secret", password).replace("\0", name).encode()


def test_guessing_is_slow_and_holds_nobody_up(server: Server) -> None:
    guesses = threading.Semaphore(40)
    answers: list[Reply] = []
    enough = threading.Event()

    def guess() -> None:
        while not enough.is_set() and guesses.acquire(blocking=False):
            answers.append(server.post(attempt("all", f"guess-{len(answers)}")))

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(guess)
        for _ in range(10):
            # Whoever knows the password is let in at once, also while others guess it.
            assert_alive(server)
            time.sleep(0.1)
        enough.set()
    assert {answer.fault for answer in answers} == {WRONG}
    assert '"log-in refused"' in server.log
    assert "all-secret" not in server.log
    assert "guess-1" not in server.log


@pytest.mark.parametrize("name", NAMES)
def test_answer_says_nothing_of_the_name(edge: Edge, name: str) -> None:
    add_somebody(edge)
    known = edge.post(attempt("all", "wrong-password"))
    reply = edge.post(attempt(name, "wrong-password"))
    assert reply.fault == WRONG
    assert (reply.status, reply.content, reply.headers) == (
        known.status,
        known.content,
        known.headers,
    )


def test_time_says_nothing_of_the_name(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    add_somebody(edge)
    # The delays depend on the number of failures alone, and would hide what is to be seen.
    monkeypatch.setattr(FailureDelays, "hold_up", lambda *_: True)
    kinds = {
        "known": ("all", "wrong-password"),
        "unknown": ("nobody", "wrong-password"),
        "disabled": ("disabled", "all-secret"),
        "impossible": ("a'; --", "wrong-password"),
    }
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(_ROUNDS):
        # In turn, so that whatever else the machine does falls on all alike.
        for kind, credentials in kinds.items():
            message = attempt(*credentials)
            began = time.perf_counter()
            edge.post(message)
            took[kind].append(time.perf_counter() - began)
    medians = {kind: statistics.median(times) for kind, times in took.items()}
    assert max(medians.values()) < min(medians.values()) * _ALIKE, medians


def add_somebody(edge: Edge) -> None:
    """A partner, and one that was disabled, with passwords that cost what they cost in earnest."""
    hashed = Passwords().hashed("all-secret")
    for name, party_id in (("all", "DE-EMP"), ("disabled", "NL-EMP")):
        add_partner(edge.database, name, hashed, roles={Role.EMP}, party_ids=[party_id])
    with edge.database.begin() as connection:
        connection.exec_driver_sql("UPDATE partner SET disabled_at = now() WHERE name = 'disabled'")
