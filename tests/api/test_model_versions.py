"""Every answer about people names the model that made them, and not the one that waits to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from cdp.identity.activate import activate_model
from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA, CPF, asked, decide, etag_of
from tests.api.test_documents import METHODS
from tests.api.test_stewards import RUI, rule, told
from tests.builders import NOW, StoreBuilder, a_record
from tests.cdp.realtime.feeding import keep_model

REPORT = {"type": "email", "value": "rui@example.com", "outcome": "bounced"}
# Their answers are Segment's: that a message was taken, nothing about people.
SEGMENT = "segment"
KEYS = {number: {"Idempotency-Key": f"walk-{number}"} for number in range(9)}
NOBODY = "/v1/profiles/pf_01jdcb4v9w8z6y5x4t3s2r1q0p"


@pytest.fixture
def waiting(lite_writer: Caller, lite_people: StoreBuilder) -> Caller:
    """The people are of version 0; version 1 is in force from the next resolution of everything on."""
    told(lite_writer.write(CLARA), 201)
    keep_model(lite_people.engine, 1)
    activate_model(lite_people.engine, 1, author="lead", reason="after training", now=NOW)
    return lite_writer


def walk(caller: Caller) -> Iterator[tuple[str, TestResponse]]:
    """Each operation of the API, by its name, with an answer that is no problem."""
    candidate_id = asked(caller)
    ana = told(caller.write(a_record(**CPF)))["profile_id"]
    rui = told(caller.write(RUI | CPF))["profile_id"]
    yield "writeRecord", caller.write(a_record(source_record_id="c-4"))
    yield "writeRecords", caller.write(a_record(source_record_id="c-5"), RUI)
    yield "lookUpProfile", caller.look_up("email", "rui@example.com")
    yield "searchProfiles", caller.search({"full_name": "Rui Barbosa"})
    yield "getProfile", caller.get(f"/v1/profiles/{ana}")
    yield "getProfileRecords", caller.get(f"/v1/profiles/{ana}/records")
    yield "getProfileHistory", caller.get(f"/v1/profiles/{ana}/history")
    yield "getProfileExplanation", caller.get(f"/v1/profiles/{rui}/explanation")
    yield "getProfileTimeline", caller.get(f"/v1/profiles/{rui}/timeline")
    yield "getProfileContext", caller.get(f"/v1/profiles/{rui}/context")
    yield "getCandidates", caller.get("/v1/candidates")
    yield "getCandidate", caller.get(f"/v1/candidates/{candidate_id}")
    yield "commentOnCandidate", caller.post(f"/v1/candidates/{candidate_id}/comments", {"body": "Same city."})
    yield "getCandidateComments", caller.get(f"/v1/candidates/{candidate_id}/comments")
    for operation in ("claim", "release", "skip"):
        yield f"{operation}Candidate", caller.post(f"/v1/candidates/{candidate_id}/{operation}", {})
    etag = etag_of(caller, candidate_id)
    yield "decideCandidate", decide(caller, candidate_id, "same", etag, **KEYS[0])
    alike = {"decision": "same", "reason": "asked", "candidates": [{"candidate_id": 1, "etag": "of before"}]}
    yield "decideCandidates", caller.post("/v1/candidates/decisions", alike, headers=KEYS[6])
    yield "undoAction", rule(caller, "/v1/actions/1/undo", {}, headers=KEYS[1])
    joined = rule(caller, "/v1/profiles/join", {"profile_ids": [ana, rui]}, headers=KEYS[2])
    yield "joinProfiles", joined
    [entry_id] = told(joined)["ledger_entry_ids"]
    yield "undoLedgerEntry", rule(caller, f"/v1/ledger/{entry_id}/undo", {}, headers=KEYS[3])
    [record_id, *_] = [each["record_id"] for each in told(caller.get(f"/v1/profiles/{ana}/records"))["data"]]
    pinned = {"attribute": "full_name", "record_id": record_id}
    yield "pinValue", rule(caller, f"/v1/profiles/{ana}/pins", pinned, headers=KEYS[5])
    apart = f"/v1/profiles/{ana}/take-apart?dry_run=true"
    yield "takeProfileApart", rule(caller, apart, {"into": "records"})
    split = {"record_ids": [record_id]}
    yield "splitProfile", rule(caller, f"/v1/profiles/{ana}/split", split, headers=KEYS[4])
    for number, verb in enumerate(("freeze", "unfreeze"), 7):
        yield f"{verb}Profile", rule(caller, f"/v1/profiles/{ana}/{verb}", {}, headers=KEYS[number])
    yield from walk_proposals(caller, ana, rui)
    yield "getActions", caller.get("/v1/actions")
    yield "reportIdentifier", caller.post("/v1/identifiers/reports", REPORT)
    yield "withdrawIdentifierReport", caller.post("/v1/identifiers/reports/1/withdrawal", {})
    yield "deleteRecord", caller.delete("/v1/records/crm/c-5")


def walk_proposals(caller: Caller, ana: str, rui: str) -> Iterator[tuple[str, TestResponse]]:
    """What a steward joined takes two to be joined with somebody else."""
    clara = CLARA | {"source_record_id": "c-9", "emails": ["nine@example.com"]}
    third = told(caller.write(clara), 201)["profile_id"]
    told(rule(caller, "/v1/profiles/join", {"profile_ids": [ana, rui]}))
    waiting = rule(caller, "/v1/profiles/join", {"profile_ids": [ana, third]})
    proposal = f"/v1/proposals/{told(waiting, 202)['proposal_id']}"
    yield "getProposals", caller.get("/v1/proposals")
    yield "confirmProposal", rule(caller, f"{proposal}/confirmation?dry_run=true", {})
    yield "refuseProposal", caller.post(f"{proposal}/refusal", {"reason": "not sure"})


def versions_of(answer: TestResponse) -> set[Any]:
    """Of a batch, those of its results."""
    assert answer.status_code in (200, 201), answer.text
    document: Any = answer.json
    return {each.get("model_version") for each in document.get("results", [document])}


def test_every_answer_names_the_version_of_the_profiles(waiting: Caller) -> None:
    named = {operation: versions_of(answer) for operation, answer in walk(waiting)}

    description: Any = waiting.client.get("/openapi.json").json
    paths = [item for path, item in description["paths"].items() if path.startswith("/v1/")]
    described = {item[method]["operationId"] for item in paths for method in METHODS & item.keys()}
    assert named == {operation: {0} for operation in described if not operation.startswith(SEGMENT)}


@pytest.mark.parametrize("path", ["/v1/candidates", "/v1/actions"])
def test_a_list_of_nothing_names_it_too(waiting: Caller, path: str) -> None:
    assert told(waiting.get(path)) == {"data": [], "next_cursor": None, "model_version": 0}


def problems(caller: Caller) -> Iterator[tuple[str, TestResponse]]:
    """Those that the profiles decide, by their codes."""
    asked(caller)
    both = {
        "identifiers": [
            {"type": "email", "value": "ana@example.com"},
            {"type": "email", "value": "rui@example.com"},
        ]
    }
    yield "several_profiles", caller.post("/v1/profiles/lookup", both)
    yield "profile_not_found", caller.look_up("email", "nobody@example.com")
    yield "profile_not_found", caller.get(NOBODY)
    yield "profile_not_found", caller.get(f"{NOBODY}/explanation")
    yield "record_not_found", caller.delete("/v1/records/crm/none")
    yield "candidate_not_found", caller.get("/v1/candidates/99")
    yield "candidate_changed", decide(caller, 1, "same", '"another"')
    yield "action_not_found", rule(caller, "/v1/actions/99/undo", {}, headers=KEYS[0])
    yield "ledger_entry_not_found", rule(caller, "/v1/ledger/99/undo", {}, headers=KEYS[1])
    yield "report_not_found", caller.post("/v1/identifiers/reports/99/withdrawal", {})


def test_so_does_every_problem_that_the_profiles_decide(waiting: Caller) -> None:
    answers = [(code, answer.json or {}) for code, answer in problems(waiting)]

    assert [(each["code"], each.get("model_version")) for _, each in answers] == [
        (code, 0) for code, _ in answers
    ]
    description: Any = waiting.client.get("/openapi.json").json
    schema = {"$ref": "#/components/schemas/Problem", "components": description["components"]}
    assert all(
        Draft202012Validator(schema).is_valid(each) for code, each in answers if code != "several_profiles"
    )
    assert "model_version" in description["components"]["schemas"]["Problem"]["properties"]


def test_a_problem_of_the_request_alone_names_none(waiting: Caller) -> None:
    answer = waiting.look_up("email", "no address")

    assert answer.status_code == 422
    assert "model_version" not in (answer.json or {})
