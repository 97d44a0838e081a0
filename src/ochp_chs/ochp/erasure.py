"""A CDR without the person in it: what stands in place of token and contract, and still is OCHP.

Everything that was paid for stays: CDR-ID, parties, EVSE, times, energy and money. The provider
stays part of the contract ID, because it says whose the CDR is.
"""

import re
from html import unescape
from typing import NamedTuple

from ochp_chs.ochp.identifiers import PARTY_LENGTH, contract_key, contract_key_without_check

#: In place of a token's instance.
ERASED_INSTANCE = "ERASED"
#: In place of a contract ID's nine characters; one for all, so that it links nothing.
ERASED_CONTRACT = "ERASED000"
#: In place of either in a text of the message log.
ERASED_TEXT = "[erased]"

# Payloads are canonical (ochp/xml.py): no prefixes, no blanks, attributes only where there are any.
_TOKEN = re.compile(r"<emtId[^>]*><instance>([^<]*)</instance><tokenType>([^<]*)</tokenType>")
_CONTRACT = re.compile(r"<contractId>([^<]*)</contractId>")


class Person(NamedTuple):
    """What a CDR tells of who charged: its contract's 14 characters, and the token."""

    contract: str
    instance: str
    token_type: str


def person_in(payload: str) -> Person | None:
    """Whom the CDR is about; None if that is erased."""
    token, contract = _TOKEN.search(payload), _CONTRACT.search(payload)
    if token is None or contract is None or token[1] == ERASED_INSTANCE:
        return None
    return Person(contract_key_without_check(contract[1]), unescape(token[1]), token[2])


def without_person(payload: str) -> str:
    """The CDR's payload with a token and a contract that are nobody's; valid as it was."""
    # A hash would have to have the form of one: the erased token is a plain one.
    payload = _TOKEN.sub(
        lambda found: (
            f"<emtId><instance>{ERASED_INSTANCE}</instance><tokenType>{found[2]}</tokenType>"
        ),
        payload,
        count=1,
    )
    return _CONTRACT.sub(
        lambda found: f"<contractId>{erased_contract_id(found[1])}</contractId>", payload, count=1
    )


def erased_contract_id(contract_id: str) -> str:
    """The ID of nobody's contract with the same provider, separated as the one that was sent."""
    key = contract_key(contract_id)
    parts = (key[:2], key[2:PARTY_LENGTH], ERASED_CONTRACT)
    return ("-" if "-" in contract_id else "").join(parts)


def persons_in_line(line: str) -> list[Person]:
    """Whom a CDR is about in any of its versions, given its line in an archive."""
    # In JSON, the quotes of an attribute have back-slashes; nothing that is looked for here has.
    tokens = _TOKEN.findall(line)
    contracts = _CONTRACT.findall(line)
    return [
        Person(contract_key_without_check(contract), unescape(instance), token_type)
        for (instance, token_type), contract in zip(tokens, contracts, strict=False)
        if instance != ERASED_INSTANCE
    ]
