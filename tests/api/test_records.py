"""Records as channels send them: what becomes of them, and what is refused without stopping others."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, func, select
from werkzeug.test import TestResponse

from api.record_schemas import RECORD_EXAMPLE, IncomingRecordSchema
from api.records import RECORDS_AT_MOST
from cdp.identity.resolution_runs import insert_run
from cdp.identity.verify import verify_store
from cdp.intake.shape import ADDRESS_FIELDS, RECORD_FIELDS
from cdp.store import read, schema, write
from cdp.store.instants import format_instant
from tests.api.conftest import Caller
from tests.builders import NOW, StoreBuilder, a_record

RUI = a_record(
    source_record_id="c-2",
    full_name="Rui Barbosa",
    birth_date="1971-11-05",
    phones=["21 91234-5678"],
    emails=["rui@example.com"],
)
# Says what Ana says, in another system.
ANA_AGAIN = a_record(source="whatsapp", source_record_id="5511987654321")
FIELDS = {
    "record_id",
    "profile_id",
    "outcome",
    "profiles_joined",
    "candidates",
    "model_version",
    "match_weight",
    "match_probability",
    "refusals",
}


def told(answer: TestResponse, status: int) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


def at(days: float) -> str:
    return format_instant(NOW + timedelta(days=days))


def counts(engine: Engine) -> dict[str, int]:
    """How many rows the tables hold that a write adds to."""
    tables = (schema.source_records, schema.ledger_entries, schema.outbox_events, schema.audit_entries)
    with read(engine) as connection:
        return {
            table.name: connection.scalars(select(func.count()).select_from(table)).one() for table in tables
        }


def is_described(client: FlaskClient, name: str, document: Any) -> bool:
    """Whether the document is what the API's description says of it."""
    description: Any = client.get("/openapi.json").json
    schema_of = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
    return bool(Draft202012Validator(schema_of).is_valid(document))


# ---------------------------------------------------------------------------------------------------- one record


def test_a_new_record_gets_a_profile(writer: Caller) -> None:
    answer = told(writer.write(RECORD_EXAMPLE), 201)

    assert answer.keys() == FIELDS
    assert answer["outcome"] == "created"
    assert answer["profile_id"].startswith("pf_")
    assert (answer["profiles_joined"], answer["candidates"], answer["refusals"]) == ([], [], [])
    assert (answer["model_version"], answer["match_weight"], answer["match_probability"]) == (0, None, None)
    assert is_described(writer.client, "WrittenRecord", answer)


def test_the_same_again_changes_nothing(writer: Caller, people: StoreBuilder) -> None:
    first = told(writer.write(RECORD_EXAMPLE), 201)
    before = counts(people.engine)

    again = told(writer.write(RECORD_EXAMPLE), 200)

    assert again["outcome"] == "unchanged"
    assert (again["record_id"], again["profile_id"]) == (first["record_id"], first["profile_id"])
    assert counts(people.engine) == before


def test_a_record_of_the_same_person_is_attached(writer: Caller) -> None:
    first = told(writer.write(a_record()), 201)

    second = told(writer.write(ANA_AGAIN), 201)

    assert second["outcome"] == "attached"
    assert second["profile_id"] == first["profile_id"]
    assert second["match_weight"] > 10
    assert 0.999 < second["match_probability"] <= 1
    assert is_described(writer.client, "WrittenRecord", second)


def test_a_record_that_knows_both_joins_two_profiles(writer: Caller) -> None:
    by_phone = told(writer.write(a_record(emails=None, birth_date=None, full_name="Ana Reis")), 201)
    by_mail = told(
        writer.write(a_record(source="whatsapp", source_record_id="w-1", phones=None, full_name=None)), 201
    )
    both = told(writer.write(a_record(source_record_id="c-9")), 201)

    assert by_phone["profile_id"] != by_mail["profile_id"]
    assert both["outcome"] == "joined"
    assert both["profile_id"] == by_phone["profile_id"]
    assert both["profiles_joined"] == [by_mail["profile_id"]]


