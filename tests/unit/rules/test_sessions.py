"""The index of sessions: finds an overlap exactly where looking at all of them would."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ochp_chs.rules.sessions import Session, Sessions

_MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)


def session(number: int, start: int, end: int, evse_key: str = "DECPOE1") -> Session:
    """A session of CDR `number` between two minutes."""
    return Session(
        evse_key,
        f"DECPO{number}",
        _MIDNIGHT + timedelta(minutes=start),
        _MIDNIGHT + timedelta(minutes=end),
    )


_sessions = st.builds(
    session,
    st.integers(0, 4),
    st.integers(0, 20),
    st.integers(0, 20),
    st.sampled_from(["DECPOE1", "DECPOE2"]),
)


@given(st.lists(_sessions, max_size=12), _sessions)
def test_finds_one_exactly_where_there_is_one(stored: list[Session], asked: Session) -> None:
    overlapping = [
        other
        for other in stored
        if other.evse_key == asked.evse_key
        and other.cdr_id != asked.cdr_id
        and max(other.start, asked.start) < min(other.end, asked.end)
    ]
    found = Sessions(stored).find_overlapping(asked)
    assert (found in overlapping) if overlapping else (found is None)


def test_short_sessions_under_a_long_one_are_asked_about_quickly() -> None:
    # Looking back one by one would take two hundred million steps here.
    short = [session(number, number * 2, number * 2 + 1) for number in range(20_000)]
    index = Sessions([session(-1, -10, 40_000), *short])
    assert all(index.find_overlapping(other) is not None for other in short)
