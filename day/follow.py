"""What a partner knows of others' data: a full list, then what changed since it last asked."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from lxml import etree

from day.records import GONE, Versions
from day.wire import Line
from ochp_chs.ochp.times import format_date_time

_LONG_AGO = "2000-01-01T00:00:00Z"


class View:
    """One feed as one partner knows it."""

    def __init__(
        self,
        line: Line,
        *,
        ask: str,
        since: str,
        element: str,
        read: Callable[[etree._Element], tuple[str, int]],
    ) -> None:
        self.known: Versions = {}
        self._line = line
        self._ask = ask
        self._since = since
        self._element = element
        self._read = read
        self._last_update = _LONG_AGO

    def begin(self, operation: str, element: str) -> None:
        """Fetch the full list."""
        asked_at = format_date_time(datetime.now(UTC))
        self.known = dict(map(self._read, self._line.records(operation, element)))
        self._last_update = asked_at

    def poll(self) -> None:
        """Fetch what changed since the last request was sent."""
        asked_at = format_date_time(datetime.now(UTC))
        since = f"<{self._since}><DateTime>{self._last_update}</DateTime></{self._since}>"
        records = self._line.records(self._ask, self._element, since)
        self.known |= dict(map(self._read, records))
        self._last_update = asked_at

    def differences(self, truths: Iterable[Versions]) -> list[str]:
        """What is known otherwise than it is; withdrawn records may be unknown."""
        expected: Versions = {}
        for truth in truths:
            expected |= truth
        current = {key: version for key, version in expected.items() if version != GONE}
        found = {key: version for key, version in self.known.items() if version != GONE}
        return [
            f"{self._line.partner} {self._ask}: {key} is known as {found.get(key)}, not as"
            f" {current.get(key)}"
            for key in sorted(current.keys() | found.keys())
            if current.get(key) != found.get(key)
        ]
