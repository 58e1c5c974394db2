"""Records as a channel sends them, with the sources that they name."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from cdp.identity.register_source import change_source, register_source
from cdp.identity.sources import NewSource
from cdp.identity.verify import verify_store
from cdp.realtime.incoming import RefusedRecordError
from cdp.realtime.ingest_queue import IngestQueue
from cdp.realtime.known_sources import select_known_sources, standardizer
from cdp.realtime.receive import Received, receive_records
from cdp.store import read
from cdp.store.schema import redo_records, shared_values
from resolution.standardize import SourceSettings
from tests.cdp.realtime.feeding import NOW, Feed, a_record
from tests.statements import recorded_statements

ANA = {"full_name": "Ana Reis", "birth_date": "1980-02-29", "emails": ["ana@example.com"]}


@pytest.fixture
def feed(store: Engine) -> Feed:
    return Feed(store)


def receive(feed: Feed, *records: Any, sources: tuple[str, ...] | None = None) -> list[Any]:
    return receive_records(feed.resolver, IngestQueue(), records, sources=sources, author="test", now=NOW)


def test_each_record_is_taken_or_refused_in_its_place(feed: Feed) -> None:
    first, refused, second, nothing = receive(
        feed, a_record("1", **ANA), a_record("2", phones=7), a_record("3", source="web", **ANA), None
    )

    assert isinstance(first, Received)
    assert isinstance(second, Received)
    assert first.ingested.profile_id == second.ingested.profile_id
    assert (refused.code, refused.pointer) == ("wrong_type", "/phones")
    assert (nothing.code, nothing.pointer) == ("wrong_type", "")
    assert verify_store(feed.engine).breaches == []


def test_a_new_record_is_told_from_a_known_one(feed: Feed) -> None:
    [first] = receive(feed, a_record("1", **ANA))
    again, newer, other = receive(feed, a_record("1", **ANA), a_record("1", day=1), a_record("2"))

    told = [each.ingested.is_new for each in (first, again, newer, other)]
    assert told == [True, False, False, True]


def test_where_everything_is_refused_nothing_is_written(feed: Feed) -> None:
    with recorded_statements(feed.engine) as statements:
        [refused] = receive(feed, a_record("1", source="nowhere"))

    assert isinstance(refused, RefusedRecordError)
    assert len(statements) == 1


def test_a_source_of_others_is_as_unknown_as_none(feed: Feed) -> None:
    others, nowhere, own = receive(
        feed, a_record("1"), a_record("1", source="nowhere"), a_record("1", source="web"), sources=("web",)
    )

    assert isinstance(own, Received)
    assert (others.code, others.pointer, str(others)) == (nowhere.code, nowhere.pointer, str(nowhere))


@pytest.mark.parametrize("source", ["web", " web\n", 7])
def test_sources_are_found_as_the_check_of_the_record_reads_them(feed: Feed, source: object) -> None:
    register_source(feed.engine, NewSource("7", SourceSettings()), actor="test", now=NOW)

    [received] = receive(feed, a_record("1") | {"source": source})

    assert isinstance(received, Received)


@pytest.mark.parametrize("source", [None, True, 1.5, [], {}, "", "a\nb", "x" * 201, "\x00"])
def test_what_names_no_source_is_not_asked_for(feed: Feed, source: object) -> None:
    with read(feed.engine) as connection:
        assert select_known_sources(connection, [{"source": source}, None, 3], allowed=None) == {}


def test_a_change_of_a_source_counts_for_the_next_record(feed: Feed) -> None:
    with read(feed.engine) as connection:
        before, _ = select_known_sources(connection, [a_record("1")], allowed=None)["shop"]
    change_source(feed.engine, "shop", trust=None, claims=True, actor="test", now=NOW)

    with read(feed.engine) as connection:
        after, reading = select_known_sources(connection, [a_record("1")], allowed=None)["shop"]

    assert (before.settings.claims, after.settings.claims) == (False, True)
    assert reading is standardizer(after.settings)
    assert reading is not standardizer(before.settings)


def test_threads_may_share_a_standardizer() -> None:
    shared = standardizer(SourceSettings())
    records = [
        {"full_name": f"Ana{n} Reis", "phones": [f"11 9{n:08}"], "emails": [f"a{n}@x.com"]}
        for n in range(200)
    ]
    expected = [shared.standardize(record) for record in records]
    found: dict[int, list[Any]] = {}

    def standardize(place: int) -> None:
        found[place] = [shared.standardize(record) for record in records]

    threads = [threading.Thread(target=standardize, args=[place]) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(found[place] == expected for place in range(4))


def test_what_a_batch_queues_is_resolved_when_it_answers(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolution.incremental.REDO_AT_ONCE", 3)
    shop = [
        a_record(str(number), full_name=f"{name} Silva", emails=["casa.silva@example.com"])
        for number, name in enumerate(
            ("Ana", "Bruno", "Caio", "Dora", "Eva", "Fabio", "Gil", "Hugo", "Ines", "Jonas", "Karla", "Luis")
        )
    ]

    receive(feed, *shop)

    with read(feed.engine) as connection:
        assert connection.scalars(select(func.count()).select_from(redo_records)).one() == 0
        assert connection.scalars(select(func.count()).select_from(shared_values)).one() > 0
    assert verify_store(feed.engine).breaches == []
