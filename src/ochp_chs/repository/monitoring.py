"""What the database tells an operator, by statements that stay quick however much it holds."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Database
from ochp_chs.repository.tables import partner, poll

#: Beyond this, nobody waits for the answer.
_STATEMENT_TIMEOUT_MS = 2_000
#: CDRs of one status are counted up to this many; of more, the planner's estimate is told.
CDRS_COUNTED_MAX = 20_000
_POLLS_MAX = 2_000
_STATUSES = ("accepted", "revised", "declined", "approved", "rejected")


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found at one moment."""

    #: (partner, feed) -> seconds since the last poll; of partners that may log in.
    poll_age_s: Mapping[tuple[str, str], float]
    cdrs: Mapping[str, int]
    #: How long the CDR that waits for its owner longest has been here; 0: none waits.
    oldest_unconfirmed_age_s: float
    revision: str | None


def find_all(database: Database) -> Findings:
    """Read everything; raises what the database raises."""
    with database.begin() as connection:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {_STATEMENT_TIMEOUT_MS}")
        return Findings(
            poll_age_s=_poll_ages(connection),
            cdrs=_cdr_counts(connection),
            oldest_unconfirmed_age_s=float(connection.execute(_OLDEST_UNCONFIRMED).scalar_one()),
            revision=migrate.current_revision(connection),
        )


def _poll_ages(connection: sa.Connection) -> dict[tuple[str, str], float]:
    age = sa.extract("epoch", sa.func.clock_timestamp() - poll.c.polled_at)
    statement = (
        sa.select(partner.c.name, poll.c.feed, age)
        .join(partner, partner.c.id == poll.c.partner_id)
        .where(partner.c.disabled_at.is_(None))
        .limit(_POLLS_MAX)
    )
    return {(name, feed): float(seconds) for name, feed, seconds in connection.execute(statement)}


# Every pair of provider and status that there is, one step through the index (provider, status, id)
# for each: no index has the status alone, and counting would read all of the table.
_PAIRS = """
    WITH RECURSIVE pair AS (
        (SELECT provider, status FROM cdr ORDER BY provider, status LIMIT 1)
        UNION ALL
        SELECT following.provider, following.status
          FROM pair,
               LATERAL (SELECT provider, status FROM cdr
                         WHERE (provider, status) > (pair.provider, pair.status)
                         ORDER BY provider, status LIMIT 1) AS following
    )
"""

_OF_PAIR = "cdr.provider = pair.provider AND cdr.status = pair.status"

_COUNTS = sa.text(
    f"""{_PAIRS}
    SELECT status.name,
           (SELECT count(*)
              FROM (SELECT 1
                      FROM pair, LATERAL (SELECT 1 FROM cdr WHERE {_OF_PAIR}) AS found
                     WHERE pair.status = status.name
                     LIMIT :counted_max) AS counted)
      FROM unnest(CAST(:statuses AS text[])) AS status (name)
    """  # noqa: S608 - no value is in it
)

# Ids go up in the order of arrival: of each pair, the smallest is the oldest.
_OLDEST_UNCONFIRMED = sa.text(
    f"""{_PAIRS}
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(oldest.accepted_at)), 0)
      FROM pair,
           LATERAL (SELECT accepted_at FROM cdr WHERE {_OF_PAIR} ORDER BY id LIMIT 1) AS oldest
     WHERE pair.status IN ('accepted', 'revised')
    """  # noqa: S608 - no value is in it
)

_ESTIMATES = sa.text(
    """
    SELECT frequent.status, pg_class.reltuples * frequent.share
      FROM pg_class
      JOIN pg_stats ON schemaname = current_schema() AND tablename = relname AND attname = 'status',
           unnest(CAST(CAST(most_common_vals AS text) AS text[]), most_common_freqs)
               AS frequent (status, share)
     WHERE pg_class.oid = to_regclass('cdr')
    """
)


def _cdr_counts(connection: sa.Connection) -> dict[str, int]:
    counts = connection.execute(
        _COUNTS, {"statuses": list(_STATUSES), "counted_max": CDRS_COUNTED_MAX}
    )
    counted: dict[str, int] = {status: count for status, count in counts}  # noqa: C416 - rows
    if max(counted.values()) < CDRS_COUNTED_MAX:
        return counted
    estimated = {status: int(count) for status, count in connection.execute(_ESTIMATES)}
    return {
        status: count if count < CDRS_COUNTED_MAX else max(count, estimated.get(status, 0))
        for status, count in counted.items()
    }


def replica_lag_s(database: Database) -> float | None:
    """How far the replica is behind, in seconds; None where it does not answer."""
    try:
        with database.begin() as connection:
            return float(connection.execute(_LAG).scalar_one())
    except DBAPIError:
        return None


# The newest transaction that was replayed may be old only because there was none since: then
# nothing that has been received waits to be replayed.
_LAG = sa.text(
    """
    SELECT CASE
        WHEN NOT pg_is_in_recovery() THEN 0
        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
        ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
    END
    """
)
