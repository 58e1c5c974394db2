"""Everything is resolved, and another model is put in force, while several processes write records without a pause."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from typing import Any

from sqlalchemy import Engine, func, select

from benchmarks.concurrency import process_context
from cdp.identity.apply_model import apply_model
from cdp.identity.resolve import resolve_all
from cdp.identity.verify import verify_store
from cdp.privacy.audit import seal_audit
from cdp.realtime.incoming import take_record
from cdp.realtime.ingest import Resolver, UnknownRecordError, delete_record
from cdp.realtime.ingest_queue import IngestQueue
from cdp.realtime.known_sources import select_known_sources
from cdp.realtime.online_models import OnlineModels
from cdp.store import open_store, read
from cdp.store.errors import StoreBusyError
from cdp.store.schema import source_records
from tests.cdp.identity.resolving import rows
from tests.cdp.realtime.feeding import Feed, a_record, findings, keep_model
from tests.resolution.builders import SMALL

FEEDERS = 3
PEOPLE = 30

# Fewer are joined than under version 0.
STRICTER = replace(SMALL.thresholds, link=6.0, join=6.0)

GIVEN = ("Ana", "Bia", "Caio", "Davi", "Eva", "Fabio", "Gil", "Helena")
FAMILY = ("Reis", "Lima", "Prado", "Moura", "Campos")


def a_random_record(key: str, chance: random.Random) -> dict[str, Any]:
    person = chance.randrange(PEOPLE)
    facts = {
        "full_name": f"{GIVEN[person % 8]} {FAMILY[person % 5]}",
        "birth_date": f"19{60 + person}-0{1 + person % 9}-1{person % 9}",
        "emails": [f"p{person}@example.com", "casa77@example.com"][: chance.randrange(1, 3)],
    }
    kept = {field: facts[field] for field in chance.sample(sorted(facts), 2)}
    return a_record(key, source=chance.choice(("shop", "web")), day=chance.randrange(90), **kept)


def write_until(url: str, feeder: int, ended: Event, sent: Any) -> None:
    """What one process does: new records, other versions of them, deletions. Counts the records that it brought."""
    chance, count = random.Random(feeder), 0
    engine = open_store(url, timeout_seconds=60.0)
    with read(engine) as connection:
        sources = select_known_sources(
            connection, [{"source": each} for each in ("shop", "web")], allowed=None
        )
    resolver, queue = Resolver(engine, OnlineModels()), IngestQueue()
    known: dict[tuple[str, str], None] = {}
    while not ended.is_set():
        raw = a_random_record(f"{feeder}-{chance.randrange(count + 5)}", chance)
        now = datetime.now(UTC)
        try:
            queue.ingest(resolver, [take_record(raw, sources, now=now)], author="test", now=now)
        except StoreBusyError:
            continue  # As a channel does: send it again.
        known[raw["source"], raw["source_record_id"]] = None
        count += 1
        if chance.random() < 0.1:
            with suppress(UnknownRecordError, StoreBusyError):
                delete_record(resolver, *chance.choice(list(known)), author="test", now=now)
    sent[feeder] = len(known)
    engine.dispose()


def count_records(store: Engine) -> int:
    with read(store) as connection:
        return connection.scalars(select(func.count()).select_from(source_records)).one()


def wait_for_records(store: Engine, count: int) -> None:
    deadline = time.monotonic() + 180
    while count_records(store) < count and time.monotonic() < deadline:
        time.sleep(0.05)


def let_them_write(store: Engine) -> Callable[[str], None]:
    """What is resolved has new records to follow, however slow the writers are: it waits for some of them."""

    def progress(step: str) -> None:
        if step == "publishing":
            wait_for_records(store, count_records(store) + 4)

    return progress


def test_resolving_everything_keeps_up_with_steady_traffic(store: Engine, store_url: str) -> None:
    Feed(store)
    keep_model(store, 1, thresholds=STRICTER)
    context = process_context()
    ended, sent = context.Event(), context.Array("q", FEEDERS)
    feeders = [
        context.Process(target=write_until, args=(store_url, feeder, ended, sent))
        for feeder in range(FEEDERS)
    ]

    for feeder in feeders:
        feeder.start()
    wait_for_records(store, 60)
    clock, progress = (lambda: datetime.now(UTC)), let_them_write(store)
    first = resolve_all(store, clock=clock, progress=progress)
    applied = apply_model(store, 1, author="lead", reason="better", clock=clock, progress=progress)
    last = resolve_all(store, clock=clock, progress=progress)
    before_the_end = count_records(store)
    ended.set()
    for feeder in feeders:
        feeder.join()

    assert [feeder.exitcode for feeder in feeders] == [0] * FEEDERS
    assert applied.resolution is not None
    followed = [report["changes"] for report in (first, applied.resolution, last)]
    assert all(changes is not None and changes["records_followed"] > 0 for changes in followed)
    assert [row["model_version_id"] for row in rows(store, "model_activations")] == [0, 1]
    assert count_records(store) == sum(sent) >= before_the_end
    Feed(store, fresh=False).drain()
    seal_audit(store)
    assert verify_store(store).breaches == []
    online = findings(store)
    resolve_all(store, clock=lambda: datetime.now(UTC))
    assert findings(store) == online
