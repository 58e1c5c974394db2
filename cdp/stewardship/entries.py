"""Ledger entries as an undo needs them: what each moved, what was there before, who takes it back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select, update

from cdp.stewardship.errors import UnknownEntryError
from cdp.store import id_set
from cdp.store.schema import ledger_entries, ledger_moves, memberships


@dataclass(frozen=True)
class Entry:
    """action_id: the steward's action it came of, None for one of the machine."""

    ledger_entry_id: int
    kind: str
    profile_id: str
    action_id: int | None


@dataclass(frozen=True)
class Move:
    record_id: int
    from_profile_id: str | None
    to_profile_id: str | None


def require_entry(connection: Connection, ledger_entry_id: int) -> Entry:
    """Raises UnknownEntryError."""
    row = connection.execute(_select().where(ledger_entries.c.ledger_entry_id == ledger_entry_id)).first()
    if row is None:
        raise UnknownEntryError(f"There is no ledger entry {ledger_entry_id}.", ids=[ledger_entry_id])
    return Entry(*row)


def select_rulings_of_entries(connection: Connection, entry_ids: Collection[int]) -> dict[int, int]:
    """Entry to the action that wrote it; without those of the machine."""
    wanted = id_set(connection, sorted(entry_ids))
    rows = connection.execute(
        select(ledger_entries.c.ledger_entry_id, ledger_entries.c.action_id)
        .join_from(wanted, ledger_entries, ledger_entries.c.ledger_entry_id == wanted.c.id)
        .where(ledger_entries.c.action_id.is_not(None))
    )
    return {row.ledger_entry_id: row.action_id for row in rows}


def select_action_entries(connection: Connection, action_id: int) -> list[Entry]:
    """The entries that an action wrote, in order."""
    found = connection.execute(
        _select().where(ledger_entries.c.action_id == action_id).order_by(ledger_entries.c.ledger_entry_id)
    )
    return [Entry(*row) for row in found]


def select_entry_moves(connection: Connection, ledger_entry_id: int) -> list[Move]:
    found = connection.execute(
        select(ledger_moves.c.record_id, ledger_moves.c.from_profile_id, ledger_moves.c.to_profile_id)
        .where(ledger_moves.c.ledger_entry_id == ledger_entry_id)
        .order_by(ledger_moves.c.record_id)
    )
    return [Move(*row) for row in found]


def select_action_moves(connection: Connection, action_id: int) -> list[Move]:
    found = connection.execute(
        select(ledger_moves.c.record_id, ledger_moves.c.from_profile_id, ledger_moves.c.to_profile_id)
        .join_from(
            ledger_entries,
            ledger_moves,
            ledger_moves.c.ledger_entry_id == ledger_entries.c.ledger_entry_id,
        )
        .where(ledger_entries.c.action_id == action_id)
        .order_by(ledger_moves.c.record_id)
    )
    return [Move(*row) for row in found]


def select_movers(connection: Connection, record_ids: Collection[int]) -> set[int]:
    """The actions that moved one of the records."""
    wanted = id_set(connection, sorted(record_ids))
    return set(
        connection.scalars(
            select(ledger_entries.c.action_id)
            .distinct()
            .join_from(wanted, ledger_moves, ledger_moves.c.record_id == wanted.c.id)
            .join(ledger_entries, ledger_entries.c.ledger_entry_id == ledger_moves.c.ledger_entry_id)
            .where(ledger_entries.c.action_id.is_not(None))
        )
    )


def select_records_before(connection: Connection, profile_id: str, ledger_entry_id: int) -> set[int]:
    """The records that were in a profile just before an entry."""
    later = (
        exists()
        .where(
            ledger_moves.c.record_id == memberships.c.record_id,
            ledger_moves.c.ledger_entry_id > memberships.c.ledger_entry_id,
            ledger_moves.c.ledger_entry_id < ledger_entry_id,
        )
        .correlate(memberships)
    )
    return set(
        connection.scalars(
            select(memberships.c.record_id).where(
                memberships.c.profile_id == profile_id,
                memberships.c.ledger_entry_id < ledger_entry_id,
                ~later,
            )
        )
    )


def select_first_entry(connection: Connection, action_id: int) -> int | None:
    of_action = select(func.min(ledger_entries.c.ledger_entry_id)).where(
        ledger_entries.c.action_id == action_id
    )
    first: int | None = connection.scalar(of_action)
    return first


def update_entries_undone_by(
    connection: Connection,
    undone_by: int | None,
    *,
    action_id: int | None = None,
    entry_id: int | None = None,
) -> None:
    """Of the entries of an action, or of one entry."""
    chosen = (
        ledger_entries.c.action_id == action_id
        if entry_id is None
        else ledger_entries.c.ledger_entry_id == entry_id
    )
    connection.execute(update(ledger_entries).where(chosen).values(undone_by=undone_by))


def _select() -> Select[Any]:
    return select(
        ledger_entries.c.ledger_entry_id,
        ledger_entries.c.kind,
        ledger_entries.c.profile_id,
        ledger_entries.c.action_id,
    )
