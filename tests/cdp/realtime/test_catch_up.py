"""What happens to the store while everything is resolved is in what is published, as if it had been there before."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, func, insert, select, update

import cdp.identity.catch_up
import resolution.incremental
from cdp.identity.activate import activate_model
from cdp.identity.register_source import change_source
from cdp.identity.resolve import ResolutionReport, resolve_all
from cdp.identity.snapshot import StoreChangedError
from cdp.identity.verify import verify_store
from cdp.store import open_store, read, write
from cdp.store.schema import ledger_entries, pair_constraints, source_records
from tests.cdp.identity.resolving import rows
from tests.cdp.realtime.feeding import NOW, Feed, Limits, a_record, findings, keep_model, random_records
from tests.cdp.realtime.reporting import report, withdraw
from tests.histories import seeds
from tests.resolution.builders import SMALL

ANA = {"full_name": "Ana Reis", "emails": ["ana@example.com"], "birth_date": "1980-02-29"}
BIA = {"full_name": "Bia Lima", "emails": ["bia@example.com"], "birth_date": "1991-07-05"}

# So high that nobody is joined.
STRICT = replace(SMALL.thresholds, link=900.0, join=900.0, review=900.0, ceiling=999.0)

# Fewer are joined than before.
STRICTER = replace(SMALL.thresholds, link=6.0, join=6.0)


def resolve_while(
    store: Engine, happens: Callable[[], object], *, model_version: int | None = None
) -> ResolutionReport:
    """Resolve everything; before it is published something happens."""

    def progress(step: str) -> None:
        if step == "publishing":
            happens()

    return resolve_all(store, model_version=model_version, clock=lambda: NOW, progress=progress)


def rule(store: Engine, kind: str, *keys: str) -> None:
    """A constraint as a steward's ruling leaves it, without the people that follow from it."""
    with write(store) as connection:
        left, right = sorted(
            connection.scalars(
                select(source_records.c.record_id).where(
                    source_records.c.source_record_id.in_(keys), source_records.c.deleted_at.is_(None)
                )
            )
        )
        values = {"kind": kind, "record_id_l": left, "record_id_r": right, "author": "t", "reason": "t"}
        connection.execute(insert(pair_constraints).values(**values, valid_from=NOW))


def people(store: Engine) -> list[list[str]]:
    return [[key for _, key in keys] for keys in findings(store).people]


def count_entries(store: Engine) -> int:
    with read(store) as connection:
        return connection.scalars(select(func.count()).select_from(ledger_entries)).one()


@pytest.fixture
def feed(store: Engine) -> Feed:
    """Ana twice, in one profile under version 0, and Bia; version 1 joins nobody."""
    feed = Feed(store)
    feed.ingest(a_record("a1", **ANA), a_record("a2", **ANA, gender="f"), a_record("b1", **BIA))
    keep_model(store, 1, thresholds=STRICT)
    return feed


def test_a_record_that_comes_meanwhile_is_resolved_with_the_new_version(feed: Feed) -> None:
    def deliver() -> None:
        [ingested] = feed.ingest(a_record("a3", **ANA, gender="m"))
        assert (ingested.model_version, ingested.outcome) == (0, "attached")

    report = resolve_while(feed.engine, deliver, model_version=1)

    assert people(feed.engine) == [["a1"], ["a2"], ["a3"], ["b1"]]
    assert report["counts"]["records"] == 4
    assert report["changes"] is not None
    assert report["changes"]["records_followed"] == 1
    [ingested] = feed.ingest(a_record("a4", **ANA))
    assert ingested.model_version == 1
    assert verify_store(feed.engine).breaches == []


def test_under_the_same_version_what_came_meanwhile_stays_as_it_was_resolved(feed: Feed) -> None:
    resolve_all(feed.engine, clock=lambda: NOW)

    report = resolve_while(feed.engine, lambda: feed.ingest(a_record("a3", **ANA, gender="m")))

    assert people(feed.engine) == [["a1", "a2", "a3"], ["b1"]]
    assert report["changes"] is not None
    assert report["changes"]["profiles_changed"] == 0
    assert verify_store(feed.engine).breaches == []


def test_records_that_change_and_go_meanwhile_leave_no_trace(feed: Feed) -> None:
    def change() -> None:
        feed.ingest(a_record("a2", **BIA, day=50))
        feed.delete("shop", "b1")

    resolve_while(feed.engine, change)

    assert people(feed.engine) == [["a1"], ["a2"]]
    at_once = findings(feed.engine)
    resolve_all(feed.engine, clock=lambda: NOW)
    assert findings(feed.engine) == at_once
    assert verify_store(feed.engine).breaches == []


def test_what_stewards_rule_meanwhile_holds(feed: Feed) -> None:
    def ruled() -> None:
        rule(feed.engine, "cannot", "a1", "a2")
        rule(feed.engine, "must", "a2", "b1")

    resolve_while(feed.engine, ruled)

    assert people(feed.engine) == [["a1"], ["a2", "b1"]]
    assert verify_store(feed.engine).breaches == []


def test_a_steward_who_rules_on_a_record_that_just_came_is_heard(feed: Feed) -> None:
    def deliver() -> None:
        feed.ingest(a_record("c1", full_name="Caio Prado"))
        rule(feed.engine, "must", "a1", "c1")

    resolve_while(feed.engine, deliver, model_version=1)

    assert people(feed.engine) == [["a1", "c1"], ["a2"], ["b1"]]


