"""Migrations give the tables that the code describes, all at once or not at all."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, column, func, inspect, select, table, text

from benchmarks.queues import COLUMNS, fill_queue
from cdp.stewardship.priority import people_of, uncertainty_of, value_of
from cdp.store import migrate, open_store, read, schema, write
from cdp.store.days import days_since_epoch
from cdp.store.engine import store_engine
from cdp.store.errors import NewerStoreError, NotAStoreError, NotMigratedError, StoreUnavailableError
from cdp.store.migration import MigrationFailedError
from tests.cdp.store.rows import ROWS, fill

POSTGRESQL_SHAPE = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable, collation_name, column_default
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}
SQLITE_SHAPE = {
    "tables": "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main'",
    "autoincrement": "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'",
    "columns": """
        SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
        FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'""",
    "foreign keys": """
        SELECT m.name, f."from", f."table", f."to", f.on_update, f.on_delete
        FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'""",
    "indexes": """
        SELECT m.name, i."unique", i.origin, i.partial, group_concat(c.name), x.sql
        FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
        LEFT JOIN sqlite_master x ON x.name = i.name
        WHERE m.type = 'table' GROUP BY m.name, i.name""",
}


def shape(connection: Connection) -> dict[str, set[tuple[Any, ...]]]:
    """Everything the database knows about its tables, the version table left out."""
    queries = SQLITE_SHAPE if connection.dialect.name == "sqlite" else POSTGRESQL_SHAPE
    found = {
        name: {tuple(row) for row in connection.execute(text(query)) if row[0] != schema.VERSION_TABLE}
        for name, query in queries.items()
    }
    if connection.dialect.name == "sqlite":
        inspector = inspect(connection)
        found["checks"] = {
            (name, str(check["name"]), check["sqltext"])
            for name in schema.metadata.tables
            for check in inspector.get_check_constraints(name)
        }
    return found


def migrated_and_described(migrated_url: str, described_url: str) -> list[dict[str, set[tuple[Any, ...]]]]:
    migrate(migrated_url)
    described = store_engine(described_url, create=True)
    with write(described) as connection:
        schema.metadata.create_all(connection)
    migrated = open_store(migrated_url)
    with read(migrated) as one, read(described) as other:
        shapes = [shape(one), shape(other)]
    migrated.dispose()
    described.dispose()
    return shapes


