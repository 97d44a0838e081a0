"""The campaign sees what it is there to see: whatever is lost, halved or missed behind its back."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
import sqlalchemy as sa

from tests.faults.audit.given_out import audit_given_out
from tests.faults.audit.stored import audit_stored
from tests.faults.audit.verdict import Verdict
from tests.faults.campaign import Campaign
from tests.faults.site import Site, embedded_site
from tests.faults.traffic.ledger import Upload
from tests.faults.traffic.line import Line
from tests.faults.traffic.senders import Sender


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with embedded_site(tmp_path_factory.mktemp("audited")) as site:
        yield site


@pytest.fixture(scope="module")
def campaign(site: Site) -> Campaign:
    """Traffic of some seconds, of which nothing was lost."""
    campaign = Campaign(site, seed=1)
    campaign.traffic.start()
    campaign.traffic.flow_for(4)
    campaign.traffic.stop()
    assert not campaign.audit().problems
    assert all(sender.book.entries for sender in campaign.traffic.senders.values())
    return campaign


@contextmanager
def tampered(site: Site, statement: str) -> Iterator[sa.Connection]:
    """The database after a statement, for as long as the block lasts."""
    engine = sa.create_engine(site.database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1
        yield connection
        connection.rollback()


LOST = {
    "a token": "DELETE FROM token WHERE digest = (SELECT max(digest) FROM token)",
    "a charge point": (
        "DELETE FROM charge_point WHERE evse_key = (SELECT max(evse_key) FROM charge_point)"
    ),
    "a state": "DELETE FROM live_status WHERE key = (SELECT max(key) FROM live_status)",
    "an earlier state": (
        "UPDATE live_status SET payload = replace(payload, 'ttl=\"20', 'ttl=\"19')"
        " WHERE key = (SELECT max(key) FROM live_status)"
    ),
    "a CDR": "DELETE FROM cdr WHERE id = (SELECT max(id) FROM cdr)",
    "an endpoint": (
        "DELETE FROM service_endpoint WHERE url = (SELECT max(url) FROM service_endpoint)"
        " AND valid_date = (SELECT max(valid_date) FROM service_endpoint"
        "  WHERE url = (SELECT max(url) FROM service_endpoint))"
    ),
    "a message": "DELETE FROM message WHERE id = (SELECT max(id) FROM message)",
}
HALF = {
    "a step twice": (
        "INSERT INTO cdr_step (cdr, version, event, from_status, to_status, at, partner, message)"
        " SELECT cdr, version, event, from_status, to_status, at, partner, message"
        " FROM cdr_step WHERE id = (SELECT max(id) FROM cdr_step)"
    ),
    "a status without its step": (
        "UPDATE cdr SET status = 'rejected' WHERE id ="
        " (SELECT max(id) FROM cdr WHERE status = 'accepted')"
    ),
    "a change without its time": (
        "DELETE FROM change WHERE id = (SELECT max(change_id) FROM token)"
    ),
    "a message twice": (
        "INSERT INTO message (reference, partner_id, operation, received_at, result, description,"
        " records_read, records_refused, records_repaired, records_warned, records_changed,"
        " records_withdrawn) SELECT 'twice', partner_id, operation, received_at, result,"
        " description, 1, 0, 0, 0, 1, 0 FROM message WHERE id = (SELECT max(id) FROM message)"
    ),
}


@pytest.mark.parametrize("what", LOST)
def test_lost_behind_its_back(site: Site, campaign: Campaign, what: str) -> None:
    verdict = Verdict()
    with tampered(site, LOST[what]) as connection:
        audit_stored(connection, campaign.traffic.senders, verdict)
    assert verdict.lost


@pytest.mark.parametrize("what", HALF)
def test_halved_behind_its_back(site: Site, campaign: Campaign, what: str) -> None:
    verdict = Verdict()
    with tampered(site, HALF[what]) as connection:
        audit_stored(connection, campaign.traffic.senders, verdict)
    assert verdict.half


def test_message_without_an_answer_of_which_a_part_was_taken(
    site: Site, campaign: Campaign
) -> None:
    sender = campaign.traffic.senders["tokens of emp1"]
    with unanswered(sender, "04FF") as verdict, site.connection() as connection:
        # As if it was logged, and nothing of it stored.
        with tampered(site, logged("emp1", "SetRoamingAuthorisationList")) as half:
            audit_stored(half, campaign.traffic.senders, verdict)
        assert verdict.half
        # And where nothing of it is there, all is well.
        neither = Verdict()
        audit_stored(connection, campaign.traffic.senders, neither)
        assert not neither.problems
        assert not neither.taken


def test_change_that_a_follower_was_never_given(site: Site, campaign: Campaign) -> None:
    verdict, books = Verdict(), {n: s.book for n, s in campaign.traffic.senders.items()}
    follower = campaign.traffic.followers[0]
    known, last_update = dict(follower.known), follower.last_update
    key = min(key for key, value in known.items() if follower.chapter.is_current(value))
    follower.known[key] = "an earlier version"
    follower.last_update = "2099-01-01T00:00:00Z"
    audit_given_out(books, campaign.traffic.followers, Line(site.address), Random(1), verdict)
    campaign.traffic.hang_up()
    follower.known, follower.last_update = known, last_update
    assert [each for each in verdict.missed if key in each]
    assert not verdict.lost


def test_record_that_is_not_given_out(site: Site, campaign: Campaign) -> None:
    books = {n: s.book for n, s in campaign.traffic.senders.items()}
    hidden = (
        "UPDATE live_status SET operator = 'DEXXX' WHERE key = (SELECT max(key) FROM live_status)"
    )
    shown = "UPDATE live_status SET operator = 'DEPSO' WHERE operator = 'DEXXX'"
    verdict = Verdict()
    with site.connection() as connection:
        connection.exec_driver_sql(hidden)
        try:
            line = Line(site.address)
            audit_given_out(books, campaign.traffic.followers, line, Random(1), verdict)
        finally:
            connection.exec_driver_sql(shown)
            campaign.traffic.hang_up()
    assert verdict.lost


@contextmanager
def unanswered(sender: Sender, key: str) -> Iterator[Verdict]:
    """As if a Set had been sent, and no answer had come."""
    sender.book.send(
        Upload("emp1", "SetRoamingAuthorisationList", "", {**sender.book.entries, key: "new"})
    )
    yield Verdict()
    sender.book.pending = None


def logged(partner: str, operation: str) -> str:
    return (
        "INSERT INTO message (reference, partner_id, operation, received_at, result, description,"
        " records_read, records_refused, records_repaired, records_warned, records_changed,"
        f" records_withdrawn) SELECT 'logged', id, '{operation}', now(), 'ok', '', 1, 0, 0, 0, 1, 0"
        f" FROM partner WHERE name = '{partner}'"
    )
