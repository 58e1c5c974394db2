"""Accounts and sessions: who gets in, who does not, and how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from cdp.staff.accounts import (
    NewUser,
    bind_identity,
    change_password,
    close_user,
    create_user,
    reset_password,
    set_role,
)
from cdp.staff.errors import (
    IdentityTakenError,
    SignInRefusedError,
    UnknownUserError,
    UnusableNameError,
    UserExistsError,
    WeakPasswordError,
)
from cdp.staff.secrets import select_signing_secret
from cdp.staff.sessions import IDLE, LONGEST, SignedIn, select_signed_in
from cdp.staff.sign_in import (
    FIRST_LOCK,
    LONGEST_LOCK,
    TRIES,
    lock_after,
    note_seen,
    sign_in,
    sign_in_as,
    sign_out,
)
from cdp.staff.users import require_user, select_author_names, select_users
from cdp.store import read
from cdp.store.schema import audit_entries, console_sessions
from tests.builders import NOW

PASSWORD = "correct horse battery"
OTHER = "another long password"
IDENTITY = ("https://id.example.com", "4711")


@pytest.fixture
def ana(store: Engine) -> Engine:
    """A store with one account."""
    create_user(store, NewUser("ana", "steward", PASSWORD, IDENTITY), actor="test", now=NOW)
    return store


def signed_in(engine: Engine, token: str, after: timedelta = timedelta()) -> SignedIn | None:
    with read(engine) as connection:
        return select_signed_in(connection, token, now=NOW + after)


def required(engine: Engine, token: str) -> SignedIn:
    found = signed_in(engine, token)
    assert found is not None
    return found


def fail(engine: Engine, times: int, after: timedelta = timedelta()) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefusedError):
            sign_in(engine, "ana", "wrong password", now=NOW + after)


def actions(engine: Engine) -> list[str]:
    with read(engine) as connection:
        return list(connection.scalars(select(audit_entries.c.action).order_by(audit_entries.c.audit_id)))


def test_the_right_password_begins_a_session(ana: Engine) -> None:
    token = sign_in(ana, "ana", PASSWORD, now=NOW)

    found = required(ana, token)
    assert (found.name, found.role, found.actor) == ("ana", "steward", "user:1")
    assert actions(ana) == ["user.create", "user.sign_in_tried", "user.sign_in"]


def test_neither_password_nor_token_is_kept(ana: Engine) -> None:
    token = sign_in(ana, "ana", PASSWORD, now=NOW)

    with read(ana) as connection:
        user = require_user(connection, "ana")
        [kept] = connection.scalars(select(console_sessions.c.token_hash))

    assert user.password_hash is not None
    assert user.password_hash.startswith("$argon2id$")
    assert token not in kept


@pytest.mark.parametrize(("name", "password"), [("ana", OTHER), ("nobody", PASSWORD), ("ana", "")])
def test_anything_else_is_refused_in_the_same_words(ana: Engine, name: str, password: str) -> None:
    with pytest.raises(SignInRefusedError, match="The name or the password is wrong"):
        sign_in(ana, name, password, now=NOW)


def test_the_audit_of_an_unknown_name_does_not_repeat_it(ana: Engine) -> None:
    with pytest.raises(SignInRefusedError):
        sign_in(ana, PASSWORD, "x", now=NOW)

    with read(ana) as connection:
        told = connection.execute(select(audit_entries.c.object_id, audit_entries.c.details)).all()
    assert PASSWORD not in str(told)


def test_five_wrong_tries_let_the_account_rest(ana: Engine) -> None:
    fail(ana, TRIES)

    with pytest.raises(SignInRefusedError):
        sign_in(ana, "ana", PASSWORD, now=NOW + FIRST_LOCK / 2)
    assert sign_in(ana, "ana", PASSWORD, now=NOW + FIRST_LOCK)


def test_each_further_wrong_try_doubles_the_rest(ana: Engine) -> None:
    fail(ana, TRIES)
    fail(ana, 1, after=FIRST_LOCK)

    with pytest.raises(SignInRefusedError):
        sign_in(ana, "ana", PASSWORD, now=NOW + FIRST_LOCK * 2)
    assert sign_in(ana, "ana", PASSWORD, now=NOW + FIRST_LOCK * 3)


def test_the_right_password_forgets_the_wrong_ones(ana: Engine) -> None:
    fail(ana, TRIES - 1)
    sign_in(ana, "ana", PASSWORD, now=NOW)

    fail(ana, TRIES - 1)

    assert sign_in(ana, "ana", PASSWORD, now=NOW)


@pytest.mark.parametrize(
    ("tries", "rest"),
    [(TRIES - 1, None), (TRIES, FIRST_LOCK), (TRIES + 2, FIRST_LOCK * 4), (10_000, LONGEST_LOCK)],
)
def test_the_rest_has_an_end(tries: int, rest: timedelta | None) -> None:
    assert lock_after(tries) == rest


def test_a_session_ends_when_idle(ana: Engine) -> None:
    token = sign_in(ana, "ana", PASSWORD, now=NOW)

    assert signed_in(ana, token, IDLE - timedelta(seconds=1))
    assert signed_in(ana, token, IDLE) is None


def test_work_keeps_a_session_alive_but_not_for_ever(ana: Engine) -> None:
    token = sign_in(ana, "ana", PASSWORD, now=NOW)
    note_seen(ana, required(ana, token), now=NOW + LONGEST - timedelta(minutes=1))

    assert signed_in(ana, token, LONGEST - timedelta(seconds=1))
    assert signed_in(ana, token, LONGEST) is None


def test_signing_out_ends_this_session_alone(ana: Engine) -> None:
    token, other = (sign_in(ana, "ana", PASSWORD, now=NOW) for _ in range(2))

    sign_out(ana, required(ana, token), now=NOW)

    assert signed_in(ana, token) is None
    assert signed_in(ana, other)


def test_a_changed_password_ends_the_other_sessions(ana: Engine) -> None:
    token, other = (sign_in(ana, "ana", PASSWORD, now=NOW) for _ in range(2))

    change_password(ana, required(ana, token), PASSWORD, OTHER, now=NOW)

    assert signed_in(ana, token)
    assert signed_in(ana, other) is None
    assert sign_in(ana, "ana", OTHER, now=NOW)


def test_the_present_password_is_asked_for(ana: Engine) -> None:
    who = required(ana, sign_in(ana, "ana", PASSWORD, now=NOW))

    with pytest.raises(SignInRefusedError, match="present password"):
        change_password(ana, who, "a guess of it", OTHER, now=NOW)


def test_a_reset_password_ends_all_sessions_and_the_rest(ana: Engine) -> None:
    token = sign_in(ana, "ana", PASSWORD, now=NOW)
    fail(ana, TRIES)

    reset_password(ana, "ana", OTHER, actor="test", now=NOW)

    assert signed_in(ana, token) is None
    assert sign_in(ana, "ana", OTHER, now=NOW)


def test_a_closed_account_is_shut_at_once(ana: Engine) -> None:
    token = sign_in(ana, "ana", PASSWORD, now=NOW)

    assert close_user(ana, "ana", actor="test", now=NOW)
    assert not close_user(ana, "ana", actor="test", now=NOW)

    assert signed_in(ana, token) is None
    with pytest.raises(SignInRefusedError):
        sign_in(ana, "ana", PASSWORD, now=NOW)
    with pytest.raises(SignInRefusedError):
        sign_in_as(ana, *IDENTITY, now=NOW)


def test_a_role_changes_within_a_session(ana: Engine) -> None:
    token = sign_in(ana, "ana", PASSWORD, now=NOW)

    set_role(ana, "ana", "lead", actor="test", now=NOW)

    assert required(ana, token).role == "lead"


def test_an_identity_is_bound_by_issuer_and_subject(ana: Engine) -> None:
    assert required(ana, sign_in_as(ana, *IDENTITY, now=NOW)).name == "ana"
    with pytest.raises(SignInRefusedError, match="No account is bound"):
        sign_in_as(ana, "https://other.example.com", IDENTITY[1], now=NOW)


def test_another_account_is_bound_by_an_administrator(ana: Engine) -> None:
    create_user(ana, NewUser("rui", "lead", PASSWORD), actor="test", now=NOW)
    other = (IDENTITY[0], "rui there")

    bind_identity(ana, "rui", other, actor="test", now=NOW)

    assert required(ana, sign_in_as(ana, *other, now=NOW)).name == "rui"
    with pytest.raises(IdentityTakenError, match="user ana"):
        bind_identity(ana, "rui", IDENTITY, actor="test", now=NOW)


def test_an_account_without_a_password_has_none_that_is_right(store: Engine) -> None:
    create_user(store, NewUser("rui", "lead", identity=IDENTITY), actor="test", now=NOW)

    with pytest.raises(SignInRefusedError):
        sign_in(store, "rui", "", now=NOW)


def test_a_name_is_given_out_once(ana: Engine) -> None:
    with pytest.raises(UserExistsError, match="'ana'"):
        create_user(ana, NewUser("ana", "lead", PASSWORD), actor="test", now=NOW)


@pytest.mark.parametrize("name", ["", " ana", "ana\n", "joão", "a" * 65, "-a"])
def test_an_odd_name_is_refused(sqlite_store: Engine, name: str) -> None:
    with pytest.raises(UnusableNameError):
        create_user(sqlite_store, NewUser(name, "lead", PASSWORD), actor="test", now=NOW)


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_a_short_or_endless_password_is_refused(sqlite_store: Engine, password: str) -> None:
    with pytest.raises(WeakPasswordError, match="12 to 256"):
        create_user(sqlite_store, NewUser("ana", "lead", password), actor="test", now=NOW)


def test_there_is_nothing_to_change_of_an_unknown_user(sqlite_store: Engine) -> None:
    with pytest.raises(UnknownUserError):
        close_user(sqlite_store, "nobody", actor="test", now=NOW)


def test_the_signing_secret_comes_with_the_first_user_and_stays(store: Engine) -> None:
    with read(store) as connection:
        assert select_signing_secret(connection) is None

    secrets = []
    for name in ("ana", "rui"):
        create_user(store, NewUser(name, "lead", PASSWORD), actor="test", now=NOW)
        with read(store) as connection:
            secrets.append(select_signing_secret(connection))

    assert len(secrets[0] or "") == 64
    assert secrets[0] == secrets[1]


def test_authors_are_told_by_name(ana: Engine) -> None:
    with read(ana) as connection:
        [user] = select_users(connection)
        named = select_author_names(connection, {user.actor, "machine", "key:abc", "user:99"})

    assert named == {"user:1": "ana"}
