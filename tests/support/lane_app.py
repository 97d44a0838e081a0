"""An application that takes as long as it is told to, for tests of the worker."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer by path; the body of the request comes back."""
    body = environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path.startswith("/sleep/"):
        time.sleep(float(path.rpartition("/")[2]))
    headers = [("Content-Type", "text/plain")]
    if path == "/broken":
        start_response("200 OK", headers)
        return _broken()
    if path == "/failing":
        raise RuntimeError
    if path == "/process":
        body = str(os.getpid()).encode()
    if path == "/pieces":
        start_response("200 OK", headers)
        return iter([body, b"", body])
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _broken() -> Iterator[bytes]:
    yield b"begun"
    raise RuntimeError
