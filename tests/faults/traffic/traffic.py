"""All partners at work at once."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from tests.faults.traffic.line import Address, Line
from tests.faults.traffic.readers import Asker, Follower, NotServed, all_followers
from tests.faults.traffic.senders import Sender, all_senders

_PAUSE_S_MAX = 0.2
_STOP_TIMEOUT_S = 120


@dataclass
class Traffic:
    """Senders and readers, each with a thread of its own while the traffic flows."""

    senders: Mapping[str, Sender]
    followers: Sequence[Follower]
    asker: Asker
    dice: random.Random
    #: How many questions were not answered since the traffic began to flow.
    not_served: int = 0
    _surprises: list[BaseException] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def to(cls, address: Callable[[], Address], seed: int) -> Self:
        """The traffic to the server of this address."""

        def line(keeps: bool) -> Line:
            return Line(address, keeps=keeps)

        return cls(all_senders(line), all_followers(line), Asker(line(True)), random.Random(seed))

    @property
    def pending(self) -> Sequence[Sender]:
        """Those who wait for an answer that never came."""
        return [sender for sender in self.senders.values() if sender.book.pending is not None]

    @property
    def answered(self) -> int:
        """How many messages were answered as taken."""
        return sum(sum(each.book.answered.values()) for each in self.senders.values())

    def start(self) -> None:
        """Let it flow."""
        self._stopped.clear()
        self.not_served = 0
        self._threads = [
            threading.Thread(target=self._run, args=(step, random.Random(self.dice.random())))
            for step in (
                *(sender.step for sender in self.senders.values()),
                *(self._asking(reader.step) for reader in (*self.followers, self.asker)),
            )
        ]
        for thread in self._threads:
            thread.start()

    def flow_for(self, seconds: float) -> None:
        """Let it go on for a while; shorter if somebody saw what nobody should see."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._surprises:
            time.sleep(0.02)

    def stop(self) -> None:
        """Begin nothing more, and wait for what was begun; raises what nobody should have seen."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(_STOP_TIMEOUT_S)
            if thread.is_alive():
                raise AssertionError("a client waits for an answer for ever")
        self._threads = []
        # A connection that is kept may be to a process that is dead by now.
        self.hang_up()
        if self._surprises:
            raise self._surprises[0]

    def hang_up(self) -> None:
        """Close the connections that are kept."""
        for client in (*self.senders.values(), *self.followers, self.asker):
            client.line.close()

    def repeat(self) -> None:
        """Send once more what was not answered, as any client does; now it must be."""
        for sender in self.pending:
            earlier = sender.reason
            if not sender.deliver():
                raise AssertionError(
                    f"{sender.book.name}: not served though all is well: {sender.reason};"
                    f" before: {earlier}"
                )

    def _run(self, step: Callable[[random.Random], bool], dice: random.Random) -> None:
        try:
            while not self._stopped.is_set() and step(dice):
                self._stopped.wait(dice.uniform(0, _PAUSE_S_MAX))
        except BaseException as error:
            self._surprises.append(error)

    def _asking(self, step: Callable[[random.Random], None]) -> Callable[[random.Random], bool]:
        def asking(dice: random.Random) -> bool:
            try:
                step(dice)
            except NotServed:
                self.not_served += 1
                # As a client would: not at once again.
                self._stopped.wait(0.2)
            return True

        return asking
