"""Reads are audited within a second, in batches, and none is lost while the store is away or at the end."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, func, select

from cdp.privacy.audit import AuditEntry, count_unsealed, find_breach
from cdp.privacy.read_audit import ReadAudit, ReadAuditFullError
from cdp.store import read, write
from cdp.store.errors import StoreBusyError
from cdp.store.schema import audit_entries
from tests.builders import NOW


def an_entry(number: int = 1) -> AuditEntry:
    return AuditEntry("key:k", "profile.read", "profile", f"P{number}", NOW, {"view": "agent"})


def count_entries(connection: Connection) -> int:
    return connection.scalars(select(func.count()).select_from(audit_entries)).one()


def wait_until(holds: Callable[[], bool], seconds: float = 180.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


def written(store: Engine) -> int:
    with read(store) as connection:
        return count_entries(connection)


def test_entries_are_written_within_a_second_and_sealed(store: Engine) -> None:
    audit = ReadAudit(lambda: store, flush_seconds=0.05)

    for number in range(3):
        audit.add(an_entry(number))

    assert wait_until(lambda: written(store) == 3, seconds=1.0)
    audit.close()
    with read(store) as connection:
        assert count_unsealed(connection) == 0
        assert find_breach(connection) is None


def test_closing_writes_what_waits(store: Engine) -> None:
    audit = ReadAudit(lambda: store, flush_seconds=60)
    audit.add(an_entry())

    audit.close()

    assert written(store) == 1


def test_entries_wait_while_the_store_is_busy(sqlite_store: Engine) -> None:
    busy = True

    def open_engine() -> Engine:
        if busy:
            raise StoreBusyError("busy")
        return sqlite_store

    audit = ReadAudit(open_engine, flush_seconds=0.01)
    audit.add(an_entry())
    with pytest.raises(StoreBusyError):
        audit.flush()
    busy = False

    assert wait_until(lambda: written(sqlite_store) == 1)
    audit.close()


def test_a_full_buffer_refuses_reads(sqlite_store: Engine) -> None:
    audit = ReadAudit(lambda: sqlite_store, flush_seconds=60, capacity=2)
    audit.add(an_entry(1))
    audit.add(an_entry(2))

    with pytest.raises(ReadAuditFullError):
        audit.add(an_entry(3))

    audit.close()
    assert written(sqlite_store) == 2


def test_adding_does_not_wait_for_a_writer(sqlite_store: Engine) -> None:
    audit = ReadAudit(lambda: sqlite_store, flush_seconds=0.01)

    with write(sqlite_store):
        begun = time.perf_counter()
        audit.add(an_entry())
        assert time.perf_counter() - begun < 0.5

    assert wait_until(lambda: written(sqlite_store) == 1)
    audit.close()


def test_each_entry_is_written_once_by_many_flushes(sqlite_store: Engine) -> None:
    audit = ReadAudit(lambda: sqlite_store, flush_seconds=0.001)

    for number in range(500):
        audit.add(an_entry(number))
        if number % 50 == 0:
            audit.flush()
    audit.close()

    with read(sqlite_store) as connection:
        ids = connection.scalars(select(audit_entries.c.object_id).order_by(audit_entries.c.audit_id)).all()
    assert ids == [f"P{number}" for number in range(500)]
