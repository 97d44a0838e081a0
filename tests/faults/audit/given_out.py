"""What partners are given: whole lists, single tokens, and what followers know by deltas."""

from collections.abc import Iterable, Mapping
from random import Random

from tests.faults.audit.verdict import Verdict, difference
from tests.faults.traffic import chapters
from tests.faults.traffic.cdrs import Cdr, shown
from tests.faults.traffic.chapters import Chapter, price_for, state
from tests.faults.traffic.ledger import GONE, Book
from tests.faults.traffic.line import Line
from tests.faults.traffic.lists import evse_id, spots_of
from tests.faults.traffic.readers import (
    Follower,
    all_cdrs,
    all_endpoints,
    full_list,
    single_token,
)

Books = Mapping[str, Book]

#: Which books a chapter is made of; every reader of it sees them all.
_SOURCES = {
    chapters.TOKENS: ("tokens of emp1", "tokens of emp2"),
    chapters.CHARGE_POINTS: ("charge points of cpo1", "charge points of cpo2"),
    chapters.TARIFFS: ("tariffs of cpo1", "tariffs of cpo2"),
    chapters.EVSE_STATES: ("states of cpo1", "states of cpo2"),
    chapters.PARKING_STATES: ("states of pso",),
}
_SINGLE_TOKENS = 4


def audit_given_out(
    books: Books, followers: Iterable[Follower], line: Line, dice: Random, verdict: Verdict
) -> None:
    """Compare, when nobody sends anything and everything was answered."""
    for follower in followers:
        follower.step(dice)
        _audit_follower(follower, books, verdict)
        _audit_list(line, follower, books, verdict)
    for number in (1, 2):
        cdrs = dict(_cdrs(books[f"CDRs of cpo{number}"]))
        _compare(f"CDRs of cpo{number}", dict(shown(cdrs)), all_cdrs(line, number), verdict.lost)
    for partner, reader in (("emp1", "cpo1"), ("cpo1", "emp1")):
        given = all_endpoints(line, reader)
        _compare(
            f"endpoints of {partner}", _texts(books[f"endpoints of {partner}"]), given, verdict.lost
        )
    _audit_single_tokens(books, line, dice, verdict)


def _audit_follower(follower: Follower, books: Books, verdict: Verdict) -> None:
    is_current = follower.chapter.is_current
    expected = {k: v if is_current(v) else GONE for k, v in _seen(follower, books).items()}
    # A token that was revoked before it was withdrawn keeps its earlier end.
    known = {k: v if is_current(v) else GONE for k, v in follower.known.items() if k in expected}
    name = f"{follower.chapter.name} by {follower.partner}"
    _compare(name, expected, known, verdict.missed)


def _audit_list(line: Line, follower: Follower, books: Books, verdict: Verdict) -> None:
    current = {
        key: value
        for key, value in _seen(follower, books).items()
        if value != GONE and follower.chapter.is_current(value)
    }
    given = full_list(line, follower.partner, follower.chapter)
    name = f"{follower.chapter.name} for {follower.partner}"
    _compare(name, current, given, verdict.lost)


def _audit_single_tokens(books: Books, line: Line, dice: Random, verdict: Verdict) -> None:
    tokens = _merged(chapters.TOKENS, books)
    for instance in dice.sample(sorted(tokens), min(_SINGLE_TOKENS, len(tokens))):
        value = tokens[instance]
        is_current = value != GONE and chapters.TOKENS.is_current(value)
        found = single_token(line, "cpo1", instance)
        if found != (value if is_current else None):
            verdict.lost.append(f"the single token {instance}: {value}, found {found}")


def _seen(follower: Follower, books: Books) -> Mapping[str, str]:
    """What a follower must know by now."""
    if follower.chapter is chapters.COMBINED:
        return _combined(books)
    merged = _merged(follower.chapter, books)
    if follower.chapter is chapters.TARIFFS:
        named = follower.partner == "emp1"
        return {key: price_for(value, named=named) for key, value in merged.items()}
    return merged


def _merged(chapter: Chapter, books: Books) -> dict[str, str]:
    return {key: value for name in _SOURCES[chapter] for key, value in _texts(books[name]).items()}


def _texts(book: Book) -> dict[str, str]:
    return {key: str(value) for key, value in book.entries.items()}


def _combined(books: Books) -> Mapping[str, str]:
    """An available EVSE is blocked where all of its parking spots are taken."""
    own, parking = _merged(chapters.EVSE_STATES, books), _texts(books["states of pso"])
    points = {k for k, v in _merged(chapters.CHARGE_POINTS, books).items() if v != GONE}
    combined = {key: own.get(key, state("unknown", None, None)) for key in {*points, *own}}
    for key in points & own.keys():
        spots = [parking.get(spot, "unknown - -").split() for spot in _spots(key)]
        major, _, ttl = own[key].split()
        if major == "available" and spots and all(s[0] == "not-available" for s in spots):
            combined[key] = state("not-available", "blocked", min([ttl, *(s[2] for s in spots)]))
    return combined


def _spots(key: str) -> Iterable[str]:
    number, instance = int(key[5]), int(key.rpartition("E")[2])
    assert evse_id(number, instance) == key
    return spots_of(number, instance)


def _cdrs(book: Book) -> Iterable[tuple[str, Cdr]]:
    for key, value in book.entries.items():
        assert isinstance(value, Cdr)
        yield key, value


def _compare(
    name: str, expected: Mapping[str, object], found: Mapping[str, object], into: list[str]
) -> None:
    if expected != found:
        into.append(f"{name}: {difference(expected, found)}")
