"""The first tables: sources and records, models and edges, profiles and their ledger, audit, keys."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.types import Double

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")


def key(column: str) -> Column[int]:
    return Column(column, ID, primary_key=True)


def refers(column: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(column, ID, ForeignKey(target), nullable=nullable)


def one_of(name: str, column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def index_where(name: str, condition: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


def unique_where(name: str, condition: str, *columns: str | TextClause) -> Index:
    return Index(name, *columns, unique=True, sqlite_where=text(condition), postgresql_where=text(condition))


def upgrade() -> None:
    op.create_table(
        "sources",
        key("source_id"),
        Column("name", TEXT, nullable=False),
        Column("default_region", TEXT, nullable=False),
        Column("default_area_code", TEXT),
        Column("date_order", TEXT, nullable=False),
        Column("trust", Integer, nullable=False),
        Column("settings", TEXT, nullable=False),
        Column("created_at", INSTANT, nullable=False),
        UniqueConstraint("name", name="sources_name_unique"),
        one_of("sources_date_order", "date_order", "dmy", "mdy", "ymd"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "source_records",
        key("record_id"),
        refers("source_id", "sources.source_id"),
        Column("source_record_id", TEXT, nullable=False),
        Column("occurred_at", INSTANT, nullable=False),
        Column("received_at", INSTANT, nullable=False),
        Column("raw", TEXT, nullable=False),
        Column("raw_hash", TEXT, nullable=False),
        Column("standardized", TEXT, nullable=False),
        Column("standardizer_version", Integer, nullable=False),
        Column("deleted_at", INSTANT),
        UniqueConstraint("source_id", "source_record_id", name="source_records_key_unique"),
        CheckConstraint("length(raw_hash) = 32", name="source_records_raw_hash"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "identifiers",
        Column("kind", TEXT, nullable=False),
        Column("value", TEXT, nullable=False),
        refers("record_id", "source_records.record_id"),
        Column("variant", TEXT),
        Column("verified", Boolean(create_constraint=True, name="identifiers_verified"), nullable=False),
        PrimaryKeyConstraint("kind", "value", "record_id"),
        one_of(
            "identifiers_kind",
            "kind",
            "phone",
            "email",
            "handle",
            "loyalty_id",
            "document",
            "device_id",
            "whatsapp_bsuid",
        ),
        Index("identifiers_record", "record_id"),
        index_where("identifiers_variant", "variant IS NOT NULL", "kind", "variant"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blocking_keys",
        Column("blocking_key", BigInteger, nullable=False),
        Column("record_id", ID, nullable=False),
        PrimaryKeyConstraint("blocking_key", "record_id"),
        Index("blocking_keys_record", "record_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identifier_values",
        Column("kind", TEXT, nullable=False),
        Column("value", TEXT, nullable=False),
        Column("holder_count", Integer, nullable=False),
        Column("sharing", TEXT, nullable=False),
        Column("counted_at", INSTANT, nullable=False),
        PrimaryKeyConstraint("kind", "value"),
        one_of(
            "identifier_values_kind",
            "kind",
            "phone",
            "email",
            "handle",
            "loyalty_id",
            "document",
            "device_id",
            "whatsapp_bsuid",
        ),
        one_of("identifier_values_sharing", "sharing", "shared", "generic"),
        CheckConstraint("holder_count >= 0", name="identifier_values_holder_count"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "model_versions",
        Column("model_version_id", ID, primary_key=True, autoincrement=False),
        Column("label", TEXT, nullable=False),
        Column("specification", TEXT, nullable=False),
        Column("parameters", TEXT, nullable=False),
        Column("term_frequencies", LargeBinary, nullable=False),
        Column("report", TEXT, nullable=False),
        Column("seed", BigInteger, nullable=False),
        Column("record_count", BigInteger, nullable=False),
        Column("created_at", INSTANT, nullable=False),
        CheckConstraint("model_version_id >= 0", name="model_versions_id"),
    )
    op.create_table(
        "model_activations",
        key("activation_id"),
        refers("model_version_id", "model_versions.model_version_id"),
        Column("valid_from", INSTANT, nullable=False),
        Column("valid_to", INSTANT),
        Column("author", TEXT, nullable=False),
        Column("reason", TEXT, nullable=False),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="model_activations_valid"),
        # Constant over the open rows: one of them at most.
        unique_where("model_activations_open_unique", "valid_to IS NULL", text("(valid_to IS NULL)")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "edges",
        refers("record_id_l", "source_records.record_id"),
        refers("record_id_r", "source_records.record_id"),
        refers("model_version_id", "model_versions.model_version_id"),
        Column("match_weight", Double, nullable=False),
        Column("evidence", TEXT, nullable=False),
        PrimaryKeyConstraint("record_id_l", "record_id_r"),
        CheckConstraint("record_id_l < record_id_r", name="edges_order"),
        Index("edges_right", "record_id_r"),
    )
    op.create_table(
        "profiles",
        Column("profile_id", TEXT, primary_key=True),
        Column("state", TEXT, nullable=False),
        Column("absorbed_into", TEXT, ForeignKey("profiles.profile_id")),
        Column("version", Integer, nullable=False),
        Column("record_count", Integer, nullable=False),
        Column("golden", TEXT, nullable=False),
        Column("created_at", INSTANT, nullable=False),
        Column("updated_at", INSTANT, nullable=False),
        one_of("profiles_state", "state", "live", "absorbed", "empty", "erased"),
        CheckConstraint("(state = 'absorbed') = (absorbed_into IS NOT NULL)", name="profiles_absorbed"),
        CheckConstraint(
            "absorbed_into IS NULL OR absorbed_into <> profile_id", name="profiles_absorbed_other"
        ),
        CheckConstraint("version >= 1", name="profiles_version"),
        CheckConstraint("record_count >= 0", name="profiles_record_count"),
        index_where("profiles_absorbed_into", "absorbed_into IS NOT NULL", "absorbed_into"),
    )
    op.create_table(
        "resolution_runs",
        key("run_id"),
        Column("kind", TEXT, nullable=False),
        refers("model_version_id", "model_versions.model_version_id"),
        Column("started_at", INSTANT, nullable=False),
        Column("finished_at", INSTANT),
        Column("state", TEXT, nullable=False),
        Column("counts", TEXT, nullable=False),
        one_of("resolution_runs_kind", "kind", "batch", "online"),
        one_of("resolution_runs_state", "state", "running", "published", "failed", "abandoned"),
        CheckConstraint("(state = 'running') = (finished_at IS NULL)", name="resolution_runs_finished"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ledger_entries",
        key("ledger_entry_id"),
        Column("kind", TEXT, nullable=False),
        Column("profile_id", TEXT, ForeignKey("profiles.profile_id"), nullable=False),
        Column("author", TEXT, nullable=False),
        Column("reason", TEXT, nullable=False),
        refers("model_version_id", "model_versions.model_version_id", nullable=True),
        refers("run_id", "resolution_runs.run_id", nullable=True),
        Column("evidence", TEXT, nullable=False),
        Column("recorded_at", INSTANT, nullable=False),
        refers("undone_by", "ledger_entries.ledger_entry_id", nullable=True),
        one_of("ledger_entries_kind", "kind", "create", "attach", "join", "split", "move", "detach", "undo"),
        CheckConstraint(
            "undone_by IS NULL OR undone_by > ledger_entry_id", name="ledger_entries_undone_later"
        ),
        Index("ledger_entries_profile", "profile_id"),
        index_where("ledger_entries_run", "run_id IS NOT NULL", "run_id"),
        index_where("ledger_entries_undone", "undone_by IS NOT NULL", "undone_by"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pair_constraints",
        key("constraint_id"),
        Column("kind", TEXT, nullable=False),
        refers("record_id_l", "source_records.record_id"),
        refers("record_id_r", "source_records.record_id"),
        Column("author", TEXT, nullable=False),
        Column("reason", TEXT, nullable=False),
        refers("ledger_entry_id", "ledger_entries.ledger_entry_id", nullable=True),
        Column("valid_from", INSTANT, nullable=False),
        Column("valid_to", INSTANT),
        one_of("pair_constraints_kind", "kind", "must", "cannot"),
        CheckConstraint("record_id_l < record_id_r", name="pair_constraints_order"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="pair_constraints_valid"),
        unique_where(
            "pair_constraints_open_unique", "valid_to IS NULL", "record_id_l", "record_id_r", "kind"
        ),
        Index("pair_constraints_left", "record_id_l"),
        Index("pair_constraints_right", "record_id_r"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "memberships",
        key("membership_id"),
        refers("record_id", "source_records.record_id"),
        Column("profile_id", TEXT, ForeignKey("profiles.profile_id"), nullable=False),
        refers("ledger_entry_id", "ledger_entries.ledger_entry_id"),
        Column("valid_from", INSTANT, nullable=False),
        Column("valid_to", INSTANT),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="memberships_valid"),
        unique_where("memberships_open_unique", "valid_to IS NULL", "record_id"),
        index_where("memberships_open_profile", "valid_to IS NULL", "profile_id"),
        index_where("memberships_closed_record", "valid_to IS NOT NULL", "record_id"),
        index_where("memberships_closed_profile", "valid_to IS NOT NULL", "profile_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ledger_moves",
        refers("ledger_entry_id", "ledger_entries.ledger_entry_id"),
        refers("record_id", "source_records.record_id"),
        Column("from_profile_id", TEXT, ForeignKey("profiles.profile_id")),
        Column("to_profile_id", TEXT, ForeignKey("profiles.profile_id")),
        PrimaryKeyConstraint("ledger_entry_id", "record_id"),
        CheckConstraint(
            "from_profile_id IS NOT NULL OR to_profile_id IS NOT NULL", name="ledger_moves_somewhere"
        ),
        Index("ledger_moves_record", "record_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "merge_candidates",
        key("candidate_id"),
        refers("record_id_l", "source_records.record_id"),
        refers("record_id_r", "source_records.record_id"),
        Column("profile_id_l", TEXT, ForeignKey("profiles.profile_id"), nullable=False),
        Column("profile_id_r", TEXT, ForeignKey("profiles.profile_id"), nullable=False),
        Column("match_weight", Double, nullable=False),
        Column("match_probability", Double, nullable=False),
        Column("reason", TEXT, nullable=False),
        Column("state", TEXT, nullable=False),
        refers("model_version_id", "model_versions.model_version_id"),
        Column("created_at", INSTANT, nullable=False),
        Column("closed_at", INSTANT),
        Column("closed_by", TEXT),
        one_of("merge_candidates_state", "state", "open", "same", "different", "unsure", "withdrawn"),
        CheckConstraint("record_id_l < record_id_r", name="merge_candidates_order"),
        CheckConstraint("match_probability BETWEEN 0 AND 1", name="merge_candidates_probability"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="merge_candidates_closed"),
        unique_where("merge_candidates_open_unique", "state = 'open'", "record_id_l", "record_id_r"),
        index_where("merge_candidates_open_weight", "state = 'open'", "match_weight", "candidate_id"),
        Index("merge_candidates_profile_l", "profile_id_l"),
        Index("merge_candidates_profile_r", "profile_id_r"),
        Index("merge_candidates_right", "record_id_r"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_entries",
        key("audit_id"),
        Column("recorded_at", INSTANT, nullable=False),
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
    op.create_table(
        "outbox_events",
        key("event_id"),
        Column("kind", TEXT, nullable=False),
        Column("subject_id", TEXT, nullable=False),
        Column("payload", TEXT, nullable=False),
        Column("created_at", INSTANT, nullable=False),
        Column("delivered_at", INSTANT),
        index_where("outbox_events_due", "delivered_at IS NULL", "event_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_keys",
        Column("key_id", TEXT, primary_key=True),
        Column("name", TEXT, nullable=False),
        Column("secret_hash", TEXT, nullable=False),
        Column("scopes", TEXT, nullable=False),
        Column("sources", TEXT),
        Column("views", TEXT),
        Column("created_at", INSTANT, nullable=False),
        Column("expires_at", INSTANT),
        Column("revoked_at", INSTANT),
        CheckConstraint("length(secret_hash) = 64", name="api_keys_secret_hash"),
    )
    op.create_table(
        "imports",
        key("import_id"),
        Column("file_name", TEXT, nullable=False),
        Column("file_hash", TEXT, nullable=False),
        Column("sources", TEXT, nullable=False),
        Column("started_at", INSTANT, nullable=False),
        Column("finished_at", INSTANT),
        Column("counts", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
