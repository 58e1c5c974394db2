"""What the log tells: enough to find a request, and nothing of a person."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient

from api.envelope import configure_logs
from cdp.privacy.keys import parse_key
from tests.api.conftest import Caller
from tests.api.test_routes import CALLS, MISTAKES, World, a_world
from tests.builders import a_record

# Everything that the people of the walk are called, reached by and known under, and what its callers typed.
PERSONAL = [
    *("Ana", "Reis", "Rui", "Clara", "Nunes", "Prado", "Bruno", "Costa"),
    *("ana@example.com", "rui@example.com", "nobody@example.com", "b@example.com"),
    *("98765", "39053344705", "390.533.447", "1980-02-29", "1955-07-12"),
    *("same card", "because I want to", "shoe_size", "Rua das Flores", "dentist"),
]


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """The log as a serving process writes it, with all that it has to tell."""
    stream, before = io.StringIO(), structlog.get_config()
    configure_logs("debug", stream)
    structlog.configure(cache_logger_on_first_use=False)
    try:
        yield stream
    finally:
        structlog.configure(**before)


@pytest.mark.parametrize("slow_request_ms", [None, 0.0], ids=["plain", "slow"])
def test_a_whole_scenario_logs_nothing_of_people(
    migrated_file: Path, tmp_path: Path, slow_request_ms: float | None
) -> None:
    """Every call as it succeeds, as it is refused in every way, without a key, and while the store is away."""
    with logged() as stream, a_world(migrated_file, tmp_path, slow_request_ms=slow_request_ms) as world:
        walk(world)
        secret = world.admin.secret
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    # Among so many ids and moments of the service's own, one holds five digits of a number now and then.
    told = [line | {"timestamp": datetime.fromisoformat(line["timestamp"]).year} for line in lines]
    text = re.sub(r'"[0-9a-f]{16,32}"', '""', json.dumps(told, ensure_ascii=False))

    assert len(lines) > len(CALLS) * len(MISTAKES)
    assert {each["status"] for each in lines if each["event"] == "request"} >= {
        200,
        201,
        400,
        401,
        404,
        422,
        503,
    }
    assert any(each["event"] == "request.slow" for each in lines) is (slow_request_ms is not None)
    assert [value for value in PERSONAL if value in text] == []
    assert secret not in text
    assert secret.split("_")[2] not in text


def test_a_line_is_written_at_once(lite_client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with logged() as stream:
        writes: list[str] = []
        monkeypatch.setattr(stream, "write", writes.append)
        lite_client.get("/livez")

    assert [each.count("\n") for each in writes] == [1]
    assert writes[0].endswith("}\n")


def walk(world: World) -> None:
    ana = a_record(source_record_id="ana@example.com", address={"street": "Rua das Flores, 10"})
    world.admin.write({**ana, "attributes": {"occupation": "dentist"}})
    world.admin.get("/v1/profiles/ana@example.com?view=agent&name=Ana")
    world.admin.get("/v1/nowhere/ana@example.com")
    for call in CALLS:
        for change in MISTAKES.values():
            world.make(call, world.admin, **change)
        world.make(call, world.admin, known=False)
        world.make(call, None)
        world.make(call, world.admin, query="?unmask=true", headers={"CDP-Purpose": "ticket:4711"})
        world.make(call, world.admin)
    store = Path(str(world.people.engine.url.database).removeprefix("file:"))
    world.service.store.close()
    shutil.move(store, store.with_suffix(".away"))
    object.__setattr__(world.service.store, "_engine", None)
    for call in CALLS:
        world.make(call, world.admin)
    shutil.move(store.with_suffix(".away"), store)


def test_a_failure_is_logged_by_kind_and_place_without_its_words(
    lite_writer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("Ana Reis, ana@example.com")

    monkeypatch.setattr("api.lookups.look_up", fail)
    with logged() as stream:
        answer = lite_writer.look_up("email", "ana@example.com")

    [failed] = [
        each for each in map(json.loads, stream.getvalue().splitlines()) if each["event"] == "request.failed"
    ]
    assert (answer.status_code, failed["error"]) == (500, "RuntimeError")
    assert any("look_up_profile" in place for place in failed["places"])
    assert "ana@example.com" not in stream.getvalue()
    assert answer.json is not None
    assert failed["request_id"] == answer.json["request_id"]


def test_a_slow_request_is_warned_of_with_what_finds_it(migrated_file: Path, tmp_path: Path) -> None:
    with logged() as stream, a_world(migrated_file, tmp_path, slow_request_ms=0.0) as world:
        stream.truncate(0)
        stream.seek(0)
        answer = world.admin.look_up("email", "ana@example.com")

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    [slow] = [each for each in lines if each["event"] == "request.slow"]
    assert slow["level"] == "warning"
    assert (slow["method"], slow["route"], slow["status"]) == ("POST", "/v1/profiles/lookup", 200)
    assert slow["request_id"] == answer.headers["X-Request-Id"]
    assert slow["trace_id"] == answer.headers["traceparent"].split("-")[1]
    assert slow["duration_ms"] > 0
    assert slow["body_bytes"] == len(json.dumps({"type": "email", "value": "ana@example.com"}))


def test_a_request_within_its_time_is_not_warned_of(lite_writer: Caller) -> None:
    with logged() as stream:
        lite_writer.get("/livez")

    assert "request.slow" not in stream.getvalue()


def test_the_log_names_the_key_and_not_its_secret(lite_writer: Caller) -> None:
    with logged() as stream:
        lite_writer.get("/v1/candidates")

    assert f'"key_id": "{parse_key(lite_writer.secret)}"' in stream.getvalue()
    assert lite_writer.secret not in stream.getvalue()
