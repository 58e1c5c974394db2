"""Where a condition of the model fails on two records, they stand as if they had little in common, and are told of."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import Engine, select, update

import cdp.realtime.redo
from cdp.identity.redo_queue import CONDITION_FAILED, RETRY_AFTER, set_aside
from cdp.identity.resolve import ResolutionFailedError, resolve_all
from cdp.identity.verify import verify_store
from cdp.realtime.ingested import Effect
from cdp.realtime.redo import Drained, drain_redo
from cdp.realtime.search import Sought, search_profiles
from cdp.store import read, schema, write
from cdp.store.schema import redo_records
from cdp.work import work_off
from tests.cdp.identity.resolving import rows
from tests.cdp.realtime.feeding import NOW, Feed, a_record, activate_failing_model, findings

HOME = {"emails": ["casa77@example.com"], "birth_date": "1980-02-29"}
ANA, ZE = ({"full_name": f"{name} Reis", **HOME} for name in ("Ana", "Ze"))
AFTER = NOW + RETRY_AFTER + timedelta(seconds=1)


def failing_feed(store: Engine) -> Feed:
    feed = Feed(store)
    activate_failing_model(store)
    return feed


@pytest.fixture
def feed(store: Engine) -> Feed:
    return failing_feed(store)


def queue(feed: Feed) -> dict[int, str | None]:
    return {row["record_id"]: row["reason"] for row in rows(feed.engine, "redo_records")}


def drain(feed: Feed, now: datetime = NOW) -> Drained:
    return drain_redo(feed.resolver, at_most=20, now=now)


def test_a_record_that_cannot_be_compared_is_stored_apart_and_told_of(feed: Feed) -> None:
    [ana] = feed.ingest(a_record("a", **ANA))

    [ze] = feed.ingest(a_record("z", **ZE))

    assert (ze.outcome, ze.match_weight, ze.is_set_aside) == ("created", None, True)
    assert not ana.is_set_aside
    assert queue(feed) == {ana.record_id: CONDITION_FAILED, ze.record_id: CONDITION_FAILED}
    assert verify_store(feed.engine, partition=False).breaches == []


def test_with_others_it_is_compared_as_always(feed: Feed) -> None:
    feed.ingest(a_record("a", **ANA), a_record("z1", **ZE))

    [again] = feed.ingest(a_record("z2", **ZE, gender="m"))

    assert (again.outcome, again.is_set_aside) == ("attached", True)


def test_a_record_that_says_the_same_joins_whatever_fails_beside_it(feed: Feed) -> None:
    first, _, again = feed.ingest(a_record("z1", **ZE), a_record("a", **ANA), a_record("z2", **ZE))

    assert again.profile_id == first.profile_id


@pytest.mark.parametrize("order", list(itertools.permutations("abyz")), ids="".join)
def test_any_order_gives_the_same_people(sqlite_store: Engine, order: tuple[str, ...]) -> None:
    feed = failing_feed(sqlite_store)
    records = {"a": ANA, "b": {**ANA, "gender": "f"}, "y": ZE, "z": {**ZE, "gender": "m"}}

    for key in order:
        feed.ingest(a_record(key, **records[key]))

    people = [[key for _, key in keys] for keys in findings(sqlite_store).people]
    assert people == [["a", "b"], ["y", "z"]]
    assert set(queue(feed).values()) == {CONDITION_FAILED}
    assert len(queue(feed)) == 4


def test_many_at_once_set_each_aside_once(store: Engine, feed: Feed) -> None:
    """Each compares with all that came before, and both databases have several writers at a time."""

    def bring(place: int) -> None:
        for number in range(4):
            feed.ingest(
                a_record(
                    f"{place}-{number}", **(ANA, ZE)[number % 2], attributes={"seat": f"{place} {number}"}
                )
            )

    threads = [Thread(target=bring, args=[place]) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)

    assert set(queue(feed).values()) == {CONDITION_FAILED}
    assert len(queue(feed)) == 16
    assert [len(keys) for keys in findings(store).people] == [8, 8]


def test_of_a_batch_only_those_are_told_that_failed(feed: Feed) -> None:
    lone = a_record("x", full_name="Davi Lima", emails=["davi@example.com"])

    answers = feed.ingest(a_record("a", **ANA), lone, a_record("z", **ZE))

    assert [answer.is_set_aside for answer in answers] == [True, False, True]
    assert len({answer.profile_id for answer in answers}) == 3


def test_verify_notes_them_without_a_value(feed: Feed) -> None:
    feed.ingest(a_record("a", **ANA), a_record("z", **ZE))

    notes = verify_store(feed.engine, partition=False).notes

    assert "2 records" in notes["set_aside"]
    assert "condition_failed 2): 1, 2;" in notes["set_aside"]
    assert "redo" not in notes
    assert "casa77" not in str(notes)


def test_a_record_that_came_anew_is_told_of_no_more(feed: Feed) -> None:
    feed.ingest(a_record("a", **ANA), a_record("z", **ZE))

    feed.ingest(a_record("z", day=1, full_name="Zeo Reis", **HOME), now=NOW + timedelta(seconds=1))
    note = verify_store(feed.engine, partition=False).notes["set_aside"]

    assert "condition_failed 1): 1;" in note


def test_the_worker_leaves_them_until_it_is_time_and_looks_again(feed: Feed) -> None:
    feed.ingest(a_record("a", **ANA), a_record("z", **ZE))
    feed.ingest(a_record("z", day=1, full_name="Zeo Reis", **HOME), now=NOW + timedelta(seconds=1))

    at_once = drain(feed)
    later = drain(feed, AFTER)

    assert at_once == Drained(0)
    assert later == Drained(2)
    assert queue(feed) == {}


def test_what_fails_again_is_set_aside_again(feed: Feed) -> None:
    feed.ingest(a_record("a", **ANA), a_record("z", **ZE))

    again = drain(feed, AFTER)

    assert again == Drained(2, {1: CONDITION_FAILED, 2: CONDITION_FAILED})
    assert {row["retry_at"] for row in rows(feed.engine, "redo_records")} == {AFTER + RETRY_AFTER}


def test_a_batch_with_the_condition_that_fails_changes_nothing(feed: Feed) -> None:
    feed.ingest(a_record("a", **ANA), a_record("z", **ZE))
    before = findings(feed.engine)

    with pytest.raises(ResolutionFailedError, match="a condition before it"):
        resolve_all(feed.engine, clock=lambda: NOW)
    verification = verify_store(feed.engine)

    assert findings(feed.engine) == before
    assert verification.breaches == []
    assert "A condition of the model fails" in verification.skipped["partition"]


def test_another_model_takes_them_all(feed: Feed) -> None:
    feed.ingest(a_record("a", **ANA), a_record("z", **ZE))

    resolve_all(feed.engine, model_version=0, clock=lambda: NOW)

    assert queue(feed) == {}
    assert verify_store(feed.engine).breaches == []


def test_search_finds_those_that_can_be_compared(feed: Feed) -> None:
    _, ze = feed.ingest(a_record("a", **ANA), a_record("z", **ZE))

    with read(feed.engine) as connection:
        sought = Sought(ZE, "BR", NOW)
        found = search_profiles(connection, feed.resolver.models, sought, language="en", limit=10)

    assert [profile.profile_id for profile in found.profiles] == [ze.profile_id]


# ------------------------------------------------------------------------------------- what nobody foresaw


@pytest.fixture
def breaking(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> Feed:
    """Three records wait, and resolving the second one breaks."""
    for number, name in enumerate(("Ana", "Bia", "Eva"), 1):
        feed.ingest(a_record(str(number), full_name=f"{name} Lima", emails=[f"e{number}@example.com"]))
    with write(feed.engine) as connection:
        waiting = [{"record_id": record_id, "queued_at": NOW} for record_id in (1, 2, 3)]
        connection.execute(redo_records.insert(), waiting)
    resolve = cdp.realtime.redo.resolve_and_publish

    def breaks(*arguments: object, concerned: list[int], **options: object) -> Effect:
        if 2 in concerned:
            raise TypeError("casa77@example.com")
        return resolve(*arguments, concerned=concerned, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(cdp.realtime.redo, "resolve_and_publish", breaks)
    return feed


def test_an_error_that_nobody_foresaw_stops_no_other_record(breaking: Feed) -> None:
    worked = work_off(breaking.resolver, clock=lambda: NOW, wait=lambda seconds: False)

    assert (worked.resolved, worked.set_aside) == (2, {2: "TypeError"})
    assert queue(breaking) == {2: "TypeError"}


def test_it_is_not_tried_again_at_each_round(breaking: Feed) -> None:
    work_off(breaking.resolver, clock=lambda: NOW, wait=lambda seconds: False)

    again = work_off(breaking.resolver, clock=lambda: NOW, wait=lambda seconds: False)

    assert (again.resolved, again.set_aside) == (0, {})


def test_its_people_are_left_out_of_the_comparison(breaking: Feed) -> None:
    drain(breaking)

    verification = verify_store(breaking.engine)

    assert "partition" in verification.notes
    assert verification.breaches == []


def test_a_value_that_becomes_shared_brings_it_back_at_once(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolution.incremental.REDO_AT_ONCE", 0)
    feed.ingest(a_record("1", full_name="Ana Lima", emails=["casa77@example.com"]))
    with write(feed.engine) as connection:
        set_aside(connection, [1], "TypeError", now=NOW)

    for name in ("Bia", "Eva", "Gil", "Rui"):
        feed.ingest(a_record(name, full_name=f"{name} Lima", emails=["casa77@example.com"]))

    assert queue(feed)[1] is None
    with read(feed.engine) as connection:
        assert connection.scalar(select(redo_records.c.retry_at).where(redo_records.c.record_id == 1)) is None


def test_a_deleted_record_is_told_of_no_more(feed: Feed) -> None:
    feed.ingest(a_record("a", **ANA), a_record("z", **ZE))
    with write(feed.engine) as connection:
        connection.execute(update(schema.source_records).values(deleted_at=NOW))
        connection.execute(update(schema.memberships).values(valid_to=NOW))

    assert "set_aside" not in verify_store(feed.engine, partition=False).notes