def test_a_later_version_replaces_an_earlier_one_in_any_order(writer: Caller, people: StoreBuilder) -> None:
    newer = a_record(occurred_at=at(-1), emails=["new@example.com"])
    older = a_record(occurred_at=at(-2), emails=["old@example.com"])
    written = told(writer.write(older), 201)

    updated = told(writer.write(newer), 200)
    late = told(writer.write(older), 200)

    assert (updated["outcome"], late["outcome"]) == ("attached", "superseded")
    assert {each["record_id"] for each in (written, updated, late)} == {written["record_id"]}
    assert writer.look_up("email", "new@example.com").status_code == 200
    assert writer.look_up("email", "old@example.com").status_code == 404


def test_a_record_without_a_time_is_of_now(writer: Caller, people: StoreBuilder) -> None:
    told(writer.write(a_record(occurred_at=None)), 201)
    older = told(writer.write(a_record(occurred_at=at(-1), emails=["old@example.com"])), 200)
    again = told(writer.write(a_record(occurred_at=None)), 200)

    with read(people.engine) as connection:
        assert connection.scalars(select(schema.source_records.c.occurred_at)).one() == NOW
    assert (older["outcome"], again["outcome"]) == ("superseded", "unchanged")


def test_who_wrote_is_in_the_ledger_and_the_audit(writer: Caller, people: StoreBuilder) -> None:
    answer = told(writer.write(a_record()), 201)

    key_id = writer.secret.split("_")[1]
    entries = schema.audit_entries
    with read(people.engine) as connection:
        authors = connection.scalars(select(schema.ledger_entries.c.author)).all()
        statement = select(entries.c.actor, entries.c.details).where(entries.c.action == "records.write")
        audited = connection.execute(statement).one()
    assert authors == [f"key:{key_id}"]
    assert audited.actor == f"key:{key_id}"
    assert json.loads(audited.details)["profiles"] == [answer["profile_id"]]
    assert "example.com" not in audited.details


def test_values_that_cannot_be_used_are_told(writer: Caller) -> None:
    record = a_record(
        phones=["000", "11 98765-4321"],
        emails=["nao@tem.com"],
        birth_date="31/02/1980",
        gender="unknown sort",
    )

    answer = told(writer.write(record), 201)

    told_of = {each["field"]: each["reason"] for each in answer["refusals"]}
    assert told_of.keys() >= {"/phones/0", "/emails/0", "/birth_date"}
    assert "" not in told_of


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({}, ()),
        (
            {"phones": ["000"], "emails": ["nao@tem.com"], "full_name": "cliente"},
            ("/phones/0", "/emails/0", "/full_name"),
        ),
        ({"birth_date": "1980-02-29", "address": {"city": "São Paulo"}}, ()),
    ],
    ids=["nothing", "junk", "no identifier and no name"],
)
def test_a_record_that_nothing_can_be_resolved_by_has_a_profile_of_its_own(
    writer: Caller, values: Mapping[str, Any], refused: Collection[str]
) -> None:
    ana = told(writer.write(a_record()), 201)

    answer = told(writer.write({"source": "crm", "source_record_id": "x-1", **values}), 201)

    assert answer["outcome"] == "created"
    assert answer["profile_id"] != ana["profile_id"]
    assert {"field": "", "reason": "nothing_to_resolve_by"} in answer["refusals"]
    assert {each["field"] for each in answer["refusals"]} == {"", *refused}


@pytest.mark.parametrize("values", [{}, {"emails": ["nao@tem.com"]}], ids=["nothing", "junk"])
def test_records_that_say_nothing_do_not_meet(writer: Caller, values: Mapping[str, Any]) -> None:
    profile_ids = {
        told(writer.write({"source": "crm", "source_record_id": key, **values}), 201)["profile_id"]
        for key in ("x-1", "x-2", "x-3")
    }

    assert len(profile_ids) == 3


