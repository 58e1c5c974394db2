"""Decisions that wait for a second person, and comments."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Integer, Text, text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")


def index_where(name: str, table_name: str, condition: str, *columns: str, unique: bool = False) -> None:
    where = text(condition)
    op.create_index(
        name, table_name, list(columns), unique=unique, sqlite_where=where, postgresql_where=where
    )


def upgrade() -> None:
    op.create_table(
        "decision_confirmations",
        Column("confirmation_id", ID, primary_key=True),
        Column("candidate_id", ID, ForeignKey("merge_candidates.candidate_id"), nullable=False),
        Column("decision", TEXT, nullable=False),
        Column("author", TEXT, nullable=False),
        Column("reason", TEXT, nullable=False),
        Column("why", TEXT, nullable=False),
        Column("etag", TEXT, nullable=False),
        Column("recorded_at", INSTANT, nullable=False),
        Column("ended_at", INSTANT),
        Column("ended_by", TEXT),
        Column("outcome", TEXT),
        Column("action_id", ID, ForeignKey("steward_actions.action_id")),
        CheckConstraint("decision IN ('same')", name="decision_confirmations_decision"),
        CheckConstraint(
            "outcome IS NULL OR outcome IN ('confirmed', 'overruled', 'withdrawn', 'changed')",
            name="decision_confirmations_outcome",
        ),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="decision_confirmations_ended"),
        CheckConstraint("ended_at IS NULL OR ended_by IS NOT NULL", name="decision_confirmations_ended_by"),
        CheckConstraint(
            "action_id IS NULL OR (ended_by <> author AND ended_at IS NOT NULL)",
            name="decision_confirmations_two_people",
        ),
        sqlite_autoincrement=True,
    )
    index_where(
        "decision_confirmations_open_unique",
        "decision_confirmations",
        "ended_at IS NULL",
        "candidate_id",
        unique=True,
    )
    index_where(
        "decision_confirmations_action", "decision_confirmations", "action_id IS NOT NULL", "action_id"
    )
    op.create_table(
        "comments",
        Column("comment_id", ID, primary_key=True),
        Column("candidate_id", ID, ForeignKey("merge_candidates.candidate_id")),
        Column("profile_id", TEXT, ForeignKey("profiles.profile_id")),
        Column("author", TEXT, nullable=False),
        Column("body", TEXT, nullable=False),
        Column("written_at", INSTANT, nullable=False),
        CheckConstraint("(candidate_id IS NULL) <> (profile_id IS NULL)", name="comments_about_one"),
        CheckConstraint("length(body) BETWEEN 1 AND 2000", name="comments_body"),
        sqlite_autoincrement=True,
    )
    index_where("comments_candidate", "comments", "candidate_id IS NOT NULL", "candidate_id")
    index_where("comments_profile", "comments", "profile_id IS NOT NULL", "profile_id")
