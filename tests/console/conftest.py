"""A console over a store with people, and somebody at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from cdp.identity.verify import verify_store
from cdp.staff import passwords
from cdp.staff.accounts import NewUser, create_user
from tests.applications import Applications
from tests.builders import NOW, StoreBuilder

PASSWORD = "correct horse battery"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Visitor:
    """A browser without scripts: keeps cookies, follows the forms of the last page."""

    client: FlaskClient
    token: str = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._seen(self.client.get(path, **options))

    def post(self, path: str, **fields: Any) -> TestResponse:
        """A form with the token of the last page that had one; follows where it leads."""
        return self._seen(self.post_raw(path, **fields, follow=True))

    def post_raw(self, path: str, *, follow: bool = False, **fields: Any) -> TestResponse:
        data = {"csrf_token": self.token, **fields}
        return self.client.post(path, data=data, follow_redirects=follow)

    def sign_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        self.get("/console/sign-in")
        return self.post("/console/sign-in", name=name, password=password)

    def _seen(self, answer: TestResponse) -> TestResponse:
        found = _TOKEN.search(answer.get_data(as_text=True)) if answer.mimetype == "text/html" else None
        if found:
            self.token = found[1]
        return answer


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashed as they are, with the least work: each test has three users and signs some in."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """On SQLite: pages show what cdp tells, which is tested on both databases. Those of rulings are on both too."""
    return sqlite_url


@pytest.fixture
def people(store: Engine) -> StoreBuilder:
    """A store to fill."""
    return StoreBuilder(store)


@pytest.fixture
def app(store_url: str, people: StoreBuilder, tmp_path: Path, applications: Applications) -> Iterator[Flask]:
    """With a user of each role, named like it."""
    for role in ("steward", "lead", "admin"):
        create_user(people.engine, NewUser(role, role, PASSWORD), actor="test", now=NOW)
    people.add_sources("crm", "whatsapp")
    app = applications.take(tmp_path, store_url)
    yield app
    applications.give_back(app)
    assert verify_store(people.engine, partition=False).breaches == []


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Not signed in."""
    return Visitor(app.test_client())


@pytest.fixture
def steward(app: Flask) -> Visitor:
    return signed_in(app, "steward")


@pytest.fixture
def lead(app: Flask) -> Visitor:
    return signed_in(app, "lead")


@pytest.fixture
def admin(app: Flask) -> Visitor:
    return signed_in(app, "admin")


def signed_in(app: Flask, name: str) -> Visitor:
    visitor = Visitor(app.test_client())
    assert visitor.sign_in(name).status_code == 200
    return visitor
