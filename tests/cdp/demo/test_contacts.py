"""The interactions: tied to people and requests, in order, and worded in full."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from tests.cdp.demo.conftest import RECORD_COUNT, Demo

IDENTIFIERS = (
    "source_record_id", "name", "phones", "emails", "documents", "loyalty_ids", "device_ids", "handle",
)  # fmt: skip


def test_truth_covers_every_interaction_in_order(demo: Demo) -> None:
    told = [row["interaction_id"] for row in demo.interactions_truth]

    assert told == [row["interaction_id"] for row in demo.interactions]
    assert len(set(told)) == len(told) == demo.summary.interactions


def test_there_are_more_interactions_than_records(demo: Demo) -> None:
    assert 1.1 < len(demo.interactions) / RECORD_COUNT < 1.7


@pytest.mark.parametrize("kind", ["order", "voice", "whatsapp", "survey", "chat", "cart", "email", "social"])
def test_every_kind_is_there(kind: str, demo: Demo) -> None:
    shares = Counter(row["kind"] for row in demo.interactions)

    assert shares[kind] > 0.03 * len(demo.interactions)


def test_interactions_are_of_people_who_have_records(demo: Demo) -> None:
    people = {row["entity_id"] for row in demo.truth}

    assert {row["entity_id"] for row in demo.interactions_truth} <= people


def test_a_named_source_record_is_of_the_same_person_and_older(demo: Demo) -> None:
    records = {
        (record["source"], record["source_record_id"]): (row["entity_id"], record["occurred_at"])
        for record, row in zip(demo.records, demo.truth, strict=True)
    }

    wrong = [
        contact["interaction_id"]
        for contact, row in zip(demo.interactions, demo.interactions_truth, strict=True)
        if "source_record_id" in contact
        and not known_then(records[contact["source"], contact["source_record_id"]], contact, row)
    ]
    assert wrong == []


def known_then(record: tuple[str, str], contact: dict[str, str], row: dict[str, str]) -> bool:
    entity_id, occurred_at = record
    return entity_id == row["entity_id"] and occurred_at <= contact["occurred_at"]


def test_about_a_third_name_a_source_record_and_some_name_nothing(demo: Demo) -> None:
    count = len(demo.interactions)

    with_record = sum("source_record_id" in row for row in demo.interactions)
    with_nothing = sum(not any(field in row for field in IDENTIFIERS) for row in demo.interactions)
    assert 0.25 < with_record / count < 0.42
    assert 0.08 < with_nothing / count < 0.22


def test_a_person_lives_forward(demo: Demo) -> None:
    moments: dict[str, list[str]] = defaultdict(list)
    for contact, row in zip(demo.interactions, demo.interactions_truth, strict=True):
        moments[row["entity_id"]].append(contact["occurred_at"])

    assert all(times == sorted(times) for times in moments.values())


def test_a_request_is_of_one_person_and_one_subject(demo: Demo) -> None:
    about: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in demo.interactions_truth:
        about[row["request_id"]].add((row["entity_id"], row["subject"]))

    assert max(len(found) for found in about.values()) == 1


def test_some_requests_wander_over_the_channels(demo: Demo) -> None:
    kinds: dict[str, set[str]] = defaultdict(set)
    for contact, row in zip(demo.interactions, demo.interactions_truth, strict=True):
        if row["subject"] != "compra" and contact["kind"] != "survey":
            kinds[row["request_id"]].add(contact["kind"])

    wandering = sum(len(found) > 1 for found in kinds.values())
    assert 0.1 < wandering / len(kinds) < 0.5


def test_subjects_are_coded_mostly_and_mostly_rightly(demo: Demo) -> None:
    talks = [
        (contact.get("subject_coded"), row["subject"])
        for contact, row in zip(demo.interactions, demo.interactions_truth, strict=True)
        if "text" in contact and contact["kind"] != "survey"
    ]

    coded = [pair for pair in talks if pair[0] is not None]
    assert 0.8 < len(coded) / len(talks) < 0.9
    assert 0.88 < sum(said == meant for said, meant in coded) / len(coded) < 0.97


def test_texts_have_no_open_places(demo: Demo) -> None:
    texts = [row["text"] for row in demo.interactions if "text" in row]

    assert not [text for text in texts if "{" in text or "None" in text or text != text.strip()]


def test_borrowed_phones_are_rare_and_told(demo: Demo) -> None:
    borrowed = sum(row["borrowed_phone"] == "1" for row in demo.interactions_truth)

    assert 0.005 < borrowed / len(demo.interactions) < 0.06
