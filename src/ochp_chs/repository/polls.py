"""When partners last asked for what they follow."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ochp_chs.repository.rows import rows_source
from ochp_chs.repository.tables import partner, poll
from ochp_chs.repository.tables.base import TIME


def keep_polls(connection: sa.Connection, polls: Sequence[tuple[int, str, float]]) -> None:
    """Keep the newest poll of each partner and feed, given with its age in seconds.

    By the database's clock: those of several nodes need not agree. A partner that is gone by now
    is left out.
    """
    partner_ids, feeds, ages = zip(*polls, strict=True)
    noted = rows_source(
        "noted",
        {
            "partner_id": (sa.Integer(), partner_ids),
            "feed": (sa.Text(), feeds),
            "age_s": (sa.Float(), ages),
        },
    )
    polled_at = sa.func.clock_timestamp() - sa.func.make_interval(0, 0, 0, 0, 0, 0, noted.c.age_s)
    statement = insert(poll).from_select(
        ["partner_id", "feed", "polled_at"],
        sa.select(partner.c.id, noted.c.feed, sa.cast(polled_at, TIME))
        .join(partner, partner.c.id == noted.c.partner_id)
        .order_by(partner.c.id, noted.c.feed),
    )
    newer = statement.excluded.polled_at
    connection.execute(
        statement.on_conflict_do_update(
            constraint="pk_poll", set_={"polled_at": newer}, where=poll.c.polled_at < newer
        )
    )
