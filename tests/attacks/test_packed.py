"""Packed bodies: bounded by what they unpack to, and by what they are."""

import gzip
import struct
import zlib
from collections.abc import Iterator

import pytest

from tests.acceptance.harness import Server
from tests.attacks.corpus import Attack, strike, tokens

GZIP = {"Content-Encoding": "gzip"}
MESSAGE = tokens().encode()
TOO_LARGE = "(413|500) fault .*larger than [0-9]+ bytes"
NO_GZIP = "500 fault .*gzip"


def bomb(mebibytes: int) -> bytes:
    """White space behind a message's beginning, a thousandth of its size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(MESSAGE.partition(b"</s:Body>")[0])]
    parts += [packer.compress(b" " * (1 << 20)) for _ in range(mebibytes)]
    return b"".join([*parts, packer.flush()])


def members(count: int, content: bytes) -> Iterator[bytes]:
    member = gzip.compress(content)
    for _ in range(count // 1_000):
        yield member * 1_000


def with_field(flag: int, field: bytes) -> bytes:
    """A gzip file whose header has one more field."""
    packed = gzip.compress(MESSAGE)
    return packed[:3] + bytes([flag]) + packed[4:10] + field + packed[10:]


ATTACKS = {
    "bomb": Attack(bomb(1024), TOO_LARGE, GZIP),
    "bomb in a bomb": Attack(gzip.compress(bomb(1024)), NO_GZIP.replace("gzip", "XML"), GZIP),
    "said to be packed twice": Attack(
        gzip.compress(gzip.compress(MESSAGE)),
        "415 fault .*gzip",
        {"Content-Encoding": "gzip, gzip"},
    ),
    "two members": Attack(
        gzip.compress(MESSAGE[:200]) + gzip.compress(MESSAGE[200:]), "200 ok ", GZIP
    ),
    "many members": Attack(lambda: members(200_000, b" "), "500 fault .*members", GZIP),
    "empty members without end": Attack(
        lambda: members(500_000, b""), "500 fault |413 fault ", GZIP
    ),
    "members that are bombs": Attack(lambda: members(20_000, b" " * 60_000), TOO_LARGE, GZIP),
    "something behind it": Attack(gzip.compress(MESSAGE) + b"<a/>", "500 fault .*unpacked", GZIP),
    "padding behind it": Attack(gzip.compress(MESSAGE) + bytes(512), "200 ok ", GZIP),
    "second message behind it": Attack(
        gzip.compress(MESSAGE) + gzip.compress(MESSAGE), "500 fault .*not well-formed", GZIP
    ),
    "too short": Attack(gzip.compress(MESSAGE)[:-9], NO_GZIP, GZIP),
    "wrong checksum": Attack(gzip.compress(MESSAGE)[:-8] + bytes(8), NO_GZIP, GZIP),
    "wrong length": Attack(
        gzip.compress(MESSAGE)[:-4] + struct.pack("<I", 2**32 - 1), NO_GZIP, GZIP
    ),
    "name without end": Attack(with_field(8, b"x" * 7_000_000), NO_GZIP, GZIP),
    "long extra field": Attack(with_field(4, b"\xff\xff" + bytes(65_535)), "200 ok ", GZIP),
    "not packed": Attack(MESSAGE, NO_GZIP, GZIP),
    "packed and not said to be": Attack(gzip.compress(MESSAGE), "500 fault .*not well-formed"),
    "nothing": Attack(b"", NO_GZIP, GZIP),
    "deflate": Attack(zlib.compress(MESSAGE), "415 fault ", {"Content-Encoding": "deflate"}),
    "deflate said to be gzip": Attack(zlib.compress(MESSAGE), NO_GZIP, GZIP),
    "brotli": Attack(MESSAGE, "415 fault ", {"Content-Encoding": "br"}),
    "coding that is none": Attack(MESSAGE, "415 fault ", {"Content-Encoding": "x" * 4_000}),
    "what an answer may be packed with": Attack(
        MESSAGE, "200 ok ", {"Accept-Encoding": ", ".join(["br;q=0.1"] * 800)}
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_packed(server: Server, attack: Attack) -> None:
    strike(server, attack)
