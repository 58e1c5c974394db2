"""Give out accounts of the console, change and close them, each with its audit entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from cdp.privacy.audit import AuditEntry, append_audit
from cdp.staff.errors import IdentityTakenError, SignInRefusedError, UnusableNameError
from cdp.staff.passwords import hash_password, is_password, require_strong
from cdp.staff.secrets import ensure_signing_secret
from cdp.staff.sessions import SignedIn, end_sessions_of
from cdp.staff.users import insert_user, require_user, select_user_of_identity, update_user
from cdp.store import retry_write

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True)
class NewUser:
    """Signs in with a password, or elsewhere as a subject of an issuer, or with either."""

    name: str
    role: str
    password: str | None = None
    identity: tuple[str, str] | None = None


def create_user(engine: Engine, new: NewUser, *, actor: str, now: datetime) -> int:
    """Raises UserExistsError, UnusableNameError, WeakPasswordError."""
    if not _NAME.fullmatch(new.name):
        raise UnusableNameError(
            "A user's name has 1 to 64 letters without accents, digits, dots, dashes or @, and begins with one of "
            "the first two."
        )
    if new.password is not None:
        require_strong(new.password)
    issuer, subject = new.identity or (None, None)
    password_hash = None if new.password is None else hash_password(new.password)

    def work(connection: Connection) -> int:
        ensure_signing_secret(connection, now=now)
        user_id = insert_user(
            connection,
            new.name,
            new.role,
            password_hash=password_hash,
            issuer=issuer,
            subject=subject,
            now=now,
        )
        _audit(connection, actor, "user.create", user_id, now, {"role": new.role, "issuer": issuer})
        return user_id

    return retry_write(engine, work)


def reset_password(engine: Engine, name: str, password: str, *, actor: str, now: datetime) -> None:
    """By somebody else: all sessions of the account end, and it is locked no more. Raises UnknownUserError,
    WeakPasswordError."""
    require_strong(password)
    password_hash = hash_password(password)

    def work(connection: Connection) -> None:
        user = require_user(connection, name)
        update_user(connection, user.user_id, password_hash=password_hash, failed_count=0, locked_until=None)
        end_sessions_of(connection, user.user_id, now=now)
        _audit(connection, actor, "user.reset_password", user.user_id, now)

    retry_write(engine, work)


def change_password(engine: Engine, who: SignedIn, old: str, new: str, *, now: datetime) -> None:
    """By oneself: every other session of the account ends. Raises SignInRefusedError, WeakPasswordError."""
    require_strong(new)
    password_hash = hash_password(new)

    def work(connection: Connection) -> None:
        if not is_password(require_user(connection, who.name).password_hash, old):
            raise SignInRefusedError("The present password is another.")
        update_user(connection, who.user_id, password_hash=password_hash)
        end_sessions_of(connection, who.user_id, but_session_id=who.session_id, now=now)
        _audit(connection, who.actor, "user.change_password", who.user_id, now)

    retry_write(engine, work)


def bind_identity(engine: Engine, name: str, identity: tuple[str, str], *, actor: str, now: datetime) -> None:
    """The account is of this issuer's subject from now on. Raises UnknownUserError, IdentityTakenError."""
    issuer, subject = identity

    def work(connection: Connection) -> None:
        user = require_user(connection, name)
        holder = select_user_of_identity(connection, issuer, subject)
        if holder is not None and holder.user_id != user.user_id:
            raise IdentityTakenError(
                f"This subject is bound to user {holder.name} already.", ids=[holder.user_id]
            )
        update_user(connection, user.user_id, issuer=issuer, subject=subject)
        _audit(connection, actor, "user.bind", user.user_id, now, {"issuer": issuer})

    retry_write(engine, work)


def set_role(engine: Engine, name: str, role: str, *, actor: str, now: datetime) -> None:
    """Raises UnknownUserError."""

    def work(connection: Connection) -> None:
        user = require_user(connection, name)
        update_user(connection, user.user_id, role=role)
        _audit(connection, actor, "user.set_role", user.user_id, now, {"role": role})

    retry_write(engine, work)


def close_user(engine: Engine, name: str, *, actor: str, now: datetime) -> bool:
    """Nobody signs in with it from now on; False when it was closed before. Raises UnknownUserError."""

    def work(connection: Connection) -> bool:
        user = require_user(connection, name)
        if user.disabled_at is not None:
            return False
        update_user(connection, user.user_id, disabled_at=now)
        end_sessions_of(connection, user.user_id, now=now)
        _audit(connection, actor, "user.close", user.user_id, now)
        return True

    return retry_write(engine, work)


def _audit(
    connection: Connection,
    actor: str,
    action: str,
    user_id: int,
    now: datetime,
    details: Mapping[str, object] | None = None,
) -> None:
    append_audit(connection, [AuditEntry(actor, action, "user", str(user_id), now, details or {})])
