"""Uploads and polls that overlap, step by step: nothing is missing (repository/changes.py).

Each situation is also gone through with what is often done instead, and loses a change then.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from ochp_chs.repository import changes, connections
from ochp_chs.repository.engine import Database
from ochp_chs.repository.partners import find_partner
from tests.support import delta
from tests.support.delta import CHAPTERS, GONE, Chapter, Follower, Gate, Sender
from tests.support.edge import Edge
from tests.support.live_status import make_everything_older

_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

#: Instead of changes.publish and changes.await_publishers.
Protection = tuple[delta.Publish, Callable[..., None]]
PROTECTED: Protection = (changes.publish, changes.await_publishers)
BEGIN_OF_TRANSACTION: Protection = (delta.publish_begin_of_transaction, changes.await_publishers)
WITHOUT_LOCK: Protection = (delta.publish_without_lock, changes.await_publishers)
WITHOUT_WAITING: Protection = (changes.publish, delta.await_nobody)

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda each: each.name)
each_chapter_with_sets = pytest.mark.parametrize(
    "chapter", [each for each in CHAPTERS if each.replace], ids=lambda each: each.name
)


@pytest.fixture
def server(database: Database, chapter: Chapter) -> Edge:
    """A server whose deltas reach back by nothing, with a follower and two senders."""
    edge = delta.server_on(database)
    delta.add_market(edge, chapter, senders=2)
    return edge


def until_next_second() -> None:
    """Sleep until lastUpdate can tell now from before."""
    time.sleep(1.001 - time.time() % 1)


def poll_meanwhile(server: Edge, follower: Follower) -> threading.Thread:
    """A poll that has either been answered on return or waits for an upload to commit."""
    thread = threading.Thread(target=follower.poll, args=(server,))
    thread.start()
    while thread.is_alive():
        with server.database.begin() as connection:
            if connection.exec_driver_sql(_WAITING).scalar_one():
                break
        time.sleep(0.002)
    return thread


def missed_by_polls_around_a_held_upload(
    server: Edge,
    chapter: Chapter,
    monkeypatch: pytest.MonkeyPatch,
    protection: Protection,
    *,
    after: bool,
) -> set[str]:
    """What a follower lacks that polls before, while and after an upload is held.

    It is held before its change is published, or between that and its commit. Meanwhile another
    upload begins and commits.
    """
    publish, await_publishers = protection
    gate = Gate(publish, after=after)
    monkeypatch.setattr(changes, "publish", gate)
    monkeypatch.setattr(changes, "await_publishers", await_publishers)
    follower, slow, quick = Follower(chapter), Sender(chapter, 0), Sender(chapter, 1)
    slow.update(server, {1: 1, 2: 1})
    follower.poll(server)
    with delta.held_upload(gate, lambda: slow.update(server, {2: 2, 3: 2})) as finish:
        quick.update(server, {1: 1})
        until_next_second()
        poll = poll_meanwhile(server, follower)
        finish()
        poll.join(30)
    follower.poll(server)
    return follower.lacks(slow.committed | quick.committed)


@each_chapter
class TestOverlap:
    def test_upload_that_publishes_long_after_it_began(
        self, server: Edge, chapter: Chapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        missed = missed_by_polls_around_a_held_upload(
            server, chapter, monkeypatch, PROTECTED, after=False
        )
        assert missed == set()

    def test_upload_between_its_time_and_its_commit(
        self, server: Edge, chapter: Chapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        missed = missed_by_polls_around_a_held_upload(
            server, chapter, monkeypatch, PROTECTED, after=True
        )
        assert missed == set()

    @pytest.mark.parametrize(
        ("protection", "after"),
        [(BEGIN_OF_TRANSACTION, False), (WITHOUT_LOCK, True), (WITHOUT_WAITING, True)],
        ids=["begin of transaction", "without lock", "without waiting"],
    )
    def test_without_the_protection_changes_are_lost(
        self,
        server: Edge,
        chapter: Chapter,
        monkeypatch: pytest.MonkeyPatch,
        protection: Protection,
        after: bool,
    ) -> None:
        missed = missed_by_polls_around_a_held_upload(
            server, chapter, monkeypatch, protection, after=after
        )
        # What changed of the slow sender, and the new record; not what the quick one sent.
        assert len(missed) == 2

    def test_upload_that_is_rolled_back_after_it_published(
        self, server: Edge, chapter: Chapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        follower, sender = Follower(chapter), Sender(chapter, 0)
        sender.update(server, {1: 1})

        def fail(*arguments: object) -> None:
            PROTECTED[0](*arguments)  # type: ignore[arg-type]
            raise RuntimeError("the power fails")

        with monkeypatch.context() as patch:
            patch.setattr(changes, "publish", fail)
            reply = server.call(delta.sender_name(0), chapter.update, sender.content({1: 2, 2: 2}))
            assert reply.result == "server" or reply.fault
        assert follower.poll(server) == sender.committed
        sender.update(server, {1: 3})
        follower.poll(server)
        assert follower.lacks(sender.committed) == set()


@each_chapter
class TestSeconds:
    def test_changes_and_polls_within_the_same_second(self, server: Edge, chapter: Chapter) -> None:
        follower, sender = Follower(chapter), Sender(chapter, 0)
        for version in range(1, 13):
            sender.update(server, {version % 5: version})
            follower.poll(server)
            assert follower.lacks(sender.committed) == set()

    def test_change_long_ago_comes_no_more(self, server: Edge, chapter: Chapter) -> None:
        follower, sender = Follower(chapter), Sender(chapter, 0)
        sender.update(server, {1: 1})
        make_everything_older(server)
        assert follower.poll(server) == sender.committed
        assert follower.poll(server) == {}


@each_chapter
class TestClocks:
    TOLERANCE_S = 3

    def missed(self, database: Database, chapter: Chapter, skew_s: float) -> set[str]:
        server = delta.server_on(database, tolerance_s=self.TOLERANCE_S)
        delta.add_market(server, chapter, senders=1)
        follower = Follower(chapter, skew=timedelta(seconds=skew_s))
        sender = Sender(chapter, 0)
        follower.poll(server)
        for version in (1, 2):
            sender.update(server, {version: version})
            follower.poll(server)
        return follower.lacks(sender.committed)

    @pytest.mark.parametrize("skew_s", [-3600, -3, -1, 0, 1, 3])
    def test_partners_clock_within_the_tolerance(
        self, database: Database, chapter: Chapter, skew_s: float
    ) -> None:
        assert self.missed(database, chapter, skew_s) == set()

    def test_partners_clock_further_ahead_than_the_tolerance(
        self, database: Database, chapter: Chapter
    ) -> None:
        assert len(self.missed(database, chapter, self.TOLERANCE_S + 60)) == 2


@each_chapter_with_sets
class TestWithdrawal:
    def test_record_that_is_withdrawn_and_comes_back(self, server: Edge, chapter: Chapter) -> None:
        follower, sender = Follower(chapter), Sender(chapter, 0)
        seen = []
        for records in ({1: 1, 2: 1}, {2: 1}, {1: 1, 2: 1}):
            sender.replace(server, records)
            follower.poll(server)
            assert follower.lacks(sender.committed) == set()
            seen.append(min(follower.known.values()))
        assert seen == [1, GONE, 1]

    def test_withdrawal_between_two_polls_is_told_to_whom_never_saw_the_record(
        self, server: Edge, chapter: Chapter
    ) -> None:
        follower, sender = Follower(chapter), Sender(chapter, 0)
        sender.replace(server, {1: 1, 2: 1})
        sender.replace(server, {2: 1})
        assert sorted(follower.poll(server).values()) == [GONE, 1]

    def test_withdrawn_and_back_between_two_polls(self, server: Edge, chapter: Chapter) -> None:
        follower, sender = Follower(chapter), Sender(chapter, 0)
        sender.replace(server, {1: 1, 2: 1})
        follower.poll(server)
        sender.replace(server, {2: 1})
        sender.replace(server, {1: 1, 2: 1})
        follower.poll(server)
        assert follower.lacks(sender.committed) == set()
        assert GONE not in follower.known.values()

    def test_set_that_is_held_between_its_time_and_its_commit(
        self, server: Edge, chapter: Chapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gate = Gate(changes.publish, after=True)
        monkeypatch.setattr(changes, "publish", gate)
        follower, sender = Follower(chapter), Sender(chapter, 0)
        sender.replace(server, {1: 1, 2: 1})
        follower.poll(server)
        with delta.held_upload(gate, lambda: sender.replace(server, {2: 1})) as finish:
            until_next_second()
            poll = poll_meanwhile(server, follower)
            finish()
            poll.join(30)
        follower.poll(server)
        assert follower.lacks(sender.committed) == set()


@each_chapter
class TestConnections:
    def missed(
        self, database: Database, chapter: Chapter, *, connected_before_poll: bool
    ) -> set[str]:
        """What a follower lacks that polls while a roaming connection is being made."""
        server = delta.server_on(database)
        delta.add_market(server, chapter, senders=2)
        follower, sender = Follower(chapter), Sender(chapter, 2)
        server.partner(delta.sender_name(2), chapter.sends, "DES02")
        sender.update(server, {1: 1, 2: 1})
        make_everything_older(server)
        with database.begin() as connection:
            ids = [
                find_partner(connection, name).id  # type: ignore[union-attr]
                for name in (delta.sender_name(2), delta.FOLLOWER)
            ]
            if connected_before_poll:
                connections.connect(connection, *ids)
                until_next_second()
            poll = poll_meanwhile(server, follower)
            if not connected_before_poll:
                poll.join(30)
                connections.connect(connection, *ids)
        poll.join(30)
        follower.poll(server)
        return follower.lacks(sender.committed)

    def test_connection_that_is_being_made_while_a_poll_runs(
        self, database: Database, chapter: Chapter
    ) -> None:
        assert self.missed(database, chapter, connected_before_poll=True) == set()

    def test_connection_that_is_made_after_a_poll(
        self, database: Database, chapter: Chapter
    ) -> None:
        assert self.missed(database, chapter, connected_before_poll=False) == set()

    def test_without_waiting_what_it_brings_is_lost(
        self, database: Database, chapter: Chapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(changes, "await_publishers", delta.await_nobody)
        assert len(self.missed(database, chapter, connected_before_poll=True)) == 2


@each_chapter
def test_servers_that_take_turns_and_are_started_anew(
    database: Database, postgres_url: str, chapter: Chapter
) -> None:
    first = delta.server_on(database)
    delta.add_market(first, chapter, senders=1)
    follower, sender = Follower(chapter), Sender(chapter, 0)
    for version in range(1, 5):
        # A process of its own, with its own connections and caches.
        other_database = Database(postgres_url, pool_size=1)
        other = delta.server_on(other_database)
        sender.update(other, {version: version, 0: version})
        follower.poll(first if version % 2 else other)
        other_database.dispose()
        assert follower.lacks(sender.committed) == set()
