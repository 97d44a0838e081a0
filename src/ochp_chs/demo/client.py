"""A partner's side of OCHP over HTTP: one request, one answer; nothing of the server is used."""

import http.client
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from ochp_chs.ochp.xml import escape_text

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

_TIMEOUT_S = 60

#: Sends bytes to a path of the server and gives the body of the answer.
Post = Callable[[str, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request."""

    who: str
    operation: str
    #: The first element of the Body.
    body: etree._Element

    @property
    def result(self) -> str:
        """The result code; `fault` for a SOAP fault, `ok` for a response without a result."""
        if self.body.tag == f"{{{SOAP}}}Fault":
            return "fault"
        return self._text("result", "resultCode", "resultCode") or "ok"

    @property
    def description(self) -> str:
        """What the server says of the result, or of the fault."""
        return self.body.findtext("faultstring") or self._text("result", "resultDescription")

    def records(self, name: str) -> Sequence[etree._Element]:
        """The response's elements of this name."""
        return self.body.findall(_path(name))

    def _text(self, *path: str) -> str:
        return self.body.findtext(_path(*path)) or ""


def text_of(record: etree._Element, *path: str) -> str:
    """The text at a path of OCHP elements below a record; empty if there is none."""
    return record.findtext(_path(*path)) or ""


def call(post: Post, who: str, password: str, operation: str, content: str) -> Reply:
    """Send one request with `content` (XML in the OCHP namespace) and read the answer."""
    what = BY_NAME[operation]
    answer = post(what.endpoint, _envelope(who, password, what.request, content))
    body = etree.fromstring(answer).find(f"{{{SOAP}}}Body")
    if body is None or not len(body):
        raise ValueError("the answer is no SOAP message")
    return Reply(who, operation, body[0])


def http_post(address: str) -> Post:
    """Post to the server at an address such as http://127.0.0.1:8080."""
    host = urlsplit(address).netloc

    def post(path: str, content: bytes) -> bytes:
        connection = http.client.HTTPConnection(host, timeout=_TIMEOUT_S)
        try:
            connection.request(
                "POST", path, content, {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": ""}
            )
            return connection.getresponse().read()
        finally:
            connection.close()

    return post


def _envelope(who: str, password: str, request: str, content: str) -> bytes:
    return (
        f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Header>'
        f'<wsse:Security xmlns:wsse="{WSSE}" soap:mustUnderstand="1"><wsse:UsernameToken>'
        f"<wsse:Username>{escape_text(who)}</wsse:Username>"
        f"<wsse:Password>{escape_text(password)}</wsse:Password>"
        "</wsse:UsernameToken></wsse:Security></soap:Header><soap:Body>"
        f'<{request} xmlns="{NAMESPACE}">{content}</{request}>'
        "</soap:Body></soap:Envelope>"
    ).encode()


def _path(*names: str) -> str:
    return "/".join(f"{{{NAMESPACE}}}{name}" for name in names)
