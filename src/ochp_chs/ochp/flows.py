"""What flows between partners, asked of the table FLOWS (PROTOCOL, "Who is calling")."""

from collections.abc import Iterable

from ochp_chs.ochp.roles import FLOWS, Carries, Role

#: The single look-up goes the way of the token list.
_FLOWS_LIKE: dict[Carries, Carries] = {Carries.TOKEN_LOOKUP: Carries.TOKENS}

#: Who allows the whole token list allows the single look-up, and not the other way round.
_ALSO_ALLOWED_BY: dict[Carries, tuple[Carries, ...]] = {Carries.TOKEN_LOOKUP: (Carries.TOKENS,)}


def flow_pairs(carries: Carries) -> frozenset[tuple[Role, Role]]:
    """Give the pairs (source, sink) of roles between which data of this kind flows."""
    wanted = _FLOWS_LIKE.get(carries, carries)
    return frozenset((flow.source, flow.sink) for flow in FLOWS if flow.carries is wanted)


def limits_allowing(carries: Carries) -> tuple[Carries, ...]:
    """Give the limits of a connection, any of which lets data of this kind through."""
    return (carries, *_ALSO_ALLOWED_BY.get(carries, ()))


def flows_between(one: Iterable[Role], other: Iterable[Role]) -> frozenset[Carries]:
    """Give the kinds of data that can flow, either way, between partners of these roles."""
    ways = {(a, b) for a in one for b in other}
    ways |= {(b, a) for a, b in ways}
    return frozenset(kind for kind in Carries if flow_pairs(kind) & ways)
