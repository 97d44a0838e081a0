"""What /metrics tells of requests over the SOAP edge, in one process."""

from collections.abc import Iterator

import pytest

from ochp_chs.config import Settings
from ochp_chs.metrics.database import DatabaseMetrics
from ochp_chs.metrics.service import Metrics, build_metrics
from ochp_chs.ochp.operations import BY_NAME, OPERATIONS
from ochp_chs.repository import monitoring
from ochp_chs.repository.engine import Database
from tests.support import valid_requests
from tests.support.cdrs import cdr_xml
from tests.support.edge import Clock, Edge, envelope
from tests.support.endpoints import SECRET_KEY
from tests.support.exposition import Exposed
from tests.support.tokens import token_xml

LIST = "GetRoamingAuthorisationList"
SET = "SetRoamingAuthorisationList"
UPDATE = "UpdateRoamingAuthorisationList"


class Counted:
    """The server without a socket, and its metrics."""

    def __init__(self, edge: Edge, metrics: Metrics) -> None:
        self.edge = edge
        self.metrics = metrics

    def read(self) -> Exposed:
        return Exposed(self.metrics.exposition.text().decode())

    def read_database(self) -> Exposed:
        self.metrics.polls.keep(self.edge.database)
        return self.read()


@pytest.fixture
def empty(database: Database, clock: Clock, postgres_url: str) -> Iterator[Counted]:
    """Without partners."""
    settings = Settings(clock_tolerance_s=0, secret_key=SECRET_KEY)
    metrics = build_metrics(database, postgres_url, None, lambda: 123_456, with_other_workers=False)
    yield Counted(Edge(database, clock, settings, metrics.requests), metrics)
    metrics.database.dispose()


@pytest.fixture
def counted(empty: Counted) -> Counted:
    empty.edge.partner("cpo", "cpo", "DE*CPO")
    empty.edge.partner("emp", "emp nsp", "DE-EMP")
    empty.edge.connect("cpo", "emp")
    return empty


def test_requests_by_operation_role_and_result(counted):
    for _ in range(3):
        counted.edge.call("cpo", LIST)
    counted.edge.call("emp", LIST)
    counted.edge.call("emp", "GetStatus")

    exposed = counted.read()

    def requests(operation, role, result):
        return exposed.value("requests_total", operation=operation, role=role, result=result)

    assert requests(LIST, "cpo", "ok") == 3
    assert requests(LIST, "emp+nsp", "not-authorized") == 1
    assert requests("GetStatus", "emp+nsp", "ok") == 1
    assert exposed.total("requests_total") == 5


def test_every_request_has_its_time_and_none_stays_under_way(counted):
    for _ in range(4):
        counted.edge.call("cpo", LIST)

    exposed = counted.read()

    assert exposed.value("request_seconds_count", operation=LIST) == 4
    assert exposed.value("request_seconds_bucket", operation=LIST, le="900.0") == 4
    assert 0 < exposed.total("request_seconds_sum") < 60
    assert exposed.value("requests_in_flight") == 0


def test_records_in_refused_and_out(counted):
    good = [token_xml(f"04A1B2C3D4E5{n:02d}") for n in range(5)]
    foreign = token_xml("04FF", contract_id="NL-XXX-C00000001")
    invalid = token_xml("04FE", token_type="nonsense")

    counted.edge.call("emp", SET, "".join([*good, foreign, invalid]))
    counted.edge.call("cpo", LIST)

    exposed = counted.read()
    assert exposed.value("records_received_total", operation=SET) == 7
    assert exposed.value("records_refused_total", operation=SET) == 2
    assert exposed.value("refusal_reasons_total", operation=SET, rule="contract-provider") == 1
    assert exposed.value("refusal_reasons_total", operation=SET, rule="schema") == 1
    assert exposed.value("records_sent_total", operation=LIST) == 5


def test_record_counts_once_for_each_rule_that_it_breaks(counted):
    broken = cdr_xml(cdr_id="XX", country="XXX", currency="XXX", total_cost="-1")
    counted.edge.call("cpo", "AddCDRs", broken + broken)

    exposed = counted.read()

    rules = exposed.label_values("refusal_reasons_total", "rule")
    assert len(rules) > 1
    assert exposed.value("records_refused_total", operation="AddCDRs") == 2
    assert {
        exposed.value("refusal_reasons_total", operation="AddCDRs", rule=rule) for rule in rules
    } == {2}


def test_bytes_are_those_of_the_messages(counted):
    content = envelope("cpo", f'<{LIST}Request xmlns="http://ochp.eu/1.4"/>')
    reply = counted.edge.post(content)

    exposed = counted.read()

    assert exposed.value("request_bytes_total", operation=LIST) == len(content)
    assert exposed.value("response_bytes_total", operation=LIST) == len(reply.content)


def test_what_a_stranger_sends_becomes_no_label(counted):
    for n in range(3):
        counted.edge.post(envelope(f"stranger{n}", f'<Made{n}Up xmlns="http://ochp.eu/1.4"/>'))
        counted.edge.post(envelope(f"stranger{n}", f'<{LIST}Request xmlns="http://ochp.eu/1.4"/>'))
        counted.edge.post(f"<nonsense{n}".encode())

    exposed = counted.read()

    assert exposed.value("requests_total", operation="none", role="none", result="fault") == 6
    assert exposed.value("requests_total", operation=LIST, role="none", result="fault") == 3
    assert exposed.label_values("partner_requests_total", "partner") == set()
    assert exposed.value("authentication_failures_total", reason="unknown user") == 3
    assert exposed.value("faults_total", kind="Client", status="500") == 6
    assert exposed.value("faults_total", kind="FailedAuthentication", status="500") == 3


