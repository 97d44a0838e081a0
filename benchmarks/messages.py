"""The messages that are sent: tokens, states, and requests of one record."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.acceptance.harness import message

SET = "SetRoamingAuthorisationList"
UPDATE = "UpdateRoamingAuthorisationList"
GET = "GetRoamingAuthorisationList"
UPDATES = "GetRoamingAuthorisationListUpdates"
SINGLE = "GetSingleRoamingAuthorisation"

#: As long as what is printed on real cards.
_PRINTED = "printed on the front side of the card"


def token(number: int, version: int = 0) -> str:
    """One RoamingAuthorisationInfo of about 380 bytes; every seventh is a hash."""
    hashed = number % 7 == 0
    representation, instance = (
        ("sha-256", f"{number:064x}") if hashed else ("plain", f"04{number:012X}")
    )
    return (
        f'<roamingAuthorisationInfoArray><EmtId representation="{representation}">'
        f"<instance>{instance}</instance><tokenType>rfid</tokenType></EmtId>"
        f"<contractId>DE-EMP-C{number:08d}</contractId>"
        f"<printedNumber>{number} {_PRINTED} {version}</printedNumber>"
        "<expiryDate><DateTime>2099-12-31T23:59:59Z</DateTime></expiryDate>"
        "</roamingAuthorisationInfoArray>\n"
    )


def tokens(count: int, changed_every: int = 0, version: int = 0) -> Iterator[str]:
    """Many tokens, some of which are of another version than the others."""
    for number in range(count):
        changed = changed_every and number % changed_every == 0
        yield token(number, version if changed else 0)


def whole(operation: str, records: Iterable[str], *, partner: str = "emp") -> bytes:
    """A message in memory, as it is sent."""
    return message(partner, operation, "".join(records))


def bare_file(path: Path, content: bytes) -> Path:
    """The same message without its envelope, for who validates against the schema."""
    begin = content.index(b"<", content.index(b":Body>") + 6)
    path.write_bytes(content[begin : content.rindex(b"</s:Body>")])
    return path


def single(instance: str) -> bytes:
    """Asks for one plain token."""
    content = (
        f'<emtId representation="plain"><instance>{instance}</instance>'
        "<tokenType>rfid</tokenType></emtId>"
    )
    return message("cpo", SINGLE, content)


def delta(since: str) -> bytes:
    """Asks for changed tokens."""
    return message("cpo", UPDATES, f"<lastUpdate><DateTime>{since}</DateTime></lastUpdate>")
