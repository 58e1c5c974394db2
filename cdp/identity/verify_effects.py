"""Checks that nothing took effect without what belongs to it: ledger, audit and outbox rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, exists, func, select

from cdp.store import stream_rows
from cdp.store.schema import (
    audit_entries,
    imports,
    ledger_entries,
    ledger_moves,
    memberships,
    outbox_events,
    resolution_runs,
    source_records,
)

Found = tuple[str, tuple[int | str, ...]]


def check_effects(connection: Connection) -> Iterator[Found]:
    """No membership without its move in the ledger, no published run without its audit entry."""
    told = exists().where(
        ledger_moves.c.ledger_entry_id == memberships.c.ledger_entry_id,
        ledger_moves.c.record_id == memberships.c.record_id,
        ledger_moves.c.to_profile_id == memberships.c.profile_id,
    )
    untold = select(memberships.c.membership_id, memberships.c.record_id, memberships.c.profile_id)
    for row in _rows(connection, untold.where(~told).order_by(memberships.c.membership_id)):
        yield (
            f"record {row.record_id} entered profile {row.profile_id} without a move in the ledger",
            (row.record_id, row.profile_id),
        )
    moveless = select(ledger_entries.c.ledger_entry_id).where(
        ~exists().where(ledger_moves.c.ledger_entry_id == ledger_entries.c.ledger_entry_id)
    )
    for row in _rows(connection, moveless.order_by(ledger_entries.c.ledger_entry_id)):
        yield f"ledger entry {row.ledger_entry_id} moved no record", (row.ledger_entry_id,)
    published = connection.scalars(
        select(resolution_runs.c.run_id)
        .where(resolution_runs.c.state == "published", resolution_runs.c.kind == "batch")
        .order_by(resolution_runs.c.run_id)
    ).all()
    audited = set(
        connection.scalars(
            select(audit_entries.c.object_id).where(
                audit_entries.c.object_kind == "run", audit_entries.c.action == "resolution.publish"
            )
        )
    )
    for run_id in published:
        if str(run_id) not in audited:
            yield f"run {run_id} was published without an audit entry", (run_id,)


def check_outbox(connection: Connection) -> Iterator[Found]:
    """Every ledger entry is named by an event of its profile, written at its moment."""
    statement = (
        select(ledger_entries.c.ledger_entry_id, ledger_entries.c.profile_id, outbox_events.c.payload)
        .select_from(
            ledger_entries.outerjoin(
                outbox_events,
                (outbox_events.c.subject_id == ledger_entries.c.profile_id)
                & (outbox_events.c.created_at == ledger_entries.c.recorded_at),
            )
        )
        .order_by(ledger_entries.c.ledger_entry_id)
    )
    by_entry = groupby(_rows(connection, statement), key=attrgetter("ledger_entry_id", "profile_id"))
    for (entry_id, profile_id), events in by_entry:
        if not any(
            event.payload and entry_id in _named(event.payload, "ledger_entry_ids") for event in events
        ):
            told = f"no event of profile {profile_id} tells of ledger entry {entry_id}"
            yield told, (entry_id, profile_id)


def check_imports(connection: Connection) -> Iterator[Found]:
    """Every import is audited, one that changed records has its event, and what they created is there."""
    audited = _ids_named(
        connection,
        select(audit_entries.c.details).where(
            audit_entries.c.object_kind == "import", audit_entries.c.action == "records.import"
        ),
    )
    announced = _ids_named(
        connection, select(outbox_events.c.payload).where(outbox_events.c.kind == "records.imported")
    )
    created_count = 0
    for row in _rows(connection, select(imports.c.import_id, imports.c.counts).order_by(imports.c.import_id)):
        counts = orjson.loads(row.counts)
        created_count += counts.get("created", 0)
        if row.import_id not in audited:
            yield f"import {row.import_id} has no audit entry", (row.import_id,)
        if row.import_id not in announced and (counts.get("created") or counts.get("updated")):
            yield f"import {row.import_id} changed records and has no event", (row.import_id,)
    held_count = connection.scalars(select(func.count()).select_from(source_records)).one()
    if held_count < created_count:
        yield f"imports created {created_count:,} records, the store holds {held_count:,}", ()


def _ids_named(connection: Connection, documents: Select[tuple[str]]) -> set[int]:
    """The imports that the audit entries or events name."""
    return {import_id for (text,) in _rows(connection, documents) for import_id in _named(text, "imports")}


def _named(text: str, member: str) -> list[int]:
    listed: list[int] = orjson.loads(text).get(member, [])
    return listed


def _rows(connection: Connection, statement: Select[Any]) -> Iterator[Row[Any]]:
    return chain.from_iterable(stream_rows(connection, statement))
