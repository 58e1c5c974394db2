"""Answers that are given again to calls that come twice."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "idempotent_answers",
        Column("answer_id", ID, primary_key=True),
        Column("key_id", TEXT, ForeignKey("api_keys.key_id"), nullable=False),
        Column("idempotency_key", TEXT, nullable=False),
        Column("route", TEXT, nullable=False),
        Column("request_hash", TEXT, nullable=False),
        Column("status", Integer, nullable=False),
        Column("headers", TEXT, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("profile_ids", TEXT, nullable=False),
        Column("created_at", INSTANT, nullable=False),
        Column("expires_at", INSTANT, nullable=False),
        UniqueConstraint("key_id", "idempotency_key", name="idempotent_answers_key_unique"),
        CheckConstraint("length(request_hash) = 64", name="idempotent_answers_request_hash"),
        CheckConstraint("status BETWEEN 200 AND 299", name="idempotent_answers_status"),
        CheckConstraint("expires_at > created_at", name="idempotent_answers_expiry"),
        sqlite_autoincrement=True,
    )
    op.create_index("idempotent_answers_expires", "idempotent_answers", ["expires_at"])
