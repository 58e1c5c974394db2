"""Records of an earlier standardizer are standardized anew, with all that follows, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, update

import cdp.realtime.known_sources
import cdp.realtime.standardize_anew
import cdp.realtime.versions
from cdp.identity.resolve import resolve_all
from cdp.identity.verify import verify_store
from cdp.realtime.standardize_anew import Standardized, standardize_anew
from cdp.store import schema, write
from resolution.standardize import STANDARDIZER_VERSION, StandardizedRecord, Standardizer
from tests.cdp.identity.resolving import rows
from tests.cdp.realtime.feeding import NOW, Feed, a_record, findings

ANA = {"full_name": "Ana Reis", "birth_date": "1980-02-29", "emails": ["ana@example.com"]}
BIA = {"full_name": "Bia Prado", "birth_date": "1981-01-01"}


class EarlierStandardizer(Standardizer):
    """Knew neither e-mail addresses nor birth dates of the year 1980."""

    def standardize(self, record: Mapping[str, object]) -> StandardizedRecord:
        known = {name: value for name, value in record.items() if name != "emails"}
        if str(known.get("birth_date", "")).startswith("1980"):
            del known["birth_date"]
        return super().standardize(known)


@pytest.fixture
def feed(store: Engine, monkeypatch: pytest.MonkeyPatch) -> Feed:
    """Ana twice, two profiles by the earlier standardizer, and Bia, of whom it makes what is made now."""
    feed = Feed(store)
    with monkeypatch.context() as earlier:
        earlier.setattr(cdp.realtime.known_sources, "standardizer", EarlierStandardizer)
        earlier.setattr(cdp.realtime.versions, "STANDARDIZER_VERSION", STANDARDIZER_VERSION - 1)
        feed.ingest(
            a_record("a1", **ANA), a_record("a2", **ANA | {"full_name": "Ana R"}), a_record("b1", **BIA)
        )
    return feed


def anew(feed: Feed, **options: Any) -> Standardized:
    return standardize_anew(feed.resolver, author="test", clock=lambda: NOW, **options)


def versions(feed: Feed) -> list[int]:
    return [row["standardizer_version"] for row in rows(feed.engine, "source_records")]


def test_people_are_those_of_records_that_came_today(feed: Feed, open_copy: Callable[[], Engine]) -> None:
    assert len(findings(feed.engine).people) == 3
    fresh = Feed(open_copy())
    fresh.ingest(a_record("a1", **ANA), a_record("a2", **ANA | {"full_name": "Ana R"}), a_record("b1", **BIA))

    done = anew(feed)

    assert (done.examined, done.changed, done.refused) == (3, 2, 0)
    assert findings(feed.engine) == findings(fresh.engine)
    assert len(findings(feed.engine).people) == 2
    assert versions(feed) == [STANDARDIZER_VERSION] * 3
    kinds = sorted(row["kind"] for row in rows(feed.engine, "identifiers"))
    assert kinds == ["email", "email"]
    assert verify_store(feed.engine).breaches == []


def test_everything_resolved_anew_finds_nothing_to_change(feed: Feed) -> None:
    anew(feed)
    found = findings(feed.engine)

    resolve_all(feed.engine, clock=lambda: NOW)

    assert findings(feed.engine) == found


def test_it_is_done_once(feed: Feed) -> None:
    anew(feed)
    ledger = rows(feed.engine, "ledger_entries")

    assert anew(feed) == Standardized()
    assert rows(feed.engine, "ledger_entries") == ledger


def test_a_dry_run_tells_and_changes_nothing(feed: Feed) -> None:
    before = findings(feed.engine)

    done = anew(feed, dry_run=True)

    assert (done.examined, done.changed) == (3, 2)
    assert findings(feed.engine) == before
    assert versions(feed) == [STANDARDIZER_VERSION - 1] * 3
    assert "standardizer" in verify_store(feed.engine).notes


def test_what_was_stopped_goes_on(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdp.realtime.standardize_anew, "RECORDS_AT_A_STEP", 1)

    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anew(feed, progress=stop)
    assert verify_store(feed.engine).breaches == []
    assert anew(feed).examined == 1

    assert len(findings(feed.engine).people) == 2
    assert verify_store(feed.engine).breaches == []


def test_a_newer_version_that_comes_meanwhile_stands(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    standardizing = cdp.realtime.standardize_anew._standardize

    def be_overtaken(*arguments: Any) -> Any:
        found = standardizing(*arguments)
        feed.ingest(a_record("a2", day=50, **BIA))
        return found

    monkeypatch.setattr(cdp.realtime.standardize_anew, "_standardize", be_overtaken)
    done = anew(feed)

    assert done.changed == 1
    assert sorted(map(sorted, findings(feed.engine).people)) == sorted(
        [[("shop", "a1")], [("shop", "a2"), ("shop", "b1")]]
    )
    assert verify_store(feed.engine).breaches == []


def test_a_deleted_record_stays_as_it_is(feed: Feed) -> None:
    feed.delete("shop", "a2")

    done = anew(feed)

    assert done.examined == 2
    assert verify_store(feed.engine).breaches == []


def test_what_would_be_refused_now_stays_and_is_told_of(feed: Feed) -> None:
    with write(feed.engine) as connection:
        connection.execute(
            update(schema.source_records)
            .where(schema.source_records.c.record_id == 1)
            .values(raw='{"full_name":["Ana"]}')
        )

    done = anew(feed)

    assert (done.refused, done.first_refused, done.changed) == (1, (1,), 1)
    assert versions(feed)[0] == STANDARDIZER_VERSION - 1


def test_records_that_were_never_resolved_are_not_resolved_by_it(feed: Feed) -> None:
    with write(feed.engine) as connection:
        connection.execute(update(schema.resolution_runs).values(state="failed"))
        connection.execute(schema.memberships.delete())

    anew(feed)

    assert versions(feed) == [STANDARDIZER_VERSION] * 3
    assert rows(feed.engine, "memberships") == []
