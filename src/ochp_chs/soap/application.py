"""The SOAP edge as one WSGI application: Spyne in the middle, WSDL, gzip and the log around it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

import structlog
from lxml import etree
from spyne import Application
from spyne.model.fault import Fault

from ochp_chs.clearing.authentication import Authenticator
from ochp_chs.clearing.exchange import ClearingHouse
from ochp_chs.clearing.failures import DelaySettings, FailureDelays
from ochp_chs.clearing.passwords import Passwords
from ochp_chs.clearing.slots import PartnerSlots
from ochp_chs.clearing.vault import Vault, kept_secret
from ochp_chs.config import Settings
from ochp_chs.masking import beginning
from ochp_chs.metrics.requests import RequestMetrics
from ochp_chs.ochp.operations import NAMESPACE, Endpoint
from ochp_chs.repository.engine import Database
from ochp_chs.soap.body import Limits
from ochp_chs.soap.compression import accepts_gzip, is_worth_packing, packed
from ochp_chs.soap.edge import Edge
from ochp_chs.soap.faults import fault_envelope, server_fault
from ochp_chs.soap.names import forget_names
from ochp_chs.soap.protocol import StreamingSoap11
from ochp_chs.soap.services.operation import TRACE_KEY
from ochp_chs.soap.services.registry import SERVICES
from ochp_chs.soap.shape import Shape
from ochp_chs.soap.trace import CountedInput, Trace
from ochp_chs.soap.transport import SoapTransport
from ochp_chs.soap.wsdl import Publisher

log = structlog.get_logger(__name__)

StartResponse = Callable[..., Any]


class OchpApplication(Application):  # type: ignore[misc]
    """Spyne's application with what its methods need; a bug becomes a plain Server fault."""

    def __init__(self, edge: Edge, limits: Limits) -> None:
        super().__init__(
            SERVICES,
            tns=NAMESPACE,
            name="OCHP_1.4",
            in_protocol=StreamingSoap11(limits),
            out_protocol=StreamingSoap11(limits),
        )
        self.edge = edge

    def call_wrapper(self, ctx: Any) -> Any:
        """Run the service method; nothing internal gets onto the wire."""
        try:
            return super().call_wrapper(ctx)
        except Fault:
            raise
        except Exception:
            trace: Trace = ctx.transport.req_env[TRACE_KEY]
            log.exception("request failed", reference=trace.reference)
            raise server_fault(trace.reference) from None


