"""What is worked out before a write changes nothing of what comes out, whatever happened between."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from cdp.identity.activate import activate_model
from cdp.identity.resolve import resolve_all
from cdp.realtime.foresight import Foresight
from cdp.realtime.incoming import IncomingRecord
from cdp.realtime.ingest import ingest_records
from cdp.realtime.online_models import OnlineModels
from cdp.store import read
from tests.cdp.realtime.feeding import NOW, Feed, Limits, findings, keep_model, random_records


@pytest.fixture
def feed(store: Engine) -> Feed:
    return Feed(store, Limits(cap=12))


def foresee(feed: Feed, records: list[IncomingRecord]) -> Foresight:
    foresight = Foresight(feed.engine, feed.resolver.models)
    while foresight.step(records):
        pass
    return foresight


def test_foreseen_records_give_the_people_of_the_batch_whatever_came_between(feed: Feed) -> None:
    raws = random_records(11, 90)
    feed.ingest(*raws[:30])
    coming = [feed.take(raw) for raw in raws[60:]]
    foresight = foresee(feed, coming)
    feed.ingest(*raws[30:60])

    ingest_records(feed.resolver, coming, author="test", now=NOW, foresight=foresight)

    feed.drain()
    online = findings(feed.engine)
    resolve_all(feed.engine, clock=lambda: NOW)
    assert findings(feed.engine) == online


def test_the_write_takes_what_was_foreseen(sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store)
    feed.ingest(
        {"source": "shop", "source_record_id": "1", "full_name": "Ana Reis", "emails": ["a@example.com"]}
    )
    record = feed.take(
        {"source": "web", "source_record_id": "2", "full_name": "Ana Reis", "emails": ["a@example.com"]}
    )

    foresight = foresee(feed, [record])

    with read(sqlite_store) as connection:
        readings = foresight.readings(feed.resolver.models.require(connection, 0))
    assert readings is not None
    [(_, stored)] = foresight.texts.values()
    assert readings.of(record.linkage) in readings.of(stored).evidence


def test_what_was_foreseen_under_another_model_is_left(sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store)
    raws = random_records(12, 30)
    feed.ingest(*raws[:20])
    coming = [feed.take(raw) for raw in raws[20:]]
    foresight = foresee(feed, coming)
    keep_model(sqlite_store, 1, complete_size=4)
    activate_model(sqlite_store, 1, author="lead", reason="other", now=NOW)
    resolve_all(sqlite_store, clock=lambda: NOW)

    [answer, *_] = ingest_records(feed.resolver, coming, author="test", now=NOW, foresight=foresight)

    assert answer.model_version == 1
    with read(sqlite_store) as connection:
        assert foresight.readings(feed.resolver.models.require(connection, 1)) is None


def test_a_new_store_foresees_nothing(sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store)
    record = feed.take({"source": "shop", "source_record_id": "1", "full_name": "Ana Reis"})

    foresight = Foresight(sqlite_store, OnlineModels())

    assert [foresight.step([record]), foresight.step([record])] == [True, False]
    assert foresight.texts == {}
