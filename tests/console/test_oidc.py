"""Signing in by OpenID Connect, with a real provider: who gets in, and what everybody else is told."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from joserfc.jwk import ECKey, Key, OctKey
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from api import create_app
from api.console.oidc import set_up_identity_provider
from api.service import Service
from cdp.identity.verify import verify_store
from cdp.settings import OidcSettings, Settings
from cdp.staff.accounts import NewUser, close_user, create_user
from cdp.staff.users import select_users
from cdp.store import open_store, read
from cdp.store.schema import audit_entries
from tests.builders import NOW
from tests.console.conftest import PASSWORD, Visitor
from tests.console.oidc_provider import CLIENT_ID, CLIENT_SECRET, SUBJECT, Provider, follow, run_provider
from tests.console.test_sign_in import text_of

BEGIN, BACK = "/console/sign-in/oidc", "/console/sign-in/oidc/back"


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Console:
    """One console for all tests: an application takes long to make."""

    app: Flask
    engine: Engine
    clock: Clock

    @property
    def service(self) -> Service:
        service: Service = self.app.extensions["cdp"]
        return service

    def set_up(self, settings: Settings) -> None:
        self.app.extensions["cdp"] = replace(self.service, settings=settings)
        self.app.extensions.pop("cdp_identity_provider", None)
        set_up_identity_provider(self.app, settings)

    def visitor(self, **changes: Any) -> Visitor:
        """Somebody at a console with these changes of the provider's settings."""
        settings = self.service.settings
        assert settings.oidc is not None
        self.set_up(replace(settings, oidc=replace(settings.oidc, **changes)))
        return Visitor(self.app.test_client())


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with run_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def made(
    running: Provider, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Console]:
    """On SQLite alone: what the store does for it is tested with the accounts."""
    home = tmp_path_factory.mktemp("console")
    url = f"sqlite:///{shutil.copyfile(migrated_file, home / 'cdp.db')}"
    clock = Clock()
    app = create_app(Settings(home, url, 1.0), clock=clock)
    console = Console(app, open_store(url), clock)
    identity = running.issuer, SUBJECT
    create_user(console.engine, NewUser("ana", "lead", identity=identity), actor="test", now=NOW)
    yield console
    console.service.read_audit.close()
    console.service.store.close()
    assert verify_store(console.engine, partition=False).breaches == []
    console.engine.dispose()


@pytest.fixture
def provider(running: Provider) -> Provider:
    fresh = Provider(running.address)
    for name, value in vars(fresh).items():
        setattr(running, name, value)
    return running


@pytest.fixture
def console(made: Console, provider: Provider) -> Console:
    made.clock.now = NOW
    oidc = OidcSettings(provider.issuer, CLIENT_ID, CLIENT_SECRET, "Example Ltda")
    made.set_up(replace(made.service.settings, oidc=oidc, passwords_sign_in=True))
    return made


@pytest.fixture
def visitor(console: Console) -> Visitor:
    """Somebody whom the provider knows, and who has an account."""
    return console.visitor()


def go(visitor: Visitor, **query: str) -> str:
    """To the provider and as far as its way back: the address that it leads to."""
    answer = visitor.get(BEGIN, query_string=query)
    assert answer.status_code == 303, text_of(answer)
    return follow(answer.location)


def sign_in(visitor: Visitor, **query: str) -> TestResponse:
    back = urlsplit(go(visitor, **query))
    return visitor.get(f"{back.path}?{back.query}")


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("/console/account").status_code == 200


def test_who_the_provider_knows_is_signed_in_and_led_on(visitor: Visitor, console: Console) -> None:
    answer = sign_in(visitor, next="/console/queue?sort=age")

    assert (answer.status_code, answer.location) == (303, "/console/queue?sort=age")
    assert "ana" in text_of(visitor.get("/console/account"))
    with read(console.engine) as connection:
        last = connection.execute(select(audit_entries).order_by(audit_entries.c.audit_id.desc())).first()
    assert last is not None
    assert (last.action, last.actor, last.details) == ("user.sign_in", "user:1", '{"by":"oidc"}')


def test_the_way_there_proves_itself_and_tells_nothing(visitor: Visitor, provider: Provider) -> None:
    asked = parse_qs(urlsplit(visitor.get(BEGIN).location).query)

    assert set(asked) == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert asked["redirect_uri"] == [f"http://localhost{BACK}"]
    sign_in(visitor)
    assert set(provider.token_requests[-1]) == {"grant_type", "code", "redirect_uri", "code_verifier"}


def test_the_page_offers_the_provider_and_passwords(visitor: Visitor) -> None:
    shown = text_of(visitor.get("/console/sign-in?next=/console/queue"))

    assert "Sign in with Example Ltda" in shown
    assert f'href="{BEGIN}?next=/console/queue"' in shown
    assert 'name="password"' in shown