def test_numbers_that_a_spreadsheet_rounded_are_told(writer: Caller) -> None:
    answer = told(writer.write(a_record(device_ids=["5.51E+12"])), 201)

    assert {"field": "", "reason": "spreadsheet_number"} in answer["refusals"]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "tomorrow and later": ({"occurred_at": at(1.01)}, "future", "/occurred_at"),
    "the year 9999": ({"occurred_at": "9999-12-31T23:59:59Z"}, "future", "/occurred_at"),
    "the year 1": ({"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at", "/occurred_at"),
    "before the year 1": ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at", "/occurred_at"),
    "beyond the year 9999": ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at", "/occurred_at"),
    "the 19th century": ({"occurred_at": "1899-12-31T23:59:59Z"}, "occurred_at", "/occurred_at"),
    "seconds since 1970": ({"occurred_at": 1_700_000_000}, "occurred_at", "/occurred_at"),
    "a truth for a time": ({"occurred_at": True}, "wrong_type", "/occurred_at"),
    "the 13th month": ({"occurred_at": "2026-13-40T00:00:00Z"}, "occurred_at", "/occurred_at"),
    "no time": ({"occurred_at": "yesterday"}, "occurred_at", "/occurred_at"),
    "10,000 phones": ({"phones": [f"11 9{n:08}" for n in range(10_000)]}, "too_many", "/phones"),
    "a source that there is not": ({"source": "nowhere"}, "unknown_source", "/source"),
    "no source": ({"source": None}, "missing", "/source"),
    "a blank source": ({"source": " "}, "missing", "/source"),
    "no key": ({"source_record_id": None}, "missing", "/source_record_id"),
    "a long key": ({"source_record_id": "x" * 201}, "too_long", "/source_record_id"),
    "a key with a line end": ({"source_record_id": "a\nb"}, "unprintable", "/source_record_id"),
    "a rounded key": ({"source_record_id": "5.51E+12"}, "spreadsheet_number", "/source_record_id"),
    "phones as a text": ({"phones": "11 98765-4321"}, "wrong_type", "/phones"),
    "a phone as an object": ({"phones": ["1", {}]}, "wrong_type", "/phones/1"),
    "a name as a list": ({"full_name": ["Ana"]}, "wrong_type", "/full_name"),
    "a misspelt field": ({"phone": ["1"]}, "unknown_field", "/phone"),
    "a field of an address": ({"address": {"zip": "1"}}, "unknown_field", "/address/zip"),
    "a document of no type": ({"documents": [{"number": "1"}]}, "missing", "/documents/0/type"),
    "an odd document": ({"documents": [{"type": "x", "number": "1"}]}, "unknown_type", "/documents/0/type"),
    "an odd verification": ({"verified": ["gender"]}, "unknown_field", "/verified/0"),
    "70,000 characters": ({"full_name": "x" * 70_000}, "too_large", "/full_name"),
    "a deep attribute": (
        {"attributes": {"a": [[[[[[[[[1]]]]]]]]]}},
        "too_deep",
        "/attributes/a/0/0/0/0/0/0/0/0",
    ),
    "a number too large": ({"attributes": {"a": 2**70}}, "number_too_large", "/attributes/a"),
    "a name like a pointer": ({"a/b~c": 1}, "unknown_field", "/a~1b~0c"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_record_is_refused_with_its_place_and_reason(
    lite_writer: Caller, lite_people: StoreBuilder, name: str
) -> None:
    changes, code, pointer = REFUSED[name]
    before = counts(lite_people.engine)

    problem = told(lite_writer.write({**a_record(), **changes}), 422)

    assert problem["code"] == "record_refused"
    assert [(each["code"], each["pointer"]) for each in problem["errors"]] == [(code, pointer)]
    assert problem["errors"][0]["detail"]
    assert counts(lite_people.engine) == before


ABSURD_BIRTHS = {
    "3000-01-01": "future",
    "2026-12-01": "future",
    "31/12/9999": "placeholder",
    "0000-00-00": "placeholder",
    "1900-01-01": "placeholder",
    "1980-13-45": "invalid",
    "29/02/1981": "invalid",
    "9" * 5_000: "too_long",
    "in spring": "invalid",
}


@pytest.mark.parametrize(("birth_date", "reason"), ABSURD_BIRTHS.items(), ids=lambda text: text[:12])
def test_an_absurd_birth_date_is_told_and_keeps_no_record_out(
    lite_writer: Caller, birth_date: str, reason: str
) -> None:
    answer = told(lite_writer.write(a_record(birth_date=birth_date)), 201)

    assert answer["refusals"] == [{"field": "/birth_date", "reason": reason}]


def test_a_misspelt_field_is_told_what_was_meant(lite_writer: Caller) -> None:
    problem = told(lite_writer.write(a_record(phonez=["1"])), 422)

    assert "phones is meant?" in problem["errors"][0]["detail"]


def test_an_unforeseen_source_may_be_created_meanwhile(writer: Caller, people: StoreBuilder) -> None:
    record = a_record(source="kiosk")
    told(writer.write(record), 422)

    people.add_sources("kiosk")

    told(writer.write(record), 201)


def test_what_a_source_claims_is_read_so(writer: Caller, people: StoreBuilder) -> None:
    people.add_sources("newsletter", claims=True)

    told(writer.write(a_record(source="newsletter")), 201)

    with read(people.engine) as connection:
        linkage = json.loads(connection.scalars(select(schema.source_records.c.standardized)).one())[
            "linkage"
        ]
    assert "claimed" in linkage


HOSTILE_TEXTS = (
    "'; DROP TABLE profiles; --",
    "\u202egnp.exe",
    "🧑‍🚀" * 50,
    "a\u0301" * 150,
    "\x1b[2J\x07",
    "{{7*7}}${7*7}<script>",
    "\ufeffAna\u200b Reis\u00a0",
    "ﷺ" * 100,
)


def a_record_of(text: str, key: str) -> dict[str, Any]:
    """One text wherever a record holds one."""
    return a_record(
        source_record_id=key,
        full_name=text,
        birth_date=text,
        gender=text,
        phones=[text],
        emails=[text],
        device_ids=[text],
        handles=[{"network": text, "handle": text}],
        documents=[{"type": "other", "number": text}],
        address={"street": text, "city": text, "postal_code": text, "country": text},
        attributes={text[:100]: text},
    )


def test_hostile_texts_are_values_or_refusals(writer: Caller) -> None:
    records = [a_record_of(text, f"h-{place}") for place, text in enumerate(HOSTILE_TEXTS)]

    results = told(writer.write(*records), 200)["results"]

    assert [each.get("errors") for each in results] == [None] * len(HOSTILE_TEXTS)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b'{"source": "crm", "source_record_id": "1", "full_name": NaN}', 400),
        (b'{"source": "crm", "source": "crm"}', 400),
        (b'{"source": "crm", "source_record_id": "a\\u0000b"}', 400),
        (b'{"source": "crm", "source_record_id": "\\ud800"}', 400),
        (b"[" * 10_000, 400),
        (b'"' + b"x" * 5_000_000 + b'"', 413),
        (b"null", 422),
        (b"[]", 422),
        (b"17", 422),
    ],
    ids=["nothing", "nan", "twice", "nul", "surrogate", "deep", "large", "null", "list", "number"],
)
def test_poison_is_a_problem(lite_writer: Caller, body: bytes, status: int) -> None:
    answer = lite_writer.client.post(
        "/v1/records",
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {lite_writer.secret}"},
    )

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


