"""What one record answers, and what it leaves in the store, in one transaction."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select

from cdp.identity.verify import verify_store
from cdp.realtime.ingest import UnknownRecordError
from cdp.store import read
from cdp.store.schema import (
    audit_entries,
    ledger_entries,
    merge_candidates,
    outbox_events,
    profiles,
    source_records,
)
from tests.cdp.realtime.feeding import Feed, a_record

ANA = {"full_name": "Ana Reis", "birth_date": "1980-02-29", "emails": ["ana@example.com"]}
LISBOA = {"city": "Lisboa"}


@pytest.fixture
def feed(store: Engine) -> Feed:
    return Feed(store)


def rows(store: Engine, table: object) -> list[dict[str, object]]:
    with read(store) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]  # type: ignore[call-overload]


def test_the_first_record_is_a_person_of_its_own(feed: Feed) -> None:
    [answer] = feed.ingest(a_record("1", **ANA))

    assert (answer.outcome, answer.match_weight, answer.profiles_joined) == ("created", None, ())
    assert answer.profile_id.startswith("pf_")


def test_of_two_records_that_come_together_the_first_begins_the_profile(feed: Feed) -> None:
    answers = feed.ingest(a_record("1", **ANA), a_record("2", source="web", **ANA))

    assert [answer.outcome for answer in answers] == ["created", "attached"]
    assert answers[0].profile_id == answers[1].profile_id


def test_a_second_record_of_a_person_is_attached_with_its_weight(feed: Feed) -> None:
    [first] = feed.ingest(a_record("1", **ANA))

    [second] = feed.ingest(a_record("2", source="web", **ANA))

    assert (second.outcome, second.profile_id) == ("attached", first.profile_id)
    assert second.match_weight is not None
    assert second.match_weight > 5
    assert verify_store(feed.engine).breaches == []


def test_candidates_are_all_that_wait_for_its_profile(feed: Feed) -> None:
    """An integrator asks whether the person may yet turn out to be another, whichever record brought that up."""
    feed.ingest(a_record("1", **ANA, address=LISBOA))
    [doubtful] = feed.ingest(a_record("2", full_name="Ana Reis", address={"city": "Porto"}))
    assert len(doubtful.candidates) == 1

    [attached] = feed.ingest(a_record("3", source="web", **ANA, address=LISBOA))
    [again] = feed.ingest(a_record("3", source="web", **ANA, address=LISBOA))

    assert set(doubtful.candidates) <= set(attached.candidates)
    open_ones = [each for each in rows(feed.engine, merge_candidates) if each["state"] == "open"]
    assert set(attached.candidates) == {each["candidate_id"] for each in open_ones}
    assert (again.outcome, again.candidates) == ("unchanged", ())


def test_a_record_between_two_people_joins_them_under_the_older_id(feed: Feed) -> None:
    [old] = feed.ingest(a_record("1", full_name="Ana Reis", address=LISBOA))
    [young] = feed.ingest(a_record("2", birth_date="1980-02-29", emails=["ana@example.com"]))
    assert young.profile_id != old.profile_id

    [bridge] = feed.ingest(a_record("3", **ANA, address=LISBOA))

    assert (bridge.outcome, bridge.profile_id) == ("joined", old.profile_id)
    assert list(bridge.profiles_joined) == [young.profile_id]
    states = {row["profile_id"]: (row["state"], row["absorbed_into"]) for row in rows(feed.engine, profiles)}
    assert states[young.profile_id] == ("absorbed", old.profile_id)
    assert verify_store(feed.engine).breaches == []


def test_taking_the_bridge_away_gives_both_their_ids_back(feed: Feed) -> None:
    [old] = feed.ingest(a_record("1", full_name="Ana Reis", address=LISBOA))
    [young] = feed.ingest(a_record("2", birth_date="1980-02-29", emails=["ana@example.com"]))
    feed.ingest(a_record("3", **ANA, address=LISBOA))

    touched = feed.delete("shop", "3")

    assert set(touched) == {old.profile_id, young.profile_id}
    assert {row["state"] for row in rows(feed.engine, profiles)} == {"live"}
    assert verify_store(feed.engine).breaches == []


def test_the_same_record_again_changes_nothing(feed: Feed) -> None:
    [first] = feed.ingest(a_record("1", **ANA))
    entries = rows(feed.engine, ledger_entries)

    [again] = feed.ingest(a_record("1", **ANA))

    assert (again.outcome, again.profile_id) == ("unchanged", first.profile_id)
    assert rows(feed.engine, ledger_entries) == entries


def test_a_record_without_a_time_sent_again_later_changes_nothing(feed: Feed) -> None:
    undated = {key: value for key, value in a_record("1", **ANA).items() if key != "occurred_at"}
    feed.ingest(undated)

    [again] = feed.ingest(undated)

    assert again.outcome == "unchanged"


@pytest.mark.parametrize("names", [("Ana Reis", "Ana Lima"), ("Ana Lima", "Ana Reis")], ids=" then ".join)
def test_of_versions_without_a_time_in_one_request_the_last_stands(
    feed: Feed, names: tuple[str, str]
) -> None:
    versions = [a_record("1", full_name=name) for name in names]
    for version in versions:
        del version["occurred_at"]

    answers = feed.ingest(*versions)

    [record] = rows(feed.engine, source_records)
    assert json.loads(str(record["raw"]))["full_name"] == names[1]
    assert [answer.outcome for answer in answers] == ["superseded", "created"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in_order", "late"])
@pytest.mark.parametrize("at_once", [True, False])
def test_the_newer_version_stands_whatever_came_first(
    feed: Feed, order: tuple[int, int], at_once: bool
) -> None:
    versions = [a_record("1", day=1, full_name="Ana Reis"), a_record("1", day=2, full_name="Ana Lima")]
    sent = [versions[place] for place in order]

    answers = feed.ingest(*sent) if at_once else [*feed.ingest(sent[0]), *feed.ingest(sent[1])]

    [record] = rows(feed.engine, source_records)
    assert json.loads(str(record["raw"]))["full_name"] == "Ana Lima"
    if order == (1, 0) or at_once:
        assert sorted(answer.outcome for answer in answers) == ["created", "superseded"]
    assert verify_store(feed.engine).breaches == []


def test_an_update_moves_a_record_to_whom_it_now_belongs(feed: Feed) -> None:
    [ana] = feed.ingest(a_record("1", **ANA))
    [other] = feed.ingest(a_record("2", day=1, full_name="Bia Lima", emails=["bia@example.com"]))

    [moved] = feed.ingest(a_record("2", day=2, **ANA))

    assert (moved.profile_id, moved.outcome) == (ana.profile_id, "joined")
    assert list(moved.profiles_joined) == [other.profile_id]
    assert verify_store(feed.engine).breaches == []


def test_a_deleted_record_comes_back_only_in_a_younger_version(feed: Feed) -> None:
    feed.ingest(a_record("1", day=1, **ANA))
    feed.delete("shop", "1")

    [late] = feed.ingest(a_record("1", day=2, **ANA))

    assert (late.outcome, late.profile_id) == ("superseded", "")
    assert verify_store(feed.engine).breaches == []


def test_deleting_what_is_not_there_is_told(feed: Feed) -> None:
    with pytest.raises(UnknownRecordError):
        feed.delete("shop", "1")


def test_a_record_with_nothing_usable_is_a_person_of_its_own(feed: Feed) -> None:
    answers = feed.ingest(a_record("1"), a_record("2"), a_record("3", emails=["nao@tem.com"]))

    assert [answer.outcome for answer in answers] == ["created"] * 3
    assert len({answer.profile_id for answer in answers}) == 3
    assert verify_store(feed.engine).breaches == []


def test_an_effect_carries_its_audit_entry_and_its_event(feed: Feed) -> None:
    [answer] = feed.ingest(a_record("1", **ANA))

    [event] = [row for row in rows(feed.engine, outbox_events) if row["kind"] == "profile.created"]
    assert event["subject_id"] == answer.profile_id
    [entry] = [row for row in rows(feed.engine, audit_entries) if row["action"] == "records.write"]
    assert answer.profile_id in str(entry["details"])
    assert "example.com" not in str(entry["details"])
