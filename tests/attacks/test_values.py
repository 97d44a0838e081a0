"""Text that means something to a shell, a database, a page or a log, in every field there is.

It is refused, or it comes back as it was sent; nothing else happens.
"""

from collections.abc import Iterator
from itertools import cycle, islice

import pytest
from lxml import etree

from ochp_chs.ochp.operations import BY_NAME, OPERATIONS
from tests.attacks.corpus import assert_nothing_internal
from tests.support import valid_requests
from tests.support.edge import Edge, Reply, envelope

TEXTS = {
    "quote": "'; DROP TABLE token; --",
    "quotes": "\"'`´\\'\\\" OR 1=1 /*",
    "sleep": "1'||pg_sleep(9)||'",
    "copy": "\\.",
    "copy's nothing": "\\N",
    "copy's escapes": "a\\tb\\x41\\101\tc\nd\re",
    "array": '{"a",NULL,"b\\"}',
    "shell": "$(touch /tmp/x)`id`|&;<>!*?[]~#",
    "format": "%s%n%(a)s{0}{__class__}${jndi:ldap://127.0.0.1/a}%%",
    "markup": "<script>alert(1)</script>&amp;&#65;]]>",
    "path": "../../../../etc/passwd",
    "line of a log": "x\r\nHTTP/1.1 200 OK\r\n\r\n{}",
    "formula": "=cmd|' /C calc'!A0",
    "other scripts": "\u202e\u0661𝔘\U0001f600e\u0301\ufeff\ufffd",
    "template": "{{7*7}}#{7*7}<%= 7*7 %>",
}

_TEXTS_AT_A_PLACE = 4

#: What a partner who is connected asks for, to see what came of it.
_ASK = {
    "AddCDRs": ("GetCDRs", ""),
    "SetRoamingAuthorisationList": ("GetRoamingAuthorisationList", ""),
    "UpdateRoamingAuthorisationList": ("GetRoamingAuthorisationList", ""),
    "SetChargepointList": ("GetChargePointList", ""),
    "UpdateChargePointList": ("GetChargePointList", ""),
    "UpdateTariffs": ("GetTariffUpdates", ""),
    "UpdateStatus": ("GetStatus", "<statusType>{kind}</statusType>"),
    "AddServiceEndpoints": ("GetServiceEndpoints", ""),
}

#: How many fields take any text that is short enough, at the least.
_FREE_TEXTS = {"AddCDRs": 2, "SetChargepointList": 3, "SetRoamingAuthorisationList": 1}


def places(request: str) -> Iterator[tuple[str, str | None]]:
    """Every text and every attribute of a request: the path of the element, and a name."""
    root = etree.fromstring(request)
    tree = root.getroottree()
    for element in root.iter(etree.Element):
        path = tree.getelementpath(element)
        if len(element) == 0 and element is not root:
            yield path, None
        for name in element.attrib:
            yield path, str(name)


def with_text(request: str, place: tuple[str, str | None], text: str) -> str:
    root = etree.fromstring(request)
    element = root.find(place[0])
    assert element is not None
    if place[1] is None:
        element.text = text
    else:
        element.set(place[1], text)
    return etree.tostring(root, encoding="unicode")


def said(reply: Reply) -> set[str]:
    """Every text and every attribute of an answer, but for what the server says itself."""
    found: set[str] = set()
    for element in reply.body.iter(etree.Element):
        if not str(element.tag).endswith("resultDescription"):
            found |= {element.text or "", *map(str, element.attrib.values())}
    return found


@pytest.fixture
def everybody(edge: Edge) -> Edge:
    valid_requests.add_partner(edge)
    return edge


#: Whose records are read as those of another operation are.
_ALIKE = {"UpdateRoamingAuthorisationList", "UpdateChargePointList"}


@pytest.mark.parametrize("operation", [operation.name for operation in OPERATIONS])
def test_text_comes_back_or_is_refused(everybody: Edge, operation: str) -> None:
    request = valid_requests.requests()[operation]
    kept = sent = 0
    # Another few at each place, so that all of them come in turn.
    texts = cycle(TEXTS.values())
    for place in places(request):
        for text in islice(texts, 1 if operation in _ALIKE else _TEXTS_AT_A_PLACE):
            # The content of a CDR that was accepted cannot be changed by sending it again.
            sent += 1
            fresh = request.replace("DECPO0000000001", f"DECPO{sent:010}")
            reply = everybody.post(envelope("all", with_text(fresh, place, text)))
            assert_nothing_internal(reply.content)
            assert reply.result != "server"
            if reply.fault is not None:
                # GetStatus has no result to refuse by.
                assert operation == "GetStatus"
                assert reply.body.findtext("faultcode") == "soap:Client"
            elif reply.result in ("ok", "partly") and "repair" not in reply.description.lower():
                kept += is_kept(everybody, operation, place, text, reply)
    # Free text is not refused for what it may mean to somebody.
    assert kept >= _FREE_TEXTS.get(operation, 0) * _TEXTS_AT_A_PLACE
    for name in BY_NAME:
        assert everybody.call("all", name).result != "server"


def is_kept(
    edge: Edge, operation: str, place: tuple[str, str | None], text: str, reply: Reply
) -> bool:
    """Whether the text came in, and then it must come out; False: it was refused."""
    if operation not in _ASK or "refused" in reply.description:
        return False
    asked, content = _ASK[operation]
    kind = "parking" if "parking" in place[0] else "evse"
    seen = said(edge.call("other", asked, content.format(kind=kind)))
    assert text in seen, (place, text, reply.description)
    return True