# ---------------------------------------------------------------------------------------------------------- rights


def test_a_key_writes_the_sources_it_is_bound_to(writer: Caller, people: StoreBuilder) -> None:
    bound = Caller(writer.client, people.add_key("records:write", sources=["crm"]))

    told(bound.write(a_record()), 201)
    refused = told(bound.write(ANA_AGAIN), 422)

    assert (refused["errors"][0]["pointer"], refused["errors"][0]["code"]) == ("/source", "unknown_source")


def test_another_source_looks_like_one_that_there_is_not(writer: Caller, people: StoreBuilder) -> None:
    bound = Caller(writer.client, people.add_key("records:write", sources=["crm"]))
    told(writer.write(ANA_AGAIN), 201)
    keys = ("whatsapp", "nowhere")

    written = [told(bound.write(a_record(source=source)), 422) for source in keys]
    in_batch = told(bound.write(a_record(source=keys[0]), a_record(source=keys[1])), 200)["results"]
    deleted = [told(bound.delete(f"/v1/records/{source}/5511987654321"), 404) for source in keys]

    for first, second in (written, deleted):
        assert _without_request_id(first) == _without_request_id(second)
    assert [each["errors"][0]["code"] for each in in_batch] == ["unknown_source", "unknown_source"]
    assert writer.look_up("email", "ana@example.com").status_code == 200


