"""What must not matter in how a message is written and sent (PROTOCOL, "Transport")."""

import gzip
import re
from collections.abc import Callable

import pytest
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE, OPERATIONS, Endpoint, Operation
from tests.support.edge import SOAP, Edge, envelope
from tests.support.tokens import token_xml

SET = "SetRoamingAuthorisationList"
LIST = "GetRoamingAuthorisationList"

#: A short message is parsed as a whole, a long one streams: what is said here holds for both.
LENGTHS = {"short": 2, "long": 600}

Rewrite = Callable[[str], bytes]


@pytest.fixture
def pair(edge: Edge) -> Edge:
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.connect("emp", "cpo")
    return edge


@pytest.fixture(params=LENGTHS.values(), ids=LENGTHS)
def tokens(request: pytest.FixtureRequest) -> list[str]:
    return [f"04{number:06X}" for number in range(request.param)]


def set_message(tokens: list[str]) -> str:
    """A Set with one name that is not ASCII."""
    records = "".join(token_xml(token, printed_number=f"Nº {token}") for token in tokens)
    name = f"{SET}Request"
    return envelope("emp", f'<{name} xmlns="{NAMESPACE}">{records}</{name}>').decode()


def assert_arrived(edge: Edge, tokens: list[str]) -> None:
    listed = edge.call("cpo", LIST).elements("roamingAuthorisationInfoArray")
    found = {
        record.findtext("{*}EmtId/{*}instance"): record.findtext("{*}printedNumber")
        for record in listed
    }
    assert found == {token: f"Nº {token}" for token in tokens}


def declared(encoding: str, codec: str) -> Rewrite:
    return lambda text: f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'.encode(codec)


def prefixed(text: str) -> bytes:
    """Every OCHP element with a prefix that is declared at the Envelope, wsse in the Header's."""
    name = re.compile(r"<(/?)(?=[A-Za-z]\w*[ >])(?!\w+:)")
    text = name.sub(r"<\1o:", text.replace(f' xmlns="{NAMESPACE}"', ""))
    return text.replace("<s:Envelope", f'<s:Envelope xmlns:o="{NAMESPACE}"', 1).encode()


def header_under_another_prefix(text: str) -> bytes:
    head, header, rest = re.split(r"(<s:Header>.*</s:Header>)", text, maxsplit=1)
    header = header.replace("<s:Header>", f'<env:Header xmlns:env="{SOAP}">')
    return (head + header.replace("</s:Header>", "</env:Header>") + rest).encode()


def everything_but_the_name(text: str) -> bytes:
    """Comments, instructions, CDATA, references and white space wherever they may stand."""
    text = text.replace("><", "> \r\n\t<!-- < -->\n <")
    text = text.replace("<instance>", "<instance><!-- c --><![CDATA[")
    text = text.replace("</instance>", "]]><?pi x?></instance>")
    text = text.replace("rfid", "r&#102;<!-- c -->id")
    return f'<?xml version="1.0"?>\n<!-- before -->\n<?pi?>\n{text}<!-- after -->\n\n'.encode()


def schema_locations(text: str) -> bytes:
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    location = f'{xsi} xsi:schemaLocation="{NAMESPACE} http://192.0.2.1/x.xsd"'
    for name in ("s:Envelope", f"{SET}Request", "roamingAuthorisationInfoArray"):
        text = text.replace(f"<{name}", f"<{name} {location}")
    return text.encode()


