"""The server process: embedded PostgreSQL if wanted, migrations, then gunicorn in this process."""

import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from ochp_chs import logs
from ochp_chs.config import Settings
from ochp_chs.metrics.workers import remove_files_of
from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Database
from ochp_chs.serving.departure import Departure
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from ochp_chs.serving.errors import AddressError
from ochp_chs.serving.pace import Patience
from ochp_chs.serving.shares import ConnectionCounts
from ochp_chs.serving.worker import BoundedThreadWorker

log = structlog.get_logger(__name__)

#: A worker's main thread says this often that it lives, however long its requests take; a worker
#: that is silent for so long is replaced.
_HEARTBEAT_TIMEOUT_S = 120
_KEEPALIVE_S = 65
_ARENAS_MAX = 2
_M_ARENA_MAX = -8
_MAPPED_FROM_BYTES = 1024 * 1024
_M_MMAP_THRESHOLD = -3


def run(
    settings: Settings,
    *,
    apply_migrations: bool = True,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or SIGQUIT; then leave by SystemExit.

    ``on_ready`` is called in the master with the server's address as soon as connections are
    accepted, just before the workers start: it must return at once.
    """
    logs.configure(settings.log_level, settings.log_format)
    _check_address(settings.host, settings.port)
    _limit_malloc()
    # Until gunicorn takes over, a SIGTERM must stop PostgreSQL on its way out too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        postgres: EmbeddedPostgres | None = None
        if settings.database_url is None:
            postgres = stack.enter_context(EmbeddedPostgres(settings.data_dir))
            settings = settings.model_copy(update={"database_url": postgres.url})
        _prepare_schema(settings.database_url or "", apply_migrations=apply_migrations)
        _Application(settings, postgres, on_ready).run()


def _check_address(host: str, port: int) -> None:
    # gunicorn would try for five seconds, with a line for each try, after PostgreSQL was started.
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        raise AddressError(f"cannot listen on {_bind(host, port)}: {error.strerror}") from error


def _prepare_schema(url: str, *, apply_migrations: bool) -> None:
    database = Database(url, pool_size=1)
    try:
        database.ping()
        with database.begin() as connection:
            current = migrate.current_revision(connection)
    finally:
        database.dispose()
    if current == migrate.head_revision():
        return
    if current is not None and current > migrate.head_revision():
        # The next release has come already: its migrations leave this one working.
        log.warning("schema is newer than this release", found=current)
    elif apply_migrations:
        log.info("schema migrated", was=current, now=migrate.upgrade(url))
    else:
        log.warning("schema is not as wanted", found=current, wanted=migrate.head_revision())


def _limit_malloc() -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    # Each thread would get a heap of its own, which keeps what a large message once needed.
    if "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, _ARENAS_MAX)
    # Left to itself, the threshold rises with the first large piece that is freed, and the many
    # megabytes that verifying a password takes would then come from the heap and stay in it.
    if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)


class _Application(BaseApplication):  # type: ignore[misc]
    """gunicorn's view of the application: its configuration, and how to load it in a worker."""

    def __init__(
        self,
        settings: Settings,
        postgres: EmbeddedPostgres | None,
        on_ready: Callable[[str], None] | None,
    ) -> None:
        self.settings = settings
        self.patience = Patience(
            settings.read_timeout_s, settings.transfer_timeout_s, settings.min_bytes_per_s
        )
        #: Where all workers together count the requests of each partner: made before they are.
        self.slots_file = os.memfd_create("ochp-chs-slots")
        self.departure = Departure()
        self.connection_counts = ConnectionCounts()
        self._postgres = postgres
        self._on_ready = on_ready
        super().__init__()

    def load_config(self) -> None:
        settings = self.settings
        options: dict[str, Any] = {
            "bind": _bind(settings.host, settings.port),
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": BoundedThreadWorker,
            "worker_tmp_dir": _memory_dir(),
            "timeout": _HEARTBEAT_TIMEOUT_S,
            "graceful_timeout": settings.graceful_timeout_s,
            "keepalive": _KEEPALIVE_S,
            "logger_class": _Logger,
            "loglevel": settings.log_level.value,
            "proc_name": "ochp-chs",
            "limit_request_fields": settings.max_http_headers,
            "limit_request_field_size": settings.max_http_header_bytes,
            "control_socket_disable": True,
            # What a proxy says is read in one place: serving/proxies.py. gunicorn reads none of it,
            # whoever it comes from, and need not look each time who that is.
            "forwarded_allow_ips": "*",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "when_ready": self._ready,
            "child_exit": lambda _, worker: self.connection_counts.forget(worker.age),
            "on_exit": lambda _: remove_files_of(os.getpid()),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the application, in a worker: connections must not be shared over a fork."""
        from ochp_chs.app import build_app

        return build_app(
            self.settings,
            is_leaving=self.departure.is_announced,
            slots_file=self.slots_file,
            has_other_workers=True,
        )

    def run(self) -> None:
        _Master(self).run()

    def look_after_postgres(self) -> None:
        """Start the embedded PostgreSQL again if it died; called about every second."""
        if self._postgres is None:
            return
        try:
            if self._postgres.ensure_running():
                log.error("PostgreSQL was gone", see=str(self._postgres.log_file))
        except Exception:
            # The next round tries again; the server itself must not die of this.
            log.exception("PostgreSQL is gone and cannot be started")

    def _ready(self, master: Arbiter) -> None:
        address = _url(master.LISTENERS[0].sock.getsockname())
        log.info("serving", address=address, settings=self.settings.describe())
        if self._on_ready is not None:
            self._on_ready(address)


class _Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master, which also looks after PostgreSQL and takes its leave from proxies.

    Not a thread: forking workers beside a running thread can deadlock them.
    """

    _leaves_at: float | None = None

    def handle_term(self) -> None:
        """Go, at once or after the announcement; a second SIGTERM does not wait any longer."""
        # Connections that nobody has accepted yet are reset when the socket is closed, and what a
        # proxy has sent over one of them it must not send again: it cannot know what became of it.
        # So it has to stop sending before.
        drain_s = self.app.settings.drain_s
        if drain_s == 0 or self._leaves_at is not None:
            super().handle_term()
        self.app.departure.announce()
        self._leaves_at = time.monotonic() + drain_s
        log.info("leaving", seconds=drain_s)

    def murder_workers(self) -> None:
        """Replace dead workers; called about every second."""
        if self._leaves_at is not None and time.monotonic() >= self._leaves_at:
            super().handle_term()
        super().murder_workers()
        self.app.look_after_postgres()


class _Logger(Logger):  # type: ignore[misc]
    """gunicorn's messages go where all others go; requests are logged by the application."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers = []
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)

    def access(self, *_: Any) -> None:
        """Nothing: see ochp_chs.app."""


def _bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _url(address: tuple[Any, ...]) -> str:
    return f"http://{_bind(str(address[0]), int(address[1]))}"


def _memory_dir() -> str | None:
    # Workers touch a file to say that they live; a slow disk must not make them look dead.
    shared = Path("/dev/shm")  # noqa: S108 - a place for a nameless file
    return str(shared) if shared.is_dir() and os.access(shared, os.W_OK | os.X_OK) else None
