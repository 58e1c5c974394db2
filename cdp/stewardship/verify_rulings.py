"""Checks that rulings are whole: each holds what it says while it stands and nothing afterwards, and was audited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, String, and_, cast, exists, or_, select

from cdp.stewardship.pairs import Link, find_contradiction
from cdp.store.schema import (
    audit_entries,
    frozen_records,
    golden_pins,
    ledger_entries,
    pair_constraints,
    steward_actions,
)

Found = tuple[str, tuple[int | str, ...]]


def check_rulings(connection: Connection) -> Iterator[Found]:
    yield from _outlived(connection)
    yield from _pinned_wrongly(connection)
    yield from _frozen_wrongly(connection)
    yield from _contradictions(connection)
    yield from _half_undone(connection)
    yield from _wrongly_marked(connection)
    yield from _unaudited(connection)


def _outlived(connection: Connection) -> Iterator[Found]:
    """Constraints in force of rulings that were taken back."""
    statement = (
        select(pair_constraints.c.constraint_id, pair_constraints.c.opened_by)
        .join(steward_actions, steward_actions.c.action_id == pair_constraints.c.opened_by)
        .where(pair_constraints.c.valid_to.is_(None), steward_actions.c.undone_by.is_not(None))
        .order_by(pair_constraints.c.constraint_id)
    )
    for row in connection.execute(statement):
        told = f"constraint {row.constraint_id} is in force, its action {row.opened_by} was taken back"
        yield told, (row.constraint_id, row.opened_by)


def _pinned_wrongly(connection: Connection) -> Iterator[Found]:
    """Pins in force of rulings that were taken back, and rulings that stand without one of their pins."""
    again = golden_pins.alias("again")
    own = golden_pins.c.opened_by == steward_actions.c.action_id
    in_force = exists().where(
        again.c.opened_by == golden_pins.c.opened_by,
        again.c.record_id == golden_pins.c.record_id,
        again.c.attribute == golden_pins.c.attribute,
        again.c.valid_to.is_(None),
    )
    held = exists().where(own, golden_pins.c.valid_to.is_(None))
    lost = exists().where(own, ~in_force)
    pinned = exists().where(own)
    stands = steward_actions.c.undone_by.is_(None)
    outlived = select(steward_actions.c.action_id).where(~stands, held)
    is_without = or_(lost, and_(steward_actions.c.kind == "pin", ~pinned))
    lacking = select(steward_actions.c.action_id).where(stands, is_without)
    for action_id in connection.scalars(outlived.order_by(steward_actions.c.action_id)):
        yield f"a pin of action {action_id} is in force, which was taken back", (action_id,)
    for action_id in connection.scalars(lacking.order_by(steward_actions.c.action_id)):
        yield f"action {action_id} stands, and its pin is not in force", (action_id,)


def _frozen_wrongly(connection: Connection) -> Iterator[Found]:
    """Frozen records whose freeze was taken back, and records of a freeze that stands that are not frozen."""
    other = frozen_records.alias("other")
    again = exists().where(
        other.c.record_id == frozen_records.c.record_id,
        other.c.opened_by == frozen_records.c.opened_by,
        other.c.valid_to.is_(None),
    )
    is_open, stands = frozen_records.c.valid_to.is_(None), steward_actions.c.undone_by.is_(None)
    joined = select(frozen_records.c.record_id, frozen_records.c.opened_by).join(
        steward_actions, steward_actions.c.action_id == frozen_records.c.opened_by
    )
    order = (frozen_records.c.record_id, frozen_records.c.opened_by)
    for row in connection.execute(joined.where(is_open, ~stands).order_by(*order)):
        yield f"record {row.record_id} is frozen, action {row.opened_by} was taken back", tuple(row)
    for row in connection.execute(joined.where(~is_open, stands, ~again).order_by(*order)):
        yield f"record {row.record_id} is not frozen, action {row.opened_by} stands", tuple(row)


def _contradictions(connection: Connection) -> Iterator[Found]:
    """The first cannot-link in force whose two records must-links in force connect."""
    rows: Iterable[Any] = connection.execute(
        select(
            pair_constraints.c.constraint_id,
            pair_constraints.c.kind,
            pair_constraints.c.record_id_l,
            pair_constraints.c.record_id_r,
            pair_constraints.c.opened_by,
        ).where(pair_constraints.c.valid_to.is_(None))
    )
    found = find_contradiction(Link(*row) for row in rows)
    if found is not None:
        left, right = found.cannot.pair
        ids = [found.cannot.constraint_id, *(link.constraint_id for link in found.must)]
        told = f"records {left} and {right} are held together and apart, by constraints {', '.join(map(str, ids))}"
        yield told, tuple(ids)


def _half_undone(connection: Connection) -> Iterator[Found]:
    """Undos that stand whose actions do not say so, and the other way round."""
    undone = steward_actions.alias("undone")
    standing = select(steward_actions.c.action_id, undone.c.action_id.label("undone_id")).join_from(
        steward_actions, undone, undone.c.action_id == steward_actions.c.undoes_action_id
    )
    forgotten = standing.where(
        steward_actions.c.undone_by.is_(None),
        undone.c.undone_by.is_distinct_from(steward_actions.c.action_id),
    )
    outlived = standing.where(
        steward_actions.c.undone_by.is_not(None), undone.c.undone_by == steward_actions.c.action_id
    )
    for row in connection.execute(forgotten.order_by(steward_actions.c.action_id)):
        yield f"action {row.undone_id} does not say that action {row.action_id} took it back", tuple(row)
    for row in connection.execute(outlived.order_by(steward_actions.c.action_id)):
        told = f"action {row.undone_id} was taken back by action {row.action_id}, which does not stand"
        yield told, tuple(row)


def _wrongly_marked(connection: Connection) -> Iterator[Found]:
    """Ledger entries marked as taken back though nothing that stands takes them back."""
    own = steward_actions.alias("own")
    taken_back = or_(
        exists().where(own.c.action_id == ledger_entries.c.action_id, own.c.undone_by.is_not(None)),
        exists().where(own.c.undoes_entry_id == ledger_entries.c.ledger_entry_id, own.c.undone_by.is_(None)),
    )
    statement = select(ledger_entries.c.ledger_entry_id).where(
        ledger_entries.c.undone_by.is_not(None), ~taken_back
    )
    for row in connection.execute(statement.order_by(ledger_entries.c.ledger_entry_id)):
        yield f"ledger entry {row.ledger_entry_id} is marked as undone, and stands", tuple(row)


def _unaudited(connection: Connection) -> Iterator[Found]:
    audited = exists().where(
        audit_entries.c.object_kind == "action",
        audit_entries.c.object_id == cast(steward_actions.c.action_id, String),
    )
    statement = select(steward_actions.c.action_id).where(~audited).order_by(steward_actions.c.action_id)
    for row in connection.execute(statement):
        yield f"action {row.action_id} has no audit entry", (row.action_id,)
