"""The WSGI application: the SOAP edge with its contract, health, and a plain front page."""

import html
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

import ochp_chs
from ochp_chs.clearing.direct import erase_expired
from ochp_chs.clearing.retention.policy import Policy
from ochp_chs.clearing.retention.run import Retention
from ochp_chs.clearing.slots import PartnerSlots
from ochp_chs.clearing.vault import vault_of
from ochp_chs.config import Settings, SettingsError
from ochp_chs.console import metrics as metrics_page
from ochp_chs.console.health import why_not_ready
from ochp_chs.masking import masked
from ochp_chs.metrics.exposition import CONTENT_TYPE, Exposition
from ochp_chs.metrics.service import Metrics, build_metrics
from ochp_chs.ochp.operations import Endpoint
from ochp_chs.repository.engine import Database
from ochp_chs.serving.chores import Chore, Chores, nothing_to_note
from ochp_chs.serving.memory import resident_bytes
from ochp_chs.serving.proxies import believe_proxies

log = structlog.get_logger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]

#: The endpoints, and beside them the schemas that their WSDL leads to.
_SOAP_FOLDERS = tuple(str(endpoint).partition("/ochp/")[0] + "/ochp/" for endpoint in Endpoint)
_HEALTH = frozenset({"/healthz", "/readyz"})
#: Asked for every few seconds: only a bad answer is worth a line.
_ROUTINE = _HEALTH | {metrics_page.PATH}
#: Connections beside those of the request threads: nested reads.
_SPARE_CONNECTIONS = 2
#: How long what is over may stay; every process looks about that often.
_CHORES_PAUSE_S = 60
#: How old metrics may be that are not counted at once, and how often polls are written down.
_METRICS_PAUSE_S = 5


@dataclass(frozen=True, slots=True)
class Page:
    """A small complete answer."""

    status: str
    body: str | bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


_NOT_FOUND = Page("404 Not Found", "There is nothing here.\n")
_ONLY_GET = Page(
    "405 Method Not Allowed", "Only GET and HEAD here.\n", headers=(("Allow", "GET, HEAD"),)
)
_NOT_FOR_YOU = Page("403 Forbidden", metrics_page.REFUSED)


def build_app(
    settings: Settings,
    clock: Callable[[], datetime] | None = None,
    *,
    is_leaving: Callable[[], bool] = lambda: False,
    slots_file: int | None = None,
    has_other_workers: bool = False,
) -> WsgiApp:
    """Build the application of one process. Raises SettingsError without a database URL.

    Once `is_leaving`, proxies are told to turn to another node; everything else goes on.
    `slots_file` is shared by the processes of a node: see `clearing.slots`. A process that
    `has_other_workers` of the same parent beside it tells the metrics of all of them.
    """
    from ochp_chs.soap.application import build_soap_app

    if settings.database_url is None:
        raise SettingsError(
            "OCHP_CHS_DATABASE_URL: must be set; only ochp-chs serve brings its own"
        )
    database = Database(
        settings.database_url,
        read_url=settings.read_database_url,
        pool_size=settings.threads + _SPARE_CONNECTIONS,
        idle_timeout_s=settings.transfer_timeout_s + settings.read_timeout_s,
        statement_timeout_s=settings.statement_timeout_s,
    )
    time_of = clock or (lambda: datetime.now(UTC))
    slots = PartnerSlots(settings.partner_slots, slots_file)
    metrics = build_metrics(
        database,
        settings.database_url,
        settings.read_database_url,
        resident_bytes,
        with_other_workers=has_other_workers,
    )
    soap = build_soap_app(settings, database, time_of, slots, metrics.requests)
    note = metrics.process.chore_done
    chores(database, time_of, on_done=note).start()
    _metrics_chores(metrics, database).start()
    retention_chores(settings, database, time_of, on_done=note).start()
    return Router(settings, database, soap, is_leaving, metrics.exposition)


def chores(
    database: Database,
    clock: Callable[[], datetime],
    *,
    pause_s: float = _CHORES_PAUSE_S,
    on_done: Callable[[str, bool], None] = nothing_to_note,
) -> Chores:
    """What the server does by itself; not yet started."""
    erase = Chore("erase expired service endpoints", lambda: erase_expired(database, clock()))
    return Chores([erase], pause_s=pause_s, on_done=on_done)


