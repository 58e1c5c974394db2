"""The tables refuse what the code above them should never write."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import IntegrityError

from cdp.store import insert_rows, read, schema, write
from tests.cdp.store.rows import BEFORE, LATER, NOW, ROWS, fill, insert_like

# What the rows already there refuse: table, the values that differ from its first row.
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "second open membership": ("memberships", {"membership_id": 2, "profile_id": "p2"}),
    "second source of a name": ("sources", {"source_id": 2}),
    "second record of a key": ("source_records", {"record_id": 3}),
    "second open activation": ("model_activations", {"activation_id": 2}),
    "second open constraint": ("pair_constraints", {"constraint_id": 2}),
    "second open candidate": ("merge_candidates", {"candidate_id": 2}),
    "second move of a record": ("ledger_moves", {"to_profile_id": "p2"}),
    "second edge of a pair": ("edges", {"match_weight": 1.0}),
    "identifier twice": ("identifiers", {"verified": False}),
    "blocking key twice": ("blocking_keys", {}),
    "edge of a record with itself": ("edges", {"record_id_l": 2}),
    "edge from right to left": ("edges", {"record_id_l": 2, "record_id_r": 1}),
    "constraint from right to left": (
        "pair_constraints",
        {"constraint_id": 2, "record_id_l": 2, "record_id_r": 1},
    ),
    "candidate from right to left": (
        "merge_candidates",
        {"candidate_id": 2, "record_id_l": 2, "record_id_r": 1},
    ),
    "unknown constraint": ("pair_constraints", {"constraint_id": 2, "kind": "may"}),
    "unknown identifier kind": ("identifiers", {"kind": "name"}),
    "unknown profile state": ("profiles", {"profile_id": "p3", "state": "dead"}),
    "unknown ledger kind": ("ledger_entries", {"ledger_entry_id": 2, "kind": "merge"}),
    "absorbed into nothing": ("profiles", {"profile_id": "p3", "state": "absorbed"}),
    "live and absorbed": ("profiles", {"profile_id": "p3", "absorbed_into": "p1"}),
    "absorbed into itself": ("profiles", {"profile_id": "p3", "state": "absorbed", "absorbed_into": "p3"}),
    "negative record count": ("profiles", {"profile_id": "p3", "record_count": -1}),
    "version zero": ("profiles", {"profile_id": "p3", "version": 0}),
    "membership that ends before it begins": (
        "memberships",
        {"membership_id": 2, "record_id": 2, "valid_from": LATER, "valid_to": NOW},
    ),
    "membership of no record": ("memberships", {"membership_id": 2, "record_id": 99}),
    "membership in no profile": ("memberships", {"membership_id": 2, "record_id": 2, "profile_id": "p9"}),
    "membership without ledger": ("memberships", {"membership_id": 2, "record_id": 2, "ledger_entry_id": 9}),
    "move from nowhere to nowhere": ("ledger_moves", {"record_id": 2, "to_profile_id": None}),
    "undone by an earlier entry": ("ledger_entries", {"ledger_entry_id": 2, "undone_by": 1}),
    "finished and running": ("resolution_runs", {"run_id": 2, "finished_at": LATER}),
    "closed and open": ("merge_candidates", {"candidate_id": 2, "record_id_r": 2, "closed_at": NOW}),
    "impossible probability": ("merge_candidates", {"candidate_id": 2, "match_probability": 1.5}),
    "second open pin of a ruling": ("golden_pins", {"pin_id": 2}),
    "pin closed by nobody": ("golden_pins", {"pin_id": 2, "attribute": "a", "valid_to": LATER}),
    "second open freeze of a ruling": ("frozen_records", {"frozen_id": 2}),
    "freeze ended by nobody": ("frozen_records", {"frozen_id": 2, "record_id": 2, "valid_to": LATER}),
    "ruling confirmed by its author": (
        "ruling_proposals",
        {
            "proposal_id": 2,
            "ended_at": LATER,
            "ended_by": "user:ana",
            "outcome": "confirmed",
            "action_id": 1,
        },
    ),
    "ruling that ended with nothing": (
        "ruling_proposals",
        {"proposal_id": 2, "ended_at": LATER, "ended_by": "user:rui"},
    ),
    "second decision that waits": ("decision_confirmations", {"confirmation_id": 2, "author": "user:rui"}),
    "decision confirmed by its author": (
        "decision_confirmations",
        {
            "confirmation_id": 2,
            "ended_at": LATER,
            "ended_by": "user:ana",
            "outcome": "confirmed",
            "action_id": 1,
        },
    ),
    "decision that ended with nothing": (
        "decision_confirmations",
        {"confirmation_id": 2, "ended_at": LATER, "ended_by": "user:rui"},
    ),
    "comment about nothing": ("comments", {"comment_id": 2, "candidate_id": None}),
    "comment about two things": ("comments", {"comment_id": 2, "profile_id": "p1"}),
    "empty comment": ("comments", {"comment_id": 2, "body": ""}),
    "decision drawn twice": ("quality_samples", {"sample_id": 2}),
    "sample of nothing": ("quality_samples", {"sample_id": 2, "action_id": None}),
    "sample without a chance": ("quality_samples", {"sample_id": 2, "action_id": 2, "chance": 0.0}),
    "sample read by who answered first": (
        "quality_samples",
        {"sample_id": 2, "answer": "same", "answered_by": "user:ana", "answered_at": LATER},
    ),
    "second claim of a candidate": ("candidate_leases", {"owner": "user:rui"}),
    "claim that ends before it begins": ("candidate_leases", {"candidate_id": 2, "expires_at": BEFORE}),
    "claim of no candidate": ("candidate_leases", {"candidate_id": 9}),
    "candidate put back twice": ("candidate_skips", {"hidden_until": LATER}),
    "half sealed": ("audit_entries", {"audit_id": 2, "entry_hash": "0" * 64}),
    "second user of a name": ("users", {"user_id": 2, "subject": "4712"}),
    "second user of an identity": ("users", {"user_id": 2, "name": "rui"}),
    "issuer without a subject": ("users", {"user_id": 2, "name": "rui", "subject": None}),
    "unknown role": ("users", {"user_id": 2, "name": "rui", "subject": "2", "role": "king"}),
    "second session of a token": ("console_sessions", {"session_id": 2}),
    "session of no user": ("console_sessions", {"session_id": 2, "token_hash": "1" * 64, "user_id": 9}),
    "session that ends before it begins": (
        "console_sessions",
        {"session_id": 2, "token_hash": "1" * 64, "expires_at": NOW},
    ),
    "second answer to a call": ("idempotent_answers", {"answer_id": 2}),
    "answer to no key": ("idempotent_answers", {"answer_id": 2, "key_id": "k9"}),
    "stored refusal": ("idempotent_answers", {"answer_id": 2, "idempotency_key": "b", "status": 409}),
    "answer that never was good": (
        "idempotent_answers",
        {"answer_id": 2, "idempotency_key": "b", "expires_at": NOW},
    ),
    "open report of the same": ("identifier_reports", {"report_id": 2}),
    "report of an unknown outcome": ("identifier_reports", {"report_id": 2, "outcome": "rude"}),
    "report of a name": ("identifier_reports", {"report_id": 2, "kind": "name"}),
    "report closed by nobody": ("identifier_reports", {"report_id": 2, "valid_to": LATER}),
    "open report with a reason to close it": (
        "identifier_reports",
        {"report_id": 2, "outcome": "bounced", "closed_reason": "a mistake"},
    ),
    "report that ends before it begins": (
        "identifier_reports",
        {"report_id": 2, "valid_from": LATER, "valid_to": NOW, "closed_by": "key:1"},
    ),
    "report about no profile": ("identifier_reports", {"report_id": 2, "profile_id": "p9"}),
    "short hash of a secret": ("api_keys", {"key_id": "l", "secret_hash": "0"}),
    "short hash of a former secret": (
        "api_keys",
        {"key_id": "l", "former_secret_hash": "0", "former_expires_at": LATER},
    ),
    "former secret without an end": ("api_keys", {"key_id": "l", "former_secret_hash": "0" * 64}),
    "short hash of a record": ("source_records", {"record_id": 3, "source_record_id": "c", "raw_hash": "0"}),
    "second event of a message": ("events", {"event_id": 2}),
    "event of no record": ("events", {"event_id": 2, "message_id": "m-2", "record_id": 99}),
    "event of an unknown kind": ("events", {"event_id": 2, "message_id": "m-2", "kind": "wave"}),
    "subject of no event": ("event_subjects", {"event_id": 99}),
    "second state of a subject": ("engagement_states", {"state": "[]"}),
    "second word of an event on a category": ("consent_assertions", {"assertion_id": 2, "granted": True}),
    "second sighting of a pair": ("id_sightings", {"action_id": None}),
    "second rejection of a message": ("rejected_messages", {"rejection_id": 2}),
    "no instant": ("outbox_events", {"event_id": 2, "created_at": None}),
}


@pytest.mark.parametrize(("table", "changes"), REFUSED.values(), ids=REFUSED.keys())
def test_the_tables_refuse(filled_connection: Connection, table: str, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        insert_like(filled_connection, table, **changes)


ALLOWED: dict[str, tuple[str, dict[str, Any]]] = {
    "closed membership beside the open one": ("memberships", {"membership_id": 2, "valid_to": LATER}),
    "closed activation beside the open one": ("model_activations", {"activation_id": 2, "valid_to": LATER}),
    "closed constraint beside the open one": ("pair_constraints", {"constraint_id": 2, "valid_to": LATER}),
    "must beside cannot": ("pair_constraints", {"constraint_id": 2, "kind": "must"}),
    "constraint that two rulings opened": ("pair_constraints", {"constraint_id": 2, "opened_by": 1}),
    "decided candidate beside the open one": (
        "merge_candidates",
        {"candidate_id": 2, "state": "same", "closed_at": LATER},
    ),
    "closed report beside the open one": (
        "identifier_reports",
        {"report_id": 2, "valid_to": LATER, "closed_by": "key:1"},
    ),
    "report of the same by another source": ("identifier_reports", {"report_id": 2, "source_id": 1}),
    "report of the same about nobody": ("identifier_reports", {"report_id": 2, "profile_id": None}),
    "report of another outcome": ("identifier_reports", {"report_id": 2, "outcome": "recycled"}),
    "absorbed profile": ("profiles", {"profile_id": "p3", "state": "absorbed", "absorbed_into": "p1"}),
}


@pytest.mark.parametrize(("table", "changes"), ALLOWED.values(), ids=ALLOWED.keys())
def test_the_tables_allow(filled_connection: Connection, table: str, changes: dict[str, Any]) -> None:
    insert_like(filled_connection, table, **changes)


def test_every_table_has_a_row_here() -> None:
    assert set(ROWS) == set(schema.metadata.tables)


def test_values_come_back_as_they_went_in(store: Engine) -> None:
    fill(store)

    with read(store) as connection:
        for name, rows in ROWS.items():
            table = schema.metadata.tables[name]
            found = connection.execute(select(table).order_by(*table.primary_key)).mappings()
            assert [{key: row[key] for key in rows[0]} for row in found] == rows


def test_a_deleted_id_is_not_given_out_again(store: Engine) -> None:
    values = {key: value for key, value in ROWS["outbox_events"][0].items() if key != "event_id"}
    events = schema.outbox_events

    with write(store) as connection:
        first = connection.execute(events.insert(), values).inserted_primary_key
        connection.execute(events.delete())
        second = connection.execute(events.insert(), values).inserted_primary_key

    assert first is not None
    assert second is not None
    assert second[0] > first[0]


def test_text_sorts_by_code_point(store: Engine) -> None:
    names = ["b", "B", "á", "a", "_", "a-b", "ab", "Z"]
    rows = [(n, name, "BR", None, "dmy", 1, "{}", NOW) for n, name in enumerate(names, 1)]

    with write(store) as connection:
        insert_rows(connection, schema.sources, rows)
        ordered = list(connection.scalars(select(schema.sources.c.name).order_by(schema.sources.c.name)))

    assert ordered == sorted(names)


def test_a_profile_lookup_uses_the_indexes(sqlite_store: Engine) -> None:
    members = select(schema.memberships.c.record_id).where(
        schema.memberships.c.profile_id == "p1", schema.memberships.c.valid_to.is_(None)
    )
    holders = select(func.count()).where(
        schema.identifiers.c.kind == "phone", schema.identifiers.c.variant == "BR1100000000"
    )

    with read(sqlite_store) as connection:
        plans = [
            connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN "
                + str(each.compile(sqlite_store, compile_kwargs={"literal_binds": True}))
            ).all()[0][3]
            for each in (members, holders)
        ]

    assert "memberships_open_profile" in plans[0]
    assert "identifiers_variant" in plans[1]