def header_rich(text: str) -> bytes:
    """What other SOAP stacks add to the Header: addressing, timestamps, ids, mustUnderstand."""
    wsu = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
    wsa = "http://www.w3.org/2005/08/addressing"
    profile = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
    text = text.replace(
        "<s:Header>",
        f'<s:Header><a:Action xmlns:a="{wsa}" s:mustUnderstand="1">x</a:Action>'
        f'<a:MessageID xmlns:a="{wsa}">urn:uuid:1</a:MessageID>',
    )
    text = re.sub(
        r"<w:Security ([^>]*)>",
        rf'<w:Security \1 s:mustUnderstand="1" s:actor=""><u:Timestamp xmlns:u="{wsu}" u:Id="t">'
        r"<u:Created>2001-01-01T00:00:00Z</u:Created></u:Timestamp>",
        text,
    )
    text = text.replace("<w:UsernameToken>", f'<w:UsernameToken xmlns:u="{wsu}" u:Id="n1">')
    text = text.replace("<w:Password>", f'<w:Password Type="{profile}#PasswordText">')
    nonce = '<w:Nonce EncodingType="x#Base64Binary">AAAA</w:Nonce><u:Created>x</u:Created>'
    return text.replace("</w:UsernameToken>", f"{nonce}</w:UsernameToken>").encode()


WAYS_OF_WRITING: dict[str, Rewrite] = {
    "as it is": str.encode,
    "xml declaration": declared("UTF-8", "utf-8"),
    "xml declaration with single quotes": lambda text: (
        f"<?xml version='1.0' encoding='utf-8' standalone='yes'?>{text}".encode()
    ),
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "byte order mark and declaration": declared("utf-8", "utf-8-sig"),
    "UTF-16": declared("UTF-16", "utf-16"),
    "UTF-16 without declaration": lambda text: text.encode("utf-16"),
    "UTF-16 big-endian": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16 without byte order mark": declared("UTF-16LE", "utf-16-le"),
    "UTF-16 without anything": lambda text: text.encode("utf-16-be"),
    "Latin-1": declared("ISO-8859-1", "latin-1"),
    "prefixed": prefixed,
    "header under another prefix": header_under_another_prefix,
    "comments, CDATA, instructions": everything_but_the_name,
    "schema locations": schema_locations,
    "rich header": header_rich,
}


@pytest.mark.parametrize("rewrite", WAYS_OF_WRITING.values(), ids=WAYS_OF_WRITING)
def test_way_of_writing_does_not_matter(pair: Edge, tokens: list[str], rewrite: Rewrite) -> None:
    reply = pair.post(rewrite(set_message(tokens)))
    assert (reply.result, reply.fault) == ("ok", None), reply.content
    assert_arrived(pair, tokens)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml; charset=utf-8",
        "text/xml",
        'text/xml;charset="UTF-8"',
        "application/xml",
        "application/xml; charset=utf-8",
        "TEXT/XML; CHARSET=utf8; action=x",
        "",
    ],
)
def test_content_type_does_not_matter(pair: Edge, tokens: list[str], content_type: str) -> None:
    reply = pair.post(set_message(tokens).encode(), CONTENT_TYPE=content_type)
    assert reply.result == "ok", reply.content
    assert_arrived(pair, tokens)


def test_charset_of_the_http_header_counts_where_the_document_says_nothing(
    pair: Edge, tokens: list[str]
) -> None:
    content = set_message(tokens).encode("latin-1")
    reply = pair.post(content, CONTENT_TYPE="text/xml; charset=iso-8859-1")
    assert reply.result == "ok", reply.content
    assert_arrived(pair, tokens)


def test_declaration_and_mark_win_over_the_http_header(pair: Edge, tokens: list[str]) -> None:
    for content in (
        declared("ISO-8859-1", "latin-1")(set_message(tokens)),
        declared("UTF-16", "utf-16")(set_message(tokens)),
    ):
        assert pair.post(content, CONTENT_TYPE="text/xml; charset=utf-8").result == "ok"
        assert_arrived(pair, tokens)


@pytest.mark.parametrize(
    "action",
    [
        None,
        "",
        '""',
        "http://ochp.eu/1.4/SetRoamingAuthorisationList",
        '"http://ochp.eu/1.4/SetRoamingAuthorisationList"',
        '"http://ochp.eu/1.4/GetCDRs"',
        "'nonsense",
        "é\x01",
    ],
)
def test_soap_action_is_advice_only(pair: Edge, action: str | None) -> None:
    header = {} if action is None else {"HTTP_SOAPACTION": action}
    reply = pair.post(set_message(["04AA"]).encode(), **header)
    assert reply.result == "ok", reply.content


