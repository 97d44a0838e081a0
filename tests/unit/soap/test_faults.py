"""Faults as documents."""

import pytest
from lxml import etree
from spyne.model.fault import Fault

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.results import ResultCode
from ochp_chs.soap.faults import (
    SOAP_NAMESPACE,
    WSSE_NAMESPACE,
    client_fault,
    failed_authentication,
    fault_envelope,
    server_fault,
)


def written(fault: Fault) -> etree._Element:
    """The Fault element as a client reads it."""
    root = etree.fromstring(etree.tostring(fault_envelope(fault)))
    assert [root.tag, root[0].tag, root[0][0].tag] == [
        f"{{{SOAP_NAMESPACE}}}{name}" for name in ("Envelope", "Body", "Fault")
    ]
    return root[0][0]


def code_of(element: etree._Element) -> tuple[str | None, str]:
    code = element.find("faultcode")
    prefix, _, name = (code.text or "").partition(":")
    return code.nsmap.get(prefix), name


def test_client_fault() -> None:
    element = written(client_fault("Too <bad> & \u202e\0\n sad"))
    assert code_of(element) == (SOAP_NAMESPACE, "Client")
    assert element.findtext("faultstring") == "Too <bad> & \ufffd\ufffd\ufffd sad"
    assert element.find("detail") is None


def test_client_fault_with_an_ochp_code() -> None:
    element = written(client_fault("no", ochp_code=ResultCode.FORMAT))
    assert element.findtext(f"detail/{{{NAMESPACE}}}resultCode") == "format"


def test_server_fault_names_only_the_reference() -> None:
    element = written(server_fault("ab12"))
    assert code_of(element) == (SOAP_NAMESPACE, "Server")
    assert element.findtext("faultstring") == (
        "The clearing house failed to serve this request. Reference: ab12"
    )
    assert element.findtext(f"detail/{{{NAMESPACE}}}resultCode") == "server"


def test_failed_authentication() -> None:
    element = written(failed_authentication("no"))
    assert code_of(element) == (WSSE_NAMESPACE, "FailedAuthentication")
    assert element.findtext(f"detail/{{{NAMESPACE}}}resultCode") == "not-authorized"


def test_fault_of_spyne_itself() -> None:
    element = written(Fault("Client.SomethingInternal", "text"))
    assert code_of(element) == (SOAP_NAMESPACE, "Client")
    assert element.findtext("faultstring") == "text"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (client_fault("x"), "500 Internal Server Error"),
        (client_fault("x", http_status="413 Content Too Large"), "413 Content Too Large"),
        (failed_authentication("x"), "500 Internal Server Error"),
    ],
)
def test_http_status(fault: Fault, status: str) -> None:
    assert fault.http_status == status
