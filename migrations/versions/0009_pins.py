"""Pins: values that stewards chose for golden records."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")

_KINDS_BEFORE = "kind IN ('join', 'split', 'decision', 'undo')"
_KINDS = "kind IN ('join', 'split', 'decision', 'pin', 'undo')"


def upgrade() -> None:
    _let_actions_pin()
    op.create_table(
        "golden_pins",
        Column("pin_id", ID, primary_key=True),
        Column("record_id", ID, ForeignKey("source_records.record_id"), nullable=False),
        Column("attribute", TEXT, nullable=False),
        Column("value", TEXT, nullable=False),
        Column("opened_by", ID, ForeignKey("steward_actions.action_id"), nullable=False),
        Column("valid_from", INSTANT, nullable=False),
        Column("valid_to", INSTANT),
        Column("closed_by", ID, ForeignKey("steward_actions.action_id")),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="golden_pins_valid"),
        CheckConstraint("(valid_to IS NULL) = (closed_by IS NULL)", name="golden_pins_closed"),
        sqlite_autoincrement=True,
    )
    is_open = text("valid_to IS NULL")
    op.create_index(
        "golden_pins_open_unique",
        "golden_pins",
        ["record_id", "attribute", "opened_by"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("golden_pins_opened", "golden_pins", ["opened_by"])


def _let_actions_pin() -> None:
    """SQLite changes a check by making the table anew: described whole, since it reflects no check."""
    described = Table(
        "steward_actions",
        MetaData(),
        Column("action_id", ID, primary_key=True),
        Column("kind", TEXT, nullable=False),
        Column("author", TEXT, nullable=False),
        Column("reason", TEXT, nullable=False),
        Column("candidate_id", ID, ForeignKey("merge_candidates.candidate_id")),
        Column("decision", TEXT),
        Column("undoes_action_id", ID, ForeignKey("steward_actions.action_id")),
        Column("undoes_entry_id", ID),
        Column("undone_by", ID, ForeignKey("steward_actions.action_id")),
        Column("recorded_at", INSTANT, nullable=False),
        CheckConstraint(_KINDS_BEFORE, name="steward_actions_kind"),
        CheckConstraint(
            "decision IS NULL OR decision IN ('same', 'different', 'unsure')", name="steward_actions_decision"
        ),
        Index("steward_actions_candidate", "candidate_id", sqlite_where=text("candidate_id IS NOT NULL")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table(
        "steward_actions", copy_from=described, table_kwargs={"sqlite_autoincrement": True}
    ) as batch:
        batch.drop_constraint("steward_actions_kind", type_="check")
        batch.create_check_constraint("steward_actions_kind", text(_KINDS))
