"""What waits is worked off in steps, by one or by several, and a store that is away is waited for, not for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, update

import cdp.work
import resolution.incremental
from cdp.identity.resolve import resolve_all
from cdp.privacy.audit import count_unsealed
from cdp.realtime.ingest import Resolver
from cdp.realtime.online_models import OnlineModels, StoreNotResolvedError
from cdp.store import read, schema, write
from cdp.store.errors import NotAStoreError, StoreBusyError
from cdp.work import ATTEMPTS, Worked, insist, keep_working, work_off
from tests.cdp.identity.resolving import counts
from tests.cdp.realtime.feeding import NOW, Feed, a_record, findings

NAMES = ("Ana", "Bia", "Caio", "Davi", "Eva")


def never(seconds: float) -> bool:
    return False


class Waits:
    """Notes how long was waited; says stop from the given ask on."""

    def __init__(self, stop_at: int) -> None:
        self.asked: list[float] = []
        self.stop_at = stop_at

    def __call__(self, seconds: float) -> bool:
        self.asked.append(seconds)
        return len(self.asked) >= self.stop_at


@pytest.fixture
def waiting(store: Engine, monkeypatch: pytest.MonkeyPatch) -> Feed:
    """A store where five people came to share an address, and its records wait."""
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", 0)
    feed = Feed(store)
    for number, name in enumerate(NAMES * 2):
        feed.ingest(a_record(str(number), full_name=f"{name} Reis", emails=["casa77@example.com"]))
    return feed


def work(feed: Feed, wait: Callable[[float], bool] = never) -> Worked:
    return work_off(feed.resolver, clock=lambda: NOW, wait=wait)


def queued(feed: Feed) -> int:
    return counts(feed.engine, ["redo_records"])["redo_records"]


def test_the_queue_is_drained_and_the_audit_sealed(waiting: Feed) -> None:
    before = queued(waiting)

    worked = work(waiting)

    assert worked.resolved == before > 0
    assert queued(waiting) == 0
    with read(waiting.engine) as connection:
        assert count_unsealed(connection) == 0


def test_worked_off_it_is_what_a_batch_finds(waiting: Feed) -> None:
    work(waiting)
    online = findings(waiting.engine)

    resolve_all(waiting.engine, clock=lambda: NOW)

    assert findings(waiting.engine) == online


def test_a_batch_empties_the_queue(waiting: Feed) -> None:
    assert queued(waiting) > 0

    resolve_all(waiting.engine, clock=lambda: NOW)

    assert queued(waiting) == 0
    assert work(waiting).resolved == 0


def test_asked_to_stop_it_ends_after_a_step(waiting: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdp.work, "REDO_AT_A_STEP", 2)
    before = queued(waiting)

    worked = work(waiting, Waits(stop_at=2))

    assert worked.resolved == 2
    assert queued(waiting) == before - 2


def test_several_workers_resolve_every_record_once(waiting: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdp.work, "REDO_AT_A_STEP", 1)
    before = queued(waiting)
    done: list[Worked] = []

    def one() -> None:
        resolver = Resolver(waiting.engine, OnlineModels())
        done.append(work_off(resolver, clock=lambda: NOW, wait=never))

    workers = [threading.Thread(target=one) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(180)

    assert sum(worked.resolved for worked in done) == before
    assert queued(waiting) == 0
    online = findings(waiting.engine)
    resolve_all(waiting.engine, clock=lambda: NOW)
    assert findings(waiting.engine) == online


def test_a_queue_that_must_wait_for_a_resolution_keeps_no_audit_entry_waiting(waiting: Feed) -> None:
    with write(waiting.engine) as connection:
        connection.execute(update(schema.resolution_runs).values(kind="batch"))

    with pytest.raises(StoreNotResolvedError, match="cdp resolve"):
        work(waiting)

    with read(waiting.engine) as connection:
        assert count_unsealed(connection) == 0


def test_a_store_that_comes_back_is_waited_for() -> None:
    failures = [StoreBusyError("busy"), StoreBusyError("busy")]
    told: list[str] = []
    waits = Waits(stop_at=99)

    def flaky() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert insist(flaky, wait=waits, tell=told.append) == "done"
    assert len(told) == 2
    assert 0.7 < waits.asked[0] < 1.3
    assert 1.4 < waits.asked[1] < 2.6


def test_a_store_that_stays_away_ends_the_work() -> None:
    told: list[str] = []

    def busy() -> None:
        raise StoreBusyError("busy")

    with pytest.raises(StoreBusyError):
        insist(busy, wait=never, tell=told.append)
    assert len(told) == ATTEMPTS - 1


def test_what_waiting_does_not_cure_is_not_waited_for() -> None:
    def damaged() -> None:
        raise NotAStoreError("damaged")

    with pytest.raises(NotAStoreError):
        insist(damaged, wait=Waits(stop_at=1), tell=pytest.fail)


def test_a_pause_ends_when_it_is_time_to_stop() -> None:
    def busy() -> None:
        raise StoreBusyError("busy")

    assert insist(busy, wait=Waits(stop_at=1), tell=lambda line: None) is None


def test_rounds_that_did_something_are_shown() -> None:
    rounds = [Worked(0, 0), Worked(3, 1), Worked(0, 2)]
    shown: list[Worked] = []

    keep_working(
        lambda: rounds.pop(0),
        poll_seconds=10,
        wait=Waits(stop_at=6),
        show=shown.append,
        tell=pytest.fail,
    )

    assert shown == [Worked(3, 1), Worked(0, 2)]


def test_the_pauses_between_rounds_are_around_the_setting() -> None:
    waits = Waits(stop_at=40)

    keep_working(lambda: Worked(0, 0), poll_seconds=10, wait=waits, show=pytest.fail, tell=pytest.fail)

    pauses = [seconds for seconds in waits.asked if seconds]
    assert all(7.5 <= seconds <= 12.5 for seconds in pauses)
    assert len(set(pauses)) > 1
