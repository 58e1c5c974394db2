"""A store with people, an application over it, and callers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from api import create_app
from cdp.identity.verify import verify_store
from cdp.settings import Settings
from tests.api.server import Serve, Server
from tests.applications import Applications, close
from tests.builders import NOW, StoreBuilder

MakeApp = Callable[[str], Flask]


@dataclass(frozen=True)
class Caller:
    """A client with a key."""

    client: FlaskClient
    secret: str

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **self._with_key(options))

    def post(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self.client.post(path, json=body, **self._with_key(options))

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.client.delete(path, **self._with_key(options))

    def write(self, *records: Any) -> TestResponse:
        """One record, or several as a batch."""
        if len(records) == 1:
            return self.post("/v1/records", records[0])
        return self.post("/v1/records/batch", {"records": records})

    def search(self, body: Any, query: str = "", **options: Any) -> TestResponse:
        return self.post(f"/v1/profiles/search{query}", body, **options)

    def look_up(self, kind: str, value: Any, **options: Any) -> TestResponse:
        return self.post("/v1/profiles/lookup", {"type": kind, "value": value}, **options)

    def _with_key(self, options: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.secret}", **options.pop("headers", {})}
        return {**options, "headers": headers}


@pytest.fixture
def make_app(tmp_path: Path, applications: Applications) -> Iterator[MakeApp]:
    """Gives applications over stores; no test may change one."""
    taken: list[Flask] = []

    def take(url: str) -> Flask:
        taken.append(applications.take(tmp_path, url))
        return taken[-1]

    yield take
    for app in taken:
        applications.give_back(app)


@pytest.fixture
def people(store: Engine) -> StoreBuilder:
    """A store to fill, once on each database."""
    return StoreBuilder(store)


@pytest.fixture
def app(store_url: str, make_app: MakeApp, people: StoreBuilder) -> Flask:
    return make_app(store_url)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def lite_people(sqlite_store: Engine) -> StoreBuilder:
    """A store to fill on SQLite alone, for what no database changes."""
    return StoreBuilder(sqlite_store)


@pytest.fixture
def lite_app(sqlite_url: str, make_app: MakeApp, lite_people: StoreBuilder) -> Flask:
    return make_app(sqlite_url)


@pytest.fixture
def own_app(sqlite_url: str, lite_people: StoreBuilder, tmp_path: Path) -> Iterator[Flask]:
    """One on SQLite that the test may change."""
    app = create_app(Settings(tmp_path, sqlite_url, 1.0), clock=lambda: NOW)
    yield app
    close(app)


@pytest.fixture
def lite_client(lite_app: Flask) -> FlaskClient:
    return lite_app.test_client()


@pytest.fixture
def writer(client: FlaskClient, people: StoreBuilder) -> Iterator[Caller]:
    """Writes records of the sources crm and whatsapp; after the test the store's invariants hold."""
    people.add_sources("crm", "whatsapp")
    yield admin(client, people)
    assert verify_store(people.engine, partition=False).breaches == []


@pytest.fixture
def lite_writer(lite_client: FlaskClient, lite_people: StoreBuilder) -> Iterator[Caller]:
    """The same on SQLite alone."""
    lite_people.add_sources("crm", "whatsapp")
    yield admin(lite_client, lite_people)
    assert verify_store(lite_people.engine, partition=False).breaches == []


def admin(client: FlaskClient, people: StoreBuilder) -> Caller:
    return Caller(client, people.add_key())


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A directory that holds nothing."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    return directory


@pytest.fixture
def serve(sqlite_url: str, sqlite_store: Engine, elsewhere: Path) -> Iterator[Serve]:
    """Starts a server from that directory, and stops it after the test."""
    # The store must be one the server can use before it starts: the fixture above made it.
    assert sqlite_store.dialect.name == "sqlite"
    running: list[Server] = []

    def start(*, workers: int, with_worker: bool = False, **environment: str) -> Server:
        running.append(Server(sqlite_url, elsewhere, workers=workers, with_worker=with_worker, **environment))
        return running[-1]

    yield start
    for server in running:
        server.stop()
