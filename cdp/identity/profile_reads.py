"""Profiles as they are read: the golden record, the records behind it, and the ledger that made it.

`sources` is what a caller is bound to, None for all: a profile without a record of theirs does not exist for
them, and neither does another source's record.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, exists, func, or_, select, type_coerce

from cdp.errors import CdpError
from cdp.identity.redo_queue import select_reasons
from cdp.identity.resolution_runs import version_in_use
from cdp.store.instants import InstantText
from cdp.store.quick import QuickStatement
from cdp.store.schema import (
    engagement_states,
    identifiers,
    ledger_entries,
    ledger_moves,
    memberships,
    profiles,
    source_records,
)
from cdp.store.schema import sources as sources_table

# No chain of absorptions is this long; a longer one is a loop.
_ABSORPTIONS_AT_MOST = 1_000

# Most people have no events: then a view asks no further.
_has_engagement = (
    exists()
    .where(
        memberships.c.profile_id == profiles.c.profile_id,
        memberships.c.valid_to.is_(None),
        engagement_states.c.record_id == memberships.c.record_id,
        engagement_states.c.kind != "traits",
    )
    .correlate(profiles)
)
_profile = QuickStatement(
    select(
        *(column for column in profiles.c if column.name not in ("created_at", "updated_at")),
        type_coerce(profiles.c.created_at, InstantText).label("created_at"),
        type_coerce(profiles.c.updated_at, InstantText).label("updated_at"),
        version_in_use().label("model_version"),
        _has_engagement.label("has_engagement"),
    ).where(profiles.c.profile_id == bindparam("profile_id"))
)


class UnknownProfileError(CdpError):
    """There is no such profile, or the caller may not know of it: the two look the same."""

    reason = "profile_not_found"


class ErasedProfileError(CdpError):
    reason = "profile_erased"


@dataclass(frozen=True)
class Profile:
    """golden: attribute to {value, rule, record_id, source, ...}; identifiers: {type, value, verified,
    record_ids, last_seen_at} each, as survivorship chose them. model_version: of the profiles. has_engagement: whether
    its records' events add up to anything. created_at, updated_at: instants as text."""

    profile_id: str
    state: str
    version: int
    model_version: int | None
    record_count: int
    golden: dict[str, dict[str, Any]]
    identifiers: list[dict[str, Any]]
    created_at: str
    updated_at: str
    has_engagement: bool = False


@dataclass(frozen=True)
class MemberRecord:
    """A record of a profile. values: the standardized values people read; refusals: {field, reason} each, with an empty
    field what concerns the record as a whole."""

    record_id: int
    source: str
    source_record_id: str
    occurred_at: datetime
    received_at: datetime
    values: dict[str, Any]
    identifiers: list[dict[str, Any]]
    refusals: list[dict[str, str]]


@dataclass(frozen=True)
class LedgerEntry:
    """A change of membership. moves: {record_id, from_profile_id, to_profile_id} each, of this profile; all of them, or
    the first of move_count."""

    ledger_entry_id: int
    kind: str
    profile_id: str
    author: str
    reason: str
    model_version: int | None
    run_id: int | None
    recorded_at: datetime
    undone_by: int | None
    moves: list[dict[str, Any]]
    move_count: int


def require_profile(
    connection: Connection, profile_id: str, *, sources: Collection[str] | None = None
) -> Profile:
    """The profile, or the one that absorbed it. Raises UnknownProfileError or ErasedProfileError."""
    wanted = profile_id
    for _ in range(_ABSORPTIONS_AT_MOST):
        row = _profile.first(connection, profile_id=wanted)
        if row is None or row.state != "absorbed":
            break
        wanted = row.absorbed_into
    if row is None or row.state == "absorbed":
        raise UnknownProfileError(f"There is no profile {profile_id}.", ids=[profile_id])
    if row.state == "erased":
        raise ErasedProfileError(f"Profile {profile_id} was erased.", ids=[profile_id])
    if not select_visible(connection, [row.profile_id], sources):
        raise UnknownProfileError(f"There is no profile {profile_id}.", ids=[profile_id])
    golden = orjson.loads(row.golden)
    return Profile(
        profile_id=row.profile_id,
        state=row.state,
        version=row.version,
        model_version=row.model_version,
        record_count=row.record_count,
        golden=golden.get("attributes", {}),
        identifiers=golden.get("identifiers", []),
        created_at=row.created_at,
        updated_at=row.updated_at,
        has_engagement=bool(row.has_engagement),
    )


def select_visible(
    connection: Connection, profile_ids: Collection[str], sources: Collection[str] | None
) -> set[str]:
    """Those of the profiles that hold a record of one of the sources; all of them when sources is None."""
    if sources is None or not profile_ids:
        return set(profile_ids)
    holding = (
        select(memberships.c.profile_id)
        .distinct()
        .join(source_records, source_records.c.record_id == memberships.c.record_id)
        .join(sources_table, sources_table.c.source_id == source_records.c.source_id)
        .where(
            memberships.c.valid_to.is_(None),
            memberships.c.profile_id.in_(list(profile_ids)),
            sources_table.c.name.in_(list(sources)),
        )
    )
    return set(connection.scalars(holding))


