"""The secret that the console's cookies and forms are signed with: one of the store, for all its processes."""

from __future__ import annotations

import secrets as random_secrets
from datetime import datetime

from sqlalchemy import Connection, insert, select

from cdp.store.schema import console_secrets

_SIGNING = "signing"


def select_signing_secret(connection: Connection) -> str | None:
    """None before there is a user."""
    return connection.scalar(select(console_secrets.c.secret).where(console_secrets.c.name == _SIGNING))


def ensure_signing_secret(connection: Connection, *, now: datetime) -> None:
    if select_signing_secret(connection) is None:
        values = {"name": _SIGNING, "secret": random_secrets.token_hex(32), "created_at": now}
        connection.execute(insert(console_secrets), values)
