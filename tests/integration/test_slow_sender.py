"""A sender who takes its time keeps nobody else waiting: no transaction is open meanwhile."""

import gzip
import io

import pytest
import sqlalchemy as sa

from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from tests.support.edge import Edge, Reply, envelope
from tests.support.tokens import token_xml

_OPEN = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
)


class WatchedSender(io.BytesIO):
    """Whenever more is asked of it, it looks how many transactions the server has open."""

    def __init__(self, content: bytes, watching: sa.Engine) -> None:
        super().__init__(content)
        self._watching = watching
        self._piece_bytes = len(content) // 5
        self.open_transactions: list[int] = []

    def read(self, _: int | None = -1) -> bytes:
        with self._watching.connect() as connection:
            self.open_transactions.append(connection.execute(_OPEN).scalar_one())
        return super().read(self._piece_bytes)


def send(
    edge: Edge, watching: sa.Engine, operation: str, content: str, *, packed: bool
) -> tuple[Reply, WatchedSender]:
    request = BY_NAME[operation].request
    message = envelope("emp", f'<{request} xmlns="{NAMESPACE}">{content}</{request}>')
    sent = gzip.compress(message, 1) if packed else message
    sender = WatchedSender(sent, watching)
    headers = {"HTTP_CONTENT_ENCODING": "gzip"} if packed else {}
    reply = edge.post(b"", **{"wsgi.input": sender, "CONTENT_LENGTH": str(len(sent)), **headers})
    return reply, sender


@pytest.fixture
def emp(edge: Edge) -> Edge:
    edge.partner("emp", "emp", "DE-EMP")
    return edge


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("operation", "record"),
    [
        ("SetRoamingAuthorisationList", token_xml("{}")),
        ("UpdateRoamingAuthorisationList", token_xml("{}")),
        ("ConfirmCDRs", "<approved><cdrId>{}</cdrId><evseId>DE*CPO*E1</evseId></approved>"),
    ],
)
def test_no_transaction_while_the_message_arrives(
    emp: Edge, postgres_url: str, operation: str, record: str, *, packed: bool
) -> None:
    content = "".join(record.replace("{}", f"04{number:06X}") for number in range(4000))
    watching = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    reply, sender = send(emp, watching, operation, content, packed=packed)
    assert reply.result is not None, reply.content
    assert len(sender.open_transactions) > 2, "the message must come in several pieces"
    assert not any(sender.open_transactions)
