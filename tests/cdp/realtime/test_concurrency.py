"""Eight processes that bring the same people at the same time find the people that one alone finds."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from cdp.identity.sources import select_sources
from cdp.identity.verify import verify_store
from cdp.privacy.audit import seal_audit
from cdp.realtime.incoming import take_record
from cdp.realtime.ingest import Resolver
from cdp.realtime.ingest_queue import IngestQueue
from cdp.realtime.online_models import OnlineModels
from cdp.store import open_store, read
from cdp.store.schema import source_records
from resolution.standardize import Standardizer
from tests.cdp.realtime.feeding import NOW, Feed, a_record, findings

PROCESSES = 8
# People and records of each: some of everyone's work meets, or all of it does.
CROWDS = {"many people": (40, 5), "few people": (3, 40)}

GIVEN = ("Ana", "Bia", "Caio", "Davi", "Eva", "Fabio", "Gil", "Helena")
FAMILY = ("Reis", "Lima", "Prado", "Moura", "Campos")


def records_of_people(people: int, records_each: int) -> list[dict[str, Any]]:
    """Of each person a few records that agree in what they say and do not say all."""
    chance = random.Random(11)
    records = []
    for person in range(people):
        name = f"{GIVEN[person % 8]} {FAMILY[person % 5]}"
        facts = {
            "full_name": name,
            "birth_date": f"19{60 + person % 40}-0{1 + person % 9}-1{person % 9}",
            "emails": [f"p{person}@example.com"],
        }
        for number in range(records_each):
            kept = {field: facts[field] for field in chance.sample(sorted(facts), 2)}
            records.append(a_record(f"{person}-{number}", source=chance.choice(("shop", "web")), **kept))
    return records


def bring(url: str, share: int, crowd: tuple[int, int]) -> None:
    """What one process does: its share of all records, in its own order, a third of them twice."""
    chance = random.Random(share)
    records = records_of_people(*crowd)
    mine = [record for place, record in enumerate(records) if place % PROCESSES == share]
    mine += chance.sample(records, len(records) // (3 * PROCESSES))
    chance.shuffle(mine)
    engine = open_store(url, timeout_seconds=60.0)
    with read(engine) as connection:
        sources = {
            name: (source, Standardizer(source.settings, cache_size=0))
            for name, source in select_sources(connection).items()
        }
    resolver, queue = Resolver(engine, OnlineModels()), IngestQueue()
    for raw in mine:
        queue.ingest(resolver, [take_record(raw, sources, now=NOW)], author="test", now=NOW)
    engine.dispose()


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
def test_eight_processes_find_the_people_of_one(
    store: Engine,
    store_url: str,
    migrated_file: Path,
    tmp_path: Path,
    open_engine: Callable[[str], Engine],
    crowd: tuple[int, int],
) -> None:
    feed = Feed(store)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=bring, args=(store_url, share, crowd)) for share in range(PROCESSES)]
    alone_file = tmp_path / "alone.db"
    alone_file.write_bytes(migrated_file.read_bytes())
    alone = Feed(open_engine(f"sqlite:///{alone_file}"))

    for process in processes:
        process.start()
    for process in processes:
        process.join()
    alone.ingest(*records_of_people(*crowd))

    assert [process.exitcode for process in processes] == [0] * PROCESSES
    feed.drain()
    alone.drain()
    assert findings(store) == findings(alone.engine)
    with read(store) as connection:
        count = connection.scalars(select(func.count()).select_from(source_records)).one()
    assert count == crowd[0] * crowd[1]
    seal_audit(store)
    assert verify_store(store).breaches == []
