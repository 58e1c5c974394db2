"""The queue of merge candidates over HTTP: read, seen with both sides, decided on what was seen."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from cdp.stewardship.claim import claim
from cdp.stewardship.desk_rules import DeskRules
from tests.api.conftest import Caller
from tests.api.test_stewards import RUI, is_described, new_key, rule, told, written
from tests.builders import NOW, StoreBuilder, a_record

CPF = {"documents": [{"type": "cpf", "number": "390.533.447-05"}]}
OTHER_CPF = {"documents": [{"type": "cpf", "number": "529.982.247-25"}]}
CLARA = a_record(
    source_record_id="c-3",
    full_name="Clara Nunes Prado",
    birth_date="1992-10-10",
    phones=["31 99999-1111"],
    emails=["clara@example.com"],
)


def asked(writer: Caller) -> int:
    """Ana and Rui share a CPF and nothing else: a steward is asked. Returns the candidate."""
    written(writer, a_record(**CPF), RUI | CPF)
    [candidate] = told(writer.get("/v1/candidates"))["data"]
    return int(candidate["candidate_id"])


def decide(
    caller: Caller,
    candidate_id: int,
    decision: str,
    etag: str | None,
    query: str = "",
    *,
    more: Any = None,
    **options: Any,
) -> Any:
    headers = {**new_key(), **({} if etag is None else {"If-Match": etag}), **options}
    body = {"decision": decision, "reason": "asked them", **(more or {})}
    return caller.post(f"/v1/candidates/{candidate_id}/decision{query}", body, headers=headers)


def etag_of(caller: Caller, candidate_id: int) -> str:
    return str(caller.get(f"/v1/candidates/{candidate_id}").headers["ETag"])


def test_the_queue_tells_pairs_without_values(writer: Caller) -> None:
    asked(writer)

    page = told(writer.get("/v1/candidates"))

    [candidate] = page["data"]
    assert (candidate["state"], candidate["reason"]) == ("open", "exclusive_shared")
    assert (candidate["record_id_l"], candidate["record_id_r"]) == (1, 2)
    assert "golden" not in candidate
    assert is_described(writer.client, "PageOfMergeCandidates", page)


def test_the_heaviest_come_first_page_by_page(lite_writer: Caller) -> None:
    written(lite_writer, a_record(**CPF), RUI | CPF, CLARA | CPF)

    first = told(lite_writer.get("/v1/candidates?limit=2"))
    second = told(lite_writer.get(f"/v1/candidates?limit=2&cursor={first['next_cursor']}"))

    listed = [*first["data"], *second["data"]]
    weights = [each["match_weight"] for each in listed]
    assert len({each["candidate_id"] for each in listed}) == 3
    assert weights == sorted(weights, reverse=True)
    assert second["next_cursor"] is None


def test_the_queue_is_narrowed_by_state_and_reason(lite_writer: Caller) -> None:
    candidate_id = asked(lite_writer)
    told(decide(lite_writer, candidate_id, "different", etag_of(lite_writer, candidate_id)))

    assert told(lite_writer.get("/v1/candidates"))["data"] == []
    assert told(lite_writer.get("/v1/candidates?state=different&reason=review_band"))["data"] == []
    [closed] = told(lite_writer.get("/v1/candidates?state=different&reason=exclusive_shared"))["data"]
    assert closed["candidate_id"] == candidate_id
    assert closed["closed_by"].startswith("key:")


@pytest.mark.parametrize("query", ["state=maybe", "reason=because", "limit=0"])
def test_a_query_that_is_none(lite_writer: Caller, query: str) -> None:
    assert told(lite_writer.get(f"/v1/candidates?{query}"), 422)["code"] == "validation_failed"


@pytest.mark.parametrize("sort", ["priority", "uncertainty", "age", "due", "size"])
def test_every_order_is_paged(lite_writer: Caller, sort: str) -> None:
    written(lite_writer, a_record(**CPF), RUI | CPF, CLARA | CPF)

    whole = told(lite_writer.get(f"/v1/candidates?sort={sort}"))["data"]
    first = told(lite_writer.get(f"/v1/candidates?sort={sort}&limit=2"))
    rest = told(lite_writer.get(f"/v1/candidates?sort={sort}&limit=2&cursor={first['next_cursor']}"))
    other = lite_writer.get(f"/v1/candidates?sort=weight&cursor={first['next_cursor']}")

    assert first["data"] + rest["data"] == whole
    assert told(other, 400)["code"] == "invalid_cursor"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("source=crm", 1),
        ("source=whatsapp", 0),
        ("identifier_type=document", 1),
        ("identifier_type=device_id", 0),
        ("assignee=", 1),
        ("assignee=user:ana", 0),
        ("claimed_by=key:none", 0),
        ("second_reading=true", 0),
        ("min_match_weight=-100&max_match_weight=100", 1),
        ("min_match_weight=100", 0),
        ("min_records=2&max_records=2", 1),
        ("min_records=3", 0),
    ],
)
def test_the_queue_is_narrowed(lite_writer: Caller, query: str, count: int) -> None:
    asked(lite_writer)

    assert len(told(lite_writer.get(f"/v1/candidates?{query}"))["data"]) == count


def test_a_candidate_tells_what_it_is_sorted_by(lite_writer: Caller) -> None:
    candidate = told(lite_writer.get(f"/v1/candidates/{asked(lite_writer)}"))

    parts = candidate["priority"]
    assert parts["total"] == pytest.approx(
        parts["uncertainty"] * parts["people"] * parts["value"] * parts["age"]
    )
    assert (candidate["record_count"], candidate["claim"], candidate["unsure_count"]) == (2, None, 0)
    assert candidate["due_at"].startswith("2026-11-29T")


def test_what_another_one_works_on_is_not_decided(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    candidate_id = asked(lite_writer)
    claim(lite_people.engine, candidate_id, DeskRules(), author="user:ana", now=NOW)

    refused = told(decide(lite_writer, candidate_id, "same", etag_of(lite_writer, candidate_id)), 409)

    assert (refused["code"], refused["held_by"]) == ("candidate_claimed", "user:ana")
    assert refused["held_until"] == "2026-11-22T10:15:00.000000Z"
    shown = told(lite_writer.get(f"/v1/candidates/{candidate_id}"))["claim"]
    assert (shown["owner"], shown["expires_at"][:16]) == ("user:ana", "2026-11-22T10:15")


def test_a_join_of_people_ruled_on_before_takes_two(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    ana, rui, clara = written(lite_writer, a_record(**CPF), RUI | CPF, CLARA)
    told(rule(lite_writer, "/v1/profiles/join", {"profile_ids": [rui, clara]}))
    [candidate] = told(lite_writer.get("/v1/candidates"))["data"]
    candidate_id = candidate["candidate_id"]
    second = Caller(lite_writer.client, lite_people.add_key())
    key, etag = new_key(), etag_of(lite_writer, candidate_id)

    pins = {"pins": {"full_name": candidate["record_id_r"]}}
    first = decide(lite_writer, candidate_id, "same", etag, more=pins, **key)
    replayed = decide(lite_writer, candidate_id, "same", etag, more=pins, **key)
    again = decide(lite_writer, candidate_id, "same", etag)
    confirmed = decide(second, candidate_id, "same", etag)

    assert (told(first, 202)["why"], told(replayed, 202)) == (["confirmed"], told(first, 202))
    assert is_described(lite_writer.client, "PendingDecision", told(first, 202))
    assert told(first, 202)["pins"] == pins["pins"]
    assert told(again, 409)["code"] == "second_person_needed"
    assert told(confirmed)["kind"] == "decision"
    [after] = [each for each in told(confirmed)["profiles_after"] if each["state"] == "live"]
    assert after["golden"]["full_name"]["rule"] == "pinned"
    assert told(lite_writer.get(f"/v1/candidates/{candidate_id}"))["state"] == "same"
    assert ana != rui


def test_who_could_not_tell_is_not_asked_again(lite_writer: Caller) -> None:
    candidate_id = asked(lite_writer)
    told(decide(lite_writer, candidate_id, "unsure", etag_of(lite_writer, candidate_id)))

    refused = told(decide(lite_writer, candidate_id, "same", etag_of(lite_writer, candidate_id)), 409)

    assert refused["code"] == "second_reader_needed"
    [waiting] = told(lite_writer.get("/v1/candidates?second_reading=true"))["data"]
    assert (waiting["state"], waiting["unsure_count"]) == ("open", 1)


def test_a_cursor_of_another_list(lite_writer: Caller) -> None:
    assert told(lite_writer.get("/v1/candidates?cursor=MTo5OQ"), 400)["code"] == "invalid_cursor"


def test_one_candidate_has_both_sides_and_the_evidence(writer: Caller) -> None:
    candidate_id = asked(writer)

    answer = writer.get(f"/v1/candidates/{candidate_id}?lang=pt")

    document = told(answer)
    names = [side["golden"]["full_name"]["value"] for side in document["profiles"]]
    assert names == ["Ana Reis", "Rui Barbosa"]
    assert document["language"] == answer.headers["Content-Language"] == "pt"
    assert document["masked"] is True
    assert "390533447" not in answer.get_data(as_text=True)
    assert answer.headers["ETag"]
    assert is_described(writer.client, "WholeMergeCandidate", document)


def test_whole_values_need_a_purpose(lite_writer: Caller) -> None:
    path = f"/v1/candidates/{asked(lite_writer)}?unmask=true"

    refused = told(lite_writer.get(path), 422)
    whole = told(lite_writer.get(path, headers={"CDP-Purpose": "review"}))

    assert refused["code"] == "purpose_required"
    assert "cpf:39053344705" in str(whole)


def test_reading_a_candidate_is_audited(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    candidate_id = asked(lite_writer)
    document = told(lite_writer.get(f"/v1/candidates/{candidate_id}"))
    lite_writer.client.application.extensions["cdp"].read_audit.close()

    read = [row for row in lite_people.audited() if row["action"] == "profile.read_candidate"]

    assert [row["object_id"] for row in read] == [side["profile_id"] for side in document["profiles"]]
    assert {row["details"]["candidate_id"] for row in read} == {candidate_id}


def test_same_joins_and_closes(writer: Caller) -> None:
    candidate_id = asked(writer)

    answer = told(decide(writer, candidate_id, "same", etag_of(writer, candidate_id)))

    assert answer["kind"] == "decision"
    assert [each["state"] for each in answer["profiles_after"]] == ["live", "absorbed"]
    closed = told(writer.get(f"/v1/candidates/{candidate_id}"))
    assert (closed["state"], len(closed["profiles"])) == ("same", 1)


def test_a_decision_pins_what_its_dry_run_showed_and_is_undone_with_it(writer: Caller) -> None:
    candidate_id = asked(writer)
    etag = etag_of(writer, candidate_id)
    sides = told(writer.get(f"/v1/candidates/{candidate_id}"))["profiles"]
    before = [each["golden"]["full_name"] for each in sides]
    pins = {"pins": {"full_name": before[1]["record_id"], "birth_date": before[0]["record_id"]}}

    seen = told(decide(writer, candidate_id, "same", etag, "?dry_run=true", more=pins))
    done = told(decide(writer, candidate_id, "same", etag, more=pins))
    told(writer.post(f"/v1/actions/{done['action_id']}/undo", {"reason": "too fast"}, headers=new_key()))

    assert seen["profiles_after"] == done["profiles_after"]
    [after] = [each["golden"] for each in done["profiles_after"] if each["state"] == "live"]
    shown = {name: (after[name]["rule"], after[name]["record_id"]) for name in pins["pins"]}
    assert shown == {name: ("pinned", record_id) for name, record_id in pins["pins"].items()}
    sides = told(writer.get(f"/v1/candidates/{candidate_id}"))["profiles"]
    assert [each["golden"]["full_name"] for each in sides] == before


@pytest.mark.parametrize(
    ("decision", "pins", "code"),
    [
        ("same", {"full_name": 77}, "pin_unusable"),
        ("same", {"shoe_size": 1}, "validation_failed"),
        ("same", {"full_name": "1"}, "validation_failed"),
        ("different", {"full_name": 1}, "pin_unusable"),
    ],
)
def test_pins_that_no_decision_takes(lite_writer: Caller, decision: str, pins: Any, code: str) -> None:
    candidate_id = asked(lite_writer)
    etag = etag_of(lite_writer, candidate_id)

    refused = told(decide(lite_writer, candidate_id, decision, etag, more={"pins": pins}), 422)

    assert refused["code"] == code
    assert told(lite_writer.get(f"/v1/candidates/{candidate_id}"))["state"] == "open"


def test_who_may_not_pin_decides_without(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    candidate_id = asked(lite_writer)
    etag = etag_of(lite_writer, candidate_id)
    decider = Caller(lite_writer.client, lite_people.add_key("candidates:decide"))

    refused = decide(decider, candidate_id, "same", etag, more={"pins": {"full_name": 1}})

    assert told(refused, 403)["code"] == "scope_missing"
    assert told(decide(decider, candidate_id, "same", etag))["kind"] == "decision"


def test_a_decision_sent_again_is_answered_again_though_the_candidate_is_closed(writer: Caller) -> None:
    candidate_id = asked(writer)
    seen, key = etag_of(writer, candidate_id), new_key()

    first = decide(writer, candidate_id, "same", seen, **key)
    again = decide(writer, candidate_id, "same", etag_of(writer, candidate_id), **key)

    assert told(again) == told(first)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_decision_is_undone(writer: Caller) -> None:
    candidate_id = asked(writer)
    decided = told(decide(writer, candidate_id, "different", etag_of(writer, candidate_id)))
    assert decided["ledger_entry_ids"] == []

    told(writer.post(f"/v1/actions/{decided['action_id']}/undo", {"reason": "too fast"}, headers=new_key()))

    assert told(writer.get(f"/v1/candidates/{candidate_id}"))["state"] == "open"


def test_a_dry_run_of_a_decision(lite_writer: Caller) -> None:
    candidate_id = asked(lite_writer)

    answer = told(
        decide(lite_writer, candidate_id, "same", etag_of(lite_writer, candidate_id), "?dry_run=true")
    )

    assert (answer["dry_run"], answer["action_id"]) == (True, None)
    assert told(lite_writer.get(f"/v1/candidates/{candidate_id}"))["state"] == "open"


def test_a_decision_needs_the_tag_of_what_was_seen(lite_writer: Caller) -> None:
    candidate_id = asked(lite_writer)

    assert told(decide(lite_writer, candidate_id, "same", None), 428)["code"] == "precondition_required"
    assert told(decide(lite_writer, candidate_id, "same", "*"), 428)["code"] == "precondition_required"
    assert told(decide(lite_writer, candidate_id, "same", '"other"'), 412)["code"] == "candidate_changed"


def test_a_decision_on_what_changed_since_is_refused(writer: Caller) -> None:
    candidate_id = asked(writer)
    etag = etag_of(writer, candidate_id)
    told(writer.write(a_record(source="whatsapp", source_record_id="w-9", **CPF)), 201)

    assert told(decide(writer, candidate_id, "same", etag), 412)["code"] == "candidate_changed"
    told(decide(writer, candidate_id, "same", f'"other", {etag_of(writer, candidate_id)}'))


def test_a_closed_candidate_is_not_decided_again(lite_writer: Caller) -> None:
    candidate_id = asked(lite_writer)
    told(decide(lite_writer, candidate_id, "different", etag_of(lite_writer, candidate_id)))

    answer = told(decide(lite_writer, candidate_id, "same", etag_of(lite_writer, candidate_id)), 409)

    assert answer["code"] == "candidate_closed"


@pytest.mark.parametrize("candidate_id", ["7", "x", "0", "9" * 30])
def test_a_candidate_that_is_not_there(lite_writer: Caller, candidate_id: str) -> None:
    assert told(lite_writer.get(f"/v1/candidates/{candidate_id}"), 404)["code"] == "candidate_not_found"
    answer = decide(lite_writer, candidate_id, "same", '"x"')  # type: ignore[arg-type]
    assert told(answer, 404)["code"] == "candidate_not_found"


def test_a_decision_is_one_of_three(lite_writer: Caller) -> None:
    answer = told(decide(lite_writer, asked(lite_writer), "perhaps", '"x"'), 422)

    assert answer["errors"][0]["pointer"] == "/decision"


def test_a_key_that_is_bound_to_sources_sees_what_is_its_own(
    lite_writer: Caller, lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    candidate_id = asked(lite_writer)
    crm = Caller(lite_client, lite_people.add_key("candidates:read", sources=["crm"]))
    other = Caller(lite_client, lite_people.add_key("candidates:read", sources=["whatsapp"]))

    assert len(told(crm.get("/v1/candidates"))["data"]) == 1
    assert told(crm.get(f"/v1/candidates/{candidate_id}"))["candidate_id"] == candidate_id
    assert told(other.get("/v1/candidates"))["data"] == []
    assert told(other.get(f"/v1/candidates/{candidate_id}"), 404)["code"] == "candidate_not_found"


def test_each_call_needs_its_scope(lite_client: FlaskClient, lite_people: StoreBuilder) -> None:
    reader = Caller(lite_client, lite_people.add_key("candidates:read"))
    decider = Caller(lite_client, lite_people.add_key("candidates:decide"))

    assert decider.get("/v1/candidates").status_code == 403
    assert decider.get("/v1/candidates/1").status_code == 403
    assert decide(reader, 1, "same", '"x"').status_code == 403
