"""Deep, wide, long and many: each bounded by a limit that the answer names."""

from collections.abc import Iterator

import pytest

from ochp_chs.ochp.operations import NAMESPACE
from tests.acceptance.harness import Server
from tests.attacks.corpus import Attack, request, soap, strike, tokens
from tests.support.edge import WSSE, envelope
from tests.support.tokens import token_xml

RECORD = "roamingAuthorisationInfoArray"
MANY = " ".join(f"a{n}=''" for n in range(3_000))
SOME = " ".join(f"a{n}=''" for n in range(900))
NO_XML = "500 fault .*not well-formed"


def record(content: str, attributes: str = "") -> str:
    return f"<{RECORD} {attributes}>{content}</{RECORD}>"


def nested(depth: int, name: str = "a") -> str:
    return f"<{name}>" * depth + f"</{name}>" * depth


def header(content: str) -> str:
    return tokens().replace("<s:Header>", f"<s:Header>{content}")


def endless(piece: str, content: str = "") -> Iterator[bytes]:
    """A message that goes on and on, at most as long as a thousand megabytes."""
    head, _ = tokens(f"{content}\0").encode().split(b"\0")
    yield head
    block = piece.encode() * (65_536 // len(piece) + 1)
    for _ in range(16_000):
        yield block


ATTACKS = {
    "deep in a record": Attack(tokens(record(nested(100))), "200 partly .*nested deeper than 32"),
    "deep in a header": Attack(header(nested(100)), "500 fault .*nested deeper than 32"),
    "deep beside records": Attack(tokens(nested(100)), "200 format .*element 'a'"),
    "deeper than the parser goes": Attack(tokens(nested(10_000)), NO_XML),
    "deep without end": Attack(lambda: endless("<a>"), "(500|413) fault "),
    "deep by the record's own name": Attack(tokens(nested(60, RECORD)), "200 partly "),
    "many attributes": Attack(
        tokens(record("", " ".join(f'a{n}="x"' for n in range(3_000)))),
        "200 partly .*3000 attributes; at most 32",
    ),
    "many attributes of the envelope": Attack(
        tokens().replace("<s:Envelope", f"<s:Envelope {MANY}"),
        "200 ok ",
    ),
    "many attributes in a header": Attack(header(f"<a {SOME}/>"), "500 fault .*900 attributes"),
    "many namespaces": Attack(
        tokens(record("", " ".join(f'xmlns:a{n}="urn:{n}"' for n in range(5_000)))), "200 partly "
    ),
    "namespaces in each other": Attack(
        header("".join(f'<a xmlns:p{n}="urn:{n}">' for n in range(200)) + "</a>" * 200),
        "500 fault .*nested deeper",
    ),
    "long attribute": Attack(
        tokens(record("", f'a="{"x" * 150_000}"')), "200 partly .*150000 characters; at most 20000"
    ),
    "long text": Attack(
        tokens(token_xml("04A2", printed_number="x" * 30_000)),
        "200 partly .*30000 characters; at most 20000",
    ),
    "long text of a parameter": Attack(
        envelope(
            "all",
            request(
                f"<emtId><instance>{'A' * 30_000}</instance><tokenType>rfid</tokenType></emtId>",
                "GetSingleRoamingAuthorisationRequest",
            ),
        ),
        "200 format .*(30000 characters|30000)",
    ),
    "long text in pieces": Attack(
        tokens(token_xml("04A2", printed_number="x<!-- -->" * 25_000)),
        "200 partly .*25000 characters; at most 20000",
    ),
    "record without end": Attack(
        lambda: endless("x", f"<{RECORD}>"), "(500|413) fault .*larger than"
    ),
    "comment without end": Attack(lambda: endless("x", "<!--"), "(500|413) fault "),
    "instruction without end": Attack(lambda: endless("x", "<?x "), "(500|413) fault "),
    "attribute without end": Attack(lambda: endless("x", '<a b="'), "(500|413) fault "),
    "name without end": Attack(lambda: endless("x", "<"), "(500|413) fault "),
    "white space without end": Attack(lambda: endless(" "), "(500|413) fault "),
    "records without end": Attack(
        lambda: endless(token_xml()), "413 fault .*larger than 8000000 bytes"
    ),
    "broken records without end": Attack(
        lambda: endless(record("<x/>")), "413 fault .*larger than 8000000 bytes"
    ),
    "many strange elements": Attack(tokens("<a/>" * 50_000), "500 fault .*more than 1000 elements"),
    "many strange elements in a record": Attack(
        tokens(record("<a/>" * 40_000)), "500 fault .*more than 20000 elements inside"
    ),
    "as many strange elements in a record as may be": Attack(
        tokens(record("<a/>" * 20_000)), "200 partly "
    ),
    "many elements on many levels": Attack(
        tokens(record(nested(10) * 2_001)), "500 fault .*more than 20000 elements inside"
    ),
    "many known elements in a record": Attack(
        tokens(record("<contractId/>" * 10_000)), "200 partly "
    ),
    "many repairs in a record": Attack(
        tokens(record("<expiryDate/><contractId>1</contractId><EmtId/>" * 3_000)), "200 partly "
    ),
    "long name": Attack(tokens(record(f"<{'a' * 40_000}/>")), "200 partly "),
    "longer name than the parser knows": Attack(tokens(record(f"<{'a' * 90_000}/>")), NO_XML),
    "many comments": Attack(tokens("<!---->" * 100_000), "500 fault .*larger than 200000"),
    "many references": Attack(
        tokens(token_xml("04A2", printed_number="&#65;" * 30_000)),
        "200 partly .*30000 characters",
    ),
    "large header": Attack(
        header(f"<a>{'x' * 15_000}</a>" * 3) + " " * 70_000, "500 fault .*larger than 30000 bytes"
    ),
    "large security header": Attack(
        tokens().replace("</w:Username>", f"{' ' * 31_000}</w:Username>"),
        "500 fault .*31003 characters; at most 20000",
    ),
    "many tokens of security": Attack(
        tokens().replace("<w:UsernameToken>", f"{'<w:BinaryToken/>' * 500}<w:UsernameToken>"),
        "200 ok |500 fault ",
    ),
    "many headers": Attack(header("<s:Header/>" * 1_000), "200 ok |500 fault "),
    "two headers": Attack(
        tokens().replace("<s:Body>", "<s:Header/><s:Body>"), "500 fault .*2 Header elements"
    ),
    "two bodies": Attack(
        tokens().replace("</s:Envelope>", "<s:Body/></s:Envelope>"), "500 fault .*2 Body elements"
    ),
    "body in the header": Attack(
        header(f"<s:Body>{request('', 'GetCDRsRequest')}</s:Body>"), "200 ok 1 records accepted"
    ),
    "two operations": Attack(
        envelope("all", request(token_xml()) + request("", "GetCDRsRequest")),
        "500 fault .*one request; this one also has 'GetCDRsRequest'",
    ),
    "operation in an operation": Attack(
        envelope("all", request(request(token_xml()))), "200 format "
    ),
    "envelope in an envelope": Attack(
        soap(f"<s:Body>{tokens()}</s:Body>"), "500 fault .*no operation with the request 'Envelope'"
    ),
    "headers behind the body": Attack(
        soap(f"<s:Body>{request(token_xml())}</s:Body><s:Header>{'<a/>' * 1000}</s:Header>"),
        "500 fault The user name or the password is wrong",
    ),
    "something behind the body": Attack(
        tokens().replace("</s:Envelope>", f"{nested(100)}</s:Envelope>"), "200 ok |500 fault "
    ),
    "nothing but an end": Attack("</a>", NO_XML),
    "only a header": Attack(
        soap(f'<s:Header><w:Security xmlns:w="{WSSE}"/></s:Header>'), "500 fault .*0 Body elements"
    ),
    "request of nothing": Attack(soap(f'<s:Body xmlns="{NAMESPACE}"/>'), "500 fault .*empty"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_shapes(server: Server, attack: Attack) -> None:
    strike(server, attack)