def select_member_records(
    connection: Connection,
    profile_id: str,
    *,
    after_record_id: int = 0,
    limit: int,
    sources: Collection[str] | None = None,
) -> list[MemberRecord]:
    """The records of a profile now, in the order of their ids, from the one after `after_record_id`."""
    statement = (
        select(
            source_records.c.record_id,
            sources_table.c.name.label("source"),
            source_records.c.source_record_id,
            source_records.c.occurred_at,
            source_records.c.received_at,
            source_records.c.standardized,
        )
        .select_from(memberships)
        .join(source_records, source_records.c.record_id == memberships.c.record_id)
        .join(sources_table, sources_table.c.source_id == source_records.c.source_id)
        .where(
            memberships.c.profile_id == profile_id,
            memberships.c.valid_to.is_(None),
            source_records.c.record_id > after_record_id,
        )
        .order_by(source_records.c.record_id)
        .limit(limit)
    )
    if sources is not None:
        statement = statement.where(sources_table.c.name.in_(list(sources)))
    rows = connection.execute(statement).all()
    held = _select_identifiers(connection, [row.record_id for row in rows])
    reasons = select_reasons(connection, [row.record_id for row in rows])
    return [
        MemberRecord(
            record_id=row.record_id,
            source=row.source,
            source_record_id=row.source_record_id,
            occurred_at=row.occurred_at,
            received_at=row.received_at,
            values=standardized.get("values", {}),
            identifiers=held.get(row.record_id, []),
            refusals=standardized.get("refusals", []) + _whole(reasons.get(row.record_id)),
        )
        for row in rows
        for standardized in [json.loads(row.standardized)]
    ]


def _whole(reason: str | None) -> list[dict[str, str]]:
    return [{"field": "", "reason": reason}] if reason else []


def select_ledger_entries(
    connection: Connection,
    profile_id: str,
    *,
    before_entry_id: int | None = None,
    limit: int,
    moves_at_most: int | None = None,
) -> list[LedgerEntry]:
    """What happened to a profile, newest first, from the entry before `before_entry_id`. moves_at_most: of an entry, in
    the order of records; it counts all of them."""
    moved = _moves_of(profile_id)
    statement = select(ledger_entries).where(
        or_(
            ledger_entries.c.profile_id == profile_id,
            ledger_entries.c.ledger_entry_id.in_(moved.with_only_columns(ledger_moves.c.ledger_entry_id)),
        )
    )
    if before_entry_id is not None:
        statement = statement.where(ledger_entries.c.ledger_entry_id < before_entry_id)
    rows = connection.execute(statement.order_by(ledger_entries.c.ledger_entry_id.desc()).limit(limit)).all()
    entry_ids = [row.ledger_entry_id for row in rows]
    moves = _select_moves(connection, profile_id, entry_ids, at_most=moves_at_most)
    return [
        LedgerEntry(
            ledger_entry_id=row.ledger_entry_id,
            kind=row.kind,
            profile_id=row.profile_id,
            author=row.author,
            reason=row.reason,
            model_version=row.model_version_id,
            run_id=row.run_id,
            recorded_at=row.recorded_at,
            undone_by=row.undone_by,
            moves=moves[row.ledger_entry_id][0],
            move_count=moves[row.ledger_entry_id][1],
        )
        for row in rows
    ]


def _moves_of(profile_id: str) -> Any:
    """Moves to or from the profile, found through its records then and now: moves are indexed by record."""
    ever_held = select(memberships.c.record_id).where(memberships.c.profile_id == profile_id)
    return select(ledger_moves).where(
        ledger_moves.c.record_id.in_(ever_held),
        or_(ledger_moves.c.from_profile_id == profile_id, ledger_moves.c.to_profile_id == profile_id),
    )


def _select_moves(
    connection: Connection, profile_id: str, entry_ids: Sequence[int], *, at_most: int | None
) -> Mapping[int, tuple[list[dict[str, Any]], int]]:
    """Entry to its moves of this profile, the first of them, and how many there are."""
    found: dict[int, tuple[list[dict[str, Any]], int]] = {each: ([], 0) for each in entry_ids}
    entry_id, record_id = ledger_moves.c.ledger_entry_id, ledger_moves.c.record_id
    counted = (
        _moves_of(profile_id)
        .where(ledger_moves.c.ledger_entry_id.in_(entry_ids))
        .add_columns(
            func.row_number().over(partition_by=entry_id, order_by=record_id).label("place"),
            func.count().over(partition_by=entry_id).label("move_count"),
        )
        .subquery()
    )
    statement = select(counted).order_by(counted.c.ledger_entry_id, counted.c.place)
    if at_most is not None:
        statement = statement.where(counted.c.place <= at_most)
    for row in connection.execute(statement).mappings() if entry_ids else ():
        move = {name: row[name] for name in ("record_id", "from_profile_id", "to_profile_id")}
        moves, _ = found[row["ledger_entry_id"]]
        moves.append(move)
        found[row["ledger_entry_id"]] = moves, row["move_count"]
    return found


def _select_identifiers(connection: Connection, record_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Record id to its identifiers, {type, value, verified} each."""
    found: dict[int, list[dict[str, Any]]] = {}
    statement = (
        select(identifiers.c.record_id, identifiers.c.kind, identifiers.c.value, identifiers.c.verified)
        .where(identifiers.c.record_id.in_(record_ids))
        .order_by(identifiers.c.record_id, identifiers.c.kind, identifiers.c.value)
    )
    for row in connection.execute(statement) if record_ids else ():
        identifier = {"type": row.kind, "value": row.value, "verified": row.verified}
        found.setdefault(row.record_id, []).append(identifier)
    return found
