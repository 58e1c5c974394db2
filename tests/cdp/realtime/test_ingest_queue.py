"""Requests of one moment share a transaction, and each answers as if it had been alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, event, func, select

from cdp.identity.resolve import resolve_all
from cdp.identity.verify import verify_store
from cdp.realtime.incoming import IncomingRecord
from cdp.realtime.ingest_queue import IngestQueue
from cdp.realtime.ingested import Ingested
from cdp.store import open_store, read, write
from cdp.store.errors import StoreBusyError
from cdp.store.schema import audit_entries, source_records
from tests.cdp.realtime.feeding import NOW, Feed, a_record, findings, random_records


@pytest.fixture
def feed(store: Engine) -> Feed:
    return Feed(store)


def together(feed: Feed, records: list[IncomingRecord], authors: Callable[[int], str]) -> list[object]:
    """Each record as a request of its own, all at the same moment; what each answered or raised."""
    queue = IngestQueue()

    def ask(place: int) -> object:
        try:
            [answer] = queue.ingest(feed.resolver, [records[place]], author=authors(place), now=NOW)
        except Exception as error:
            return error
        return answer

    with ThreadPoolExecutor(len(records)) as threads:
        return list(threads.map(ask, range(len(records))))


def test_requests_of_a_moment_are_taken_in_by_fewer_transactions(sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store)
    records = [feed.take(raw) for raw in random_records(5, 24)]

    answers = together(feed, records, lambda _: "key:a")

    assert not any(isinstance(answer, Exception) for answer in answers)
    with read(sqlite_store) as connection:
        written = select(func.count()).where(audit_entries.c.action == "records.write")
        assert connection.scalars(written).one() < len(records)
    assert verify_store(sqlite_store, partition=False).breaches == []


def test_what_comes_together_gives_the_people_of_the_batch(feed: Feed) -> None:
    together(feed, [feed.take(raw) for raw in random_records(6, 24)], lambda place: f"key:{place % 2}")

    online = findings(feed.engine)
    resolve_all(feed.engine, clock=lambda: NOW)
    assert findings(feed.engine) == online


def test_a_record_that_fails_fails_alone(sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store)
    records = [feed.take(a_record(str(number), full_name=f"Ana {number}")) for number in range(8)]
    # Of a source that was never there: the store's foreign key refuses it.
    records[3] = replace(records[3], source_id=99)

    answers = together(feed, records, lambda _: "key:a")

    assert [isinstance(answer, Exception) for answer in answers] == [number == 3 for number in range(8)]
    with read(sqlite_store) as connection:
        assert connection.scalars(select(func.count()).select_from(source_records)).one() == 7


def test_a_busy_store_is_waited_for_together(sqlite_url: str, sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store)
    records = [feed.take(a_record(str(number), full_name=f"Ana {number}")) for number in range(8)]
    impatient = open_store(sqlite_url, timeout_seconds=0.5)
    feed.resolver = replace(feed.resolver, engine=impatient)
    waits: list[Connection] = []
    event.listen(impatient, "begin", waits.append)

    with write(sqlite_store):
        answers = together(feed, records, lambda _: "key:a")

    assert all(isinstance(answer, StoreBusyError) for answer in answers)
    assert len(waits) < len(records)
    impatient.dispose()


def test_each_author_is_told_of_its_own(sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store)
    records = [feed.take(a_record(str(number), full_name=f"Ana {number}")) for number in range(6)]

    together(feed, records, lambda place: f"key:{place % 3}")

    with read(sqlite_store) as connection:
        actors = connection.scalars(
            select(audit_entries.c.actor).where(audit_entries.c.action == "records.write").distinct()
        ).all()
    assert sorted(actors) == ["key:0", "key:1", "key:2"]


def test_versions_of_one_record_are_answered_each_for_itself(sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store)
    versions = [
        feed.take(a_record("1", occurred_at=f"2026-11-0{day}T00:00:00Z", full_name=f"Ana {day}"))
        for day in (3, 1, 2)
    ]

    answers = together(feed, versions, lambda _: "key:a")

    assert all(isinstance(answer, Ingested) for answer in answers)
    told = [(answer.outcome, answer.is_new) for answer in answers if isinstance(answer, Ingested)]
    assert [is_new for _, is_new in told].count(True) == 1
    assert [outcome for outcome, is_new in told if is_new] == ["created"]
