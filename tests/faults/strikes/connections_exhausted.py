"""More requests at once than PostgreSQL has connections: each is answered, and soon."""

import contextlib
import threading
import time
from random import Random

import sqlalchemy as sa

from tests.faults.site import Site
from tests.faults.strikes.cut_connections import END_ALL
from tests.faults.traffic import chapters
from tests.faults.traffic.line import Line, Surprise
from tests.faults.traffic.readers import NotServed, full_list
from tests.faults.traffic.traffic import Traffic

_CLIENTS = 60
#: Connections that the server is left with.
_LEFT = 6
_WITHIN_S = 30
#: One partner alone is not let to ask so much at once.
_PARTNERS = ("nsp", "emp1", "emp2")
#: What is answered where there is no connection.
_OF_THE_MOMENT = "at the moment"
#: A client whose request was not served is told what to do.
_HINT = "again"


def _take_all(url: str) -> list[sa.Connection]:
    """All connections that there are, but for a few; the server's too."""
    taken: list[sa.Connection] = []
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as first, contextlib.suppress(sa.exc.OperationalError):
        while True:
            first.execute(END_ALL)
            taken.append(engine.connect())
    for _ in range(_LEFT):
        taken.pop().close()
    return taken


class Crowd:
    """Many clients who all ask at once, and again as soon as they are answered."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stopped = threading.Event()
        self.served = 0
        self.refused: list[str] = []
        self.surprises: list[BaseException] = []
        self.slowest_s = 0.0
        self._threads = [
            threading.Thread(target=self._ask, args=(_PARTNERS[number % len(_PARTNERS)],))
            for number in range(_CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more; all are answered."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(2 * _WITHIN_S)
            assert not thread.is_alive()

    def _ask(self, partner: str) -> None:
        line = Line(self._site.address)
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                full_list(line, partner, chapters.EVSE_STATES)
                self.served += 1
            except NotServed as error:
                self.refused.append(str(error))
            except Surprise as surprise:
                self.surprises.append(surprise)
                return
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)


class ConnectionsExhausted:
    name = "connections exhausted"
    lasts_s = (1.0, 2.0)
    back_within_s = 15.0

    def inject(self, site: Site, dice: Random) -> None:
        """Take most of the connections away, and let a crowd ask for the rest."""
        self._taken = _take_all(site.database_url)
        self._crowd = Crowd(site)

    def expect(self, site: Site, traffic: Traffic) -> None:
        """Each client was answered in bounded time; who was not served is told to come again."""
        crowd = self._crowd
        crowd.stop()
        assert not crowd.surprises, crowd.surprises[0]
        assert crowd.slowest_s < _WITHIN_S
        assert any(_OF_THE_MOMENT in text for text in crowd.refused)
        # For others, the server itself had too many requests of theirs already.
        assert all(_HINT in text for text in crowd.refused), crowd.refused[:3]

    def heal(self, site: Site) -> None:
        """Others need their connections no more."""
        for connection in self._taken:
            connection.close()
