"""Reports about identifiers come before, between and after the records, and are withdrawn: the same people come out."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import select

import resolution.incremental
from cdp.identity.resolve import resolve_all
from cdp.identity.verify import verify_store
from cdp.store import read
from cdp.store.schema import memberships, profiles, shared_values
from tests.cdp.realtime.feeding import NOW, Feed, Findings, Limits, findings, random_records
from tests.cdp.realtime.reporting import report, withdraw
from tests.cdp.realtime.test_order import OpenCopy
from tests.histories import seeds

COUNT = 40
STANDING = [("x0@example.com", "wrong_person"), ("x1@example.com", "bounced"), ("x2@example.com", "recycled")]
WITHDRAWN = [("x3@example.com", "bounced"), ("x4@example.com", "wrong_person"), ("x0@example.com", "bounced")]


def fed(feed: Feed, raws: list[dict[str, Any]], seed: int, at_once: int) -> Findings:
    """Records in a random order, then every fourth key deleted; reports filed anywhere, some withdrawn later."""
    chance = random.Random(seed)
    shuffled = chance.sample(raws, len(raws))
    batches = [shuffled[start : start + at_once] for start in range(0, len(shuffled), at_once)]
    places = {each: chance.randrange(len(batches) + 1) for each in [*STANDING, *WITHDRAWN]}
    ends = {each: chance.randrange(places[each], len(batches) + 1) for each in WITHDRAWN}
    filed: dict[tuple[str, str], int] = {}
    for place, batch in enumerate([*batches, []]):
        for each in [each for each, where in places.items() if where == place]:
            filed[each] = report(feed, "email", *each).report.report_id
        for each in [each for each, where in ends.items() if where == place]:
            withdraw(feed, filed[each])
        if batch:
            feed.ingest(*batch)
    keys = sorted({(raw["source"], raw["source_record_id"]) for raw in raws})
    for source, key in chance.sample(keys[::4], len(keys[::4])):
        feed.delete(source, key)
    feed.drain()
    return findings(feed.engine)


def held_rows(feed: Feed) -> set[str]:
    with read(feed.engine) as connection:
        return set(connection.scalars(select(shared_values.c.value).where(shared_values.c.is_held)))


@pytest.mark.parametrize(
    ("limits", "redo_at_once"),
    [(Limits(), 200), (Limits(cap=4, complete_size=4), 200), (Limits(cap=3), 0), (Limits(cap=5), 3)],
    ids=["wide", "narrow", "all_queued", "some_queued"],
)
@pytest.mark.parametrize("seed", seeds(1))
def test_reports_at_any_time_and_the_batch_find_the_same(
    open_copy: OpenCopy, monkeypatch: pytest.MonkeyPatch, limits: Limits, redo_at_once: int, seed: int
) -> None:
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", redo_at_once)
    raws = random_records(seed, COUNT)
    feeds = [Feed(open_copy(), limits) for _ in range(4)]

    found = [
        fed(feed, raws, place, at_once)
        for place, (feed, at_once) in enumerate(zip(feeds, (1, 1, 7, len(raws)), strict=True))
    ]

    assert verify_store(feeds[0].engine, partition=False).breaches == []
    assert [held_rows(feed) for feed in feeds] == [{value for value, _ in STANDING}] * 4
    resolve_all(feeds[0].engine, clock=lambda: NOW)
    batch = findings(feeds[0].engine)
    assert [each == batch for each in found] == [True] * 4
    assert held_rows(feeds[0]) == {value for value, _ in STANDING}


def profiles_of(feed: Feed) -> dict[str, tuple[set[int], str]]:
    """Id to records and golden record, of the live ones."""
    with read(feed.engine) as connection:
        live = select(profiles.c.profile_id, profiles.c.golden).where(profiles.c.state == "live")
        found = {row.profile_id: (set[int](), row.golden) for row in connection.execute(live)}
        for row in connection.execute(select(memberships).where(memberships.c.valid_to.is_(None))):
            found[row.profile_id][0].add(row.record_id)
    return found


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_what_is_withdrawn_leaves_no_trace_in_the_people(open_copy: OpenCopy, seed: int) -> None:
    raws = random_records(seed, COUNT)
    feed = Feed(open_copy())
    feed.ingest(*raws)
    before, ids_before = findings(feed.engine), profiles_of(feed)

    emails = sorted({email for raw in raws for email in raw.get("emails", ())})
    filed = [report(feed, "email", email).report.report_id for email in emails]
    between = findings(feed.engine)
    for report_id in random.Random(seed).sample(filed, len(filed)):
        withdraw(feed, report_id)

    assert between.people != before.people
    assert findings(feed.engine) == before
    assert profiles_of(feed) == ids_before
    assert verify_store(feed.engine).breaches == []
