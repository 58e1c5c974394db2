"""Alive is the process; ready is the truth about the store and the model."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text, update

from cdp.store import schema, write
from tests.api.conftest import Caller, MakeApp
from tests.builders import NOW, StoreBuilder, a_record


def test_the_index_says_where_to_go(lite_client: FlaskClient) -> None:
    assert lite_client.get("/").json == {
        "name": "cdp",
        "documentation": "/docs",
        "openapi": "/openapi.json",
        "ready": "/readyz",
        "console": "/console/",
    }


def test_ready_names_the_model(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json) == (200, {"status": "ready", "model_version": 0})


def test_without_a_model_it_is_not_ready(make_app: MakeApp, sqlite_url: str, sqlite_store: Engine) -> None:
    StoreBuilder(sqlite_store, model=False)

    answer = make_app(sqlite_url).test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "not_ready"
    assert "model" in answer.json["detail"]


def test_without_a_store_it_lives_but_is_not_ready(make_app: MakeApp, tmp_path: Path) -> None:
    client = make_app(f"sqlite:///{tmp_path / 'none.db'}").test_client()

    answer = client.get("/readyz")

    assert client.get("/livez").status_code == 200
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["detail"] == "The store: store_missing."


def test_a_store_that_is_taken_away_makes_it_unready(
    make_app: MakeApp, sqlite_url: str, sqlite_store: Engine
) -> None:
    StoreBuilder(sqlite_store)
    client = make_app(sqlite_url).test_client()
    ready = client.get("/readyz").status_code
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.rename(path.with_suffix(".away"))

    answer = client.get("/readyz")

    assert (ready, answer.status_code) == (200, 503)
    assert not path.exists()


def test_a_schema_of_another_version_is_not_ready(client: FlaskClient, people: StoreBuilder) -> None:
    ready = client.get("/readyz").status_code
    with write(people.engine) as connection:
        connection.execute(text("UPDATE cdp_schema_version SET version_num = '9999'"))

    answer = client.get("/readyz")

    assert (ready, answer.status_code) == (200, 503)
    assert answer.json is not None
    assert answer.json["detail"] == "The store: store_newer."


def not_ready(client: FlaskClient) -> str:
    """What is the matter."""
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "not_ready"
    assert answer.headers["Retry-After"]
    return str(answer.json["detail"])


@pytest.mark.parametrize(
    ("specification", "reason"), [("name = 7", "unreadable_model"), ("", "unreadable_model")]
)
def test_a_model_that_cannot_be_used_makes_it_unready(
    lite_client: FlaskClient, lite_people: StoreBuilder, specification: str, reason: str
) -> None:
    with write(lite_people.engine) as connection:
        connection.execute(update(schema.model_versions).values(specification=specification))

    assert not_ready(lite_client) == f"The model: {reason}."


def test_profiles_of_a_release_without_an_index_make_it_unready(
    lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    ready = lite_client.get("/readyz").status_code
    run = {
        "kind": "batch",
        "state": "published",
        "model_version_id": 0,
        "counts": "{}",
        "started_at": NOW,
        "finished_at": NOW,
    }
    with write(lite_people.engine) as connection:
        connection.execute(schema.resolution_runs.insert(), run)

    assert ready == 200
    assert not_ready(lite_client) == "The model: store_not_resolved."


def test_a_full_disk_makes_it_unready_and_reads_go_on(
    lite_client: FlaskClient, lite_people: StoreBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile_id = lite_people.add_profile(a_record()).profile_id
    usage = shutil.disk_usage("/")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=1_000_000))

    assert not_ready(lite_client) == "The store: store_full."
    assert Caller(lite_client, lite_people.add_key()).get(f"/v1/profiles/{profile_id}").status_code == 200


def test_a_store_that_can_only_be_read_makes_it_unready(
    lite_client: FlaskClient, lite_people: StoreBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK)

    assert lite_people.engine.dialect.name == "sqlite"
    assert not_ready(lite_client) == "The store: store_read_only."


def test_a_store_that_a_writer_holds_is_ready(client: FlaskClient, people: StoreBuilder) -> None:
    with write(people.engine) as connection:
        connection.execute(update(schema.api_keys).values(name="held"))

        answer = client.get("/readyz")

    assert answer.status_code == 200


def test_a_database_that_does_not_answer_makes_it_unready_and_comes_back(
    make_app: MakeApp, postgresql_url: str, postgresql_store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    StoreBuilder(postgresql_store)
    client = make_app(postgresql_url).test_client()
    with monkeypatch.context() as away:
        away.setattr("psycopg.connect", lambda *_, **__: _refuse())
        told = not_ready(client)

    assert told == "The store: store_unavailable."
    assert client.get("/readyz").status_code == 200


def _refuse() -> None:
    raise psycopg.OperationalError("connection refused")