def test_what_is_reported_meanwhile_counts(feed: Feed) -> None:
    feed.ingest(
        a_record("d1", emails=["d@example.com"]), a_record("d2", emails=["d@example.com"], gender="f")
    )

    resolve_while(feed.engine, lambda: report(feed, "email", "d@example.com"))

    assert people(feed.engine) == [["a1", "a2"], ["b1"], ["d1"], ["d2"]]
    assert verify_store(feed.engine).breaches == []


def test_another_trust_meanwhile_is_in_the_golden_records(feed: Feed) -> None:
    feed.ingest(a_record("a3", source="web", **ANA | {"full_name": "Ana Maria Reis"}))

    def trust() -> None:
        change_source(feed.engine, "web", trust=90, claims=None, actor="t", now=NOW)

    resolve_while(feed.engine, trust)

    assert verify_store(feed.engine).breaches == []


def test_ids_are_those_of_the_profiles_of_the_moment(feed: Feed) -> None:
    """Found anew, records that came and were joined meanwhile keep their profile, and new ids follow the newest."""

    def deliver() -> None:
        feed.ingest(a_record("b2", **BIA, gender="f"), a_record("c1", full_name="Caio Prado"))

    resolve_while(feed.engine, deliver, model_version=1)

    made = rows(feed.engine, "profiles")
    assert len({row["profile_id"] for row in made}) == len(made) == 5
    [moved] = [
        row for row in rows(feed.engine, "ledger_entries") if row["profile_id"] == made[-1]["profile_id"]
    ]
    assert moved["kind"] == "split"


def test_too_many_changes_end_the_run(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdp.identity.catch_up, "FOLLOWED_AT_MOST", 1)
    before = people(feed.engine)

    with pytest.raises(StoreChangedError, match="2 records changed"):
        resolve_while(feed.engine, lambda: feed.ingest(a_record("c1"), a_record("c2")), model_version=1)

    assert people(feed.engine) == [*before, ["c1"], ["c2"]]
    assert rows(feed.engine, "resolution_runs")[-1]["state"] == "abandoned"


def test_another_model_that_comes_into_force_meanwhile_ends_the_run(feed: Feed) -> None:
    with pytest.raises(StoreChangedError, match="model"):
        resolve_while(feed.engine, lambda: activate_model(feed.engine, 1, author="t", reason="t", now=NOW))

    assert people(feed.engine) == [["a1", "a2"], ["b1"]]


def test_another_ones_long_write_does_not_end_the_run(feed: Feed, store_url: str) -> None:
    hurried = open_store(store_url, timeout_seconds=0.2)
    writing, written = Event(), Event()

    def write_for_long() -> None:
        with write(feed.engine) as connection:
            connection.execute(update(source_records).values(raw=source_records.c.raw))
            writing.set()
            written.wait(1.0)

    def begin(_: str) -> None:
        if not writing.is_set():
            other.start()
            writing.wait(5.0)

    other = Thread(target=write_for_long)
    report = resolve_all(
        hurried,
        clock=lambda: NOW,
        progress=lambda step: begin(step) if step == "publishing" else None,
    )
    other.join()
    hurried.dispose()

    assert report["changes"] is not None
    assert verify_store(feed.engine).breaches == []


@pytest.mark.parametrize(
    ("limits", "redo_at_once"),
    [
        (Limits(), 200),
        (Limits(cap=4, complete_size=4), 200),
        (Limits(cap=3), 0),
        (Limits(cap=5, complete_size=3), 3),
    ],
    ids=["wide", "narrow", "all_queued", "some_queued"],
)
@pytest.mark.parametrize("model_version", [0, 1], ids=["same_version", "other_version"])
@pytest.mark.parametrize("seed", seeds(1))
def test_whatever_happens_meanwhile_the_batch_at_rest_finds_the_same(
    sqlite_store: Engine,
    monkeypatch: pytest.MonkeyPatch,
    limits: Limits,
    redo_at_once: int,
    model_version: int,
    seed: int,
) -> None:
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", redo_at_once)
    monkeypatch.setattr(cdp.identity.catch_up, "FOLLOWED_AT_ONCE", 5)
    feed = Feed(sqlite_store, limits)
    keep_model(sqlite_store, 1, thresholds=STRICTER)
    chance = random.Random(seed)
    raws = random_records(seed, 60)
    feed.ingest(*raws[:30])
    before = report(feed, "email", "x0@example.com")
    report(feed, "email", "x1@example.com")

    def much_happens() -> None:
        for raw in raws[30:]:
            feed.ingest(raw)
        known = sorted({(raw["source"], raw["source_record_id"]) for raw in raws})
        for source, key in chance.sample(known, 12):
            feed.delete(source, key)
        with read(sqlite_store) as connection:
            live = connection.scalars(
                select(source_records.c.source_record_id).where(source_records.c.deleted_at.is_(None))
            ).all()
        withdraw(feed, before.report.report_id)
        report(feed, "email", "x2@example.com")
        once = [key for key in live if live.count(key) == 1]
        chance.shuffle(once)
        rule(sqlite_store, "must", *once[:2])
        rule(sqlite_store, "cannot", *once[2:4])

    resolve_while(sqlite_store, much_happens, model_version=model_version)

    found, entries = findings(sqlite_store), count_entries(sqlite_store)
    assert verify_store(sqlite_store).breaches == []
    resolve_all(sqlite_store, clock=lambda: NOW)
    assert findings(sqlite_store) == found
    assert count_entries(sqlite_store) == entries
