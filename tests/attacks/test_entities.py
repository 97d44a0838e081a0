"""Entities, document types, inclusions: nothing is expanded, nothing is fetched."""

import pytest

from tests.acceptance.harness import Server
from tests.attacks.corpus import Attack, request, soap, strike, tokens
from tests.support.edge import envelope
from tests.support.tokens import token_xml

DTD = "500 fault A message must not have a document type declaration"

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))


def with_dtd(subset: str, content: str = "&x;") -> str:
    return tokens(token_xml(printed_number=content), before=f"<!DOCTYPE x [{subset}]>")


ATTACKS = {
    "billion laughs": Attack(with_dtd(f'<!ENTITY l0 "lol">{_LAUGHS}', "&l29;"), DTD),
    "quadratic": Attack(with_dtd(f'<!ENTITY x "{"a" * 20_000}">', "&x;" * 5_000), DTD),
    "entity of itself": Attack(with_dtd('<!ENTITY x "&y;"><!ENTITY y "&x;">'), DTD),
    "file": Attack(with_dtd('<!ENTITY x SYSTEM "file:///etc/passwd">'), DTD),
    "device without end": Attack(with_dtd('<!ENTITY x SYSTEM "file:///dev/zero">'), DTD),
    "address": Attack(with_dtd('<!ENTITY x SYSTEM "http://127.0.0.1:9/x">'), DTD),
    "expect": Attack(with_dtd('<!ENTITY x SYSTEM "expect://id">'), DTD),
    "parameter entity": Attack(with_dtd('<!ENTITY % x SYSTEM "file:///etc/passwd">%x;'), DTD),
    "external subset": Attack(tokens(before='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), DTD),
    "public subset": Attack(tokens(before='<!DOCTYPE x PUBLIC "-//X" "http://127.0.0.1:9/">'), DTD),
    "default attributes": Attack(with_dtd('<!ATTLIST EmtId representation CDATA "x">', ""), DTD),
    "notation": Attack(with_dtd('<!NOTATION n SYSTEM "n"><!ENTITY x SYSTEM "f" NDATA n>'), DTD),
    "behind a declaration": Attack(tokens(before='<?xml version="1.0"?>\n\n<!DOCTYPE x>'), DTD),
    "behind a comment": Attack(tokens(before=f"<!--{'x' * 25_000}--><!DOCTYPE x>"), DTD),
    "behind a long comment": Attack(
        tokens(before=f"<!--{'x' * 90_000}--><!DOCTYPE x>"), "500 fault .*(larger than|DTD)"
    ),
    "in UTF-16": Attack(with_dtd('<!ENTITY x SYSTEM "file:///etc/passwd">').encode("utf-16"), DTD),
    "in UTF-16 without a mark": Attack(
        with_dtd('<!ENTITY x SYSTEM "file:///etc/passwd">').encode("utf-16-be"), DTD
    ),
    "in lower case": Attack(tokens(before="<!doctype x>"), "500 fault .*not well-formed"),
    "inside of the body": Attack(
        envelope("all", request("<!DOCTYPE x>")), "500 fault .*(document type|not well-formed)"
    ),
    "entity that is not declared": Attack(tokens("&xxe;"), "500 fault .*Entity 'xxe' not defined"),
    "inclusion": Attack(
        tokens(
            '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
        ),
        "200 format .*include",
    ),
    "inclusion inside of a record": Attack(
        tokens().replace(
            "04A1B2C3D4E5F6",
            '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>',
        ),
        "200 format ",
    ),
    "style sheet": Attack(
        tokens(before='<?xml-stylesheet href="file:///etc/passwd" type="text/xsl"?>'), "200 ok "
    ),
    "schema location": Attack(
        soap("<s:Body/>").replace(
            "<s:Body",
            '<s:Body xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
            ' i:schemaLocation="http://ochp.eu/1.4 http://127.0.0.1:9/x.xsd"',
        ),
        "500 fault The SOAP Body is empty",
    ),
    "base": Attack(
        tokens().replace("<EmtId>", '<EmtId xml:base="file:///etc/">'), "200 (ok|format) "
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_entities(server: Server, attack: Attack) -> None:
    strike(server, attack)
