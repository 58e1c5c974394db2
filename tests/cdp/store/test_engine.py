"""What a transaction promises, and what is said of a store that cannot be used."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from cdp.store import open_store, read, retry_write, schema, write, write_alone, write_exclusively
from cdp.store.engine import RACES
from cdp.store.errors import (
    NewerStoreError,
    NotAStoreError,
    NotMigratedError,
    OutdatedStoreError,
    StoreBusyError,
    StoreFullError,
    StoreMissingError,
    StoreReadOnlyError,
    StoreUnavailableError,
    UnsupportedStoreError,
    WriteConflictError,
)
from cdp.store.quick import QuickStatement
from tests.cdp.store.rows import insert_like
from tests.postgres import Cluster

OpenEngine = Callable[[str], Engine]

EVENTS = QuickStatement(select(schema.outbox_events.c.event_id))


def count_events(connection: Connection) -> int:
    return connection.scalars(select(func.count()).select_from(schema.outbox_events)).one()


def count_and_fail(connection: Connection) -> None:
    EVENTS.fetch(connection)
    count_events(connection)
    raise ZeroDivisionError


def insert_and_fail(connection: Connection) -> None:
    insert_like(connection, "outbox_events")
    raise ZeroDivisionError


def make_table_and_fail(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE half_done (a INTEGER)"))
    raise ZeroDivisionError


def lose_to_another(connection: Connection, engine: Engine) -> None:
    connection.scalars(select(schema.sources.c.trust)).one()
    with write(engine) as winner:
        raise_trust(winner, pause=0)
    raise_trust(connection, pause=0)


def lose_to_exclusive(connection: Connection, engine: Engine) -> None:
    """What is written follows from what the exclusive write made untrue, though in another table."""
    trust = connection.scalars(select(schema.sources.c.trust)).one()
    with write_exclusively(engine, [schema.sources, schema.outbox_events]) as batch:
        count_events(batch)
        raise_trust(batch, pause=0)
    insert_like(connection, "outbox_events", payload=f"trust is {trust}")


def fill_disk(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA max_page_count = 1")
    insert_like(connection, "outbox_events", payload="x" * 1_000_000)


def break_connection(connection: Connection, postgres: Cluster) -> None:
    own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    postgres.execute(f"SELECT pg_terminate_backend({own}, 5000)")
    insert_like(connection, "outbox_events")


def set_revision(engine: Engine, revision: str) -> None:
    with write(engine) as connection:
        connection.execute(text("UPDATE cdp_schema_version SET version_num = :it"), {"it": revision})


def test_a_write_is_kept(store: Engine) -> None:
    with write(store) as connection:
        insert_like(connection, "outbox_events")

    with read(store) as connection:
        assert count_events(connection) == 1


def test_a_write_that_raises_leaves_nothing(store: Engine) -> None:
    with pytest.raises(ZeroDivisionError), write(store) as connection:
        insert_and_fail(connection)

    with read(store) as connection:
        assert count_events(connection) == 0


def test_a_savepoint_takes_back_only_its_part(store: Engine) -> None:
    with write(store) as connection:
        insert_like(connection, "outbox_events", event_id=1)
        inner = connection.begin_nested()
        insert_like(connection, "outbox_events", event_id=2)
        inner.rollback()

    with read(store) as connection:
        assert count_events(connection) == 1


def test_tables_made_in_a_write_that_raises_are_gone(store: Engine) -> None:
    with pytest.raises(ZeroDivisionError), write(store) as connection:
        make_table_and_fail(connection)

    with read(store) as connection:
        assert "half_done" not in inspect(connection).get_table_names()


def test_a_read_refuses_to_write(store: Engine) -> None:
    with pytest.raises(StoreReadOnlyError), read(store) as connection:
        insert_like(connection, "outbox_events")


def test_a_write_after_a_refused_read_is_allowed(store: Engine) -> None:
    with pytest.raises(StoreReadOnlyError), read(store) as connection:
        insert_like(connection, "outbox_events")

    with write(store) as connection:
        insert_like(connection, "outbox_events")


def test_a_read_sees_one_snapshot(store: Engine) -> None:
    with read(store) as reader:
        before = count_events(reader)
        with write(store) as writer:
            insert_like(writer, "outbox_events")
        after = count_events(reader)

    assert (before, after) == (0, 0)


def test_hot_statements_and_others_of_a_read_share_its_snapshot(store: Engine) -> None:
    with read(store) as reader:
        before = len(EVENTS.fetch(reader))
        with write(store) as writer:
            insert_like(writer, "outbox_events")
        after = count_events(reader)

    assert (before, after) == (0, 0)


def test_a_read_sees_what_was_written_since_the_read_before(store: Engine) -> None:
    with read(store) as reader:
        before = len(EVENTS.fetch(reader))

    with write(store) as writer:
        insert_like(writer, "outbox_events")
    with read(store) as reader:
        after = len(EVENTS.fetch(reader))

    assert (before, after) == (0, 1)


def test_a_read_that_raises_lets_writers_go_on(store: Engine) -> None:
    with pytest.raises(ZeroDivisionError), read(store) as reader:
        count_and_fail(reader)

    with write_exclusively(store, [schema.outbox_events]) as writer:
        insert_like(writer, "outbox_events")


def test_a_broken_constraint_stays_an_integrity_error(store: Engine) -> None:
    with write(store) as connection:
        insert_like(connection, "outbox_events")

    with pytest.raises(IntegrityError), write(store) as connection:
        insert_like(connection, "outbox_events")


def test_errors_do_not_tell_values(store: Engine) -> None:
    with pytest.raises(IntegrityError) as caught, write(store) as connection:
        insert_like(connection, "identifiers", value="someone@example.com", record_id=404)

    assert "someone@example.com" not in str(caught.value)


def test_sqlite_is_set_up_to_lose_nothing(sqlite_store: Engine) -> None:
    with write(sqlite_store) as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_postgresql_sessions_are_in_utc(postgresql_store: Engine) -> None:
    with read(postgresql_store) as connection:
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("TimeZone", "lock_timeout")]

    assert found == ["UTC", "5s"]


def test_writes_are_serializable_on_postgresql(postgresql_store: Engine) -> None:
    with write(postgresql_store) as connection:
        isolation = connection.exec_driver_sql("SHOW transaction_isolation").scalar()

    assert isolation == "serializable"


def raise_trust(connection: Connection, *, pause: float) -> None:
    trust = connection.scalars(select(schema.sources.c.trust)).one()
    time.sleep(pause)
    connection.execute(schema.sources.update().values(trust=trust + 1))


def test_concurrent_writers_lose_no_update(store: Engine) -> None:
    with write(store) as connection:
        insert_like(connection, "sources", trust=0)
    threads = [
        threading.Thread(
            target=retry_write, args=(store, lambda connection: raise_trust(connection, pause=0.01))
        )
        for _ in range(6)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with read(store) as connection:
        assert connection.scalars(select(schema.sources.c.trust)).one() == 6


def test_the_loser_of_a_conflict_is_told(postgresql_store: Engine) -> None:
    with write(postgresql_store) as connection:
        insert_like(connection, "sources", trust=0)

    with pytest.raises(WriteConflictError), write(postgresql_store) as loser:
        lose_to_another(loser, postgresql_store)


def test_who_loses_every_race_has_its_turn(postgresql_store: Engine, postgresql_url: str) -> None:
    with write(postgresql_store) as connection:
        insert_like(connection, "sources", trust=0)
    other = open_store(postgresql_url, timeout_seconds=0.05)
    beaten: list[bool] = []

    def lose_where_possible(connection: Connection) -> None:
        connection.scalars(select(schema.sources.c.trust)).one()
        try:
            retry_write(other, lambda winner: raise_trust(winner, pause=0))
            beaten.append(True)
        except StoreBusyError:
            beaten.append(False)
        raise_trust(connection, pause=0)

    retry_write(postgresql_store, lose_where_possible)

    assert beaten == [True] * RACES + [False]
    with read(postgresql_store) as connection:
        assert connection.scalars(select(schema.sources.c.trust)).one() == RACES + 1
    other.dispose()


def test_a_turn_sees_all_that_was_written_before_it(postgresql_store: Engine, postgresql_url: str) -> None:
    with write(postgresql_store) as connection:
        insert_like(connection, "sources", trust=0)
    other = open_store(postgresql_url)
    asks, lost = threading.Event(), 0

    def hold(connection: Connection) -> None:
        asks.wait()
        time.sleep(0.1)  # Long enough to stand in line.
        raise_trust(connection, pause=0)

    def lose_races(connection: Connection) -> None:
        nonlocal lost
        lost += 1
        if lost <= RACES:
            raise WriteConflictError("again")
        raise_trust(connection, pause=0)

    def look(pause: float) -> None:
        if lost == RACES:
            asks.set()

    holder = threading.Thread(target=retry_write, args=(other, hold))
    holder.start()
    retry_write(postgresql_store, lose_races, sleep=look)
    holder.join()

    assert lost == RACES + 1
    with read(postgresql_store) as connection:
        assert connection.scalars(select(schema.sources.c.trust)).one() == 2
    other.dispose()


def test_a_turn_is_waited_for_only_so_long(postgresql_url: str) -> None:
    impatient, holder = open_store(postgresql_url, timeout_seconds=0.05), open_store(postgresql_url)

    def always_lose(_connection: Connection) -> None:
        raise WriteConflictError("again")

    with pytest.raises(StoreBusyError):
        retry_write(holder, lambda _: retry_write(impatient, always_lose))

    impatient.dispose()
    holder.dispose()


def test_a_conflict_that_does_not_end_is_told(postgresql_url: str) -> None:
    store, pauses = open_store(postgresql_url, timeout_seconds=0.05), list[float]()

    def always_lose(_connection: Connection) -> None:
        time.sleep(0.02)
        raise WriteConflictError("again")

    with pytest.raises(WriteConflictError):
        retry_write(store, always_lose, sleep=pauses.append)

    assert len(pauses) >= RACES
    store.dispose()


def test_a_duplicate_key_is_tried_once_more_as_a_lost_race(postgresql_store: Engine) -> None:
    tries: list[int] = []

    def insert_or_find(connection: Connection) -> int:
        tries.append(1)
        if len(tries) == 1:
            insert_like(connection, "outbox_events", event_id=7)
            insert_like(connection, "outbox_events", event_id=7)
        return len(tries)

    assert retry_write(postgresql_store, insert_or_find, sleep=lambda _seconds: None) == 2


def test_writers_of_one_name_follow_each_other(store: Engine) -> None:
    with write(store) as connection:
        insert_like(connection, "sources", trust=0)

    def work() -> None:
        with write_alone(store, "trust") as connection:
            raise_trust(connection, pause=0.01)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with read(store) as connection:
        assert connection.scalars(select(schema.sources.c.trust)).one() == 4


def test_an_exclusive_write_keeps_other_writers_out_and_lets_reads_go_on(store_url: str) -> None:
    impatient, holder = open_store(store_url, timeout_seconds=0.05), open_store(store_url)

    with write_exclusively(holder, [schema.sources, schema.outbox_events]) as batch:
        insert_like(batch, "outbox_events")
        with read(impatient) as reader:
            assert count_events(reader) == 0
        with pytest.raises(StoreBusyError), write(impatient) as writer:
            insert_like(writer, "sources")

    impatient.dispose()
    holder.dispose()


def test_a_writer_that_began_before_an_exclusive_write_loses(postgresql_store: Engine) -> None:
    with write(postgresql_store) as connection:
        insert_like(connection, "sources", trust=0)

    with pytest.raises(WriteConflictError), write(postgresql_store) as loser:
        lose_to_exclusive(loser, postgresql_store)


WRITER = """
import sys, time
from cdp.store import open_store, schema, write
from tests.cdp.store.rows import ROWS
engine = open_store(sys.argv[1])
row = {key: value for key, value in ROWS["outbox_events"][0].items() if key != "event_id"}
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    with write(engine) as connection:
        connection.execute(schema.outbox_events.insert(), row)
        time.sleep(0.002)
