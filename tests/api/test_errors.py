"""Every error is a problem with a stable code; none tells a caller, or the log, what it should not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from api.errors import PROBLEMS
from tests.api.conftest import Caller, MakeApp, admin
from tests.builders import StoreBuilder, a_record

DOCUMENTED = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "not_found"),
        ("GET", "/docs/../etc/passwd", 404, "not_found"),
        ("GET", "/v1/profiles", 404, "not_found"),
        ("DELETE", "/livez", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/profiles/lookup", 405, "method_not_allowed"),
        ("GET", "/v1/profiles/P1", 401, "unauthorized"),
    ],
)
def test_what_flask_refuses_is_a_problem(
    lite_client: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    answer = lite_client.open(path, method=method)

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == status
    assert answer.json["code"] == code
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert answer.json["title"] == PROBLEMS[code].title


def test_a_refused_method_is_told_those_that_work(lite_client: FlaskClient) -> None:
    assert "GET" in lite_client.delete("/livez").headers["Allow"]


@pytest.mark.parametrize(
    ("asked", "location"),
    [("/v1//candidates", "/v1/candidates"), ("/v1//candidates?limit=2", "/v1/candidates?limit=2")],
)
def test_an_address_with_too_many_slashes_leads_to_the_right_one_whatever_host_was_named(
    lite_client: FlaskClient, asked: str, location: str
) -> None:
    answer = lite_client.get(asked, headers={"Host": "elsewhere.example"})

    assert (answer.status_code, answer.headers["Location"], answer.data) == (308, location, b"")


def test_a_failure_tells_neither_caller_nor_log_its_values(own_app: Flask) -> None:
    def fail() -> str:
        raise ValueError("ana@example.com")

    own_app.view_functions["service.livez"] = fail

    with structlog.testing.capture_logs() as logs:
        answer = own_app.test_client().get("/livez")

    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["code"] == "internal_error"
    assert "ana@example.com" not in answer.get_data(as_text=True) + str(logs)
    [failure] = [line for line in logs if line["event"] == "request.failed"]
    assert failure["error"] == "ValueError"
    assert any("test_errors.py" in place for place in failure["places"])


def test_logs_carry_ids_and_no_values(lite_client: FlaskClient, lite_people: StoreBuilder) -> None:
    ana = lite_people.add_profile(a_record())
    caller = admin(lite_client, lite_people)

    with structlog.testing.capture_logs() as logs:
        caller.look_up("email", "ana@example.com", headers={"X-Request-Id": "abcdefgh-1"})
        caller.look_up("phone", "nobody")
        caller.get(f"/v1/profiles/{ana.profile_id}?unmask=true", headers={"CDP-Purpose": "ticket:1"})
        caller.get("/ana@example.com/+5511987654321")

    told = str(logs)
    assert [line["status"] for line in logs] == [200, 422, 200, 404]
    assert logs[0]["route"] == "/v1/profiles/lookup"
    for value in ("ana@example.com", "987654321", "Ana", caller.secret):
        assert value not in told


@pytest.mark.parametrize("given", ["short", "x" * 65, "a b c d e f g", "ana@example.com"])
def test_a_request_id_that_is_none_is_replaced(lite_client: FlaskClient, given: str) -> None:
    assert lite_client.get("/livez", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


def test_a_missing_store_is_a_503_until_it_is_there(
    make_app: MakeApp, sqlite_url: str, sqlite_store: Engine
) -> None:
    caller_key = StoreBuilder(sqlite_store).add_key()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    away = path.rename(path.with_suffix(".away"))
    app = make_app(sqlite_url)
    caller = Caller(app.test_client(), caller_key)

    missing = caller.get("/v1/profiles/P1")
    created = path.exists()
    away.rename(path)
    there = caller.get("/v1/profiles/P1")

    assert missing.status_code == 503
    assert missing.json is not None
    assert missing.json["code"] == "store_unavailable"
    assert missing.headers["Retry-After"] == "5"
    assert str(path) not in missing.get_data(as_text=True)
    assert not created
    assert there.status_code == 404


def test_a_locked_store_is_busy_until_it_is_free(
    make_app: MakeApp, sqlite_url: str, sqlite_store: Engine
) -> None:
    secret = StoreBuilder(sqlite_store).add_key()
    sqlite_store.dispose()
    caller = Caller(make_app(sqlite_url).test_client(), secret)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    # Readers wait for no writer; only a connection that keeps the file to itself stops them.
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN IMMEDIATE")

    locked = caller.get("/v1/profiles/P1")
    other.close()
    free = caller.get("/v1/profiles/P1")

    assert locked.status_code == 503
    assert locked.json is not None
    assert locked.json["code"] == "store_busy"
    assert locked.headers["Retry-After"] == "1"
    assert free.status_code == 404


def test_a_store_that_is_no_store_is_a_503(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"not a database, and long enough to be looked at" * 100)
    app = make_app(f"sqlite:///{tmp_path / 'broken.db'}")

    answer = app.test_client().get("/v1/profiles/P1", headers={"Authorization": "Bearer cdp_x"})

    assert answer.status_code == 503


def test_reads_that_cannot_be_audited_are_refused(
    lite_app: Flask, lite_client: FlaskClient, lite_people: StoreBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = lite_people.add_profile(a_record())
    monkeypatch.setattr(lite_app.extensions["cdp"].read_audit, "_capacity", 0)

    answer = admin(lite_client, lite_people).get(f"/v1/profiles/{ana.profile_id}")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "read_audit_full"
    assert answer.headers["Retry-After"] == "5"


def test_every_code_is_documented() -> None:
    told = DOCUMENTED.read_text("utf-8")

    assert [code for code in PROBLEMS if f"`{code}`" not in told] == []
