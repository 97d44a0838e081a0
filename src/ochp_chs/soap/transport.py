"""SOAP over HTTP as a transport of Spyne's, as far as the clearing house needs one.

Spyne's own WSGI transport does the same and, for every request, much that is for others: it can
serve its WSDL, call auxiliary methods, send attachments, and keeps copies of its contexts.
"""

from collections.abc import Callable, Iterable
from email.message import Message
from functools import lru_cache
from typing import Any

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import MethodContext
from spyne.context import TransportContext
from spyne.server import ServerBase

_CONTENT_TYPE = "text/xml; charset=utf-8"

#: Clients of one kind send the same header each time.
_HEADERS_KEPT = 256


class SoapTransport(ServerBase):  # type: ignore[misc]
    """Leads one HTTP request through Spyne: protocol, application, protocol."""

    transport = "http://schemas.xmlsoap.org/soap/http"

    def handle_rpc(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a SOAP request, as WSGI has it; the event `wsgi_exception` tells of faults."""
        context = _Context(self, environ)
        (context,) = self.generate_contexts(context, _charset(environ.get("CONTENT_TYPE", "")))
        if context.in_error is None:
            self.get_in_object(context)
        if context.in_error is None:
            self.get_out_object(context)
        error = context.in_error or context.out_error
        self.get_out_string(context)
        if error is not None:
            context.out_string = list(context.out_string)
            self.event_manager.fire_event("wsgi_exception", context)
        headers = [("Content-Type", _CONTENT_TYPE)]
        if isinstance(context.out_string, list):
            headers.append(("Content-Length", str(sum(map(len, context.out_string)))))
        start_response(_status(context, error), headers)
        context.close()
        body: Iterable[bytes] = context.out_string
        return body


class _Transport(TransportContext):  # type: ignore[misc]
    def __init__(self, parent: MethodContext, server: SoapTransport, environ: Any) -> None:
        super().__init__(parent, server, server.transport)
        self.req_env = environ


class _Context(MethodContext):  # type: ignore[misc]
    """The context of one request."""

    TransportContext = None
    # Spyne's own looks at every assignment, of which there are fifty to a request.
    __setattr__ = object.__setattr__

    def __init__(self, server: SoapTransport, environ: dict[str, Any]) -> None:
        super().__init__(server, MethodContext.SERVER)
        self.transport = _Transport(self, server, environ)

    def fire_event(self, event: str, *args: Any, **kwargs: Any) -> None:
        """Tell those who listen."""
        managers = self.descriptor.event_managers if self.descriptor is not None else ()
        if self.app.event_manager.handlers or any(each.handlers for each in managers):
            super().fire_event(event, *args, **kwargs)


def _status(context: _Context, error: Any) -> str:
    if error is None:
        return "200 OK"
    status: str = context.out_protocol.fault_to_http_response_code(error)
    return status


@lru_cache(_HEADERS_KEPT)
def _charset(content_type: str) -> str | None:
    message = Message()
    message["Content-Type"] = content_type
    charset = message.get_param("charset")
    return charset if isinstance(charset, str) else None
