"""Decisions that wait for a second person.

Grain: one row per decision that had to be confirmed; open until it is confirmed, overruled, withdrawn, or found to be
about a candidate that changed since.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from cdp.canonical import canonical_json
from cdp.stewardship.candidates import OPEN, Candidate, select_candidates
from cdp.stewardship.why_two import REASONS_FOR_TWO as REASONS_FOR_TWO
from cdp.store import id_set
from cdp.store.schema import decision_confirmations as confirmations
from cdp.store.schema import merge_candidates


@dataclass(frozen=True)
class Pending:
    """why: some of REASONS_FOR_TWO. etag: the candidate as its author saw it. pins: see join.join."""

    confirmation_id: int
    candidate_id: int
    decision: str
    author: str
    reason: str
    why: Sequence[str]
    etag: str
    recorded_at: datetime
    pins: Mapping[str, int] = field(default_factory=dict, hash=False)

    def is_about(self, candidate: Candidate) -> bool:
        """Whether the candidate is as the first person saw it: an answer about what it was counts no more."""
        return self.etag == candidate.etag


_COLUMNS = tuple(confirmations.c[name] for name in Pending.__dataclass_fields__)


def select_pending(connection: Connection, candidate_id: int) -> Pending | None:
    row = connection.execute(_open().where(confirmations.c.candidate_id == candidate_id)).first()
    return None if row is None else _pending(row)


def select_all_pending(connection: Connection, *, by: str | None = None) -> list[Pending]:
    """Those that count, the oldest first: of open candidates that are as the first person saw them. By: of this person.

    They are few: what is risky and was answered by one person only.
    """
    statement = (
        _open()
        .join(merge_candidates, merge_candidates.c.candidate_id == confirmations.c.candidate_id)
        .where(merge_candidates.c.state == OPEN)
        .order_by(confirmations.c.confirmation_id)
    )
    if by is not None:
        statement = statement.where(confirmations.c.author == by)
    found = [_pending(row) for row in connection.execute(statement)]
    candidates = select_candidates(connection, [each.candidate_id for each in found])
    return [each for each, candidate in zip(found, candidates, strict=True) if each.is_about(candidate)]


def select_pending_of(connection: Connection, candidates: Collection[Candidate]) -> dict[int, Pending]:
    """By candidate, those that count: see select_all_pending."""
    if not candidates:
        return {}
    by_id = {each.candidate_id: each for each in candidates}
    wanted = select(id_set(connection, sorted(by_id)).c.id)
    rows = connection.execute(_open().where(confirmations.c.candidate_id.in_(wanted)))
    found = [_pending(row) for row in rows]
    return {each.candidate_id: each for each in found if each.is_about(by_id[each.candidate_id])}


def waits_for_second(connection: Connection, *, by: str | None = None) -> Select[tuple[int]]:
    """The candidates of which a decision waits that counts; by: of this person."""
    waiting = id_set(connection, [each.candidate_id for each in select_all_pending(connection, by=by)])
    return select(waiting.c.id.label("candidate_id"))


def insert_pending(connection: Connection, **values: Any) -> Pending:
    """Values: as Pending has them, without the id."""
    stored = {**values, "why": canonical_json(values["why"]), "pins": canonical_json(values["pins"])}
    inserted = insert(confirmations).returning(confirmations.c.confirmation_id)
    return Pending(confirmation_id=connection.scalars(inserted, stored).one(), **values)


def end_pending(
    connection: Connection,
    confirmation_id: int,
    outcome: str,
    *,
    by: str,
    now: datetime,
    action_id: int | None = None,
) -> None:
    connection.execute(
        update(confirmations)
        .where(confirmations.c.confirmation_id == confirmation_id)
        .values(outcome=outcome, ended_by=by, ended_at=now, action_id=action_id)
    )


def _open() -> Select[Any]:
    return select(*_COLUMNS).where(confirmations.c.ended_at.is_(None))


def _pending(row: Row[Any]) -> Pending:
    values = dict(row._mapping)
    return Pending(**{**values, "why": json.loads(values["why"]), "pins": json.loads(values["pins"])})