@pytest.mark.parametrize("scope", ["profiles:lookup", "profiles:search", "profiles:read:agent"])
def test_a_key_without_the_scope_writes_nothing(
    lite_writer: Caller, lite_people: StoreBuilder, scope: str
) -> None:
    reader = Caller(lite_writer.client, lite_people.add_key(scope))

    assert reader.write(a_record()).status_code == 403
    assert reader.write(a_record(), RUI).status_code == 403
    assert reader.delete("/v1/records/crm/c-1").status_code == 403


# --------------------------------------------------------------------------------------------------------- batches


def test_a_batch_answers_in_order(writer: Caller, people: StoreBuilder) -> None:
    told(writer.write(RUI), 201)

    results = told(writer.write(a_record(), RUI, a_record(phones=7, source_record_id="c-3"), ANA_AGAIN), 200)[
        "results"
    ]

    ana, rui, refused, again = results
    assert [ana["outcome"], rui["outcome"], again["outcome"]] == ["created", "unchanged", "attached"]
    assert ana["profile_id"] == again["profile_id"] != rui["profile_id"]
    assert again["match_weight"] > 10
    assert (refused["code"], refused["status"]) == ("record_refused", 422)
    assert refused["errors"][0]["pointer"] == "/records/2/phones"
    assert refused["request_id"]
    assert is_described(writer.client, "BatchResults", {"results": results})
    assert verify_store(people.engine).breaches == []


