"""The dashboard and the alert rules ask for what /metrics tells, and every alert has its advice."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ochp_chs.config import Settings
from ochp_chs.metrics.service import build_metrics
from ochp_chs.repository.engine import Database
from ochp_chs.repository.tables import metadata
from tests.support import valid_requests
from tests.support.edge import Clock, Edge, envelope
from tests.support.endpoints import SECRET_KEY
from tests.support.exposition import Exposed

CHECKOUT = Path(__file__).parents[2]
DASHBOARD = json.loads((CHECKOUT / "deploy/grafana/ochp-chs.json").read_text(encoding="utf-8"))
RULES = (CHECKOUT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8")
SCRAPING = (CHECKOUT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8")
DOCUMENT = (CHECKOUT / "docs/monitoring.md").read_text(encoding="utf-8")

#: Words of PromQL that stand where the labels of a metric are not.
_SELECTED = re.compile(r"\b(ochp_chs_[a-z_]+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r'([a-z]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
_BY = re.compile(r"\bby \(([^)]*)\)")

#: Only where there is a replica.
_OF_A_REPLICA = {"ochp_chs_replica_up", "ochp_chs_replica_lag_seconds"}


def panels() -> Iterator[dict[str, object]]:
    yield from DASHBOARD["panels"]


def dashboard_queries() -> list[str]:
    queries = [target["expr"] for panel in panels() for target in panel.get("targets", [])]
    queries += [variable["definition"] for variable in DASHBOARD["templating"]["list"]]
    queries += [each["expr"] for each in DASHBOARD["annotations"]["list"]]
    return queries


def rules() -> dict[str, str]:
    """The alerts by name, each with its text."""
    parts = re.split(r"^      - alert: (\w+)$", RULES, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def expression(rule: str) -> str:
    found = re.search(r"expr: >-\n((?: {10}.*\n)+)", rule)
    assert found is not None, rule
    return " ".join(found[1].split())


@pytest.fixture(scope="module")
def exposed(_session_database: Database, postgres_url: str) -> Exposed:
    """All that is told after every kind of request, and of every kind of mishap."""
    database = _session_database
    tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with database.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    metrics = build_metrics(
        database, postgres_url, f"{postgres_url}&application_name=replica", lambda: 1,
        with_other_workers=False,
    )  # fmt: skip
    settings = Settings(clock_tolerance_s=0, secret_key=SECRET_KEY)
    edge = Edge(database, Clock(), settings, metrics.requests)
    valid_requests.add_partner(edge)
    contents = valid_requests.contents()
    for name, content in contents.items():
        edge.call("all", name, content)
        edge.call("all", name, content.replace("DE", "X?"), valid=False)
    edge.post(envelope("stranger", next(iter(valid_requests.requests().values()))))
    edge.post(b"nonsense")
    metrics.process.chore_done("one", succeeded=True)
    metrics.process.chore_done("other", succeeded=False)
    database.replica_fallbacks["lagging"] += 1
    metrics.process.sample()
    # An answer that nobody reads.
    body = edge.app(
        {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/live/ochp/v1.4", "CONTENT_TYPE": "text/xml",
            "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(b"nonsense"),
        },
        lambda *_: None,
    )  # fmt: skip
    body.close()
    metrics.polls.keep(database)
    told = Exposed(metrics.exposition.text().decode())
    metrics.database.dispose()
    return told


def labels_of(exposed: Exposed, name: str) -> set[str]:
    return {key for each, labels in exposed.samples if each == name for key, _ in labels}


class TestQueries:
    @pytest.fixture(params=[*dashboard_queries(), *map(expression, rules().values())])
    def query(self, request):
        return request.param

    def test_metrics_and_labels_are_there(self, exposed, query):
        for name, selected in _SELECTED.findall(query):
            if name in _OF_A_REPLICA and name not in exposed.names:
                continue
            assert name in exposed.names, query
            known = labels_of(exposed, name) | {"instance", "job", "worker"}
            assert {label for label, _ in _LABEL.findall(selected)} <= known, query
        asked = {each.strip() for group in _BY.findall(query) for each in group.split(",")}
        names = [name for name, _ in _SELECTED.findall(query)]
        known = {"instance", "job"}.union(*(labels_of(exposed, name) for name in names))
        assert asked <= known, query

    def test_values_of_labels_can_occur(self, exposed, query):
        for name, selected in _SELECTED.findall(query):
            for label, value in _LABEL.findall(selected):
                if label in ("operation", "status", "feed", "kind") and name != "ochp_chs_faults":
                    wanted = {each for each in value.split("|") if each.isalpha()}
                    told = exposed.label_values(name.removeprefix("ochp_chs_"), label)
                    assert wanted - {"Server"} <= told, query


def test_every_metric_is_described_and_none_that_is_not_there(exposed):
    described = set(re.findall(r"^\| `(ochp_chs_[a-z_]+)`", DOCUMENT, flags=re.MULTILINE))
    told = {
        re.sub(r"_(bucket|count|sum)$", "", name)
        if name.startswith("ochp_chs_request_seconds")
        else name
        for name in exposed.names
    }

    assert described == told | _OF_A_REPLICA


def test_labels_are_described(exposed):
    rows = re.findall(r"^\| `(ochp_chs_[a-z_]+)` \| ([^|]*) \|", DOCUMENT, flags=re.MULTILINE)
    for name, labels in rows:
        if name == "ochp_chs_worker_resident_bytes":
            continue
        sample = f"{name}_count" if name == "ochp_chs_request_seconds" else name
        described = {each.strip() for each in labels.split(",")} - {""}
        assert described == labels_of(exposed, sample), name


def test_every_metric_is_on_the_dashboard(exposed):
    asked = {name for query in dashboard_queries() for name, _ in _SELECTED.findall(query)}
    families = {name.removesuffix("_bucket") for name in asked}

    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in exposed.names} <= families


class TestAlerts:
    @pytest.fixture(params=list(rules().items()), ids=list(rules()))
    def alert(self, request):
        return request.param

    def test_says_how_bad_it_is_what_it_is_and_where_advice_stands(self, alert):
        name, rule = alert

        assert re.search(r"severity: (critical|warning)\n", rule)
        assert "summary: " in rule
        assert "description: " in rule
        assert f"runbook: docs/monitoring.md#{name.lower()}\n" in rule
        assert f"\n### {name}\n" in DOCUMENT

    def test_no_advice_is_left_over(self):
        assert re.findall(r"^### (\w+)$", DOCUMENT, flags=re.MULTILINE) == list(rules())


def test_dashboard_can_be_imported():
    (given,) = DASHBOARD["__inputs"]
    assert given["name"] == "DS_PROMETHEUS"
    assert DASHBOARD["id"] is None
    numbers = [panel["id"] for panel in panels()]
    assert len(numbers) == len(set(numbers))
    for panel in panels():
        assert panel["title"]
        assert {"h", "w", "x", "y"} == set(panel["gridPos"])
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${DS_PROMETHEUS}"


def test_example_reads_the_rules_that_are_there():
    assert "rule_files:\n  - alerts.yml\n" in SCRAPING
    assert "job_name: ochp-chs\n" in SCRAPING
