"""Frozen records, rulings that wait for a second person, and what the profiles of merge candidates are worth."""

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

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")

_KINDS_BEFORE = "kind IN ('join', 'split', 'decision', 'pin', 'undo')"
_KINDS = "kind IN ('join', 'split', 'decision', 'pin', 'freeze', 'undo')"


def index_where(name: str, table_name: str, condition: str, *columns: str, unique: bool = False) -> None:
    where = text(condition)
    op.create_index(
        name, table_name, list(columns), unique=unique, sqlite_where=where, postgresql_where=where
    )


def upgrade() -> None:
    _let_actions_freeze()
    _weigh_candidates()
    op.create_table(
        "frozen_records",
        Column("frozen_id", ID, primary_key=True),
        Column("record_id", ID, ForeignKey("source_records.record_id"), nullable=False),
        Column("opened_by", ID, ForeignKey("steward_actions.action_id"), nullable=False),
        Column("valid_from", INSTANT, nullable=False),
        Column("valid_to", INSTANT),
        Column("closed_by", ID, ForeignKey("steward_actions.action_id")),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="frozen_records_valid"),
        CheckConstraint("(valid_to IS NULL) = (closed_by IS NULL)", name="frozen_records_closed"),
        sqlite_autoincrement=True,
    )
    index_where(
        "frozen_records_open_unique",
        "frozen_records",
        "valid_to IS NULL",
        "record_id",
        "opened_by",
        unique=True,
    )
    op.create_index("frozen_records_opened", "frozen_records", ["opened_by"])
    op.create_table(
        "ruling_proposals",
        Column("proposal_id", ID, primary_key=True),
        Column("kind", TEXT, nullable=False),
        Column("request", TEXT, nullable=False),
        Column("author", TEXT, nullable=False),
        Column("reason", TEXT, nullable=False),
        Column("why", TEXT, nullable=False),
        Column("etag", TEXT, nullable=False),
        Column("recorded_at", INSTANT, nullable=False),
        Column("ended_at", INSTANT),
        Column("ended_by", TEXT),
        Column("outcome", TEXT),
        Column("action_id", ID, ForeignKey("steward_actions.action_id")),
        CheckConstraint("kind IN ('join', 'split', 'take_apart')", name="ruling_proposals_kind"),
        CheckConstraint(
            "outcome IS NULL OR outcome IN ('confirmed', 'refused', 'withdrawn', 'changed')",
            name="ruling_proposals_outcome",
        ),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ruling_proposals_ended"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ruling_proposals_ended_by"),
        CheckConstraint(
            "action_id IS NULL OR (ended_by <> author AND outcome = 'confirmed')",
            name="ruling_proposals_two_people",
        ),
        sqlite_autoincrement=True,
    )
    index_where("ruling_proposals_open", "ruling_proposals", "ended_at IS NULL", "kind")
    index_where("ruling_proposals_action", "ruling_proposals", "action_id IS NOT NULL", "action_id")


def _weigh_candidates() -> None:
    """How much is known of both profiles, of each kind at most 50: identifiers, consents, orders, which count five."""
    op.add_column("merge_candidates", Column("worth", Integer, nullable=False, server_default=text("0")))
    parts = " + ".join(
        f"""{each} * (SELECT count(*) FROM (
            SELECT 1 FROM memberships AS held JOIN {table} AS told ON told.record_id = held.record_id
            WHERE held.profile_id IN (merge_candidates.profile_id_l, merge_candidates.profile_id_r)
            AND held.valid_to IS NULL AND {narrowed} LIMIT 50) AS counted)"""  # noqa: S608  of this file
        for each, table, narrowed in (
            (1, "identifiers", "told.kind IS NOT NULL"),
            (1, "engagement_states", "told.kind = 'consent'"),
            (5, "engagement_states", "told.kind = 'order'"),
        )
    )
    op.execute(text(f"UPDATE merge_candidates SET worth = {parts} WHERE state = 'open'"))  # noqa: S608
    op.drop_index("merge_candidates_queue", table_name="merge_candidates")
    index_where(
        "merge_candidates_queue",
        "merge_candidates",
        "state = 'open'",
        "match_weight",
        "candidate_id",
        "match_probability",
        "reason",
        "created_at",
        "due_at",
        "record_count",
        "worth",
        "identifier_kinds",
        "source_id_l",
        "source_id_r",
        "assignee",
        "state",
    )


def _let_actions_freeze() -> None:
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
