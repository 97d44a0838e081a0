"""Connections that a client keeps are shared out over the workers."""

import socket
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.acceptance.harness import Server, wait_until

_CONNECTIONS = 32
_ROUNDS = 5


def test_no_worker_has_them_all(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        server.start()
        # The workers do not begin together.
        wait_until(lambda: _smaller_share(server) > 0, timeout_s=30)
        shares = [_smaller_share(server) for _ in range(_ROUNDS)]
    finally:
        server.stop()
    assert min(shares) >= _CONNECTIONS / 4


def _smaller_share(server: Server) -> int:
    """How many of a client's connections the worker has that got fewer."""
    address = urlsplit(server.address)
    port = address.port or 0
    workers = psutil.Process(server.process.pid).children(recursive=True)
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection((address.hostname or "", port)))
            for _ in range(_CONNECTIONS)
        ]
        for connection in connections:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
        for connection in connections:
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        shares = Counter(
            worker.pid
            for worker in workers
            for each in worker.net_connections("tcp4")
            if each.status == psutil.CONN_ESTABLISHED and each.laddr.port == port
        )
    return shares.most_common(2)[1][1] if len(shares) > 1 else 0
