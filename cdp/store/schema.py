"""The tables of the store and their constraints: with the migrations, the only description of them. Those of people and
of rulings on them stand here, the others in the files of their rooms, which this one hands on.

Text columns that hold JSON hold canonical JSON written by the functions above the store; the database
never looks inside. A row that stops being true is closed (`valid_to`), not changed.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
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
from cdp.store.record_schema import IDENTIFIER_KINDS as IDENTIFIER_KINDS
from cdp.store.record_schema import blocking_keys as blocking_keys
from cdp.store.record_schema import identifiers as identifiers
from cdp.store.record_schema import model_activations as model_activations
from cdp.store.record_schema import model_versions as model_versions
from cdp.store.record_schema import redo_records as redo_records
from cdp.store.record_schema import shared_values as shared_values
from cdp.store.record_schema import source_records as source_records
from cdp.store.record_schema import sources as sources
from cdp.store.record_schema import value_holders as value_holders
from cdp.store.service_schema import api_keys as api_keys
from cdp.store.service_schema import audit_entries as audit_entries
from cdp.store.service_schema import disagreement_measurements as disagreement_measurements
from cdp.store.service_schema import idempotent_answers as idempotent_answers
from cdp.store.service_schema import imports as imports
from cdp.store.service_schema import outbox_events as outbox_events
from cdp.store.staff_schema import console_secrets as console_secrets
from cdp.store.staff_schema import console_sessions as console_sessions
from cdp.store.staff_schema import users as users

# The newest migration that this code knows; four digits, so that text order is the order of versions.
SCHEMA_REVISION = "0014"
VERSION_TABLE = "cdp_schema_version"

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
    Column("standing", Double, nullable=False, server_default=text("0")),
    Column("opened_day", Double, nullable=False, server_default=text("0")),
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
        "standing",
        "opened_day",
        "match_probability",
        "reason",
        "due_at",
        "record_count",
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
