"""The tables of stewards at work: who works on what, what waits for a second person, comments, pinned values."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, text
from sqlalchemy.types import Double

from cdp.store.columns import ID, TEXT, index_where, key, metadata, one_of, refers, unique_where
from cdp.store.instants import Instant

CONFIRMATION_OUTCOMES = ("confirmed", "overruled", "withdrawn", "changed")

# One row per decision that waits, or waited, for a second person before it takes effect. why: JSON, which rules ask for
# one. etag: the candidate as the first person saw it. action_id: the decision that it came to. pins: JSON, attribute to
# the record whose value is to be shown.
decision_confirmations = Table(
    "decision_confirmations",
    metadata,
    key("confirmation_id"),
    refers("candidate_id", "merge_candidates.candidate_id"),
    Column("decision", TEXT, nullable=False),
    Column("author", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("why", TEXT, nullable=False),
    Column("etag", TEXT, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", TEXT),
    Column("outcome", TEXT),
    refers("action_id", "steward_actions.action_id", nullable=True),
    Column("pins", TEXT, nullable=False, server_default=text("'{}'")),
    one_of("decision_confirmations_decision", "decision", "same"),
    CheckConstraint(
        "outcome IS NULL OR outcome IN ('confirmed', 'overruled', 'withdrawn', 'changed')",
        name="decision_confirmations_outcome",
    ),
    CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="decision_confirmations_ended"),
    CheckConstraint("ended_at IS NULL OR ended_by IS NOT NULL", name="decision_confirmations_ended_by"),
    CheckConstraint(
        "action_id IS NULL OR (ended_by <> author AND ended_at IS NOT NULL)",
        name="decision_confirmations_two_people",
    ),
    unique_where("decision_confirmations_open_unique", "ended_at IS NULL", "candidate_id"),
    index_where("decision_confirmations_action", "action_id IS NOT NULL", "action_id"),
    sqlite_autoincrement=True,
)

# One row per thing that somebody wrote about a candidate or a profile.
comments = Table(
    "comments",
    metadata,
    key("comment_id"),
    refers("candidate_id", "merge_candidates.candidate_id", nullable=True),
    Column("profile_id", TEXT, ForeignKey("profiles.profile_id")),
    Column("author", TEXT, nullable=False),
    Column("body", TEXT, nullable=False),
    Column("written_at", Instant, nullable=False),
    CheckConstraint("(candidate_id IS NULL) <> (profile_id IS NULL)", name="comments_about_one"),
    CheckConstraint("length(body) BETWEEN 1 AND 2000", name="comments_body"),
    index_where("comments_candidate", "candidate_id IS NOT NULL", "candidate_id"),
    index_where("comments_profile", "profile_id IS NOT NULL", "profile_id"),
    sqlite_autoincrement=True,
)

# One row per candidate that somebody works on, or worked on last: nobody else decides it before expires_at.
candidate_leases = Table(
    "candidate_leases",
    metadata,
    Column(
        "candidate_id", ID, ForeignKey("merge_candidates.candidate_id"), primary_key=True, autoincrement=False
    ),
    Column("owner", TEXT, nullable=False),
    Column("claimed_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    CheckConstraint("expires_at >= claimed_at", name="candidate_leases_expiry"),
    Index("candidate_leases_owner", "owner"),
)

# One row per candidate that somebody put back: they are not shown it before hidden_until.
candidate_skips = Table(
    "candidate_skips",
    metadata,
    Column("person", TEXT, nullable=False),
    refers("candidate_id", "merge_candidates.candidate_id"),
    Column("skipped_at", Instant, nullable=False),
    Column("hidden_until", Instant, nullable=False),
    PrimaryKeyConstraint("person", "candidate_id"),
    CheckConstraint("hidden_until >= skipped_at", name="candidate_skips_hidden"),
)

# One row per interval in which one ruling holds that a golden record shows the value that a record of it gave then,
# whatever the rules would choose. value: JSON. The latest ruling about an attribute of a profile counts.
golden_pins = Table(
    "golden_pins",
    metadata,
    key("pin_id"),
    refers("record_id", "source_records.record_id"),
    Column("attribute", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    refers("opened_by", "steward_actions.action_id"),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    refers("closed_by", "steward_actions.action_id", nullable=True),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="golden_pins_valid"),
    CheckConstraint("(valid_to IS NULL) = (closed_by IS NULL)", name="golden_pins_closed"),
    unique_where("golden_pins_open_unique", "valid_to IS NULL", "record_id", "attribute", "opened_by"),
    Index("golden_pins_opened", "opened_by"),
    sqlite_autoincrement=True,
)

# One row per interval in which one ruling holds that no evidence joins a record with others. opened_by: the freeze.
frozen_records = Table(
    "frozen_records",
    metadata,
    key("frozen_id"),
    refers("record_id", "source_records.record_id"),
    refers("opened_by", "steward_actions.action_id"),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),
    refers("closed_by", "steward_actions.action_id", nullable=True),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="frozen_records_valid"),
    CheckConstraint("(valid_to IS NULL) = (closed_by IS NULL)", name="frozen_records_closed"),
    unique_where("frozen_records_open_unique", "valid_to IS NULL", "record_id", "opened_by"),
    Index("frozen_records_opened", "opened_by"),
    sqlite_autoincrement=True,
)

PROPOSAL_OUTCOMES = ("confirmed", "refused", "withdrawn", "changed")

# One row per ruling that waits, or waited, for a second person before it takes effect. request: JSON, what is to be
# done. why: JSON, which rules ask for one. etag: the profiles as the first person saw them. action_id: what it came to.
ruling_proposals = Table(
    "ruling_proposals",
    metadata,
    key("proposal_id"),
    Column("kind", TEXT, nullable=False),
    Column("request", TEXT, nullable=False),
    Column("author", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("why", TEXT, nullable=False),
    Column("etag", TEXT, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", TEXT),
    Column("outcome", TEXT),
    refers("action_id", "steward_actions.action_id", nullable=True),
    one_of("ruling_proposals_kind", "kind", "join", "split", "take_apart"),
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
    # Few wait at a time: the request, which may name thousands of records, is compared, not indexed.
    index_where("ruling_proposals_open", "ended_at IS NULL", "kind"),
    index_where("ruling_proposals_action", "action_id IS NOT NULL", "action_id"),
    sqlite_autoincrement=True,
)

# One row per time that decisions and automatic joins were drawn to be read again. up_to: the last of each that had its
# chance. shares: of those after the draw before.
quality_draws = Table(
    "quality_draws",
    metadata,
    key("draw_id"),
    Column("drawn_at", Instant, nullable=False),
    Column("up_to_action_id", ID, nullable=False),
    Column("up_to_entry_id", ID, nullable=False),
    Column("decision_share", Double, nullable=False),
    Column("join_share", Double, nullable=False),
    Column("sample_count", Integer, nullable=False),
    sqlite_autoincrement=True,
)

# One row per decision, or pair of records that the machine joined, drawn to be read again by somebody who does not know
# the first answer. chance: with which it was drawn.
quality_samples = Table(
    "quality_samples",
    metadata,
    key("sample_id"),
    refers("draw_id", "quality_draws.draw_id"),
    Column("kind", TEXT, nullable=False),
    refers("action_id", "steward_actions.action_id", nullable=True),
    refers("ledger_entry_id", "ledger_entries.ledger_entry_id", nullable=True),
    refers("record_id_l", "source_records.record_id"),
    refers("record_id_r", "source_records.record_id"),
    Column("first_answer", TEXT, nullable=False),
    Column("first_author", TEXT, nullable=False),
    Column("chance", Double, nullable=False),
    Column("answer", TEXT),
    Column("answered_by", TEXT),
    Column("answered_at", Instant),
    one_of("quality_samples_kind", "kind", "decision", "join"),
    CheckConstraint("(kind = 'decision') = (action_id IS NOT NULL)", name="quality_samples_decision"),
    CheckConstraint("(kind = 'join') = (ledger_entry_id IS NOT NULL)", name="quality_samples_join"),
    CheckConstraint("chance > 0 AND chance <= 1", name="quality_samples_chance"),
    CheckConstraint(
        "answer IS NULL OR answer IN ('same', 'different', 'unsure')", name="quality_samples_answer"
    ),
    CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="quality_samples_answered"),
    CheckConstraint("answered_by IS NULL OR answered_by <> first_author", name="quality_samples_two_people"),
    unique_where("quality_samples_action_unique", "action_id IS NOT NULL", "action_id"),
    unique_where("quality_samples_entry_unique", "ledger_entry_id IS NOT NULL", "ledger_entry_id"),
    sqlite_autoincrement=True,
)
