"""The contract as it is served: addresses, relative URLs, one file, and a real client over HTTP."""

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from lxml import etree
from zeep import Client

from ochp_chs.ochp.operations import OPERATIONS, Endpoint
from ochp_chs.soap.wsdl import PLACEHOLDER, Publisher

SOAP_ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap/}address"
WSDL_PORT = "{http://schemas.xmlsoap.org/wsdl/}port"
PATHS = {
    "eCHS-OCHP_1.4": "/service/ochp/v1.4",
    "eCHS-OCHP_1.4-live": "/live/ochp/v1.4",
    "eCHS-OCHP_1.4-direct": "/direct/ochp/v1.4",
}

every_endpoint = pytest.mark.parametrize("endpoint", list(Endpoint), ids=lambda each: each.name)
every_query = pytest.mark.parametrize("query", ["wsdl", "singleWsdl"])


@pytest.fixture(scope="module")
def publisher() -> Publisher:
    return Publisher(None)


def addresses(document: bytes) -> list[tuple[str, str]]:
    """Return binding and address of each port."""
    return [
        (port.get("binding", "").removeprefix("tns:"), next(iter(port)).get("location", ""))
        for port in etree.fromstring(document).iter(WSDL_PORT)
    ]


def references(document: bytes) -> list[str]:
    """Return the relative URLs in a document."""
    return [
        str(node.get("schemaLocation") or node.get("location"))
        for node in etree.fromstring(document).iter("{*}import", "{*}include")
    ]


class TestAddresses:
    @every_endpoint
    @every_query
    def test_every_port_leads_to_where_the_caller_reached_the_server(
        self, publisher: Publisher, endpoint: Endpoint, query: str
    ) -> None:
        document = publisher.find(endpoint, query, "http://chs.test:8080")
        assert document is not None
        ports = addresses(document)
        assert ports
        assert all(address == f"http://chs.test:8080{PATHS[binding]}" for binding, address in ports)
        assert PLACEHOLDER.encode() not in document

    @every_query
    def test_the_public_url_wins(self, query: str) -> None:
        publisher = Publisher("https://roaming.test/chs/")
        document = publisher.find(Endpoint.DIRECT, query, "http://10.0.0.7:8080")
        assert document is not None
        assert b"10.0.0.7" not in document
        assert ("eCHS-OCHP_1.4-direct", "https://roaming.test/chs/direct/ochp/v1.4") in addresses(
            document
        )

    def test_an_imported_wsdl_has_the_address_too(self, publisher: Publisher) -> None:
        document = publisher.document("/direct/ochp/ochp.wsdl", "http://[::1]:8080")
        assert document is not None
        assert addresses(document)[0][1] == "http://[::1]:8080/service/ochp/v1.4"

    @pytest.mark.parametrize(
        "base_url",
        [
            "",
            "chs.test",
            "ftp://chs.test",
            'http://a"/><x y="',
            "http://a&b",
            "http://",
            "http://a b",
        ],
    )
    def test_an_odd_host_is_refused(self, publisher: Publisher, base_url: str) -> None:
        with pytest.raises(ValueError, match="not an http or https URL"):
            publisher.wsdl(Endpoint.SERVICE, base_url)

    def test_two_callers_get_an_address_each(self, publisher: Publisher) -> None:
        first = publisher.wsdl(Endpoint.LIVE, "http://one.test")
        second = publisher.wsdl(Endpoint.LIVE, "http://two.test")
        assert b"two.test" not in first
        assert b"one.test" not in second


