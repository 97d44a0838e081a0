"""Spyne's SOAP 1.1 protocol, reading from the network as the operation asks for more.

Spyne dispatches by the Body's first element, runs the service method and writes faults. It does not
(de)serialise records: its objects cost thirty times what reading and storing them costs.
"""

from typing import Any

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from lxml import etree
from spyne.model.fault import Fault
from spyne.protocol.soap import Soap11

from ochp_chs.ochp.operations import BY_REQUEST, NAMESPACE, REQUEST_ALIASES
from ochp_chs.soap.body import Body, Limits
from ochp_chs.soap.envelope import open_envelope
from ochp_chs.soap.faults import OchpFault, client_fault, fault_envelope

_OCHP = f"{{{NAMESPACE}}}"


class StreamingSoap11(Soap11):
    """Soap11 whose documents are streams: in, an `Envelope`; out, bytes set by the application."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:
        """Open the envelope: read up to the element that names the operation."""
        body = Body(ctx.transport.req_env, self._limits)
        ctx.in_document = open_envelope(body, charset, self._limits, body.collect)

    def decompose_incoming_envelope(self, ctx: Any, message: str = Soap11.REQUEST) -> None:
        """Name the operation; SOAPAction is not asked."""
        ctx.method_request_string = _known_request(ctx.in_document.request_tag)

    def generate_method_contexts(self, ctx: Any) -> tuple[Any]:
        """Make it the context of the one method that serves the operation."""
        (ctx.descriptor,) = self.get_call_handles(ctx)
        return (ctx,)

    def deserialize(self, ctx: Any, message: str) -> None:
        """Hand the open envelope to the service method as its one argument."""
        ctx.in_object = ctx.in_document

    def serialize(self, ctx: Any, message: str) -> None:
        """Build the document of a fault; answers are bytes already when they come here."""
        if ctx.out_error is not None:
            ctx.out_document = fault_envelope(ctx.out_error)

    def create_out_string(self, ctx: Any, charset: str | None = None) -> None:
        """Write the document of a fault."""
        if ctx.out_document is not None:
            ctx.out_string = [
                etree.tostring(ctx.out_document, xml_declaration=True, encoding="UTF-8")
            ]

    def fault_to_http_response_code(self, fault: Fault) -> str:
        """500 as SOAP 1.1 has it, or what the fault says of itself."""
        return str(getattr(fault, "http_status", "500 Internal Server Error"))


def _known_request(tag: str) -> str:
    namespace, _, name = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    name = REQUEST_ALIASES.get(name, name)
    if namespace == NAMESPACE and name in BY_REQUEST:
        return f"{_OCHP}{name}"
    raise _unknown_request(namespace, name)


def _unknown_request(namespace: str, name: str) -> OchpFault:
    shown = name[:100]
    if namespace != NAMESPACE and "ochp" in namespace.lower():
        return client_fault(
            f"The request {shown!r} is in the namespace {namespace[:100]!r}; the version served"
            f" here is {NAMESPACE!r}."
        )
    if namespace != NAMESPACE and name in BY_REQUEST:
        return client_fault(
            f"The request {shown!r} is in the namespace {namespace[:100]!r}; it must be in"
            f" {NAMESPACE!r}."
        )
    return client_fault(f"There is no operation with the request {shown!r} here.")
