"""Answers as SOAP: the envelope's head, payloads as they were stored, the envelope's tail."""

from collections.abc import Callable, Iterable, Iterator

from ochp_chs.clearing.exchange import Answer, Elements
from ochp_chs.ochp.operations import NAMESPACE, Operation
from ochp_chs.ochp.results import Result
from ochp_chs.soap.faults import SOAP_NAMESPACE

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<soap:Envelope xmlns:soap="{SOAP_NAMESPACE}"><soap:Body>'
)
_TAIL = "</soap:Body></soap:Envelope>"

#: An answer up to this size goes out in one piece, with its length.
_WHOLE_BYTES_MAX = 1 << 16


def _uncounted(_records: int) -> None:
    """For who does not want to know."""


def response_body(
    operation: Operation, answer: Answer, sent: Callable[[int], None] = _uncounted
) -> Iterable[bytes]:
    """The response's bytes: a list for a short answer, an iterator for a long one.

    `sent` is told how many records went out, block by block.

    The iterator must be closed: it holds a snapshot open. An error in it can no longer become a
    fault; it must reach the server, which cuts the connection, so that nobody takes a short list
    for a whole one.
    """
    pieces = _pieces(operation, answer, sent)
    begun: list[bytes] = []
    size = 0
    for piece in pieces:
        begun.append(piece)
        size += len(piece)
        if size > _WHOLE_BYTES_MAX:
            return _resumed(begun, pieces)
    return [b"".join(begun)]


def _resumed(begun: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield b"".join(begun)
        begun.clear()
        yield from rest
    finally:
        rest.close()  # type: ignore[attr-defined]


def _pieces(operation: Operation, answer: Answer, sent: Callable[[int], None]) -> Iterator[bytes]:
    result = "" if answer.result is None else _result_xml(answer.result)
    yield f'{_HEAD}<{operation.response} xmlns="{NAMESPACE}">{result}'.encode()
    for elements in answer.elements:
        yield from _elements(elements, sent)
    yield f"</{operation.response}>{_TAIL}".encode()


def _elements(elements: Elements, sent: Callable[[int], None]) -> Iterator[bytes]:
    opening = f"<{elements.name}" if elements.with_attributes else f"<{elements.name}>"
    closing = f"</{elements.name}>"
    between = closing + opening
    blocks = elements.blocks
    try:
        for block in blocks:
            sent(len(block))
            yield f"{opening}{between.join(block)}{closing}".encode()
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()


def _result_xml(result: Result) -> str:
    return (
        f"<result><resultCode><resultCode>{result.code.value}</resultCode></resultCode>"
        f"<resultDescription>{_text(result.description)}</resultDescription></result>"
    )


def _text(text: str) -> str:
    """A text that quotes what was sent, with only what XML can hold, and escaped."""
    printable = text
    if not text.isprintable():
        printable = "".join(c if c.isprintable() else " " for c in text)
    return printable.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
