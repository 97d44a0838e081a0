"""An answer that is ready before its message was read reaches the client all the same."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.harness import SERVICE, Server, message
from tests.support.tokens import token_xml

_XML = {"Content-Type": "text/xml; charset=utf-8"}


def long_message(partner: str) -> Iterator[bytes]:
    """Far more than sockets hold, from somebody whose password need not be looked at."""
    head, tail = message(partner, "SetRoamingAuthorisationList", "\0").split(b"\0")
    yield head
    for number in range(4_000):
        yield token_xml(f"04{number:08X}").encode() * 4
    yield tail


@pytest.mark.parametrize("extra", [{}, {"Connection": "close"}])
def test_stranger_with_a_long_list(server: Server, extra: dict[str, Any]) -> None:
    connection = server.connection()
    connection.request("POST", SERVICE, long_message("nobody"), _XML | extra, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 500
    assert b"FailedAuthentication" in answer.read()
    connection.close()


def test_connection_serves_on_after_a_message_that_was_not_read(server: Server) -> None:
    connection = server.connection()
    for _ in range(2):
        connection.request("POST", SERVICE, long_message("nobody"), _XML, encode_chunked=True)
        assert b"FailedAuthentication" in connection.getresponse().read()
    connection.request("POST", SERVICE, message("cpo", "GetRoamingAuthorisationList"), _XML)
    assert connection.getresponse().status == 200
    connection.close()
