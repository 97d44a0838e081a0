"""SOAP faults, as few and as plain as PROTOCOL.md has them."""

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from lxml import etree
from spyne.model.fault import Fault

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.results import ResultCode

SOAP_NAMESPACE = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE_NAMESPACE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

_HTTP_FAULT = "500 Internal Server Error"
_BUSY = "503 Service Unavailable"
_RETRY_AFTER_S = 60


class OchpFault(Fault):
    """A fault with its qualified code, its HTTP status, and an OCHP code in its detail."""

    def __init__(
        self,
        code: tuple[str, str],
        text: str,
        *,
        ochp_code: ResultCode | None = None,
        http_status: str = _HTTP_FAULT,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(faultcode=code[1], faultstring=text)
        self.qualified_code = code
        self.ochp_code = ochp_code
        self.http_status = http_status
        #: Client, Server or FailedAuthentication.
        self.kind = code[1]
        #: For the client: when to send the same again.
        self.retry_after_s = retry_after_s


def client_fault(
    text: str, *, ochp_code: ResultCode | None = None, http_status: str = _HTTP_FAULT
) -> OchpFault:
    """The message cannot be served as it is; the text says what to change."""
    return OchpFault((SOAP_NAMESPACE, "Client"), text, ochp_code=ochp_code, http_status=http_status)


def server_fault(reference: str, *, passing: bool = False) -> OchpFault:
    """Something failed here; the reference finds it in the log. See `server_text`."""
    return OchpFault(
        (SOAP_NAMESPACE, "Server"),
        server_text(reference, passing=passing),
        ochp_code=ResultCode.SERVER,
        retry_after_s=_RETRY_AFTER_S if passing else None,
    )


def busy(text: str, retry_after_s: int) -> OchpFault:
    """There is no room for this request now; the same can be sent again after a while."""
    return OchpFault(
        (SOAP_NAMESPACE, "Server"),
        text,
        ochp_code=ResultCode.SERVER,
        http_status=_BUSY,
        retry_after_s=retry_after_s,
    )


def server_text(reference: str, *, passing: bool = False) -> str:
    """What a partner is told of a failure of ours; of one that passes, what to do."""
    if not passing:
        return f"The clearing house failed to serve this request. Reference: {reference}"
    # Not that nothing was changed: of a connection that broke in a commit, nobody can tell.
    return (
        "The clearing house cannot serve this request at the moment. Send the same again in a"
        f" minute; a repeat does no harm. Reference: {reference}"
    )


def failed_authentication(text: str) -> OchpFault:
    """The WS-Security fault; the OCHP code stands in its detail."""
    return OchpFault(
        (WSSE_NAMESPACE, "FailedAuthentication"), text, ochp_code=ResultCode.NOT_AUTHORIZED
    )


def fault_envelope(fault: Fault) -> etree._Element:
    """The fault as a whole envelope. A fault of Spyne's own becomes a Client fault."""
    namespace, code = getattr(fault, "qualified_code", (SOAP_NAMESPACE, "Client"))
    ochp_code = getattr(fault, "ochp_code", None)
    envelope = etree.Element(f"{{{SOAP_NAMESPACE}}}Envelope", nsmap={"soap": SOAP_NAMESPACE})
    body = etree.SubElement(envelope, f"{{{SOAP_NAMESPACE}}}Body")
    element = etree.SubElement(
        body,
        f"{{{SOAP_NAMESPACE}}}Fault",
        nsmap={"wsse": WSSE_NAMESPACE} if namespace == WSSE_NAMESPACE else None,
    )
    prefix = "wsse" if namespace == WSSE_NAMESPACE else "soap"
    # faultcode and its siblings are unqualified in SOAP 1.1.
    etree.SubElement(element, "faultcode").text = f"{prefix}:{code}"
    etree.SubElement(element, "faultstring").text = _printable(str(fault.faultstring))
    if ochp_code is not None:
        detail = etree.SubElement(element, "detail")
        result = etree.SubElement(
            detail,
            f"{{{NAMESPACE}}}resultCode",
            nsmap={None: NAMESPACE},  # type: ignore[dict-item]
        )
        result.text = ochp_code.value
    return envelope


def _printable(text: str) -> str:
    """What XML can hold: texts quote what was sent, and that may be anything."""
    return "".join(c if c.isprintable() else "�" for c in text)
