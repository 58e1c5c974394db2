"""The tables of the store and their constraints: with the migrations, the only description of them.

Text columns that hold JSON hold canonical JSON written by the functions above the store; the database
never looks inside. A row that stops being true is closed (`valid_to`), not changed.
"""

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
from sqlalchemy.types import Double

from cdp.store.columns import ID, TEXT, index_where, key, one_of, refers, unique_where
from cdp.store.columns import metadata as metadata
from cdp.store.desk_schema import candidate_leases as candidate_leases
from cdp.store.desk_schema import candidate_skips as candidate_skips
from cdp.store.desk_schema import comments as comments
from cdp.store.desk_schema import decision_confirmations as decision_confirmations
from cdp.store.desk_schema import frozen_records as frozen_records
from cdp.store.desk_schema import golden_pins as golden_pins
from cdp.store.desk_schema import quality_draws as quality_draws
from cdp.store.desk_schema import quality_samples as quality_samples
from cdp.store.desk_schema import ruling_proposals as ruling_proposals
from cdp.store.engagement_schema import EVENT_KINDS as EVENT_KINDS
from cdp.store.engagement_schema import STATE_KINDS as STATE_KINDS
from cdp.store.engagement_schema import SUBJECT_KINDS as SUBJECT_KINDS
from cdp.store.engagement_schema import consent_assertions as consent_assertions
from cdp.store.engagement_schema import engagement_states as engagement_states
from cdp.store.engagement_schema import event_subjects as event_subjects
from cdp.store.engagement_schema import events as events
from cdp.store.engagement_schema import id_sightings as id_sightings
from cdp.store.engagement_schema import rejected_messages as rejected_messages
from cdp.store.instants import Instant
from cdp.store.staff_schema import console_secrets as console_secrets
from cdp.store.staff_schema import console_sessions as console_sessions
from cdp.store.staff_schema import users as users

# The newest migration that this code knows; four digits, so that text order is the order of versions.
SCHEMA_REVISION = "0012"
VERSION_TABLE = "cdp_schema_version"

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

# One row per scored pair kept above the lowest threshold.
edges = Table(
    "edges",
    metadata,
    refers("record_id_l", "source_records.record_id"),
    refers("record_id_r", "source_records.record_id"),
    refers("model_version_id", "model_versions.model_version_id"),
    Column("match_weight", Double, nullable=False),
    Column("evidence", TEXT, nullable=False),
    Column("origin", TEXT, nullable=False, server_default=text("'blocked'")),
    PrimaryKeyConstraint("record_id_l", "record_id_r"),
    CheckConstraint("record_id_l < record_id_r", name="edges_order"),
    Index("edges_right", "record_id_r"),
)

STEWARD_ACTIONS = ("join", "split", "decision", "pin", "freeze", "undo")

