"""Eight senders against eight followers whose clocks differ: nothing is missing in the end.

Senders upload shortly, slowly, and in vain; one upload is held where it hurts most. By default each
feed takes some seconds; `make stress` takes a minute for each feed and seed.
"""

import os
from collections.abc import Callable

import pytest

from ochp_chs.repository import changes
from ochp_chs.repository.engine import Database
from tests.support import delta
from tests.support.delta import CHAPTERS, Chapter
from tests.support.delta_stress import HELD_S_MAX, HELD_UNPROTECTED_S_MAX, POLLS_MIN, SENDERS, Arena

SECONDS = float(os.environ.get("OCHP_CHS_TEST_STRESS_S", "6"))
SEEDS = [int(seed) for seed in os.environ.get("OCHP_CHS_TEST_STRESS_SEEDS", "1").split()]

#: What any follower misses, and which records were held half-way.
Run = Callable[..., tuple[set[str], set[str]]]


@pytest.fixture
def run(database: Database, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Let the senders and the followers of a chapter loose."""

    def run(
        chapter: Chapter,
        seed: int,
        publish: delta.Publish = changes.publish,
        await_publishers: Callable[..., None] = changes.await_publishers,
        seconds: float = SECONDS,
        held_s_max: float = HELD_S_MAX,
    ) -> tuple[set[str], set[str]]:
        delta.add_market(delta.server_on(database), chapter, senders=SENDERS)
        arena = Arena(chapter, postgres_url, seed, publish, held_s_max=held_s_max)
        monkeypatch.setattr(changes, "publish", arena.publish_with_pauses)
        monkeypatch.setattr(changes, "await_publishers", await_publishers)
        missed = arena.run(seconds)
        assert min(arena.polls) >= POLLS_MIN
        return missed, arena.held

    return run


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda each: each.name)
def test_nothing_is_missing(run: Run, chapter: Chapter, seed: int) -> None:
    missed, _ = run(chapter, seed)
    assert missed == set()


@pytest.mark.parametrize(
    ("publish", "await_publishers"),
    [
        (delta.publish_begin_of_transaction, changes.await_publishers),
        (delta.publish_without_lock, changes.await_publishers),
        (changes.publish, delta.await_nobody),
    ],
    ids=["begin of transaction", "without lock", "without waiting"],
)
def test_without_the_protection_something_is(
    run: Run, publish: delta.Publish, await_publishers: Callable[..., None]
) -> None:
    missed, held = run(
        CHAPTERS[0], 1, publish, await_publishers, 4, held_s_max=HELD_UNPROTECTED_S_MAX
    )
    assert missed >= held
