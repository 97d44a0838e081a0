"""A sender's next message about its own system's endpoints; each replaces whole days."""

import itertools
from random import Random

import sqlalchemy as sa
from lxml import etree

from tests.faults.traffic.contents import content_of, elements_of
from tests.faults.traffic.ledger import Entries, Upload
from tests.faults.traffic.lists import Compose
from tests.support.edge import O
from tests.support.endpoints import operator_xml, provider_xml

_DAYS = [f"2099-01-{day:02}" for day in range(1, 6)]


def endpoints(partner: str) -> Compose:
    """Of emp1 or cpo1. Every message has other addresses: they tell its records from others."""
    versions = itertools.count(1)
    make, pattern = (provider_xml, "DEEM1C%") if partner == "emp1" else (operator_xml, "DECP1E%")

    def compose(entries: Entries, dice: Random) -> Upload:
        version, days = next(versions), dice.sample(_DAYS, dice.randint(1, 3))
        records = [
            make(
                f"{partner}-{version}-{day}-{number}",
                day=day,
                url=f"https://{partner}.example/{version}/{number}",
                whitelist=[pattern],
            )
            for day in sorted(days)
            for number in range(dice.randint(1, 3))
        ]
        sent = dict(map(read, elements_of("".join(records))))
        kept = {key: value for key, value in entries.items() if key.split()[0] not in days}
        return Upload(partner, "AddServiceEndpoints", "".join(records), {**kept, **sent})

    return compose


def read(element: etree._Element) -> tuple[str, str]:
    """Day and address of an endpoint, and all of it."""
    day, url = element.findtext(f"{O}validDate"), element.findtext(f"{O}url")
    return f"{day} {url}", content_of(element)


_STORED = sa.text(
    "SELECT CAST(valid_date AS text) || ' ' || url FROM service_endpoint"
    " JOIN endpoint_token ON digest = token_digest"
    " JOIN partner ON partner.id = partner_id WHERE partner.name = :partner"
)


def stored_keys(connection: sa.Connection, partner: str) -> list[str]:
    """Day and address of all of a partner; the records themselves are sealed."""
    return sorted(connection.execute(_STORED, {"partner": partner}).scalars())
