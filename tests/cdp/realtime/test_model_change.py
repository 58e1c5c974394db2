"""Single records are resolved with the version that the profiles were made with, until everything is resolved anew."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from itertools import count
from threading import Event, Thread

import pytest
from sqlalchemy import Connection, Engine, select

from cdp.identity.activate import activate_model
from cdp.identity.apply_model import apply_model
from cdp.identity.explain import explain_profile
from cdp.identity.models import UncompilableModelError, insert_model
from cdp.identity.profile_reads import require_profile
from cdp.identity.resolution_runs import select_version_in_use
from cdp.identity.resolve import resolve_all
from cdp.identity.train import train_model
from cdp.identity.verify import verify_store
from cdp.realtime.ingest import ingest_records
from cdp.realtime.ingested import Ingested
from cdp.realtime.online_models import OnlineModels, require_online_version, select_online_version
from cdp.realtime.search import Sought, search_profiles
from cdp.store import read, schema, write
from resolution import Model, initial_model
from tests.cdp.identity.resolving import rows
from tests.cdp.realtime.feeding import NOW, Feed, a_record, findings, keep_model
from tests.resolution.builders import SMALL

ANA = {"full_name": "Ana Reis", "emails": ["ana@example.com"], "birth_date": "1980-02-29"}

# So high that nobody is joined.
STRICT = replace(SMALL.thresholds, link=900.0, join=900.0, review=900.0, ceiling=999.0)


@pytest.fixture
def feed(store: Engine) -> Feed:
    """Ana twice, in one profile under version 0; version 1 joins nobody."""
    feed = Feed(store)
    feed.ingest(a_record("a1", **ANA), a_record("a2", **ANA, gender="f"))
    keep_model(store, 1, thresholds=STRICT)
    return feed


def people(feed: Feed) -> list[int]:
    """How many records each profile has."""
    return sorted(len(keys) for keys in findings(feed.engine).people)


def test_a_version_that_waits_changes_nothing_record_by_record(feed: Feed) -> None:
    activate_model(feed.engine, 1, author="lead", reason="after training", now=NOW)

    [ingested] = feed.ingest(a_record("a3", **ANA, gender="m"))

    assert (ingested.model_version, ingested.outcome) == (0, "attached")
    assert people(feed) == [3]
    assert {row["model_version_id"] for row in rows(feed.engine, "edges")} == {0}


def test_what_is_read_names_the_version_of_the_profiles(feed: Feed) -> None:
    activate_model(feed.engine, 1, author="lead", reason="after training", now=NOW)
    [ingested] = feed.ingest(a_record("a3", **ANA, gender="m"))

    with read(feed.engine) as connection:
        profile = require_profile(connection, ingested.profile_id)
        explanation = explain_profile(connection, profile, language="en")
        assert profile.model_version == 0
        assert {join.pair.model_version for join in explanation.joins if join.pair} == {0}
        assert select_online_version(connection) == select_version_in_use(connection) == 0


def test_resolving_everything_takes_the_version_that_waits(feed: Feed) -> None:
    activate_model(feed.engine, 1, author="lead", reason="after training", now=NOW)

    resolve_all(feed.engine, clock=lambda: NOW)
    [ingested] = feed.ingest(a_record("a3", **ANA, gender="m"))

    assert (ingested.model_version, ingested.outcome) == (1, "created")
    assert people(feed) == [1, 1, 1]
    assert verify_store(feed.engine).breaches == []


def test_before_there_are_profiles_the_version_in_force_is_used_at_once(store: Engine) -> None:
    feed = Feed(store)
    keep_model(store, 1, thresholds=STRICT)
    activate_model(store, 1, author="lead", reason="first", now=NOW)

    [ingested] = feed.ingest(a_record("a1", **ANA))

    assert ingested.model_version == 1


def test_a_version_is_applied_in_one_write_with_ids_kept(feed: Feed) -> None:
    [before] = [row["profile_id"] for row in rows(feed.engine, "profiles")]

    applied = apply_model(feed.engine, 1, author="lead", reason="better", clock=lambda: NOW)

    assert applied.changed
    assert applied.resolution is not None
    assert applied.resolution["model_version"] == 1
    assert people(feed) == [1, 1]
    assert before in {row["profile_id"] for row in rows(feed.engine, "profiles") if row["state"] == "live"}
    assert rows(feed.engine, "model_activations")[-1]["reason"].endswith(": better")
    assert verify_store(feed.engine).breaches == []


def test_a_dry_run_shows_what_would_part_and_changes_nothing(feed: Feed) -> None:
    before = findings(feed.engine)

    applied = apply_model(feed.engine, 1, author="lead", reason="better", clock=lambda: NOW, dry_run=True)

    assert applied.resolution is not None
    assert applied.resolution["preview"] is not None
    assert applied.resolution["preview"]["changes"]["split"] == 1
    assert findings(feed.engine) == before
    assert [row["model_version_id"] for row in rows(feed.engine, "model_activations")] == [0]


def test_going_back_to_the_version_of_the_profiles_resolves_nothing(feed: Feed) -> None:
    activate_model(feed.engine, 1, author="lead", reason="after training", now=NOW)
    runs = len(rows(feed.engine, "resolution_runs"))

    applied = apply_model(feed.engine, 0, author="lead", reason="no", clock=lambda: NOW)

    assert (applied.changed, applied.resolution) == (True, None)
    assert len(rows(feed.engine, "resolution_runs")) == runs


def test_what_came_while_everything_was_resolved_takes_the_new_version_from_then_on(feed: Feed) -> None:
    """A delivery that changes nothing, in the middle of a batch, does not stop it and does not outlive it."""
    resolve_all(feed.engine, clock=lambda: NOW)

    def deliver_again(step: str) -> None:
        if step == "publishing":
            [again] = feed.ingest(a_record("a1", **ANA))
            assert (again.outcome, again.model_version) == ("unchanged", 0)

    resolve_all(feed.engine, model_version=1, clock=lambda: NOW, progress=deliver_again)

    with read(feed.engine) as connection:
        assert select_online_version(connection) == 1
    [ingested] = feed.ingest(a_record("a3", **ANA, gender="m"))
    assert ingested.model_version == 1
    assert {row["model_version_id"] for row in rows(feed.engine, "edges")} <= {1}
    assert verify_store(feed.engine).breaches == []


class Activation(Thread):
    """Version 1 put in force beside everything else. is_about_to_publish: once all is computed; it goes on when
    may_publish is set."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(daemon=True)
        self.feed = feed
        self.is_about_to_publish = Event()
        self.may_publish = Event()
        self.is_published = Event()

    def run(self) -> None:
        def tell(step: str) -> None:
            if step == "publishing":
                self.is_about_to_publish.set()
                assert self.may_publish.wait(180)

        resolve_all(self.feed.engine, model_version=1, clock=lambda: NOW, progress=tell)
        self.is_published.set()


