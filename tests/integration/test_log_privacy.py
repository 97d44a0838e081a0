"""No line of any log holds what partners send: whatever is sent, and however it fails."""

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog

from ochp_chs import logs
from ochp_chs.config import LogFormat, LogLevel
from ochp_chs.ochp.operations import BY_NAME, NAMESPACE, OPERATIONS
from ochp_chs.repository.engine import Database
from ochp_chs.soap.message import SoapMessage
from tests.support import valid_requests
from tests.support.edge import Edge
from tests.support.secrets import (
    PASSWORD,
    UID,
    USER,
    envelope_of,
    found_in,
    secret_contents,
    spoiled,
)

#: What a trigger makes of a row: the errors of PostgreSQL that tell most.
FAILURES = {
    "raised": "RAISE EXCEPTION 'no place for %', NEW",
    "no number": "PERFORM CAST(CAST(NEW AS text) AS integer)",
    "constraint": "RAISE unique_violation USING DETAIL = CAST(NEW AS text), MESSAGE = 'duplicate'",
    "serialization": "RAISE serialization_failure USING HINT = CAST(NEW AS text)",
}
TABLES = (
    *("token", "cdr", "cdr_version", "charge_point", "tariff", "live_status", "service_endpoint"),
    *("endpoint_token", "message", "message_note", "change"),
)
NAMES = [operation.name for operation in OPERATIONS]


@pytest.fixture(params=[LogFormat.JSON])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that is logged, at the lowest level."""
    root = logging.getLogger()
    kept = root.handlers, root.level, sys.excepthook, threading.excepthook
    stream = io.StringIO()
    logs.configure(LogLevel.DEBUG, request.param, stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers, root.level, sys.excepthook, threading.excepthook = kept
    structlog.reset_defaults()


@pytest.fixture
def partners(edge: Edge) -> Edge:
    """All that the requests need."""
    valid_requests.add_partner(edge)
    return edge


@pytest.fixture(params=FAILURES)
def failing(database: Database, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database that takes no row, and quotes it."""
    with database.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {FAILURES[request.param].replace('%', '%%')}; RETURN NEW; END $$"
        )
        for table in TABLES:
            connection.exec_driver_sql(
                f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_row()"
            )
    yield database
    with database.begin() as connection:
        connection.exec_driver_sql("DROP FUNCTION refuse_row() CASCADE")


def call(edge: Edge, name: str, content: str) -> None:
    request = BY_NAME[name].request
    edge.post(
        envelope_of("all", "all-secret", f'<{request} xmlns="{NAMESPACE}">{content}</{request}>')
    )


def lines(log: io.StringIO, event: str) -> list[str]:
    return [line for line in log.getvalue().splitlines() if event in line]


def test_all_operations_as_they_should_be(partners, log):
    for _ in range(2):
        for name, content in secret_contents().items():
            call(partners, name, content)

    assert len(lines(log, "request")) >= 2 * len(NAMES)
    assert found_in(log.getvalue()) == []


@pytest.mark.parametrize("name", NAMES)
def test_spoiled_requests(partners, log, name):
    for content in spoiled(secret_contents()[name]):
        call(partners, name, content)

    assert lines(log, "request")
    assert found_in(log.getvalue()) == []


@pytest.mark.parametrize("log", [LogFormat.JSON, LogFormat.CONSOLE], indirect=True)
def test_database_that_refuses_every_row_and_quotes_it(partners, failing, log):
    for name, content in secret_contents().items():
        call(partners, name, content)
        for bad in list(spoiled(content))[:3]:
            call(partners, name, bad)

    assert len(lines(log, "request failed")) >= 5
    assert found_in(log.getvalue()) == []


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError,
        KeyError,
        ValueError,
        lambda text: OSError(5, "broken", text),
        lambda text: UnicodeEncodeError("ascii", text, 0, 1, text),
    ],
    ids=["RuntimeError", "KeyError", "ValueError", "OSError", "UnicodeEncodeError"],
)
def test_bug_whose_error_quotes_the_request(partners, log, monkeypatch, error):
    contents = secret_contents()

    def fail(message: SoapMessage, *_: object) -> None:
        try:
            raise error(contents[message._operation.name] or UID)  # noqa: TRY301
        except Exception as cause:
            raise error(f"while reading {UID} and '{PASSWORD}'") from cause

    for name in vars(SoapMessage):
        # Whichever way an operation reads its request.
        if not name.startswith("_") and name != "collect":
            monkeypatch.setattr(SoapMessage, name, fail)
    for name, content in contents.items():
        call(partners, name, content)

    assert len(lines(log, "request failed")) >= len(NAMES)
    assert found_in(log.getvalue()) == []


def test_log_ins_that_are_refused(partners, log):
    request = f'<GetCDRsRequest xmlns="{NAMESPACE}"/>'
    partners.post(envelope_of("all", PASSWORD, request))
    # People mistake the fields of a form.
    partners.post(envelope_of(PASSWORD, "all", request))
    partners.post(envelope_of(USER, "x", request))

    assert len(lines(log, "log-in refused")) == 3
    assert found_in(log.getvalue()) == []


def test_where_nothing_of_it_belongs(partners, log):
    partners.post(b"", path=f"/service/ochp/{UID}", QUERY_STRING=f"password={PASSWORD}")
    partners.post(b"", path=f"/service/ochp/'{PASSWORD}'")
    partners.post(f"<{PASSWORD}>".encode())
    partners.post(envelope_of("all", "all-secret", f'<{PASSWORD} xmlns="{NAMESPACE}"/>'))
    partners.post(b"x", CONTENT_TYPE=f"text/xml; charset={PASSWORD}")
    partners.post(b"x", HTTP_CONTENT_ENCODING=PASSWORD)
    partners.post(b"", REQUEST_METHOD="GET", QUERY_STRING=f"wsdl&{PASSWORD}")
    partners.post(b"", REQUEST_METHOD="GET", HTTP_HOST=f"/{PASSWORD}", QUERY_STRING="wsdl")

    assert len(lines(log, "request")) == 8
    assert found_in(log.getvalue()) == []


def test_what_others_log(log):
    logging.getLogger("gunicorn.error").warning("Invalid request: %r", f"GET /{UID}?p={PASSWORD}")
    logging.getLogger("elsewhere").warning("with more", extra={"password": PASSWORD})
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.warn(f"odd value '{UID}'", stacklevel=1)
    thread = threading.Thread(target=lambda: {}[UID])
    thread.start()
    thread.join()

    assert len(lines(log, "***")) >= 3
    assert found_in(log.getvalue()) == []


def test_line_of_a_request_has_what_an_operator_asks_for(partners, log):
    content = secret_contents()["SetRoamingAuthorisationList"]
    call(partners, "SetRoamingAuthorisationList", content + content.replace("rfid", "nonsense"))

    (line,) = (json.loads(line) for line in lines(log, '"event": "request"'))

    wanted = {
        "operation": "SetRoamingAuthorisationList",
        "partner": "all",
        "result": "partly",
        "status": 200,
        "records_read": 2,
        "records_refused": 1,
        "complete": True,
        "address": "192.0.2.1",
    }
    assert wanted.items() <= line.items()
    assert line["bytes_in"] > line["records_sent"]
    assert len(line["reference"]) == 16
    assert line["seconds"] > 0


def test_request_for_the_contract_has_its_line_too(partners, log):
    partners.post(b"", REQUEST_METHOD="GET", QUERY_STRING="wsdl")

    (line,) = lines(log, "request")
    assert "GET" in line
    assert "/service/ochp/v1.4" in line
