"""Pair constraints: what rulings hold of pairs of records.

Grain: one row per interval in which one ruling holds it. A constraint is in force while any of its rows is open, so
that rulings that agree can be taken back one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    exists,
    insert,
    literal,
    or_,
    select,
    update,
)

from cdp.stewardship.pairs import Link, Pair
from cdp.store import Instant, id_set, insert_rows
from cdp.store.quick import quick
from cdp.store.schema import memberships
from cdp.store.schema import pair_constraints as constraints
from cdp.store.sets import is_among, set_values

_COLUMNS = (
    constraints.c.constraint_id,
    constraints.c.kind,
    constraints.c.record_id_l,
    constraints.c.record_id_r,
    constraints.c.opened_by,
)
_ENDS = (constraints.c.record_id_l, constraints.c.record_id_r)
_is_open = constraints.c.valid_to.is_(None)


def select_links(
    connection: Connection, record_ids: Collection[int], *, kind: str | None = None
) -> list[Link]:
    """The constraints in force that name one of the records."""
    if not record_ids:
        return []
    bound = set_values(connection, "ids", sorted(record_ids))
    found = [Link(*row) for row in _links_naming(connection.dialect.name).tuples(connection, **bound)]
    return [link for link in found if kind is None or link.kind == kind]


def select_linked(connection: Connection, record_ids: Collection[int]) -> tuple[set[int], list[Link]]:
    """The records that must-links connect these with, these among them, and the must-links that do."""
    reached, frontier = set(record_ids), set(record_ids)
    links: dict[int, Link] = {}
    while frontier:
        found = select_links(connection, frontier, kind="must")
        links.update((link.constraint_id, link) for link in found)
        frontier = {end for link in found for end in link.pair} - reached
        reached |= frontier
    return reached, list(links.values())


def has_must_link(connection: Connection, profile_id: str) -> bool:
    """Whether a must-link in force names a record of the profile; the records, of which there may be many, are not
    read."""
    held = (
        exists().where(
            memberships.c.profile_id == profile_id,
            memberships.c.valid_to.is_(None),
            end == memberships.c.record_id,
            constraints.c.kind == "must",
            _is_open,
        )
        for end in _ENDS
    )
    return bool(connection.scalar(select(or_(*held))))


def select_links_of(connection: Connection, action_id: int) -> list[Link]:
    """Everything that a ruling has held, each pair once, in force or not."""
    return _each_once(_links(connection, constraints.c.opened_by == action_id))


def select_open_links_of(connection: Connection, action_id: int) -> list[Link]:
    return _links(connection, constraints.c.opened_by == action_id, _is_open)


def select_links_closed_by(connection: Connection, action_id: int) -> list[Link]:
    """What gave way to a ruling, each ruling's pair once."""
    return _each_once(_links(connection, constraints.c.closed_by == action_id))


def select_closers(connection: Connection, action_id: int) -> set[int]:
    """The actions that a constraint of this one was closed by."""
    closers = select(constraints.c.closed_by).where(
        constraints.c.opened_by == action_id, constraints.c.closed_by.is_not(None)
    )
    return set(connection.scalars(closers.distinct()))


def select_closings(connection: Connection, constraint_ids: Collection[int]) -> list[tuple[Link, int]]:
    """Every closing of what these constraints hold, with the action that closed it."""
    if not constraint_ids:
        return []
    held = constraints.alias("held")
    rows: Iterable[Any] = connection.execute(
        select(*(held.c[column.name] for column in _COLUMNS), held.c.closed_by)
        .join_from(constraints, held, _holds_the_same(held))
        .where(
            constraints.c.constraint_id.in_(_ids(connection, constraint_ids)), held.c.closed_by.is_not(None)
        )
    )
    return [(Link(*link), closed_by) for *link, closed_by in rows]


def insert_links(
    connection: Connection,
    kind: str,
    pairs: Iterable[Pair],
    *,
    opened_by: int | None,
    author: str,
    reason: str,
    now: datetime,
) -> None:
    rows = [(kind, *pair, author, reason, now, opened_by) for pair in sorted(pairs)]
    names = ("kind", "record_id_l", "record_id_r", "author", "reason", "valid_from", "opened_by")
    insert_rows(connection, constraints, rows, columns=names)


def close_links(
    connection: Connection, constraint_ids: Collection[int], *, closed_by: int, now: datetime
) -> None:
    if constraint_ids:
        chosen = constraints.c.constraint_id.in_(_ids(connection, constraint_ids))
        connection.execute(update(constraints).where(chosen).values(valid_to=now, closed_by=closed_by))


def close_same_links(
    connection: Connection, constraint_ids: Collection[int], *, closed_by: int, now: datetime
) -> None:
    """Close those in force that hold what these constraints held, for the same rulings."""
    if not constraint_ids:
        return
    held = constraints.alias("held")
    in_force = (
        select(held.c.constraint_id)
        .join_from(constraints, held, _holds_the_same(held))
        .where(constraints.c.constraint_id.in_(_ids(connection, constraint_ids)), held.c.valid_to.is_(None))
    )
    close_links(connection, set(connection.scalars(in_force)), closed_by=closed_by, now=now)


def reopen_links(connection: Connection, constraint_ids: Collection[int], *, now: datetime) -> None:
    """Hold again what these constraints held, for the same rulings, unless it is in force."""
    if not constraint_ids:
        return
    held = constraints.alias("held")
    in_force = exists().where(_holds_the_same(held), held.c.valid_to.is_(None)).correlate(constraints)
    kept = [
        constraints.c[name]
        for name in ("kind", "record_id_l", "record_id_r", "author", "reason", "opened_by")
    ]
    again = select(*kept, literal(now, Instant)).where(
        constraints.c.constraint_id.in_(_ids(connection, constraint_ids)), ~in_force
    )
    names = [*(column.name for column in kept), "valid_from"]
    connection.execute(insert(constraints).from_select(names, again.order_by(constraints.c.constraint_id)))


@quick
def _links_naming(dialect: str) -> Select[Any]:
    return select(*_COLUMNS).where(_is_open, names_one(dialect, "ids")).order_by(constraints.c.constraint_id)


def names_one(dialect: str, name: str) -> ColumnElement[bool]:
    """Whether a constraint names one of a set of records, bound as `name`."""
    return or_(*(is_among(dialect, end, name) for end in _ENDS))


def _ids(connection: Connection, ids: Collection[int]) -> Select[Any]:
    return select(id_set(connection, sorted(ids)).c.id)


def _holds_the_same(held: FromClause) -> ColumnElement[bool]:
    return and_(
        held.c.kind == constraints.c.kind,
        held.c.record_id_l == constraints.c.record_id_l,
        held.c.record_id_r == constraints.c.record_id_r,
        held.c.opened_by.is_not_distinct_from(constraints.c.opened_by),
    )


def _links(connection: Connection, *conditions: ColumnElement[bool]) -> list[Link]:
    rows: Iterable[Any] = connection.execute(
        select(*_COLUMNS).where(*conditions).order_by(constraints.c.constraint_id)
    )
    return [Link(*row) for row in rows]


def _each_once(links: Iterable[Link]) -> list[Link]:
    return list({link.claim: link for link in links}.values())
