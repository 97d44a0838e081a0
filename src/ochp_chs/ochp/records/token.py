"""RoamingAuthorisationInfo: an authorisation token (PROTOCOL, "Authorisation data")."""

import hashlib
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from ochp_chs.ochp.identifiers import contract_key
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.times import InvalidTime, parse_date_time
from ochp_chs.ochp.violations import Violation
from ochp_chs.ochp.xml import escape_text

_IN = f"{{{NAMESPACE}}}"

#: Hexadecimal digits of a hashed instance.
_HASH_DIGITS = {"sha-160": 40, "sha-256": 64}


class TokenRow(NamedTuple):
    """One token as it is stored.

    `digest` is what a token is found by, whatever its representation: the SHA-256 of a plain
    instance, else the hash that was sent. `digest_sha160` is there for plain tokens only, so that
    a request with a SHA-1 hash finds them.
    """

    digest: bytes
    provider: str
    token_type: str
    representation: str
    digest_sha160: bytes | None
    contract_id: str
    expires_at: str
    payload: str


class TokenKey(NamedTuple):
    """What a single look-up asks for: any of these digests finds the token."""

    token_type: str
    digests: tuple[bytes, ...]
    digest_sha160: bytes | None


class TokenCodec:
    """XML to row, for tokens in lists."""

    columns = TokenRow._fields

    def decode(self, record: etree._Element) -> TokenRow:
        """The row of a schema-valid record; raises `RecordRefused`."""
        emt_id = record[0]
        instance = emt_id[0].text or ""
        token_type = emt_id[1].text or ""
        representation = emt_id.get("representation")
        contract_id = record[1].text or ""
        expiry = (record[-1][0].text or "").strip()
        if token_type == "remote":
            raise RecordRefused(_REMOTE)
        check_expiry(expiry)
        digest, digest_sha160 = token_digests(instance, representation)
        contract = contract_key(contract_id)
        return TokenRow(
            digest,
            contract[:5],
            token_type,
            representation or "plain",
            digest_sha160,
            contract,
            # DateTimeType is ISO 8601, which the database reads as it is.
            expiry,
            payload_of(
                representation,
                escape_text(instance),
                token_type,
                emt_id[2].text if len(emt_id) > 2 else None,
                contract_id,
                escape_text(record[2].text or "") if len(record) > 3 else None,
                expiry,
            ),
        )

    def identify(self, record: etree._Element) -> str:
        """`token INSTANCE of CONTRACT`, as far as it can be read."""
        instance = _find_text(record, "EmtId", "instance")
        contract_id = _find_text(record, "contractId")
        named = [f"token {instance}"] if instance else []
        named += [f"of {contract_id}"] if contract_id else []
        return " ".join(named)

    def retained_key(self, record: etree._Element) -> bytes | None:
        """The digest under which an earlier version would be stored."""
        emt_id = record.find(f"{_IN}EmtId")
        instance = _find_text(record, "EmtId", "instance")
        if emt_id is None or not instance:
            return None
        try:
            return token_digests(instance, emt_id.get("representation"))[0]
        except RecordRefused:
            return None


# The tokens of one list mostly expire at the same few times.
@lru_cache(maxsize=4096)
def check_expiry(expiry: str) -> None:
    """Raises `RecordRefused` for what has the form of a time and is none."""
    try:
        parse_date_time(expiry)
    except InvalidTime as error:
        raise RecordRefused(Violation("time", "expiryDate/DateTime", expiry, str(error))) from None


def lookup_key(emt_id: etree._Element) -> TokenKey:
    """What to look for, given the schema-valid emtId of a single look-up.

    A plain request finds hashed records and a hashed request plain ones; a SHA-1 hash cannot be
    compared with a SHA-256 hash, so that one pair of representations does not meet. Raises
    `RecordRefused` for a hash that is none.
    """
    return token_key(
        emt_id[0].text or "", emt_id[1].text or "", str(emt_id.get("representation", "plain"))
    )


def token_key(instance: str, token_type: str, representation: str) -> TokenKey:
    """What to look for, given a token as it was sent; see `lookup_key`."""
    digest, digest_sha160 = token_digests(instance, representation)
    if digest_sha160 is not None:
        return TokenKey(token_type, (digest, digest_sha160), None)
    return TokenKey(token_type, (digest,), digest if representation == "sha-160" else None)


_REMOTE = Violation(
    "token-type-remote",
    "EmtId/tokenType",
    "remote",
    "a token of type remote belongs to one charging session and is not taken in a list",
)


def token_digests(instance: str, representation: str | None) -> tuple[bytes, bytes | None]:
    """`TokenRow.digest` and `TokenRow.digest_sha160`; raises `RecordRefused` for a wrong hash."""
    if representation is None or representation == "plain":
        data = instance.encode()
        return (
            hashlib.sha256(data).digest(),
            hashlib.sha1(data, usedforsecurity=False).digest(),
        )
    digits = _HASH_DIGITS.get(representation, 0)
    try:
        digest = bytes.fromhex(instance)
    except ValueError:
        digest = b""
    if len(instance) != digits or len(digest) * 2 != digits:
        raise RecordRefused(
            Violation(
                "token-hash-form",
                "EmtId/instance",
                instance,
                f"a {representation} instance has {digits} hexadecimal digits",
            )
        )
    return digest, None


def payload_of(
    representation: str | None,
    instance: str,
    token_type: str,
    sub_type: str | None,
    contract_id: str,
    printed_number: str | None,
    expiry: str,
) -> str:
    """A token in canonical form (ochp/xml.py), its texts escaped already; empty stands for none."""
    # Written out instead of walked over: this runs for every record of every list.
    attribute = f' representation="{representation}"' if representation else ""
    sub_type = f"<tokenSubType>{sub_type}</tokenSubType>" if sub_type else ""
    printed = f"<printedNumber>{printed_number}</printedNumber>" if printed_number else ""
    return (
        f"<EmtId{attribute}><instance>{instance}</instance>"
        f"<tokenType>{token_type}</tokenType>{sub_type}</EmtId>"
        f"<contractId>{contract_id}</contractId>{printed}"
        f"<expiryDate><DateTime>{expiry}</DateTime></expiryDate>"
    )


def _find_text(record: etree._Element, *path: str) -> str:
    text = record.findtext("/".join(f"{_IN}{name}" for name in path))
    return text.strip() if text else ""
