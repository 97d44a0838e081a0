"""Single look-ups stay quick while nobody has analysed the table yet."""

from datetime import UTC, datetime

import sqlalchemy as sa

from ochp_chs.ochp.records.token import token_key
from ochp_chs.repository.engine import Database
from ochp_chs.repository.tokens import _FIND

_TOKENS = (
    "INSERT INTO token (digest, provider, token_type, representation, contract_id, expires_at,"
    " payload, change_id) SELECT sha256(n::text::bytea), 'DEEMP', 'rfid', 'plain',"
    " 'DEEMPC00000001', '2099-12-31', repeat('x', 300), 1 FROM generate_series(1, 20000) n"
)


def test_first_list_of_a_provider_is_not_looked_through(database: Database) -> None:
    key = token_key("04A1", "rfid", "plain")
    parameters = {
        "digest": key.digests[0],
        "other_digest": key.digests[1],
        "digest_sha160": None,
        "token_type": "rfid",
        "name": "cpo",
        "at": datetime.now(UTC),
    }
    with database.begin() as connection:
        connection.exec_driver_sql(_TOKENS)
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql(_FIND.prepare)
        try:
            plan = connection.exec_driver_sql(f"EXPLAIN {_FIND.execute}", parameters)
            lines = "\n".join(plan.scalars())
        finally:
            connection.execute(sa.text("DEALLOCATE ALL"))
    assert "pk_token" in lines
    assert "ix_token_digest_sha160" in lines
    assert "ix_token_provider_change_id" not in lines