def test_one_bad_record_of_a_thousand_stops_no_other(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    records = [
        {"source": "crm", "source_record_id": f"b-{place}", "device_ids": [f"device-{place:04}"]}
        for place in range(RECORDS_AT_MOST)
    ]
    records[500]["occurred_at"] = at(30)

    results = told(lite_writer.write(*records), 200)["results"]

    assert len(results) == RECORDS_AT_MOST
    problem = results.pop(500)
    assert problem["errors"] == [
        {
            "pointer": "/records/500/occurred_at",
            "detail": "occurred_at lies in the future; send the time when the contact took place",
            "code": "future",
        }
    ]
    assert {each["outcome"] for each in results} == {"created"}
    assert len({each["profile_id"] for each in results}) == 999
    assert counts(lite_people.engine)["source_records"] == 999


def test_every_way_to_be_no_record_is_a_problem_at_its_place_in_a_batch(
    lite_writer: Caller, lite_people: StoreBuilder
) -> None:
    bad = [{**a_record(), **changes} for changes, _, _ in REFUSED.values()]
    good = [a_record(source_record_id=f"g-{place}") for place in range(len(bad))]
    records = [each for pair in zip(good, bad, strict=True) for each in pair]

    results = told(lite_writer.write(*records), 200)["results"]

    assert [each.get("code") for each in results] == [None, "record_refused"] * len(bad)
    assert [(problem["errors"][0]["code"], problem["errors"][0]["pointer"]) for problem in results[1::2]] == [
        (code, f"/records/{2 * place + 1}{pointer}")
        for place, (_, code, pointer) in enumerate(REFUSED.values())
    ]
    assert counts(lite_people.engine)["source_records"] == len(good)


def test_a_record_of_a_source_of_others_stops_none_of_the_keys_own(
    writer: Caller, people: StoreBuilder
) -> None:
    bound = Caller(writer.client, people.add_key("records:write", sources=["crm"]))

    first, refused, last = told(bound.write(a_record(), ANA_AGAIN, RUI), 200)["results"]

    assert (first["outcome"], last["outcome"]) == ("created", "created")
    assert refused["errors"] == [
        {
            "pointer": "/records/1/source",
            "detail": "there is no such source; create it with `cdp source create`, or import a file of it",
            "code": "unknown_source",
        }
    ]


def test_a_thousand_versions_of_one_record_are_one_record(lite_writer: Caller) -> None:
    versions = [
        a_record(occurred_at=at(-1 - place / 1000), emails=[f"v{place}@example.com"])
        for place in range(RECORDS_AT_MOST)
    ]

    results = told(lite_writer.write(*versions[1:], versions[0]), 200)["results"]

    assert len({each["record_id"] for each in results}) == 1
    assert [each["outcome"] for each in results] == ["superseded"] * 999 + ["created"]
    assert lite_writer.look_up("email", "v0@example.com").status_code == 200


def test_several_versions_of_a_record_in_a_batch_are_judged_together(writer: Caller) -> None:
    versions = [
        a_record(occurred_at=at(-2), emails=["middle@example.com"]),
        a_record(occurred_at=at(-1), emails=["last@example.com"]),
        a_record(occurred_at=at(-3), emails=["first@example.com"]),
        a_record(occurred_at=at(-1), emails=["last@example.com"]),
    ]

    results = told(writer.write(*versions), 200)["results"]

    assert [each["outcome"] for each in results] == ["superseded", "created", "superseded", "unchanged"]
    assert len({(each["record_id"], each["profile_id"]) for each in results}) == 1
    assert writer.look_up("email", "last@example.com").status_code == 200
    assert writer.look_up("email", "middle@example.com").status_code == 404


def test_a_batch_of_refused_records_writes_nothing(writer: Caller, people: StoreBuilder) -> None:
    before = counts(people.engine)

    results = told(writer.write(None, a_record(source="nowhere"), [], "x"), 200)["results"]

    assert [each["errors"][0]["pointer"] for each in results] == [
        "/records/0",
        "/records/1/source",
        "/records/2",
        "/records/3",
    ]
    assert counts(people.engine) == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"records": []}, "/records"),
        ({"records": [{}] * 1001}, "/records"),
        ({"records": {}}, "/records"),
        ({"records": None}, "/records"),
        ({}, "/records"),
        ({"records": [{}], "dry/run": True}, "/dry~1run"),
        ([{}], ""),
        ("records", ""),
        (17, ""),
        (False, ""),
    ],
    ids=[
        "empty",
        "1001",
        "object",
        "null",
        "missing",
        "unknown field",
        "list",
        "text",
        "number",
        "truth",
    ],
)
def test_what_is_no_batch_is_refused(
    lite_writer: Caller, lite_people: StoreBuilder, body: Any, pointer: str
) -> None:
    before = counts(lite_people.engine)

    problem = told(lite_writer.post("/v1/records/batch", body), 422)

    assert problem["code"] == "validation_failed"
    assert [each["pointer"] for each in problem["errors"]] == [pointer]
    assert problem["errors"][0]["detail"]
    assert counts(lite_people.engine) == before


# -------------------------------------------------------------------------------------------------------- deletion


def test_a_deleted_record_leaves_its_profile(writer: Caller, people: StoreBuilder) -> None:
    ana = told(writer.write(a_record()), 201)
    told(writer.write({**ANA_AGAIN, "emails": ["other@example.com"]}), 201)

    answer = told(writer.delete("/v1/records/whatsapp/5511987654321"), 200)

    assert answer == {"profiles_touched": [ana["profile_id"]], "model_version": 0}
    assert writer.look_up("email", "other@example.com").status_code == 404
    assert writer.look_up("email", "ana@example.com").status_code == 200
    assert told(writer.delete("/v1/records/whatsapp/5511987654321"), 404)["code"] == "record_not_found"
    assert verify_store(people.engine).breaches == []


def test_a_deleted_record_comes_back_only_younger_than_its_deletion(writer: Caller) -> None:
    before = told(writer.write(a_record()), 201)
    told(writer.delete("/v1/records/crm/c-1"), 200)

    older = told(writer.write(a_record(occurred_at=at(-0.5), emails=["old@example.com"])), 200)
    newer = told(writer.write(a_record(occurred_at=at(0.5), emails=["new@example.com"])), 200)

    assert (older["outcome"], older["profile_id"]) == ("superseded", None)
    assert newer["outcome"] in ("created", "attached")
    assert newer["profile_id"] == before["profile_id"]
    assert writer.look_up("email", "new@example.com").status_code == 200


