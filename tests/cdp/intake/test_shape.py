"""The shape of a record: what passes in canonical form, and what is refused where."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.intake.instants import format_instant
from cdp.intake.rows import RefusedRowError
from cdp.intake.shape import UNDATED, CheckedRecord, check_record

DATED = datetime(2026, 1, 1, tzinfo=UTC)


def check(**changes: Any) -> CheckedRecord:
    return check_record({"source": "crm", "source_record_id": "1", **changes}, default_source=None)


def test_the_record_of_the_contract_passes_whole() -> None:
    record = {
        "source": "whatsapp",
        "source_record_id": "5511987654321",
        "occurred_at": "2026-11-20T12:00:00Z",
        "full_name": "João da Silva Filho",
        "given_name": None,
        "birth_date": "1980-02-29",
        "gender": "m",
        "phones": ["+55 11 98765-4321"],
        "emails": ["joao@example.com"],
        "handles": [{"network": "instagram", "handle": "@joao.silva"}],
        "loyalty_ids": [{"program": "clube", "number": "998877"}],
        "documents": [{"type": "cpf", "number": "390.533.447-05"}],
        "device_ids": ["a1b2"],
        "address": {"street": "Rua A, 10", "city": "São Paulo", "country": "BR"},
        "attributes": {"occupation": "dentist", "score": 7, "tags": ["a"], "vip": True},
        "verified": ["phones"],
    }

    checked = check_record(record, default_source=None)

    assert checked.values == {name: value for name, value in record.items() if value is not None}
    assert json.loads(checked.raw) == checked.values
    assert checked.occurred_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert len(checked.raw_hash) == 32


def test_a_scoped_id_stands_beside_a_handle_or_alone() -> None:
    handles = [
        {"network": "instagram", "handle": "ana", "scoped_id": "178414"},
        {"network": "facebook", "scoped_id": "2951"},
    ]

    checked = check(handles=[*handles, {"network": "x", "handle": None, "scoped_id": ""}])

    assert checked.values["handles"] == handles


def test_order_and_emptiness_change_no_hash() -> None:
    one = check(full_name="Ana", phones=["1"], gender="f")
    other = check(gender="f", emails=[], phones=["1", None, ""], full_name="Ana", address={}, given_name="")

    assert one.raw_hash == other.raw_hash


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown_field": ({"fone": "1"}, "unknown_field", "/fone"),
    "no_key": ({"source_record_id": None}, "missing", "/source_record_id"),
    "blank_key": ({"source_record_id": "  "}, "missing", "/source_record_id"),
    "no_source": ({"source": ""}, "missing", "/source"),
    "long_key": ({"source_record_id": "x" * 201}, "too_long", "/source_record_id"),
    "nul_in_key": ({"source_record_id": "a\0"}, "unprintable", "/source_record_id"),
    "direction_mark_in_key": ({"source_record_id": "a\u202eb"}, "unprintable", "/source_record_id"),
    "destroyed_key": ({"source_record_id": "5,51E+12"}, "spreadsheet_number", "/source_record_id"),
    "no_time": ({"occurred_at": "yesterday"}, "occurred_at", "/occurred_at"),
    "impossible_time": ({"occurred_at": "2026-02-30T00:00:00Z"}, "occurred_at", "/occurred_at"),
    "time_before_times": ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at", "/occurred_at"),
    "old_time": ({"occurred_at": "1899-12-31"}, "occurred_at", "/occurred_at"),
    "text_for_list": ({"phones": "11 98765-4321"}, "wrong_type", "/phones"),
    "number_with_fraction": ({"phones": [5.5e12]}, "wrong_type", "/phones/0"),
    "boolean_name": ({"full_name": True}, "wrong_type", "/full_name"),
    "object_name": ({"full_name": {"a": 1}}, "wrong_type", "/full_name"),
    "text_for_document": ({"documents": ["39053344705"]}, "wrong_type", "/documents/0"),
    "unknown_document": (
        {"documents": [{"type": "cpff", "number": "1"}]},
        "unknown_type",
        "/documents/0/type",
    ),
    "document_without_type": ({"documents": [{"number": "1"}]}, "missing", "/documents/0/type"),
    "unknown_key_in_entry": (
        {"handles": [{"network": "x", "name": "a"}]},
        "unknown_field",
        "/handles/0/name",
    ),
    "scoped_id_without_network": ({"handles": [{"scoped_id": "1"}]}, "missing", "/handles/0/network"),
    "list_for_scoped_id": (
        {"handles": [{"network": "x", "scoped_id": []}]},
        "wrong_type",
        "/handles/0/scoped_id",
    ),
    "unknown_address_key": ({"address": {"town": "a"}}, "unknown_field", "/address/town"),
    "address_as_text": ({"address": "Rua A"}, "wrong_type", "/address"),
    "list_for_attributes": ({"attributes": [1]}, "wrong_type", "/attributes"),
    "nameless_attribute": ({"attributes": {" ": 1}}, "too_long", "/attributes"),
    "deep_attribute": (
        {"attributes": {"a": [[[[[[[[[1]]]]]]]]]}},
        "too_deep",
        "/attributes/a/0/0/0/0/0/0/0/0",
    ),
    "integer_beyond_64_bits": ({"attributes": {"a": 2**63}}, "number_too_large", "/attributes/a"),
    "integer_read_as_float": ({"attributes": {"a": 1e30}}, "number_too_large", "/attributes/a"),
    "not_a_number": ({"attributes": {"a": float("nan")}}, "number_too_large", "/attributes/a"),
    "object_in_attributes": ({"attributes": {"a": object()}}, "wrong_type", "/attributes/a"),
    "unknown_verified": ({"verified": ["fones"]}, "unknown_field", "/verified/0"),
    "many_phones": ({"phones": ["1"] * 101}, "too_many", "/phones"),
    "large": ({"full_name": "x" * 70_000}, "too_large", "/full_name"),
    "large_attributes": (
        {"full_name": "x" * 100, "attributes": {"a": "x" * 70_000}},
        "too_large",
        "/attributes",
    ),
    "million_characters": ({"full_name": "x" * 1_000_000}, "too_large", "/full_name"),
    "nul": ({"full_name": "a\0b"}, "nul", ""),
    "nul_in_attribute_name": ({"attributes": {"a\0": "b"}}, "nul", ""),
    "lone_surrogate": ({"full_name": "\ud800"}, "encoding", ""),
    "undecoded_byte": ({"attributes": {"a": "Jo\udce3o"}}, "encoding", ""),
    "slash_in_name": ({"attributes": {"a/b~c": 1e30}}, "number_too_large", "/attributes/a~1b~0c"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_misshapen_record_is_refused_where_it_is(name: str) -> None:
    changes, reason, pointer = REFUSED[name]

    with pytest.raises(RefusedRowError) as caught:
        check(**changes)

    assert (caught.value.reason, caught.value.pointer) == (reason, pointer)


@pytest.mark.parametrize("reason", sorted({each[1] for each in REFUSED.values()}))
def test_every_reason_is_documented(reason: str) -> None:
    assert f"| `{reason}` |" in Path("docs/import.md").read_text("utf-8")


def test_an_unknown_field_names_the_nearest() -> None:
    with pytest.raises(RefusedRowError, match="phones is meant"):
        check(phone=["1"])


def test_text_that_only_looks_like_nul_passes() -> None:
    assert check(full_name=r"a\u0000b").values["full_name"] == r"a\u0000b"


def test_whole_numbers_are_taken_as_their_digits() -> None:
    checked = check(source_record_id=42, phones=[5511987654321], birth_date=19800229)

    assert (checked.source_record_id, checked.values["phones"], checked.values["birth_date"]) == (
        "42",
        ["5511987654321"],
        "19800229",
    )


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-11-20T12:00:00Z", "UTC", "2026-11-20T12:00:00Z"),
        ("2026-11-20T12:00:00.123456-03:00", "UTC", "2026-11-20T15:00:00.123456Z"),
        ("2026-11-20 12:00", "America/Sao_Paulo", "2026-11-20T15:00:00Z"),
        ("2018-01-10", "America/Sao_Paulo", "2018-01-10T02:00:00Z"),
        ("20261120T120000Z", "UTC", "2026-11-20T12:00:00Z"),
        ("2026-11-20T120000.5Z", "UTC", "2026-11-20T12:00:00.500000Z"),
        ("2026-W47-5T12:00:00Z", "UTC", "2026-11-20T12:00:00Z"),
        ("2026-11-20 12:00:00Z", "UTC", "2026-11-20T12:00:00Z"),
        (" 2026-11-20T12:00:00Z ", "UTC", "2026-11-20T12:00:00Z"),
    ],
)
def test_times_are_brought_to_utc(text: str, zone: str, instant: str) -> None:
    record = {"source": "crm", "source_record_id": "1", "occurred_at": text}

    checked = check_record(record, default_source=None, time_zone=ZoneInfo(zone))

    assert checked.values["occurred_at"] == instant


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001  The zone is drawn beside it.
    st.sampled_from([UTC, ZoneInfo("America/Sao_Paulo"), timezone(timedelta(hours=5, minutes=45))]),
    st.sampled_from(["seconds", "microseconds"]),
)
def test_a_time_has_one_form_however_it_is_written(moment: datetime, zone: tzinfo, precision: str) -> None:
    text = moment.replace(tzinfo=zone).isoformat(timespec=precision).replace("+00:00", "Z")

    checked = check(occurred_at=text)

    assert checked.values["occurred_at"] == format_instant(datetime.fromisoformat(text))


def test_a_record_without_time_is_older_than_all_and_says_nothing_of_it() -> None:
    checked = check()

    assert checked.occurred_at == UNDATED
    assert "occurred_at" not in checked.values


def test_a_given_default_time_is_stated() -> None:
    record = {"source": "crm", "source_record_id": "1"}

    checked = check_record(record, default_source=None, default_occurred_at=DATED)

    assert checked.values["occurred_at"] == "2026-01-01T00:00:00Z"


def test_rounded_ids_would_join_strangers_and_are_dropped() -> None:
    checked = check(
        loyalty_ids=[
            {"program": "clube", "number": "6,08E+13"},
            {"program": "clube", "number": "60812345678901"},
        ],
        device_ids=["5.51E+12"],
        handles=[{"network": "instagram", "handle": "ana", "scoped_id": "1.78E+14"}],
        documents=[{"type": "cpf", "number": "39053344705"}],
    )

    assert checked.destroyed_count == 3
    assert "handles" not in checked.values
    assert checked.values["loyalty_ids"] == [{"program": "clube", "number": "60812345678901"}]
    assert "device_ids" not in checked.values


def test_phones_are_left_to_the_rules_of_phones() -> None:
    checked = check(phones=["5,51E+12"])

    assert checked.values["phones"] == ["5,51E+12"]


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+03:00", "1899-12-31", "9999-12-31T23:00:00-05:00"]
)
def test_a_time_that_no_record_is_from_is_out_of_range(time: str) -> None:
    with pytest.raises(RefusedRowError, match="out of range") as caught:
        check(occurred_at=time)

    assert (caught.value.reason, caught.value.pointer) == ("occurred_at", "/occurred_at")


def test_what_is_no_time_is_told_what_one_looks_like() -> None:
    with pytest.raises(RefusedRowError, match="not an ISO 8601 time"):
        check(occurred_at="yesterday")