"""


def test_two_processes_writing_wait_for_each_other(store_url: str, open_engine: OpenEngine) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, store_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()

    for writer in writers:
        writer.communicate("go\n", timeout=180)

    assert [writer.returncode for writer in writers] == [0, 0]
    with read(open_engine(store_url)) as connection:
        assert count_events(connection) == 40


def test_a_write_waits_only_so_long(sqlite_url: str) -> None:
    impatient, holder = open_store(sqlite_url, timeout_seconds=0.05), open_store(sqlite_url)

    with write(holder), pytest.raises(StoreBusyError), write(impatient):
        pass

    impatient.dispose()
    holder.dispose()


def test_a_lock_on_postgresql_is_waited_for_only_so_long(postgresql_url: str) -> None:
    impatient, holder = open_store(postgresql_url, timeout_seconds=0.05), open_store(postgresql_url)

    with write_alone(holder, "a"), pytest.raises(StoreBusyError), write_alone(impatient, "a"):
        pass

    impatient.dispose()
    holder.dispose()


def test_reads_go_on_while_a_writer_holds_the_store(sqlite_url: str) -> None:
    impatient, holder = open_store(sqlite_url, timeout_seconds=0.05), open_store(sqlite_url)

    with write(holder) as writer:
        insert_like(writer, "outbox_events")
        with read(impatient) as reader:
            assert count_events(reader) == 0

    impatient.dispose()
    holder.dispose()


def test_a_missing_store_is_named_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match=r"missing\.db: run `cdp migrate`"):
        open_store(f"sqlite:///{tmp_path}/missing.db")

    assert list(tmp_path.iterdir()) == []


def test_a_missing_database_is_named(postgres: Cluster) -> None:
    with pytest.raises(StoreMissingError, match="createdb"):
        open_store(postgres.url("nowhere"))


def test_a_store_taken_away_is_not_created_anew(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_store(sqlite_url)
    engine.dispose()
    (tmp_path / "cdp.db").unlink()

    with pytest.raises(StoreUnavailableError), read(engine):
        pass

    assert not (tmp_path / "cdp.db").exists()


def test_an_empty_database_is_not_a_migrated_one(empty_postgresql_url: str) -> None:
    with pytest.raises(NotMigratedError, match="cdp migrate"):
        open_store(empty_postgresql_url)


def test_an_empty_file_is_not_a_migrated_store(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()

    with pytest.raises(NotMigratedError, match="cdp migrate"):
        open_store(f"sqlite:///{tmp_path}/empty.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("shopping list " * 100)

    with pytest.raises(NotAStoreError):
        open_store(f"sqlite:///{tmp_path}/notes.txt")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAStoreError, match="directory"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE songs (title TEXT)")
    other.close()

    with pytest.raises(NotAStoreError, match="songs"):
        open_store(f"sqlite:///{tmp_path}/other.db")


@pytest.mark.parametrize(
    ("revision", "error"),
    [("9999", NewerStoreError), ("0000", OutdatedStoreError)],
    ids=["newer", "older"],
)
def test_another_version_is_refused(
    store: Engine, store_url: str, revision: str, error: type[Exception]
) -> None:
    set_revision(store, revision)

    with pytest.raises(error, match=revision):
        open_store(store_url)


@pytest.mark.parametrize(
    "url",
    ["mysql://host/name", "sqlite://", "sqlite:///:memory:", "no url", "postgresql+asyncpg://host/name", ""],
)
def test_a_url_the_service_cannot_live_in_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedStoreError, match="CDP_DATABASE_URL"):
        open_store(url)


def test_an_unreachable_server_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        open_store(f"postgresql://cdp:hush@/cdp?host={tmp_path}")

    assert "hush" not in str(caught.value)


def test_a_plain_postgresql_url_is_understood(postgresql_url: str, open_engine: OpenEngine) -> None:
    engine = open_engine(postgresql_url.replace("postgresql+psycopg://", "postgresql://"))

    assert engine.dialect.driver == "psycopg"


def test_a_store_opened_read_only_is_read_and_refuses_writes(
    sqlite_url: str, open_engine: OpenEngine
) -> None:
    engine = open_engine(f"{sqlite_url}?mode=ro")
    with read(engine) as connection:
        assert count_events(connection) == 0

    with pytest.raises(StoreReadOnlyError), write(engine) as connection:
        insert_like(connection, "outbox_events")


def test_a_full_disk_is_named_and_reads_go_on(sqlite_store: Engine) -> None:
    with pytest.raises(StoreFullError), write(sqlite_store) as connection:
        fill_disk(connection)

    with read(sqlite_store) as connection:
        assert count_events(connection) == 0


def test_a_lost_connection_is_replaced_without_a_restart(postgresql_store: Engine, postgres: Cluster) -> None:
    with read(postgresql_store) as connection:
        lost = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    postgres.execute(f"SELECT pg_terminate_backend({lost}, 5000)")

    with read(postgresql_store) as connection:
        assert count_events(connection) == 0


def test_a_connection_lost_in_a_write_is_told(postgresql_store: Engine, postgres: Cluster) -> None:
    with pytest.raises(StoreUnavailableError), write(postgresql_store) as connection:
        break_connection(connection, postgres)


def test_a_new_store_is_its_owners_alone(migrated_file: Path) -> None:
    assert stat.S_IMODE(migrated_file.stat().st_mode) == 0o600
