"""What an audit found."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Verdict:
    """Empty but for `taken` where every promise was kept."""

    #: Answered as taken, and not there.
    lost: list[str] = field(default_factory=list)
    #: There in part, twice, or at odds with its history.
    half: list[str] = field(default_factory=list)
    #: Never given out to a follower.
    missed: list[str] = field(default_factory=list)
    #: The books whose unanswered message was taken all the same.
    taken: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """All of them, one line each."""
        return [
            *(f"lost: {each}" for each in self.lost),
            *(f"half applied: {each}" for each in self.half),
            *(f"missed: {each}" for each in self.missed),
        ]


def difference(expected: Mapping[str, object], found: Mapping[str, object]) -> str:
    """The first few records that differ, as text."""
    keys = sorted(k for k in {*expected, *found} if expected.get(k) != found.get(k))
    shown = "; ".join(f"{k}: {_shown(expected, k)}, found {_shown(found, k)}" for k in keys[:3])
    return f"{len(keys)} records differ: {shown}"


def _shown(entries: Mapping[str, object], key: str) -> str:
    return str(entries[key])[:300] if key in entries else "nothing"
