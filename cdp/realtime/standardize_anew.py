"""Standardize stored records anew from what they came as, where an earlier version of the standardizer did it.

Step by step, each step one write with all that follows from it, so that the people are always those of the records.
Whoever stops in between goes on by beginning again: what is done says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select, update

from cdp.identity.linkage_records import OUTDATED
from cdp.identity.resolution_runs import select_last_published
from cdp.identity.sources import Source, select_sources
from cdp.identity.standardized import linkage_of
from cdp.intake.rows import RefusedRowError
from cdp.intake.shape import check_record
from cdp.intake.stored_form import stored_form
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.ingest import Resolver, not_before_the_ledger, resolve_and_publish, write_online
from cdp.realtime.ingested import told_of
from cdp.realtime.known_sources import standardizer
from cdp.realtime.online_models import require_online_version
from cdp.realtime.publish_region import Cause
from cdp.realtime.redo import drain_redo
from cdp.realtime.versions import IdentifierRow, replace_identifiers
from cdp.store import id_set, read
from cdp.store.quick import QuickStatement
from cdp.store.schema import source_records, sources
from cdp.store.turns import writing_turn
from resolution import Change, IndexedRecord
from resolution.standardize import STANDARDIZER_VERSION

REASON_WITHOUT_VERSION = "standardized anew, by version "
REASON = f"{REASON_WITHOUT_VERSION}{STANDARDIZER_VERSION}"

# Records of one write: requests of others wait for it on SQLite, and may conflict with it on PostgreSQL.
RECORDS_AT_A_STEP = 100


@dataclass
class Standardized:
    """examined: records of an earlier version; changed: those of which it makes something else now. refused: those
    that the rules of now would not take in, which stay as they are; first_refused: the ids of a few."""

    examined: int = 0
    changed: int = 0
    refused: int = 0
    first_refused: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Anew:
    """What a version of a record comes out as now."""

    raw_hash: str
    text: str
    linkage_hash: int
    identifiers: tuple[IdentifierRow, ...]


def standardize_anew(
    resolver: Resolver,
    *,
    author: str,
    clock: Callable[[], datetime],
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Standardized:
    """Progress: told how many records are examined so far."""
    told = Standardized()
    after = 0
    with read(resolver.engine) as connection:
        by_name = select_sources(connection)
    while rows := _select_outdated(resolver, after):
        after = rows[-1].record_id
        anew = _standardize(rows, by_name)
        refused = [row.record_id for row in rows if row.record_id not in anew]
        told.examined += len(rows)
        told.refused += len(refused)
        told.first_refused = (*told.first_refused, *refused)[:10]
        told.changed += (
            sum(row.standardized != anew[row.record_id].text for row in rows if row.record_id in anew)
            if dry_run
            else _write(resolver, anew, author, clock())
        )
        progress(told.examined)
    if not dry_run and told.changed:
        _work_off_queue(resolver, clock)
    return told


def _select_outdated(resolver: Resolver, after: int) -> Sequence[Any]:
    with read(resolver.engine) as connection:
        return connection.execute(
            _select()
            .where(*OUTDATED, source_records.c.record_id > after)
            .order_by(source_records.c.record_id)
            .limit(RECORDS_AT_A_STEP)
        ).all()


def _standardize(rows: Sequence[Any], by_name: Mapping[str, Source]) -> dict[int, _Anew]:
    """By record id; without those that the rules of now refuse."""
    found: dict[int, _Anew] = {}
    for row in rows:
        values = orjson.loads(row.raw) | {"source": row.name, "source_record_id": row.source_record_id}
        try:
            checked = check_record(values, default_source=None, default_occurred_at=row.occurred_at)
        except RefusedRowError:
            continue
        standardized = standardizer(by_name[row.name].settings).standardize(checked.values)
        text, linkage_hash = stored_form(standardized)
        identifiers = tuple(
            (each.kind, each.value, each.variant, each.verified) for each in standardized.identifiers
        )
        found[row.record_id] = _Anew(row.raw_hash, text, linkage_hash, identifiers)
    return found


def _write(resolver: Resolver, anew: Mapping[int, _Anew], author: str, now: datetime) -> int:
    """Of the versions that still stand. Returns how many records changed."""

    def work(connection: Connection) -> int:
        wanted = id_set(connection, sorted(anew))
        rows = connection.execute(
            _select().join(wanted, wanted.c.id == source_records.c.record_id).where(*OUTDATED)
        ).all()
        standing = {row.record_id: row for row in rows if row.raw_hash == anew[row.record_id].raw_hash}
        changed = {
            record_id: row for record_id, row in standing.items() if row.standardized != anew[record_id].text
        }
        _update(connection, {record_id: anew[record_id] for record_id in standing}, changed)
        if changed and select_last_published(connection) is not None:
            _resolve(connection, resolver, changed, author, now)
        return len(changed)

    with writing_turn(resolver.engine):
        return write_online(resolver, work, now=now)


def _update(connection: Connection, standing: Mapping[int, _Anew], changed: Mapping[int, object]) -> None:
    if not standing:
        return
    _UPDATE.run_many(
        connection,
        [
            {"updated_id": record_id, "standardized": each.text, "linkage_hash": each.linkage_hash}
            for record_id, each in standing.items()
        ],
    )
    replace_identifiers(connection, {record_id: standing[record_id].identifiers for record_id in changed})


def _resolve(
    connection: Connection, resolver: Resolver, changed: Mapping[int, Any], author: str, now: datetime
) -> None:
    moment = not_before_the_ledger(connection, now)
    version = require_online_version(connection, now=moment)
    changes = [
        Change(
            record_id,
            IndexedRecord(
                record_id,
                (row.name, row.source_record_id),
                linkage_of(row.standardized),
                row.linkage_hash,
            ),
        )
        for record_id, row in changed.items()
    ]
    cause = Cause(author, REASON, version)
    effect = resolve_and_publish(connection, resolver, changes, cause, now=moment)
    told = {"record_count": len(changes), "standardizer_version": STANDARDIZER_VERSION} | told_of(effect)
    append_audit(connection, [AuditEntry(author, "records.standardize", "records", "", moment, told)])


def _work_off_queue(resolver: Resolver, clock: Callable[[], datetime]) -> None:
    """What came of values that many hold; what others brought about meanwhile is the worker's."""
    taken = RECORDS_AT_A_STEP
    while taken == RECORDS_AT_A_STEP:
        with writing_turn(resolver.engine):
            taken = drain_redo(resolver, at_most=RECORDS_AT_A_STEP, now=clock()).taken


def _select() -> Any:
    return select(
        source_records.c.record_id,
        source_records.c.source_record_id,
        source_records.c.occurred_at,
        source_records.c.raw,
        source_records.c.raw_hash,
        source_records.c.standardized,
        source_records.c.linkage_hash,
        sources.c.name,
    ).join_from(source_records, sources, sources.c.source_id == source_records.c.source_id)


_UPDATE = QuickStatement(
    update(source_records)
    .where(source_records.c.record_id == bindparam("updated_id"))
    .values(
        standardized=bindparam("standardized"),
        linkage_hash=bindparam("linkage_hash"),
        standardizer_version=STANDARDIZER_VERSION,
    )
)
