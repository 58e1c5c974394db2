"""A call under a key has one effect, and effect and answer are stored together or not at all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from benchmarks.concurrency import process_context
from cdp.idempotency import (
    Answer,
    AnsweredBeforeError,
    Call,
    KeyReusedError,
    KeyRunningError,
    Once,
    RunningCalls,
    carry_out_once,
    delete_expired_answers,
    insert_answer,
    select_answer,
)
from cdp.realtime.ingest_queue import IngestQueue
from cdp.realtime.ingested import Ingested
from cdp.stewardship.join import join
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.ruling import Order
from cdp.store import open_store, read, retry_write, write
from cdp.store.schema import api_keys
from cdp.work import work_off
from tests.cdp.identity.resolving import counts
from tests.cdp.realtime.feeding import NOW, Feed, a_record

CALL = Call("k", "a", "POST /v1/records", "0" * 64, NOW, NOW + timedelta(hours=1))
ANSWER = Answer(201, b'{"record_id": 1}', ["p1"], {"Content-Type": "application/json"})
AFTERWARDS = NOW + timedelta(hours=1)


@pytest.fixture
def feed(store: Engine) -> Feed:
    key = {"key_id": "k", "name": "n", "secret_hash": "0" * 64, "scopes": '["admin"]', "created_at": NOW}
    with write(store) as connection:
        connection.execute(api_keys.insert(), key)
    return Feed(store)


def stored(feed: Feed) -> dict[str, int]:
    return counts(feed.engine, ["idempotent_answers", "source_records", "steward_actions"])


def answered(result: object) -> Answer:
    return ANSWER


def dies(result: object) -> Answer:
    raise SystemError("killed before the write ended")


def keep(feed: Feed, call: Call = CALL) -> None:
    with write(feed.engine) as connection:
        insert_answer(connection, call, ANSWER)


def ingest(feed: Feed, answer: Callable[[Sequence[Ingested]], Answer], call: Call = CALL) -> list[Ingested]:
    once = Once[list[Ingested]](call, answer)
    return IngestQueue().ingest(feed.resolver, [feed.take(a_record("1"))], author="key:k", now=NOW, once=once)


def test_an_answer_is_found_as_it_was(feed: Feed) -> None:
    keep(feed)

    with read(feed.engine) as connection:
        assert select_answer(connection, CALL) == ANSWER
        assert select_answer(connection, replace(CALL, idempotency_key="b")) is None


def test_a_key_stands_for_one_call(feed: Feed) -> None:
    keep(feed)

    with read(feed.engine) as connection, pytest.raises(KeyReusedError):
        select_answer(connection, replace(CALL, request_hash="1" * 64))


def test_what_was_done_is_not_done_again(feed: Feed) -> None:
    ingest(feed, answered)

    with pytest.raises(AnsweredBeforeError) as raised:
        ingest(feed, dies)

    assert raised.value.answer == ANSWER
    assert stored(feed) == {"idempotent_answers": 1, "source_records": 1, "steward_actions": 0}


def test_records_of_a_write_that_did_not_end_are_not_there_and_come_once(feed: Feed) -> None:
    with pytest.raises(SystemError):
        ingest(feed, dies)
    before = stored(feed)

    ingest(feed, answered)

    assert before == {"idempotent_answers": 0, "source_records": 0, "steward_actions": 0}
    assert stored(feed) == {"idempotent_answers": 1, "source_records": 1, "steward_actions": 0}


def _write_and_die(url: str) -> None:
    def killed(result: object) -> Answer:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")

    ingest(Feed(open_store(url), fresh=False), killed)


def test_who_is_killed_while_the_answer_is_stored_leaves_nothing_and_the_call_comes_once(
    feed: Feed, store_url: str
) -> None:
    process = process_context().Process(target=_write_and_die, args=(store_url,))
    process.start()
    process.join(180)
    before = stored(feed)

    ingest(feed, answered)
    with pytest.raises(AnsweredBeforeError):
        ingest(feed, dies)

    assert process.exitcode == -signal.SIGKILL
    assert before == {"idempotent_answers": 0, "source_records": 0, "steward_actions": 0}
    assert stored(feed) == {"idempotent_answers": 1, "source_records": 1, "steward_actions": 0}


def test_a_ruling_of_a_write_that_did_not_end_is_not_there_and_comes_once(feed: Feed) -> None:
    ana = a_record("1", full_name="Ana Reis", emails=["ana@example.com"])
    rui = a_record("2", full_name="Rui Barbosa", emails=["rui@example.com"])
    profile_ids = [each.profile_id for each in feed.ingest(ana, rui)]
    order = Order("key:k", "same card", NOW, once=Once[Outcome](CALL, dies))
    with pytest.raises(SystemError):
        join(feed.resolver, profile_ids, order)
    before = stored(feed)

    outcome = join(feed.resolver, profile_ids, replace(order, once=Once[Outcome](CALL, answered)))
    with pytest.raises(AnsweredBeforeError):
        join(feed.resolver, profile_ids, replace(order, once=Once[Outcome](CALL, dies)))

    assert (before["idempotent_answers"], before["steward_actions"]) == (0, 0)
    assert (stored(feed)["idempotent_answers"], stored(feed)["steward_actions"]) == (1, 1)
    assert outcome.action_id is not None


def test_of_two_that_race_past_the_look_one_has_an_effect(feed: Feed) -> None:
    """As two processes may, which do not know of each other's running calls."""
    at_once, effects, found = threading.Barrier(2), list[str](), list[Answer]()

    def race(name: str) -> None:
        def ask() -> None:
            at_once.wait(5)
            retry_write(
                feed.engine,
                lambda connection: carry_out_once(connection, Once[str](CALL, answered), lambda _: name),
            )
            effects.append(name)

        try:
            ask()
        except AnsweredBeforeError as error:
            found.append(error.answer)

    threads = [threading.Thread(target=race, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)

    assert len(effects) == 1
    assert found == [ANSWER]


def test_a_thread_is_told_that_another_is_at_work() -> None:
    calls = RunningCalls()

    with calls.running(CALL):
        with pytest.raises(KeyRunningError), calls.running(CALL):
            pass
        with calls.running(replace(CALL, key_id="other")):
            pass

    with calls.running(CALL):
        pass


def test_an_expired_answer_gives_way_to_another_call(feed: Feed) -> None:
    keep(feed)
    later = replace(CALL, request_hash="1" * 64, now=AFTERWARDS, expires_at=AFTERWARDS + timedelta(hours=1))

    keep(feed, later)

    with read(feed.engine) as connection:
        assert select_answer(connection, later) == ANSWER
    assert stored(feed)["idempotent_answers"] == 1


def test_expired_answers_are_deleted_and_no_others(feed: Feed) -> None:
    keep(feed)
    keep(feed, replace(CALL, idempotency_key="b", expires_at=AFTERWARDS + timedelta(seconds=1)))

    early = delete_expired_answers(feed.engine, now=NOW)
    due = delete_expired_answers(feed.engine, now=AFTERWARDS)

    assert (early, due) == (0, 1)
    assert stored(feed)["idempotent_answers"] == 1


def test_the_worker_deletes_expired_answers(feed: Feed) -> None:
    keep(feed)

    worked = work_off(feed.resolver, clock=lambda: AFTERWARDS, wait=lambda seconds: False)

    assert worked.expired == 1
    assert worked.is_anything()
    assert stored(feed)["idempotent_answers"] == 0
