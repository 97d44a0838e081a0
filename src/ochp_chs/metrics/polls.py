"""When each partner last asked for what it follows: noted in memory, kept in the database.

Who stops asking misses changes, and nothing else would show it: a partner that does not call makes
no errors.
"""

import threading
import time
from collections.abc import Callable, Mapping

from ochp_chs.repository.engine import Database
from ochp_chs.repository.polls import keep_polls

#: The operations by which a partner keeps up with a feed.
FEEDS: Mapping[str, str] = {
    "GetRoamingAuthorisationList": "tokens",
    "GetRoamingAuthorisationListUpdates": "tokens",
    "GetChargePointList": "charge-points",
    "GetChargePointListUpdates": "charge-points",
    "GetTariffUpdates": "tariffs",
    "GetStatus": "live-status",
    "GetCDRs": "cdrs",
    "CheckCDRs": "declined-cdrs",
    "GetServiceEndpoints": "endpoints",
}


class Polls:
    """The newest poll of each partner and feed; to be shared by the threads of a process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._newest: dict[tuple[int, str], float] = {}

    def note(self, partner_id: int, feed: str) -> None:
        """A partner has just been given what it asked for."""
        now = self._monotonic()
        with self._lock:
            self._newest[partner_id, feed] = now

    def keep(self, database: Database) -> None:
        """Write what was noted since the last time; what cannot be written is kept for the next."""
        with self._lock:
            noted, self._newest = self._newest, {}
        if not noted:
            return
        try:
            now = self._monotonic()
            with database.begin() as connection:
                keep_polls(
                    connection,
                    # In one order for everybody: no two processes wait for each other.
                    [(*key, now - noted[key]) for key in sorted(noted)],
                )
        except BaseException:
            with self._lock:
                self._newest = noted | self._newest
            raise
