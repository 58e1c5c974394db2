"""Memberships: which profile each record belongs to, and when.

Grain: one row per interval of a record in a profile; the open one is now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, func, insert, literal, or_, select, update

from cdp.store import Instant, id_set, stream_rows
from cdp.store.quick import QuickStatement, quick
from cdp.store.schema import ledger_moves, memberships, profiles
from cdp.store.sets import number_set, set_values

Id = TypeVar("Id", int, str)

_IDS_AT_ONCE = 20_000


def select_current_profiles(connection: Connection) -> dict[int, str]:
    """Record id to the profile it belongs to now, in the order of record_id."""
    statement = (
        select(memberships.c.record_id, memberships.c.profile_id)
        .where(memberships.c.valid_to.is_(None))
        .order_by(memberships.c.record_id)
    )
    # One string per profile, not one per record.
    known: dict[str, str] = {}
    return {
        row.record_id: known.setdefault(row.profile_id, row.profile_id)
        for chunk in stream_rows(connection, statement)
        for row in chunk
    }


def select_former_profiles(connection: Connection, record_ids: Iterable[int]) -> dict[int, list[str]]:
    """Record id to the absorbed or emptied profiles it has belonged to, in the order of their ids."""
    former: dict[int, list[str]] = defaultdict(list)
    if not _CLOSED.fetch(connection):
        return former
    for batch in _batches(record_ids):
        wanted = set_values(connection, "ids", batch)
        for row in _former(connection.dialect.name).fetch(connection, **wanted):
            former[row.record_id].append(row.profile_id)
    return former


def apply_moves(connection: Connection, moves: Table, *, now: datetime) -> None:
    """Close and open memberships and tell the ledger, as `moves` says.

    Moves: one row per record, with ledger_entry_id, from_profile_id, to_profile_id (either may be null).
    """
    left = select(moves.c.record_id).where(moves.c.from_profile_id.is_not(None))
    connection.execute(
        update(memberships)
        .where(memberships.c.valid_to.is_(None), memberships.c.record_id.in_(left))
        .values(valid_to=now)
    )
    opened = select(
        moves.c.record_id, moves.c.to_profile_id, moves.c.ledger_entry_id, literal(now, Instant)
    ).where(moves.c.to_profile_id.is_not(None))
    connection.execute(
        insert(memberships).from_select(
            ["record_id", "profile_id", "ledger_entry_id", "valid_from"], opened.order_by(moves.c.record_id)
        )
    )
    told = select(moves.c.ledger_entry_id, moves.c.record_id, moves.c.from_profile_id, moves.c.to_profile_id)
    connection.execute(
        insert(ledger_moves).from_select(
            ["ledger_entry_id", "record_id", "from_profile_id", "to_profile_id"],
            told.order_by(moves.c.ledger_entry_id, moves.c.record_id),
        )
    )


def select_whereabouts(connection: Connection, profile_ids: Iterable[str]) -> Mapping[str, str]:
    """Profile id to the profile that now holds most of the records it ever held, the oldest of ties.

    Ids none of whose records is anywhere are left out.
    """
    found: dict[str, tuple[int, str]] = {}
    for batch in _batches(profile_ids):
        wanted = id_set(connection, batch)
        before, after = memberships.alias("memberships_before"), memberships.alias("memberships_after")
        statement = (
            select(wanted.c.id, after.c.profile_id, func.count(before.c.record_id.distinct()))
            .join_from(wanted, before, before.c.profile_id == wanted.c.id)
            .join(after, after.c.record_id == before.c.record_id)
            .where(after.c.valid_to.is_(None))
            .group_by(wanted.c.id, after.c.profile_id)
        )
        for profile_id, holder, count in connection.execute(statement):
            best = found.get(profile_id)
            if best is None or (-count, holder) < (-best[0], best[1]):
                found[profile_id] = (count, holder)
    return {profile_id: holder for profile_id, (_, holder) in found.items()}


def _batches(ids: Iterable[Id]) -> Iterator[list[Id]]:
    iterator = iter(ids)
    while batch := list(islice(iterator, _IDS_AT_ONCE)):
        yield batch


_CLOSED = QuickStatement(
    select(memberships.c.membership_id).where(memberships.c.valid_to.is_not(None)).limit(1)
)


@quick
def _former(dialect: str) -> Select[Any]:
    wanted = number_set(dialect, "ids")
    return (
        select(memberships.c.record_id, memberships.c.profile_id)
        .join_from(wanted, memberships, memberships.c.record_id == wanted.c.id)
        .join(profiles, profiles.c.profile_id == memberships.c.profile_id)
        .where(
            memberships.c.valid_to.is_not(None),
            or_(profiles.c.state == "absorbed", profiles.c.state == "empty"),
        )
        .distinct()
        .order_by(memberships.c.record_id, memberships.c.profile_id)
    )
