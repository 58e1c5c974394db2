"""Signing in and out by the console's own forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine

from api import create_app
from api.service import Service
from cdp.settings import Settings
from cdp.staff.accounts import close_user
from tests.builders import NOW, StoreBuilder
from tests.console.conftest import PASSWORD, Visitor


def text_of(answer: object) -> str:
    return str(answer.get_data(as_text=True))  # type: ignore[attr-defined]


def test_a_visitor_is_led_to_the_sign_in_and_back(visitor: Visitor) -> None:
    answer = visitor.get("/console/account")

    assert (answer.status_code, answer.location) == (303, "/console/sign-in?next=/console/account")
    visitor.get(answer.location)
    answer = visitor.post_raw("/console/sign-in", name="steward", password=PASSWORD, next="/console/account")
    assert answer.location == "/console/account"


@pytest.mark.parametrize(
    "place", ["//evil.example.com", "https://evil.example.com/", "/v1/x", "/console/../v1"]
)
def test_nobody_is_led_elsewhere(visitor: Visitor, place: str) -> None:
    visitor.get("/console/sign-in")

    answer = visitor.post_raw("/console/sign-in", name="steward", password=PASSWORD, next=place)

    assert answer.location == "/console/"


def test_a_wrong_password_says_what_to_do_and_keeps_the_name(visitor: Visitor) -> None:
    answer = visitor.sign_in("steward", "wrong password")

    assert answer.status_code == 422
    assert "The name or the password is wrong" in text_of(answer)
    assert 'value="steward"' in text_of(answer)
    assert "wrong password" not in text_of(answer)


def test_after_many_wrong_passwords_an_address_waits_whatever_the_names(app: Flask, visitor: Visitor) -> None:
    visitor.get("/console/sign-in", headers={"Accept-Language": "pt-BR"})
    for number in range(20):
        visitor.post("/console/sign-in", name=f"nobody{number}", password="wrong")

    refused = visitor.sign_in("steward")
    other = app.test_client()
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    token = re.search(
        r'csrf_token" value="([^"]+)', text_of(other.get("/console/sign-in", environ_overrides=elsewhere))
    )
    assert token is not None
    form = {"csrf_token": token[1], "name": "steward", "password": PASSWORD}

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert "Wait for 60 seconds." in text_of(refused)
    assert "Aguarde 60 segundos." in text_of(
        visitor.client.post(
            "/console/sign-in",
            data={"csrf_token": visitor.token, "name": "steward", "password": PASSWORD},
            headers={"Accept-Language": "pt-BR"},
        )
    )
    assert other.post("/console/sign-in", data=form, environ_overrides=elsewhere).status_code == 303


def test_the_present_password_is_not_found_by_trying(steward: Visitor) -> None:
    steward.get("/console/account")
    new = {"new": "quite another password", "again": "quite another password"}
    tries = [steward.post("/console/account/password", old=f"wrong {number}", **new) for number in range(20)]

    refused = steward.post("/console/account/password", old=PASSWORD, **new)

    assert {each.status_code for each in tries} == {422}
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert steward.sign_in("steward", "quite another password").status_code == 429


def test_an_account_that_asks_for_too_many_pages_waits(steward: Visitor, app: Flask) -> None:
    service: Service = app.extensions["cdp"]
    assert service.rate_limits is not None
    for _ in range(6_000):
        service.rate_limits.of_accounts.count("1")

    refused = steward.get("/console/")

    assert refused.status_code == 429
    assert refused.headers["RateLimit-Policy"] == '"account";q=6000;w=60'
    assert "Too many requests came from you or your network." in text_of(refused)


def test_signing_out_ends_the_session(steward: Visitor) -> None:
    steward.get("/console/")

    answer = steward.post("/console/sign-out")

    assert "You are signed out." in text_of(answer)
    assert steward.get("/console/").status_code == 303


def test_signing_in_makes_the_cookie_anew(visitor: Visitor) -> None:
    visitor.get("/console/sign-in")
    before = visitor.client.get_cookie("cdp_console")

    visitor.post("/console/sign-in", name="steward", password=PASSWORD)

    after = visitor.client.get_cookie("cdp_console")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert (after.http_only, after.same_site, after.path) == (True, "Lax", "/")


def test_a_form_without_its_token_changes_nothing(steward: Visitor) -> None:
    steward.token = "forged"

    answer = steward.post_raw("/console/sign-out")

    assert answer.status_code == 400
    assert "This form is not valid any more." in text_of(answer)
    assert steward.get("/console/").status_code == 200


def test_a_form_of_another_session_changes_nothing(steward: Visitor, lead: Visitor) -> None:
    lead.get("/console/")
    steward.token = lead.token

    assert steward.post_raw("/console/sign-out").status_code == 400


def test_a_closed_account_is_out_at_the_next_page(steward: Visitor, people: StoreBuilder) -> None:
    close_user(people.engine, "steward", actor="test", now=NOW)

    assert steward.get("/console/").status_code == 303


def test_the_password_is_changed_by_who_knows_it(steward: Visitor) -> None:
    steward.get("/console/account")
    new = "quite another password"

    refused = steward.post("/console/account/password", old="wrong", new=new, again=new)
    twice = steward.post("/console/account/password", old=PASSWORD, new=new, again=new + "!")
    short = steward.post("/console/account/password", old=PASSWORD, new="short", again="short")
    changed = steward.post("/console/account/password", old=PASSWORD, new=new, again=new)

    assert "The present password is another." in text_of(refused)
    assert "not the same both times" in text_of(twice)
    assert "12 to 256" in text_of(short)
    assert "Your password is changed." in text_of(changed)


@pytest.mark.parametrize(
    ("accepted", "said"), [("pt-PT,pt;q=0.9", "Entrar"), ("de", "Sign in"), ("en;q=0,pt", "Entrar")]
)
def test_the_language_is_the_readers(visitor: Visitor, accepted: str, said: str) -> None:
    answer = visitor.get("/console/sign-in", headers={"Accept-Language": accepted})

    assert f"<h1>{said}</h1>" in text_of(answer)


def test_a_chosen_language_and_theme_stay(visitor: Visitor) -> None:
    visitor.get("/console/sign-in")
    visitor.post("/console/preferences", language="pt-BR", next="/console/sign-in")
    visitor.post("/console/preferences", theme="dark", next="/console/sign-in")

    answer = visitor.sign_in("steward")

    assert '<html lang="pt-BR" data-theme="dark">' in text_of(answer)


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"theme": "<script>"}])
def test_there_are_no_other_languages_and_themes(visitor: Visitor, wrong: dict[str, str]) -> None:
    visitor.get("/console/sign-in")

    assert visitor.post("/console/preferences", **wrong).status_code == 422


def test_pages_are_kept_by_nobody_and_run_nothing_foreign(steward: Visitor) -> None:
    headers = steward.get("/console/").headers

    assert headers["Cache-Control"] == "no-store"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")


def test_an_unknown_page_says_so(steward: Visitor) -> None:
    answer = steward.get("/console/nowhere")

    assert answer.status_code == 404
    assert "There is nothing at this address." in text_of(answer)


@pytest.fixture
def bare(sqlite_url: str, sqlite_store: Engine, tmp_path: Path) -> Iterator[Flask]:
    """A service without users that browsers reach by https."""
    app = create_app(
        Settings(tmp_path, sqlite_url, 1.0, public_url="https://cdp.example.com"), clock=lambda: NOW
    )
    yield app
    service: Service = app.extensions["cdp"]
    service.read_audit.close()
    service.store.close()


def test_without_users_the_sign_in_says_how_to_make_one(bare: Flask) -> None:
    answer = bare.test_client().get("/console/sign-in")

    assert "cdp user create" in text_of(answer)
    assert answer.headers.getlist("Set-Cookie") == []


def test_by_https_the_cookie_is_the_hosts_own(bare: Flask, sqlite_store: Engine) -> None:
    from cdp.staff.accounts import NewUser, create_user

    create_user(sqlite_store, NewUser("ana", "lead", PASSWORD), actor="test", now=NOW)

    answer = bare.test_client().get("/console/sign-in", base_url="https://cdp.example.com")

    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-cdp_console=")
    assert "Secure; HttpOnly; Path=/; SameSite=Lax" in cookie


def test_without_a_store_the_page_says_what_to_do(tmp_path: Path) -> None:
    app = create_app(Settings(tmp_path, f"sqlite:///{tmp_path}/none.db", 1.0), clock=lambda: NOW)

    answer = app.test_client().get("/console/sign-in")

    assert answer.status_code == 503
    assert "The service cannot answer now." in text_of(answer)
