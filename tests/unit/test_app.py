from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from prometheus_client import CollectorRegistry

from ochp_chs.app import Router, build_app
from ochp_chs.config import Settings, SettingsError
from ochp_chs.metrics.database import DatabaseMetrics
from ochp_chs.metrics.exposition import Exposition
from ochp_chs.repository.engine import Database
from ochp_chs.serving.chores import Chores

UNREACHABLE = "postgresql://nobody:hunter2@127.0.0.1:1/none?connect_timeout=1"


def soap(environ, start_response):
    if environ["PATH_INFO"].endswith("broken"):
        raise RuntimeError("secret detail")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"soap for {environ['REMOTE_ADDR']}".encode()]


def request(path, method="GET", **more):
    environ = {
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REQUEST_METHOD": method,
        "REMOTE_ADDR": "127.0.0.1",
        **more,
    }
    setup_testing_defaults(environ)
    answer = {}

    def start_response(status, headers, _error=None):
        answer.update(status=status, headers=dict(headers))
        return lambda _: None

    metrics = Exposition(CollectorRegistry(), None, DatabaseMetrics(UNREACHABLE, None))
    app = validator(
        Router(Settings(database_url=UNREACHABLE), Database(UNREACHABLE), soap, metrics=metrics)
    )
    body = app(environ, start_response)
    answer["text"] = b"".join(body).decode()
    body.close()
    return answer


def test_process_lives_whatever_the_database_does():
    assert request("/healthz")["status"] == "200 OK"


def test_not_ready_without_database_and_says_so_without_its_address():
    answer = request("/readyz")

    assert answer["status"] == "503 Service Unavailable"
    assert answer["text"] == "not ready: the database does not answer\n"


def test_front_page_leads_to_the_endpoints():
    answer = request("/")

    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    for endpoint in ("/service/ochp/v1.4", "/live/ochp/v1.4", "/direct/ochp/v1.4"):
        assert f'href="{endpoint}?wsdl"' in answer["text"]


def test_unknown_path_is_not_found():
    assert request("/service")["status"] == "404 Not Found"
    assert request("/nowhere", "POST")["status"] == "404 Not Found"


def test_head_has_the_headers_and_no_body():
    answer = request("/healthz", "HEAD")

    assert (answer["text"], answer["headers"]["Content-Length"]) == ("", "3")


def test_other_methods_are_refused():
    answer = request("/readyz", "DELETE")

    assert answer["status"] == "405 Method Not Allowed"
    assert answer["headers"]["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("path", ["/live/ochp/v1.4", "/service/ochp/types/data-types.xsd"])
def test_soap_edge_answers_all_that_belongs_to_the_contract(method, path):
    assert request(path, method)["text"] == "soap for 127.0.0.1"


def test_client_behind_the_proxy_is_known():
    answer = request("/live/ochp/v1.4", "POST", HTTP_X_FORWARDED_FOR="198.51.100.1")

    assert answer["text"] == "soap for 198.51.100.1"


def test_bug_becomes_a_reference_and_nothing_else():
    answer = request("/service/ochp/broken", "POST")

    assert answer["status"] == "500 Internal Server Error"
    assert "Reference: " in answer["text"]
    assert "secret" not in answer["text"]


def test_chores_begin_with_the_application(monkeypatch):
    started = []
    monkeypatch.setattr(Chores, "start", lambda _: started.append("started"))

    build_app(Settings(database_url=UNREACHABLE))

    assert started


def test_no_database_named():
    with pytest.raises(SettingsError, match="OCHP_CHS_DATABASE_URL"):
        build_app(Settings())


class TestMetrics:
    def test_own_machine_reads_them(self):
        answer = request("/metrics")

        assert answer["status"] == "200 OK"
        assert answer["headers"]["Content-Type"].startswith("text/plain; version=")
        assert "ochp_chs_database_up 0.0" in answer["text"]

    @pytest.mark.parametrize(
        "more", [{"REMOTE_ADDR": "192.0.2.1"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}]
    )
    def test_others_do_not(self, more):
        answer = request("/metrics", **more)

        assert answer["status"] == "403 Forbidden"
        assert "OCHP_CHS_METRICS_ALLOW" in answer["text"]
        assert "ochp_chs_" not in answer["text"]

    def test_are_only_read(self):
        assert request("/metrics", "POST")["status"] == "405 Method Not Allowed"
