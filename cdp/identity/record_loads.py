"""Loads of many records at once: each is compared with what is stored, in sets, and the newer version stays.

A version is newer by `occurred_at`, then by its hash, so the outcome does not depend on the order of arrival.
A deleted record comes back only in a version that is younger than its deletion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Select,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from cdp.store import filled_table, insert_rows, reserve_ids, schema, stream_rows, temporary_table

OUTCOMES = ("created", "updated", "unchanged", "superseded")
LOADED_AT_ONCE = 2_000
IDENTIFIER_COLUMNS = ("kind", "value", "record_id", "variant", "verified")

records = schema.source_records


class VersionKey(NamedTuple):
    """What tells one version of a record from another."""

    source_id: int
    source_record_id: str
    occurred_at: datetime
    raw_hash: str


class VersionContent(NamedTuple):
    """The rest of a version. An identifier is (kind, value, variant, verified)."""

    raw: str
    standardized: str
    identifiers: list[tuple[str, str, str | None, bool]]
    linkage_hash: int


# The record that a version replaces, None for a new one; the version.
Change = tuple[int | None, VersionKey, VersionContent]


@dataclass
class Load:
    """Versions to load, told by functions that can be called again. Ordinals count them from 0.

    `part_sizes` cuts them into parts (the files they came from), whose outcomes are counted apart. `all_new` says
    that no key comes twice and that the store has nothing of their sources: there is nothing to compare them with.
    """

    keys: Callable[[], Iterable[VersionKey]]
    contents: Callable[[], Iterable[VersionContent]]
    part_sizes: list[int]
    standardizer_version: int
    all_new: bool = False
    progress: Callable[[int], None] = field(default=lambda _: None)


def load_versions(
    connection: Connection, load: Load, *, now: datetime, dry_run: bool = False
) -> list[Counter[str]]:
    """Store what is new and newer; returns the outcomes of each part. A dry run only compares."""
    if load.all_new:
        if not dry_run:
            _store_changes(connection, load, _all_created(load), now)
        return [Counter(created=size) for size in load.part_sizes]
    with _outcome_table(connection, load) as outcomes:
        counts = _count_outcomes(connection, outcomes, len(load.part_sizes))
        if not dry_run:
            _store_changes(connection, load, _changes(connection, load, outcomes), now)
    return counts


@contextmanager
def _outcome_table(connection: Connection, load: Load) -> Iterator[Table]:
    """One row per version: ordinal, part, record_id of the stored record if any, outcome."""
    types = records.c
    columns = {
        "ordinal": BigInteger(),
        "part": Integer(),
        "source_id": BigInteger(),
        "source_record_id": types.source_record_id.type,
        "occurred_at": types.occurred_at.type,
        "raw_hash": types.raw_hash.type,
    }
    outcome_columns = {
        "ordinal": BigInteger(),
        "part": Integer(),
        "record_id": BigInteger(),
        "outcome": types.raw_hash.type,
    }
    with temporary_table(connection, "outcomes", outcome_columns, ()) as outcomes:
        with temporary_table(connection, "versions", columns, _version_rows(load)) as versions:
            connection.execute(insert(outcomes).from_select(list(outcome_columns), _judged(versions)))
        yield outcomes


def _version_rows(load: Load) -> Iterator[tuple[object, ...]]:
    parts = chain.from_iterable([part] * size for part, size in enumerate(load.part_sizes))
    for ordinal, (part, key) in enumerate(zip(parts, load.keys(), strict=True)):
        yield (ordinal, part, *key)


def _judged(versions: Table) -> Select[Any]:
    same_key = (versions.c.source_id, versions.c.source_record_id)
    newest_first = (versions.c.occurred_at.desc(), versions.c.raw_hash.desc(), versions.c.ordinal)
    place = func.row_number().over(partition_by=same_key, order_by=newest_first)
    newest_hash = func.first_value(versions.c.raw_hash).over(partition_by=same_key, order_by=newest_first)
    ranked = select(*versions.c, place.label("place"), newest_hash.label("newest_hash")).subquery("ranked")
    newer = or_(
        ranked.c.occurred_at > records.c.occurred_at,
        and_(ranked.c.occurred_at == records.c.occurred_at, ranked.c.raw_hash > records.c.raw_hash),
    )
    since_deletion = or_(records.c.deleted_at.is_(None), ranked.c.occurred_at > records.c.deleted_at)
    outcome = case(
        (ranked.c.raw_hash == records.c.raw_hash, "unchanged"),
        (and_(ranked.c.place > 1, ranked.c.raw_hash == ranked.c.newest_hash), "unchanged"),
        (ranked.c.place > 1, "superseded"),
        (records.c.record_id.is_(None), "created"),
        (and_(newer, since_deletion), "updated"),
        else_="superseded",
    )
    stored = and_(
        records.c.source_id == ranked.c.source_id,
        records.c.source_record_id == ranked.c.source_record_id,
    )
    return select(ranked.c.ordinal, ranked.c.part, records.c.record_id, outcome).select_from(
        ranked.outerjoin(records, stored)
    )


def _count_outcomes(connection: Connection, outcomes: Table, part_count: int) -> list[Counter[str]]:
    grouped = select(outcomes.c.part, outcomes.c.outcome, func.count()).group_by(
        outcomes.c.part, outcomes.c.outcome
    )
    counts: list[Counter[str]] = [Counter() for _ in range(part_count)]
    for part, outcome, count in connection.execute(grouped):
        counts[part][outcome] = count
    return counts


def _store_changes(connection: Connection, load: Load, changes: Iterator[Change], now: datetime) -> None:
    done = 0
    with filled_table(connection, schema.identifiers, IDENTIFIER_COLUMNS) as add_identifiers:
        while batch := list(islice(changes, LOADED_AT_ONCE)):
            created = [(key, content) for record_id, key, content in batch if record_id is None]
            updated = [
                (record_id, key, content) for record_id, key, content in batch if record_id is not None
            ]
            record_ids = _insert_records(connection, created, load.standardizer_version, now)
            _update_records(connection, updated, load.standardizer_version, now)
            contents = [content for _, content in created]
            add_identifiers(_identifiers(zip(record_ids, contents, strict=True)))
            add_identifiers(_identifiers((record_id, content) for record_id, _, content in updated))
            done += len(batch)
            load.progress(done)


def _all_created(load: Load) -> Iterator[Change]:
    for key, content in zip(load.keys(), load.contents(), strict=True):
        yield None, key, content


def _changes(connection: Connection, load: Load, outcomes: Table) -> Iterator[Change]:
    """The versions that change something, in order, with the record they replace (None: they are new)."""
    wanted = _wanted_ordinals(connection, outcomes)
    wanted_ordinal, record_id = next(wanted, (None, None))
    for ordinal, (key, content) in enumerate(zip(load.keys(), load.contents(), strict=True)):
        if ordinal == wanted_ordinal:
            yield record_id, key, content
            wanted_ordinal, record_id = next(wanted, (None, None))


def _wanted_ordinals(connection: Connection, outcomes: Table) -> Iterator[tuple[int | None, int | None]]:
    statement = (
        select(outcomes.c.ordinal, outcomes.c.record_id)
        .where(outcomes.c.outcome.in_(("created", "updated")))
        .order_by(outcomes.c.ordinal)
    )
    for rows in stream_rows(connection, statement):
        for row in rows:
            yield row.ordinal, row.record_id


def _insert_records(
    connection: Connection,
    created: list[tuple[VersionKey, VersionContent]],
    standardizer_version: int,
    now: datetime,
) -> Sequence[int]:
    record_ids = reserve_ids(connection, records.c.record_id, len(created))
    columns = (
        "record_id",
        *VersionKey._fields,
        "received_at",
        "raw",
        "standardized",
        "standardizer_version",
        "linkage_hash",
    )
    rows = [
        (record_id, *key, now, content.raw, content.standardized, standardizer_version, content.linkage_hash)
        for record_id, (key, content) in zip(record_ids, created, strict=True)
    ]
    insert_rows(connection, records, rows, columns=columns)
    return record_ids


def _update_records(
    connection: Connection,
    updated: list[tuple[int, VersionKey, VersionContent]],
    standardizer_version: int,
    now: datetime,
) -> None:
    if not updated:
        return
    names = ("record_id", "occurred_at", "raw_hash", "raw", "standardized", "linkage_hash")
    rows = [
        (record_id, key.occurred_at, key.raw_hash, content.raw, content.standardized, content.linkage_hash)
        for record_id, key, content in updated
    ]
    with temporary_table(connection, "updates", {name: records.c[name].type for name in names}, rows) as new:
        connection.execute(
            update(records)
            .where(records.c.record_id == new.c.record_id)
            .values(
                occurred_at=new.c.occurred_at,
                raw_hash=new.c.raw_hash,
                raw=new.c.raw,
                standardized=new.c.standardized,
                linkage_hash=new.c.linkage_hash,
                received_at=now,
                standardizer_version=standardizer_version,
                deleted_at=None,
            )
        )
        old_identifiers = schema.identifiers.c.record_id.in_(select(new.c.record_id))
        connection.execute(delete(schema.identifiers).where(old_identifiers))


def _identifiers(contents: Iterable[tuple[int, VersionContent]]) -> Iterator[tuple[Any, ...]]:
    for record_id, content in contents:
        for kind, value, variant, verified in content.identifiers:
            yield kind, value, record_id, variant, verified