OTHERS_KEY = ECKey.generate_key("P-256", {"kid": "one"})
SAID_WRONG = {
    "nonce": {"nonce": "of another sign-in"},
    "no nonce": {"nonce": None},
    "audience": {"aud": "another client"},
    "one of several audiences, for another": {"aud": [CLIENT_ID, "other"], "azp": "other"},
    "no audience": {"aud": None},
    "issuer": {"iss": "https://other.example.com"},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "a subject that is no text": {"sub": 5},
    "a subject without end": {"sub": "1" * 300},
    "not yet": {"nbf": time.time() + 3600},
    "from the future": {"iat": time.time() + 3600},
    "no end": {"exp": None},
}


@pytest.mark.parametrize("said", SAID_WRONG.values(), ids=SAID_WRONG.keys())
def test_a_token_that_says_something_else_signs_nobody_in(
    visitor: Visitor, provider: Provider, said: dict[str, object]
) -> None:
    provider.claims = said

    answer = sign_in(visitor)

    assert answer.status_code == 403
    assert "could not be verified" in text_of(answer)
    assert not is_signed_in(visitor)


@pytest.mark.parametrize("how", ["another key", "no signature", "our secret"])
def test_a_token_that_another_signed_signs_nobody_in(visitor: Visitor, provider: Provider, how: str) -> None:
    ways: dict[str, tuple[str, Key | None]] = {
        "another key": ("ES256", OTHERS_KEY),
        "no signature": ("none", None),
        "our secret": ("HS256", OctKey.import_key(CLIENT_SECRET)),
    }
    provider.signs_by = ways[how]

    answer = sign_in(visitor)

    assert answer.status_code == 403
    assert "could not be verified" in text_of(answer)
    assert not is_signed_in(visitor)


def test_a_token_of_yesterday_signs_nobody_in(visitor: Visitor, provider: Provider) -> None:
    provider.claims = {"exp": int(time.time()) - 86_400, "iat": int(time.time()) - 90_000}

    answer = sign_in(visitor)

    assert answer.status_code == 400
    assert "too old or was used already" in text_of(answer)
    assert not is_signed_in(visitor)


def test_keys_that_the_provider_changed_are_fetched_anew(visitor: Visitor, provider: Provider) -> None:
    sign_in(visitor)
    visitor.get("/console/")
    visitor.post("/console/sign-out")
    provider.key = ECKey.generate_key("P-256", {"kid": "two"})

    assert sign_in(visitor).location == "/console/"


def test_a_way_back_is_gone_once(visitor: Visitor) -> None:
    back = urlsplit(go(visitor))
    visitor.get(f"{back.path}?{back.query}")
    visitor.client.delete_cookie("cdp_console")

    again = visitor.get(f"{back.path}?{back.query}")

    assert again.status_code == 400
    assert "not begun in this browser" in text_of(again)
    assert not is_signed_in(visitor)


def test_a_code_that_was_used_signs_nobody_in(visitor: Visitor) -> None:
    used = parse_qs(urlsplit(go(visitor)).query)["code"][0]
    state = parse_qs(urlsplit(visitor.get(BEGIN).location).query)["state"][0]
    visitor.get(BACK, query_string={"code": used, "state": state})
    state = parse_qs(urlsplit(visitor.get(BEGIN).location).query)["state"][0]

    answer = visitor.get(BACK, query_string={"code": used, "state": state})

    assert answer.status_code == 400
    assert "too old or was used already" in text_of(answer)
    assert not is_signed_in(visitor)


@pytest.mark.parametrize("state", ["", "of-another-browser", "á"])
def test_a_way_back_with_another_state_signs_nobody_in(visitor: Visitor, state: str) -> None:
    code = parse_qs(urlsplit(go(visitor)).query)["code"][0]

    answer = visitor.get(BACK, query_string={"code": code, "state": state})

    assert answer.status_code == 400
    assert "not begun in this browser" in text_of(answer)
    assert not is_signed_in(visitor)


def test_a_way_back_that_took_long_signs_nobody_in(visitor: Visitor, console: Console) -> None:
    back = urlsplit(go(visitor))
    console.clock.now = NOW + timedelta(minutes=10)

    answer = visitor.get(f"{back.path}?{back.query}")

    assert answer.status_code == 400
    assert "too old or was used already" in text_of(answer)


def test_a_way_back_without_a_code_signs_nobody_in(visitor: Visitor) -> None:
    state = parse_qs(urlsplit(visitor.get(BEGIN).location).query)["state"][0]

    assert visitor.get(BACK, query_string={"state": state}).status_code == 400
    assert not is_signed_in(visitor)


def test_who_says_no_there_is_told_so(visitor: Visitor, provider: Provider) -> None:
    provider.denies = True

    answer = sign_in(visitor)

    assert answer.status_code == 403
    assert "The sign-in was not allowed." in text_of(answer)


def test_who_has_no_account_is_told_what_to_tell_an_administrator(
    visitor: Visitor, provider: Provider
) -> None:
    provider.subject = "somebody else"

    answer = sign_in(visitor)

    assert answer.status_code == 403
    assert "no account here is yours" in text_of(answer)
    assert "Your subject there: somebody else." in text_of(answer)
    assert not is_signed_in(visitor)


