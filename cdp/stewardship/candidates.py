"""Merge candidates as stewards see and close them; cdp.identity.candidates says which there are.

Grain: one row per time a pair was proposed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, distinct, exists, func, select, update

from cdp.canonical import canonical_json
from cdp.stewardship.errors import UnknownCandidateError
from cdp.store import id_set
from cdp.store.schema import memberships, profiles, source_records, sources
from cdp.store.schema import merge_candidates as candidates
from cdp.store.schema import steward_actions as actions

OPEN = "open"
STATES = (OPEN, "same", "different", "unsure", "withdrawn")
DECISIONS = ("same", "different", "unsure")
# So many that cannot tell let a candidate rest.
READERS = 2
REASONS = ("review_band", "exclusive_conflict", "exclusive_shared", "size_limit", "frozen")


@dataclass(frozen=True)
class Candidate:
    """A pair of records of two profiles that may be one person.

    profile ids: those of the moment it was last proposed. version_l, version_r: of these profiles now. reason: why the
    machine did not join them itself. record_count, worth: of both profiles. assignee, due_at: None where no lead set
    them. unsure_count: how many could not tell; a second person reads what one left so.
    """

    candidate_id: int
    state: str
    record_id_l: int
    record_id_r: int
    profile_id_l: str
    profile_id_r: str
    version_l: int
    version_r: int
    match_weight: float
    match_probability: float
    reason: str
    model_version: int
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    record_count: int = 0
    assignee: str | None = None
    due_at: datetime | None = None
    unsure_count: int = 0
    worth: int = 0

    @property
    def profile_ids(self) -> tuple[str, str]:
        return self.profile_id_l, self.profile_id_r

    @property
    def etag(self) -> str:
        """Changes with the state and with either profile: what a decision rests on."""
        told = [self.candidate_id, self.state, self.profile_ids, self.version_l, self.version_r]
        if self.unsure_count:
            told.append(self.unsure_count)
        return hashlib.sha256(canonical_json(told).encode()).hexdigest()[:32]


def require_candidate(
    connection: Connection, candidate_id: int, *, sources: Collection[str] | None = None
) -> Candidate:
    """Raises UnknownCandidateError. Sources: what the caller is bound to; a candidate is told of when both profiles
    hold a record of theirs."""
    statement = _select().where(candidates.c.candidate_id == candidate_id)
    if sources is not None:
        statement = statement.where(is_visible(sources))
    row = connection.execute(statement).first()
    if row is None:
        raise UnknownCandidateError(f"There is no merge candidate {candidate_id}.", ids=[candidate_id])
    return _candidate(row)


def select_candidates(connection: Connection, candidate_ids: Sequence[int]) -> list[Candidate]:
    """In the order of the ids."""
    if not candidate_ids:
        return []
    wanted = select(id_set(connection, candidate_ids).c.id)
    rows = connection.execute(_select().where(candidates.c.candidate_id.in_(wanted)))
    found = {row.candidate_id: _candidate(row) for row in rows}
    return [found[candidate_id] for candidate_id in candidate_ids]


def closes(decision: str, unsure_count: int) -> bool:
    """Whether a decision ends the question. Unsure count: with it, how many could not tell."""
    return decision != "unsure" or unsure_count >= READERS


def close_candidate(
    connection: Connection, candidate_id: int, state: str, *, author: str, now: datetime
) -> None:
    """Of one that is open; another stays as it is."""
    connection.execute(
        update(candidates)
        .where(candidates.c.candidate_id == candidate_id, candidates.c.state == OPEN)
        .values(state=state, closed_at=now, closed_by=author)
    )


def reopen_candidate(connection: Connection, candidate_id: int, decision: str) -> None:
    """Of one that was decided so and whose records are there; unless its pair was proposed anew."""
    again = candidates.alias("again")
    is_proposed = exists().where(
        again.c.record_id_l == candidates.c.record_id_l,
        again.c.record_id_r == candidates.c.record_id_r,
        again.c.state == OPEN,
    )
    is_there = ~exists().where(
        source_records.c.record_id.in_((candidates.c.record_id_l, candidates.c.record_id_r)),
        source_records.c.deleted_at.is_not(None),
    )
    connection.execute(
        update(candidates)
        .where(
            candidates.c.candidate_id == candidate_id,
            candidates.c.state == decision,
            ~is_proposed,
            is_there,
        )
        .values(state=OPEN, closed_at=None, closed_by=None)
    )


def left_unsure(*, by: str | None = None) -> Select[tuple[int | None]]:
    """The candidates that somebody, or this person, could not tell."""
    of_whom = () if by is None else (actions.c.author == by,)
    return select(actions.c.candidate_id).where(
        actions.c.candidate_id.is_not(None),
        actions.c.decision == "unsure",
        actions.c.undone_by.is_(None),
        *of_whom,
    )


def is_visible(names: Collection[str]) -> ColumnElement[bool]:
    """Whether both profiles hold a record of these sources."""
    return and_(
        *(_holds_record_of(end, names) for end in (candidates.c.profile_id_l, candidates.c.profile_id_r))
    )


@cache
def _select() -> Select[Any]:
    """Made once: making it takes longer than what it asks for."""
    left, right = profiles.alias("profiles_l"), profiles.alias("profiles_r")
    unsure = (
        select(func.count(distinct(actions.c.author)))
        .where(
            actions.c.candidate_id == candidates.c.candidate_id,
            actions.c.decision == "unsure",
            actions.c.undone_by.is_(None),
        )
        .correlate(candidates)
    )
    return select(
        *(candidates.c[name] for name in _OWN),
        candidates.c.model_version_id.label("model_version"),
        left.c.version.label("version_l"),
        right.c.version.label("version_r"),
        unsure.scalar_subquery().label("unsure_count"),
    ).select_from(
        candidates.join(left, left.c.profile_id == candidates.c.profile_id_l).join(
            right, right.c.profile_id == candidates.c.profile_id_r
        )
    )


_OWN = tuple(
    name
    for name in Candidate.__dataclass_fields__
    if name not in ("model_version", "version_l", "version_r", "unsure_count")
)


def _holds_record_of(profile_id: ColumnElement[str], names: Collection[str]) -> ColumnElement[bool]:
    return (
        exists()
        .where(
            memberships.c.profile_id == profile_id,
            memberships.c.valid_to.is_(None),
            source_records.c.record_id == memberships.c.record_id,
            sources.c.source_id == source_records.c.source_id,
            sources.c.name.in_(sorted(names)),
        )
        .correlate(candidates)
    )


def _candidate(row: Row[Any]) -> Candidate:
    return Candidate(**row._mapping)
