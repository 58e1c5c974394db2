"""Alive is the process; ready is the truth about the store and the model."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from cdp.store import write
from tests.api.conftest import MakeApp
from tests.builders import StoreBuilder


def test_the_index_says_where_to_go(lite_client: FlaskClient) -> None:
    assert lite_client.get("/").json == {
        "name": "cdp",
        "documentation": "/docs",
        "openapi": "/openapi.json",
        "ready": "/readyz",
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
