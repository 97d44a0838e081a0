"""Tokens as nearly every sender writes them, read by one regular expression.

What it accepts is a part of what the schema accepts, and the rows are those of `TokenCodec`; all
else is left to a parser.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ochp_chs.ochp.identifiers import contract_key, provider_of
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.records.token import check_expiry, payload_of, token_digests

#: Printable ASCII, without what is written as a reference, in the message or in canonical form, and
#: without brackets, so that a match is one whole record.
_TEXT = r"[ !-%'-;=?-\[\]-~]"

_CONTRACT_ID = (
    "[A-Za-z]{2}-[A-Za-z0-9]{3}-[A-Za-z0-9]{9}(?:-[A-Za-z0-9])?|[A-Za-z]{2}[A-Za-z0-9]{12,13}"
)
_DATE_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"

#: Between two elements. Nobody indents further.
_SPACE = r"[ \t\r\n]{0,64}"


class TokenColumns(NamedTuple):
    """The values of `TokenRow`, of many tokens."""

    digest: Sequence[bytes]
    provider: Sequence[str]
    token_type: Sequence[str]
    representation: Sequence[str]
    digest_sha160: Sequence[bytes | None]
    contract_id: Sequence[str]
    expires_at: Sequence[str]
    payload: Sequence[str]


@lru_cache(maxsize=64)
def plain_tokens(prefix: str, name: str) -> "PlainTokens":
    """Reads elements of this name; each name inside has the prefix, or none if it is empty."""
    return PlainTokens(prefix, name)


class PlainTokens:
    """Reads whole lists of plainly written tokens, or nothing."""

    def __init__(self, prefix: str, name: str) -> None:
        names = _Names(prefix)
        self._end = names.end(name)
        self._find_all = re.compile(_pattern(names, name)).findall

    def read(self, written: str) -> TokenColumns | None:
        """The columns of all records in a text.

        None where the text is not whole records from begin to end, or where one of them is not
        written plainly or has to be refused.
        """
        if not written.endswith(self._end):
            return None
        # Each match begins with the end tag of the record before and stands directly before its
        # own: where there are as many of them as end tags, nothing lies between.
        found = self._find_all(self._end + written)
        if len(found) != written.count(self._end):
            return None
        values = list(zip(*found, strict=True))
        sent, instances, token_types, _, contract_ids, _, expiries = values
        representations = [each or "plain" for each in sent]
        try:
            for expiry in set(expiries):
                check_expiry(expiry)
            digests = list(map(token_digests, instances, representations))
        except RecordRefused:
            return None
        # A space is in no contract ID.
        contracts = contract_key(" ".join(contract_ids)).split(" ")
        return TokenColumns(
            [digest for digest, _ in digests],
            list(map(provider_of, contracts)),
            token_types,
            representations,
            [digest_sha160 for _, digest_sha160 in digests],
            contracts,
            expiries,
            list(map(payload_of, *values)),
        )


class _Names:
    """Tags of names that all have the same prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = f"{prefix}:" if prefix else ""

    def start(self, name: str, attributes: str = "") -> str:
        return f"<{self._prefix}{name}{attributes}>"

    def end(self, name: str) -> str:
        return f"</{self._prefix}{name}>"

    def element(self, name: str, content: str) -> str:
        return f"{self.start(name)}{content}{self.end(name)}"


def _pattern(names: _Names, name: str) -> str:
    emt_id = _SPACE.join(
        [
            names.start("EmtId", '(?: representation="(plain|sha-160|sha-256)")?'),
            names.element("instance", f"({_TEXT}{{1,512}})"),
            # Not `remote`, which is not taken in a list.
            names.element("tokenType", "(rfid|15118)"),
            f"(?:{names.element('tokenSubType', '(mifareCls|mifareDes|calypso)')}{_SPACE})?"
            + names.end("EmtId"),
        ]
    )
    return _SPACE.join(
        [
            names.end(name),
            names.start(name),
            emt_id,
            names.element("contractId", f"({_CONTRACT_ID})"),
            f"(?:{names.element('printedNumber', f'({_TEXT}{{1,150}})')}{_SPACE})?"
            + names.start("expiryDate"),
            names.element("DateTime", f"({_DATE_TIME})"),
            names.end("expiryDate"),
            f"(?={names.end(name)})",
        ]
    )
