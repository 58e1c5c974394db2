"""Bulk roads in and out keep types, order and constraints on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, inspect, select
from sqlalchemy.exc import IntegrityError

from cdp.store import (
    filled_table,
    id_set,
    insert_columns,
    insert_rows,
    read,
    reserve_ids,
    schema,
    stream_rows,
    temporary_table,
    write,
)
from cdp.store.columns import ID

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
EVENT_COLUMNS = ["event_id", "kind", "subject_id", "payload", "created_at"]


def some_events(*event_ids: int) -> list[tuple[object, ...]]:
    return [(event_id, "joined", f"p{event_id}", "{}", NOW) for event_id in event_ids]


def insert_events(engine: Engine, *event_ids: int) -> None:
    with write(engine) as connection:
        insert_rows(connection, schema.outbox_events, some_events(*event_ids), columns=EVENT_COLUMNS)


def test_rows_come_back_as_they_went_in(store: Engine) -> None:
    row = (1, "crm", "BR", None, "dmy", 50, '{"tab": "a\\tb"}', NOW)

    with write(store) as connection:
        count = insert_rows(connection, schema.sources, iter([row]))

    with read(store) as connection:
        assert count == 1
        assert [tuple(each) for each in connection.execute(select(schema.sources))] == [row]


def test_a_broken_constraint_raises_integrity_error_without_the_values(store: Engine) -> None:
    rows = [(n, "same", "BR", None, "dmy", 50, "{}", NOW) for n in (1, 2)]

    with pytest.raises(IntegrityError) as caught, write(store) as connection:
        insert_rows(connection, schema.sources, rows)

    assert "BR" not in str(caught.value)


def test_columns_come_back_as_the_rows_they_are(store: Engine) -> None:
    rows = some_events(*range(1, 1001))
    columns = [list(column) for column in zip(*rows, strict=True)]
    chunks = [[column[:300] for column in columns], [column[300:] for column in columns]]

    with write(store) as connection:
        count = insert_columns(connection, schema.outbox_events, iter(chunks), columns=EVENT_COLUMNS)

    with read(store) as connection:
        events = schema.outbox_events
        stored = connection.execute(
            select(*[events.c[name] for name in EVENT_COLUMNS]).order_by(events.c.event_id)
        )
        assert count == 1000
        assert [tuple(each) for each in stored] == rows


def test_columns_of_no_rows_are_no_rows(store: Engine) -> None:
    empty: list[list[object]] = [[] for _ in EVENT_COLUMNS]

    with write(store) as connection:
        assert insert_columns(connection, schema.outbox_events, [empty], columns=EVENT_COLUMNS) == 0


def test_a_broken_constraint_in_columns_raises_integrity_error_without_the_values(store: Engine) -> None:
    columns = [[1, 2], ["same", "same"], ["BR", "BR"], ["dmy", "dmy"], [50, 50], ["{}", "{}"], [NOW, NOW]]
    names = ["source_id", "name", "default_region", "date_order", "trust", "settings", "created_at"]

    with pytest.raises(IntegrityError) as caught, write(store) as connection:
        insert_columns(connection, schema.sources, [columns], columns=names)

    assert "BR" not in str(caught.value)


def test_no_rows_are_no_rows(store: Engine) -> None:
    with write(store) as connection:
        assert insert_rows(connection, schema.sources, []) == 0


def test_streaming_gives_chunks_in_order(store: Engine) -> None:
    insert_events(store, *range(1, 26))

    with read(store) as connection:
        statement = select(schema.outbox_events.c.event_id).order_by(schema.outbox_events.c.event_id)
        chunks = [
            [row.event_id for row in chunk] for chunk in stream_rows(connection, statement, chunk_size=10)
        ]

    assert chunks == [list(range(1, 11)), list(range(11, 21)), list(range(21, 26))]


def test_reserved_ids_are_given_to_nobody_else(store: Engine) -> None:
    with write(store) as connection:
        first = reserve_ids(connection, schema.outbox_events.c.event_id, 3)
        second = reserve_ids(connection, schema.outbox_events.c.event_id, 2)
        insert_rows(connection, schema.outbox_events, some_events(*first), columns=EVENT_COLUMNS)
        own = connection.execute(
            schema.outbox_events.insert(),
            {"kind": "joined", "subject_id": "p", "payload": "{}", "created_at": NOW},
        ).inserted_primary_key

    assert [*first, *second] == [1, 2, 3, 4, 5]
    assert own == (6,)


@pytest.mark.parametrize("ids", [[2, 4, 99], [], [2**40, 2]], ids=["some", "none", "large"])
def test_an_id_set_selects_its_members(store: Engine, ids: list[int]) -> None:
    insert_events(store, 1, 2, 3, 4)

    with read(store) as connection:
        wanted = id_set(connection, ids)
        events = schema.outbox_events
        found = connection.scalars(select(events.c.event_id).join(wanted, wanted.c.id == events.c.event_id))
        listed = connection.scalars(
            select(events.c.event_id).where(events.c.event_id.in_(select(wanted.c.id)))
        )

        expected = sorted({1, 2, 3, 4} & set(ids))
        assert sorted(found) == expected
        assert sorted(listed) == expected


def test_an_id_set_holds_texts_too(store: Engine) -> None:
    insert_events(store, 1, 2)

    with read(store) as connection:
        wanted = id_set(connection, ["p2", "p3"])
        events = schema.outbox_events
        found = connection.scalars(select(events.c.event_id).join(wanted, wanted.c.id == events.c.subject_id))

        assert list(found) == [2]


def test_a_temporary_table_lasts_for_its_block(store: Engine) -> None:
    insert_events(store, 1, 2, 3)

    with write(store) as connection:
        for wanted in ([1, 2], [3]):
            with temporary_table(connection, "due", {"event_id": ID}, ((each,) for each in wanted)) as due:
                joined = select(schema.outbox_events.c.event_id).join_from(
                    schema.outbox_events, due, due.c.event_id == schema.outbox_events.c.event_id
                )
                assert sorted(connection.scalars(joined)) == wanted


def test_a_temporary_table_is_gone_after_an_error(store: Engine) -> None:
    columns = {"event_id": ID}

    with (
        pytest.raises(ZeroDivisionError),
        write(store) as connection,
        temporary_table(connection, "due", columns, [(1,)]),
    ):
        raise ZeroDivisionError

    with write(store) as connection, temporary_table(connection, "due", columns, [(2,)]) as due:
        assert list(connection.scalars(select(due.c.event_id))) == [2]


SOME_RECORDS = [
    (record_id, 1, f"r{record_id}", NOW, NOW, "{}", f"{record_id:032}", "{}", 1) for record_id in (1, 2)
]
RECORD_COLUMNS = [
    "record_id",
    "source_id",
    "source_record_id",
    "occurred_at",
    "received_at",
    "raw",
    "raw_hash",
    "standardized",
    "standardizer_version",
]
IDENTIFIER_COLUMNS = ["record_id", "kind", "value", "variant", "verified"]


@pytest.fixture
def two_records(store: Engine) -> Engine:
    with write(store) as connection:
        insert_rows(connection, schema.sources, [(1, "crm", "BR", None, "dmy", 50, "{}", NOW)])
        insert_rows(connection, schema.source_records, SOME_RECORDS, columns=RECORD_COLUMNS)
    return store


def identifier_indexes(engine: Engine) -> list[object]:
    return sorted((each["name"], each["column_names"]) for each in inspect(engine).get_indexes("identifiers"))


@pytest.mark.parametrize("rows_before", [0, 1], ids=["empty table", "table with rows"])
def test_a_filled_table_holds_all_rows_and_keeps_its_indexes(two_records: Engine, rows_before: int) -> None:
    rows = [
        (1, "phone", "+551133334444", "551133334444", False),
        (2, "email", "b@example.com", None, True),
        (2, "email", "a@example.com", None, False),
    ]
    indexes_before = identifier_indexes(two_records)

    with write(two_records) as connection:
        insert_rows(connection, schema.identifiers, rows[:rows_before], columns=IDENTIFIER_COLUMNS)
        with filled_table(connection, schema.identifiers, IDENTIFIER_COLUMNS) as add:
            add(rows[rows_before:2])
            add(rows[2:])

    columns = [schema.identifiers.c[name] for name in IDENTIFIER_COLUMNS]
    with read(two_records) as connection:
        stored = connection.execute(select(*columns).order_by(*columns)).all()
    assert [tuple(row) for row in stored] == sorted(rows)
    assert identifier_indexes(two_records) == indexes_before


def test_a_row_that_breaks_a_constraint_leaves_a_filled_table_as_it_was(two_records: Engine) -> None:
    of_no_record = (3, "email", "a@example.com", None, False)
    indexes_before = identifier_indexes(two_records)

    with (
        pytest.raises(IntegrityError),
        write(two_records) as connection,
        filled_table(connection, schema.identifiers, IDENTIFIER_COLUMNS) as add,
    ):
        add([of_no_record])

    with read(two_records) as connection:
        assert connection.execute(select(schema.identifiers)).all() == []
    assert identifier_indexes(two_records) == indexes_before


@pytest.mark.parametrize("verified", [True, False])
def test_truth_values_come_back_as_they_went_in(two_records: Engine, verified: bool) -> None:
    with write(two_records) as connection:
        row = (1, "email", "a@example.com", None, verified)
        insert_rows(connection, schema.identifiers, [row], columns=IDENTIFIER_COLUMNS)

    with read(two_records) as connection:
        assert connection.scalar(select(schema.identifiers.c.verified)) is verified
