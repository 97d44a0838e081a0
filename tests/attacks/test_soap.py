"""SOAP and WS-Security bent: one reading of who calls and what is asked, or none."""

import pytest

from ochp_chs.ochp.operations import NAMESPACE
from tests.acceptance.harness import Server
from tests.attacks.corpus import Attack, request, soap, strike, tokens
from tests.support.edge import SOAP, WSSE, envelope
from tests.support.tokens import token_xml

WRONG = "500 fault The user name or the password is wrong"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
XSD = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
ENC = "http://schemas.xmlsoap.org/soap/encoding/"
TOKEN = (
    "<w:UsernameToken><w:Username>all</w:Username><w:Password>all-secret</w:Password>"
    "</w:UsernameToken>"
)
OTHERS = TOKEN.replace("all", "other")


def secured(content: str, body: str | None = None) -> str:
    header = f'<s:Header><w:Security xmlns:w="{WSSE}">{content}</w:Security></s:Header>'
    return soap(f"{header}<s:Body>{body or request(token_xml())}</s:Body>")


def changed(was: str, becomes: str) -> str:
    message = tokens()
    assert was in message
    return message.replace(was, becomes)


ATTACKS = {
    "SOAP 1.2": Attack(
        tokens().replace(SOAP, "http://www.w3.org/2003/05/soap-envelope"), "500 fault .*SOAP 1.2"
    ),
    "SOAP of both versions": Attack(
        changed("<s:Body>", '<t:Body xmlns:t="http://www.w3.org/2003/05/soap-envelope"/><s:Body>'),
        "200 ok |500 fault ",
    ),
    "two users": Attack(secured(TOKEN + OTHERS), "500 fault .*2 UsernameToken elements"),
    "two users in two headers of security": Attack(
        secured(TOKEN).replace(
            "</s:Header>", f'<w:Security xmlns:w="{WSSE}">{OTHERS}</w:Security></s:Header>'
        ),
        "500 fault .*2 UsernameToken elements",
    ),
    "two names": Attack(
        secured(TOKEN.replace("<w:Password>", "<w:Username>other</w:Username><w:Password>")),
        "500 fault .*2 Username elements",
    ),
    "two passwords": Attack(
        secured(
            TOKEN.replace("</w:UsernameToken>", "<w:Password>x</w:Password></w:UsernameToken>")
        ),
        "500 fault .*2 Password elements",
    ),
    "comment in the name": Attack(secured(TOKEN.replace(">all<", ">all<!-- -->2<")), WRONG),
    "comment in the password": Attack(
        secured(TOKEN.replace(">all-secret<", ">all<!-- x -->-secret<")), "200 ok "
    ),
    "element in the name": Attack(
        secured(TOKEN.replace(">all<", ">all<x/>other<")), "200 ok |" + WRONG
    ),
    "null behind the name": Attack(secured(TOKEN.replace(">all<", ">all&#0;<")), "500 fault .*XML"),
    "line end behind the name": Attack(secured(TOKEN.replace(">all<", ">all&#10;x<")), WRONG),
    "space around the name": Attack(secured(TOKEN.replace(">all<", "> all <")), "200 ok "),
    "name in other letters": Attack(secured(TOKEN.replace(">all<", ">\uff41ll<")), WRONG),
    "name with a wildcard": Attack(secured(TOKEN.replace(">all<", ">a%<")), WRONG),
    "digest": Attack(
        secured(TOKEN.replace("<w:Password>", '<w:Password Type="x#PasswordDigest">')),
        "500 fault PasswordDigest is not supported",
    ),
    "signature": Attack(
        secured(f'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>{TOKEN}'), "200 ok "
    ),
    "security of an element that is elsewhere": Attack(
        secured("", f'{request(token_xml())}<w:Security xmlns:w="{WSSE}">{TOKEN}</w:Security>'),
        "500 fault ",
    ),
    "security in the body alone": Attack(
        soap(
            f'<s:Body>{request(f"""<w:Security xmlns:w="{WSSE}">{TOKEN}</w:Security>""")}</s:Body>'
        ),
        WRONG,
    ),
    "security of another namespace": Attack(secured(TOKEN).replace(WSSE, "urn:security"), WRONG),
    "for another actor": Attack(
        secured(TOKEN).replace("<w:Security ", '<w:Security s:actor="urn:somebody" '),
        "200 ok |" + WRONG,
    ),
    "overdue by years": Attack(
        secured(f"<Timestamp><Expires>2001-01-01T00:00:00Z</Expires></Timestamp>{TOKEN}"),
        "200 ok ",
    ),
    "nothing there": Attack(
        changed("<EmtId>", f'<EmtId {XSI} xsi:nil="true">'), "200 (ok|format) "
    ),
    "required, and nothing there": Attack(
        changed("<contractId>DE-EMP-C00000001</contractId>", f'<contractId {XSI} xsi:nil="1"/>'),
        "200 format ",
    ),
    "request that is nothing": Attack(
        envelope("all", f'<GetCDRsRequest xmlns="{NAMESPACE}" {XSI} xsi:nil="true"/>'),
        "200 (ok|roaming|format) ",
    ),
    "type of something else": Attack(
        changed("<EmtId>", f'<EmtId {XSI} xsi:type="CDRInfo">'), "200 format "
    ),
    "type of anything": Attack(
        changed("<contractId>", f'<contractId {XSI} {XSD} xsi:type="xs:anyType">'), "200 format "
    ),
    "type of a string": Attack(
        changed(
            "<contractId>DE-EMP-C00000001",
            f'<contractId {XSI} {XSD} xsi:type="xs:string">DE-EMP-{"C" * 99}',
        ),
        "200 format ",
    ),
    "type of an undeclared prefix": Attack(
        changed("<EmtId>", f'<EmtId {XSI} xsi:type="nowhere:x">'), "200 format "
    ),
    "type of a record": Attack(
        changed(
            "<roamingAuth", f'<roamingAuthorisationInfoArray {XSI} xsi:type="CDRInfo"/><roamingAuth'
        ),
        "200 partly ",
    ),
    "reference": Attack(
        changed("<EmtId>", '<EmtId href="#a" id="a">').replace(
            "<s:Envelope", f'<s:Envelope s:encodingStyle="{ENC}"'
        ),
        "200 (ok|format) ",
    ),
    "prefix that means something else": Attack(
        changed("<s:Body>", '<s:Body xmlns:s="urn:x">').replace("</s:Body>", "</s:Body>"),
        "500 fault ",
    ),
    "prefix of XML": Attack(changed("<EmtId>", '<EmtId xmlns:xml="urn:x">'), "500 fault "),
    "prefix of a prefix": Attack(changed("<EmtId>", '<EmtId xmlns:xmlns="urn:x">'), "500 fault "),
    "namespace taken away": Attack(changed("<EmtId>", '<EmtId xmlns="">'), "200 format "),
    "namespace of another version": Attack(
        tokens().replace(NAMESPACE, "http://ochp.eu/1.3"), "500 fault .*'http://ochp.eu/1.4'"
    ),
    "namespace that is almost it": Attack(
        tokens().replace(NAMESPACE, f"{NAMESPACE}/"), "500 fault .*'http://ochp.eu/1.4'"
    ),
    "very long namespace": Attack(
        tokens().replace(NAMESPACE, f"urn:{'x' * 20_000}"), "500 fault .{0,400}$"
    ),
    "very long operation": Attack(
        envelope("all", request("", "x" * 20_000)), "500 fault .{0,400}$"
    ),
    "operation with markup": Attack(
        envelope("all", request("", "a.b-c_d")), "500 fault There is no operation with the request"
    ),
    "comments in values": Attack(changed("DE-EMP-", "DE<!-- -->-EMP<!-- x -->-"), "200 ok "),
    "character data": Attack(changed("04A1B2", "<![CDATA[04A1]]>B2"), "200 ok "),
    "character data with markup": Attack(
        changed("04A1B2C3D4E5F6", "<![CDATA[</instance><x>]]>"), "200 (ok|format) "
    ),
    "instruction in a value": Attack(changed("04A1B2", "04A1<?php system('id') ?>B2"), "200 ok "),
    "response instead of a request": Attack(
        envelope("all", request("", "GetCDRsResponse")), "500 fault There is no operation"
    ),
    "fault instead of a request": Attack(
        soap("<s:Body><s:Fault><faultcode>s:Server</faultcode></s:Fault></s:Body>"),
        "500 fault There is no operation",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_soap(server: Server, attack: Attack) -> None:
    strike(server, attack)
