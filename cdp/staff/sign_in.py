"""Sign in and out. A try is counted before it is looked at, so that many at once are as slow as one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import Connection, Engine

from cdp.privacy.audit import AuditEntry, append_audit
from cdp.staff.errors import ClosedAccountError, SignInRefusedError, UnknownIdentityError
from cdp.staff.passwords import is_password
from cdp.staff.sessions import SignedIn, end_session, insert_session, make_token, update_seen
from cdp.staff.users import User, insert_user, select_user, select_user_of_identity, update_user
from cdp.store import retry_write

TRIES = 5
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(minutes=15)
_UNUSABLE = re.compile(r"[^A-Za-z0-9._-]+")
_REFUSED = "The name or the password is wrong, or the account rests after too many tries."


def sign_in(engine: Engine, name: str, password: str, *, now: datetime) -> str:
    """The token of a new session. Raises SignInRefusedError, the same for every cause."""
    user = retry_write(engine, lambda connection: _count_try(connection, name, now))
    # Outside of the write: it takes long on purpose.
    is_right = is_password(user.password_hash if user else None, password)
    if user is None or not is_right:
        raise SignInRefusedError(_REFUSED)
    return retry_write(engine, lambda connection: _begin(connection, user, "password", now))


@dataclass(frozen=True)
class Newcomer:
    """Which role somebody gets who is vouched for and has no account yet, and what they are called elsewhere."""

    role: str
    wanted_name: str


def sign_in_as(
    engine: Engine, issuer: str, subject: str, *, now: datetime, newcomer: Newcomer | None = None
) -> str:
    """The token of a new session, of somebody whom an issuer vouches for; a newcomer gets an account.

    Raises UnknownIdentityError, ClosedAccountError.
    """

    def work(connection: Connection) -> tuple[User | None, str | None]:
        user = select_user_of_identity(connection, issuer, subject)
        if user is None and newcomer is not None:
            user = _make_account(connection, newcomer, issuer, subject, now)
        if user is None or user.disabled_at is not None:
            refused = str(user.user_id) if user else "unknown"
            _audit(connection, "nobody", "user.sign_in_refused", refused, now, by="oidc")
            return user, None
        return user, _begin(connection, user, "oidc", now)

    user, token = retry_write(engine, work)
    if user is None:
        raise UnknownIdentityError("No account is bound to this identity: ask an administrator to bind one.")
    if token is None:
        raise ClosedAccountError(f"The account {user.name} is closed.", ids=[user.user_id])
    return token


def sign_out(engine: Engine, who: SignedIn, *, now: datetime) -> None:
    def work(connection: Connection) -> None:
        end_session(connection, who.session_id, now=now)
        _audit(connection, who.actor, "user.sign_out", str(who.user_id), now)

    retry_write(engine, work)


def note_seen(engine: Engine, who: SignedIn, *, now: datetime) -> None:
    retry_write(engine, lambda connection: update_seen(connection, who.session_id, now=now))


def lock_after(failed_count: int) -> timedelta | None:
    """How long an account rests after so many tries: from the fifth on, each time twice as long."""
    if failed_count < TRIES:
        return None
    doublings: int = min(failed_count - TRIES, 16)
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def _count_try(connection: Connection, name: str, now: datetime) -> User | None:
    """The account whose password is to be looked at; None for one that is unknown, closed or at rest."""
    user = select_user(connection, name)
    if user is None:
        # Not the name: people type their password there.
        _audit(connection, "nobody", "user.sign_in_refused", "unknown", now)
        return None
    is_resting = user.locked_until is not None and now < user.locked_until
    if is_resting or user.disabled_at is not None:
        _audit(connection, "nobody", "user.sign_in_refused", str(user.user_id), now)
        return None
    tries = user.failed_count + 1
    rest = lock_after(tries)
    until = None if rest is None else now + rest
    update_user(connection, user.user_id, failed_count=tries, locked_until=until)
    _audit(connection, "nobody", "user.sign_in_tried", str(user.user_id), now)
    return user


def _begin(connection: Connection, user: User, by: str, now: datetime) -> str:
    token = make_token()
    update_user(connection, user.user_id, failed_count=0, locked_until=None)
    insert_session(connection, token, user.user_id, now=now)
    _audit(connection, user.actor, "user.sign_in", str(user.user_id), now, by=by)
    return token


def _make_account(connection: Connection, who: Newcomer, issuer: str, subject: str, now: datetime) -> User:
    """Always one of its own: whatever it is called elsewhere, it is nobody's who has an account here."""
    insert_user(
        connection, _free_name(connection, who.wanted_name), who.role, now=now, issuer=issuer, subject=subject
    )
    user = select_user_of_identity(connection, issuer, subject)
    assert user is not None
    details = {"role": who.role, "issuer": issuer}
    _audit(connection, "oidc", "user.create", str(user.user_id), now, **details)
    return user


def _free_name(connection: Connection, wanted: str) -> str:
    """What is wanted as a name may be, with a number where somebody has it."""
    letters = _UNUSABLE.sub("-", wanted.partition("@")[0]).strip("-._")[:50] or "user"
    names = (letters if number == 1 else f"{letters}-{number}" for number in count(1))
    return next(name for name in names if select_user(connection, name) is None)


def _audit(
    connection: Connection, actor: str, action: str, object_id: str, now: datetime, **details: str
) -> None:
    append_audit(connection, [AuditEntry(actor, action, "user", object_id, now, details)])