def test_whose_account_is_closed_stays_out(visitor: Visitor, console: Console, provider: Provider) -> None:
    eva = NewUser("eva", "lead", identity=(provider.issuer, "eva"))
    create_user(console.engine, eva, actor="test", now=NOW)
    close_user(console.engine, "eva", actor="test", now=NOW)
    provider.subject = "eva"

    answer = sign_in(visitor)

    assert answer.status_code == 403
    assert "Your account is closed." in text_of(answer)


@pytest.mark.parametrize("endpoint", ["token_endpoint", "jwks_uri"])
def test_a_provider_that_goes_away_meanwhile_is_told_of(
    visitor: Visitor, provider: Provider, endpoint: str
) -> None:
    provider.metadata = {endpoint: "http://127.0.0.1:9/"}

    answer = sign_in(visitor)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The sign-in service cannot be reached." in text_of(answer)
    assert not is_signed_in(visitor)


def test_a_provider_that_is_down_is_told_of(console: Console) -> None:
    answer = console.visitor(issuer="http://127.0.0.1:9").get(BEGIN)

    assert answer.status_code == 503
    assert "The sign-in service cannot be reached." in text_of(answer)


def test_a_discovery_document_of_another_issuer_is_not_kept(visitor: Visitor, provider: Provider) -> None:
    provider.metadata = {"issuer": "https://other.example.com"}
    refused = visitor.get(BEGIN)
    provider.metadata = {}

    assert refused.status_code == 403
    assert visitor.get(BEGIN).status_code == 303


def test_a_provider_that_takes_another_secret_is_told_of(console: Console) -> None:
    answer = sign_in(console.visitor(client_secret="wrong"))

    assert answer.status_code == 502
    assert "refused this console" in text_of(answer)


def test_newcomers_get_an_account_of_their_own_where_the_settings_say_so(
    console: Console, provider: Provider
) -> None:
    create_user(console.engine, NewUser("Jos-Ana", "admin", PASSWORD), actor="test", now=NOW)
    provider.subject = "new"
    newcomer = console.visitor(new_role="steward")

    first, again = sign_in(newcomer), sign_in(newcomer)

    assert (first.status_code, again.status_code) == (303, 303)
    with read(console.engine) as connection:
        [made] = [each for each in select_users(connection) if each.subject == "new"]
    assert (made.name, made.role, made.password_hash) == ("Jos-Ana-2", "steward", None)


def test_passwords_can_be_switched_off(visitor: Visitor, console: Console) -> None:
    create_user(console.engine, NewUser("rui", "lead", PASSWORD), actor="test", now=NOW)
    console.set_up(replace(console.service.settings, passwords_sign_in=False))

    shown, tried = text_of(visitor.get("/console/sign-in")), visitor.sign_in("rui")

    assert 'name="password"' not in shown
    assert tried.status_code == 403
    assert "Nobody signs in here with a password." in text_of(tried)


def test_who_signs_out_is_led_out_of_the_provider_too(visitor: Visitor, provider: Provider) -> None:
    sign_in(visitor)
    visitor.get("/console/")

    left = text_of(visitor.post("/console/sign-out"))
    there = visitor.get("/console/sign-in/oidc/out").location

    assert "At Example Ltda you are still signed in." in left
    assert not is_signed_in(visitor)
    assert there.startswith(f"{provider.issuer}/out?post_logout_redirect_uri=")
    assert f"client_id={CLIENT_ID}" in there


def test_a_provider_without_a_way_out_leads_nowhere(visitor: Visitor, provider: Provider) -> None:
    provider.metadata = {"end_session_endpoint": None}

    assert visitor.get("/console/sign-in/oidc/out").location == "http://localhost/console/sign-in"


@pytest.mark.parametrize("path", [BEGIN, BACK, "/console/sign-in/oidc/out"])
def test_without_a_provider_there_is_no_such_page(visitor: Visitor, console: Console, path: str) -> None:
    console.set_up(replace(console.service.settings, oidc=None))

    assert visitor.get(path).status_code == 404


def test_an_administrator_binds_an_account_to_a_subject(console: Console, provider: Provider) -> None:
    create_user(console.engine, NewUser("clara", "admin", PASSWORD), actor="test", now=NOW)
    create_user(console.engine, NewUser("bruno", "lead", PASSWORD), actor="test", now=NOW)
    clara = console.visitor()
    clara.sign_in("clara")

    taken = clara.post("/console/settings/users/bruno", change="bind", subject=SUBJECT)
    unbound = text_of(clara.get("/console/settings"))
    clara.post("/console/settings/users/bruno", change="bind", subject="bruno there")
    provider.subject = "bruno there"
    bruno = console.visitor()
    sign_in(bruno)

    assert "Another account is bound to this subject." in text_of(taken)
    assert "bruno" in text_of(bruno.get("/console/account"))
    assert 'name="subject" value=""' in unbound
    assert 'name="subject" value="None"' not in unbound
