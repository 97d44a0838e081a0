"""The fuzzer's dictionary: what means something to a reader of XML, SOAP or OCHP."""

from ochp_chs.ochp.operations import NAMESPACE, OPERATIONS
from ochp_chs.ochp.schema import complex_types, merged_schema
from tests.support.edge import SOAP, WSSE

_XML = (
    *("<", ">", "</", "/>", "&", "&amp;", "&#0;", "&#xFFFF;", "&#x110000;", "&#xD800;", "&#13;"),
    *("]]>", "<![CDATA[", "<!--", "-->", "<?", "<?xml?>", "<!DOCTYPE x>", "<!ENTITY a 'b'>"),
    *('xmlns=""', ' xmlns:s="urn:x"', ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'),
    *(' xsi:nil="true"', ' xsi:type="xs:string"', ' xml:base="file:///"', ' xml:space="preserve"'),
    *('<?xml version="1.0" encoding="UTF-16"?>', '<?xml version="1.1"?>', "\ufeff", "\u202e", "𝔘"),
)
_VALUES = (
    *("", " ", "0", "-1", "1E2", "NaN", "INF", "-0", "9" * 40, "0.00001", "true", "2147483648"),
    *("2030-02-30T00:00:00Z", "9999-12-31T23:59:59+99:99", "0000-00-00T00:00:00Z", "24:00"),
    *("99:99", "120:59:59", "DE*EMP", "DEEMPC%", "%", "_", "\\", "\\N", "\\.", "\t", "';--", "{}"),
    *("Europe/Berlin", "XXX", "EUR", "DEU", "deu", "sha-160", "sha-256", "plain", "https://x/"),
)
_BYTES = (b"\0", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\x1f\x8b\x08")


def dictionary() -> str:
    """The dictionary as libFuzzer reads it."""
    words = {word.encode() for word in (*_XML, *_VALUES, NAMESPACE, SOAP, WSSE) if word}
    words |= {operation.request.encode() for operation in OPERATIONS}
    for shape in complex_types().values():
        words |= {f"<{child.name}>".encode() for child in shape.children}
        words |= {f' {attribute}=""'.encode() for attribute in shape.attributes}
    words |= {
        value.encode() for node in merged_schema().iter() if (value := node.get("value") or "")
    }
    words |= set(_BYTES)
    return "".join(f'"{_escaped(word)}"\n' for word in sorted(words) if len(word) <= 120)


def _escaped(word: bytes) -> str:
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02X}" for byte in word
    )