def _metrics_chores(metrics: Metrics, database: Database) -> Chores:
    sample = Chore("sample the process", metrics.process.sample)
    keep = Chore("keep polls", lambda: metrics.polls.keep(database))
    return Chores([sample, keep], pause_s=_METRICS_PAUSE_S)


def retention_chores(
    settings: Settings,
    database: Database,
    clock: Callable[[], datetime],
    *,
    on_done: Callable[[str, bool], None] = nothing_to_note,
) -> Chores:
    """Archiving and pruning, on a thread of their own because they may take long; not started."""
    secret = settings.secret_key
    vault = vault_of(None if secret is None else secret.get_secret_value(), settings.data_dir)
    retention = Retention(database, Policy.of(settings), vault, clock)
    run = Chore("archive what is old and prune", retention.run_if_due)
    pause_s = min(_CHORES_PAUSE_S, settings.retention_interval_s)
    return Chores([run], pause_s=pause_s, on_done=on_done)


class Router:
    """Leads a request to who answers it; what nobody expected becomes a plain 500."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        soap: WsgiApp,
        is_leaving: Callable[[], bool] = lambda: False,
        metrics: Exposition | None = None,
    ) -> None:
        self._trusted = frozenset(part.strip() for part in settings.trusted_proxies.split(","))
        self._database = database
        self._soap = soap
        self._is_leaving = is_leaving
        self._metrics = metrics
        self._metrics_allow = metrics_page.parse_networks(settings.metrics_allow)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        path = environ.get("PATH_INFO", "")
        # Asked of the peer itself, before it may name another.
        tells_metrics = path == metrics_page.PATH and metrics_page.may_read(
            environ, self._metrics_allow
        )
        believe_proxies(environ, self._trusted)
        started = time.monotonic()
        reference = secrets.token_hex(8)
        try:
            if path.startswith(_SOAP_FOLDERS):
                return self._soap(environ, start_response)
            page = self._page(environ, tells_metrics=tells_metrics)
        except Exception:
            log.exception("request failed", reference=reference)
            page = Page(
                "500 Internal Server Error",
                f"The clearing house failed to serve this request. Reference: {reference}\n",
            )
        body = page.body.encode() if isinstance(page.body, str) else page.body
        start_response(
            page.status,
            [
                ("Content-Type", page.content_type),
                ("Content-Length", str(len(body))),
                ("X-Content-Type-Options", "nosniff"),
                *page.headers,
            ],
        )
        is_routine = path in _ROUTINE and page.status.startswith("200")
        (log.debug if is_routine else log.info)(
            "request",
            method=environ["REQUEST_METHOD"],
            path=masked(path),
            address=environ.get("REMOTE_ADDR", ""),
            reference=reference,
            status=int(page.status[:3]),
            bytes_out=len(body),
            seconds=round(time.monotonic() - started, 4),
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _page(self, environ: Environ, *, tells_metrics: bool) -> Page:
        path = environ.get("PATH_INFO", "")
        if path != "/" and path not in _ROUTINE:
            return _NOT_FOUND
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _ONLY_GET
        if path == "/healthz":
            return Page("200 OK", "ok\n")
        if path == metrics_page.PATH:
            if self._metrics is None or not tells_metrics:
                return _NOT_FOR_YOU
            return Page("200 OK", self._metrics.text(), CONTENT_TYPE)
        if path == "/readyz":
            reason = "leaving" if self._is_leaving() else why_not_ready(self._database)
            if reason is None:
                return Page("200 OK", "ready\n")
            return Page("503 Service Unavailable", f"not ready: {reason}\n")
        return Page("200 OK", _front_page(), "text/html; charset=utf-8")


def _front_page() -> str:
    endpoints = "".join(
        f'<li><code>{path}</code> (<a href="{path}?wsdl">WSDL</a>,'
        f' <a href="{path}?singleWsdl">in one file</a>)</li>'
        for path in (html.escape(str(endpoint)) for endpoint in Endpoint)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>OCHP clearing house</title>"
        "<h1>OCHP clearing house</h1>"
        f"<p>ochp-chs {ochp_chs.__version__} serves OCHP 1.4 and the clearing house's part of"
        " OCHP direct 0.2.</p>"
        f"<ul>{endpoints}</ul>"
        '<p><a href="/healthz">Alive?</a> <a href="/readyz">Ready?</a></p></html>\n'
    )