# One row per thing a steward ruled; undone_by is the action that took it back. undoes: of an undo, what it took back,
# a steward's action or a ledger entry of the machine (without a foreign key, since entries refer to actions).
steward_actions = Table(
    "steward_actions",
    metadata,
    key("action_id"),
    Column("kind", TEXT, nullable=False),
    Column("author", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    refers("candidate_id", "merge_candidates.candidate_id", nullable=True),
    Column("decision", TEXT),
    refers("undoes_action_id", "steward_actions.action_id", nullable=True),
    Column("undoes_entry_id", ID),
    refers("undone_by", "steward_actions.action_id", nullable=True),
    Column("recorded_at", Instant, nullable=False),
    one_of("steward_actions_kind", "kind", *STEWARD_ACTIONS),
    CheckConstraint(
        "decision IS NULL OR decision IN ('same', 'different', 'unsure')", name="steward_actions_decision"
    ),
    index_where("steward_actions_candidate", "candidate_id IS NOT NULL", "candidate_id"),
    sqlite_autoincrement=True,
)

# One row per interval in which one ruling holds that a pair of records must, or must not, be one person; several
# rulings may hold the same of a pair. opened_by: the ruling. closed_by: the undo that took it back, or the later
# ruling that it gave way to.
pair_constraints = Table(
    "pair_constraints",
    metadata,
    key("constraint_id"),
    Column("kind", TEXT, nullable=False),
    refers("record_id_l", "source_records.record_id"),
    refers("record_id_r", "source_records.record_id"),
    Column("author", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    refers("ledger_entry_id", "ledger_entries.ledger_entry_id", nullable=True),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    refers("opened_by", "steward_actions.action_id", nullable=True),
    refers("closed_by", "steward_actions.action_id", nullable=True),
    one_of("pair_constraints_kind", "kind", "must", "cannot"),
    CheckConstraint("record_id_l < record_id_r", name="pair_constraints_order"),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="pair_constraints_valid"),
    unique_where(
        "pair_constraints_open_unique",
        "valid_to IS NULL",
        "record_id_l",
        "record_id_r",
        "kind",
        text("coalesce(opened_by, 0)"),
    ),
    Index("pair_constraints_left", "record_id_l"),
    Index("pair_constraints_right", "record_id_r"),
    index_where("pair_constraints_opened", "opened_by IS NOT NULL", "opened_by"),
    index_where("pair_constraints_closed", "closed_by IS NOT NULL", "closed_by"),
    sqlite_autoincrement=True,
)

# One row per profile id ever given out.
profiles = Table(
    "profiles",
    metadata,
    Column("profile_id", TEXT, primary_key=True),
    Column("state", TEXT, nullable=False),
    Column("absorbed_into", TEXT, ForeignKey("profiles.profile_id")),
    Column("version", Integer, nullable=False),
    Column("record_count", Integer, nullable=False),
    Column("golden", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    one_of("profiles_state", "state", "live", "absorbed", "empty", "erased"),
    CheckConstraint("(state = 'absorbed') = (absorbed_into IS NOT NULL)", name="profiles_absorbed"),
    CheckConstraint("absorbed_into IS NULL OR absorbed_into <> profile_id", name="profiles_absorbed_other"),
    CheckConstraint("version >= 1", name="profiles_version"),
    CheckConstraint("record_count >= 0", name="profiles_record_count"),
    index_where("profiles_absorbed_into", "absorbed_into IS NOT NULL", "absorbed_into"),
)

REPORT_OUTCOMES = ("wrong_person", "bounced", "recycled")

# One row per time somebody reported an identifier as not, or no longer, of the person it is held by; closed when the
# report is withdrawn. variant: of a phone, what the forms of its line share. source_id: the system that found out.
# profile_id: the person it was tried for.
identifier_reports = Table(
    "identifier_reports",
    metadata,
    key("report_id"),
    Column("kind", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    Column("variant", TEXT),
    Column("outcome", TEXT, nullable=False),
    refers("source_id", "sources.source_id", nullable=True),
    Column("profile_id", TEXT, ForeignKey("profiles.profile_id")),
    Column("reason", TEXT),
    Column("reported_by", TEXT, nullable=False),
    Column("reported_at", Instant, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    Column("closed_by", TEXT),
    Column("closed_reason", TEXT),
    one_of("identifier_reports_kind", "kind", *IDENTIFIER_KINDS),
    one_of("identifier_reports_outcome", "outcome", *REPORT_OUTCOMES),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="identifier_reports_valid"),
    CheckConstraint("(valid_to IS NULL) = (closed_by IS NULL)", name="identifier_reports_closed"),
    CheckConstraint("valid_to IS NOT NULL OR closed_reason IS NULL", name="identifier_reports_closed_reason"),
    unique_where(
        "identifier_reports_open_unique",
        "valid_to IS NULL",
        "kind",
        "value",
        "outcome",
        text("coalesce(source_id, 0)"),
        text("coalesce(profile_id, '')"),
    ),
    index_where(
        "identifier_reports_open_variant", "valid_to IS NULL AND variant IS NOT NULL", "kind", "variant"
    ),
    sqlite_autoincrement=True,
)

# One row per interval in which a record belongs to a profile; the open one is where it is now.
memberships = Table(
    "memberships",
    metadata,
    key("membership_id"),
    refers("record_id", "source_records.record_id"),
    Column("profile_id", TEXT, ForeignKey("profiles.profile_id"), nullable=False),
    refers("ledger_entry_id", "ledger_entries.ledger_entry_id"),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="memberships_valid"),
    unique_where("memberships_open_unique", "valid_to IS NULL", "record_id"),
    index_where("memberships_open_profile", "valid_to IS NULL", "profile_id"),
    index_where("memberships_closed_record", "valid_to IS NOT NULL", "record_id"),
    index_where("memberships_closed_profile", "valid_to IS NOT NULL", "profile_id"),
    sqlite_autoincrement=True,
)

LEDGER_KINDS = ("create", "attach", "join", "split", "move", "detach", "undo")

# One row per change of membership; its moves say which records went where.
ledger_entries = Table(
    "ledger_entries",
    metadata,
    key("ledger_entry_id"),
    Column("kind", TEXT, nullable=False),
    Column("profile_id", TEXT, ForeignKey("profiles.profile_id"), nullable=False),
    Column("author", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    refers("model_version_id", "model_versions.model_version_id", nullable=True),
    refers("run_id", "resolution_runs.run_id", nullable=True),
    Column("evidence", TEXT, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    refers("undone_by", "ledger_entries.ledger_entry_id", nullable=True),
    refers("action_id", "steward_actions.action_id", nullable=True),
    refers("report_id", "identifier_reports.report_id", nullable=True),
    one_of("ledger_entries_kind", "kind", *LEDGER_KINDS),
    CheckConstraint("undone_by IS NULL OR undone_by > ledger_entry_id", name="ledger_entries_undone_later"),
    Index("ledger_entries_profile", "profile_id"),
    index_where("ledger_entries_run", "run_id IS NOT NULL", "run_id"),
    index_where("ledger_entries_undone", "undone_by IS NOT NULL", "undone_by"),
    index_where("ledger_entries_action", "action_id IS NOT NULL", "action_id"),
    index_where("ledger_entries_report", "report_id IS NOT NULL", "report_id"),
    sqlite_autoincrement=True,
)

# One row per record that a ledger entry moved; no profile before means new, none after means gone.
ledger_moves = Table(
    "ledger_moves",
    metadata,
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

# One row per resolution of everything (batch), or of a queue (online).
resolution_runs = Table(
    "resolution_runs",
    metadata,
    key("run_id"),
    Column("kind", TEXT, nullable=False),
    refers("model_version_id", "model_versions.model_version_id"),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("state", TEXT, nullable=False),
    Column("counts", TEXT, nullable=False),
    one_of("resolution_runs_kind", "kind", "batch", "online"),
    one_of("resolution_runs_state", "state", "running", "published", "failed", "abandoned"),
    CheckConstraint("(state = 'running') = (finished_at IS NULL)", name="resolution_runs_finished"),
    sqlite_autoincrement=True,
)

CANDIDATE_STATES = ("open", "same", "different", "unsure", "withdrawn")

# One row per pair that a steward was asked about. record_count, worth: of both profiles, sources: of the two records,
# identifier_kinds: a bit for each of IDENTIFIER_KINDS that both records carry; all of them as long as it is open.
# assignee, due_at: what a lead set.
merge_candidates = Table(
    "merge_candidates",
    metadata,
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
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("closed_by", TEXT),
    Column("record_count", Integer, nullable=False, server_default=text("0")),
    refers("source_id_l", "sources.source_id", nullable=True),
    refers("source_id_r", "sources.source_id", nullable=True),
    Column("identifier_kinds", Integer, nullable=False, server_default=text("0")),
    Column("assignee", TEXT),
    Column("due_at", Instant),
    Column("worth", Integer, nullable=False, server_default=text("0")),
    one_of("merge_candidates_state", "state", *CANDIDATE_STATES),
    CheckConstraint("record_id_l < record_id_r", name="merge_candidates_order"),
    CheckConstraint("match_probability BETWEEN 0 AND 1", name="merge_candidates_probability"),
    CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="merge_candidates_closed"),
    unique_where("merge_candidates_open_unique", "state = 'open'", "record_id_l", "record_id_r"),
    # All that the queue is sorted and narrowed by, so that none of it needs the rows themselves.
    index_where(
        "merge_candidates_queue",
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
        # Its one value is there all the same: SQLite would look it up in the row.
        "state",
    ),
    Index("merge_candidates_profile_l", "profile_id_l"),
    Index("merge_candidates_profile_r", "profile_id_r"),
    Index("merge_candidates_right", "record_id_r"),
    sqlite_autoincrement=True,
)

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
