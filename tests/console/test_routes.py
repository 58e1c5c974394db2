"""Every address of the console, one after the other: who may see it and what it does to a form that is not its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from api.auth import CONSOLE
from api.console.access import PUBLIC_ENDPOINTS, required_permission
from cdp.staff.roles import PERMISSIONS, ROLES, may
from tests.console.conftest import Visitor, signed_in


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """On SQLite alone: no database changes who may see what."""
    return sqlite_url


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{CONSOLE}."):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method


def address(rule: Rule) -> str:
    return re.sub(r"<(\w+:)?\w+>", lambda part: "1" if part[1] == "int:" else "x", rule.rule)


def closed(app: Flask) -> list[tuple[Rule, str]]:
    return [each for each in routes(app) if each[0].endpoint not in PUBLIC_ENDPOINTS]


def test_every_page_is_public_or_asks_for_a_right_that_there_is(app: Flask) -> None:
    with app.app_context():
        asked = {rule.endpoint: required_permission(rule.endpoint) for rule, _ in closed(app)}

    assert asked
    assert {endpoint for endpoint, permission in asked.items() if permission not in PERMISSIONS} == set()


def test_every_right_is_asked_for(app: Flask) -> None:
    with app.app_context():
        asked = {required_permission(rule.endpoint) for rule, _ in closed(app)}

    assert set(PERMISSIONS) - asked - ASKED_WITHIN_PAGES == set()


def test_nobody_sees_a_page_without_signing_in(app: Flask, visitor: Visitor) -> None:
    answers = {
        (rule.endpoint, method): visitor.client.open(address(rule), method=method)
        for rule, method in closed(app)
    }

    assert {
        each
        for each, answer in answers.items()
        if answer.status_code != 303 or not answer.location.startswith("/console/sign-in")
    } == set()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_its_pages_alone(app: Flask, role: str) -> None:
    visitor = signed_in(app, role)
    with app.app_context():
        asked = {rule.endpoint: required_permission(rule.endpoint) or "" for rule, _ in closed(app)}

    refused = {
        rule.endpoint
        for rule, method in closed(app)
        if visitor.client.open(address(rule), method=method).status_code == 403
    }

    assert refused == {endpoint for endpoint, right in asked.items() if not may(role, right)}


def test_no_form_is_taken_without_its_token(app: Flask, admin: Visitor) -> None:
    posts = [rule for rule, method in routes(app) if method == "POST"]

    taken = {rule.endpoint for rule in posts if admin.client.post(address(rule)).status_code != 400}

    assert taken == set()


# What pages show to some of those who see them.
ASKED_WITHIN_PAGES: set[str] = set()
