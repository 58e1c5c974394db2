"""Who may call: every address needs a key or is listed as public; a key opens only what it is for."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.auth import CONSOLE, PUBLIC_ENDPOINTS
from cdp.privacy.issue import issue_key, revoke_key
from cdp.privacy.keys import KeyRights, make_key, parse_key
from tests.api.conftest import Caller
from tests.builders import NOW, StoreBuilder, a_record


def calls(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, an address of it) for every route but those of the console, which asks for no key: they are
    walked in tests/console/test_routes.py."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{CONSOLE}."):
            continue
        path = rule.rule.replace("<profile_id>", "P1").replace("<file_name>", "swagger-ui.css")
        for method in sorted((rule.methods or set()) - {"HEAD"}):
            yield rule.endpoint, method, path


def test_every_route_requires_a_caller_or_is_listed_as_public(
    lite_app: Flask, lite_client: FlaskClient
) -> None:
    wrong = []
    for endpoint, method, path in calls(lite_app):
        status = lite_client.open(path, method=method).status_code
        if (status == 401) == (endpoint in PUBLIC_ENDPOINTS):
            wrong.append(f"{method} {path} answers {status}")

    assert wrong == []


def test_every_protected_route_names_its_right(lite_app: Flask) -> None:
    unmarked = [
        endpoint
        for endpoint, _, _ in calls(lite_app)
        if endpoint not in PUBLIC_ENDPOINTS
        and not hasattr(lite_app.view_functions[endpoint], "required_scope")
    ]

    assert unmarked == []


def test_every_public_endpoint_exists(lite_app: Flask) -> None:
    assert set(lite_app.view_functions) >= PUBLIC_ENDPOINTS


def test_a_route_that_nobody_marked_is_closed(own_app: Flask, lite_people: StoreBuilder) -> None:
    own_app.add_url_rule("/forgotten", "forgotten", lambda: "open")

    answer = Caller(own_app.test_client(), lite_people.add_key()).get("/forgotten")

    assert answer.status_code == 403


def test_a_route_without_right_is_refused_for_lack_of_scope(
    lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    caller = Caller(lite_client, lite_people.add_key("segment:write"))

    assert caller.look_up("email", "ana@example.com").status_code == 403


@pytest.fixture
def path(people: StoreBuilder) -> str:
    return f"/v1/profiles/{people.add_profile(a_record()).profile_id}"


def basic(user: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_key_opens_as_bearer_and_as_user_name(client: FlaskClient, people: StoreBuilder, path: str) -> None:
    secret = people.add_key()

    for header in (f"Bearer {secret}", f"bearer {secret}", basic(secret), basic(secret, "anything")):
        assert client.get(path, headers={"Authorization": header}).status_code == 200


def test_what_is_no_key_answers_always_the_same(client: FlaskClient, people: StoreBuilder, path: str) -> None:
    secret = people.add_key()
    unknown = make_key().secret
    headers = [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {secret[:-1]}",
        f"Bearer {secret}x",
        f"Bearer {unknown}",
        "Bearer cdp_é_ü",
        f"Token {secret}",
        basic("", secret),
        "Basic !!!",
        "Digest username=x",
    ]

    answers = [client.get(path, headers={"Authorization": header}) for header in headers]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {
        'Bearer realm="cdp", Basic realm="cdp"'
    }
    assert len({str({**(answer.json or {}), "request_id": ""}) for answer in answers}) == 1


def test_a_revoked_key_is_refused_at_once(client: FlaskClient, people: StoreBuilder, path: str) -> None:
    secret = people.add_key()
    caller = Caller(client, secret)
    before = caller.get(path).status_code

    key_id = parse_key(secret)
    assert key_id is not None
    revoke_key(people.engine, key_id, actor="test", now=NOW)

    assert (before, caller.get(path).status_code) == (200, 401)


def test_an_expired_key_is_refused(client: FlaskClient, people: StoreBuilder, path: str) -> None:
    key = make_key()
    rights = KeyRights("test", ("admin",), expires_at=NOW - timedelta(seconds=1))
    issue_key(people.engine, key, rights, actor="test", now=NOW)

    assert Caller(client, key.secret).get(path).status_code == 401
