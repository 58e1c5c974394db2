"""All rows of a table anew: the rows, the indexes, and nothing when it is rolled back."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, inspect, select
from sqlalchemy.exc import IntegrityError

from cdp.store import read, replace_columns, schema, write
from tests.cdp.store.rows import fill

keys = schema.blocking_keys
NAMES = ("blocking_key", "record_id")


@pytest.fixture
def filled(store: Engine) -> Engine:
    fill(store)
    return store


def stored_keys(store: Engine) -> list[tuple[int, int]]:
    with read(store) as connection:
        return [
            (row.blocking_key, row.record_id) for row in connection.execute(select(keys).order_by(*keys.c))
        ]


def test_the_new_rows_take_the_place_of_all_others(filled: Engine) -> None:
    new = [(number, 1) for number in range(1300)]
    chunks = [[[key for key, _ in part], [1] * len(part)] for part in (new[:1000], new[1000:])]

    with write(filled) as connection:
        count = replace_columns(connection, keys, iter(chunks), columns=NAMES)

    assert count == 1300
    assert stored_keys(filled) == new


def test_the_indexes_are_as_they_were(filled: Engine) -> None:
    before = inspect(filled).get_indexes("blocking_keys")

    with write(filled) as connection:
        replace_columns(connection, keys, [[[5], [1]]], columns=NAMES)

    assert inspect(filled).get_indexes("blocking_keys") == before


def test_a_row_that_breaks_a_constraint_keeps_the_former_rows(filled: Engine) -> None:
    before = stored_keys(filled)

    with pytest.raises(IntegrityError), write(filled) as connection:
        replace_columns(connection, keys, [[[5, 5], [1, 1]]], columns=NAMES)

    assert stored_keys(filled) == before
    assert [index["name"] for index in inspect(filled).get_indexes("blocking_keys")] == [
        "blocking_keys_record"
    ]
