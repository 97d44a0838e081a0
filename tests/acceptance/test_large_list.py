"""Half a million tokens up in one Set and down in one Get, in memory that does not grow."""

import http.client
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from tests.acceptance.harness import SERVICE, MemoryWatch, Server, message, streamed
from tests.support.edge import O

TOKENS = 500_000
MEMORY_MIB_MAX = 128

#: Makes the whole message about 200 MB.
_PRINTED = "printed on the front side of the card, below the hologram, as " + "x" * 40

Fields = tuple[str, ...]


def fields(number: int) -> Fields:
    """What the token of this number consists of; every seventh is a hash."""
    digest = f"{number:064x}"
    representation = "sha-256" if number % 7 == 0 else "plain"
    instance = digest if representation == "sha-256" else f"04{number:012X}"
    year = 2090 + number % 9
    return (
        representation,
        instance,
        "rfid",
        f"DE-BIG-C{number:08d}",
        f"{number} {_PRINTED}",
        f"{year}-12-31T23:59:59Z",
    )


def record(number: int) -> str:
    representation, instance, token_type, contract_id, printed, expiry = fields(number)
    return (
        f'<roamingAuthorisationInfoArray><EmtId representation="{representation}">'
        f"<instance>{instance}</instance><tokenType>{token_type}</tokenType></EmtId>"
        f"<contractId>{contract_id}</contractId><printedNumber>{printed}</printedNumber>"
        f"<expiryDate><DateTime>{expiry}</DateTime></expiryDate></roamingAuthorisationInfoArray>\n"
    )


def downloaded(response: http.client.HTTPResponse) -> Iterator[Fields]:
    """The records of an answer, as they arrive."""
    parser = etree.XMLPullParser(events=("end",), tag=f"{O}roamingAuthorisationInfoArray")
    while chunk := response.read(1 << 16):
        parser.feed(chunk)
        for _, element in parser.read_events():
            emt_id, contract_id, printed, expiry = element
            instance, token_type = emt_id
            yield (
                emt_id.get("representation"),
                instance.text,
                token_type.text,
                contract_id.text,
                printed.text,
                expiry[0].text,
            )
            element.clear()
            del element.getparent()[0]
    parser.close()


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server whose memory holds nothing of other tests."""
    server = Server(tmp_path)
    try:
        server.start()
        server.partner("emp", "emp", "DE-BIG")
        server.partner("cpo", "cpo", "DE*BIG")
        server.connect("emp", "cpo")
        yield server
    finally:
        server.stop()


def test_half_a_million_tokens_up_and_down_in_flat_memory(
    fresh_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server = fresh_server
    seen = bytearray(TOKENS)
    assert sum(len(record(number)) for number in range(0, TOKENS, 1000)) * 1000 > 200_000_000
    with MemoryWatch(server) as memory:
        began = time.monotonic()
        reply = server.post(
            streamed("emp", "SetRoamingAuthorisationList", map(record, range(TOKENS)))
        )
        up_s = time.monotonic() - began
        assert (reply.result, reply.description) == ("ok", f"{TOKENS} records accepted.")

        began = time.monotonic()
        connection = server.connection()
        connection.request("POST", SERVICE, message("cpo", "GetRoamingAuthorisationList"))
        for received in downloaded(connection.getresponse()):
            number = int(received[3][-8:])
            assert received == fields(number)
            assert not seen[number], f"token {number} came twice"
            seen[number] = 1
        connection.close()
        down_s = time.monotonic() - began
    with capsys.disabled():
        print(  # noqa: T201 - what it took is worth a look in every run
            f"\n{TOKENS} tokens: up {TOKENS / up_s:,.0f}/s, down {TOKENS / down_s:,.0f}/s,"
            f" at most {memory.peak_mib:.0f} MiB in a server process"
        )
    assert seen.count(1) == TOKENS
    assert memory.peak_mib < MEMORY_MIB_MAX
