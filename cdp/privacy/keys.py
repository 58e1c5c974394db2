"""API keys: who a calling program is and what it may do.

Grain: one row per key. A key reads `cdp_<id>_<secret><checksum>`: the id finds the row, 192 random bits are
the secret, the checksum tells a mistyped key from an unknown one without a look at the store. Only a hash of
the whole is kept. The secret is too long to guess, so a fast hash is enough and a slow one would only cost.
A key that is rotated has a new secret under the same id, and for a while the former one too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import string
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, select

from cdp.canonical import canonical_json
from cdp.errors import CdpError
from cdp.store.quick import QuickStatement
from cdp.store.schema import api_keys

VIEWS = ("ivr", "bot", "pos", "agent", "self", "steward")
ALL_SCOPES = "admin"
SCOPES = (
    "records:write",
    "profiles:lookup",
    "profiles:search",
    *(f"profiles:read:{view}" for view in VIEWS),
    "pii:unmask",
    "segment:write",
    "contacts:write",
    "requests:write",
    "handoffs:write",
    "consents:write",
    "candidates:read",
    "candidates:decide",
    "profiles:join",
    "privacy:execute",
    "studies:read",
    "webhooks:write",
    "metrics:read",
    ALL_SCOPES,
)

# No text has it.
_NO_HASH = "0" * 64
_ALPHABET = string.digits + string.ascii_letters
_ID_BYTES, _ID_LETTERS = 8, 11
_SECRET_BYTES, _SECRET_LETTERS = 24, 33
_CHECKSUM_LETTERS = 6


class UnknownScopeError(CdpError):
    reason = "unknown_scope"


class UnknownViewError(CdpError):
    reason = "unknown_view"


class UnknownKeyError(CdpError):
    reason = "unknown_key"


class DeadKeyError(CdpError):
    """A key that opens nothing any more cannot be rotated."""

    reason = "key_dead"


class RotationRunningError(CdpError):
    """A third secret would end the first, which its holder still may use."""

    reason = "rotation_running"


@dataclass(frozen=True)
class Caller:
    """Who calls, and with which rights; sources and views of None mean all."""

    key_id: str
    name: str
    scopes: frozenset[str]
    sources: frozenset[str] | None
    views: frozenset[str] | None

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes or ALL_SCOPES in self.scopes

    def may_use_source(self, source: str) -> bool:
        return self.sources is None or source in self.sources

    @cached_property
    def readable_views(self) -> tuple[str, ...]:
        bound = VIEWS if self.views is None else [view for view in VIEWS if view in self.views]
        return tuple(view for view in bound if self.has_scope(f"profiles:read:{view}"))

    def may_read_view(self, view: str) -> bool:
        return view in self.readable_views


@dataclass(frozen=True)
class NewKey:
    """A key as it is made; `secret` is the whole text, shown once and kept by nobody here."""

    key_id: str
    secret: str


@dataclass(frozen=True)
class KeyRights:
    """What a key is for. Raises UnknownScopeError or UnknownViewError for what there is not."""

    name: str
    scopes: tuple[str, ...]
    sources: tuple[str, ...] | None = None
    views: tuple[str, ...] | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        for scope in self.scopes:
            if scope not in SCOPES:
                raise UnknownScopeError(f"There is no scope {scope!r}; there are {', '.join(SCOPES)}.")
        if not self.scopes:
            raise UnknownScopeError(f"A key needs a scope: one or more of {', '.join(SCOPES)}.")
        for view in self.views or ():
            if view not in VIEWS:
                raise UnknownViewError(f"There is no view {view!r}; there are {', '.join(VIEWS)}.")


def make_key(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> NewKey:
    return make_secret(_letters(random_bytes(_ID_BYTES), _ID_LETTERS), random_bytes)


def make_secret(key_id: str, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> NewKey:
    """A key of this id, with a secret of its own."""
    body = f"cdp_{key_id}_{_letters(random_bytes(_SECRET_BYTES), _SECRET_LETTERS)}"
    return NewKey(key_id, body + _checksum(body))


def parse_key(secret: str) -> str | None:
    """The id in a well-formed key, None for anything else."""
    parts = secret.split("_")
    if len(parts) != 3 or parts[0] != "cdp" or len(parts[1]) != _ID_LETTERS:
        return None
    if len(parts[2]) != _SECRET_LETTERS + _CHECKSUM_LETTERS or not secret.isascii():
        return None
    body, checksum = secret[:-_CHECKSUM_LETTERS], secret[-_CHECKSUM_LETTERS:]
    return parts[1] if hmac.compare_digest(checksum, _checksum(body)) else None


def insert_key(connection: Connection, key: NewKey, rights: KeyRights, *, now: datetime) -> None:
    connection.execute(
        api_keys.insert(),
        {
            "key_id": key.key_id,
            "name": rights.name,
            "secret_hash": _hash(key.secret),
            "scopes": _list_text(rights.scopes),
            "sources": None if rights.sources is None else _list_text(rights.sources),
            "views": None if rights.views is None else _list_text(rights.views),
            "created_at": now,
            "expires_at": rights.expires_at,
        },
    )


def select_keys(connection: Connection) -> list[dict[str, Any]]:
    """All keys, oldest first, without their hashes; lists as lists."""
    hashes = (api_keys.c.secret_hash.name, api_keys.c.former_secret_hash.name)
    columns = [each for each in api_keys.c if each.name not in hashes]
    rows = connection.execute(select(*columns).order_by(api_keys.c.created_at, api_keys.c.key_id)).mappings()
    return [
        {
            **row,
            "scopes": json.loads(row["scopes"]),
            "sources": row["sources"] and json.loads(row["sources"]),
            "views": row["views"] and json.loads(row["views"]),
        }
        for row in rows
    ]


def close_key(connection: Connection, key_id: str, *, now: datetime) -> bool:
    """Revoke a key from now on; False when it was already. Raises UnknownKeyError."""
    known = connection.scalar(select(api_keys.c.key_id).where(api_keys.c.key_id == key_id))
    if known is None:
        raise _unknown_key(key_id)
    closed = connection.execute(
        api_keys.update()
        .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return closed.rowcount == 1


def replace_secret(
    connection: Connection,
    key: NewKey,
    *,
    former_expires_at: datetime,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Give a key that is alive another secret, and the one before an end; expires_at of None: the key's as it is.

    Raises UnknownKeyError, DeadKeyError, RotationRunningError.
    """
    of_key = select(api_keys).where(api_keys.c.key_id == key.key_id)
    row = connection.execute(of_key.with_for_update()).first()
    if row is None:
        raise _unknown_key(key.key_id)
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise DeadKeyError(
            f"Key {key.key_id} is revoked or expired: make another with `cdp key create`.", ids=[key.key_id]
        )
    if former_expires_at > now and row.former_expires_at is not None and row.former_expires_at > now:
        raise RotationRunningError(
            f"Key {key.key_id} was rotated, and its former secret opens until {row.former_expires_at:%Y-%m-%d %H:%M} "
            "UTC: wait, or rotate with --overlap-hours 0, which ends both former secrets now.",
            ids=[key.key_id],
        )
    connection.execute(
        api_keys.update()
        .where(api_keys.c.key_id == key.key_id)
        .values(
            secret_hash=_hash(key.secret),
            former_secret_hash=row.secret_hash,
            former_expires_at=former_expires_at,
            expires_at=expires_at or row.expires_at,
        )
    )


