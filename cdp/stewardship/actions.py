"""Stewards' actions: what somebody ruled, why, and what took it back.

Grain: one row per action. `undone_by` is empty while the action stands; an undo that is itself undone lets what it
took back stand again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from cdp.stewardship.errors import UnknownActionError
from cdp.store.schema import STEWARD_ACTIONS as STEWARD_ACTIONS
from cdp.store.schema import steward_actions as actions

# How the author of an action begins that no steward ruled: a source said that two of its ids are one person.
BY_SOURCE = "source:"


@dataclass(frozen=True)
class Action:
    """kind: one of STEWARD_ACTIONS. decision: of a decision, 'same', 'different' or 'unsure'.

    undoes_action_id, undoes_entry_id: what an undo takes back, another action or a ledger entry of the machine.
    """

    action_id: int
    kind: str
    author: str
    reason: str
    recorded_at: datetime
    candidate_id: int | None = None
    decision: str | None = None
    undoes_action_id: int | None = None
    undoes_entry_id: int | None = None
    undone_by: int | None = None

    @property
    def takes_back_an_action(self) -> bool:
        """Such an action rules nothing of its own."""
        return self.undoes_action_id is not None


_COLUMNS = tuple(actions.c[name] for name in Action.__dataclass_fields__)


def insert_action(
    connection: Connection,
    kind: str,
    *,
    author: str,
    reason: str,
    now: datetime,
    candidate_id: int | None = None,
    decision: str | None = None,
    undoes_action_id: int | None = None,
    undoes_entry_id: int | None = None,
) -> Action:
    values: dict[str, Any] = {
        "kind": kind,
        "author": author,
        "reason": reason,
        "recorded_at": now,
        "candidate_id": candidate_id,
        "decision": decision,
        "undoes_action_id": undoes_action_id,
        "undoes_entry_id": undoes_entry_id,
    }
    inserted = insert(actions).returning(actions.c.action_id)
    return Action(action_id=connection.scalars(inserted, values).one(), **values)


def require_action(connection: Connection, action_id: int) -> Action:
    """Raises UnknownActionError."""
    row = connection.execute(_select().where(actions.c.action_id == action_id)).first()
    if row is None:
        raise UnknownActionError(f"There is no action {action_id}.", ids=[action_id])
    return _action(row)


def select_actions(
    connection: Connection, *, before_action_id: int | None = None, limit: int
) -> list[Action]:
    """Newest first, from the one before `before_action_id`."""
    statement = _select().order_by(actions.c.action_id.desc()).limit(limit)
    if before_action_id is not None:
        statement = statement.where(actions.c.action_id < before_action_id)
    return [_action(row) for row in connection.execute(statement)]


def select_last_decision(connection: Connection, candidate_id: int) -> Action | None:
    """The newest decision on a candidate that stands."""
    statement = _select().where(
        actions.c.candidate_id == candidate_id, actions.c.decision.is_not(None), actions.c.undone_by.is_(None)
    )
    row = connection.execute(statement.order_by(actions.c.action_id.desc()).limit(1)).first()
    return _action(row) if row else None


def select_actions_of(connection: Connection, action_ids: Collection[int]) -> list[Action]:
    statement = _select().where(actions.c.action_id.in_(sorted(action_ids)))
    return [_action(row) for row in connection.execute(statement)] if action_ids else []


def select_following(connection: Connection, action_ids: Collection[int]) -> set[int]:
    """The actions, and those that took them back, and so on."""
    chain = select(actions.c.action_id).where(actions.c.action_id.in_(sorted(action_ids))).cte(recursive=True)
    chain = chain.union(
        select(actions.c.action_id).join(chain, actions.c.undoes_action_id == chain.c.action_id)
    )
    return set(connection.scalars(select(chain.c.action_id))) if action_ids else set()


def count_decided(connection: Connection, *, since: datetime) -> dict[str, int]:
    """Decision to how many stand that were made since."""
    counted = (
        select(actions.c.decision, func.count())
        .where(actions.c.decision.is_not(None), actions.c.undone_by.is_(None), actions.c.recorded_at >= since)
        .group_by(actions.c.decision)
    )
    return {row[0]: row[1] for row in connection.execute(counted)}


def select_standing_rulings(
    connection: Connection, action_ids: Collection[int], *, of_stewards: bool = False
) -> list[int]:
    """Those of the actions that nothing took back and that rule something of their own, oldest first.

    of_stewards: without what sources say."""
    standing = (
        select(actions.c.action_id)
        .where(
            actions.c.action_id.in_(sorted(action_ids)),
            actions.c.undone_by.is_(None),
            actions.c.undoes_action_id.is_(None),
        )
        .order_by(actions.c.action_id)
    )
    if of_stewards:
        standing = standing.where(~actions.c.author.startswith(BY_SOURCE, autoescape=True))
    return list(connection.scalars(standing))


def select_standing(connection: Connection, action_ids: Collection[int]) -> set[int]:
    """Those of the actions that nothing took back."""
    standing = select(actions.c.action_id).where(
        actions.c.action_id.in_(sorted(action_ids)), actions.c.undone_by.is_(None)
    )
    return set(connection.scalars(standing))


def select_rulings_of(connection: Connection, action_ids: Collection[int]) -> dict[int, int]:
    """Each action to the ruling that it is about: itself, or what a chain of undos leads to."""
    chain = (
        select(actions.c.action_id.label("asked"), actions.c.action_id, actions.c.undoes_action_id)
        .where(actions.c.action_id.in_(sorted(action_ids)))
        .cte("chain", recursive=True)
    )
    chain = chain.union_all(
        select(chain.c.asked, actions.c.action_id, actions.c.undoes_action_id).join_from(
            chain, actions, actions.c.action_id == chain.c.undoes_action_id
        )
    )
    ends = select(chain.c.asked, chain.c.action_id).where(chain.c.undoes_action_id.is_(None))
    return dict(connection.execute(ends).all())


def select_last_turns(connection: Connection, ruling_ids: Collection[int]) -> dict[int, int]:
    """Each ruling to the action since which it stands, or does not: itself, or the last of its undos and theirs."""
    turns = (
        select(actions.c.action_id.label("ruling_id"), actions.c.action_id)
        .where(actions.c.action_id.in_(sorted(ruling_ids)))
        .cte("turns", recursive=True)
    )
    turns = turns.union_all(
        select(turns.c.ruling_id, actions.c.action_id).join_from(
            turns, actions, actions.c.undoes_action_id == turns.c.action_id
        )
    )
    last = select(turns.c.ruling_id, func.max(turns.c.action_id)).group_by(turns.c.ruling_id)
    return dict(connection.execute(last).all())


def select_undo_of_entry(connection: Connection, ledger_entry_id: int) -> int | None:
    """The standing action that took an entry of the machine back."""
    return connection.scalar(
        select(actions.c.action_id).where(
            actions.c.undoes_entry_id == ledger_entry_id, actions.c.undone_by.is_(None)
        )
    )


def update_undone_by(connection: Connection, action_id: int, undone_by: int | None) -> None:
    connection.execute(update(actions).where(actions.c.action_id == action_id).values(undone_by=undone_by))


def _select() -> Select[Any]:
    return select(*_COLUMNS)


def _action(row: Row[Any]) -> Action:
    return Action(**row._mapping)
