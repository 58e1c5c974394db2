"""The order in which records come changes nothing: one by one, in batches, all at once, the same people come out."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

import resolution.incremental
from cdp.identity.resolve import resolve_all
from cdp.identity.verify import verify_store
from tests.cdp.identity.resolving import rows
from tests.cdp.realtime.feeding import NOW, Feed, Findings, Limits, a_record, findings, random_records
from tests.histories import seeds

OpenCopy = Callable[[], Engine]


def fed(feed: Feed, raws: list[dict[str, Any]], seed: int, at_once: int) -> Findings:
    """Everything sent in a random order, then every fourth key deleted, then the queue drained."""
    shuffled = random.Random(seed).sample(raws, len(raws))
    for start in range(0, len(shuffled), at_once):
        feed.ingest(*shuffled[start : start + at_once])
    keys = sorted({(raw["source"], raw["source_record_id"]) for raw in raws})
    for source, key in random.Random(seed).sample(keys[::4], len(keys[::4])):
        feed.delete(source, key)
    feed.drain()
    return findings(feed.engine)


@pytest.mark.parametrize(
    ("limits", "redo_at_once"),
    [
        (Limits(), 200),
        (Limits(cap=4, complete_size=4), 200),
        (Limits(cap=3), 0),
        (Limits(cap=5, complete_size=3), 3),
        (Limits(window_days=7), 200),
        (Limits(window_days=1), 0),
    ],
    ids=["wide", "narrow", "all_queued", "some_queued", "window", "window_queued"],
)
@pytest.mark.parametrize("seed", seeds(1))
def test_every_order_and_the_batch_find_the_same(
    open_copy: OpenCopy,
    monkeypatch: pytest.MonkeyPatch,
    limits: Limits,
    redo_at_once: int,
    seed: int,
) -> None:
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", redo_at_once)
    raws = random_records(seed, 40)
    feeds = [Feed(open_copy(), limits) for _ in range(4)]

    found = [
        fed(feed, raws, place, at_once)
        for place, (feed, at_once) in enumerate(zip(feeds, (1, 1, 7, len(raws)), strict=True))
    ]

    assert verify_store(feeds[0].engine, partition=False).breaches == []
    resolve_all(feeds[0].engine, clock=lambda: NOW)
    batch = findings(feeds[0].engine)
    assert [each == batch for each in found] == [True] * 4


def test_names_that_no_window_saw_together_do_not_make_a_value_shared(store: Engine) -> None:
    """A number that was given to somebody else every year, against one that a shop uses."""
    names = ("Ana", "Bia", "Caio", "Davi", "Eva")
    recycled = [
        a_record(f"r{place}", day=-365 * place, full_name=f"{name} Reis", emails=["eu77@example.com"])
        for place, name in enumerate(names)
    ]
    used = [
        a_record(f"u{place}", day=place, full_name=f"{name} Reis", emails=["casa77@example.com"])
        for place, name in enumerate(names)
    ]
    feed = Feed(store, Limits(window_days=30))

    feed.ingest(*recycled, *used)

    assert [(row["value"], row["holder_count"], row["sharing"]) for row in rows(store, "shared_values")] == [
        ("casa77@example.com", 5, "generic")
    ]
    feed.ingest(a_record("u0", day=90, full_name="Ana Reis", emails=["casa77@example.com"]))
    feed.ingest(a_record("r1", day=-1, full_name="Bia Reis", emails=["eu77@example.com"]))
    feed.ingest(a_record("r2", day=1, full_name="Caio Reis", emails=["eu77@example.com"]))
    found = findings(store)
    assert sorted(
        (row["value"], row["holder_count"], row["sharing"]) for row in rows(store, "shared_values")
    ) == [
        ("casa77@example.com", 4, "shared"),
        ("eu77@example.com", 3, "shared"),
    ]
    resolve_all(store, clock=lambda: NOW)
    assert findings(store) == found
    assert verify_store(store).breaches == []


def test_a_value_that_becomes_generic_on_the_way_counts_for_nobody(open_copy: OpenCopy) -> None:
    names = ("Ana", "Bia", "Caio", "Davi", "Eva")
    raws = [
        a_record(f"{name}{number}", full_name=f"{name} Reis", emails=["casa77@example.com"])
        for name in names
        for number in range(3)
    ]
    first, second = Feed(open_copy()), Feed(open_copy())

    found = [fed(first, raws, 1, 1), fed(second, raws, 2, 3)]

    assert found[0] == found[1]
    assert ("emails", "casa77@example.com", 5, "generic") in found[0].shared
    resolve_all(first.engine, clock=lambda: NOW)
    assert findings(first.engine) == found[0]


def test_a_batch_changes_nothing_that_came_online(store: Engine) -> None:
    feed = Feed(store)
    feed.ingest(*random_records(3, 20))
    before = findings(store)

    report = resolve_all(store, clock=lambda: NOW)

    assert findings(store) == before
    assert report["changes"] is not None
    assert report["changes"]["profiles_changed"] == 0
    assert verify_store(store).breaches == []


def test_online_goes_on_from_what_a_batch_left(store: Engine) -> None:
    feed = Feed(store)
    raws = random_records(4, 30)
    feed.ingest(*raws[:15])
    resolve_all(store, clock=lambda: NOW)

    for raw in raws[15:]:
        feed.ingest(raw)
    feed.drain()

    online = findings(store)
    resolve_all(store, clock=lambda: NOW)
    assert findings(store) == online


def test_a_block_may_close_over_records_that_wait(
    sqlite_store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who wait because their address became shared still have the key of it."""
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", 0)
    feed = Feed(sqlite_store, Limits(cap=3))
    shared = {"emails": ["casa77@example.com"]}
    feed.ingest(
        a_record("a1", full_name="Ana Reis", **shared),
        a_record("a2", full_name="Ana Reis", gender="f", **shared),
    )
    for name in ("Bia", "Caio", "Davi", "Eva"):
        feed.ingest(a_record(name, full_name=f"{name} Reis", **shared))

    for number in range(3):
        feed.ingest(a_record(f"b{number}", full_name="Ana Reis", birth_date=f"198{number}-02-03"))

    feed.drain()
    online = findings(sqlite_store)
    resolve_all(sqlite_store, clock=lambda: NOW)
    assert findings(sqlite_store) == online
