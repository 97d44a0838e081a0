"""From an open envelope to an answer: who calls, may they, what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from ochp_chs.clearing.authentication import Authenticator
from ochp_chs.clearing.errors import AuthenticationFailed, DomainError, FrameRefused
from ochp_chs.clearing.exchange import Ahead, Answer, Call, ClearingHouse, Message
from ochp_chs.clearing.slots import PartnerSlots, TooManyRequests
from ochp_chs.ochp.operations import Operation
from ochp_chs.ochp.results import Result, ResultCode
from ochp_chs.repository.outages import is_passing
from ochp_chs.repository.partners import Partner
from ochp_chs.soap.envelope import Envelope
from ochp_chs.soap.faults import (
    OchpFault,
    busy,
    client_fault,
    failed_authentication,
    server_fault,
    server_text,
)
from ochp_chs.soap.message import SoapMessage
from ochp_chs.soap.security import read_credentials
from ochp_chs.soap.trace import Trace

log = structlog.get_logger(__name__)

Handler = Callable[[ClearingHouse, Call, Message], Answer]
AskAhead = Callable[[ClearingHouse, Message], Ahead | None]


@dataclass(frozen=True, slots=True)
class Service:
    """An operation with who serves it, and with who may read what it needs ahead of that."""

    operation: Operation
    handler: Handler
    ask_ahead: AskAhead | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """What the SOAP edge needs to serve any operation."""

    house: ClearingHouse
    authenticator: Authenticator
    slots: PartnerSlots
    #: Answer a failed authentication with the operation's own response (specification) instead of
    #: the WS-Security fault (the production clearing house).
    authentication_failure_as_result: bool

    def answer(self, service: Service, envelope: Envelope, trace: Trace) -> Answer:
        """The operation's answer; raises `OchpFault` where there is no response to put it into."""
        operation = service.operation
        try:
            return self._answer(service, envelope, trace)
        except OchpFault:
            raise
        except FrameRefused as refusal:
            return _refusal(operation, ResultCode.FORMAT, str(refusal))
        except TooManyRequests as refusal:
            raise busy(str(refusal), refusal.retry_after_s) from None
        except AuthenticationFailed as failure:
            trace.authentication_failure = failure.reason
            if self.authentication_failure_as_result and operation.has_result:
                return _refusal(operation, ResultCode.NOT_AUTHORIZED, str(failure))
            raise failed_authentication(str(failure)) from None
        except DomainError as error:
            return _refusal(operation, ResultCode.FORMAT, str(error))
        except Exception as error:
            log.exception("request failed", reference=trace.reference, operation=operation.name)
            passing = is_passing(error)
            if not operation.has_result:
                raise server_fault(trace.reference, passing=passing) from None
            return Answer(Result(ResultCode.SERVER, server_text(trace.reference, passing=passing)))

    def _answer(self, service: Service, envelope: Envelope, trace: Trace) -> Answer:
        received_at = self.house.clock()
        operation = service.operation
        message = SoapMessage(envelope, operation)
        credentials = read_credentials(envelope.header)
        ahead = None if service.ask_ahead is None else service.ask_ahead(self.house, message)
        partner = self.authenticator.authenticate(
            credentials.username,
            credentials.password,
            trace.address,
            None if ahead is None else ahead.find,
        )
        trace.partner, trace.partner_id, trace.roles = partner.name, partner.id, partner.roles
        if not partner.roles & operation.roles:
            return _refusal(operation, ResultCode.NOT_AUTHORIZED, _not_for(operation, partner))
        # Until the answer was sent: reading it is part of the request.
        trace.slot = self.slots.take(partner.id)
        call = Call(partner, operation, trace.reference, received_at)
        if ahead is not None:
            return ahead.answer(call)
        return service.handler(self.house, call, message)


def _refusal(operation: Operation, code: ResultCode, text: str) -> Answer:
    """A result, or a fault for the operation whose response has no place for one."""
    if not operation.has_result:
        raise client_fault(text, ochp_code=code)
    return Answer(Result(code, text))


def _not_for(operation: Operation, partner: Partner) -> str:
    wanted = " or ".join(sorted(role.upper() for role in operation.roles))
    has = ", ".join(sorted(role.upper() for role in partner.roles))
    return f"{operation.name} is for the role {wanted}; {partner.name} has {has}."