def test_a_write_that_has_begun_finishes_on_its_version(feed: Feed) -> None:
    """An activation that is ready to publish waits for it, though it has written nothing yet, and takes it along."""
    activation = Activation(feed)
    activation.start()
    assert activation.is_about_to_publish.wait(180)

    def let_it_be_overtaken(connection: Connection) -> None:
        assert require_online_version(connection, now=NOW) == 0
        activation.may_publish.set()
        assert not activation.is_published.wait(0.5)

    [ingested] = ingest_records(
        feed.resolver,
        [feed.take(a_record("a3", **ANA, gender="m"))],
        author="test",
        now=NOW,
        begin=let_it_be_overtaken,
    )
    activation.join(180)

    assert (ingested.model_version, ingested.outcome) == (0, "attached")
    assert activation.is_published.is_set()
    assert people(feed) == [1, 1, 1]
    assert {row["model_version_id"] for row in rows(feed.engine, "edges")} <= {1}
    assert verify_store(feed.engine).breaches == []


def test_a_write_that_comes_during_a_publication_begins_after_it(feed: Feed) -> None:
    answers: list[Ingested] = []
    ingest = Thread(target=lambda: answers.extend(feed.ingest(a_record("a3", **ANA, gender="m"))))
    asked = count(1)

    def clock() -> datetime:
        if next(asked) == 2:  # The store is held, and nothing is written yet.
            ingest.start()
            time.sleep(0.5)
            assert not answers
        return NOW

    resolve_all(feed.engine, model_version=1, clock=clock)
    ingest.join(180)

    [ingested] = answers
    assert (ingested.model_version, ingested.outcome) == (1, "created")
    assert people(feed) == [1, 1, 1]
    assert verify_store(feed.engine).breaches == []


def test_what_is_read_during_a_publication_is_of_the_version_before(feed: Feed) -> None:
    """A search that has begun answers by the people, the index and the model of its snapshot."""
    sought = Sought({"full_name": "Ana Reis", "emails": ["ana@example.com"]}, region="BR", now=NOW)
    models = OnlineModels()
    with read(feed.engine) as connection:
        before = require_profile(connection, rows(feed.engine, "profiles")[0]["profile_id"])
        apply_model(feed.engine, 1, author="lead", reason="better", clock=lambda: NOW)

        found = search_profiles(connection, models, sought, language="en", limit=10, minimum_weight=0.0)

        assert (found.model_version, [each.record_count for each in found.profiles]) == (0, [2])
        assert require_profile(connection, before.profile_id) == before
    with read(feed.engine) as connection:
        again = search_profiles(connection, models, sought, language="en", limit=10, minimum_weight=0.0)
    assert (again.model_version, [each.record_count for each in again.profiles]) == (1, [1, 1])


@pytest.fixture
def uncompilable() -> Model:
    """The small model with a condition that DuckDB knows and single records do not."""
    [first, *others] = SMALL.comparisons
    [level, *rest] = first.levels
    strange = replace(level, condition="soundex_like(given_name_l) = soundex_like(given_name_r)")
    comparisons = (replace(first, levels=(strange, *rest)), *others)
    return initial_model(replace(SMALL, comparisons=comparisons), 2)


def test_a_model_that_cannot_be_compiled_never_comes_into_force(feed: Feed, uncompilable: Model) -> None:
    with write(feed.engine) as connection:
        insert_model(connection, uncompilable, label="strange", report={}, seed=0, record_count=0, now=NOW)

    for refused in (
        lambda: activate_model(feed.engine, 2, author="lead", reason="new", now=NOW),
        lambda: apply_model(feed.engine, 2, author="lead", reason="new", clock=lambda: NOW),
        lambda: apply_model(feed.engine, 2, author="lead", reason="new", clock=lambda: NOW, dry_run=True),
        lambda: resolve_all(feed.engine, model_version=2, clock=lambda: NOW),
        lambda: train_model(
            feed.engine, uncompilable.specification, seed=1, author="lead", now=NOW, activate=True
        ),
    ):
        with pytest.raises(UncompilableModelError, match="soundex_like"):
            refused()

    with read(feed.engine) as connection:
        states = connection.scalars(select(schema.resolution_runs.c.state)).all()
    assert list(states) == ["published"]
    assert [row["model_version_id"] for row in rows(feed.engine, "model_activations")] == [0]