def authenticate(connection: Connection, secret: str, now: datetime) -> Caller | None:
    """The caller who holds this secret; None when it is malformed, unknown, expired or revoked. One read."""
    key_id = parse_key(secret)
    if key_id is None:
        return None
    row = _KEY.first(connection, key_id=key_id)
    # An unknown id costs the same comparisons, so that the time taken tells nothing.
    hashed = _hash(secret)
    is_secret = hmac.compare_digest(row.secret_hash if row else _NO_HASH, hashed)
    is_former = hmac.compare_digest((row and row.former_secret_hash) or _NO_HASH, hashed)
    if row is None or not (is_secret or is_former) or row.revoked_at is not None:
        return None
    if not is_secret and row.former_expires_at <= now:
        return None
    if row.expires_at is not None and row.expires_at <= now:
        return None
    return _caller(row.key_id, row.name, row.scopes, row.sources, row.views)


_KEY = QuickStatement(
    select(*(column for column in api_keys.c if column is not api_keys.c.created_at)).where(
        api_keys.c.key_id == bindparam("key_id")
    )
)


@lru_cache
def _caller(key_id: str, name: str, scopes: str, sources: str | None, views: str | None) -> Caller:
    """Remembered by everything it is made of: a key that is changed is another entry."""
    return Caller(
        key_id=key_id,
        name=name,
        scopes=frozenset(json.loads(scopes)),
        sources=None if sources is None else frozenset(json.loads(sources)),
        views=None if views is None else frozenset(json.loads(views)),
    )


def _unknown_key(key_id: str) -> UnknownKeyError:
    return UnknownKeyError(f"There is no key {key_id}: `cdp key list` names them.", ids=[key_id])


def _list_text(values: Iterable[str]) -> str:
    return canonical_json(sorted(set(values)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    return _letters(zlib.crc32(body.encode()).to_bytes(4, "big"), _CHECKSUM_LETTERS)


def _letters(value: bytes, width: int) -> str:
    """A number in digits and letters, in a fixed width that holds every value of that many bytes."""
    number, letters = int.from_bytes(value, "big"), []
    for _ in range(width):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(reversed(letters))
