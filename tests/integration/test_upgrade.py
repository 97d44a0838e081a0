"""A database of the first release, with data in every table, brought to the newest schema."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Database
from ochp_chs.repository.schema import differences

FIRST = "0001_initial"

# As the first release writes them; what is left out has a default.
_ROWS = """
INSERT INTO partner (name, password_hash, reading, cdrs_per_answer_max)
     VALUES ('cpo', 'hash', 'strict', 10), ('emp', 'hash', 'tolerant', NULL);
INSERT INTO partner_role VALUES (1, 'cpo'), (2, 'emp');
INSERT INTO partner_party (role, party_id, partner_id, shown_as)
     VALUES ('cpo', 'DECPO', 1, 'DE*CPO'), ('emp', 'DEEMP', 2, 'DE-EMP');
INSERT INTO roaming_connection (low_partner_id, high_partner_id, carries)
     VALUES (1, 2, '{cdrs,tokens}');
INSERT INTO rule_override (low_partner_id, high_partner_id, rule, severity, parameters)
     VALUES (1, 2, 'max-age', 'warn', '{"days": "90"}');
INSERT INTO message (reference, partner_id, operation, received_at, result, description,
                     records_read, records_refused, records_repaired, records_warned,
                     records_changed, records_withdrawn)
     VALUES ('abc', 1, 'AddCDRs', '2026-01-06T09:00:00Z', 'partly', 'ü', 2, 1, 0, 0, 1, 0);
INSERT INTO message_note (message_id, kind, position, record_id, rule, field, value, text)
     VALUES (1, 'refused', 2, 'DECPO2', 'total-cost', 'totalCost', '99', 'is wrong');
INSERT INTO change VALUES (nextval('change_id'), 'tokens', '2026-01-06T09:00:00.123456Z');
INSERT INTO token VALUES ('\\x01', 'DEEMP', 'rfid', 'plain', '\\x02', 'DEEMPC00000001',
                          '2099-12-31T23:59:59Z', '<EmtId/>', NULL, 1);
INSERT INTO charge_point (evse_key, operator, evse_id, location_id, latitude, longitude,
                          address_fingerprint, status_schedule, parking_keys, connectors,
                          charge_point_type, maximum_power, payload, timestamp_from, timestamp_to,
                          status_from, status_to, change_id)
     VALUES ('DECPOE1', 'DECPO', 'DE*CPO*E1', 'L1', 50.123456, 8.654321, -5,
             '[["2026-01-01", null, "Planned"]]', '{DECPOP1}', '[["S", "F", null]]', 'AC', 22.10,
             '<evseId/>', 1, 2, 3, 4, 1);
INSERT INTO live_status VALUES ('DECPOE1', 'evse', 'DECPO', 'available', '2026-01-06T10:00:00Z',
                                ' major="available">', 1);
INSERT INTO tariff (tariff_key, recipient, operator, tariff_id, position, payload, given_from,
                    given_until, change_id)
     VALUES ('DECPOT1', '', 'DECPO', 'DE*CPO*T1', 1, '<i/>', '2026-01-01', '2026-02-01', 1),
            ('DECPOT1', '', 'DECPO', 'DE*CPO*T1', 1, '<j/>', '2026-02-01', NULL, 1);
INSERT INTO cdr (key, cdr_id, evse_key, operator, provider, contract_key, status, version,
                 starts_at, ends_at, accepted_at, status_at)
     VALUES ('DECPO1', 'DECPO1', 'DECPOE1', 'DECPO', 'DEEMP', 'DEEMPC00000001', 'approved', 1,
             '2026-01-05T10:00:00+01:00', '2026-01-05T12:00:00+01:00', '2026-01-06', '2026-01-07');
INSERT INTO cdr_version VALUES (1, 1, '<CdrId>DECPO1</CdrId>', '2026-01-06', 'cpo', 'abc');
INSERT INTO cdr_step (cdr, version, event, from_status, to_status, at, partner, message)
     VALUES (1, 1, 'submit', NULL, 'accepted', '2026-01-06', 'cpo', 'abc');
INSERT INTO cdr_warning (cdr, version, rule, field, value, text)
     VALUES (1, 1, 'evse-known', 'evseId', 'DE*CPO*E1', 'is not known');
INSERT INTO endpoint_token VALUES ('\\x03', 2);
INSERT INTO service_endpoint VALUES ('\\x03', '2099-12-31', 'provider', 'https://emp', 'http://ns',
                                     'DEEMP', 'key', '\\x04');
"""


@pytest.fixture
def empty(empty_postgres_url: str) -> Iterator[Database]:
    """A database without a schema."""
    database = Database(empty_postgres_url)
    yield database
    database.dispose()


def fill(database: Database) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql(_ROWS)


def rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as JSON."""
    with database.begin() as connection:
        tables = connection.execute(
            sa.text(
                "SELECT tablename FROM pg_tables"
                " WHERE schemaname = current_schema() AND tablename <> 'alembic_version'"
            )
        ).scalars()
        return {
            table: list(
                connection.execute(sa.text(f'SELECT to_jsonb(t) FROM "{table}" t')).scalars()
            )
            for table in tables
        }


def test_all_data_is_found_back(empty: Database, empty_postgres_url: str) -> None:
    assert migrate.upgrade(empty_postgres_url, FIRST) == FIRST
    fill(empty)
    before = rows(empty)
    assert [table for table, found in before.items() if not found] == []

    assert migrate.upgrade(empty_postgres_url) == migrate.head_revision()

    assert differences(empty) == []
    after = rows(empty)
    for table, expected in before.items():
        # A later release may have more columns.
        found = [{name: row[name] for name in expected[0]} for row in after[table]]
        assert found == expected, table


def test_first_release_goes_on_writing_after_the_upgrade(
    empty: Database, empty_postgres_url: str
) -> None:
    migrate.upgrade(empty_postgres_url)
    fill(empty)
    assert len(rows(empty)["tariff"]) == 2


def test_uploads_go_on_while_it_is_upgraded(empty: Database, empty_postgres_url: str) -> None:
    migrate.upgrade(empty_postgres_url, FIRST)
    fill(empty)
    with empty.begin() as uploading:
        # A long upload holds what it has written; the migration must not wait for it.
        for table in ("cdr", "token", "message", "charge_point", "tariff", "live_status"):
            uploading.exec_driver_sql(f'LOCK TABLE "{table}" IN ROW EXCLUSIVE MODE')
        assert migrate.upgrade(empty_postgres_url) == migrate.head_revision()
