"""The proxy: what it lets through, what it keeps out, and that nothing is lost by it."""

import contextlib
import http.client
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
from lxml import etree

from tests.acceptance.harness import SERVICE, message, streamed
from tests.deploy.partners import Partners, add_partners
from tests.support.edge import SOAP
from tests.support.scale import Scale
from tests.support.tokens import token_xml

_TOKENS = 60_000
_PROXY_MIB_MAX = 96


@pytest.fixture(scope="module")
def partners(topology: Scale) -> Partners:
    add_partners(topology)
    partners = Partners(topology)
    topology.wait_until_in_use(topology.nodes[0])
    return partners


def tokens(count: int) -> Iterator[str]:
    for number in range(count):
        yield token_xml(f"04{number:010X}", contract_id=f"DE-EMP-C{number:08d}")


class TestWhatPartnersReach:
    @pytest.mark.parametrize("path", ["/", "/healthz", f"{SERVICE}?wsdl", "/live/ochp/v1.4?wsdl"])
    def test_pages(self, partners: Partners, path: str) -> None:
        assert partners.send("GET", path).status == 200

    @pytest.mark.parametrize(
        "path",
        ["/metrics", "/metrics/", "//metrics", "/readyz", "/service/ochp/../../metrics", "/other"],
    )
    def test_the_rest_stays_inside(self, partners: Partners, path: str) -> None:
        reply = partners.send("GET", path)

        assert reply.status == 404
        assert b"ochp" not in reply.content

    def test_other_methods(self, partners: Partners) -> None:
        assert partners.send("DELETE", SERVICE).status == 405

    def test_the_contract_has_the_address_that_partners_use(self, partners: Partners) -> None:
        wsdl = partners.send("GET", f"{SERVICE}?wsdl", headers={"Host": "chs.example.org"})

        assert b'location="https://chs.example.org/service/ochp/v1.4"' in wsdl.content

    def test_who_they_are_is_told_by_the_proxy_alone(self, partners: Partners) -> None:
        partners.send(
            "POST",
            SERVICE,
            message("cpo", "GetRoamingAuthorisationList"),
            {"X-Forwarded-For": "203.0.113.99", "Forwarded": "for=203.0.113.99"},
        )

        logs = "".join(node.log for node in partners.scale.nodes)
        assert '"address": "127.0.0.1"' in logs
        assert "203.0.113.99" not in logs


class TestTls:
    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
    def test_old_versions_are_refused(self, topology: Scale) -> None:
        context = topology.tls()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1

        with (
            socket.create_connection(("127.0.0.1", topology.proxy_port), timeout=10) as plain,
            pytest.raises(ssl.SSLError),
        ):
            context.wrap_socket(plain, server_hostname="localhost")

    def test_http_without_it_is_no_answer(self, topology: Scale) -> None:
        with socket.create_connection(("127.0.0.1", topology.proxy_port), timeout=10) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            said = b""
            with contextlib.suppress(ConnectionResetError):
                said = plain.recv(100)

        assert not said.startswith(b"HTTP/1.1 200")


class TestLimits:
    def test_large_header(self, partners: Partners) -> None:
        assert partners.send("GET", "/healthz", headers={"X-Long": "x" * 40_000}).status == 400

    def test_many_headers(self, partners: Partners) -> None:
        many = {f"X-{number}": "x" for number in range(80)}

        assert partners.send("GET", "/healthz", headers=many).status == 400

    def test_message_that_says_it_is_too_large(self, partners: Partners) -> None:
        connection = partners.connection()
        connection.putrequest("POST", SERVICE)
        connection.putheader("Content-Length", str(1 << 31))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()