@pytest.mark.parametrize("key", ["a/b", "a//b/", "../c-1", "é 100%?x=1#y", "+55 11 98765-4321"])
def test_any_key_can_be_deleted(lite_writer: Caller, key: str) -> None:
    told(lite_writer.write(a_record(source_record_id=key)), 201)

    answer = lite_writer.client.open(
        "/v1/records/crm/-",
        method="DELETE",
        headers={"Authorization": f"Bearer {lite_writer.secret}"},
        environ_overrides={"PATH_INFO": f"/v1/records/crm/{key}".encode().decode("latin-1")},
    )

    assert len(told(answer, 200)["profiles_touched"]) == 1


@pytest.mark.parametrize("path", ["crm/c-9", "nowhere/c-1", "crm/%ff", f"{'x' * 500}/c-1"])
def test_what_is_not_there_cannot_be_deleted(writer: Caller, path: str) -> None:
    told(writer.write(a_record()), 201)

    assert told(writer.delete(f"/v1/records/{path}"), 404)["code"] == "record_not_found"


# --------------------------------------------------------------------------------------------------- what follows


def test_a_store_that_an_earlier_release_resolved_says_what_to_do(
    writer: Caller, people: StoreBuilder
) -> None:
    with write(people.engine) as connection:
        run_id = insert_run(connection, 0, now=NOW)
        published = {"state": "published", "finished_at": NOW}
        connection.execute(
            schema.resolution_runs.update().where(schema.resolution_runs.c.run_id == run_id).values(published)
        )

    answer = writer.write(a_record())
    problem = told(answer, 503)

    assert (problem["code"], answer.headers["Retry-After"]) == ("store_not_resolved", "60")
    assert "cdp resolve" in problem["detail"]
    told(writer.search({"full_name": "Ana Reis"}), 503)
    with write(people.engine) as connection:
        connection.execute(schema.resolution_runs.delete())


def test_several_identifiers_find_who_was_written(writer: Caller) -> None:
    ana = told(writer.write(a_record()), 201)["profile_id"]
    rui = told(writer.write(RUI), 201)["profile_id"]
    phone, mail = {"type": "phone", "value": "11 98765-4321"}, {"type": "email", "value": "ana@example.com"}
    of_rui = {"type": "email", "value": "rui@example.com"}

    one = told(writer.post("/v1/profiles/lookup", {"identifiers": [phone, mail]}), 200)
    several = told(writer.post("/v1/profiles/lookup", {"identifiers": [phone, of_rui]}), 409)

    assert one["profile_id"] == ana
    assert several["candidates"] == [
        {"profile_id": profile_id, "identifiers": [{"type": kind, "pointer": f"/identifiers/{place}"}]}
        for place, (profile_id, kind) in enumerate([(ana, "phone"), (rui, "email")])
    ]


def test_a_join_ends_the_conflict_of_a_lookup(writer: Caller) -> None:
    told(writer.write(a_record(emails=None, birth_date=None)), 201)
    told(writer.write(a_record(source="whatsapp", source_record_id="w-1", phones=None, full_name=None)), 201)
    asked = {
        "identifiers": [
            {"type": "phone", "value": "11 98765-4321"},
            {"type": "email", "value": "ana@example.com"},
        ]
    }
    apart = writer.post("/v1/profiles/lookup", asked)

    joined = told(writer.write(a_record(source_record_id="c-9")), 201)
    together = told(writer.post("/v1/profiles/lookup", asked), 200)

    assert apart.status_code == 409
    assert together["profile_id"] == joined["profile_id"]
    assert (
        told(writer.get(f"/v1/profiles/{joined['profiles_joined'][0]}"), 200)["profile_id"]
        == together["profile_id"]
    )


def test_a_value_that_becomes_generic_on_the_way_finds_nobody_until_it_is_not(writer: Caller) -> None:
    names = ("Ana", "Bruno", "Caio", "Davi", "Eva", "Fabio", "Gil", "Hugo", "Iara", "Joel", "Kaua", "Lucas")
    records = [
        {
            "source": "crm",
            "source_record_id": name,
            "full_name": f"{name} Moura",
            "emails": ["grupo7@example.com"],
        }
        for name in names
    ]

    statuses = []
    for record in records:
        told(writer.write(record), 201)
        statuses.append(writer.look_up("email", "grupo7@example.com").status_code)
    for name in names[1:]:
        told(writer.delete(f"/v1/records/crm/{name}"), 200)

    assert (statuses[0], statuses[5], statuses[-1]) == (200, 409, 404)
    assert told(writer.look_up("email", "grupo7@example.com"), 200)["record_count"] == 1


