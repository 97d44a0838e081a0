from ochp_chs.clearing.partners import add_partner
from ochp_chs.metrics.polls import Polls
from ochp_chs.ochp.roles import Role
from ochp_chs.repository.engine import Database
from ochp_chs.repository.monitoring import find_all
from ochp_chs.repository.partners import disable_partner, find_partner


class Monotonic:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def partner_id(database: Database, name: str) -> int:
    add_partner(database, name, "hash", roles={Role.CPO}, party_ids=())
    found = find_partner(database, name)
    assert found is not None
    return found.id


def ages(database: Database) -> dict[tuple[str, str], int]:
    return {key: round(age) for key, age in find_all(database).poll_age_s.items()}


def test_poll_has_the_age_since_it_was_noted_and_not_since_it_was_written(database):
    clock = Monotonic()
    polls = Polls(clock)
    polls.note(partner_id(database, "cpo"), "tokens")
    clock.now += 30

    polls.keep(database)

    assert ages(database) == {("cpo", "tokens"): 30}


def test_newest_poll_counts_whichever_process_writes_last(database):
    clock = Monotonic()
    first, second = Polls(clock), Polls(clock)
    cpo = partner_id(database, "cpo")
    first.note(cpo, "tokens")
    clock.now += 100
    second.note(cpo, "tokens")

    second.keep(database)
    first.keep(database)

    assert ages(database) == {("cpo", "tokens"): 0}


def test_feeds_and_partners_are_kept_apart(database):
    polls = Polls()
    cpo, emp = partner_id(database, "cpo"), partner_id(database, "emp")
    polls.note(cpo, "tokens")
    polls.note(cpo, "live-status")
    polls.note(emp, "cdrs")

    polls.keep(database)

    assert set(ages(database)) == {("cpo", "tokens"), ("cpo", "live-status"), ("emp", "cdrs")}


def test_partner_that_is_gone_costs_the_others_nothing(database):
    polls = Polls()
    polls.note(partner_id(database, "cpo"), "tokens")
    polls.note(99_999, "tokens")

    polls.keep(database)

    assert set(ages(database)) == {("cpo", "tokens")}


def test_disabled_partner_need_not_poll(database):
    polls = Polls()
    cpo = partner_id(database, "cpo")
    polls.note(cpo, "tokens")
    polls.keep(database)

    with database.begin() as connection:
        disable_partner(connection, cpo)

    assert ages(database) == {}


def test_what_cannot_be_written_is_written_later(database):
    clock = Monotonic()
    polls = Polls(clock)
    polls.note(partner_id(database, "cpo"), "tokens")
    away = Database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    try:
        polls.keep(away)
    except Exception:
        clock.now += 5

    polls.keep(database)

    assert ages(database) == {("cpo", "tokens"): 5}
