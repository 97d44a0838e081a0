"""ProviderEndpoint and OperatorEndpoint: where a partner speaks OCHP direct.

PROTOCOL, "Service endpoints".

The access token leaves this module in two forms only: as a keyed digest, by which it is compared,
and encrypted inside of the sealed payload.
"""

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.roles import Role
from ochp_chs.ochp.secrets import shown_url
from ochp_chs.ochp.times import InvalidTime, parse_date
from ochp_chs.ochp.violations import Violation
from ochp_chs.ochp.xml import inner_xml, local_name

_IN = f"{{{NAMESPACE}}}"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: So long after its day a token still counts; the ten minutes before its day need no rule here,
#: because partners fetch a token the day before anyway.
_AFTER_ITS_DAY = timedelta(minutes=30)


class Kind(StrEnum):
    """Whose backend it is: an EMP's or a CPO's."""

    PROVIDER = "provider"
    OPERATOR = "operator"

    @property
    def element(self) -> str:
        """The repeated element of requests and answers."""
        return f"{self.value}EndpointArray"

    @property
    def role(self) -> Role:
        """The role in which a partner has endpoints of this kind."""
        return Role.EMP if self is Kind.PROVIDER else Role.CPO


class Seal(Protocol):
    """What keeps access tokens secret; see clearing/vault.py."""

    @property
    def key_id(self) -> str:
        """Names the key, so that what another key sealed can be told."""

    def digest(self, text: str) -> bytes:
        """The same for the same text, and nothing that the text could be found from."""

    def seal(self, text: str) -> bytes:
        """The text, encrypted."""


class EndpointRow(NamedTuple):
    """One endpoint as it is stored; `party_ids` are those its patterns name, with blanks between.

    `sealed` is the whole record, so that it is given back as it was sent.
    """

    kind: str
    valid_date: str
    token_digest: bytes
    url: str
    namespace_url: str
    party_ids: str
    key_id: str
    sealed: bytes

    def named(self) -> str:
        """How a person would name it."""
        return _named(self.kind, self.url, self.valid_date)


def first_day_taken(at: datetime) -> date:
    """The earliest validDate that a partner may send: today, in UTC."""
    return at.astimezone(UTC).date()


def first_day_kept(at: datetime) -> date:
    """The earliest validDate whose token still counts: until 00:30 UTC that is yesterday's."""
    return (at.astimezone(UTC) - _AFTER_ITS_DAY).date()


class EndpointCodec:
    """XML to row, for endpoints of both kinds."""

    columns = EndpointRow._fields

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def decode(self, record: etree._Element) -> EndpointRow:
        """The row of a schema-valid record; raises `RecordRefused` with every reason."""
        url, namespace_url, token, valid_date = (record[place].text or "" for place in range(4))
        problems = [*_url_problems(url), *_token_problems(token)]
        try:
            day = parse_date(valid_date)
        except InvalidTime as error:
            problems.append(Violation("time", "validDate", valid_date, str(error)))
        if problems:
            raise RecordRefused(*problems)
        return EndpointRow(
            _kind(record).value,
            day.isoformat(),
            self._seal.digest(token),
            url,
            namespace_url,
            " ".join(sorted({(pattern.text or "")[:5].upper() for pattern in list(record)[4:]})),
            self._seal.key_id,
            self._seal.seal(inner_xml(record)),
        )

    def identify(self, record: etree._Element) -> str:
        """`provider endpoint https://emp.example/direct for 2024-03-31`, as far as it is there."""
        url, day = (record.findtext(f"{_IN}{name}") or "" for name in ("url", "validDate"))
        return _named(_kind(record), url, day.strip())

    def retained_key(self, record: etree._Element) -> bytes | None:
        """The digest of the token, by which an earlier version is found."""
        token = record.findtext(f"{_IN}accessToken")
        return self._seal.digest(token) if token else None


def _kind(record: etree._Element) -> Kind:
    is_provider = local_name(record) == Kind.PROVIDER.element
    return Kind.PROVIDER if is_provider else Kind.OPERATOR


def _named(kind: str, url: str, day: str) -> str:
    # What has not the form of a day may be anything, for instance a secret in the wrong element.
    on_day = f"for {day}" if _DAY.fullmatch(day) else ""
    return " ".join(filter(None, [f"{kind} endpoint", shown_url(url), on_day]))


def _url_problems(url: str) -> list[Violation]:
    """The URL names a host over https and nothing secret (OCHP direct 0.2, "DirectEndpoint").

    The schema has looked at https already. A user name or a password in it would be a second way
    to authenticate beside the access token, and would be seen by whoever sees the address.
    """
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return [_url_violation(url, "it is not an address that could be called")]
    if not is_whole or not url.isprintable() or any(character in url for character in ' \\"<>'):
        return [_url_violation(url, "it is not an address that could be called")]
    if "@" in parts.netloc:
        return [_url_violation(url, "it must hold no user name and no password")]
    return []


def _url_violation(url: str, text: str) -> Violation:
    return Violation("endpoint-url", "url", shown_url(url), text)


def _token_problems(token: str) -> list[Violation]:
    """The access token is there: the schema takes an empty one, which would open to everybody."""
    if token.strip():
        return []
    return [Violation("endpoint-token", "accessToken", "", "it is empty")]
