"""Idempotency-Key over HTTP: one effect, one answer, and none of it for another call or another caller."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select
from werkzeug.test import TestResponse

from api import create_app
from cdp.settings import Settings
from cdp.store import read
from cdp.store.schema import audit_entries
from tests.api.conftest import Caller
from tests.api.test_stewards import RUI, rule, told, written
from tests.builders import NOW, StoreBuilder, a_record
from tests.cdp.identity.resolving import counts

KEY = {"Idempotency-Key": "k-1"}


def is_replay(answer: TestResponse) -> bool:
    return answer.headers.get("Idempotency-Replayed") == "true"


def stored(people: StoreBuilder) -> tuple[int, int, int]:
    found = counts(people.engine, ["idempotent_answers", "source_records", "steward_actions"])
    return found["idempotent_answers"], found["source_records"], found["steward_actions"]


def test_a_record_sent_again_gets_the_same_answer(writer: Caller, people: StoreBuilder) -> None:
    first = writer.post("/v1/records", a_record(), headers=KEY)
    again = writer.post("/v1/records", a_record(), headers=KEY)

    assert (first.status_code, is_replay(first)) == (201, False)
    assert (again.status_code, is_replay(again)) == (201, True)
    assert again.get_data() == first.get_data()
    assert again.mimetype == "application/json"
    assert stored(people) == (1, 1, 0)


def test_a_batch_sent_again_gets_the_same_answer_with_its_problems(
    writer: Caller, people: StoreBuilder
) -> None:
    body = {"records": [a_record(), {"source": "nowhere"}, RUI]}

    first = writer.post("/v1/records/batch", body, headers=KEY)
    again = writer.post("/v1/records/batch", body, headers=KEY)

    assert [each.get("outcome") for each in told(first)["results"]] == ["created", None, "created"]
    assert is_replay(again)
    assert again.get_data() == first.get_data()
    assert stored(people) == (1, 2, 0)


def test_a_ruling_sent_again_has_one_effect(writer: Caller, people: StoreBuilder) -> None:
    ana, rui = written(writer, a_record(), RUI)
    body = {"profile_ids": [ana, rui]}

    first = rule(writer, "/v1/profiles/join", body, headers=KEY)
    again = rule(writer, "/v1/profiles/join", body, headers=KEY)

    assert told(again) == told(first)
    assert (is_replay(first), is_replay(again)) == (False, True)
    assert stored(people) == (1, 2, 1)


def test_every_ruling_is_answered_again(writer: Caller) -> None:
    ana, rui = written(writer, a_record(), RUI)
    joined = told(rule(writer, "/v1/profiles/join", {"profile_ids": [ana, rui]}))
    entry_id = joined["ledger_entry_ids"][0]
    calls: list[tuple[str, dict[str, Any]]] = [
        (f"/v1/ledger/{entry_id}/undo", {}),
        ("/v1/actions/2/undo", {}),
        (f"/v1/profiles/{ana}/freeze", {}),
    ]

    answers = [
        [rule(writer, path, body, headers={"Idempotency-Key": path}) for _ in range(2)]
        for path, body in calls
    ]

    assert [told(first)["kind"] for first, _ in answers] == ["undo", "undo", "freeze"]
    assert [told(again) for _, again in answers] == [told(first) for first, _ in answers]
    assert all(is_replay(again) for _, again in answers)


def test_a_report_and_its_withdrawal_are_answered_again(writer: Caller) -> None:
    told(writer.write(a_record()), 201)
    report = {"type": "email", "value": "ana@example.com", "outcome": "bounced"}

    first, again = (writer.post("/v1/identifiers/reports", report, headers=KEY) for _ in range(2))
    path = f"/v1/identifiers/reports/{told(first, 201)['report_id']}/withdrawal"
    taken_back, told_again = (writer.post(path, {}, headers={"Idempotency-Key": "k-2"}) for _ in range(2))

    assert (again.status_code, again.json, is_replay(again)) == (201, first.json, True)
    assert (told_again.json, is_replay(told_again)) == (told(taken_back), True)


def test_a_deletion_is_answered_again_and_takes_nothing_newer(writer: Caller) -> None:
    told(writer.write(a_record()), 201)
    path = "/v1/records/crm/c-1"

    first = writer.delete(path, headers=KEY)
    written_again = told(writer.write(a_record(occurred_at="2026-11-22T12:00:00Z")), 200)
    again = writer.delete(path, headers=KEY)

    assert (told(again), is_replay(again)) == (told(first), True)
    assert told(writer.get(f"/v1/profiles/{written_again['profile_id']}"))["record_count"] == 1
    assert told(writer.delete(path))["profiles_touched"] == [written_again["profile_id"]]


def test_a_repeated_look_at_values_is_audited(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    ana, rui = written(lite_writer, a_record(), RUI)
    headers = {**KEY, "CDP-Purpose": "ticket:1"}
    path, body = "/v1/profiles/join?unmask=true", {"profile_ids": [ana, rui]}

    for _ in range(2):
        told(rule(lite_writer, path, body, headers=headers))
    lite_writer.client.application.extensions["cdp"].read_audit.flush()

    reads = select(audit_entries.c.object_id).where(audit_entries.c.action == "profile.read_ruling")
    with read(lite_people.engine) as connection:
        assert sorted(connection.scalars(reads)) == sorted([ana, rui] * 2)


@pytest.mark.parametrize("path", ["/v1/records", "/v1/records/batch"])
def test_another_body_under_the_key_is_refused(writer: Caller, people: StoreBuilder, path: str) -> None:
    told(writer.post("/v1/records", a_record(), headers=KEY), 201)

    answer = told(writer.post(path, {"records": [RUI]}, headers=KEY), 422)

    assert answer["code"] == "idempotency_key_reused"
    assert stored(people) == (1, 1, 0)


def test_a_preview_uses_no_key_up(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    ana, rui = written(lite_writer, a_record(), RUI)
    body = {"profile_ids": [ana, rui]}

    told(rule(lite_writer, "/v1/profiles/join?dry_run=true", body, headers=KEY))
    done = rule(lite_writer, "/v1/profiles/join", body, headers=KEY)

    assert not is_replay(done)
    assert told(done)["action_id"] == 1
    assert stored(lite_people) == (1, 2, 1)


def test_what_was_refused_may_come_again(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    refused = told(lite_writer.post("/v1/records", a_record(source="shop"), headers=KEY), 422)
    lite_people.add_sources("shop")

    taken = lite_writer.post("/v1/records", a_record(source="shop"), headers=KEY)

    assert refused["code"] == "record_refused"
    assert (taken.status_code, is_replay(taken)) == (201, False)


def test_keys_are_each_callers_own(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    told(lite_writer.post("/v1/records", a_record(), headers=KEY), 201)
    other = Caller(lite_writer.client, lite_people.add_key())

    answer = other.post("/v1/records", RUI, headers=KEY)

    assert (answer.status_code, is_replay(answer)) == (201, False)


def test_who_lacks_the_scope_gets_no_stored_answer(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    told(lite_writer.post("/v1/records", a_record(), headers=KEY), 201)
    reader = Caller(lite_writer.client, lite_people.add_key("profiles:lookup"))

    assert reader.post("/v1/records", a_record(), headers=KEY).status_code == 403


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_a_key_of_a_record_is_visible_ascii(lite_writer: Caller, key: str) -> None:
    answer = told(lite_writer.post("/v1/records", a_record(), headers={"Idempotency-Key": key}), 422)

    assert answer["errors"][0]["pointer"] == "/headers/Idempotency-Key"


def test_a_call_that_runs_is_told_so(writer: Caller, people: StoreBuilder) -> None:
    """The first is held where it writes its answer, until the second was refused."""
    engine: Engine = writer.client.application.extensions["cdp"].store.engine()
    writing, refused = threading.Event(), threading.Event()

    @event.listens_for(engine, "before_cursor_execute")
    def hold(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO idempotent_answers"):
            writing.set()
            refused.wait(10)

    def send(_: int = 0) -> TestResponse:
        return Caller(writer.client.application.test_client(), writer.secret).post(
            "/v1/records", a_record(), headers=KEY
        )

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(send)
        assert writing.wait(10)
        second = send()
        refused.set()

    assert told(second, 409)["code"] == "idempotency_key_running"
    assert second.headers["Retry-After"] == "1"
    assert first.result().status_code == 201
    assert is_replay(send())
    assert stored(people) == (1, 1, 0)


def test_an_expired_key_is_free(sqlite_url: str, lite_people: StoreBuilder, tmp_path: Path) -> None:
    moments = [NOW]

    def clock() -> datetime:
        return moments[-1]

    lite_people.add_sources("crm")
    app = create_app(Settings(tmp_path, sqlite_url, 1.0, idempotency_seconds=60), clock=clock)
    caller = Caller(app.test_client(), lite_people.add_key())
    told(caller.post("/v1/records", a_record(), headers=KEY), 201)
    moments.append(NOW + timedelta(seconds=59))
    kept = caller.post("/v1/records", a_record(), headers=KEY)
    moments.append(NOW + timedelta(seconds=60))

    free = caller.post("/v1/records", RUI, headers=KEY)

    assert is_replay(kept)
    assert (free.status_code, is_replay(free)) == (201, False)
    app.extensions["cdp"].store.close()


def test_every_call_that_takes_a_key_is_described(lite_client: FlaskClient) -> None:
    description: Any = lite_client.get("/openapi.json").json
    operations = [
        each for path in description["paths"].values() for each in path.values() if "operationId" in each
    ]

    described = {
        each["operationId"]: (
            set(each["responses"]),
            "Not needed with dry_run=true" in parameter["description"],
        )
        for each in operations
        for parameter in each.get("parameters", ())
        if parameter.get("name") == "Idempotency-Key"
    }

    assert {name for name, (_, is_required) in described.items() if is_required} == {
        "confirmProposal",
        "decideCandidate",
        "decideCandidates",
        "freezeProfile",
        "joinProfiles",
        "pinValue",
        "splitProfile",
        "takeProfileApart",
        "undoAction",
        "undoLedgerEntry",
        "unfreezeProfile",
    }
    assert described.keys() >= {"writeRecord", "writeRecords", "reportIdentifier", "withdrawIdentifierReport"}
    assert all({"409", "422"} <= responses for responses, _ in described.values())
    # Nothing of these can be malformed: they have no body, and need no key.
    assert {name for name, (responses, _) in described.items() if "400" not in responses} == {
        "claimCandidate",
        "deleteRecord",
        "releaseCandidate",
        "skipCandidate",
    }
