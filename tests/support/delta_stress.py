"""Many senders against many followers of one feed, each with a server of its own."""

import io
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from ochp_chs.repository.engine import Database
from ochp_chs.repository.feeds import Feed
from tests.support import delta
from tests.support.delta import Chapter, Follower, Publish, Sender
from tests.support.edge import Edge, envelope

SENDERS = 8
FOLLOWERS = 8
TOLERANCE_S = 1

#: What the one upload brings that is held where it hurts most; no other upload touches these.
HELD_KEYS = (1001, 1002)

_KEYS = 60
#: What a long upload brings; more than travel in one statement.
_LONG_RECORDS = 250
_LONG_S = 1.5
#: So often every follower polls, even if it takes longer, but not for ever.
POLLS_MIN = 6
PATIENCE_S = 60
#: The longest that the one held upload waits for polls: they cannot come where they wait for it.
#: Where they need not, one comes, however slow the machine is.
HELD_S_MAX = 1.0
HELD_UNPROTECTED_S_MAX = 8.0


class Interrupted(Exception):
    """An upload fails between its time and its commit."""


class SlowBody(io.BytesIO):
    """A message that takes its time to arrive."""

    def __init__(self, content: bytes, seconds: float) -> None:
        super().__init__(content)
        self._piece = len(content) // 20 + 1
        self._pause_s = seconds / 20

    def read(self, size: int | None = -1) -> bytes:
        """A small piece, after a pause."""
        time.sleep(self._pause_s)
        return super().read(self._piece if not size or size < 0 else min(self._piece, size))


