"""Identifiers of OCHP 1.4: their forms, the keys they are compared by, and whose they are.

An identifier is given back as it was sent and compared by its key: upper case, no separators
(PROTOCOL, "Identifiers"). The functions ending in ``_key`` or ``_of`` are for the bulk path and
take text that has the valid form already, because a record has passed its XSD type by then.
"""

import re

from ochp_chs.ochp.check_characters import (
    DIN_LENGTH,
    ISO_LENGTH,
    din_check_character,
    iso_check_character,
)
from ochp_chs.ochp.violations import Violation

#: Country and operator or provider: the part of every identifier that says whose it is.
PARTY_LENGTH = 5

CONTRACT_CHECK_RULE = "contract-check-character"

_PARTY_ID = re.compile(r"[A-Za-z]{2}([*-]?)[A-Za-z0-9]{3}")
_CONTRACT_ID = re.compile(r"[A-Za-z]{2}(-?)[A-Za-z0-9]{3}\1[A-Za-z0-9]{9}(?:\1[A-Za-z0-9])?")
_DIN_CONTRACT_ID = re.compile(r"[A-Za-z]{2}([*-]?)[A-Za-z0-9]{3}\1[A-Za-z0-9]{6}\1[0-9Xx]")
_EVSE_ID = re.compile(r"[A-Za-z]{2}(\*?)[A-Za-z0-9]{3}\1[Ee][A-Za-z0-9][A-Za-z0-9*]{0,30}")
_PARKING_ID = re.compile(r"[A-Za-z]{2}(\*?)[A-Za-z0-9]{3}\1[Pp][A-Za-z0-9][A-Za-z0-9*]{0,30}")
_TARIFF_ID = re.compile(r"[A-Za-z]{2}(\*?)[A-Za-z0-9]{3}\1[Tt][A-Za-z0-9][A-Za-z0-9*]{0,9}")
_CDR_ID = re.compile(r"[0-9A-Z]{1,36}")


class InvalidIdentifier(ValueError):
    """A text that is not an identifier of the wanted kind; the message is for a person."""


def is_party_id(text: str) -> bool:
    """Tell whether the text is a country and three characters, with or without separator."""
    return _PARTY_ID.fullmatch(text) is not None


def is_contract_id(text: str) -> bool:
    """Tell whether the text has the form of the XSD type ContractId."""
    return _CONTRACT_ID.fullmatch(text) is not None


def is_evse_id(text: str) -> bool:
    """Tell whether the text has the form of the XSD type EvseId."""
    return _EVSE_ID.fullmatch(text) is not None


def is_parking_id(text: str) -> bool:
    """Tell whether the text has the form of the XSD type ParkingId."""
    return _PARKING_ID.fullmatch(text) is not None


def is_tariff_id(text: str) -> bool:
    """Tell whether the text has the form of the XSD type TariffId."""
    return _TARIFF_ID.fullmatch(text) is not None


def is_cdr_id(text: str) -> bool:
    """Tell whether the text has the form of the XSD type CdrId."""
    return _CDR_ID.fullmatch(text) is not None


def party_id_key(text: str) -> str:
    """Return the five characters of a party ID: ``DE*ABC``, ``de-abc`` and ``DEABC`` are one.

    Raises ``InvalidIdentifier``: party IDs come from the command line as well, where no schema
    has looked at them.
    """
    if not is_party_id(text):
        raise InvalidIdentifier(
            f"{text!r} is not a party ID: two letters of the country and three letters or digits, "
            "for example DE*ABC"
        )
    return party_of(text)


def party_of(identifier: str) -> str:
    """Return whose identifier this is: country and three characters, five in upper case."""
    if identifier[2] in "*-":
        return (identifier[:2] + identifier[3:6]).upper()
    return identifier[:PARTY_LENGTH].upper()


#: The provider of a contract ID.
provider_of = party_of
#: The operator of an EVSE-ID, Parking-ID or Tariff-ID.
operator_of = party_of


def contract_key(text: str) -> str:
    """Return a contract ID in upper case without separators: 14 characters, 15 with a check."""
    return text.replace("-", "").upper()


def contract_key_without_check(text: str) -> str:
    """Return the 14 characters of a contract ID that say which contract it is.

    The check character is optional and follows from the others, so that an ID with it and the
    same ID without it are one contract.
    """
    return text.replace("-", "")[:ISO_LENGTH].upper()


def evse_key(text: str) -> str:
    """Return an EVSE-ID in upper case without the separators around the operator.

    A ``*`` inside the instance counts: it tells ``DE*ABC*E1*12`` from ``DE*ABC*E11*2``. The XSD
    allows both separators before it or none, hence one look at the third character decides.
    """
    if text[2] == "*":
        return (text[:2] + text[3:6] + text[7:]).upper()
    return text.upper()


#: Parking-IDs and Tariff-IDs are built and compared like EVSE-IDs.
parking_key = evse_key
tariff_key = evse_key


def cdr_id_names_operator(cdr_id: str, operator: str) -> bool:
    """Tell whether a CDR-ID begins with the five characters of its operator.

    Specification, "CdrId"; systems older than OCHP 1.4 leave the operator out.
    """
    return len(cdr_id) > PARTY_LENGTH and cdr_id.startswith(operator)


def check_contract_id(text: str, field: str = "contractId") -> Violation | None:
    """The check character of a contract ID, where there is one, is the one its method gives.

    ISO 15118-2 Annex H; DIN SPEC 91286 for the old form of six characters and a check character.
    An old ID that was carried over as ``00``, its six characters and its old check character is
    taken as any other: whether its ninth character is a check or just the next number cannot be
    told, and a number counted up from 000000001 must not be warned about. A text that is no
    contract ID at all is another rule's business and passes here.
    """
    if len(text) == ISO_LENGTH and text.isalnum():
        # The form of most: without separators and without a check character.
        return None
    key = text.replace("-", "").upper()
    if len(key) == ISO_LENGTH + 1 and is_contract_id(text):
        expected = iso_check_character(key[:ISO_LENGTH])
    elif _DIN_CONTRACT_ID.fullmatch(text):
        key = key.replace("*", "")
        expected = din_check_character(key[:DIN_LENGTH])
    else:
        return None
    if key[-1] == expected:
        return None
    return Violation(
        rule=CONTRACT_CHECK_RULE,
        field=field,
        value=text,
        text=f"The check character of the contract ID is {key[-1]}, expected is {expected}.",
    )
