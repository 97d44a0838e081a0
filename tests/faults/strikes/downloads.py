"""That downloads are served while something is broken."""

import time

from tests.faults.site import Site
from tests.faults.traffic import chapters
from tests.faults.traffic.line import Line
from tests.faults.traffic.readers import full_list

_WITHIN_S = 15


def assert_served(site: Site) -> None:
    """A whole list and a delta, in bounded time."""
    line, began = Line(site.address), time.monotonic()
    for partner, chapter in (("cpo1", chapters.TOKENS), ("nsp", chapters.CHARGE_POINTS)):
        full_list(line, partner, chapter)
    assert time.monotonic() - began < _WITHIN_S
