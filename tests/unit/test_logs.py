import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from ochp_chs import logs
from ochp_chs.config import LogFormat, LogLevel


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept = root.handlers, root.level, sys.excepthook, threading.excepthook
    yield io.StringIO()
    logging.captureWarnings(False)
    root.handlers, root.level, sys.excepthook, threading.excepthook = kept
    structlog.reset_defaults()


def check(password: str) -> None:
    if len(password) < 8:
        raise ValueError("broken")


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_event_is_one_json_line_with_its_values(stream):
    logs.configure(LogLevel.INFO, LogFormat.JSON, stream)

    structlog.get_logger("ochp_chs.somewhere").info("request", status=200, partner="Zoë\nX")

    (line,) = lines(stream)
    assert line["event"] == "request"
    assert line["status"] == 200
    assert line["partner"] == "Zoë\nX"
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_standard_library_loggers_end_in_the_same_stream(stream):
    logs.configure(LogLevel.INFO, LogFormat.JSON, stream)

    logging.getLogger("gunicorn.error").info("Booting worker with pid: %s", 7)

    (line,) = lines(stream)
    assert line["event"] == "Booting worker with pid: 7"


def test_what_is_less_severe_is_not_logged(stream):
    logs.configure(LogLevel.WARNING, LogFormat.JSON, stream)

    structlog.get_logger("ochp_chs.somewhere").info("request")
    logging.getLogger("elsewhere").info("something")

    assert stream.getvalue() == ""


def test_exception_is_part_of_the_line(stream):
    logs.configure(LogLevel.INFO, LogFormat.JSON, stream)

    try:
        check("")
    except ValueError:
        structlog.get_logger("ochp_chs.somewhere").exception("request failed")

    (line,) = lines(stream)
    assert "ValueError: broken" in str(line["exception"])


def test_console_traceback_shows_no_values_of_variables(stream):
    logs.configure(LogLevel.INFO, LogFormat.CONSOLE, stream)

    try:
        check("hunter" + "2")
    except ValueError:
        structlog.get_logger("ochp_chs.somewhere").exception("request failed")

    assert "ValueError: broken" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_auto_is_json_where_nobody_looks(stream):
    logs.configure(LogLevel.INFO, LogFormat.AUTO, stream)

    structlog.get_logger("ochp_chs.somewhere").info("request")

    assert lines(stream)[0]["event"] == "request"


def test_nobody_takes_the_line(stream):
    logs.configure(LogLevel.INFO, LogFormat.JSON, stream)
    stream.close()

    structlog.get_logger("ochp_chs.somewhere").info("request")


def test_line_says_which_module_logs(stream):
    logs.configure(LogLevel.INFO, LogFormat.JSON, stream)

    structlog.get_logger("ochp_chs.somewhere").info("request")

    assert lines(stream)[0]["logger"] == "ochp_chs.somewhere"
