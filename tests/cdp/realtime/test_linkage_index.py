"""The store's index: what it reads is looked up, and what it keeps in mind is what the store says."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from cdp.realtime import index_statements
from cdp.realtime.linkage_index import StoreIndex
from cdp.realtime.local_candidates import open_candidates_of
from cdp.store import read, write
from cdp.store.schema import metadata
from resolution import Sharing
from tests.cdp.realtime.feeding import NOW

SHARED_PHONE = ("phones", "+5511999990000")
MANY_VALUES = [SHARED_PHONE, *(("phones", f"+55119{number:08}") for number in range(600))]
LOOKED_UP = {
    name: getattr(index_statements, name)
    for name in (
        "records",
        "gone",
        "groups",
        "sharing",
        "holders",
        "counts",
        "holdings",
        "keys",
        "members",
        "edges_of",
        "constraints",
        "clusters",
        "cluster_records",
    )
} | {"open candidates": open_candidates_of}


@pytest.fixture
def index_of_a_shared_phone(store: Engine) -> Engine:
    with write(store) as connection:
        index = StoreIndex(connection, 0, now=NOW)
        index.change_sharing({SHARED_PHONE: Sharing(9, "shared", False)})
    return store


@pytest.mark.parametrize("name", LOOKED_UP)
def test_no_read_goes_through_a_whole_table(sqlite_store: Engine, name: str) -> None:
    compiled = LOOKED_UP[name]("sqlite")._for(sqlite_store.dialect)

    with read(sqlite_store) as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        plan = driver.execute(f"EXPLAIN QUERY PLAN {compiled.text}", [None] * len(compiled.places)).fetchall()

    scanned = {words[1] for *_, told in plan if (words := told.split())[0] == "SCAN"}
    assert scanned.isdisjoint(metadata.tables)


def test_of_few_values_and_of_many_the_same_are_shared(index_of_a_shared_phone: Engine) -> None:
    with read(index_of_a_shared_phone) as connection:
        few = StoreIndex(connection, 0).select_sharing(MANY_VALUES[:2])
        many = StoreIndex(connection, 0).select_sharing(MANY_VALUES)

    assert few == many == {SHARED_PHONE: Sharing(9, "shared", False)}


def test_a_change_of_sharing_is_told_by_the_next_read(index_of_a_shared_phone: Engine) -> None:
    with write(index_of_a_shared_phone) as connection:
        index = StoreIndex(connection, 0, now=NOW)
        index.select_sharing(MANY_VALUES)

        index.change_sharing({SHARED_PHONE: Sharing(1, None, False)})

        assert index.select_sharing(MANY_VALUES) == {}


def test_names_of_holders_are_counted_up_to_the_limit(store: Engine) -> None:
    """Of many holders that give no name, one each, and more than the limit."""
    with write(store) as connection:
        index = StoreIndex(connection, 0, now=NOW)
        counts = index.change_holders(
            [],
            [(MANY_VALUES[0], number, "") for number in range(30)]
            + [(MANY_VALUES[1], number, f"N{number % 3}") for number in range(30)]
            + [(MANY_VALUES[2], number, f"N{number}") for number in range(30)],
            limit=13,
        )

    assert [counts[value] for value in MANY_VALUES[:3]] == [0, 3, 13]


def test_counting_who_holds_a_value_reads_no_more_when_thousands_do(sqlite_store: Engine) -> None:
    """In hundreds of steps of SQLite's machine."""
    few, thousands = MANY_VALUES[:2]
    steps: dict[int, int] = {}
    with write(sqlite_store) as connection:
        index = StoreIndex(connection, 0, now=NOW)
        held = [(few, number, f"N{number}") for number in range(15)]
        held += [(thousands, number, f"N{number % 50}") for number in range(5000)]
        index.change_holders([], held, limit=13)
        driver: Any = connection.connection.driver_connection
        for place, value in enumerate((few, thousands)):
            steps[place] = 0

            def count(place: int = place) -> int:
                steps[place] += 1
                return 0

            driver.set_progress_handler(count, 100)
            index.count_holders([value], limit=13)
        driver.set_progress_handler(None, 0)

    assert steps[1] <= steps[0] + 1