def test_the_migrations_make_the_tables_of_the_schema_on_sqlite(tmp_path: Path) -> None:
    migrated, described = migrated_and_described(f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db")

    assert migrated == described


def test_the_migrations_make_the_tables_of_the_schema_on_postgresql(
    empty_postgresql_url: str, second_empty_postgresql_url: str
) -> None:
    migrated, described = migrated_and_described(empty_postgresql_url, second_empty_postgresql_url)

    assert empty_postgresql_url != second_empty_postgresql_url
    assert migrated == described


# SQLite's reflection passes over an index on an expression; the shapes above compare it.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_alembic_finds_nothing_to_add(store: Engine) -> None:
    with write(store) as connection:
        options = {"version_table": schema.VERSION_TABLE, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, schema.metadata)

    assert differences == []


def revisions() -> list[str]:
    """Every version of the schema there was, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    return sorted(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())


def fill_as_it_is(engine: Engine) -> dict[str, int]:
    """Insert the rows of `rows.py` as far as this version has tables and columns for them; their counts."""
    counts = {}
    with write(engine) as connection:
        inspector = inspect(connection)
        for name in [name for name in ROWS if inspector.has_table(name)]:
            known = {each["name"] for each in inspector.get_columns(name)}
            described = schema.metadata.tables[name].c
            target = table(
                name, *(column(each, described[each].type) for each in known & set(described.keys()))
            )
            rows = [{key: value for key, value in row.items() if key in known} for row in ROWS[name]]
            connection.execute(target.insert(), rows)
            counts[name] = len(rows)
    return counts


def test_the_newest_migration_is_the_one_the_code_knows() -> None:
    assert revisions()[-1] == schema.SCHEMA_REVISION


@pytest.mark.parametrize("revision", revisions())
def test_a_filled_store_of_each_version_keeps_its_rows(empty_store_url: str, revision: str) -> None:
    migrate(empty_store_url, revision=revision)
    old = store_engine(empty_store_url)
    counts = fill_as_it_is(old)
    old.dispose()

    migrate(empty_store_url)

    engine = open_store(empty_store_url)
    kept = {name: count for name, count in counts.items() if name in schema.metadata.tables}
    with read(engine) as connection:
        found = {
            name: connection.scalars(select(func.count()).select_from(schema.metadata.tables[name])).one()
            for name in kept
        }
    engine.dispose()
    assert found == kept


def test_what_waited_before_the_standing_was_kept_stands_as_the_rule_says(empty_store_url: str) -> None:
    migrate(empty_store_url, revision="0012")
    old = store_engine(empty_store_url)
    now = datetime(2026, 11, 20, 12, 34, 56, 789_000, tzinfo=UTC)
    fill_queue(old, 60, seed=7, now=now, columns=COLUMNS[: COLUMNS.index("standing")])
    old.dispose()

    migrate(empty_store_url)

    engine = open_store(empty_store_url)
    with read(engine) as connection:
        rows = connection.execute(select(schema.merge_candidates)).all()
    engine.dispose()
    ruled = [
        uncertainty_of(row.match_probability, row.reason) * people_of(row.record_count) * value_of(row.worth)
        for row in rows
    ]
    assert len({row.standing for row in rows}) > 30
    assert [row.standing for row in rows] == pytest.approx(ruled)
    opened = [days_since_epoch(row.created_at) for row in rows]
    assert [row.opened_day for row in rows] == pytest.approx(opened, abs=1e-7)


def test_a_version_nobody_made_is_told(store: Engine, store_url: str) -> None:
    with write(store) as connection:
        connection.execute(text("UPDATE cdp_schema_version SET version_num = '0000'"))

    with pytest.raises(MigrationFailedError, match="0000"):
        migrate(store_url)


def test_a_new_store_is_made_with_its_directory(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/down/cdp.db"

    assert migrate(url) is None

    open_store(url).dispose()


def test_an_empty_database_is_migrated(empty_store_url: str) -> None:
    assert migrate(empty_store_url) is None

    open_store(empty_store_url).dispose()


def test_migrating_twice_changes_nothing(store: Engine, store_url: str) -> None:
    fill(store)
    with read(store) as connection:
        before = shape(connection)

    assert migrate(store_url) == schema.SCHEMA_REVISION

    with read(store) as connection:
        assert shape(connection) == before
        for name, rows in ROWS.items():
            assert len(connection.execute(select(schema.metadata.tables[name])).all()) == len(rows)


def test_two_migrations_at_once_give_one_store(empty_store_url: str) -> None:
    found: list[str | None] = []
    threads = [threading.Thread(target=lambda: found.append(migrate(empty_store_url))) for _ in range(3)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found, key=str) == [schema.SCHEMA_REVISION, schema.SCHEMA_REVISION, None]


KILLED = """
import os, signal, sys
from sqlalchemy import event
from cdp.store import migrate
from cdp.store.engine import store_engine
engine = store_engine(sys.argv[1], create=True)
seen = []
@event.listens_for(engine, "after_cursor_execute")
def kill(connection, cursor, statement, parameters, context, executemany):
    seen.append(statement)
    if sum("CREATE TABLE" in each for each in seen) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
migrate(engine)
"""


@pytest.mark.parametrize("tables_made", [2, 20])
def test_a_migration_killed_half_way_leaves_nothing_and_can_be_run_again(
    empty_store_url: str, tables_made: int
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, empty_store_url, str(tables_made)], check=False, timeout=180
    )

    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(NotMigratedError):
        open_store(empty_store_url)
    assert migrate(empty_store_url) is None
    open_store(empty_store_url).dispose()


def test_a_newer_store_is_left_alone(store: Engine, store_url: str) -> None:
    with write(store) as connection:
        connection.execute(text("UPDATE cdp_schema_version SET version_num = '9999'"))

    with pytest.raises(NewerStoreError, match="9999"):
        migrate(store_url)


def test_a_database_of_something_else_is_left_alone(empty_store_url: str) -> None:
    other = store_engine(empty_store_url, create=True)
    with write(other) as connection:
        connection.execute(text("CREATE TABLE songs (title TEXT)"))
    other.dispose()

    with pytest.raises(NotAStoreError, match="songs"):
        migrate(empty_store_url)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("shopping list " * 100)

    with pytest.raises(NotAStoreError):
        migrate(f"sqlite:///{notes}")

    assert notes.read_text() == "shopping list " * 100


def test_an_unreachable_server_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError):
        migrate(f"postgresql:///cdp?host={tmp_path}")


def test_the_scripts_travel_with_the_package() -> None:
    names = {each.name for each in files("migrations").iterdir()}

    assert {"env.py", "script.py.mako", "versions"} <= names
