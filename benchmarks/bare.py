"""The limit of small requests: a WSGI application that reads the body and answers a constant."""

from collections.abc import Callable, Iterable
from typing import Any

# As long as the answer that it is compared with; the client looks for its result.
_ANSWER = (b"<answer><resultCode>ok</resultCode>" + b"x" * 800 + b"</answer>")[:1000]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request (PEP 3333)."""
    environ["wsgi.input"].read()
    start_response(
        "200 OK",
        [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(_ANSWER)))],
    )
    return [_ANSWER]
