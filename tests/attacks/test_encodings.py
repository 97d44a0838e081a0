"""Characters that are not what they are said to be, or that nothing can hold."""

import pytest

from tests.acceptance.harness import Server
from tests.attacks.corpus import Attack, strike, tokens
from tests.support.tokens import token_xml

NO_XML = "500 fault .*not well-formed"
NO_ENCODING = "500 fault .*ncoding"


def declared(encoding: str, content: str | bytes = tokens()) -> bytes:
    body = content if isinstance(content, bytes) else content.encode()
    return f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + body


def with_bytes(inside: bytes) -> bytes:
    """Raw bytes in a text."""
    return tokens().replace("04A1B2C3D4E5F6", "\0").encode().replace(b"\0", inside)


def printed(text: str) -> str:
    return tokens(token_xml("04A2", printed_number=text))


def charset(name: str) -> dict[str, str]:
    return {"Content-Type": f"text/xml; charset={name}"}


ATTACKS = {
    "UTF-7": Attack(declared("UTF-7", tokens().encode("utf-7")), NO_ENCODING),
    "UTF-7 by the HTTP header": Attack(tokens().encode("utf-7"), NO_ENCODING, charset("utf-7")),
    "UTF-32": Attack(tokens().encode("utf-32"), "500 fault "),
    "UTF-32 that is declared": Attack(declared("UTF-32").decode().encode("utf-32"), "500 fault "),
    "EBCDIC": Attack(declared("IBM037").decode().encode("cp037"), "500 fault "),
    "shifting": Attack(declared("ISO-2022-JP", tokens().encode("iso-2022-jp")), NO_ENCODING),
    "double bytes": Attack(declared("Shift_JIS"), NO_ENCODING),
    "GB 18030": Attack(declared("GB18030"), NO_ENCODING),
    "CESU-8": Attack(with_bytes(b"\xed\xa0\xb5\xed\xb4\x98"), NO_XML),
    "encoding that is none": Attack(declared("x" * 100), NO_ENCODING),
    "encoding with a null": Attack(declared("UTF-8\0"), "500 fault "),
    "very long name of an encoding": Attack(declared("x" * 25_000), "500 fault "),
    "charset that is none": Attack(tokens(), NO_ENCODING, charset("nonsense")),
    "charset with odd characters": Attack(tokens(), NO_ENCODING, charset("\xe9%0d%0a")),
    "UTF-16 said to be UTF-8": Attack(
        declared("UTF-8").decode().encode("utf-16"), "200 ok |500 fault "
    ),
    "UTF-8 said to be UTF-16": Attack(declared("UTF-16"), "200 ok |500 fault "),
    "UTF-8 said to be UTF-16 by the HTTP header": Attack(tokens(), "500 fault ", charset("utf-16")),
    "UTF-16 said to be Latin-1": Attack(tokens().encode("utf-16"), "200 ok ", charset("latin-1")),
    "UTF-16 without a mark": Attack(tokens().encode("utf-16-le"), "200 ok "),
    "UTF-16 the other way round": Attack(b"\xfe\xff" + tokens().encode("utf-16-le"), "500 fault "),
    "UTF-16 of odd length": Attack(tokens().encode("utf-16") + b"\0", "500 fault "),
    "UTF-16 with half a character": Attack(
        tokens().encode("utf-16").replace(b"4\0A\0", b"4\0\x00\xd8"), NO_XML
    ),
    "two marks": Attack(b"\xef\xbb\xbf" * 2 + tokens().encode(), NO_XML),
    "only a mark": Attack(b"\xff\xfe", "500 fault "),
    "overlong slash": Attack(with_bytes(b"\xc0\xaf"), NO_XML),
    "overlong null": Attack(with_bytes(b"\xc0\x80"), NO_XML),
    "overlong bracket": Attack(with_bytes(b"\xe0\x80\xbc"), NO_XML),
    "half of a surrogate": Attack(with_bytes(b"\xed\xa0\x80"), NO_XML),
    "beyond Unicode": Attack(with_bytes(b"\xf4\x90\x80\x80"), NO_XML),
    "five bytes": Attack(with_bytes(b"\xf8\x88\x80\x80\x80"), NO_XML),
    "cut off": Attack(with_bytes(b"\xe2\x82"), NO_XML),
    "continuation alone": Attack(with_bytes(b"\x80"), NO_XML),
    "Latin-1 said to be nothing": Attack(with_bytes(b"\xe9"), NO_XML),
    "Latin-1 said to be UTF-8 by the HTTP header": Attack(
        with_bytes(b"\xe9"), NO_XML, charset("utf-8")
    ),
    "null": Attack(with_bytes(b"\0"), NO_XML),
    "null behind the end": Attack(tokens().encode() + b"\0", "500 fault |200 ok "),
    "control character": Attack(with_bytes(b"\x08"), NO_XML),
    "null by reference": Attack(printed("&#0;"), NO_XML),
    "control character by reference": Attack(printed("&#x1B;"), NO_XML),
    "surrogate by reference": Attack(printed("&#xD83D;&#xDE00;"), NO_XML),
    "no character by reference": Attack(printed("&#xFFFE;&#xFFFF;"), NO_XML),
    "beyond Unicode by reference": Attack(printed("&#x110000;"), NO_XML),
    "immense reference": Attack(printed(f"&#{'9' * 10_000};"), NO_XML),
    "reference to nothing": Attack(printed("&#;"), NO_XML),
    "XML 1.1": Attack(printed("&#x1;").replace("<s:", '<?xml version="1.1"?><s:', 1), "500 fault "),
    "XML of another version": Attack(f'<?xml version="9.9"?>{tokens()}', "200 ok |500 fault "),
    "declaration in the middle": Attack(f' <?xml version="1.0"?>{tokens()}', "500 fault "),
    "from right to left": Attack(printed("\u202e4321\u2066"), "200 ok "),
    "look-alike name": Attack(
        tokens().replace("contractId", "\u0441ontractId"), "200 format .*\u0441ontractId"
    ),
    "look-alike digit": Attack(tokens().replace("04A1B2", "\u0660\uff14A1B2"), "200 (ok|format) "),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_encodings(server: Server, attack: Attack) -> None:
    strike(server, attack)
