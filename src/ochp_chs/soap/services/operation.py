"""An OCHP operation as a Spyne method."""

from typing import Any

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import AnyXml, rpc

from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from ochp_chs.soap.edge import AskAhead, Handler, Service
from ochp_chs.soap.responses import response_body
from ochp_chs.soap.trace import Trace

#: Where a request's trace stands in its WSGI environment.
TRACE_KEY = "ochp_chs.trace"


def soap_operation(name: str, handler: Handler, ask_ahead: AskAhead | None = None) -> Any:
    """A Spyne method for the operation of this name, to stand in a service class under its name.

    It receives the open envelope (soap/protocol.py) and sets the response's bytes itself.
    """
    operation = BY_NAME[name]
    service = Service(operation, handler, ask_ahead)

    def method(ctx: Any, envelope: Any) -> None:
        trace: Trace = ctx.transport.req_env[TRACE_KEY]
        trace.operation = operation.name
        answer = ctx.app.edge.answer(service, envelope, trace)
        trace.result = answer.result.code.value if answer.result else "ok"
        trace.records_read = answer.records_read
        trace.records_refused = answer.records_refused
        trace.refusal_reasons = answer.refusal_reasons
        ctx.out_string = response_body(operation, answer, trace.sent)

    method.__name__ = name
    return rpc(
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}{operation.request}",
        _out_message_name=f"{{{NAMESPACE}}}{operation.response}",
    )(method)
