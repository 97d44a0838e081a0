"""Tokens read from text are what a parser, the schema and the codec make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.records.token import TokenCodec
from ochp_chs.ochp.records.token_plain import plain_tokens
from ochp_chs.ochp.schema import record_schema
from ochp_chs.ochp.xml import escape_text

NAME = "roamingAuthorisationInfoArray"
RECORD = (
    f"<{NAME}><EmtId representation='plain'><instance>04A1</instance><tokenType>rfid</tokenType>"
    "<tokenSubType>mifareDes</tokenSubType></EmtId><contractId>DE-EMP-C00000001</contractId>"
    "<printedNumber>0815</printedNumber>"
    f"<expiryDate><DateTime>2099-12-31T23:59:59Z</DateTime></expiryDate></{NAME}>"
).replace("'", '"')

_TEXT = st.text(st.sampled_from("0aÄ€ &<>\"'\\\t\n\r/=-*]\x7f"), min_size=1, max_size=12)
_CONTRACTS = [
    *("DE-EMP-C00000001", "DEEMPC00000002", "de-emp-c0000000a-X", "DEEMPC000000021"),
    *("DE-EMPC00000001", "DEEMP-C00000002", "D3-EMP-C00000001", "DEEMPC0000000211"),
]


def with_prefix(written: str, prefix: str) -> str:
    return written.replace("<", f"<{prefix}:").replace(f"<{prefix}:/", f"</{prefix}:")


def parsed(written: str, prefix: str = "") -> etree._Element:
    declared = f"xmlns:{prefix}" if prefix else "xmlns"
    return etree.fromstring(f'<list {declared}="{NAMESPACE}">{written}</list>')


def rows(written: str, prefix: str = "") -> list[tuple[object, ...]] | None:
    columns = plain_tokens(prefix, NAME).read(written)
    return None if columns is None else list(zip(*columns, strict=True))


def decoded(written: str, prefix: str = "") -> list[tuple[object, ...]]:
    codec = TokenCodec()
    return [tuple(codec.decode(record)) for record in parsed(written, prefix)]


@st.composite
def records(draw: st.DrawFn) -> str:
    """A record as it may be sent, now and then one that nobody can take."""
    instance, representation = draw(
        st.sampled_from(
            [
                ("04A1B2C3D4E5F6", None),
                ("04a1b2", "plain"),
                ("ab" * 32, "sha-256"),
                ("AB" * 20, "sha-160"),
                ("AB" * 20, "sha-256"),
                ("x" * 512, "plain"),
                ("x" * 513, "plain"),
            ]
        )
        | _TEXT.map(lambda text: (text, "plain"))
    )
    attribute = f' representation="{representation}"' if representation else ""
    token_type = draw(st.sampled_from(["rfid", "rfid", "15118", "remote", "evco-id"]))
    sub_type = draw(st.sampled_from(["", "", "<tokenSubType>calypso</tokenSubType>"]))
    contract = draw(st.sampled_from(_CONTRACTS))
    printed = draw(st.none() | _TEXT | st.sampled_from(["7" * 150, "7" * 151]))
    number = "" if printed is None else f"<printedNumber>{escape_text(printed)}</printedNumber>"
    expiry = draw(st.sampled_from(["2099-12-31T23:59:59Z", "2020-02-29T00:00:00Z", "2021-02-29T0"]))
    expiry = expiry if len(expiry) == 20 else "2021-02-29T00:00:00Z"
    space = draw(st.sampled_from(["", "", "", "\n  ", " ", "\r\n\t"]))
    return (
        f"{space}<{NAME}>{space}<EmtId{attribute}>{space}"
        f"<instance>{escape_text(instance)}</instance>{space}<tokenType>{token_type}</tokenType>"
        f"{sub_type}{space}</EmtId>{space}<contractId>{contract}</contractId>{space}{number}"
        f"<expiryDate><DateTime>{expiry}</DateTime>{space}</expiryDate>{space}</{NAME}>"
    )


@given(
    content=st.lists(records(), min_size=1, max_size=4),
    prefix=st.sampled_from(["", "ns", "ochp-1_4"]),
)
def test_what_is_read_is_valid_and_decoded_as_by_the_codec(content: list[str], prefix: str) -> None:
    written = with_prefix("".join(content), prefix) if prefix else "".join(content)
    read = rows(written, prefix)
    if read is not None:
        assert all(record_schema().validate(record) for record in parsed(written, prefix))
        assert read == decoded(written, prefix)


PLAIN = {
    "as it is": (RECORD, ""),
    "with prefix": (with_prefix(RECORD, "ns2"), "ns2"),
    "indented": (RECORD.replace("><", ">\r\n\t\t<"), ""),
    "several": (f"\n{RECORD}\n{RECORD}", ""),
    "bare": (
        RECORD.replace(' representation="plain"', "")
        .replace("<tokenSubType>mifareDes</tokenSubType>", "")
        .replace("<printedNumber>0815</printedNumber>", ""),
        "",
    ),
    "hash": (RECORD.replace('"plain"', '"sha-160"').replace("04A1", "ab" * 20), ""),
}


@pytest.mark.parametrize(("written", "prefix"), PLAIN.values(), ids=PLAIN)
def test_ordinary_records_are_read(written: str, prefix: str) -> None:
    assert rows(written, prefix) == decoded(written, prefix)


OTHERS = {
    "nothing": "",
    "space alone": "\n",
    "space behind": f"{RECORD}\n",
    "text between": f"{RECORD}x{RECORD}",
    "element between": f"{RECORD}<other/>{RECORD}",
    "end tag between": f"{RECORD}</{NAME}>{RECORD}",
    "comment between": f"{RECORD}<!-- -->{RECORD}",
    "comment inside": RECORD.replace("<contractId>", "<!-- --><contractId>"),
    "record in a comment": f"<!--{RECORD}--></{NAME}>",
    "CDATA": RECORD.replace("04A1", "<![CDATA[04A1]]>"),
    "reference": RECORD.replace("04A1", "&#48;4A1"),
    "back-slash": RECORD.replace("0815", "\\"),
    "tab": RECORD.replace("0815", "\t"),
    "line": RECORD.replace("0815", "8\n15"),
    "no text": RECORD.replace("0815", ""),
    "umlaut": RECORD.replace("0815", "Ä"),
    "forbidden character": RECORD.replace("0815", "\x01"),
    "other prefix inside": RECORD.replace("<contractId>", "<ns:contractId>"),
    "declaration": RECORD.replace("<EmtId", f'<EmtId xmlns="{NAMESPACE}"'),
    "other attribute": RECORD.replace("<EmtId", '<EmtId id="1"'),
    "single quotes": RECORD.replace('"', "'"),
    "end of another": RECORD.replace("</contractId>", "</instance>"),
    "other order": RECORD.replace("<EmtId", "<contractId>DEEMPC00000001</contractId><EmtId"),
    "remote": RECORD.replace(">rfid<", ">remote<"),
    "no such time": RECORD.replace("2099-12-31", "2099-13-31"),
    "no such hash": RECORD.replace('"plain"', '"sha-256"'),
    "begun": RECORD + RECORD[:-20],
}


@pytest.mark.parametrize("written", OTHERS.values(), ids=OTHERS)
def test_all_else_is_left_to_the_parser(written: str) -> None:
    assert rows(written) is None
    assert rows(RECORD + written) is None or not written


def test_one_that_is_refused_leaves_all_to_the_other_way() -> None:
    refused = RECORD.replace(">rfid<", ">remote<")
    assert rows(RECORD + refused + RECORD) is None
    with pytest.raises(RecordRefused):
        decoded(refused)