@dataclass
class Arena:
    """One run: everybody's clock, who failed, and who misses what."""

    chapter: Chapter
    url: str
    seed: int
    #: What is under test, or what is put in its place.
    publish: Publish
    stopped: threading.Event = field(default_factory=threading.Event)
    failures: list[BaseException] = field(default_factory=list)
    #: When each follower asked for the answer that it had last.
    answered: list[float] = field(default_factory=lambda: [0.0] * FOLLOWERS)
    held_s_max: float = HELD_S_MAX
    polls: list[int] = field(default_factory=lambda: [0] * FOLLOWERS)
    senders: list[Sender] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)
    _this: threading.local = field(default_factory=threading.local)

    def run(self, seconds: float) -> set[str]:
        """Let all go on for a while; then what any follower lacks after one more poll."""
        self.senders = [Sender(self.chapter, number) for number in range(SENDERS)]
        self.followers = [
            Follower(self.chapter, timedelta(seconds=TOLERANCE_S * (2 * n / (FOLLOWERS - 1) - 1)))
            for n in range(FOLLOWERS)
        ]
        tasks: list[Callable[[Edge, random.Random], None]] = [
            *(self._sending(sender) for sender in self.senders),
            *(self._following(number) for number in range(FOLLOWERS)),
        ]
        threads = [
            threading.Thread(target=self._run, args=(task, place))
            for place, task in enumerate(tasks)
        ]
        for thread in threads:
            thread.start()
        self.stopped.wait(seconds)
        # On a slow machine, until what is to be shown was tried.
        slowest = time.monotonic() + PATIENCE_S
        while min(self.polls) < POLLS_MIN and time.monotonic() < slowest:
            if self.stopped.wait(0.1):
                break
        self.stopped.set()
        for thread in threads:
            thread.join(60)
        if self.failures:
            raise self.failures[0]
        return self._missed()

    @property
    def held(self) -> set[str]:
        """The records of the upload that was held."""
        return set(self.senders[0].versions(dict.fromkeys(HELD_KEYS, 2)))

    def _missed(self) -> set[str]:
        committed = {key: v for sender in self.senders for key, v in sender.committed.items()}
        assert len(committed) > SENDERS
        with _server(self.url) as edge:
            for follower in self.followers:
                follower.poll(edge)
        return {key for follower in self.followers for key in follower.lacks(committed)}

    def _run(self, task: Callable[[Edge, random.Random], None], place: int) -> None:
        try:
            with _server(self.url) as edge:
                task(edge, random.Random(self.seed * 1000 + place))
        except BaseException as error:
            self.failures.append(error)
            self.stopped.set()

    def _following(self, number: int) -> Callable[[Edge, random.Random], None]:
        follower = self.followers[number]

        def follow(edge: Edge, dice: random.Random) -> None:
            while not self.stopped.is_set():
                asked_at = time.monotonic()
                follower.poll(edge)
                self.answered[number] = asked_at
                self.polls[number] += 1
                time.sleep(dice.uniform(0, 0.1))

        return follow

    def _sending(self, sender: Sender) -> Callable[[Edge, random.Random], None]:
        if sender.number == 0:
            return lambda edge, dice: self._send_held(sender, edge, dice)
        kind = (self._send_short, self._send_long, self._send_broken)[sender.number % 3]

        def send(edge: Edge, dice: random.Random) -> None:
            self._this.dice = dice
            version = 0
            while not self.stopped.is_set():
                version += 1
                kind(sender, edge, dice, version)
                time.sleep(dice.uniform(0, 0.05))

        return send

    def _send_held(self, sender: Sender, edge: Edge, dice: random.Random) -> None:
        """Once, an upload that all followers poll past, before its time and after it."""
        sender.update(edge, {HELD_KEYS[0]: 1})
        self._this.held = True
        sender.update(edge, dict.fromkeys(HELD_KEYS, 2))
        self._this.held = False
        self._this.dice = dice
        version = 2
        while not self.stopped.is_set():
            version += 1
            self._send_long(sender, edge, dice, version)

    def _send_short(self, sender: Sender, edge: Edge, dice: random.Random, version: int) -> None:
        if sender.chapter.replace and dice.random() < 0.2:
            keys = dice.sample(range(_KEYS), dice.randint(1, _KEYS))
            sender.replace(edge, dict.fromkeys(keys, version))
        else:
            keys = dice.sample(range(_KEYS), dice.randint(1, 5))
            sender.update(edge, dict.fromkeys(keys, version))

    def _send_long(self, sender: Sender, edge: Edge, dice: random.Random, version: int) -> None:
        records = dict.fromkeys(range(dice.randint(1, _LONG_RECORDS)), version)
        body = self._message(sender, records)
        slow = SlowBody(body, dice.uniform(0.1, _LONG_S))
        assert edge.post(body, **{"wsgi.input": slow}).result == "ok"
        sender.note(records)

    def _send_broken(self, sender: Sender, edge: Edge, dice: random.Random, version: int) -> None:
        records = dict.fromkeys(dice.sample(range(_KEYS), 5), version)
        way = dice.randrange(3)
        if way == 0:
            body = self._message(sender, records).replace(b"</s:Body>", b"</s:Corpse>")
            assert edge.post(body).fault
        elif way == 1:
            self._this.interrupted = True
            try:
                assert edge.post(self._message(sender, records)).result != "ok"
            finally:
                self._this.interrupted = False
        else:
            sender.update(edge, records)

    def _message(self, sender: Sender, records: Mapping[int, int]) -> bytes:
        request = BY_NAME[self.chapter.update].request
        return envelope(
            delta.sender_name(sender.number),
            f'<{request} xmlns="{NAMESPACE}">{sender.content(records)}</{request}>',
        )

    def publish_with_pauses(self, connection: sa.Connection, feed: Feed, identifier: int) -> None:
        """Stands in for changes.publish: the same, with time passing before and after."""
        held = getattr(self._this, "held", False)
        self._pause(held)
        self.publish(connection, feed, identifier)
        self._pause(held)
        if getattr(self._this, "interrupted", False):
            raise Interrupted

    def _pause(self, held: bool) -> None:
        if not held:
            time.sleep(self._this.dice.uniform(0, 0.03) if hasattr(self._this, "dice") else 0)
            return
        # Until the follower whose clock is furthest ahead has polled in a later second, for whom
        # the tolerance is used up. Where polls wait for this upload, none comes.
        later = time.monotonic() + 1.05
        while self.answered[-1] < later and time.monotonic() < later + self.held_s_max:
            time.sleep(0.01)


@contextmanager
def _server(url: str) -> Iterator[Edge]:
    """A server of one's own: connections and caches."""
    database = Database(url, pool_size=2, lock_timeout_ms=30_000)
    try:
        yield delta.server_on(database, tolerance_s=TOLERANCE_S)
    finally:
        database.dispose()