def test_answer_that_nobody_reads_to_its_end(counted):
    body = counted.edge.app(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/service/ochp/v1.4",
            "CONTENT_TYPE": "text/xml",
            "SERVER_NAME": "chs.example",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": _Input(envelope("cpo", f'<{LIST}Request xmlns="http://ochp.eu/1.4"/>')),
        },
        lambda *_: None,
    )
    body.close()

    exposed = counted.read()

    assert exposed.value("responses_incomplete_total", operation=LIST) == 1
    assert exposed.value("requests_in_flight") == 0
    assert counted.read_database().label_values("poll_age_seconds", "feed") == set()


class _Input:
    def __init__(self, content: bytes) -> None:
        self._rest = content

    def read(self, size: int) -> bytes:
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def test_polls_by_partner_and_feed(counted):
    counted.edge.call("cpo", LIST)
    counted.edge.call("emp", "GetStatus")
    counted.edge.call("emp", "GetCDRs")
    # Refused, and no poll at all.
    counted.edge.call("emp", LIST)
    counted.edge.call("cpo", "UpdateStatus")

    exposed = counted.read_database()

    found = {
        (partner, feed)
        for partner in ("cpo", "emp")
        for feed in exposed.label_values("poll_age_seconds", "feed")
        if exposed.value("poll_age_seconds", partner=partner, feed=feed) is not None
    }
    assert found == {("cpo", "tokens"), ("emp", "live-status"), ("emp", "cdrs")}
    assert 0 <= exposed.total("poll_age_seconds", partner="cpo") < 10


def test_partner_is_counted_by_its_name(counted):
    counted.edge.call("cpo", LIST)
    counted.edge.call("cpo", "CheckCDRs")
    counted.edge.call("emp", "GetCDRs")

    exposed = counted.read()

    assert exposed.value("partner_requests_total", partner="cpo") == 2
    assert exposed.value("partner_requests_total", partner="emp") == 1


def test_every_operation_is_counted_by_its_name(empty):
    valid_requests.add_partner(empty.edge)
    for name, content in valid_requests.contents().items():
        empty.edge.call("all", name, content)

    exposed = empty.read()

    assert exposed.label_values("requests_total", "operation") == set(BY_NAME)
    for operation in OPERATIONS:
        assert exposed.total("requests_total", operation=operation.name) == 1
        assert exposed.total("request_seconds_count", operation=operation.name) == 1
        sent = exposed.value("records_received_total", operation=operation.name)
        assert bool(sent) == bool(operation.records), operation.name


class TestDatabaseAway:
    @pytest.fixture
    def away(self) -> Iterator[DatabaseMetrics]:
        metrics = DatabaseMetrics("postgresql://nobody@127.0.0.1:1/none", None)
        yield metrics
        metrics.dispose()

    def test_is_told_and_nothing_else_of_it(self, away):
        told = {metric.name: metric for metric in away.collect()}

        assert told["ochp_chs_database_up"].samples[0].value == 0
        assert set(told) == {"ochp_chs_database_up", "ochp_chs_build_info"}

    def test_counters_are_there_all_the_same(self, database):
        metrics = build_metrics(
            database,
            "postgresql://nobody@127.0.0.1:1/none",
            None,
            lambda: 1,
            with_other_workers=False,
        )

        exposed = Exposed(metrics.exposition.text().decode())

        assert exposed.value("database_up") == 0
        assert exposed.value("workers") == 1
        assert exposed.value("worker_resident_bytes") == 1


def test_database_that_hangs_is_not_waited_for(postgres_url, database, monkeypatch):
    monkeypatch.setattr("ochp_chs.metrics.database._PATIENCE_S", 0.2)
    metrics = DatabaseMetrics(postgres_url, None)
    with database.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE poll IN ACCESS EXCLUSIVE MODE")
        told = {metric.name: metric.samples[0].value for metric in metrics.collect()}
    metrics.dispose()

    assert told["ochp_chs_database_up"] == 0


def test_many_readers_ask_the_database_once(postgres_url, database, monkeypatch):
    asked = []
    find_all = monitoring.find_all
    monkeypatch.setattr(monitoring, "find_all", lambda at: asked.append(at) or find_all(at))
    metrics = DatabaseMetrics(postgres_url, None)

    for _ in range(10):
        list(metrics.collect())
    metrics.dispose()

    assert len(asked) == 1


def test_schema_and_replica_that_is_the_primary(postgres_url, database):
    metrics = DatabaseMetrics(postgres_url, f"{postgres_url}&application_name=replica")
    told = {metric.name: metric.samples[0].value for metric in metrics.collect() if metric.samples}
    metrics.dispose()

    assert told["ochp_chs_schema_current"] == 1
    assert told["ochp_chs_replica_up"] == 1
    assert told["ochp_chs_replica_lag_seconds"] == 0


def test_replica_that_is_away(postgres_url, database):
    metrics = DatabaseMetrics(postgres_url, "postgresql://nobody@127.0.0.1:1/none")
    told = {metric.name: metric.samples[0].value for metric in metrics.collect() if metric.samples}
    metrics.dispose()

    assert told["ochp_chs_database_up"] == 1
    assert told["ochp_chs_replica_up"] == 0
    assert "ochp_chs_replica_lag_seconds" not in told
