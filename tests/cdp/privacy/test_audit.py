"""The chain of audit entries holds, and shows every change made to it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from cdp.privacy.audit import (
    CHAIN_START,
    AuditEntry,
    ChainBreach,
    append_audit,
    count_unsealed,
    find_breach,
    seal_audit,
    select_head,
)
from cdp.store import open_store, read, write
from cdp.store.schema import audit_entries

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def an_entry(number: int = 1, **details: object) -> AuditEntry:
    return AuditEntry(
        "steward ana", "profile.join", "profile", f"p{number}", NOW + timedelta(seconds=number), details
    )


def append_sealed(engine: Engine, count: int) -> None:
    with write(engine) as connection:
        append_audit(connection, [an_entry(number) for number in range(1, count + 1)])
    seal_audit(engine)


def append_and_fail(connection: Connection) -> None:
    append_audit(connection, [an_entry(9)])
    raise ZeroDivisionError


def alter(connection: Connection, position: int, **values: Any) -> None:
    connection.execute(
        audit_entries.update().where(audit_entries.c.chain_position == position).values(**values)
    )


def test_an_empty_chain_holds(store: Engine) -> None:
    with read(store) as connection:
        assert find_breach(connection) is None
        assert select_head(connection) == (0, CHAIN_START)


def test_appended_entries_make_a_chain(store: Engine) -> None:
    append_sealed(store, 3)
    append_sealed(store, 2)

    with read(store) as connection:
        rows = connection.execute(select(audit_entries).order_by(audit_entries.c.chain_position)).all()
        assert find_breach(connection) is None
        assert count_unsealed(connection) == 0
        assert [row.chain_position for row in rows] == [1, 2, 3, 4, 5]
        assert [row.object_id for row in rows] == ["p1", "p2", "p3", "p1", "p2"]
        assert [row.previous_hash for row in rows] == [CHAIN_START, *(row.entry_hash for row in rows[:-1])]


def test_entries_of_a_rolled_back_write_are_not_in_the_chain(store: Engine) -> None:
    append_sealed(store, 1)
    with pytest.raises(ZeroDivisionError), write(store) as connection:
        append_and_fail(connection)

    append_sealed(store, 1)

    with read(store) as connection:
        assert find_breach(connection) is None
        assert select_head(connection)[0] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "someone else"},
        {"action": "profile.split"},
        {"object_kind": "record"},
        {"object_id": "p7"},
        {"details": '{"reason":"another"}'},
        {"recorded_at": NOW + timedelta(days=1)},
        {"entry_hash": "f" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_altered_entry_shows(store: Engine, change: dict[str, Any]) -> None:
    append_sealed(store, 3)

    with write(store) as connection:
        alter(connection, 2, **change)

        assert find_breach(connection) == ChainBreach(2, "altered")


def test_an_entry_taken_out_shows(store: Engine) -> None:
    append_sealed(store, 3)

    with write(store) as connection:
        connection.execute(audit_entries.delete().where(audit_entries.c.chain_position == 2))

        assert find_breach(connection) == ChainBreach(2, "missing")


def test_an_entry_made_again_with_another_past_shows(store: Engine) -> None:
    append_sealed(store, 3)

    with write(store) as connection:
        alter(connection, 3, previous_hash="e" * 64)

        assert find_breach(connection) == ChainBreach(3, "unlinked")


def test_on_postgresql_writers_do_not_wait_for_each_other(postgresql_url: str) -> None:
    engine = open_store(postgresql_url, timeout_seconds=1)

    with write(engine) as one:
        append_audit(one, [an_entry(1)])
        with write(engine) as other:
            append_audit(other, [an_entry(2)])

    assert seal_audit(engine) == 2
    with read(engine) as connection:
        assert find_breach(connection) is None
    engine.dispose()


def test_two_sealers_make_one_chain(store: Engine) -> None:
    def work() -> None:
        for number in range(5):
            with write(store) as connection:
                append_audit(connection, [an_entry(number)])
            seal_audit(store)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with read(store) as connection:
        assert find_breach(connection) is None
        assert select_head(connection)[0] == 15


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
entries = st.builds(
    AuditEntry,
    actor=texts,
    action=texts,
    object_kind=texts,
    object_id=texts,
    recorded_at=st.datetimes(timezones=st.just(UTC)),
    details=st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts, max_size=3),
)


@given(st.lists(st.lists(entries, min_size=1, max_size=4), min_size=1, max_size=4), st.data())
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_chain_holds_and_any_change_to_its_middle_shows(
    sqlite_store: Engine, batches: list[list[AuditEntry]], data: st.DataObject
) -> None:
    with write(sqlite_store) as connection:
        for batch in batches:
            append_audit(connection, batch)
        assert find_breach(connection) is None

        length = sum(len(batch) for batch in batches)
        position = data.draw(st.integers(1, length))
        column = data.draw(st.sampled_from(["actor", "action", "object_kind", "object_id", "details"]))
        alter(connection, position, **{column: audit_entries.c[column] + "x"})
        assert find_breach(connection) == ChainBreach(position, "altered")
        connection.rollback()
