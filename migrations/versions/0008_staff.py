"""Those who work in the console, and since when they are signed in."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    Text,
    UniqueConstraint,
    text,
)

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "users",
        Column("user_id", ID, primary_key=True),
        Column("name", TEXT, nullable=False),
        Column("role", TEXT, nullable=False),
        Column("password_hash", TEXT),
        Column("issuer", TEXT),
        Column("subject", TEXT),
        Column("failed_count", Integer, nullable=False),
        Column("locked_until", INSTANT),
        Column("created_at", INSTANT, nullable=False),
        Column("disabled_at", INSTANT),
        UniqueConstraint("name", name="users_name_unique"),
        CheckConstraint("role IN ('steward', 'lead', 'admin')", name="users_role"),
        CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="users_identity"),
        CheckConstraint("failed_count >= 0", name="users_failed_count"),
        sqlite_autoincrement=True,
    )
    bound = text("issuer IS NOT NULL")
    op.create_index(
        "users_identity_unique",
        "users",
        ["issuer", "subject"],
        unique=True,
        sqlite_where=bound,
        postgresql_where=bound,
    )
    op.create_table(
        "console_sessions",
        Column("session_id", ID, primary_key=True),
        Column("token_hash", TEXT, nullable=False),
        Column("user_id", ID, ForeignKey("users.user_id"), nullable=False),
        Column("created_at", INSTANT, nullable=False),
        Column("seen_at", INSTANT, nullable=False),
        Column("expires_at", INSTANT, nullable=False),
        Column("ended_at", INSTANT),
        UniqueConstraint("token_hash", name="console_sessions_token_unique"),
        CheckConstraint("length(token_hash) = 64", name="console_sessions_token_hash"),
        CheckConstraint("expires_at > created_at", name="console_sessions_expiry"),
        sqlite_autoincrement=True,
    )
    op.create_index("console_sessions_user", "console_sessions", ["user_id"])
    op.create_table(
        "console_secrets",
        Column("name", TEXT, primary_key=True),
        Column("secret", TEXT, nullable=False),
        Column("created_at", INSTANT, nullable=False),
    )
