"""Sessions of the console: who is signed in, by a token that only the browser has.

Grain: one row per time somebody signed in. A session ends when it is idle for long, when it is old, when somebody
signs out, when the password changes or the account is closed.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from cdp.staff.users import actor_of
from cdp.store.quick import QuickStatement
from cdp.store.schema import console_sessions as sessions
from cdp.store.schema import users

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
# Being there is noted this often, so that a page costs a write once a minute at most.
NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class SignedIn:
    """Who works in the console now."""

    session_id: int
    user_id: int
    name: str
    role: str
    has_password: bool
    seen_at: datetime

    @property
    def actor(self) -> str:
        return actor_of(self.user_id)


def make_token() -> str:
    return secrets.token_urlsafe(32)


def insert_session(connection: Connection, token: str, user_id: int, *, now: datetime) -> None:
    """Begin a session; those of the account that ended by themselves are forgotten."""
    connection.execute(
        delete(sessions).where(sessions.c.user_id == user_id, sessions.c.expires_at <= now - LONGEST)
    )
    values = {
        "token_hash": _hash(token),
        "user_id": user_id,
        "created_at": now,
        "seen_at": now,
        "expires_at": now + LONGEST,
    }
    connection.execute(insert(sessions), values)


def select_signed_in(connection: Connection, token: str, *, now: datetime) -> SignedIn | None:
    """Whose session the token is; None when it ended, or never was."""
    row = _SESSION.first(connection, token_hash=_hash(token))
    if row is None or row.ended_at is not None or row.disabled_at is not None:
        return None
    if now >= row.expires_at or now >= row.seen_at + IDLE:
        return None
    return SignedIn(
        session_id=row.session_id,
        user_id=row.user_id,
        name=row.name,
        role=row.role,
        has_password=row.password_hash is not None,
        seen_at=row.seen_at,
    )


def update_seen(connection: Connection, session_id: int, *, now: datetime) -> None:
    connection.execute(update(sessions).where(sessions.c.session_id == session_id).values(seen_at=now))


def end_session(connection: Connection, session_id: int, *, now: datetime) -> None:
    _end(connection, sessions.c.session_id == session_id, now)


def end_sessions_of(
    connection: Connection, user_id: int, *, but_session_id: int | None = None, now: datetime
) -> None:
    _end(connection, (sessions.c.user_id == user_id) & (sessions.c.session_id != (but_session_id or 0)), now)


def _end(connection: Connection, which: object, now: datetime) -> None:
    statement = update(sessions).where(which, sessions.c.ended_at.is_(None))  # type: ignore[arg-type]
    connection.execute(statement.values(ended_at=now))


_SESSION = QuickStatement(
    select(
        sessions.c.session_id,
        sessions.c.seen_at,
        sessions.c.expires_at,
        sessions.c.ended_at,
        users.c.user_id,
        users.c.name,
        users.c.role,
        users.c.password_hash,
        users.c.disabled_at,
    )
    .join(users, users.c.user_id == sessions.c.user_id)
    .where(sessions.c.token_hash == bindparam("token_hash"))
)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
