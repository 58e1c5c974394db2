"""Disagreement is measured from time to time, by one worker for all, and noted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, update

import cdp.realtime.measure
from cdp.realtime.disagreement import Disagreement
from cdp.realtime.measure import Sampling, measure_when_due
from cdp.realtime.measurements import insert_measurement, select_last_measurement
from cdp.realtime.online_models import OnlineModels
from cdp.store import read, schema, write
from tests.cdp.identity.resolving import rows
from tests.cdp.realtime.feeding import NOW, Feed, random_records

HOURLY = Sampling(timedelta(hours=1), 25)


@pytest.fixture
def fed(store: Engine) -> Feed:
    feed = Feed(store)
    feed.ingest(*random_records(5, 40))
    return feed


def measure(store: Engine, now: datetime = NOW) -> Disagreement | None:
    return measure_when_due(store, OnlineModels(), HOURLY, seed=3, now=now)


def test_what_is_measured_is_noted(fed: Feed) -> None:
    found = measure(fed.engine)

    assert found == Disagreement(25, 0, 0)
    with read(fed.engine) as connection:
        noted = select_last_measurement(connection)
    assert noted is not None
    assert (noted.measured_at, noted.model_version, noted.disagreement) == (NOW, 0, found)
    assert [row["seed"] for row in rows(fed.engine, "disagreement_measurements")] == [3]


@pytest.mark.parametrize(
    ("later", "is_due"),
    [(timedelta(minutes=59), False), (timedelta(hours=1), True), (timedelta(seconds=-1), True)],
    ids=["too early", "due", "the clock went back"],
)
def test_it_is_measured_when_it_is_time(fed: Feed, later: timedelta, is_due: bool) -> None:
    measure(fed.engine)

    again = measure(fed.engine, NOW + later)

    assert (again is not None) == is_due
    assert len(rows(fed.engine, "disagreement_measurements")) == 1 + is_due


def test_a_wrong_profile_is_in_the_share(fed: Feed) -> None:
    with write(fed.engine) as connection:
        connection.execute(delete(schema.memberships).where(schema.memberships.c.record_id <= 2))

    found = measure_when_due(fed.engine, OnlineModels(), Sampling(timedelta(hours=1), 1000), seed=3, now=NOW)

    assert found is not None
    assert found.differing == 2
    assert found.share == pytest.approx(2 / found.sampled)


def test_of_two_workers_one_notes(fed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = cdp.realtime.measure.measure_disagreement

    def slowly(*arguments: object) -> Disagreement:
        found = measured(*arguments)  # type: ignore[arg-type]
        with write(fed.engine) as connection:
            insert_measurement(connection, found, model_version=0, seed=4, now=NOW)
        return found

    monkeypatch.setattr(cdp.realtime.measure, "measure_disagreement", slowly)

    assert measure(fed.engine) is None
    assert [row["seed"] for row in rows(fed.engine, "disagreement_measurements")] == [4]


def test_without_profiles_nothing_is_measured(store: Engine) -> None:
    assert measure(store) is None
    assert rows(store, "disagreement_measurements") == []


def test_a_store_that_an_earlier_release_resolved_is_not_compared(fed: Feed) -> None:
    with write(fed.engine) as connection:
        connection.execute(update(schema.resolution_runs).values(kind="batch"))

    assert measure(fed.engine) is None
