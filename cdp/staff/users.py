"""Accounts of the console.

Grain: one row per account. Its name is what somebody signs in with and never changes; what is written of them
elsewhere names the id.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from cdp.staff.errors import UnknownUserError, UserExistsError
from cdp.store.schema import users

_ACTOR = "user:"


@dataclass(frozen=True)
class User:
    """issuer, subject: who vouches for them, and under which name, where they sign in elsewhere."""

    user_id: int
    name: str
    role: str
    password_hash: str | None
    issuer: str | None
    subject: str | None
    failed_count: int
    locked_until: datetime | None
    created_at: datetime
    disabled_at: datetime | None

    @property
    def actor(self) -> str:
        return actor_of(self.user_id)


def actor_of(user_id: int) -> str:
    """How ledger and audit name an account."""
    return f"{_ACTOR}{user_id}"


def select_user(connection: Connection, name: str) -> User | None:
    return _user(connection.execute(select(users).where(users.c.name == name)).first())


def select_user_of_identity(connection: Connection, issuer: str, subject: str) -> User | None:
    statement = select(users).where(users.c.issuer == issuer, users.c.subject == subject)
    return _user(connection.execute(statement).first())


def require_user(connection: Connection, name: str) -> User:
    """Raises UnknownUserError."""
    found = select_user(connection, name)
    if found is None:
        raise UnknownUserError(f"There is no user {name!r}: `cdp user list` names them.")
    return found


def select_users(connection: Connection) -> list[User]:
    """All of them by name."""
    return [User(**row) for row in connection.execute(select(users).order_by(users.c.name)).mappings()]


def select_author_names(connection: Connection, authors: Collection[str]) -> dict[str, str]:
    """Those of the authors of ledger or audit who have an account, with its name."""
    ids = [int(each.removeprefix(_ACTOR)) for each in authors if each.removeprefix(_ACTOR).isdecimal()]
    if not ids:
        return {}
    rows = connection.execute(select(users.c.user_id, users.c.name).where(users.c.user_id.in_(ids)))
    return {actor_of(row.user_id): row.name for row in rows}


def insert_user(
    connection: Connection, name: str, role: str, *, now: datetime, **particulars: str | None
) -> int:
    """Particulars: password_hash, issuer, subject. Raises UserExistsError."""
    if select_user(connection, name) is not None:
        raise UserExistsError(f"There is a user {name!r} already: choose another name.")
    values = {"name": name, "role": role, "failed_count": 0, "created_at": now, **particulars}
    user_id: int = connection.scalars(insert(users).returning(users.c.user_id), values).one()
    return user_id


def update_user(connection: Connection, user_id: int, **changes: Any) -> None:
    connection.execute(update(users).where(users.c.user_id == user_id).values(**changes))


def _user(row: Row[Any] | None) -> User | None:
    return User(**row._mapping) if row else None
