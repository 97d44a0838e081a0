"""Whatever is read without the parser, what comes of a message is what the parser makes of it."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from ochp_chs.clearing.exchange import Columns, PlainReading, ReadRun
from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from ochp_chs.ochp.records.token import TokenCodec
from ochp_chs.ochp.records.token_plain import plain_tokens
from ochp_chs.soap.body import Limits
from ochp_chs.soap.faults import SOAP_NAMESPACE, OchpFault
from ochp_chs.soap.shape import Shape
from ochp_chs.soap.stream import Stream
from tests.support.tokens import token_xml

LIMITS = Limits(1 << 30, 1 << 16, 1 << 20, 1, Shape(20, 20, 2000))
NAME = "roamingAuthorisationInfoArray"
REQUEST = BY_NAME["SetRoamingAuthorisationList"].request
TAG = f"{{{NAMESPACE}}}{REQUEST}"
RECORD = f"{{{NAMESPACE}}}{NAME}"

#: A row, or what the parser saw of a record that makes none.
Seen = Sequence[tuple[object, ...] | str]


class Counting:
    """Tokens, and how many were read without the parser."""

    def __init__(self) -> None:
        self.read = 0

    def __call__(self, prefix: str, name: str) -> ReadRun:
        def read(written: str) -> Columns | None:
            columns = plain_tokens(prefix, name).read(written)
            self.read += len(columns[0]) if columns is not None else 0
            return columns

        return read


def seen(
    head: bytes, pieces: Sequence[bytes], plain: PlainReading | None, encoding: str | None = None
) -> tuple[Seen, str]:
    """What comes of a message: its records, and the fault it ends with."""
    records: list[tuple[object, ...] | str] = []
    try:
        stream = Stream(TAG, [RECORD], LIMITS, encoding, plain)
        for block in stream.blocks(head, iter(pieces)):
            if isinstance(block, etree._Element):
                records += [row_of(record) for record in block]
            else:
                records += zip(*block, strict=True)
        # The last one, and then what is no record.
        left = sorted(stream.request, key=lambda element: element.tag != RECORD)
        records += [row_of(record) for record in left]
    except OchpFault as fault:
        return records, str(fault.faultstring)
    return records, ""


def row_of(record: etree._Element) -> tuple[object, ...] | str:
    try:
        return tuple(TokenCodec().decode(record))
    except Exception:
        return str([(e.tag, dict(e.attrib), e.text, len(e)) for e in record.iter()])


def message(inside: str, prefix: str = "", *, header: str = "", prolog: str = "") -> str:
    declared, tag = ("xmlns:" + prefix, f"{prefix}:{REQUEST}") if prefix else ("xmlns", REQUEST)
    return (
        f'{prolog}<s:Envelope xmlns:s="{SOAP_NAMESPACE}">{header}<s:Body>'
        f'<{tag} {declared}="{NAMESPACE}">{inside}</{tag}></s:Body></s:Envelope>'
    )


def cut(content: bytes, head: int, sizes: Sequence[int]) -> tuple[bytes, list[bytes]]:
    def pieces() -> Iterator[bytes]:
        start = head
        for size in sizes:
            yield content[start : start + size]
            start += size
        yield content[start:]

    return content[:head], [piece for piece in pieces() if piece]


def token(number: int) -> str:
    return token_xml(f"04{number:06X}")


#: What is hard to tell from a record, and what hides one.
ODD = [
    f"<!--{token(1)}-->",
    f"<!--{token(1)}",
    "-->",
    "<!-- -->",
    f"<![CDATA[{token(2)}]]>",
    token(3).replace("04000003", f"<![CDATA[</{NAME}>{token(3)}]]>"),
    f"<?note {token(4)}?>",
    f"<{NAME}>",
    f"</{NAME}>",
    f"<{NAME}>{token(5)}</{NAME}>",
    f"<other>{token(6)}</other>",
    "<other>",
    "<other/>",
    f'<other a="/>"/>{token(7)}',
    token(8).replace("04000008", "&#48;4000008"),
    token(9).replace(f"</{NAME}>", f"</{NAME} >"),
    token(10).replace(f"<{NAME}>", f'<{NAME} id="1">'),
    token(11).replace("rfid", "remote"),
    token(12).replace("rfid", "Ä"),
    token(13).replace("</contractId>", "</contract>"),
    "&",
    "text",
]


@st.composite
def contents(draw: st.DrawFn) -> str:
    parts = draw(
        st.lists(
            st.integers(0, 1 << 20).map(token) | st.sampled_from(["\n", *ODD]),
            min_size=1,
            max_size=12,
        )
    )
    return token(0) + draw(st.sampled_from(["", "\n", "\r\n  "])).join(parts)


@given(
    inside=contents(),
    prefix=st.sampled_from(["", "ns"]),
    head=st.integers(0, 800),
    sizes=st.lists(st.integers(1, 700), max_size=12),
)
@example(f"{token(0)}<!--{token(1)}-->{token(2)}", "", 700, [300, 300])
@example(f"{token(0)}{token(1)}<!-{token(2)}", "", 700, [1, 1, 300])
@example(token(0) + token(1) + f"<{NAME}>{token(2)}{token(3)}", "", 640, [270] * 4)
@example(token(0) + token(1) + f"<other>{token(2)}{token(3)}", "", 640, [270] * 4)
def test_with_and_without_the_parser(
    inside: str, prefix: str, head: int, sizes: Sequence[int]
) -> None:
    if prefix:
        for sign, name in (("<", NAME), ("</", NAME)):
            inside = inside.replace(f"{sign}{name}", f"{sign}{prefix}:{name}")
        for name in ("EmtId", "instance", "tokenType", "contractId", "expiryDate", "DateTime"):
            inside = inside.replace(f"<{name}", f"<{prefix}:{name}")
            inside = inside.replace(f"</{name}", f"</{prefix}:{name}")
    content = message(inside, prefix).encode()
    # A message's head holds the name of its request.
    head = content.index(REQUEST.encode()) + 100 + head
    records, fault = seen(*cut(content, head, sizes), Counting())
    expected, expected_fault = seen(*cut(content, head, sizes), None)
    assert fault == expected_fault
    if fault:
        # Nothing is kept of any record: how many there were before does not matter.
        shorter = min(len(records), len(expected))
        records, expected = records[:shorter], expected[:shorter]
    assert records == expected


MANY = "".join(token(number) for number in range(500))


@pytest.mark.parametrize("size", [300, 5000])
@pytest.mark.parametrize(
    "content",
    [
        message(MANY),
        message(MANY, prolog='<?xml version="1.0" encoding="UTF-8"?>\n'),
        message(MANY, header='<s:Header><a b="c"/></s:Header>'),
        message("".join(f"\n  {token(number)}" for number in range(500))),
    ],
    ids=["plain", "declared", "header", "indented"],
)
def test_most_of_an_ordinary_message_is_read_without_it(content: str, size: int) -> None:
    counting = Counting()
    head, pieces = cut(content.encode(), 1000, [size] * (len(content) // size))
    records, fault = seen(head, pieces, counting)
    assert (len(records), fault) == (500, "")
    assert counting.read > 400


def test_one_odd_record_costs_the_others_little() -> None:
    odd = token(1).replace("rfid", "remote")
    content = message(MANY + odd + MANY).encode()
    counting = Counting()
    records, _ = seen(*cut(content, 1000, [4096] * 100), counting)
    assert len(records) == 1001
    assert counting.read > 900


@pytest.mark.parametrize("encoding", ["UTF-16", "UTF-16LE", "UTF-16BE"])
def test_encoding_in_which_nothing_is_plain(encoding: str) -> None:
    content = message(MANY).encode(encoding)
    forced = None if encoding == "UTF-16" else encoding
    counting = Counting()
    records, fault = seen(*cut(content, 4000, [5000] * 40), counting, forced)
    assert (len(records), fault, counting.read) == (500, "", 0)


@pytest.mark.parametrize("between", ["", "\n", "\r\n"])
@pytest.mark.parametrize("places", [[250], [100, 400], [0, 499]])
def test_place_of_an_error_is_told_as_by_the_parser(between: str, places: Sequence[int]) -> None:
    tokens = [token(number) for number in range(500)]
    for place in places[:-1]:
        # Read by the parser, without an error.
        tokens[place] = tokens[place].replace("rfid", "\nremote\n")
    tokens[places[-1]] = tokens[places[-1]].replace("</contractId>", "</contract>")
    content = message(between.join(tokens)).encode()
    pieces = cut(content, 1000, [3000] * 50)
    _, expected = seen(*pieces, None)
    assert "not well-formed XML (line " in expected
    counting = Counting()
    assert seen(*pieces, counting)[1] == expected
    assert counting.read or places[-1] == 0
