"""After a long write the log goes into the file beside the writers."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, event, insert, select

from cdp.store import read, write
from cdp.store.checkpoints import leave_log
from cdp.store.engine import begin_checkpoint, checkpoints_of
from cdp.store.schema import console_secrets


def keep(connection: Connection, name: str) -> None:
    row = {"name": name, "secret": "s" * 32, "created_at": datetime.now(UTC)}
    connection.execute(insert(console_secrets), row)


def longest_log(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one())


def test_a_long_write_leaves_the_log_and_the_next_one_does_not(sqlite_store: Engine) -> None:
    with write(sqlite_store) as connection:
        leave_log(connection)
        long_write = longest_log(connection)
    with write(sqlite_store) as connection:
        short_write = longest_log(connection)

    assert (long_write, short_write) == (32_768, 1_000)


def test_the_log_is_brought_into_the_file_after_a_long_write(sqlite_store: Engine, tmp_path: Path) -> None:
    with write(sqlite_store) as connection:
        leave_log(connection)
        keep(connection, "long in coming")

    begin_checkpoint(sqlite_store)
    checkpoints_of(sqlite_store).wait()

    assert b"long in coming" in (tmp_path / "cdp.db").read_bytes()


def test_a_log_that_cannot_be_brought_into_the_file_is_left(sqlite_store: Engine) -> None:
    tried: list[str] = []

    @event.listens_for(sqlite_store, "checkout")
    def refuse(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        tried.append("checkpoint")
        raise sqlite3.OperationalError("database or disk is full")

    begin_checkpoint(sqlite_store)
    checkpoints_of(sqlite_store).wait()

    assert tried == ["checkpoint"]


def test_postgresql_has_no_such_log(postgresql_store: Engine) -> None:
    with write(postgresql_store) as connection:
        leave_log(connection)
        keep(connection, "kept")

    begin_checkpoint(postgresql_store)

    with read(postgresql_store) as connection:
        assert connection.scalars(select(console_secrets.c.name)).all() == ["kept"]