class TestBodies:
    def test_stream_through_and_are_not_kept(self, partners: Partners) -> None:
        assert partners.scale.proxy.process is not None
        process = psutil.Process(partners.scale.proxy.process.pid)
        peak = [0]
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.02):
                peak[0] = max(peak[0], process.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            content = streamed("emp", "SetRoamingAuthorisationList", tokens(_TOKENS))
            assert partners.send("POST", SERVICE, content).result == "ok"
            listed = partners.call("cpo", "GetRoamingAuthorisationList")
        finally:
            done.set()
            watcher.join()

        assert listed.content.count(b"<contractId>") == _TOKENS
        assert len(listed.content) > 14 << 20
        assert peak[0] < _PROXY_MIB_MAX << 20

    def test_answer_that_breaks_off_at_the_node_breaks_off_for_the_partner(
        self, partners: Partners
    ) -> None:
        content = streamed("emp", "SetRoamingAuthorisationList", tokens(_TOKENS))
        assert partners.send("POST", SERVICE, content).result == "ok"
        connection = partners.connection()
        sent = message("cpo", "GetRoamingAuthorisationList")
        connection.request("POST", SERVICE, sent, {"Content-Type": "text/xml; charset=utf-8"})
        answer = connection.getresponse()
        begun = answer.read(100_000)
        assert len(begun) == 100_000

        for node in partners.scale.nodes:
            node.kill()
        try:
            # Whatever is still on its way, and then not the end.
            with pytest.raises((http.client.IncompleteRead, OSError)):
                answer.read()
        finally:
            connection.close()
            for node in partners.scale.nodes:
                node.start()
            for node in partners.scale.nodes:
                node.wait_until_ready()
            partners.scale.wait_until_in_use(partners.scale.nodes[0])


class TestNodes:
    def test_none_of_them(self, partners: Partners) -> None:
        nodes = partners.scale.nodes
        for node in nodes:
            node.leave()
        for node in nodes:
            node.stop()
        try:
            time.sleep(2.5)
            reply = partners.call("cpo", "GetRoamingAuthorisationList")
        finally:
            for node in nodes:
                node.start()
            for node in nodes:
                node.wait_until_ready()
            partners.scale.wait_until_in_use(nodes[0])

        assert (reply.status, reply.headers["retry-after"]) == (503, "10")
        fault = etree.fromstring(reply.content).find(f".//{{{SOAP}}}Fault")
        assert "Nothing was stored" in fault.findtext("faultstring")

    def test_one_that_dies_over_a_request(self, partners: Partners) -> None:
        nodes = partners.scale.nodes
        connection = partners.connection()
        # Half of a message: some node has begun to read it.
        connection.putrequest("POST", SERVICE)
        connection.putheader("Content-Type", "text/xml; charset=utf-8")
        sent = message("cpo", "GetRoamingAuthorisationList")
        connection.putheader("Content-Length", str(len(sent)))
        connection.endheaders(sent[:100])
        time.sleep(0.5)
        for node in nodes:
            node.kill()
        try:
            reply = connection.getresponse()
            fault = etree.fromstring(reply.read()).find(f".//{{{SOAP}}}Fault")
        finally:
            connection.close()
            for node in nodes:
                node.start()
            for node in nodes:
                node.wait_until_ready()
            partners.scale.wait_until_in_use(nodes[0])

        assert reply.status == 502
        assert "a repeat does no harm" in fault.findtext("faultstring")

    def test_one_after_the_other_is_replaced_and_nobody_notices(self, partners: Partners) -> None:
        done = threading.Event()
        results: list[str | None] = []

        def upload(who: int) -> None:
            number = 0
            while not done.is_set():
                number += 1
                record = token_xml(f"05{who:02X}{number:06X}", contract_id=f"DE-EMP-D{who:08d}")
                try:
                    results.append(
                        partners.call("emp", "UpdateRoamingAuthorisationList", record).result
                    )
                except (OSError, http.client.HTTPException, AttributeError) as error:
                    results.append(repr(error))

        threads = [threading.Thread(target=upload, args=[who]) for who in range(4)]
        for thread in threads:
            thread.start()
        try:
            for node in partners.scale.nodes:
                partners.scale.replace(node)
        finally:
            done.set()
            for thread in threads:
                thread.join()

        assert set(results) == {"ok"}
        assert len(results) > 100

    def test_proxy_that_ends_finishes_what_it_began(self, partners: Partners) -> None:
        connection = partners.connection()
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"

        proxy = partners.scale.proxy
        assert proxy.process is not None
        proxy.process.send_signal(signal.SIGUSR1)
        connection.close()

        assert proxy.process.wait(20) == 0
        proxy.start()
        proxy.wait_for_port(partners.scale.proxy_port)
