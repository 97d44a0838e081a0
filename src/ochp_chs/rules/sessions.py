"""Sessions on the same EVSE, indexed so that finding an overlap does not look at all of them."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Session:
    """When one CDR says that one EVSE was in use."""

    evse_key: str
    cdr_id: str
    start: datetime
    end: datetime


class Sessions:
    """An immutable index of sessions by EVSE and time."""

    __slots__ = ("_by_evse",)

    def __init__(self, sessions: Iterable[Session] = ()) -> None:
        by_evse: dict[str, list[Session]] = {}
        for session in sessions:
            # A session without length shares no time with any other.
            if session.start < session.end:
                by_evse.setdefault(session.evse_key, []).append(session)
        self._by_evse = {evse_key: _Timeline(found) for evse_key, found in by_evse.items()}

    def find_overlapping(self, other: Session) -> Session | None:
        """A session of another CDR on the same EVSE that shares time with this one.

        Sessions that only touch, one beginning when the other ends, do not overlap.
        """
        timeline = self._by_evse.get(other.evse_key)
        if timeline is None or other.end <= other.start:
            return None
        return timeline.find_overlapping(other)


class _Timeline:
    """The sessions of one EVSE.

    Of the sessions that begin before another ends, the one that lasts longest overlaps it if any
    does. That one is kept for every place in the order of beginnings, with the longest of the
    other CDRs', because the one may be the very CDR that is asked about. So each question costs
    one bisection, also where a month-long session lies over thousands of short ones.
    """

    __slots__ = ("_longest", "_starts")

    def __init__(self, sessions: list[Session]) -> None:
        sessions.sort(key=lambda session: session.start)
        self._starts = [session.start for session in sessions]
        self._longest: list[tuple[Session, Session | None]] = []
        first, second = sessions[0], None
        for session in sessions:
            first, second = _longer(first, second, session)
            self._longest.append((first, second))

    def find_overlapping(self, other: Session) -> Session | None:
        place = bisect_left(self._starts, other.end)
        if not place:
            return None
        first, second = self._longest[place - 1]
        found = second if first.cdr_id == other.cdr_id else first
        return found if found is not None and found.end > other.start else None


def _longer(
    first: Session, second: Session | None, session: Session
) -> tuple[Session, Session | None]:
    """The session that ends last and the one of another CDR that ends last."""
    if session.cdr_id == first.cdr_id:
        return (session if session.end > first.end else first), second
    if session.end > first.end:
        return session, first
    if second is None or session.end > second.end:
        return first, session
    return first, second
