"""Logging: one line per event, as JSON for machines or in colours for people, through structlog.

The standard library's loggers (gunicorn, SQLAlchemy, Alembic), its warnings and what no thread
expected end in the same stream. No line holds what a partner sent: see masking.py.
"""

import contextlib
import json
import logging
import sys
import threading
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from ochp_chs.config import LogFormat, LogLevel
from ochp_chs.masking import ExceptionInfo, masked, traceback_text

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)

_writing = threading.Lock()


def configure(level: LogLevel, style: LogFormat, stream: TextIO | None = None) -> None:
    """Set up logging for this process; a second call replaces the first. Default: stderr."""
    stream = stream or sys.stderr
    if style is LogFormat.AUTO:
        style = LogFormat.CONSOLE if stream.isatty() else LogFormat.JSON
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, _mask_event],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(style, colours=stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Alembic tells of every step it looks at, SQLAlchemy of every connection.
    for noisy in ("alembic", "sqlalchemy", "ochp_chs.repository.pool"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    # Our own events are rendered here and written at once: by way of the standard library, the
    # line of a small request would cost more than reading the request.
    structlog.configure(
        processors=[*_SHARED, *_renderers(style, colours=stream.isatty())],
        logger_factory=lambda name="": _NamedLines(name, stream),
        wrapper_class=structlog.make_filtering_bound_logger(level.value),
        cache_logger_on_first_use=False,
    )


# Made once: json.dumps would make one for each line.
_encoder = json.JSONEncoder(ensure_ascii=False, default=repr)


def _json(event: EventDict, **_: Any) -> str:
    return _encoder.encode(event)


def _write_traceback(out: TextIO, information: ExceptionInfo) -> None:
    out.write(f"\n{traceback_text(information)}")


def _mask_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    # Other people's messages quote paths, headers and errors.
    event["event"] = masked(str(event["event"]))
    return event


def _log_uncaught(_kind: type[BaseException], error: BaseException, _trace: Any) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    structlog.get_logger(__name__).critical("uncaught error", exc_info=error)


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
        structlog.get_logger(__name__).critical(
            "uncaught error in a thread",
            thread=arguments.thread.name if arguments.thread else None,
            exc_info=arguments.exc_value,
        )


class _NamedLines:
    """Writes lines, one at a time; the name is that of the module that logs."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name = name
        self._stream = stream

    def msg(self, line: str) -> None:
        # As in the standard library, a request must not fail because nobody takes its line.
        with _writing, contextlib.suppress(OSError, ValueError):
            self._stream.write(f"{line}\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


def _renderers(style: LogFormat, *, colours: bool) -> list[Processor]:
    if style is LogFormat.CONSOLE:
        return [
            structlog.dev.ConsoleRenderer(
                colors=colours,
                exception_formatter=_write_traceback,
            )
        ]
    return [
        structlog.processors.ExceptionRenderer(traceback_text),
        structlog.processors.JSONRenderer(serializer=_json),
    ]
