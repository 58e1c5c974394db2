"""The demo's files: the same each time, complete, in the contract's shape, and noisy in known places."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from cdp.demo import generate_demo
from cdp.demo.generation import BLOCK_RECORDS
from resolution.standardize import SourceSettings, standardize_record
from tests.cdp.demo.conftest import RECORD_COUNT, Demo, read_demo

FILES = {"records.jsonl.gz", "truth.csv", "interactions.jsonl.gz", "interactions_truth.csv.gz"}
KEY_FIELDS = {"source", "source_record_id", "occurred_at"}
TEXT_FIELDS = KEY_FIELDS | {
    *("full_name", "given_name", "family_name", "social_name", "birth_date", "gender"),
}
LISTS_OF_OBJECTS = {
    "handles": {"network", "handle"},
    "loyalty_ids": {"program", "number"},
    "documents": {"type", "number"},
}
LISTS_OF_TEXTS = {"phones", "emails", "device_ids", "verified"}
ADDRESS_FIELDS = {"street", "district", "city", "region", "postal_code", "country"}
# Standardizing refuses a value for these causes only, each with a flag on the record.
FLAGS_OF_REFUSED = {
    "phones": {"junk_phone", "phone_digit_error", "no_area_code"},
    "emails": {"junk_email", "email_typo"},
    "documents": {"junk_cpf", "cpf_digit_error"},
    "birth_date": {"dob_placeholder", "dob_error"},
    "full_name": {"junk_name"},
    "given_name": {"junk_name"},
    "family_name": {"junk_name"},
}


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_same_number_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    count = BLOCK_RECORDS + 300

    generate_demo(tmp_path / "once", record_count=count, seed=3)
    generate_demo(tmp_path / "again", record_count=count, seed=3)

    assert contents(tmp_path / "once") == contents(tmp_path / "again")


def test_another_seed_gives_other_people(tmp_path: Path) -> None:
    one = read_demo(tmp_path, generate_demo(tmp_path, record_count=50, seed=1))
    other = read_demo(tmp_path, generate_demo(tmp_path, record_count=50, seed=2))

    assert {r.get("full_name") for r in one.records} != {r.get("full_name") for r in other.records}


@pytest.mark.parametrize("count", [1, 2, 10, 101])
def test_small_demos_have_exactly_the_records_asked_for(count: int, tmp_path: Path) -> None:
    summary = generate_demo(tmp_path, record_count=count, seed=5)

    demo = read_demo(tmp_path, summary)
    assert (len(demo.records), len(demo.truth), summary.records) == (count, count, count)


def test_only_the_four_files_are_left(tmp_path: Path) -> None:
    generate_demo(tmp_path / "new" / "place", record_count=5, seed=1)

    assert set(contents(tmp_path / "new" / "place")) == FILES


def test_a_failure_leaves_the_files_of_before(tmp_path: Path) -> None:
    generate_demo(tmp_path, record_count=5, seed=1)
    before = contents(tmp_path)

    with pytest.raises(KeyboardInterrupt):
        generate_demo(tmp_path, record_count=5, seed=2, on_progress=interrupt)

    assert contents(tmp_path) == before


def interrupt(_: int) -> None:
    raise KeyboardInterrupt


def test_progress_is_told_by_block(tmp_path: Path) -> None:
    told: list[int] = []

    generate_demo(tmp_path, record_count=BLOCK_RECORDS + 10, seed=1, on_progress=told.append)

    assert told == [BLOCK_RECORDS, BLOCK_RECORDS + 10]


def test_nothing_happens_after_the_last_day(tmp_path: Path) -> None:
    summary = generate_demo(tmp_path, record_count=400, seed=1, last_day=date(2020, 2, 29))

    demo = read_demo(tmp_path, summary)
    moments = [row["occurred_at"] for row in demo.records + demo.interactions]
    assert max(moments) <= "2020-02-29T23:59:59Z"


def test_truth_covers_every_record_once(demo: Demo) -> None:
    keys = [(row["source"], row["source_record_id"]) for row in demo.truth]

    assert keys == [(row["source"], row["source_record_id"]) for row in demo.records]
    assert len(set(keys)) == RECORD_COUNT


def test_records_have_the_shape_of_the_contract(demo: Demo) -> None:
    broken = [record for record in demo.records if not has_contract_shape(record)]

    assert broken == []


def has_contract_shape(record: dict[str, object]) -> bool:
    return set(record) >= KEY_FIELDS and all(has_field_shape(*pair) for pair in record.items())


def has_field_shape(field: str, value: object) -> bool:
    if field in TEXT_FIELDS:
        return isinstance(value, str) and value != ""
    if field in LISTS_OF_TEXTS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if field in LISTS_OF_OBJECTS:
        return isinstance(value, list) and all(set(each) == LISTS_OF_OBJECTS[field] for each in value)
    if field == "address":
        return isinstance(value, dict) and set(value) <= ADDRESS_FIELDS and "" not in value.values()
    return field == "attributes" and isinstance(value, dict)


def test_people_have_about_two_and_a_half_records_and_a_long_tail(demo: Demo) -> None:
    counts = Counter(row["entity_id"] for row in demo.truth)

    assert 2.2 < RECORD_COUNT / len(counts) < 2.8
    assert max(counts.values()) >= 8
    assert demo.summary.people == len(counts)


def test_all_six_channels_are_there(demo: Demo) -> None:
    shares = Counter(record["source"] for record in demo.records)

    assert set(shares) == {"pos_loyalty", "web_app", "email_mkt", "call_center", "whatsapp", "social"}
    assert min(shares.values()) > 0.05 * RECORD_COUNT


@pytest.mark.parametrize(
    ("flag", "least", "most"),
    [
        ("accent_dropped", 0.10, 0.30),
        ("old_phone", 0.08, 0.22),
        ("nickname", 0.04, 0.10),
        ("old_email", 0.04, 0.11),
        ("old_address", 0.03, 0.09),
        ("shared_phone", 0.03, 0.07),
        ("typo_name", 0.01, 0.035),
        ("no_identifier", 0.02, 0.06),
        ("no_ninth_digit", 0.015, 0.06),
        ("same_name_relative", 0.008, 0.045),
        ("shared_card", 0.012, 0.045),
        ("maiden_or_former_name", 0.012, 0.04),
        ("recycled_phone", 0.008, 0.04),
        ("shared_email", 0.01, 0.03),
        ("phonetic_name", 0.007, 0.03),
        ("twin", 0.005, 0.025),
        ("junk_name", 0.006, 0.02),
        ("junk_phone", 0.006, 0.02),
        ("email_typo", 0.004, 0.015),
        ("junk_email", 0.004, 0.012),
        ("dob_error", 0.004, 0.012),
        ("dob_placeholder", 0.002, 0.009),
        ("dob_day_month_swap", 0.001, 0.006),
        ("junk_cpf", 0.002, 0.008),
        ("agnomen_dropped", 0.001, 0.009),
        ("phone_digit_error", 0.0015, 0.008),
        ("cpf_digit_error", 0.0005, 0.005),
        ("hub_phone", 0.0015, 0.006),
        ("attendant_card", 0.0005, 0.004),
        ("family_cpf", 0.0005, 0.005),
        ("mojibake", 0.0005, 0.005),
        ("social_name", 0.0002, 0.005),
    ],
)
def test_noise_is_as_frequent_as_planned(flag: str, least: float, most: float, demo: Demo) -> None:
    hit = sum(flag in flags for flags in demo.flags)

    assert least < hit / RECORD_COUNT < most


def test_what_standardizing_refuses_was_flagged_as_noise(demo: Demo) -> None:
    settings = SourceSettings()

    refused = [
        (refusal.field, refusal.reason, flags)
        for record, flags in zip(demo.records, demo.flags, strict=True)
        for refusal in standardize_record(record, settings).refusals
        if not FLAGS_OF_REFUSED.get(refusal.field.split("/")[1], set()) & set(flags)
    ]

    assert refused == []


def test_nobody_shares_a_cpf_without_a_flag(demo: Demo) -> None:
    holders = holders_of_values(demo, "document", {"family_cpf", "junk_cpf", "cpf_digit_error"})

    assert max(len(people) for people in holders.values()) == 1


def test_nobody_shares_an_email_without_a_flag(demo: Demo) -> None:
    holders = holders_of_values(demo, "email", {"shared_email", "email_typo"})

    assert max(len(people) for people in holders.values()) == 1


def holders_of_values(demo: Demo, kind: str, without: set[str]) -> dict[str, set[str]]:
    holders: dict[str, set[str]] = defaultdict(set)
    for record, row, flags in zip(demo.records, demo.truth, demo.flags, strict=True):
        if not without & set(flags):
            for identifier in standardize_record(record, SourceSettings()).identifiers:
                if identifier.kind == kind:
                    holders[identifier.value].add(row["entity_id"])
    return holders


def test_some_shop_number_stands_on_many_people(demo: Demo) -> None:
    holders = holders_of_values(demo, "phone", {"junk_phone"})

    assert max(len(people) for people in holders.values()) >= 5


def test_fathers_and_sons_of_one_name_are_told_apart_by_the_agnomen(demo: Demo) -> None:
    named = [
        record["full_name"].lower()
        for record, flags in zip(demo.records, demo.flags, strict=True)
        if "same_name_relative" in flags and "agnomen_dropped" not in flags and "full_name" in record
    ]

    told_apart = sum(name.split()[-1] in ("filho", "junior", "júnior", "jr", "neto") for name in named)
    assert 0.2 < told_apart / len(named) < 0.8
