"""The round trip: what the demo partners do with each other, chapter by chapter.

It can be played again and again on what earlier ones left. A chapter is a module with a generator
`play(trip)` that calls operations and yields what each call shows, listed in CHAPTERS.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ochp_chs.demo import authorisation, cdrs, charge_points, direct, live_status, tariffs
from ochp_chs.demo.client import Post
from ochp_chs.demo.step import Step, Trip

#: A chapter's steps, each played when it is asked for.
Play = Callable[[Trip], Iterator[Step]]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter of the protocol."""

    title: str
    play: Play


#: In the order in which partners take up roaming: later chapters build on what earlier ones sent.
CHAPTERS: tuple[Chapter, ...] = (
    Chapter("Authorisation data", authorisation.play),
    Chapter("Charge points", charge_points.play),
    Chapter("Tariffs", tariffs.play),
    Chapter("Live status", live_status.play),
    Chapter("Charge detail records", cdrs.play),
    Chapter("Service endpoints (OCHP direct)", direct.play),
)


@dataclass(slots=True)
class Played:
    """A chapter as it went."""

    title: str
    steps: list[Step] = field(default_factory=list)


def play_round_trip(post: Post, now: datetime | None = None) -> list[Played]:
    """Play all chapters against the server. Raises OSError where it does not answer."""
    trip = Trip(post, now or datetime.now(UTC))
    return [Played(chapter.title, list(chapter.play(trip))) for chapter in CHAPTERS]
