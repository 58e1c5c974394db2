"""One valid row for every table, to be varied by the test that names what matters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from cdp.store import schema, write

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BEFORE = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

# In the order in which they can be inserted: those referred to first.
ROWS: dict[str, list[dict[str, Any]]] = {
    "sources": [
        {
            "source_id": 1,
            "name": "crm",
            "default_region": "BR",
            "default_area_code": "11",
            "date_order": "dmy",
            "trust": 50,
            "settings": "{}",
            "created_at": NOW,
        }
    ],
    "source_records": [
        {
            "record_id": record_id,
            "source_id": 1,
            "source_record_id": f"c{record_id}",
            "occurred_at": NOW,
            "received_at": NOW,
            "raw": "{}",
            "raw_hash": "0" * 32,
            "standardized": "{}",
            "standardizer_version": 1,
        }
        for record_id in (1, 2)
    ],
    "identifiers": [
        {
            "kind": "phone",
            "value": "+5511900000000",
            "record_id": 1,
            "variant": "BR1100000000",
            "verified": True,
        }
    ],
    "blocking_keys": [{"blocking_key": -(2**63), "record_id": 1}],
    "value_holders": [{"value_key": 7, "given_sound": "ana", "record_id": 1}],
    "shared_values": [
        {
            "value_key": 7,
            "column_name": "phones",
            "value": "+5511900000000",
            "holder_count": 9,
            "sharing": "shared",
            "counted_at": NOW,
            "is_held": True,
        }
    ],
    "redo_records": [{"record_id": 1, "queued_at": NOW}],
    "model_versions": [
        {
            "model_version_id": 0,
            "label": "prior",
            "specification": "{}",
            "parameters": "{}",
            "term_frequencies": b"\x00\x1f",
            "report": "{}",
            "seed": 0,
            "record_count": 0,
            "created_at": NOW,
        }
    ],
    "model_activations": [
        {"activation_id": 1, "model_version_id": 0, "valid_from": NOW, "author": "a", "reason": "first"}
    ],
    "edges": [
        {"record_id_l": 1, "record_id_r": 2, "model_version_id": 0, "match_weight": 12.5, "evidence": "{}"}
    ],
    "profiles": [
        {
            "profile_id": profile_id,
            "state": "live",
            "version": 1,
            "record_count": 1,
            "golden": "{}",
            "created_at": NOW,
            "updated_at": NOW,
        }
        for profile_id in ("p1", "p2")
    ],
    "resolution_runs": [
        {
            "run_id": 1,
            "kind": "batch",
            "model_version_id": 0,
            "started_at": NOW,
            "state": "running",
            "counts": "{}",
        }
    ],
    "ledger_entries": [
        {
            "ledger_entry_id": 1,
            "kind": "create",
            "profile_id": "p1",
            "author": "machine",
            "reason": "new",
            "model_version_id": 0,
            "run_id": 1,
            "evidence": "[]",
            "recorded_at": NOW,
        }
    ],
    "steward_actions": [{"action_id": 1, "kind": "split", "author": "a", "reason": "b", "recorded_at": NOW}],
    "golden_pins": [
        {
            "pin_id": 1,
            "record_id": 1,
            "attribute": "gender",
            "value": '"f"',
            "opened_by": 1,
            "valid_from": NOW,
        }
    ],
    "frozen_records": [{"frozen_id": 1, "record_id": 1, "opened_by": 1, "valid_from": NOW}],
    "ruling_proposals": [
        {
            "proposal_id": 1,
            "kind": "join",
            "request": "{}",
            "author": "user:ana",
            "reason": "b",
            "why": '["size"]',
            "etag": "e",
            "recorded_at": NOW,
        }
    ],
    "pair_constraints": [
        {
            "constraint_id": 1,
            "kind": "cannot",
            "record_id_l": 1,
            "record_id_r": 2,
            "author": "a",
            "reason": "b",
            "valid_from": NOW,
        }
    ],
    "identifier_reports": [
        {
            "report_id": 1,
            "kind": "phone",
            "value": "+5511900000000",
            "variant": "BR1100000000",
            "outcome": "wrong_person",
            "source_id": None,
            "profile_id": "p1",
            "reason": "somebody else answered",
            "reported_by": "key:1",
            "reported_at": NOW,
            "valid_from": NOW,
            "valid_to": None,
            "closed_by": None,
            "closed_reason": None,
        }
    ],
    "memberships": [
        {"membership_id": 1, "record_id": 1, "profile_id": "p1", "ledger_entry_id": 1, "valid_from": NOW}
    ],
    "ledger_moves": [{"ledger_entry_id": 1, "record_id": 1, "to_profile_id": "p1"}],
    "merge_candidates": [
        {
            "candidate_id": 1,
            "record_id_l": 1,
            "record_id_r": 2,
            "profile_id_l": "p1",
            "profile_id_r": "p2",
            "match_weight": 3.5,
            "match_probability": 0.9,
            "reason": "review_band",
            "state": "open",
            "model_version_id": 0,
            "created_at": NOW,
            "record_count": 2,
            "source_id_l": 1,
            "source_id_r": 1,
            "identifier_kinds": 1,
            "assignee": "user:ana",
            "due_at": LATER,
        }
    ],
    "decision_confirmations": [
        {
            "confirmation_id": 1,
            "candidate_id": 1,
            "decision": "same",
            "author": "user:ana",
            "reason": "same card",
            "why": '["documents"]',
            "etag": "0",
            "recorded_at": NOW,
        }
    ],
    "comments": [
        {"comment_id": 1, "candidate_id": 1, "author": "user:ana", "body": "ask them", "written_at": NOW}
    ],
    "quality_draws": [
        {
            "draw_id": 1,
            "drawn_at": NOW,
            "up_to_action_id": 1,
            "up_to_entry_id": 1,
            "decision_share": 0.1,
            "join_share": 0.1,
            "sample_count": 1,
        }
    ],
    "quality_samples": [
        {
            "sample_id": 1,
            "draw_id": 1,
            "kind": "decision",
            "action_id": 1,
            "record_id_l": 1,
            "record_id_r": 2,
            "first_answer": "same",
            "first_author": "user:ana",
            "chance": 0.1,
        }
    ],
    "candidate_leases": [
        {"candidate_id": 1, "owner": "user:ana", "claimed_at": NOW, "expires_at": LATER},
    ],
    "candidate_skips": [
        {"person": "user:ana", "candidate_id": 1, "skipped_at": NOW, "hidden_until": LATER},
    ],
    "audit_entries": [
        {
            "audit_id": 1,
            "recorded_at": NOW,
            "actor": "a",
            "action": "b",
            "object_kind": "profile",
            "object_id": "p1",
            "details": "{}",
        }
    ],
    "outbox_events": [
        {"event_id": 1, "kind": "joined", "subject_id": "p1", "payload": "{}", "created_at": NOW}
    ],
    "api_keys": [
        {"key_id": "k", "name": "n", "secret_hash": "0" * 64, "scopes": '["admin"]', "created_at": NOW}
    ],
    "users": [
        {
            "user_id": 1,
            "name": "ana",
            "role": "steward",
            "issuer": "https://id.example.com",
            "subject": "4711",
            "failed_count": 0,
            "created_at": NOW,
        }
    ],
    "console_sessions": [
        {
            "session_id": 1,
            "token_hash": "0" * 64,
            "user_id": 1,
            "created_at": NOW,
            "seen_at": NOW,
            "expires_at": LATER,
        }
    ],
    "console_secrets": [{"name": "signing", "secret": "0" * 64, "created_at": NOW}],
    "idempotent_answers": [
        {
            "answer_id": 1,
            "key_id": "k",
            "idempotency_key": "a",
            "route": "POST /v1/records",
            "request_hash": "0" * 64,
            "status": 201,
            "headers": "{}",
            "body": b"\x00\x1f",
            "profile_ids": '["p1"]',
            "created_at": NOW,
            "expires_at": LATER,
        }
    ],
    "imports": [
        {
            "import_id": 1,
            "file_name": "a.csv",
            "file_hash": "0",
            "sources": "[]",
            "started_at": NOW,
            "counts": "{}",
        }
    ],
    "disagreement_measurements": [
        {
            "measurement_id": 1,
            "measured_at": NOW,
            "model_version_id": 0,
            "record_count": 200,
            "waiting_count": 3,
            "differing_count": 1,
            "seed": 7,
        }
    ],
    "events": [
        {
            "event_id": 1,
            "source_id": 1,
            "message_id": "m-1",
            "kind": "track",
            "name": "Product Added",
            "occurred_at": NOW,
            "received_at": NOW,
            "record_id": 1,
            "anonymous_id": "a-1",
            "properties": "{}",
            "context": "{}",
        }
    ],
    "event_subjects": [{"record_id": 1, "kind": "cart", "subject_id": "", "event_id": 1}],
    "engagement_states": [
        {
            "record_id": 1,
            "kind": "cart",
            "subject_id": "",
            "state": "{}",
            "is_open": True,
            "changed_at": NOW,
        }
    ],
    "consent_assertions": [
        {
            "assertion_id": 1,
            "record_id": 1,
            "category": "Advertising",
            "granted": False,
            "asserted_at": NOW,
            "event_id": 1,
        }
    ],
    "id_sightings": [
        {
            "source_id": 1,
            "kind": "anonymous",
            "other_id": "a-1",
            "user_id": "u-1",
            "seen_at": NOW,
            "action_id": 1,
        }
    ],
    "rejected_messages": [
        {
            "rejection_id": 1,
            "source_id": 1,
            "message_hash": "0" * 64,
            "code": "missing",
            "pointer": "/userId",
            "detail": "userId is missing",
            "size_bytes": 2,
            "received_at": NOW,
        }
    ],
}


def fill(engine: Engine) -> None:
    """Put the rows of every table into an empty store."""
    with write(engine) as connection:
        for name, rows in ROWS.items():
            connection.execute(schema.metadata.tables[name].insert(), rows)


def insert_like(connection: Connection, table: str, /, **changes: Any) -> None:
    """Insert the table's first row with some values changed."""
    connection.execute(schema.metadata.tables[table].insert(), {**ROWS[table][0], **changes})
