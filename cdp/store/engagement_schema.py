"""The tables of what people did: events, and what is made of them. Part of the schema, see `cdp/store/schema.py`.

Events are added and never changed. They hang on source records, so that they follow these when profiles join or part.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from cdp.store.columns import TEXT, index_where, key, metadata, one_of, refers
from cdp.store.instants import Instant

EVENT_KINDS = ("identify", "track", "page", "screen", "group", "alias")

# One row per message of a source. message_id: the source's own, by which a message that comes twice is known, or a hash
# of its content. occurred_at: by our clock. anonymous_id: where the message named a user as well.
events = Table(
    "events",
    metadata,
    key("event_id"),
    refers("source_id", "sources.source_id"),
    Column("message_id", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("name", TEXT),
    Column("occurred_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    refers("record_id", "source_records.record_id"),
    Column("anonymous_id", TEXT),
    Column("properties", TEXT, nullable=False),
    Column("context", TEXT, nullable=False),
    UniqueConstraint("source_id", "message_id", name="events_message_unique"),
    one_of("events_kind", "kind", *EVENT_KINDS),
    Index("events_record", "record_id", "occurred_at", "event_id"),
    sqlite_autoincrement=True,
)

SUBJECT_KINDS = ("order", "cart", "closing", "wish_list")

# One row per order, cart or wish list that an event tells of; 'closing': the event closes whatever cart was open.
event_subjects = Table(
    "event_subjects",
    metadata,
    refers("record_id", "source_records.record_id"),
    Column("kind", TEXT, nullable=False),
    Column("subject_id", TEXT, nullable=False),
    refers("event_id", "events.event_id"),
    PrimaryKeyConstraint("record_id", "kind", "subject_id", "event_id"),
    one_of("event_subjects_kind", "kind", *SUBJECT_KINDS),
    Index("event_subjects_event", "event_id"),
    sqlite_with_rowid=False,
)

STATE_KINDS = (*SUBJECT_KINDS, "traits", "consent")

# One row per thing that a record's events add up to: its traits, each order, cart, wish list, each consent. Can be made
# anew from the events at any time. is_open: whether the views show it. changed_at: of the newest event that counts.
engagement_states = Table(
    "engagement_states",
    metadata,
    refers("record_id", "source_records.record_id"),
    Column("kind", TEXT, nullable=False),
    Column("subject_id", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("is_open", Boolean(create_constraint=True, name="engagement_states_is_open"), nullable=False),
    Column("changed_at", Instant, nullable=False),
    PrimaryKeyConstraint("record_id", "kind", "subject_id"),
    one_of("engagement_states_kind", "kind", *STATE_KINDS),
    sqlite_with_rowid=False,
)

# One row per category that an event says yes or no to.
consent_assertions = Table(
    "consent_assertions",
    metadata,
    key("assertion_id"),
    refers("record_id", "source_records.record_id"),
    Column("category", TEXT, nullable=False),
    Column("granted", Boolean(create_constraint=True, name="consent_assertions_granted"), nullable=False),
    Column("asserted_at", Instant, nullable=False),
    refers("event_id", "events.event_id"),
    UniqueConstraint("event_id", "category", name="consent_assertions_unique"),
    Index("consent_assertions_record", "record_id", "category"),
    sqlite_autoincrement=True,
)

# One row per pair of ids that a source named together: a user, and an anonymous id or a former id of theirs. seen_at:
# when first. action_id: by which their records are held to be one person; none where they are not, or are not yet.
id_sightings = Table(
    "id_sightings",
    metadata,
    refers("source_id", "sources.source_id"),
    Column("kind", TEXT, nullable=False),
    Column("other_id", TEXT, nullable=False),
    Column("user_id", TEXT, nullable=False),
    Column("seen_at", Instant, nullable=False),
    refers("action_id", "steward_actions.action_id", nullable=True),
    PrimaryKeyConstraint("source_id", "kind", "other_id", "user_id"),
    one_of("id_sightings_kind", "kind", "anonymous", "alias"),
    Index("id_sightings_user", "source_id", "user_id", "kind", "seen_at", "other_id"),
    index_where("id_sightings_action", "action_id IS NOT NULL", "action_id"),
    sqlite_with_rowid=False,
)

# One row per message that was refused, without what it said: nobody could be found in it.
rejected_messages = Table(
    "rejected_messages",
    metadata,
    key("rejection_id"),
    refers("source_id", "sources.source_id"),
    Column("message_hash", TEXT, nullable=False),
    Column("message_id", TEXT),
    Column("kind", TEXT),
    Column("code", TEXT, nullable=False),
    Column("pointer", TEXT, nullable=False),
    Column("detail", TEXT, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("source_id", "message_hash", "code", name="rejected_messages_unique"),
    CheckConstraint("length(message_hash) = 64", name="rejected_messages_hash"),
    CheckConstraint("size_bytes >= 0", name="rejected_messages_size"),
    sqlite_autoincrement=True,
)
