"""What people did: events, and what is made of them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    _keep_events()
    _keep_what_they_add_up_to()
    _keep_sightings()
    op.create_table(
        "rejected_messages",
        Column("rejection_id", ID, primary_key=True),
        _refers("source_id", "sources.source_id"),
        Column("message_hash", TEXT, nullable=False),
        Column("message_id", TEXT),
        Column("kind", TEXT),
        Column("code", TEXT, nullable=False),
        Column("pointer", TEXT, nullable=False),
        Column("detail", TEXT, nullable=False),
        Column("size_bytes", Integer, nullable=False),
        Column("received_at", INSTANT, nullable=False),
        UniqueConstraint("source_id", "message_hash", "code", name="rejected_messages_unique"),
        CheckConstraint("length(message_hash) = 64", name="rejected_messages_hash"),
        CheckConstraint("size_bytes >= 0", name="rejected_messages_size"),
        sqlite_autoincrement=True,
    )


def _refers(column: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(column, ID, ForeignKey(target), nullable=nullable)


def _keep_events() -> None:
    op.create_table(
        "events",
        Column("event_id", ID, primary_key=True),
        _refers("source_id", "sources.source_id"),
        Column("message_id", TEXT, nullable=False),
        Column("kind", TEXT, nullable=False),
        Column("name", TEXT),
        Column("occurred_at", INSTANT, nullable=False),
        Column("received_at", INSTANT, nullable=False),
        _refers("record_id", "source_records.record_id"),
        Column("anonymous_id", TEXT),
        Column("properties", TEXT, nullable=False),
        Column("context", TEXT, nullable=False),
        UniqueConstraint("source_id", "message_id", name="events_message_unique"),
        CheckConstraint(
            "kind IN ('identify', 'track', 'page', 'screen', 'group', 'alias')", name="events_kind"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("events_record", "events", ["record_id", "occurred_at", "event_id"])
    op.create_table(
        "event_subjects",
        _refers("record_id", "source_records.record_id"),
        Column("kind", TEXT, nullable=False),
        Column("subject_id", TEXT, nullable=False),
        _refers("event_id", "events.event_id"),
        PrimaryKeyConstraint("record_id", "kind", "subject_id", "event_id"),
        CheckConstraint("kind IN ('order', 'cart', 'closing', 'wish_list')", name="event_subjects_kind"),
        sqlite_with_rowid=False,
    )
    op.create_index("event_subjects_event", "event_subjects", ["event_id"])


def _keep_what_they_add_up_to() -> None:
    op.create_table(
        "engagement_states",
        _refers("record_id", "source_records.record_id"),
        Column("kind", TEXT, nullable=False),
        Column("subject_id", TEXT, nullable=False),
        Column("state", TEXT, nullable=False),
        Column("is_open", Boolean(create_constraint=True, name="engagement_states_is_open"), nullable=False),
        Column("changed_at", INSTANT, nullable=False),
        PrimaryKeyConstraint("record_id", "kind", "subject_id"),
        CheckConstraint(
            "kind IN ('order', 'cart', 'closing', 'wish_list', 'traits', 'consent')",
            name="engagement_states_kind",
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consent_assertions",
        Column("assertion_id", ID, primary_key=True),
        _refers("record_id", "source_records.record_id"),
        Column("category", TEXT, nullable=False),
        Column("granted", Boolean(create_constraint=True, name="consent_assertions_granted"), nullable=False),
        Column("asserted_at", INSTANT, nullable=False),
        _refers("event_id", "events.event_id"),
        UniqueConstraint("event_id", "category", name="consent_assertions_unique"),
        sqlite_autoincrement=True,
    )
    op.create_index("consent_assertions_record", "consent_assertions", ["record_id", "category"])


def _keep_sightings() -> None:
    op.create_table(
        "id_sightings",
        _refers("source_id", "sources.source_id"),
        Column("kind", TEXT, nullable=False),
        Column("other_id", TEXT, nullable=False),
        Column("user_id", TEXT, nullable=False),
        Column("seen_at", INSTANT, nullable=False),
        _refers("action_id", "steward_actions.action_id", nullable=True),
        PrimaryKeyConstraint("source_id", "kind", "other_id", "user_id"),
        CheckConstraint("kind IN ('anonymous', 'alias')", name="id_sightings_kind"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "id_sightings_user", "id_sightings", ["source_id", "user_id", "kind", "seen_at", "other_id"]
    )
    has_action = text("action_id IS NOT NULL")
    op.create_index(
        "id_sightings_action",
        "id_sightings",
        ["action_id"],
        sqlite_where=has_action,
        postgresql_where=has_action,
    )
