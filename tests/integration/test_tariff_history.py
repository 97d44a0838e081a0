"""What CDRs are rated by: who was given which tariff at which time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from ochp_chs.repository.tariff_history import tariffs_for
from tests.support.edge import Clock, Edge
from tests.support.tariffs import UPDATE, individual_xml, tariff_xml

#: Price, and hours after the first upload from when until when.
Version = tuple[str, float, float | None]


@pytest.fixture
def begun(edge: Edge, clock: Clock) -> datetime:
    """A tariff that changed at the hours 1, 2 and 3 after this moment."""
    edge.partner("cpo", "cpo", "DE*CPO")
    begun = clock.now
    for individual in (
        [individual_xml("9.0"), individual_xml("1.0", "DEEMA", "DEEMB")],
        [individual_xml("9.0"), individual_xml("1.5", "DEEMA")],
        [individual_xml("9.5"), individual_xml("1.5", "DEEMA")],
        [individual_xml("2.0", "DEEMB")],
    ):
        edge.call("cpo", UPDATE, tariff_xml(*individual))
        clock.turn(hours=1)
    return begun


def given(
    edge: Edge, begun: datetime, provider: str, begin: float, end: float
) -> Sequence[Version]:
    with edge.database.begin() as connection:
        found = tariffs_for(
            connection,
            [("DECPOT1", provider)],
            begun + timedelta(hours=begin),
            begun + timedelta(hours=end),
        )
    return [
        (
            str(version.tariff.elements[0].price),
            _hours(version.given_from - begun),
            None if version.given_until is None else _hours(version.given_until - begun),
        )
        for version in found.get(("DECPOT1", provider), ())
    ]


def _hours(delta: timedelta) -> float:
    return delta / timedelta(hours=1)


def test_own_ones_come_before_the_defaults(edge: Edge, begun: datetime) -> None:
    assert given(edge, begun, "DEEMA", 0, 9) == [
        ("1.0", 0, 1),
        ("1.5", 1, 3),
        ("9.0", 0, 2),
        ("9.5", 2, 3),
    ]
    assert given(edge, begun, "DEEMB", 0, 9) == [
        ("1.0", 0, 1),
        ("2.0", 3, None),
        ("9.0", 0, 2),
        ("9.5", 2, 3),
    ]


def test_who_is_not_named_was_given_the_default(edge: Edge, begun: datetime) -> None:
    assert given(edge, begun, "DEEMC", 0, 9) == [("9.0", 0, 2), ("9.5", 2, 3)]


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (-2, -1, []),
        (0.5, 0.6, [("1.0", 0, 1), ("9.0", 0, 2)]),
        (1, 1.5, [("1.5", 1, 3), ("9.0", 0, 2)]),
        (3, 9, []),
    ],
)
def test_only_the_interval_counts(
    edge: Edge, begun: datetime, begin: float, end: float, expected: Sequence[Version]
) -> None:
    assert given(edge, begun, "DEEMA", begin, end) == expected


def test_of_many_pairs_those_without_anything_are_absent(edge: Edge, begun: datetime) -> None:
    wanted = [("DECPOT1", "DEEMA"), ("DECPOT9", "DEEMA"), ("DECPOT1", "DEEMC")]
    with edge.database.begin() as connection:
        found = tariffs_for(connection, wanted, begun, begun)
        assert tariffs_for(connection, [], begun, begun) == {}
    assert found.keys() == {("DECPOT1", "DEEMA"), ("DECPOT1", "DEEMC")}
