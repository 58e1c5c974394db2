"""What is said of events is what the outbox holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import select

from api.event_schemas import EVENTS
from cdp.commands import main
from cdp.store import schema
from tests.api.test_routes import WRITES, World, a_world
from tests.builders import a_record

# By which calls of the walk, one after the other in one store, what happens.
ORDER = (
    "records.write_record",
    "candidates.decide_candidate",
    "stewards.split_profile",
    "identifier_reports.post_report",
    "identifier_reports.post_withdrawal",
    "records.delete_record",
)
# Kinds of other calls and commands, each with a test of its own.
ELSEWHERE = {"records.imported", "events.received"}


@pytest.fixture
def world(migrated_file: Path, tmp_path: Path) -> Iterator[World]:
    with a_world(migrated_file, tmp_path) as made:
        yield made


def outbox(world: World) -> list[dict[str, Any]]:
    events = schema.outbox_events
    with world.people.engine.connect() as connection:
        rows = connection.execute(select(events).order_by(events.c.event_id)).mappings()
        return [
            {
                "event_id": row["event_id"],
                "kind": row["kind"],
                "subject_id": row["subject_id"],
                "created_at": row["created_at"].isoformat(),
                "payload": json.loads(row["payload"]),
            }
            for row in rows
        ]


def breaches(description: Any, event: dict[str, Any]) -> list[str]:
    body = description["webhooks"][event["kind"]]["post"]["requestBody"]["content"]["application/json"]
    validator = Draft202012Validator({**body["schema"], "components": description["components"]})
    return [f"{event['kind']}: {each.message}" for each in validator.iter_errors(event)]


def test_every_event_of_the_outbox_is_as_described(world: World) -> None:
    calls = {call.endpoint: call for call in WRITES}
    description = world.admin.client.get("/openapi.json").json

    for endpoint in ORDER:
        answer = world.make(calls[endpoint], world.admin, headers={"Idempotency-Key": endpoint})
        assert answer.status_code < 300, answer.get_data(as_text=True)

    events = outbox(world)
    assert {each["kind"] for each in events} == EVENTS.keys() - ELSEWHERE
    assert [told for each in events for told in breaches(description, each)] == []


def test_an_import_is_told_as_described(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "more.jsonl").write_text(json.dumps(a_record(source_record_id="c-9")) + "\n", "utf-8")
    monkeypatch.setenv("CDP_HOME", str(tmp_path))
    monkeypatch.setenv("CDP_DATABASE_URL", f"sqlite:///{tmp_path / 'cdp.db'}")
    main(["import", str(tmp_path / "more.jsonl"), "--no-resolve"], standalone_mode=False)
    description = world.admin.client.get("/openapi.json").json

    told = outbox(world)[-1]

    assert told["kind"] == "records.imported"
    assert breaches(description, told) == []


def test_messages_are_told_as_described(world: World) -> None:
    calls = {call.endpoint: call for call in WRITES}
    description = world.admin.client.get("/openapi.json").json
    world.make(calls["segment.batch"], world.caller("segment:write", sources=["crm"]))

    told = outbox(world)[-1]

    assert told["kind"] == "events.received"
    assert breaches(description, told) == []


def test_an_event_that_is_not_as_described_would_be_noticed(world: World) -> None:
    description = world.admin.client.get("/openapi.json").json
    event = outbox(world)[0]

    assert breaches(description, event) == []
    assert breaches(description, {**event, "payload": {**event["payload"], "version": "three"}})
    assert breaches(description, {**event, "payload": {**event["payload"], "email": "ana@example.com"}})


def test_events_carry_no_values_of_people(world: World) -> None:
    text = json.dumps(outbox(world), ensure_ascii=False)

    assert len(text) > 500
    assert [each for each in ("Ana", "Reis", "ana@example.com", "98765", "39053344705") if each in text] == []
