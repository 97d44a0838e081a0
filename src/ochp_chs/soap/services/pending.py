"""Operations of the contract whose chapter is not built yet: they say so and store nothing."""

from collections.abc import Collection

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import Service

from ochp_chs.clearing.exchange import Answer, Call, ClearingHouse, Message
from ochp_chs.ochp.operations import OPERATIONS
from ochp_chs.ochp.results import Result, ResultCode
from ochp_chs.soap.faults import SOAP_NAMESPACE, OchpFault
from ochp_chs.soap.services.operation import soap_operation


def _not_built(house: ClearingHouse, call: Call, message: Message) -> Answer:
    text = f"{call.operation.name} is not built yet; nothing was stored."
    if not call.operation.has_result:
        raise OchpFault((SOAP_NAMESPACE, "Server"), text, ochp_code=ResultCode.SERVER)
    return Answer(Result(ResultCode.SERVER, text))


def pending_service(built: Collection[type[Service]]) -> type[Service]:
    """A service for the operations that none of the built services has."""
    names = {name for service in built for name in service.public_methods}
    methods = {
        operation.name: soap_operation(operation.name, _not_built)
        for operation in OPERATIONS
        if operation.name not in names
    }
    return type("PendingService", (Service,), methods)
