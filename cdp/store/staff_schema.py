"""The tables of those who work in the console: who they are, and since when they are signed in."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, UniqueConstraint

from cdp.store.columns import TEXT, key, metadata, one_of, refers, unique_where
from cdp.store.instants import Instant

STAFF_ROLES = ("steward", "lead", "admin")

# One row per account of the console. password_hash: argon2id, none for who signs in elsewhere (issuer, subject).
# failed_count: tries since the last one that was right; locked_until: none is looked at before.
users = Table(
    "users",
    metadata,
    key("user_id"),
    Column("name", TEXT, nullable=False),
    Column("role", TEXT, nullable=False),
    Column("password_hash", TEXT),
    Column("issuer", TEXT),
    Column("subject", TEXT),
    Column("failed_count", Integer, nullable=False),
    Column("locked_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    UniqueConstraint("name", name="users_name_unique"),
    one_of("users_role", "role", *STAFF_ROLES),
    CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="users_identity"),
    CheckConstraint("failed_count >= 0", name="users_failed_count"),
    unique_where("users_identity_unique", "issuer IS NOT NULL", "issuer", "subject"),
    sqlite_autoincrement=True,
)

# One row per time somebody signed in; the token itself is with the browser alone.
console_sessions = Table(
    "console_sessions",
    metadata,
    key("session_id"),
    Column("token_hash", TEXT, nullable=False),
    refers("user_id", "users.user_id"),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    UniqueConstraint("token_hash", name="console_sessions_token_unique"),
    CheckConstraint("length(token_hash) = 64", name="console_sessions_token_hash"),
    CheckConstraint("expires_at > created_at", name="console_sessions_expiry"),
    Index("console_sessions_user", "user_id"),
    sqlite_autoincrement=True,
)

# One row per secret that every process of the console must share.
console_secrets = Table(
    "console_secrets",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("secret", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
)
