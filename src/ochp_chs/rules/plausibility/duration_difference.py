"""Rule duration-difference."""

from collections.abc import Mapping
from datetime import timedelta

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Parameter, Rule, Value

ID = "duration-difference"

PARAMETERS = (
    Parameter(
        "tolerance_s",
        int,
        60,
        "s",
        "how far the duration may be from the difference, for systems that count minutes",
        maximum=86_400,
    ),
)


def check(cdr: Cdr, _context: Context, parameters: Mapping[str, Value]) -> Violation | None:
    """The duration, where it is sent, is the time between start and end.

    PROTOCOL, "Plausibility", within `tolerance_s`. The time that really passed counts: over a
    change of summer time it differs from the difference of the two times of day.
    """
    if cdr.duration is None:
        return None
    difference = cdr.end - cdr.start
    if abs(cdr.duration - difference) <= timedelta(seconds=int(parameters["tolerance_s"])):
        return None
    return Violation(
        ID,
        "duration",
        _written(cdr.duration),
        f"between start and end there are {_written(difference)}",
    )


def _written(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600:03}:{seconds // 60 % 60:02}:{seconds % 60:02}"


RULE = Rule(ID, Severity.REJECT, check, PARAMETERS)