def test_the_explanation_tells_of_records_written_online(writer: Caller) -> None:
    told(writer.write(a_record()), 201)
    second = told(writer.write(ANA_AGAIN), 201)

    [join] = told(writer.get(f"/v1/profiles/{second['profile_id']}/explanation"), 200)["joins"]

    assert join["pair"]["match_weight"] == pytest.approx(second["match_weight"], abs=1e-9)


def test_the_description_knows_the_fields_of_a_record(app: Flask) -> None:
    described = IncomingRecordSchema().fields

    assert set(described) == set(RECORD_FIELDS)
    assert set(described["address"].schema.fields) == set(ADDRESS_FIELDS)


def _without_request_id(document: Any) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "request_id"}


POISON = {
    "nan": (b'{"source": "crm", "source_record_id": "p", "full_name": NaN}', "/full_name"),
    "twice": (b'{"source": "crm", "source": "crm", "source_record_id": "p"}', ""),
    "inside": (
        b'{"source": "crm", "source_record_id": "p", "address": {"city": "a", "city": "b"}}',
        "/address",
    ),
    "nul": (b'{"source": "crm", "source_record_id": "p", "phones": ["1\\u0000"]}', "/phones/0"),
    "surrogate": (b'{"source": "crm", "source_record_id": "p", "full_name": "\\ud800"}', "/full_name"),
    "digits": (
        b'{"source": "crm", "source_record_id": "p", "attributes": {"n": ' + b"9" * 5000 + b"}}",
        "/attributes/n",
    ),
    "deep": (b'{"source": "crm", "address": ' + b'{"[":' * 100_000 + b"1" + b"}" * 100_001, ""),
    "deep as a whole": (b"[" * 100_000 + b"]" * 100_000, ""),
}


def test_poison_in_a_batch_stops_no_other_record(writer: Caller) -> None:
    good = [
        b'{"source": "crm", "source_record_id": "%d", "full_name": "Ana Reis"}' % place
        for place in range(len(POISON))
    ]
    mixed = [each for pair in zip(good, (body for body, _ in POISON.values()), strict=True) for each in pair]
    answer = writer.client.post(
        "/v1/records/batch",
        data=b'{"records": [' + b",".join(mixed) + b"]}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {writer.secret}"},
    )

    results = told(answer, 200)["results"]

    assert all("outcome" in each for each in results[::2])
    problems = results[1::2]
    assert [each["status"] for each in problems] == [422] * len(POISON)
    pointers = [f"/records/{2 * place + 1}{pointer}" for place, (_, pointer) in enumerate(POISON.values())]
    assert [each["errors"][0]["pointer"] for each in problems] == pointers
    assert {each["errors"][0]["code"] for each in problems} == {"malformed"}


DEEP = b"[" * 50 + b"]" * 50


@pytest.mark.parametrize(
    "body",
    [
        b'{"records": [], "records": []}',
        b'{"records": [{}], "others": [%s]}' % DEEP,
        b'[{"records": [%s]}]' % DEEP,
        b'{"records": [%s' % DEEP,
        b'{"records": [%s' % DEEP[:-1],
        b'{"records": [{}]]]]' + b"[" * 50,
        b'{"records": [%s], "records": [%s]}' % (DEEP, DEEP),
    ],
    ids=[
        "twice",
        "deep beside",
        "in a list",
        "unclosed",
        "less closed",
        "overclosed",
        "deep twice",
    ],
)
def test_a_batch_that_is_poison_itself_is_one_problem(lite_writer: Caller, body: bytes) -> None:
    answer = lite_writer.client.post(
        "/v1/records/batch",
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {lite_writer.secret}"},
    )

    assert told(answer, 400)["code"] == "malformed_json"
