"""Answers packed in the stream."""

import gzip
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ochp_chs.soap.compression import accepts_gzip, is_worth_packing, packed


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("identity", False),
        ("br, deflate", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0.001", True),
        ("gzip;q=1", True),
        ("*", True),
        ("gzipped", False),
    ],
)
def test_who_accepts_it(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_short_answers_stay_as_they_are() -> None:
    assert not is_worth_packing([b"x" * 1000])
    assert is_worth_packing([b"x" * 1000, b"x" * 1000])
    assert is_worth_packing(iter([b"x"]))


@given(st.lists(st.binary(max_size=3000)))
def test_unpacks_to_what_it_was(pieces: list[bytes]) -> None:
    assert gzip.decompress(b"".join(packed(pieces))) == b"".join(pieces)


def test_stream_that_fails_has_no_end() -> None:
    def failing() -> Iterator[bytes]:
        yield bytes(range(256)) * 1000
        raise ConnectionError

    written: list[bytes] = []
    with pytest.raises(ConnectionError):
        written.extend(packed(failing()))
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    unpacker.decompress(b"".join(written))
    assert not unpacker.eof
