"""The request's body as it comes from the network: bounded, unzipped, in pieces."""

import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ochp_chs.soap.faults import OchpFault, client_fault
from ochp_chs.soap.shape import Shape

_CHUNK_BYTES = 1 << 16
#: Of a message that goes on, so much is asked of the server at once. It hands out a little of much
#: by copying the rest; pieces of a megabyte would be mapped and given back one by one.
_READ_BYTES_MAX = 1 << 17

#: A gzip file may be many, one behind the other, but not countless ones that hold nothing.
_MEMBERS_MAX = 1000
_MEMBER_BYTES_MIN = 1000

_TOO_LARGE = "413 Content Too Large"
_UNSUPPORTED = "415 Unsupported Media Type"
_TOO_SLOW = "408 Request Timeout"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a message may cost. Bytes are counted after unzipping."""

    request_bytes_max: int
    #: Up to the operation's element: the SOAP header.
    header_bytes_max: int
    #: One record, with the white space around it.
    record_bytes_max: int
    #: Longest silence of the sender, in seconds.
    read_timeout_s: float
    #: Of a record, and of the SOAP header.
    shape: Shape


class Body:
    """The body in pieces, unzipped. Raises a fault for what is too long, too slow or badly packed.

    The pieces come from the network as they are asked for, until `collect` takes in the rest.
    """

    def __init__(self, environ: dict[str, Any], limits: Limits) -> None:
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isdigit() and int(length) > limits.request_bytes_max:
            raise _too_large(limits)
        self._sent = _bounded(_raw_chunks(environ, limits), limits)
        self._pieces = _bounded(_decoded(environ, iter(self._next_sent, b"")), limits)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def collect(self) -> None:
        """Take in all that is still to come, as it was sent, into a temporary file.

        What follows does not wait for the sender any more: it may hold locks. A sender who is slow
        or breaks off costs a thread and some room on disk, and no transaction.
        """
        spooled = _spooled(self._sent)
        self._sent = chain((next(spooled),), spooled)

    def _next_sent(self) -> bytes:
        return next(self._sent, b"")


def _spooled(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks again, from a file; all of them are there when the first one is."""
    with tempfile.TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk)
        file.seek(0)
        yield file.read(_CHUNK_BYTES)
        while chunk := file.read(_READ_BYTES_MAX):
            yield from _pieces(chunk)


def _decoded(environ: dict[str, Any], chunks: Iterator[bytes]) -> Iterator[bytes]:
    encoding = (environ.get("HTTP_CONTENT_ENCODING") or "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return _unzipped(chunks)
    if encoding in ("identity", ""):
        return chunks
    raise client_fault(
        f"Content-Encoding {encoding[:40]!r} is not read here; send the message as it is"
        " or with gzip.",
        http_status=_UNSUPPORTED,
    )


def _raw_chunks(environ: dict[str, Any], limits: Limits) -> Iterator[bytes]:
    stream = environ["wsgi.input"]
    connection = environ.get("gunicorn.socket")
    if connection is not None:
        # A sender that falls silent must not keep a thread; kept-alive connections are watched
        # by the server itself between requests.
        connection.settimeout(limits.read_timeout_s)
    length = environ.get("CONTENT_LENGTH") or ""
    missing = int(length) if length.isdigit() else 0
    read = 0
    while True:
        # The head of it, and no more, for whoever has not said yet who he is.
        size = _CHUNK_BYTES if read <= _CHUNK_BYTES else _READ_BYTES_MAX
        try:
            chunk = stream.read(size)
        except TimeoutError as error:
            raise client_fault(
                f"The message did not arrive in time ({error}); nothing was changed.",
                http_status=_TOO_SLOW,
            ) from None
        except Exception as error:
            # Not only OSError: the server has errors of its own for chunks that are none.
            raise _broken(type(error).__name__) from None
        missing -= len(chunk)
        if not chunk:
            if missing > 0:
                # It may look whole all the same: whoever sent it was not done with it.
                raise _broken(f"{missing} bytes are missing")
            return
        read += len(chunk)
        yield from _pieces(chunk)
        if length.isdigit() and missing <= 0:
            return


def _pieces(chunk: bytes) -> Iterator[bytes]:
    for begin in range(0, len(chunk), _CHUNK_BYTES):
        yield chunk[begin : begin + _CHUNK_BYTES]


def _broken(how: str) -> OchpFault:
    return client_fault(f"The message's transfer broke off ({how}); nothing was changed.")


def _unzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """All members of a gzip file, one behind the other."""
    unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
    members, given = 1, 0
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if unzip.eof:
                    # What pads the file at its end.
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
                    members += 1
                    if members > _MEMBERS_MAX and members > given / _MEMBER_BYTES_MIN:
                        raise client_fault(
                            f"The gzip-packed message has more than {_MEMBERS_MAX} members that"
                            f" hold less than {_MEMBER_BYTES_MIN} bytes each; nothing was changed."
                        )
                # In bounded pieces: a few bytes can unpack to a gigabyte.
                piece = unzip.decompress(data, _CHUNK_BYTES)
                given += len(piece)
                yield piece
                data = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
        # What the last piece of output had no room for.
        while piece := unzip.decompress(b"", _CHUNK_BYTES):
            yield piece
    except zlib.error:
        raise client_fault("The message says it is gzip, but it cannot be unpacked.") from None
    if not unzip.eof:
        raise client_fault("The gzip-packed message ends too early; nothing was changed.")


def _bounded(chunks: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    room = limits.request_bytes_max
    for chunk in chunks:
        room -= len(chunk)
        if room < 0:
            raise _too_large(limits)
        yield chunk


def _too_large(limits: Limits) -> OchpFault:
    return client_fault(
        f"The message is larger than {limits.request_bytes_max} bytes, the most that is read"
        " here; send it in parts.",
        http_status=_TOO_LARGE,
    )