def test_packed_message_is_read(pair: Edge, tokens: list[str]) -> None:
    content = gzip.compress(set_message(tokens).encode())
    for name in ("gzip", "x-gzip", "GZIP"):
        reply = pair.post(content, HTTP_CONTENT_ENCODING=name)
        assert reply.result == "ok", reply.content
        assert_arrived(pair, tokens)


def test_answer_is_packed_for_who_accepts_it(pair: Edge, tokens: list[str]) -> None:
    pair.post(set_message(tokens).encode())
    request = envelope("cpo", f'<{LIST}Request xmlns="{NAMESPACE}"/>')
    plain = pair.post(request)
    assert "Content-Encoding" not in plain.headers
    packed = pair.post(request, HTTP_ACCEPT_ENCODING="br, gzip;q=0.5")
    if len(tokens) > 100:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.content) == plain.content
    else:
        assert packed.content == plain.content
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert pair.post(request, HTTP_ACCEPT_ENCODING="gzip;q=0").content == plain.content


def test_answer_is_text_xml_in_utf_8_with_its_length(pair: Edge) -> None:
    reply = pair.call("cpo", LIST)
    assert reply.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert int(reply.headers["Content-Length"]) == len(reply.content)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_answered_on_all_three_endpoints(
    edge: Edge, operation: Operation
) -> None:
    edge.partner("all", "cpo emp nsp pso", "DE-ALL")
    message = envelope("all", f'<{operation.request} xmlns="{NAMESPACE}"/>')
    replies = [edge.post(message, str(path)) for path in Endpoint]
    for reply in replies:
        assert etree.QName(reply.body).localname in (operation.response, "Fault")
        assert "no operation" not in (reply.fault or "")
        assert (reply.status, reply.content) == (replies[0].status, replies[0].content)


def test_alias_of_the_single_look_up(pair: Edge) -> None:
    pair.call("emp", SET, token_xml("04AA"))
    name = "RequestSingleRoamingAuthorisationRequest"
    asked = "<emtId><instance>04AA</instance><tokenType>rfid</tokenType></emtId>"
    reply = pair.post(envelope("cpo", f'<{name} xmlns="{NAMESPACE}">{asked}</{name}>'))
    assert reply.result == "ok"
    assert etree.QName(reply.body).localname == "GetSingleRoamingAuthorisationResponse"


def test_text_keeps_every_character(pair: Edge, tokens: list[str]) -> None:
    odd = "tab\t, feed\n, back\\slash \\N \\. 𝔘 ‘x’ &amp; &lt;é&gt; \u00a0\ufffd"
    records = [token_xml(token, printed_number=odd) for token in tokens]
    assert pair.call("emp", SET, "".join(records)).result == "ok"
    expected = odd.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    for record in pair.call("cpo", LIST).elements("roamingAuthorisationInfoArray"):
        assert record.findtext("{*}printedNumber") == expected


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(edge: Edge, method: str) -> None:
    reply = edge.post(b"", REQUEST_METHOD=method)
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD, POST")


def test_endpoint_that_is_none(edge: Edge) -> None:
    message = envelope("emp", f'<{LIST}Request xmlns="{NAMESPACE}"/>')
    for path in ("/service/ochp/v1.5", "/service/ochp/../../etc/passwd", "/service/ochp/"):
        reply = edge.post(message, path)
        assert (reply.status, b"/service/ochp/v1.4" in reply.content) == (404, True)


def test_slash_behind_an_endpoint_does_not_matter(pair: Edge) -> None:
    assert pair.post(set_message(["04AA"]).encode(), "/service/ochp/v1.4/").result == "ok"
