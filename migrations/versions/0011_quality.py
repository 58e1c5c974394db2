"""A quality sample: decisions and automatic joins that are read again by somebody else."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Integer, Text, text
from sqlalchemy.types import Double

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "quality_draws",
        Column("draw_id", ID, primary_key=True),
        Column("drawn_at", INSTANT, nullable=False),
        Column("up_to_action_id", ID, nullable=False),
        Column("up_to_entry_id", ID, nullable=False),
        Column("decision_share", Double, nullable=False),
        Column("join_share", Double, nullable=False),
        Column("sample_count", Integer, nullable=False),
        sqlite_autoincrement=True,
    )

    op.create_table(
        "quality_samples",
        Column("sample_id", ID, primary_key=True),
        Column("draw_id", ID, ForeignKey("quality_draws.draw_id"), nullable=False),
        Column("kind", TEXT, nullable=False),
        Column("action_id", ID, ForeignKey("steward_actions.action_id")),
        Column("ledger_entry_id", ID, ForeignKey("ledger_entries.ledger_entry_id")),
        Column("record_id_l", ID, ForeignKey("source_records.record_id"), nullable=False),
        Column("record_id_r", ID, ForeignKey("source_records.record_id"), nullable=False),
        Column("first_answer", TEXT, nullable=False),
        Column("first_author", TEXT, nullable=False),
        Column("chance", Double, nullable=False),
        Column("answer", TEXT),
        Column("answered_by", TEXT),
        Column("answered_at", INSTANT),
        CheckConstraint("kind IN ('decision', 'join')", name="quality_samples_kind"),
        CheckConstraint("(kind = 'decision') = (action_id IS NOT NULL)", name="quality_samples_decision"),
        CheckConstraint("(kind = 'join') = (ledger_entry_id IS NOT NULL)", name="quality_samples_join"),
        CheckConstraint("chance > 0 AND chance <= 1", name="quality_samples_chance"),
        CheckConstraint(
            "answer IS NULL OR answer IN ('same', 'different', 'unsure')", name="quality_samples_answer"
        ),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="quality_samples_answered"),
        CheckConstraint(
            "answered_by IS NULL OR answered_by <> first_author", name="quality_samples_two_people"
        ),
        sqlite_autoincrement=True,
    )
    for name, column in (
        ("quality_samples_action_unique", "action_id"),
        ("quality_samples_entry_unique", "ledger_entry_id"),
    ):
        where = text(f"{column} IS NOT NULL")
        op.create_index(
            name, "quality_samples", [column], unique=True, sqlite_where=where, postgresql_where=where
        )
