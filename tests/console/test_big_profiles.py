"""Profiles of many records: a page of them, whatever their size."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from tests.builders import StoreBuilder, a_record
from tests.console.conftest import Visitor
from tests.console.test_review import page


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """On SQLite alone, whose rows can be counted."""
    return sqlite_url


@pytest.fixture
def rows_read() -> Iterator[list[object]]:
    """Every row that a store gives from here on."""
    rows: list[object] = []

    def count(_cursor: object, row: object) -> object:
        rows.append(row)
        return row

    def listen(connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.row_factory = count

    event.listen(Pool, "connect", listen)
    yield rows
    event.remove(Pool, "connect", listen)


def test_a_page_of_a_big_profile_reads_as_much_as_of_a_bigger_one(
    rows_read: list[object], people: StoreBuilder, steward: Visitor
) -> None:
    counts = []
    for size in (120, 240):
        built = people.add_profile(
            *(a_record(source="shop", source_record_id=f"{size}-{number}") for number in range(size))
        )
        address = f"/console/profiles/{built.profile_id}"
        before = len(rows_read)
        shown = page(steward.get(address))
        counts.append(len(rows_read) - before)

    assert 0 < counts[0] == counts[1] < 500
    assert shown.count('name="record_id" value=') == 50 + 50
    assert '<svg class="graph"' not in shown
    assert "Take the whole profile apart" in shown