class TestUrls:
    @pytest.mark.parametrize("query", ["wsdl", "WSDL", "Wsdl", "wsdl=1", "a=b&wsdl", "wsdl&a=b"])
    def test_any_spelling_of_wsdl(self, publisher: Publisher, query: str) -> None:
        expected = publisher.wsdl(Endpoint.SERVICE, "http://chs.test")
        assert publisher.find(Endpoint.SERVICE, query, "http://chs.test") == expected

    @pytest.mark.parametrize("query", ["singleWsdl", "singlewsdl", "SingleWSDL"])
    def test_any_spelling_of_single_wsdl(self, publisher: Publisher, query: str) -> None:
        expected = publisher.single_wsdl(Endpoint.SERVICE, "http://chs.test")
        assert publisher.find(Endpoint.SERVICE, query, "http://chs.test") == expected

    @pytest.mark.parametrize(
        ("path", "query"),
        [
            ("/service/ochp/v1.4", ""),
            ("/service/ochp/v1.4", "xsd"),
            ("/service/ochp/v1.5", "wsdl"),
            ("/service/ochp/types/", ""),
            ("/service/ochp/types/strange.xsd", ""),
            ("/service/ochp/types/../ochp.wsdl", ""),
            ("/service/ochp/../../etc/passwd", ""),
            ("/elsewhere/ochp/ochp.wsdl", ""),
            ("", ""),
        ],
    )
    def test_nothing_else_is_there(self, publisher: Publisher, path: str, query: str) -> None:
        assert publisher.find(path, query, "http://chs.test") is None

    @every_endpoint
    def test_every_relative_url_leads_to_a_document(
        self, publisher: Publisher, endpoint: Endpoint
    ) -> None:
        base = "http://chs.test"
        waiting, seen = [f"{base}{endpoint}?wsdl"], set[str]()
        while waiting:
            url = waiting.pop()
            parts = urlsplit(url)
            document = publisher.find(parts.path, parts.query, base)
            assert document is not None, url
            seen.add(url)
            waiting += {urljoin(url, each) for each in references(document)} - seen
        names = {url.rpartition("/")[2] for url in seen}
        assert {"data-types.xsd", "array-types.xsd", "live-types.xsd"} < names
        assert ("direct-types.xsd" in names) == (endpoint is Endpoint.DIRECT)

    @every_endpoint
    def test_one_file_needs_no_other(self, publisher: Publisher, endpoint: Endpoint) -> None:
        assert references(publisher.single_wsdl(endpoint, "http://chs.test")) == []


@pytest.fixture(scope="module")
def server(publisher: Publisher) -> Iterator[str]:
    """Serve the contract over HTTP and yield the base URL."""

    class Handler(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        base_url = f"http://{environ['HTTP_HOST']}"
        found = publisher.find(environ["PATH_INFO"], environ["QUERY_STRING"], base_url)
        if found is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not here"]
        start_response("200 OK", [("Content-Type", "text/xml; charset=utf-8")])
        return [found]

    with make_server("127.0.0.1", 0, application, handler_class=Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


class TestZeep:
    @every_endpoint
    @every_query
    def test_loads_the_contract_and_finds_the_operations(
        self, server: str, endpoint: Endpoint, query: str
    ) -> None:
        with Client(f"{server}{endpoint}?{query}") as client:
            (service,) = client.wsdl.services.values()
            found = {
                (name, port.binding_options["address"])
                for port in service.ports.values()
                for name in port.binding.all()
            }
        assert found == {
            (operation.name, f"{server}{operation.endpoint}")
            for operation in OPERATIONS
            if endpoint is Endpoint.DIRECT or operation.endpoint is not Endpoint.DIRECT
        }

    @every_query
    def test_writes_a_request_with_elements_of_every_schema_file(
        self, server: str, query: str
    ) -> None:
        with Client(f"{server}{Endpoint.DIRECT}?{query}") as client:
            service = client.bind(port_name="eCHS_P-System-direct")
            message = client.create_message(
                service,
                "AddServiceEndpoints",
                operatorEndpointArray=[
                    {
                        "url": "https://cpo.test",
                        "namespaceUrl": "http://ochp.eu/1.4",
                        "accessToken": "secret",
                        "validDate": "2024-03-31",
                        "whitelist": ["DECPOE%"],
                    }
                ],
            )
        inside = next(message.iter("{http://ochp.eu/1.4}operatorEndpointArray"))
        assert [etree.QName(child).localname for child in inside] == [
            "url",
            "namespaceUrl",
            "accessToken",
            "validDate",
            "whitelist",
        ]

    def test_loads_the_contract_saved_to_disk(self, publisher: Publisher, tmp_path: Path) -> None:
        saved = tmp_path / "ochp-direct.wsdl"
        saved.write_bytes(publisher.single_wsdl(Endpoint.DIRECT, "http://chs.test"))
        with Client(str(saved)) as client:
            assert client.get_element("{http://ochp.eu/1.4}GetStatusRequest")
