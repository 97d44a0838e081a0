"""What flows between roles."""

import itertools

import pytest

from ochp_chs.ochp.flows import flow_pairs, flows_between, limits_allowing
from ochp_chs.ochp.roles import Carries, Role

CPO, EMP, NSP, PSO = Role.CPO, Role.EMP, Role.NSP, Role.PSO


def test_the_look_up_goes_the_way_of_the_token_list() -> None:
    assert flow_pairs(Carries.TOKEN_LOOKUP) == flow_pairs(Carries.TOKENS) == {(EMP, CPO)}


def test_only_the_look_up_is_let_through_by_another_limit_as_well() -> None:
    assert limits_allowing(Carries.TOKEN_LOOKUP) == (Carries.TOKEN_LOOKUP, Carries.TOKENS)
    assert limits_allowing(Carries.TOKENS) == (Carries.TOKENS,)


@pytest.mark.parametrize(
    ("one", "other", "kinds"),
    [
        ({CPO}, {EMP}, set(Carries)),
        ({CPO}, {NSP}, {Carries.CHARGE_POINTS, Carries.LIVE_STATUS}),
        ({PSO}, {CPO}, {Carries.LIVE_STATUS}),
        ({PSO}, {EMP}, {Carries.LIVE_STATUS}),
        ({PSO}, {NSP}, {Carries.LIVE_STATUS}),
        ({EMP}, {NSP}, set()),
        ({CPO}, {CPO}, set()),
        ({EMP, NSP}, {NSP, PSO}, {Carries.LIVE_STATUS}),
        ({CPO, EMP}, {CPO, EMP}, set(Carries)),
        (set(), set(Role), set()),
    ],
)
def test_what_can_flow_between_partners(
    one: set[Role], other: set[Role], kinds: set[Carries]
) -> None:
    assert flows_between(one, other) == kinds


def test_it_does_not_matter_who_is_named_first() -> None:
    for one, other in itertools.product(Role, repeat=2):
        assert flows_between([one], [other]) == flows_between([other], [one])
