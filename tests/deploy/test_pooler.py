"""Everything works through PgBouncer in transaction mode, even with one connection for all nodes.

With one connection, whatever a request leaves in its session meets the next request at once, and a
request that needed a second connection beside its first would wait for ever.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest

from ochp_chs.clearing.passwords import Passwords
from ochp_chs.demo.partners import load_partners
from ochp_chs.demo.round_trip import play_round_trip
from ochp_chs.ochp.operations import BY_NAME, OPERATIONS
from ochp_chs.repository import migrate
from tests.acceptance.test_every_operation import ANSWERED, FAULT, story
from tests.deploy.partners import Partners, add_partners
from tests.support.edge import O
from tests.support.scale import Scale
from tests.support.tokens import token_xml

_UPLOADS = 24

#: What one session may have that outlives a transaction, each as what must be empty.
_LEFT_IN_SESSION = {
    "settings": "SELECT name, setting FROM pg_settings WHERE source = 'session'"
    # They come with the connection, and PgBouncer sets them for whoever is next.
    " AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone',"
    " 'standard_conforming_strings')",
    "time zone": "SELECT setting FROM pg_settings WHERE name = 'TimeZone' AND setting <> 'UTC'",
    "locks": "SELECT locktype, classid, objid FROM pg_locks"
    " WHERE pid = pg_backend_pid() AND locktype = 'advisory'",
    "temporary tables": "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()"
    " AND relkind = 'r'",
    "cursors": "SELECT name FROM pg_cursors WHERE is_holdable",
    "channels": "SELECT * FROM pg_listening_channels()",
    "prepared statements": "SELECT name FROM pg_prepared_statements",
}


@contextmanager
def session(url: str) -> Iterator[Any]:
    """The one session that everybody shares."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def left_in_session(url: str) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    with session(url) as cursor:
        for what, question in _LEFT_IN_SESSION.items():
            cursor.execute(question)
            found[what] = cursor.fetchall()
    return {what: rows for what, rows in found.items() if rows}


def test_transactions_are_pooled_and_not_sessions(tight: Scale) -> None:
    console = psycopg2.connect(tight.pooled_url, dbname="pgbouncer")
    console.autocommit = True
    with console.cursor() as cursor:
        cursor.execute("SHOW POOLS")
        column = [each.name for each in cursor.description].index("pool_mode")
        modes = {row[0]: row[column] for row in cursor.fetchall()}
    console.close()

    assert modes["ochp_chs"] == "transaction"


def test_every_operation_with_a_single_connection(tight: Scale) -> None:
    add_partners(tight)
    partners = Partners(tight)
    cases = story()
    assert {each.operation for each in cases} == {operation.name for operation in OPERATIONS}

    for each in cases:
        reply = partners.call(each.partner, each.operation, each.content)
        outcome = FAULT if reply.fault is not None else reply.result or ANSWERED
        assert outcome == each.result, (each, reply.content)
        found = {name: len(reply.body.findall(f"{O}{name}")) for name in each.records}
        assert found == each.records, each

    assert left_in_session(tight.pooled_url) == {}
    assert left_in_session(tight.pooled_read_url) == {}


def test_round_trip_of_the_demo(tight: Scale) -> None:
    with tight.database() as database:
        load_partners(database, Passwords(), only_among_themselves=True)
    partners = Partners(tight)

    played = play_round_trip(lambda path, content: partners.send("POST", path, content).content)

    steps = [step for chapter in played for step in chapter.steps]
    assert [step for step in steps if not step.as_expected] == []
    assert {step.operation for step in steps} == set(BY_NAME)
    assert left_in_session(tight.pooled_url) == {}


def test_many_uploads_at_once_share_the_connection(tight: Scale) -> None:
    add_partners(tight)
    partners = Partners(tight)

    def upload(number: int) -> str | None:
        # Every other one is long enough for a temporary table.
        count = 300 if number % 2 else 1
        tokens = [
            token_xml(f"{number:04X}{n:06X}", contract_id=f"DE-EMP-C{number * 1000 + n:08d}")
            for n in range(count)
        ]
        return partners.call("emp", "UpdateRoamingAuthorisationList", "".join(tokens)).result

    with ThreadPoolExecutor(_UPLOADS) as pool:
        results = list(pool.map(upload, range(_UPLOADS)))

    assert results == ["ok"] * _UPLOADS
    listed = partners.call("cpo", "GetRoamingAuthorisationList")
    assert len(listed.elements("roamingAuthorisationInfoArray")) == 301 * _UPLOADS // 2
    assert left_in_session(tight.pooled_url) == {}


def test_commands_work_through_the_pooler_too(tight: Scale) -> None:
    for command, said in (
        (["db", "upgrade"], migrate.head_revision()),
        (["db", "check"], "as this release expects"),
        (["partner", "add", "late", "--role", "nsp"], "late"),
        (["partner", "list"], "late"),
        (["cdr", "export", "--format", "csv"], "CdrId"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ochp_chs.cli.main", *command],
            env={**os.environ, "OCHP_CHS_DATABASE_URL": tight.pooled_url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    assert left_in_session(tight.pooled_url) == {}


def test_an_unknown_password_ends_at_the_pooler(tight: Scale) -> None:
    wrong = tight.pooled_url.replace("pooler-password", "guessed")

    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        psycopg2.connect(wrong)
