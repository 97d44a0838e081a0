"""The whole server without a socket: SOAP text in, parsed answer out, on the test's database."""

import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lxml import etree

from ochp_chs.clearing.connections import connect
from ochp_chs.clearing.partners import add_partner
from ochp_chs.clearing.passwords import HashSettings, Passwords
from ochp_chs.config import Settings
from ochp_chs.metrics.requests import RequestMetrics
from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.ochp.schema import message_schema
from ochp_chs.repository.engine import Database
from ochp_chs.soap.application import build_soap_app

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
O = f"{{{NAMESPACE}}}"  # noqa: E741 - as short as a prefix

# Verification is slow on purpose; the tests need only that it is right.
_PASSWORDS = Passwords(HashSettings(passes=1, memory_kib=64))


@dataclass
class Clock:
    """A server clock that a test sets and turns."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        """Go on by a timedelta's arguments."""
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; `body` is the first child of the SOAP Body."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> etree._Element:
        return etree.fromstring(self.content).find(f"{{{SOAP}}}Body")[0]

    @property
    def result(self) -> str | None:
        return self.body.findtext(f"{O}result/{O}resultCode/{O}resultCode")

    @property
    def description(self) -> str:
        return self.body.findtext(f"{O}result/{O}resultDescription") or ""

    @property
    def fault(self) -> str | None:
        """The fault's text, None if the answer is none."""
        return self.body.findtext("faultstring") if self.body.tag == f"{{{SOAP}}}Fault" else None

    def elements(self, name: str) -> Sequence[etree._Element]:
        """The response's children of this name."""
        return self.body.findall(f"{O}{name}")


class Edge:
    """The SOAP application with partners whose password is the name with `-secret` behind it."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        settings: Settings,
        metrics: RequestMetrics | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.app = build_soap_app(settings, database, clock, metrics=metrics)

    def partner(self, name: str, roles: str, *party_ids: str) -> None:
        """Add a partner: `edge.partner("emp", "emp nsp", "DE-EMP")`."""
        add_partner(
            self.database,
            name,
            _PASSWORDS.hashed(f"{name}-secret"),
            roles={Role(role) for role in roles.split()},
            party_ids=party_ids,
        )

    def connect(self, one: str, other: str, only: Collection[Carries] | None = None) -> None:
        """Join two partners."""
        connect(self.database, one, other, only)

    def call(self, partner: str, operation: str, content: str = "", *, valid: bool = True) -> Reply:
        """Send an operation's request with `content` (default namespace OCHP) inside.

        Unless `valid` is False, an answer that is no fault must be valid against the contract.
        """
        request = BY_NAME[operation].request
        reply = self.post(
            envelope(partner, f'<{request} xmlns="{NAMESPACE}">{content}</{request}>')
        )
        if valid and reply.fault is None:
            message_schema().assertValid(reply.body)
        return reply

    def post(self, content: bytes, path: str = "/service/ochp/v1.4", **environ: object) -> Reply:
        """Send raw bytes."""
        started: list[tuple[str, list[tuple[str, str]]]] = []
        response = self.app(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": path,
                "QUERY_STRING": "",
                "CONTENT_TYPE": "text/xml; charset=utf-8",
                "CONTENT_LENGTH": str(len(content)),
                "REMOTE_ADDR": "192.0.2.1",
                "SERVER_NAME": "chs.example",
                "SERVER_PORT": "80",
                "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(content),
                **environ,
            },
            lambda status, headers, *_: started.append((status, headers)),
        )
        try:
            body = b"".join(response)
        finally:
            getattr(response, "close", lambda: None)()
        status, headers = started[0]
        return Reply(int(status.split()[0]), dict(headers), body)


def envelope(partner: str, body: str) -> bytes:
    """A SOAP 1.1 message with the partner's credentials."""
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header><w:Security xmlns:w="{WSSE}"><w:UsernameToken>'
        f"<w:Username>{partner}</w:Username><w:Password>{partner}-secret</w:Password>"
        f"</w:UsernameToken></w:Security></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
