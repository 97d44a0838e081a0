from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Database
from ochp_chs.repository.schema import differences

_OTHER_CHECK = (
    "ALTER TABLE partner DROP CONSTRAINT ck_partner_reading,"
    " ADD CONSTRAINT ck_partner_reading CHECK (reading <> '')"
)


@pytest.fixture
def empty(empty_postgres_url):
    """A database without a schema."""
    database = Database(empty_postgres_url)
    yield database
    database.dispose()


@pytest.fixture
def scripts():
    config = Config()
    config.set_main_option("script_location", str(migrate.migrations_dir()))
    return ScriptDirectory.from_config(config)


def current(database):
    with database.begin() as connection:
        return migrate.current_revision(connection)


def test_migrations_make_the_schema_of_the_tables(database):
    assert differences(database) == []


def test_comparing_leaves_nothing_behind(database):
    differences(database)

    with database.begin() as connection:
        schemas = connection.execute(sa.text("SELECT nspname FROM pg_namespace")).scalars().all()
    assert not [name for name in schemas if name.startswith("ochp")]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("ALTER TABLE partner DROP COLUMN disabled_at", "column partner.disabled_at is missing"),
        ("ALTER TABLE partner ADD colour text", "column partner.colour is unknown"),
        ("ALTER TABLE partner ALTER name DROP NOT NULL", "column partner.name is 'text'"),
        ("ALTER TABLE partner ALTER reading DROP DEFAULT", "column partner.reading is"),
        (
            "ALTER TABLE partner DROP CONSTRAINT ck_partner_reading",
            "constraint partner.ck_partner_reading is missing",
        ),
        (
            _OTHER_CHECK,
            'constraint partner.ck_partner_reading is "CHECK',
        ),
        (
            "ALTER TABLE partner RENAME CONSTRAINT uq_partner_name TO other",
            "constraint partner.uq_partner_name is missing",
        ),
        (
            "DROP INDEX ix_partner_party_partner_id",
            "index ix_partner_party_partner_id is missing",
        ),
        ("CREATE TABLE extra (id int)", "table extra is unknown"),
        ("CREATE SEQUENCE extra", "sequence extra is unknown"),
    ],
)
def test_difference_is_named(empty, empty_postgres_url, change, difference):
    migrate.upgrade(empty_postgres_url)
    with empty.begin() as connection:
        connection.exec_driver_sql(change)

    found = differences(empty)

    assert any(text.startswith(difference) for text in found), found


def test_newest_revision_is_known_without_alembic(scripts):
    assert migrate.head_revision() == scripts.get_current_head()


def test_revisions_are_one_line_and_named_as_their_files(scripts):
    revisions = list(scripts.walk_revisions())

    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    assert [revision.path.endswith(f"/{revision.revision}.py") for revision in revisions] == [
        True for _ in revisions
    ]
    assert [revision.revision for revision in revisions] == sorted(
        (revision.revision for revision in revisions), reverse=True
    )


def test_database_without_schema_is_at_no_revision(empty):
    assert current(empty) is None


def test_second_upgrade_changes_nothing(empty, empty_postgres_url):
    first = migrate.upgrade(empty_postgres_url)

    assert migrate.upgrade(empty_postgres_url) == first == current(empty)


def test_several_nodes_may_upgrade_at_once(empty, empty_postgres_url):
    with ThreadPoolExecutor(4) as pool:
        reached = list(pool.map(migrate.upgrade, [empty_postgres_url] * 4))

    assert reached == [migrate.head_revision()] * 4
    assert differences(empty) == []


def test_interrupted_upgrade_leaves_nothing(empty, empty_postgres_url, monkeypatch):
    def fail(_: sa.Connection) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(migrate, "current_revision", fail)
    with pytest.raises(KeyboardInterrupt):
        migrate.upgrade(empty_postgres_url)
    monkeypatch.undo()

    assert current(empty) is None
