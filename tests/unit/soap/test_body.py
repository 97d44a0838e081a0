"""Bodies from the network: bounded, unpacked, complete or refused."""

import gzip
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ochp_chs.soap.body import Body, Limits
from ochp_chs.soap.faults import OchpFault
from ochp_chs.soap.shape import Shape

LIMITS = Limits(
    request_bytes_max=200_000,
    header_bytes_max=1000,
    record_bytes_max=1000,
    read_timeout_s=7,
    shape=Shape(depth_max=20, attributes_max=20, text_characters_max=2000),
)


class Pieces:
    """Gives out what it was given, and raises what is an exception."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = [*pieces, b""]

    def read(self, _: int) -> bytes:
        piece = self._pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece


def body(content: bytes | Pieces, **environ: Any) -> bytes:
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    return b"".join(Body({"wsgi.input": stream, **environ}, LIMITS))


def fault_of(content: bytes | Pieces, **environ: Any) -> OchpFault:
    with pytest.raises(OchpFault) as raised:
        body(content, **environ)
    return raised.value


@pytest.mark.parametrize("length", [0, 1, 65_536, 65_537, 200_000])
def test_body_as_it_is(length: int) -> None:
    content = b"x" * length
    assert body(content) == content
    assert body(content, CONTENT_LENGTH=str(length), HTTP_CONTENT_ENCODING="identity") == content


@given(content=st.binary(max_size=1000) | st.integers(0, 199_999).map(lambda n: b"ab" * (n // 2)))
def test_packed_body_comes_out_as_it_went_in(content: bytes) -> None:
    packed = gzip.compress(content)
    assert body(packed, HTTP_CONTENT_ENCODING="gzip", CONTENT_LENGTH=str(len(packed))) == content


def test_one_byte_more_than_is_read() -> None:
    for fault in (
        fault_of(b"x" * 200_001),
        fault_of(b"", CONTENT_LENGTH="200001"),
        fault_of(gzip.compress(b"x" * 200_001), HTTP_CONTENT_ENCODING="x-gzip"),
    ):
        assert fault.http_status.startswith("413 ")
        assert "200000" in fault.faultstring


def test_bomb_is_unpacked_only_to_the_limit() -> None:
    bomb = {
        "wsgi.input": io.BytesIO(gzip.compress(bytes(50_000_000))),
        "HTTP_CONTENT_ENCODING": "gzip",
    }
    handed_on: list[int] = []
    with pytest.raises(OchpFault):
        handed_on.extend(map(len, Body(bomb, LIMITS)))
    assert max(handed_on) <= 1 << 16
    assert sum(handed_on) <= LIMITS.request_bytes_max


def test_shorter_than_announced() -> None:
    fault = fault_of(b"abc", CONTENT_LENGTH="5")
    assert fault.faultstring == (
        "The message's transfer broke off (2 bytes are missing); nothing was changed."
    )


@pytest.mark.parametrize("error", [ConnectionResetError(), ValueError("a chunk that is none")])
def test_transfer_that_breaks(error: Exception) -> None:
    fault = fault_of(Pieces(b"abc", error))
    assert type(error).__name__ in fault.faultstring
    assert fault.http_status.startswith("500 ")


def test_silence() -> None:
    class Connection:
        timeout = 0.0

        def settimeout(self, seconds: float) -> None:
            self.timeout = seconds

    connection = Connection()
    fault = fault_of(
        Pieces(b"abc", TimeoutError("nothing came")), **{"gunicorn.socket": connection}
    )
    assert fault.http_status.startswith("408 ")
    assert "did not arrive in time (nothing came)" in fault.faultstring
    assert connection.timeout == 7


def test_packed_body_without_its_end() -> None:
    packed = gzip.compress(b"abc" * 1000)
    for length in range(1, len(packed)):
        assert "too early" in fault_of(packed[:length], HTTP_CONTENT_ENCODING="gzip").faultstring


def test_not_packed_and_not_readable() -> None:
    assert "cannot be unpacked" in fault_of(b"<a/>", HTTP_CONTENT_ENCODING="gzip").faultstring
    assert fault_of(b"", HTTP_CONTENT_ENCODING="br").http_status.startswith("415 ")
