"""Whom a partial record could be of: ranked, explained, and nothing of it kept."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, func, select

from cdp.identity.verify import verify_store
from cdp.store import read
from cdp.store.columns import metadata
from tests.api.conftest import Caller
from tests.api.test_records import ANA_AGAIN, RUI, is_described, told
from tests.builders import StoreBuilder, a_record
from tests.statements import recorded_statements

BRUNO = a_record(
    source_record_id="c-3",
    full_name="Bruno Costa",
    birth_date="1955-07-12",
    phones=["11 98765-4321"],
    emails=["bruno@example.com"],
)
ANA = {"full_name": "Ana Reis", "birth_date": "29/02/1980", "phones": ["(11) 98765-4321"]}


def rows_of(engine: Engine) -> dict[str, int]:
    with read(engine) as connection:
        return {table.name: _count(connection, table) for table in metadata.sorted_tables}


def _count(connection: Connection, table: Any) -> int:
    return connection.scalars(select(func.count()).select_from(table)).one()


def test_profiles_are_ranked_by_their_best_pair(writer: Caller) -> None:
    ana = told(writer.write(a_record()), 201)["profile_id"]
    told(writer.write({**ANA_AGAIN, "phones": None, "birth_date": None}), 201)
    bruno = told(writer.write(BRUNO), 201)["profile_id"]
    told(writer.write(RUI), 201)

    found = told(writer.search(ANA, "?min_weight=-30"), 200)

    first, second = found["data"]
    assert [first["profile_id"], second["profile_id"]] == [ana, bruno]
    assert first["match_weight"] > 20 > second["match_weight"]
    assert first["mean_match_weight"] < first["match_weight"]
    assert (first["record_count"], second["record_count"]) == (2, 1)
    assert 0.999 < first["match_probability"] <= 1
    assert (found["next_cursor"], found["model_version"], found["refusals"]) == (None, 0, [])
    assert is_described(writer.client, "FoundProfiles", found)


def test_each_profile_says_why(writer: Caller) -> None:
    record_id = told(writer.write(a_record()), 201)["record_id"]

    [found] = told(writer.search(ANA, "?lang=pt"), 200)["data"]
    explanation = found["explanation"]

    weights = {each["comparison"]: each["match_weight"] for each in explanation["comparisons"]}
    assert explanation["prior_match_weight"] + sum(weights.values()) == pytest.approx(found["match_weight"])
    assert explanation["match_weight"] == found["match_weight"]
    assert weights["birth_date"] > 5
    assert weights["email"] == 0
    assert explanation["record_id"] == record_id
    assert explanation["language"] == "pt"
    assert "data de nascimento" in explanation["text"]


def test_what_is_found_weighs_what_it_weighs_when_it_is_written(writer: Caller) -> None:
    told(writer.write(a_record()), 201)
    told(writer.write(RUI), 201)
    asked = {**ANA_AGAIN, "emails": ["ana.reis@example.com"], "full_name": "Ana M. Reis"}

    [found] = told(writer.search(asked), 200)["data"]
    written = told(writer.write(asked), 201)

    assert written["profile_id"] == found["profile_id"]
    assert written["match_weight"] == pytest.approx(found["match_weight"], abs=1e-9)


def test_the_words_come_in_the_language_of_the_reader(writer: Caller) -> None:
    told(writer.write(a_record()), 201)

    answer = writer.search(ANA, headers={"Accept-Language": "pt-BR, en;q=0.5"})

    assert answer.headers["Content-Language"] == "pt"
    assert "Accept-Language" in answer.headers["Vary"]
    assert told(writer.search(ANA), 200)["data"][0]["explanation"]["language"] == "en"


def test_a_search_writes_nothing(writer: Caller, app: Flask, people: StoreBuilder) -> None:
    told(writer.write(a_record()), 201)
    before = rows_of(people.engine)
    with recorded_statements(app.extensions["cdp"].store.engine()) as statements:
        told(writer.search(ANA), 200)
        told(writer.search({"full_name": "Nobody Known"}), 200)

    app.extensions["cdp"].read_audit.flush()
    after = rows_of(people.engine)
    assert after.pop("audit_entries") == before.pop("audit_entries") + 2
    assert after == before
    writing = [each for each in statements if not each.lstrip().upper().startswith(("SELECT", "WITH"))]
    assert statements
    assert all("audit_entries" in each for each in writing), writing
    assert verify_store(people.engine, partition=False).breaches == []


def test_profiles_below_the_review_weight_are_left_out(writer: Caller) -> None:
    told(writer.write(BRUNO), 201)
    asked = {"full_name": "Ana Lima", "phones": ["11 98765-4321"], "birth_date": "1955-01-01"}

    usual = told(writer.search(asked), 200)["data"]
    [asked_for] = told(writer.search(asked, "?min_weight=-60"), 200)["data"]

    assert usual == []
    assert asked_for["match_weight"] < -3
    assert asked_for["match_probability"] < 0.2


def test_more_is_a_page_away(writer: Caller) -> None:
    profile_ids = {
        told(
            writer.write(
                a_record(
                    source_record_id=f"c-{year}",
                    birth_date=f"{year}-01-31",
                    full_name=name,
                    phones=None,
                    emails=[f"a{year}@example.com"],
                )
            ),
            201,
        )["profile_id"]
        for year, name in ((1947, "Ana Reis"), (1968, "Rui Costa"), (1995, "Caio Lopes"))
    }
    asked = {
        "full_name": "Ana Reis",
        "emails": ["a1947@example.com", "a1968@example.com", "a1995@example.com"],
    }

    first = told(writer.search(asked, "?limit=2&min_weight=-60"), 200)
    second = told(writer.search(asked, f"?limit=2&min_weight=-60&cursor={first['next_cursor']}"), 200)

    assert (len(first["data"]), len(second["data"]), second["next_cursor"]) == (2, 1, None)
    assert {each["profile_id"] for each in first["data"] + second["data"]} == profile_ids
    weights = [each["match_weight"] for each in first["data"] + second["data"]]
    assert weights == sorted(weights, reverse=True)


def test_a_whole_record_may_be_asked_for(writer: Caller) -> None:
    ana = told(writer.write(a_record()), 201)["profile_id"]

    [found] = told(writer.search(a_record(source="nowhere", source_record_id=[], attributes={"a": 1})), 200)[
        "data"
    ]

    assert found["profile_id"] == ana


def test_the_region_says_where_a_number_belongs(writer: Caller) -> None:
    told(writer.write(a_record(phones=["+351 912 345 678"], birth_date=None, emails=None)), 201)
    asked = {"full_name": "Ana Reis", "phones": ["912 345 678"]}

    [found] = told(writer.search({**asked, "region": "PT"}), 200)["data"]
    elsewhere = told(writer.search(asked, "?min_weight=-60"), 200)["data"]

    assert found["match_weight"] > 0
    assert all(each["match_weight"] < found["match_weight"] for each in elsewhere)


def test_no_region_may_be_said_as_null(lite_writer: Caller) -> None:
    description: Any = lite_writer.client.get("/openapi.json").json

    answer = lite_writer.search({**ANA, "region": None})

    assert told(answer, 200)["data"] == []
    assert "null" in description["components"]["schemas"]["Search"]["properties"]["region"]["type"]


def test_values_that_cannot_be_used_are_told(writer: Caller) -> None:
    told(writer.write(a_record()), 201)

    found = told(writer.search({**ANA, "emails": ["nao@tem.com"]}), 200)

    assert [each["field"] for each in found["refusals"]] == ["/emails/0"]
    assert len(found["data"]) == 1


def test_deleted_and_superseded_values_are_not_found(writer: Caller) -> None:
    told(writer.write(a_record()), 201)
    told(writer.delete("/v1/records/crm/c-1"), 200)

    assert told(writer.search(ANA, "?min_weight=-60"), 200)["data"] == []


def test_before_anything_was_resolved_there_is_nobody(writer: Caller) -> None:
    found = told(writer.search(ANA), 200)

    assert (found["data"], found["model_version"]) == ([], None)


def test_a_key_bound_to_sources_finds_profiles_with_a_record_of_theirs(
    writer: Caller, people: StoreBuilder
) -> None:
    bound = Caller(writer.client, people.add_key("profiles:search", sources=["crm"]))
    told(writer.write(ANA_AGAIN), 201)

    before = told(bound.search(ANA), 200)["data"]
    ana = told(writer.write(a_record()), 201)["profile_id"]
    after = told(bound.search(ANA), 200)["data"]

    assert before == []
    assert [each["profile_id"] for each in after] == [ana]


def test_a_key_without_the_scope_finds_nobody(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    others = Caller(lite_writer.client, lite_people.add_key("profiles:lookup", "records:write"))

    assert others.search(ANA).status_code == 403


def test_every_search_is_audited_without_values(writer: Caller, app: Flask, people: StoreBuilder) -> None:
    ana = told(writer.write(a_record()), 201)["profile_id"]

    told(writer.search(ANA, headers={"CDP-Purpose": "ticket:4711"}), 200)
    told(writer.search({"full_name": "Nobody Known"}), 200)
    app.extensions["cdp"].read_audit.flush()

    found, nobody = people.audited()
    assert (found["action"], found["object_id"]) == ("profile.search", "none")
    assert found["details"]["profile_ids"] == [ana]
    assert found["details"]["fields"] == ["birth_date", "full_name", "phones"]
    assert found["details"]["purpose"] == "ticket:4711"
    assert nobody["details"]["profile_ids"] == []
    assert "Reis" not in str([found, nobody])
    # Whole: five digits in a row are in the hash of one entry in ten thousand.
    assert "98765-4321" not in str([found, nobody])
    assert "987654321" not in str([found, nobody])


REFUSED: dict[str, tuple[Any, str, str, list[str]]] = {
    "nothing": ({}, "", "nothing_to_search_by", []),
    "nulls": ({"full_name": None, "phones": []}, "", "nothing_to_search_by", []),
    "junk": ({"phones": ["000"], "emails": ["x"]}, "", "nothing_to_search_by", ["/phones/0", "/emails/0"]),
    "a misspelt field": ({**ANA, "phone": "1"}, "", "record_refused", ["/phone"]),
    "10,000 phones": ({"phones": ["1"] * 10_000}, "", "record_refused", ["/phones"]),
    "no time": ({**ANA, "occurred_at": "once"}, "", "record_refused", ["/occurred_at"]),
    "a list": ([ANA], "", "validation_failed", [""]),
    "a text": ("Ana", "", "validation_failed", [""]),
    "no region": ({**ANA, "region": "Brazil"}, "", "validation_failed", ["/region"]),
    "a region of others": ({**ANA, "region": 7}, "", "validation_failed", ["/region"]),
    "too many": (ANA, "?limit=101", "validation_failed", ["/query/limit"]),
    "no weight": (ANA, "?min_weight=nan", "validation_failed", ["/query/min_weight"]),
    "no language": (ANA, "?lang=xx", "validation_failed", ["/query/lang"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_searched_by_says_why(lite_writer: Caller, name: str) -> None:
    body, query, code, pointers = REFUSED[name]

    problem = told(lite_writer.search(body, query), 422)

    assert problem["code"] == code
    assert [each["pointer"] for each in problem.get("errors", [])] == pointers


def test_a_cursor_of_another_list_is_refused(lite_writer: Caller) -> None:
    assert told(lite_writer.search(ANA, "?cursor=zzz"), 400)["code"] == "invalid_cursor"
