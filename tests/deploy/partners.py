"""Partners who reach the clearing house by its proxy, over TLS."""

import http.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.acceptance.harness import SERVICE, message
from tests.support.edge import Reply
from tests.support.scale import Scale


@dataclass(frozen=True)
class Partners:
    """All of them; who calls is said with each call."""

    scale: Scale

    def connection(self, timeout_s: float = 60) -> http.client.HTTPSConnection:
        """A new connection to the proxy."""
        return http.client.HTTPSConnection(
            "127.0.0.1", self.scale.proxy_port, timeout=timeout_s, context=self.scale.tls()
        )

    def send(
        self,
        method: str,
        path: str,
        content: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own; an iterable goes out in chunks."""
        connection = self.connection()
        try:
            connection.request(
                method,
                path,
                content,
                {"Content-Type": "text/xml; charset=utf-8", **(headers or {})},
                encode_chunked=not isinstance(content, bytes | None),
            )
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def call(self, partner: str, operation: str, content: str = "") -> Reply:
        """Send an operation's request with `content` (default namespace OCHP) inside."""
        return self.send("POST", SERVICE, message(partner, operation, content))


def add_partners(scale: Scale) -> None:
    """Those who appear in the story of all operations."""
    for name, roles, party_ids in (
        ("emp", "emp", ["DE-EMP"]),
        ("cpo", "cpo", ["DE*CPO"]),
        ("cpo2", "cpo", ["NL*CP2"]),
        ("nsp", "nsp", []),
        ("nsp2", "nsp", []),
        ("pso", "pso", ["DE*PSO"]),
    ):
        scale.partner(name, roles, *party_ids)
    for other in ("emp", "nsp", "pso"):
        scale.connect("cpo", other)
