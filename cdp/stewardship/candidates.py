"""Merge candidates as stewards see and close them; cdp.identity.candidates says which there are.

Grain: one row per time a pair was proposed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, or_, select, update

from cdp.canonical import canonical_json
from cdp.stewardship.errors import UnknownCandidateError
from cdp.store.schema import memberships, profiles, source_records, sources
from cdp.store.schema import merge_candidates as candidates

OPEN = "open"
STATES = (OPEN, "same", "different", "unsure", "withdrawn")
DECISIONS = ("same", "different", "unsure")
REASONS = ("review_band", "exclusive_conflict", "exclusive_shared", "size_limit")


@dataclass(frozen=True)
class Candidate:
    """A pair of records of two profiles that may be one person.

    profile ids: those of the moment it was last proposed. version_l, version_r: of these profiles now. reason: why the
    machine did not join them itself.
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

    @property
    def profile_ids(self) -> tuple[str, str]:
        return self.profile_id_l, self.profile_id_r

    @property
    def etag(self) -> str:
        """Changes with the state and with either profile: what a decision rests on."""
        told = [self.candidate_id, self.state, self.profile_ids, self.version_l, self.version_r]
        return hashlib.sha256(canonical_json(told).encode()).hexdigest()[:32]


def require_candidate(
    connection: Connection, candidate_id: int, *, sources: Collection[str] | None = None
) -> Candidate:
    """Raises UnknownCandidateError. Sources: see select_candidates."""
    statement = _select().where(candidates.c.candidate_id == candidate_id)
    if sources is not None:
        statement = statement.where(_is_visible(sources))
    row = connection.execute(statement).first()
    if row is None:
        raise UnknownCandidateError(f"There is no merge candidate {candidate_id}.", ids=[candidate_id])
    return _candidate(row)


def select_candidates(
    connection: Connection,
    *,
    state: str = OPEN,
    reason: str | None = None,
    after_candidate_id: int | None = None,
    limit: int,
    sources: Collection[str] | None = None,
) -> list[Candidate]:
    """The heaviest first, from the one after `after_candidate_id`.

    Sources: what the caller is bound to; a candidate is told of when both profiles hold a record of theirs. Raises
    UnknownCandidateError when there is none to go on from.
    """
    statement = _select().where(candidates.c.state == state)
    if reason is not None:
        statement = statement.where(candidates.c.reason == reason)
    if sources is not None:
        statement = statement.where(_is_visible(sources))
    if after_candidate_id is not None:
        statement = statement.where(_comes_after(require_candidate(connection, after_candidate_id)))
    ordered = statement.order_by(candidates.c.match_weight.desc(), candidates.c.candidate_id.desc())
    return [_candidate(row) for row in connection.execute(ordered.limit(limit))]


def close_candidate(
    connection: Connection, candidate_id: int, state: str, *, author: str, now: datetime
) -> None:
    """Of one that is open; another stays as it is."""
    connection.execute(
        update(candidates)
        .where(candidates.c.candidate_id == candidate_id, candidates.c.state == OPEN)
        .values(state=state, closed_at=now, closed_by=author)
    )


def reopen_candidate(connection: Connection, candidate_id: int) -> None:
    """Of one that was decided and whose records are there; unless its pair was proposed anew."""
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
            candidates.c.state.in_(DECISIONS),
            ~is_proposed,
            is_there,
        )
        .values(state=OPEN, closed_at=None, closed_by=None)
    )


def _select() -> Select[Any]:
    left, right = profiles.alias("profiles_l"), profiles.alias("profiles_r")
    return select(
        candidates, left.c.version.label("version_l"), right.c.version.label("version_r")
    ).select_from(
        candidates.join(left, left.c.profile_id == candidates.c.profile_id_l).join(
            right, right.c.profile_id == candidates.c.profile_id_r
        )
    )


def _comes_after(last: Candidate) -> ColumnElement[bool]:
    return or_(
        candidates.c.match_weight < last.match_weight,
        and_(
            candidates.c.match_weight == last.match_weight,
            candidates.c.candidate_id < last.candidate_id,
        ),
    )


def _is_visible(names: Collection[str]) -> ColumnElement[bool]:
    return and_(
        *(_holds_record_of(end, names) for end in (candidates.c.profile_id_l, candidates.c.profile_id_r))
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
    values = dict(row._mapping)
    values["model_version"] = values.pop("model_version_id")
    return Candidate(**values)