class SoapApplication:
    """Serves the three endpoints: SOAP by POST, the contract by GET."""

    def __init__(
        self,
        edge: Edge,
        limits: Limits,
        publisher: Publisher,
        metrics: RequestMetrics | None = None,
    ) -> None:
        self._publisher = publisher
        self._metrics = metrics
        self._spyne = SoapTransport(OchpApplication(edge, limits))
        self._spyne.event_manager.add_listener("wsgi_exception", _note_fault)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, as WSGI has it."""
        if environ["REQUEST_METHOD"] == "POST" and _is_endpoint(environ.get("PATH_INFO", "")):
            return self._soap(environ, start_response)
        return self._logged(environ, start_response)

    def _logged(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Everything but SOAP, with its line in the log."""
        trace = _trace_of(environ)

        def started(status: str, headers: list[tuple[str, str]]) -> None:
            trace.status = int(status.split(" ", 1)[0])
            start_response(status, headers)

        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            pieces = list(self._contract(environ, started))
        elif environ["REQUEST_METHOD"] == "POST":
            pieces = list(_plain(started, "404 Not Found", _NO_ENDPOINT))
        else:
            allow = ("Allow", "GET, HEAD, POST")
            pieces = list(_plain(started, "405 Method Not Allowed", _ONLY_POST, [allow]))
        trace.bytes_out = sum(map(len, pieces))
        trace.complete = True
        trace.end()
        return pieces

    def _contract(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        try:
            document = self._publisher.find(path, query, _base_url(environ))
        except ValueError:
            return _plain(start_response, "400 Bad Request", "The Host header is not a host.")
        if document is None:
            return _plain(start_response, "404 Not Found", _NO_DOCUMENT)
        length = str(len(document))
        start_response(
            "200 OK", [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", length)]
        )
        return [document] if environ["REQUEST_METHOD"] == "GET" else []

    def _soap(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        forget_names()
        trace = _trace_of(environ, self._metrics)
        if self._metrics is not None:
            self._metrics.begin()
        environ["wsgi.input"] = CountedInput(environ["wsgi.input"], trace)
        environ[TRACE_KEY] = trace
        try:
            return self._answered(environ, start_response, trace)
        except BaseException:
            trace.end()
            raise

    def _answered(
        self, environ: dict[str, Any], start_response: StartResponse, trace: Trace
    ) -> Iterable[bytes]:
        started = _Started()
        body = self._body(environ, started, trace)
        headers = started.headers
        if accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")) and is_worth_packing(body):
            headers = [pair for pair in headers if pair[0].lower() != "content-length"]
            headers.append(("Content-Encoding", "gzip"))
            outgoing: Iterable[bytes] = packed(body)
        else:
            outgoing = body
        headers.append(("Vary", "Accept-Encoding"))
        if trace.retry_after_s is not None:
            headers.append(("Retry-After", str(trace.retry_after_s)))
        trace.status = int(started.status.split(" ", 1)[0])
        start_response(started.status, headers)
        return _Response(outgoing, body, trace)

    def _body(self, environ: dict[str, Any], started: "_Started", trace: Trace) -> Iterable[bytes]:
        try:
            return self._spyne.handle_rpc(environ, started)
        except Exception:
            log.exception("request failed", reference=trace.reference)
            fault = server_fault(trace.reference)
            trace.fault, trace.fault_kind = fault.faultstring, fault.kind
            started(fault.http_status, [("Content-Type", "text/xml; charset=utf-8")])
            return [etree.tostring(fault_envelope(fault), xml_declaration=True, encoding="UTF-8")]


def _trace_of(environ: dict[str, Any], metrics: RequestMetrics | None = None) -> Trace:
    return Trace(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", ""),
        address=environ.get("REMOTE_ADDR", ""),
        metrics=metrics,
    )


class _Started:
    """What Spyne hands to start_response, kept until the body is known."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        self.status = status
        self.headers = list(headers)


class _Response:
    """The response's bytes, counted; closing it ends the snapshot and writes the log line."""

    def __init__(self, outgoing: Iterable[bytes], body: Iterable[bytes], trace: Trace) -> None:
        self._outgoing = outgoing
        self._body = body
        self._trace = trace

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._outgoing:
            self._trace.bytes_out += len(piece)
            yield piece
        self._trace.complete = True

    def close(self) -> None:
        """Called by the server at the end, also when the client went away."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
        self._trace.end()


_ONLY_POST = "This endpoint is served by POST (SOAP 1.1); its contract by GET with ?wsdl."
_ENDPOINTS = frozenset(str(endpoint) for endpoint in Endpoint)
_NO_ENDPOINT = f"There is no endpoint here; there are {', '.join(sorted(_ENDPOINTS))}."
_NO_DOCUMENT = "There is no document here; the contract is at ?wsdl of each endpoint."


def _plain(
    start_response: StartResponse,
    status: str,
    text: str,
    headers: Iterable[tuple[str, str]] = (),
) -> Iterable[bytes]:
    body = f"{text}\n".encode()
    start_response(
        status,
        [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            *headers,
        ],
    )
    return [body]


def _is_endpoint(path: str) -> bool:
    return path.rstrip("/") in _ENDPOINTS


def _base_url(environ: dict[str, Any]) -> str:
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    if "/" in host:
        raise ValueError("not a host")
    return f"{environ['wsgi.url_scheme']}://{host}{environ.get('SCRIPT_NAME', '')}"


def _note_fault(ctx: Any) -> None:
    trace: Trace = ctx.transport.req_env[TRACE_KEY]
    error = ctx.out_error or ctx.in_error
    # Faults quote what was sent; the client is told, the log is not.
    trace.fault = f"{error.faultcode}: {beginning(str(error.faultstring))}"
    trace.fault_kind = getattr(error, "kind", "Client")
    trace.retry_after_s = getattr(error, "retry_after_s", None)


def _secret(settings: Settings) -> str:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return kept_secret(settings.data_dir)


def build_soap_app(
    settings: Settings,
    database: Database,
    clock: Callable[[], datetime],
    slots: PartnerSlots | None = None,
    metrics: RequestMetrics | None = None,
) -> SoapApplication:
    """The SOAP edge with everything behind it; without `metrics`, nothing is counted."""
    house = ClearingHouse(
        database,
        clock,
        timedelta(seconds=settings.clock_tolerance_s),
        Vault(lambda: _secret(settings)),
    )
    authenticator = Authenticator(
        database,
        Passwords(),
        FailureDelays(DelaySettings(sleepers_max=max(1, settings.threads // 4))),
        cache_seconds=settings.credentials_cache_s,
    )
    edge = Edge(
        house,
        authenticator,
        slots or PartnerSlots(settings.partner_slots),
        settings.auth_failure == "result",
    )
    limits = Limits(
        request_bytes_max=settings.max_request_bytes,
        header_bytes_max=settings.max_header_bytes,
        record_bytes_max=settings.max_record_bytes,
        read_timeout_s=settings.read_timeout_s,
        shape=Shape(
            depth_max=settings.max_depth,
            attributes_max=settings.max_attributes,
            text_characters_max=settings.max_text_characters,
            elements_max=settings.max_record_elements,
        ),
    )
    return SoapApplication(edge, limits, Publisher(settings.public_url), metrics)
