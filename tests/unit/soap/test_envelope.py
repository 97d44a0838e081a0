"""Envelopes as they arrive, short and long, in pieces of any size."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ochp_chs.soap.body import Limits
from ochp_chs.soap.envelope import Envelope, open_envelope
from ochp_chs.soap.faults import SOAP_NAMESPACE, OchpFault
from ochp_chs.soap.shape import Shape

NS = "urn:test"
RECORD = f"{{{NS}}}r"
LIMITS = Limits(
    request_bytes_max=1 << 30,
    header_bytes_max=1 << 16,
    record_bytes_max=1 << 17,
    read_timeout_s=1,
    shape=Shape(depth_max=20, attributes_max=20, text_characters_max=200_000),
)

#: Below and above what is parsed as a whole.
COUNTS = [0, 1, 3, 5_000]


def xml(records: int, *, header: str = "<h/>", extra: str = "") -> bytes:
    inside = "".join(f"<r>{number:020}</r>" for number in range(records))
    return (
        f'<s:Envelope xmlns:s="{SOAP_NAMESPACE}"><s:Header>{header}</s:Header>'
        f'<s:Body><q xmlns="{NS}">{inside}{extra}</q></s:Body></s:Envelope>'
    ).encode()


def pieces(content: bytes, size: int = 4096) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def opened(content: bytes, size: int = 4096, charset: str | None = None) -> Envelope:
    return open_envelope(pieces(content, size), charset, LIMITS)


def texts(envelope: Envelope, *tags: str) -> list[str]:
    return [e.text or "" for block in envelope.blocks(tags or (RECORD,)) for e in block]


def fault_of(content: bytes) -> str:
    with pytest.raises(OchpFault) as raised:
        texts(opened(content))
    return str(raised.value.faultstring)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("size", [100, 4096, 1 << 20])
def test_every_record_once_in_order(count: int, size: int) -> None:
    envelope = opened(xml(count), size)
    assert envelope.request_tag == f"{{{NS}}}q"
    assert envelope.header is not None
    assert envelope.header[0].tag == "h"
    assert texts(envelope) == [f"{number:020}" for number in range(count)]
    assert len(envelope.request) == 0


@pytest.mark.parametrize("count", COUNTS)
def test_what_is_no_record_stays_in_the_request(count: int) -> None:
    envelope = opened(xml(count, extra="<p>7</p>"))
    assert len(texts(envelope)) == count
    (left,) = envelope.request
    assert (left.tag, left.text) == (f"{{{NS}}}p", "7")


@pytest.mark.parametrize("comment", ["", f"<!--{'x' * 100_000}-->"], ids=["short", "long"])
def test_request_alone_reads_to_the_end(comment: str) -> None:
    assert len(opened(xml(7, extra=comment)).request) == 7
    assert fault_of(xml(7, extra=comment)[:-1]).startswith("The message is not well-formed")


def test_record_inside_of_a_record_is_part_of_it() -> None:
    envelope = opened(xml(5_000, extra="<r><r>inner</r></r>"))
    blocks = [[len(element) for element in block] for block in envelope.blocks((RECORD,))]
    lengths = [length for block in blocks for length in block]
    assert (len(lengths), lengths[-1]) == (5_001, 1)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("cut", [1, 12, 30, 60])
def test_message_that_ends_too_early(count: int, cut: int) -> None:
    assert "not well-formed" in fault_of(xml(count)[:-cut])


def test_records_before_a_mistake_are_given_out_and_then_the_fault() -> None:
    envelope = opened(xml(9_000, extra="</x>"))
    seen: list[int] = []
    with pytest.raises(OchpFault, match="not well-formed"):
        seen.extend(map(len, envelope.blocks((RECORD,))))
    assert 0 < sum(seen) <= 9_000


def test_fault_names_line_and_column_in_one_line() -> None:
    assert fault_of(b"<a>\n<b></a>").startswith("The message is not well-formed XML (line 2, ")
    assert "\n" not in fault_of(xml(5_000, extra="\0"))


@pytest.mark.parametrize("count", COUNTS)
def test_second_request_in_the_body(count: int) -> None:
    content = xml(count).replace(b"</s:Body>", b"<again/></s:Body>")
    assert fault_of(content) == ("The SOAP Body must hold one request; this one also has 'again'.")


@pytest.mark.parametrize("count", COUNTS)
def test_body_of_that_name_in_the_header_is_none(count: int) -> None:
    envelope = opened(xml(count, header="<s:Body><other/></s:Body>"))
    assert envelope.request_tag == f"{{{NS}}}q"
    assert len(texts(envelope)) == count


def test_large_record() -> None:
    assert "larger than 131072 bytes" in fault_of(xml(5_000, extra=f"<r>{'x' * 200_000}</r>"))


def test_many_children_that_are_no_records() -> None:
    text = fault_of(xml(5_000, extra="<p/>" * 5_000))
    assert "more than 1000 elements that are none of the records" in text
    assert "'p'" in text


def test_large_header() -> None:
    assert "header is larger than 65536 bytes" in fault_of(xml(1, header="<h/>" * 20_000))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("count", COUNTS)
def test_encodings_that_show(encoding: str, count: int) -> None:
    content = xml(count, extra="<r>é𝔘</r>").decode().encode(encoding)
    for charset in (None, "utf-8"):
        assert texts(opened(content, charset=charset))[-1] == "é𝔘"


def test_charset_is_asked_where_nothing_shows() -> None:
    content = xml(1, extra="<r>é</r>").decode().encode("latin-1")
    assert texts(opened(content, charset="iso-8859-1"))[-1] == "é"
    with pytest.raises(OchpFault, match="not well-formed"):
        opened(content)


def test_charset_that_is_not_read() -> None:
    with pytest.raises(OchpFault, match="'utf-7' is not read here"):
        opened(xml(1), charset="utf-7")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_dtd_is_refused(encoding: str) -> None:
    text = '<!DOCTYPE a [<!ENTITY b "c">]>' + xml(1).decode()
    with pytest.raises(OchpFault, match="DTD"):
        opened(text.encode(encoding))


@given(content=st.binary(max_size=200), size=st.integers(1, 50))
def test_arbitrary_bytes_are_a_fault(content: bytes, size: int) -> None:
    with pytest.raises(OchpFault):
        texts(opened(content, size))
