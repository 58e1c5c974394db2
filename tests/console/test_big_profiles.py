"""Profiles of many records: a page of them, whatever their size."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.pool import Pool

from api import create_app
from api.service import Service
from cdp.settings import Settings
from cdp.staff.accounts import NewUser, create_user
from tests.builders import NOW, StoreBuilder, a_record
from tests.console.conftest import PASSWORD, Visitor
from tests.console.test_review import page


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """On SQLite alone, whose rows can be counted."""
    return sqlite_url


@pytest.fixture
def app(store_url: str, people: StoreBuilder, tmp_path: Path) -> Iterator[Flask]:
    """Over profiles that are built without their events, which nothing here asks for."""
    create_user(people.engine, NewUser("steward", "steward", PASSWORD), actor="test", now=NOW)
    app = create_app(Settings(tmp_path, store_url, 1.0), clock=lambda: NOW)
    yield app
    service: Service = app.extensions["cdp"]
    service.read_audit.close()
    service.store.close()


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
        built = people.add_profile(*(a_record(source_record_id=f"{size}-{number}") for number in range(size)))
        address = f"/console/profiles/{built.profile_id}"
        before = len(rows_read)
        shown = page(steward.get(address))
        counts.append(len(rows_read) - before)

    small, big = counts
    assert 0 < big <= small + 2 < 500
    assert shown.count('name="record_id" value=') == 50
    assert '<svg class="graph"' not in shown
    assert "Take the whole profile apart" in shown
