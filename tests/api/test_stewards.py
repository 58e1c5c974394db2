"""What stewards rule over HTTP: joined, split, undone, previewed, and refused with what stands in the way."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from tests.api.conftest import Caller
from tests.builders import StoreBuilder, a_record

RUI = a_record(
    source_record_id="c-2",
    full_name="Rui Barbosa",
    birth_date="1971-11-05",
    phones=["21 91234-5678"],
    emails=["rui@example.com"],
)
ANA_AGAIN = a_record(source="whatsapp", source_record_id="w-1")
NOTHING_ELSE: dict[str, Any] = {"birth_date": "1992-10-10", "phones": [], "emails": []}


def told(answer: TestResponse, status: int = 200) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


def written(writer: Caller, *records: dict[str, Any]) -> list[str]:
    """The profiles of new records."""
    return [told(writer.write(record), 201)["profile_id"] for record in records]


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def rule(caller: Caller, path: str, body: dict[str, Any], **options: Any) -> TestResponse:
    return caller.post(path, {"reason": "same card", **body}, **{"headers": new_key(), **options})


def joined(writer: Caller) -> tuple[str, str, Any]:
    """Ana and Rui, made one: the two ids and the answer."""
    ana, rui = written(writer, a_record(), RUI)
    return ana, rui, told(rule(writer, "/v1/profiles/join", {"profile_ids": [ana, rui]}))


def is_described(client: FlaskClient, name: str, document: Any) -> bool:
    description: Any = client.get("/openapi.json").json
    schema_of = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
    return bool(Draft202012Validator(schema_of).is_valid(document))


def test_profiles_are_joined(writer: Caller) -> None:
    ana, rui, answer = joined(writer)

    assert (answer["kind"], answer["dry_run"], answer["action_id"]) == ("join", False, 1)
    assert [(each["profile_id"], each["state"]) for each in answer["profiles_after"]] == [
        (ana, "live"),
        (rui, "absorbed"),
    ]
    assert [len(each["record_ids"]) for each in answer["profiles_before"]] == [1, 1]
    assert told(writer.get(f"/v1/profiles/{rui}"))["profile_id"] == ana
    assert is_described(writer.client, "Ruling", answer)


def test_values_are_masked_unless_the_caller_says_what_for(lite_writer: Caller) -> None:
    ana, rui = written(lite_writer, a_record(), RUI)
    body = {"profile_ids": [ana, rui]}

    masked = told(rule(lite_writer, "/v1/profiles/join?dry_run=true", body))
    whole = told(
        rule(
            lite_writer,
            "/v1/profiles/join?dry_run=true&unmask=true",
            body,
            headers={"CDP-Purpose": "ticket:1"},
        )
    )

    assert "ana@example.com" not in str(masked)
    assert "ana@example.com" in str(whole)


def test_a_dry_run_needs_no_key_and_stores_nothing(writer: Caller) -> None:
    ana, rui = written(writer, a_record(), RUI)

    answer = told(rule(writer, "/v1/profiles/join?dry_run=true", {"profile_ids": [ana, rui]}, headers={}))

    assert (answer["dry_run"], answer["action_id"], answer["ledger_entry_ids"]) == (True, None, [])
    assert told(writer.get(f"/v1/profiles/{rui}"))["profile_id"] == rui
    assert told(writer.get("/v1/actions"))["data"] == []


def test_records_are_split_off(writer: Caller) -> None:
    ana, again = written(writer, a_record(), ANA_AGAIN)
    assert ana == again

    answer = told(rule(writer, f"/v1/profiles/{ana}/split", {"record_ids": [2]}))

    [before] = answer["profiles_before"]
    assert before["record_ids"] == [1, 2]
    assert [each["record_ids"] for each in answer["profiles_after"]] == [[1], [2]]


def test_a_dry_run_names_what_would_be_new(lite_writer: Caller) -> None:
    ana, _ = written(lite_writer, a_record(), ANA_AGAIN)

    answer = told(rule(lite_writer, f"/v1/profiles/{ana}/split?dry_run=true", {"record_ids": [2]}))

    assert [each["profile_id"] for each in answer["profiles_after"]] == [ana, "new-1"]


def test_a_ledger_entry_is_undone(writer: Caller) -> None:
    ana, rui, answer = joined(writer)

    undone = told(rule(writer, f"/v1/ledger/{answer['ledger_entry_ids'][0]}/undo", {}))

    assert undone["kind"] == "undo"
    assert [told(writer.get(f"/v1/profiles/{each}"))["profile_id"] for each in (ana, rui)] == [ana, rui]
    entries = {each["kind"]: each for each in told(writer.get(f"/v1/profiles/{ana}/history"))["data"]}
    assert entries["join"]["undone_by"] == entries["split"]["ledger_entry_id"]


def test_an_action_is_undone_and_listed(writer: Caller) -> None:
    _, _, answer = joined(writer)

    told(rule(writer, f"/v1/actions/{answer['action_id']}/undo", {"reason": "another person"}))

    page = told(writer.get("/v1/actions"))
    assert [(each["kind"], each["undoes_action_id"], each["undone_by"]) for each in page["data"]] == [
        ("undo", 1, None),
        ("join", None, 2),
    ]
    assert page["data"][0]["reason"] == "another person"
    assert page["data"][0]["author"].startswith("key:")
    assert is_described(writer.client, "PageOfActions", page)


def test_actions_are_paged(lite_writer: Caller) -> None:
    _, _, answer = joined(lite_writer)
    told(rule(lite_writer, f"/v1/actions/{answer['action_id']}/undo", {}))

    first = told(lite_writer.get("/v1/actions?limit=1"))
    second = told(lite_writer.get(f"/v1/actions?limit=1&cursor={first['next_cursor']}"))

    assert [each["action_id"] for page in (first, second) for each in page["data"]] == [2, 1]
    assert second["next_cursor"] is None


def test_a_ruling_needs_a_key_of_its_own(lite_writer: Caller) -> None:
    ana, rui = written(lite_writer, a_record(), RUI)

    answer = told(rule(lite_writer, "/v1/profiles/join", {"profile_ids": [ana, rui]}, headers={}), 400)

    assert answer["code"] == "idempotency_key_required"


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_a_key_is_visible_ascii(lite_writer: Caller, key: str) -> None:
    answer = told(
        rule(
            lite_writer, "/v1/profiles/join", {"profile_ids": ["P1", "P2"]}, headers={"Idempotency-Key": key}
        ),
        422,
    )

    assert answer["errors"][0]["pointer"] == "/headers/Idempotency-Key"


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("profiles/join", {"profile_ids": ["P1"]}, "/profile_ids"),
        ("profiles/join", {"profile_ids": ["P1", "P2"], "reason": " "}, "/reason"),
        ("profiles/join", {"profile_ids": ["P1", "P2"], "reason": "x" * 1001}, "/reason"),
        ("profiles/join", {"profile_ids": ["P1", "P2"], "more": 1}, "/more"),
        ("profiles/join", {"profile_ids": ["P1", "P2"], "pins": {"full_name": 0}}, "/pins/full_name"),
        ("profiles/join", {"profile_ids": ["P1", "P2"], "pins": {"display_name": 1}}, "/pins/display_name"),
        ("profiles/P1/split", {"record_ids": []}, "/record_ids"),
        ("profiles/P1/split", {"record_ids": [0]}, "/record_ids/0"),
        ("profiles/P1/split", {"record_ids": ["1"]}, "/record_ids/0"),
        ("profiles/P1/split", {"record_ids": [2**63]}, "/record_ids/0"),
        ("ledger/1/undo", {"reason": None}, "/reason"),
    ],
)
def test_what_is_wrong_with_a_body_is_pointed_at(
    lite_writer: Caller, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = told(rule(lite_writer, f"/v1/{path}", body), 422)

    assert [each["pointer"] for each in answer["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("profiles/join", {"profile_ids": ["P1", "P2"]}, "profile_not_found"),
        ("profiles/join", {"profile_ids": ["P1", "../P2"]}, "profile_not_found"),
        ("profiles/P1/split", {"record_ids": [1]}, "profile_not_found"),
        ("ledger/7/undo", {}, "ledger_entry_not_found"),
        ("ledger/seven/undo", {}, "ledger_entry_not_found"),
        ("ledger/9999999999999999999999/undo", {}, "ledger_entry_not_found"),
        ("actions/7/undo", {}, "action_not_found"),
    ],
)
def test_what_is_not_there(lite_writer: Caller, path: str, body: dict[str, Any], code: str) -> None:
    assert told(rule(lite_writer, f"/v1/{path}", body), 404)["code"] == code


def test_a_replay_has_no_second_effect(writer: Caller) -> None:
    ana, rui, answer = joined(writer)
    undo = f"/v1/actions/{answer['action_id']}/undo"

    again = told(rule(writer, "/v1/profiles/join", {"profile_ids": [ana, rui]}), 409)
    undone = told(rule(writer, undo, {}))
    undone_again = told(rule(writer, undo, {}), 409)

    assert (again["code"], undone_again["code"]) == ("profiles_are_one", "already_undone")
    assert undone_again["action_ids"] == [undone["action_id"]]


def test_a_conflict_names_the_action_to_undo(writer: Caller) -> None:
    ana, _ = written(writer, a_record(), ANA_AGAIN)
    split = told(rule(writer, f"/v1/profiles/{ana}/split", {"record_ids": [2]}))
    other = next(each["profile_id"] for each in split["profiles_after"] if each["profile_id"] != ana)

    answer = told(rule(writer, "/v1/profiles/join", {"profile_ids": [ana, other]}), 409)

    assert (answer["code"], answer["action_ids"]) == ("constraint_conflict", [split["action_id"]])
    assert "withdraw that decision first" in answer["detail"]


def test_a_ruling_that_others_build_on_names_them(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    ana, rui, first = joined(lite_writer)
    waiting = told(rule(lite_writer, f"/v1/profiles/{ana}/split", {"record_ids": [2]}), 202)
    second = Caller(lite_writer.client, lite_people.add_key())
    told(rule(second, f"/v1/proposals/{waiting['proposal_id']}/confirmation", {}))

    answer = told(rule(lite_writer, f"/v1/actions/{first['action_id']}/undo", {}), 409)

    assert (answer["code"], answer["action_ids"]) == ("ruled_on_since", [2])
    assert rui != ana


def test_records_that_cannot_be_split_off(lite_writer: Caller) -> None:
    ana, _ = written(lite_writer, a_record(), RUI)

    of_another = told(rule(lite_writer, f"/v1/profiles/{ana}/split", {"record_ids": [2]}), 422)
    unknown = told(rule(lite_writer, f"/v1/profiles/{ana}/split", {"record_ids": [99]}), 404)

    assert (of_another["code"], unknown["code"]) == ("split_unusable", "record_not_found")


@pytest.mark.parametrize("path", ["profiles/join", "profiles/P1/split", "ledger/1/undo", "actions/1/undo"])
def test_rulings_need_their_scope(lite_client: FlaskClient, lite_people: StoreBuilder, path: str) -> None:
    caller = Caller(lite_client, lite_people.add_key("candidates:decide", "profiles:lookup"))

    assert told(rule(caller, f"/v1/{path}", {}), 403)["code"] == "scope_missing"


def test_a_key_bound_to_sources_rules_on_nobody(lite_client: FlaskClient, lite_people: StoreBuilder) -> None:
    caller = Caller(lite_client, lite_people.add_key("profiles:join", sources=["crm"]))

    answer = told(rule(caller, "/v1/profiles/join", {"profile_ids": ["P1", "P2"]}), 403)

    assert answer["detail"] == "A key that is bound to sources rules on nobody."


def test_a_key_bound_to_sources_reads_no_rulings(lite_client: FlaskClient, lite_people: StoreBuilder) -> None:
    caller = Caller(lite_client, lite_people.add_key("candidates:read", sources=["crm"]))

    answer = told(caller.get("/v1/actions"), 403)

    assert answer["detail"].startswith("A key that is bound to sources does not read what was ruled")


def test_what_is_shown_of_people_is_audited(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    ana, rui, _ = joined(lite_writer)
    lite_writer.client.application.extensions["cdp"].read_audit.close()

    read = [row for row in lite_people.audited() if row["action"] == "profile.read_ruling"]

    assert sorted(row["object_id"] for row in read) == sorted([ana, rui])
    assert {row["details"]["kind"] for row in read} == {"join"}


def test_a_profile_is_taken_apart_as_the_dry_run_said(writer: Caller) -> None:
    ana, _ = written(writer, a_record(), ANA_AGAIN)
    path, body = f"/v1/profiles/{ana}/take-apart", {"into": "records"}

    preview = told(rule(writer, f"{path}?dry_run=true", body, headers={}))
    answer = told(rule(writer, path, body))

    parts = [[1], [2]]
    assert [each["record_ids"] for each in preview["profiles_after"]] == parts
    assert [each["record_ids"] for each in answer["profiles_after"]] == parts
    assert (preview["action_id"], answer["kind"]) == (None, "split")


def test_what_no_ruling_holds_does_not_come_apart_by_evidence(lite_writer: Caller) -> None:
    ana, _ = written(lite_writer, a_record(), ANA_AGAIN)

    answer = told(rule(lite_writer, f"/v1/profiles/{ana}/take-apart", {"into": "evidence"}), 422)

    assert answer["code"] == "split_unusable"


def test_a_risky_join_waits_for_another_key(writer: Caller, people: StoreBuilder) -> None:
    ana, _, _ = joined(writer)
    [clara] = written(writer, RUI | {"source_record_id": "c-3", "full_name": "Clara Nunes", **NOTHING_ELSE})
    key, second = new_key(), Caller(writer.client, people.add_key())
    body = {"profile_ids": [ana, clara], "pins": {"full_name": 3}}

    first = rule(writer, "/v1/profiles/join", body, headers=key)
    replayed = rule(writer, "/v1/profiles/join", body, headers=key)
    again = rule(writer, "/v1/profiles/join", body)
    waiting = told(first, 202)
    path = f"/v1/proposals/{waiting['proposal_id']}"
    own = rule(writer, f"{path}/confirmation", {})

    assert (waiting["kind"], waiting["why"], waiting["outcome"]) == ("join", ["confirmed"], None)
    assert is_described(writer.client, "Proposal", waiting)
    assert waiting["pins"] == {"full_name": 3}
    assert told(replayed, 202) == waiting
    assert [told(each, 409)["code"] for each in (again, own)] == ["second_person_needed"] * 2
    [listed] = told(second.get("/v1/proposals"))["data"]
    assert (listed["proposal_id"], listed["is_current"]) == (waiting["proposal_id"], True)
    assert listed["pins"] == {"full_name": 3}
    answer = told(rule(second, f"{path}/confirmation", {}))
    [after] = [each for each in answer["profiles_after"] if each["state"] == "live"]
    assert (after["golden"]["full_name"]["rule"], after["golden"]["full_name"]["record_id"]) == ("pinned", 3)
    assert answer["kind"] == "join"
    assert told(second.get(f"/v1/profiles/{clara}"))["profile_id"] == ana
    assert told(second.get("/v1/proposals"))["data"] == []


def test_what_waits_is_refused_and_comes_to_nothing(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    ana, _, _ = joined(lite_writer)
    waiting = told(rule(lite_writer, f"/v1/profiles/{ana}/split", {"record_ids": [2]}), 202)
    second = Caller(lite_writer.client, lite_people.add_key())
    path = f"/v1/proposals/{waiting['proposal_id']}"

    ended = [told(second.post(f"{path}/refusal", {"reason": "no"})) for _ in range(2)]

    assert [each["outcome"] for each in ended] == ["refused", "refused"]
    assert told(rule(second, f"{path}/confirmation", {}), 409)["code"] == "proposal_ended"


def test_what_comes_to_a_frozen_profile_is_asked(writer: Caller) -> None:
    [ana] = written(writer, a_record())
    frozen = told(rule(writer, f"/v1/profiles/{ana}/freeze", {}))

    [again] = written(writer, ANA_AGAIN)

    [candidate] = told(writer.get("/v1/candidates?reason=frozen"))["data"]
    assert (frozen["kind"], again == ana) == ("freeze", False)
    assert {candidate["profile_id_l"], candidate["profile_id_r"]} == {ana, again}
    refused = told(rule(writer, f"/v1/profiles/{ana}/freeze", {}), 409)
    assert (refused["code"], refused["action_ids"]) == ("already_frozen", [frozen["action_id"]])
    told(rule(writer, f"/v1/profiles/{ana}/unfreeze", {}))
    assert told(writer.get(f"/v1/profiles/{again}"))["profile_id"] == ana
    assert told(rule(writer, f"/v1/profiles/{ana}/unfreeze", {}), 409)["code"] == "not_frozen"
