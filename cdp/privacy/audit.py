"""Audit entries: who did or looked at what, sealed into a chain of hashes that shows any later change.

Grain: one row per act. A sealed row has its place in the chain, the hash of the row before it and its own
hash over both and its content, so that no row can be altered, taken out or put in unseen. On SQLite a row is
sealed in the transaction that adds it. On PostgreSQL that would make every two writers conflict over the
last row: there `seal_audit` seals, in a short transaction of its own, what others have committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, bindparam, func, select

from cdp.canonical import canonical_json
from cdp.store import insert_rows, stream_rows, write_alone, writes_are_serial
from cdp.store.instants import format_instant
from cdp.store.quick import QuickStatement
from cdp.store.schema import audit_entries

# The hash before the first entry.
CHAIN_START = "0" * 64
_SEAL_BATCH = 10_000

_CONTENT = ("recorded_at", "actor", "action", "object_kind", "object_id", "details")
_PLACE = ("chain_position", "previous_hash", "entry_hash")


@dataclass(frozen=True)
class AuditEntry:
    """`details` is JSON and carries ids, never a person's values: an erased person must not stay here."""

    actor: str
    action: str
    object_kind: str
    object_id: str
    recorded_at: datetime
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ChainBreach:
    """Where the chain first fails to hold: `what` is 'altered', 'unlinked' or 'missing'."""

    chain_position: int
    what: str


def append_audit(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Add entries in their order, in the transaction of what they tell of."""
    if not entries:
        return
    rows: list[dict[str, Any]] = [
        {
            "recorded_at": entry.recorded_at,
            "actor": entry.actor,
            "action": entry.action,
            "object_kind": entry.object_kind,
            "object_id": entry.object_id,
            "details": canonical_json(entry.details),
        }
        for entry in entries
    ]
    if writes_are_serial(connection):
        rows = _linked(connection, rows)
    names = (*_CONTENT, *_PLACE) if writes_are_serial(connection) else _CONTENT
    insert_rows(connection, audit_entries, [[row[name] for name in names] for row in rows], columns=names)


def seal_audit(engine: Engine) -> int:
    """Seal the committed entries that are not yet in the chain, oldest id first; returns how many."""
    sealed_count = 0
    while True:
        with write_alone(engine, "audit chain") as connection:
            sealed = _seal_batch(connection)
        sealed_count += sealed
        if sealed < _SEAL_BATCH:
            return sealed_count


def count_unsealed(connection: Connection) -> int:
    unsealed = select(func.count()).where(audit_entries.c.chain_position.is_(None))
    return connection.scalars(unsealed).one()


def find_breach(connection: Connection) -> ChainBreach | None:
    """Read the whole chain from its start; None when it is unbroken.

    A tail cut off leaves a shorter, unbroken chain: compare `select_head` with one kept elsewhere.
    """
    expected_position, expected_previous = 1, CHAIN_START
    sealed = (
        select(audit_entries)
        .where(audit_entries.c.chain_position.is_not(None))
        .order_by(audit_entries.c.chain_position)
    )
    for chunk in stream_rows(connection, sealed):
        for row in chunk:
            if row.chain_position != expected_position:
                return ChainBreach(expected_position, "missing")
            if row.previous_hash != expected_previous:
                return ChainBreach(expected_position, "unlinked")
            if row.entry_hash != _entry_hash(row._mapping):
                return ChainBreach(expected_position, "altered")
            expected_position, expected_previous = expected_position + 1, row.entry_hash
    return None


def select_head(connection: Connection) -> tuple[int, str]:
    """Position and hash of the last sealed entry; (0, CHAIN_START) when there is none."""
    last = _HEAD.first(connection)
    return (last.chain_position, last.entry_hash) if last else (0, CHAIN_START)


_HEAD = QuickStatement(
    select(audit_entries.c.chain_position, audit_entries.c.entry_hash)
    .where(audit_entries.c.chain_position.is_not(None))
    .order_by(audit_entries.c.chain_position.desc())
    .limit(1)
)


def _seal_batch(connection: Connection) -> int:
    found = connection.execute(
        select(audit_entries)
        .where(audit_entries.c.chain_position.is_(None))
        .order_by(audit_entries.c.audit_id)
        .limit(_SEAL_BATCH)
    ).mappings()
    linked = _linked(connection, [dict(row) for row in found])
    if linked:
        sealing = (
            audit_entries.update()
            .where(audit_entries.c.audit_id == bindparam("sealed_id"))
            .values(
                {name: bindparam(f"new_{name}") for name in ("chain_position", "previous_hash", "entry_hash")}
            )
        )
        connection.execute(
            sealing,
            [
                {
                    "sealed_id": row["audit_id"],
                    "new_chain_position": row["chain_position"],
                    "new_previous_hash": row["previous_hash"],
                    "new_entry_hash": row["entry_hash"],
                }
                for row in linked
            ],
        )
    return len(linked)


def _linked(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their places after the last sealed one."""
    position, previous = select_head(connection)
    linked = []
    for position_in_chain, row in enumerate(rows, position + 1):
        placed = {**row, "chain_position": position_in_chain, "previous_hash": previous}
        previous = placed["entry_hash"] = _entry_hash(placed)
        linked.append(placed)
    return linked


def _entry_hash(row: Mapping[str, Any] | RowMapping) -> str:
    content = [
        row["previous_hash"],
        row["chain_position"],
        format_instant(row["recorded_at"]),
        row["actor"],
        row["action"],
        row["object_kind"],
        row["object_id"],
        row["details"],
    ]
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()
