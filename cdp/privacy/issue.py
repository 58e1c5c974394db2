"""Give out an API key, give it another secret and take it back, each with its audit entry."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine

from cdp.privacy.audit import AuditEntry, append_audit
from cdp.privacy.keys import KeyRights, NewKey, close_key, insert_key, replace_secret
from cdp.store import write


def issue_key(engine: Engine, key: NewKey, rights: KeyRights, *, actor: str, now: datetime) -> None:
    details = {
        "scopes": sorted(set(rights.scopes)),
        "sources": None if rights.sources is None else sorted(set(rights.sources)),
        "views": None if rights.views is None else sorted(set(rights.views)),
        "expires_at": None if rights.expires_at is None else rights.expires_at.isoformat(),
    }
    with write(engine) as connection:
        insert_key(connection, key, rights, now=now)
        append_audit(connection, [AuditEntry(actor, "key.create", "key", key.key_id, now, details)])


def rotate_key(
    engine: Engine,
    key: NewKey,
    *,
    overlap: timedelta,
    expires_at: datetime | None = None,
    actor: str,
    now: datetime,
) -> datetime:
    """The key opens with its new secret from now on, and with the former one until the instant that is returned.

    Raises UnknownKeyError, DeadKeyError, RotationRunningError.
    """
    former_expires_at = now + overlap
    details = {
        "former_expires_at": former_expires_at.isoformat(),
        "expires_at": None if expires_at is None else expires_at.isoformat(),
    }
    with write(engine) as connection:
        replace_secret(connection, key, former_expires_at=former_expires_at, expires_at=expires_at, now=now)
        append_audit(connection, [AuditEntry(actor, "key.rotate", "key", key.key_id, now, details)])
    return former_expires_at


def revoke_key(engine: Engine, key_id: str, *, actor: str, now: datetime) -> bool:
    """False, and no new entry, when the key was revoked before. Raises UnknownKeyError."""
    with write(engine) as connection:
        revoked = close_key(connection, key_id, now=now)
        if revoked:
            append_audit(connection, [AuditEntry(actor, "key.revoke", "key", key_id, now)])
    return revoked
