"""The tables of the service itself: audit, outbox, keys and calls, files taken in, measurements."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
)

from cdp.store.columns import TEXT, index_where, key, metadata, refers
from cdp.store.instants import Instant

# One row per thing done or looked at, by whom. Sealed rows form a chain of hashes in chain_position order.
audit_entries = Table(
    "audit_entries",
    metadata,
    key("audit_id"),
    Column("recorded_at", Instant, nullable=False),
    Column("actor", TEXT, nullable=False),
    Column("action", TEXT, nullable=False),
    Column("object_kind", TEXT, nullable=False),
    Column("object_id", TEXT, nullable=False),
    Column("details", TEXT, nullable=False),
    Column("chain_position", BigInteger),
    Column("previous_hash", TEXT),
    Column("entry_hash", TEXT),
    UniqueConstraint("chain_position", name="audit_entries_position_unique"),
    CheckConstraint("(chain_position IS NULL) = (entry_hash IS NULL)", name="audit_entries_sealed"),
    CheckConstraint("(chain_position IS NULL) = (previous_hash IS NULL)", name="audit_entries_linked"),
    index_where("audit_entries_unsealed", "chain_position IS NULL", "audit_id"),
    Index("audit_entries_object", "object_kind", "object_id"),
    sqlite_autoincrement=True,
)

# One row per event to be delivered, in the order of event_id.
outbox_events = Table(
    "outbox_events",
    metadata,
    key("event_id"),
    Column("kind", TEXT, nullable=False),
    Column("subject_id", TEXT, nullable=False),
    Column("payload", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("delivered_at", Instant),
    index_where("outbox_events_due", "delivered_at IS NULL", "event_id"),
    sqlite_autoincrement=True,
)

# One row per API key; the secret itself is not here.
api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("secret_hash", TEXT, nullable=False),
    Column("scopes", TEXT, nullable=False),
    Column("sources", TEXT),
    Column("views", TEXT),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    # After a rotation the secret before opens until then.
    Column("former_secret_hash", TEXT),
    Column("former_expires_at", Instant),
    CheckConstraint("length(secret_hash) = 64", name="api_keys_secret_hash"),
    CheckConstraint(
        "(former_secret_hash IS NULL) = (former_expires_at IS NULL)"
        " AND (former_secret_hash IS NULL OR length(former_secret_hash) = 64)",
        name="api_keys_former_secret",
    ),
)

# One row per call that was carried out under a key of the caller's own, until it expires. body: packed by zlib;
# profile_ids: JSON, whom the answer tells of.
idempotent_answers = Table(
    "idempotent_answers",
    metadata,
    key("answer_id"),
    Column("key_id", TEXT, ForeignKey("api_keys.key_id"), nullable=False),
    Column("idempotency_key", TEXT, nullable=False),
    Column("route", TEXT, nullable=False),
    Column("request_hash", TEXT, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", TEXT, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("profile_ids", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    UniqueConstraint("key_id", "idempotency_key", name="idempotent_answers_key_unique"),
    CheckConstraint("length(request_hash) = 64", name="idempotent_answers_request_hash"),
    CheckConstraint("status BETWEEN 200 AND 299", name="idempotent_answers_status"),
    CheckConstraint("expires_at > created_at", name="idempotent_answers_expiry"),
    Index("idempotent_answers_expires", "expires_at"),
    sqlite_autoincrement=True,
)

# One row per file taken in.
imports = Table(
    "imports",
    metadata,
    key("import_id"),
    Column("file_name", TEXT, nullable=False),
    Column("file_hash", TEXT, nullable=False),
    Column("sources", TEXT, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("counts", TEXT, nullable=False),
    sqlite_autoincrement=True,
)

# One row per time that the people of a sample of records were compared with those computed anew. record_count: the
# sample; waiting_count: those left out, which the queue may change; differing_count: whose people differ.
disagreement_measurements = Table(
    "disagreement_measurements",
    metadata,
    key("measurement_id"),
    Column("measured_at", Instant, nullable=False),
    refers("model_version_id", "model_versions.model_version_id"),
    Column("record_count", Integer, nullable=False),
    Column("waiting_count", Integer, nullable=False),
    Column("differing_count", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    CheckConstraint(
        "waiting_count >= 0 AND differing_count >= 0 AND waiting_count + differing_count <= record_count",
        name="disagreement_measurements_counts",
    ),
    sqlite_autoincrement=True,
)
