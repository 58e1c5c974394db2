"""Eight processes that bring the same people at the same time find the people that one alone finds.

`python -m benchmarks concurrency` does it with 5,000 records of 500 people and the shipped model.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from benchmarks.concurrency import (
    PROCESSES,
    Crowd,
    bring_at_once,
    deliveries_of_people,
    drain,
    require_whole,
)
from tests.cdp.realtime.feeding import Feed, Limits, findings

# Some of everyone's work meets, or all of it does.
CROWDS = {"many people": Crowd(24, 4), "few people": Crowd(3, 30)}
# Below what a family's address and a shop's have of records, so that their values grow hot on the way.
LIMITS = Limits(cap=12, complete_size=12)
WITHIN_SECONDS = 600.0


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
def test_eight_processes_find_the_people_of_one(
    store: Engine,
    store_url: str,
    migrated_file: Path,
    tmp_path: Path,
    open_engine: Callable[[str], Engine],
    crowd: Crowd,
) -> None:
    Feed(store, LIMITS)
    alone_file = tmp_path / "alone.db"
    alone_file.write_bytes(migrated_file.read_bytes())
    alone = Feed(open_engine(f"sqlite:///{alone_file}"), LIMITS)

    codes = bring_at_once(store_url, crowd, processes=PROCESSES, within_seconds=WITHIN_SECONDS)
    drain(store)
    alone.ingest(*deliveries_of_people(crowd))
    alone.drain()

    assert codes == [0] * PROCESSES
    found = findings(store)
    assert found == findings(alone.engine)
    require_whole(store, crowd, found)


def test_some_values_of_the_crowd_are_shared_and_some_generic(sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store, LIMITS)

    feed.ingest(*deliveries_of_people(CROWDS["many people"]))

    assert {sharing for _, _, _, sharing in findings(sqlite_store).shared} == {"shared", "generic"}
