"""The tables of what sources say, what of it is compared, and the models that compare it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from cdp.store.columns import ID, TEXT, index_where, key, metadata, one_of, refers, unique_where
from cdp.store.instants import Instant

# One row per system that sends records.
sources = Table(
    "sources",
    metadata,
    key("source_id"),
    Column("name", TEXT, nullable=False),
    Column("default_region", TEXT, nullable=False),
    Column("default_area_code", TEXT),
    Column("date_order", TEXT, nullable=False),
    Column("trust", Integer, nullable=False),
    Column("settings", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("name", name="sources_name_unique"),
    one_of("sources_date_order", "date_order", "dmy", "mdy", "ymd"),
    sqlite_autoincrement=True,
)

# One row per record of a source, as it was last sent. Records that say the same share a linkage_hash.
source_records = Table(
    "source_records",
    metadata,
    key("record_id"),
    refers("source_id", "sources.source_id"),
    Column("source_record_id", TEXT, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("raw", TEXT, nullable=False),
    Column("raw_hash", TEXT, nullable=False),
    Column("standardized", TEXT, nullable=False),
    Column("standardizer_version", Integer, nullable=False),
    Column("deleted_at", Instant),
    Column("linkage_hash", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("source_id", "source_record_id", name="source_records_key_unique"),
    CheckConstraint("length(raw_hash) = 32", name="source_records_raw_hash"),
    index_where("source_records_linkage", "deleted_at IS NULL", "linkage_hash"),
    sqlite_autoincrement=True,
)

IDENTIFIER_KINDS = ("phone", "email", "handle", "loyalty_id", "document", "device_id", "whatsapp_bsuid")

# One row per identifier that a record carries.
identifiers = Table(
    "identifiers",
    metadata,
    Column("kind", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    refers("record_id", "source_records.record_id"),
    Column("variant", TEXT),
    Column("verified", Boolean(create_constraint=True, name="identifiers_verified"), nullable=False),
    PrimaryKeyConstraint("kind", "value", "record_id"),
    one_of("identifiers_kind", "kind", *IDENTIFIER_KINDS),
    Index("identifiers_record", "record_id"),
    index_where("identifiers_variant", "variant IS NOT NULL", "kind", "variant"),
    sqlite_with_rowid=False,
)

# One row per blocking key (a signed 64-bit hash) of a record. No foreign key: a dozen rows a record are
# written anew by each resolution, and looking each one's record up took five times as long as writing it.
blocking_keys = Table(
    "blocking_keys",
    metadata,
    Column("blocking_key", BigInteger, nullable=False),
    Column("record_id", ID, nullable=False),
    PrimaryKeyConstraint("blocking_key", "record_id"),
    Index("blocking_keys_record", "record_id"),
    sqlite_with_rowid=False,
)

# One row per value (a signed 64-bit hash of column and value) that a record holds and whose holders are counted, with
# the record's first name by sound, '' for none. As many rows a record as it has identifiers, and no foreign key either.
value_holders = Table(
    "value_holders",
    metadata,
    Column("value_key", BigInteger, nullable=False),
    Column("given_sound", TEXT, nullable=False),
    Column("record_id", ID, nullable=False),
    PrimaryKeyConstraint("value_key", "given_sound", "record_id"),
    sqlite_with_rowid=False,
)

# One row per value held by more people than its kind allows to one person, or reported as not its holder's own
# (is_held); holders are counted up to a limit.
shared_values = Table(
    "shared_values",
    metadata,
    Column("value_key", BigInteger, primary_key=True, autoincrement=False),
    Column("column_name", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    Column("holder_count", Integer, nullable=False),
    Column("sharing", TEXT, nullable=False),
    Column("counted_at", Instant, nullable=False),
    Column("is_held", Boolean, nullable=False, server_default=text("false")),
    one_of("shared_values_sharing", "sharing", "shared", "generic"),
    CheckConstraint("holder_count >= 0", name="shared_values_holder_count"),
)

# One row per record that is to be resolved anew: because a value of it became shared, or ceased to be, or, with a
# reason and not before retry_at, because it could not be resolved as it should be.
redo_records = Table(
    "redo_records",
    metadata,
    Column("record_id", ID, ForeignKey("source_records.record_id"), primary_key=True, autoincrement=False),
    Column("queued_at", Instant, nullable=False),
    Column("retry_at", Instant),
    Column("reason", TEXT),
)

# One row per trained model; version 0 is the shipped prior. Rows never change.
model_versions = Table(
    "model_versions",
    metadata,
    Column("model_version_id", ID, primary_key=True, autoincrement=False),
    Column("label", TEXT, nullable=False),
    Column("specification", TEXT, nullable=False),
    Column("parameters", TEXT, nullable=False),
    Column("term_frequencies", LargeBinary, nullable=False),
    Column("report", TEXT, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("record_count", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("model_version_id >= 0", name="model_versions_id"),
)

# One row per time a model version was in force; the open one is in force now.
model_activations = Table(
    "model_activations",
    metadata,
    key("activation_id"),
    refers("model_version_id", "model_versions.model_version_id"),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    Column("author", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="model_activations_valid"),
    # Constant over the open rows: one of them at most.
    unique_where("model_activations_open_unique", "valid_to IS NULL", text("(valid_to IS NULL)")),
    sqlite_autoincrement=True,
)
