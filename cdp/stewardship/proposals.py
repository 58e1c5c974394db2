"""Rulings that wait for a second person: joins, splits and taking apart, as the first person asked for them.

Grain: one row per ruling that had to be confirmed; open until it is confirmed, refused, withdrawn, or found to be about
profiles that changed since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, or_, select, update

from cdp.canonical import canonical_json
from cdp.stewardship.errors import EndedProposalError, UnknownProposalError
from cdp.stewardship.members import select_members
from cdp.store.schema import profiles
from cdp.store.schema import ruling_proposals as proposals

KINDS = ("join", "split", "take_apart")


@dataclass(frozen=True)
class Request:
    """kind: one of KINDS. profile_ids: those to be joined, or the one that is to come apart. record_ids: of a split,
    those that go. into: of taking apart, one of take_apart.WAYS. pins: of a join, see join.join."""

    kind: str
    profile_ids: tuple[str, ...]
    record_ids: tuple[int, ...] = ()
    into: str | None = None
    pins: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Proposal:
    """why: some of why_two.REASONS_FOR_TWO. etag: the profiles as its author saw them. outcome: how it ended."""

    proposal_id: int
    request: Request
    author: str
    reason: str
    why: Sequence[str]
    etag: str
    recorded_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    outcome: str | None = None
    action_id: int | None = None

    @property
    def kind(self) -> str:
        return self.request.kind

    @property
    def profile_ids(self) -> tuple[str, ...]:
        return self.request.profile_ids

    @property
    def record_ids(self) -> tuple[int, ...]:
        return self.request.record_ids

    @property
    def into(self) -> str | None:
        return self.request.into

    @property
    def pins(self) -> Mapping[str, int]:
        return self.request.pins


_COLUMNS = tuple(
    proposals.c[name]
    for name in (
        "proposal_id",
        "kind",
        "request",
        "author",
        "reason",
        "why",
        "etag",
        "recorded_at",
        "ended_at",
        "ended_by",
        "outcome",
        "action_id",
    )
)
_is_open = proposals.c.ended_at.is_(None)


def etag_of(connection: Connection, request: Request) -> str:
    """Changes with what is asked for, with the versions of the profiles and with their records."""
    versions = connection.execute(
        select(profiles.c.profile_id, profiles.c.version)
        .where(profiles.c.profile_id.in_(request.profile_ids))
        .order_by(profiles.c.profile_id)
    )
    members = sorted(member.record_id for member in select_members(connection, request.profile_ids))
    told = [_text(request), request.kind, [list(row) for row in versions], members]
    return hashlib.sha256(canonical_json(told).encode()).hexdigest()[:32]


def require_proposal(connection: Connection, proposal_id: int) -> Proposal:
    """Raises UnknownProposalError."""
    row = connection.execute(_select().where(proposals.c.proposal_id == proposal_id)).first()
    if row is None:
        raise UnknownProposalError(f"There is no proposal {proposal_id}.", ids=[proposal_id])
    return _proposal(row)


def require_open(connection: Connection, proposal_id: int) -> Proposal:
    """Raises UnknownProposalError, EndedProposalError."""
    proposal = require_proposal(connection, proposal_id)
    if proposal.outcome is not None:
        raise EndedProposalError(
            f"Proposal {proposal_id} was {proposal.outcome} already: nothing waits.", ids=[proposal_id]
        )
    return proposal


def select_same(connection: Connection, request: Request) -> Proposal | None:
    """The open one that asks for the same."""
    asked = _select().where(_is_open, proposals.c.kind == request.kind, proposals.c.request == _text(request))
    row = connection.execute(asked.order_by(proposals.c.proposal_id)).first()
    return None if row is None else _proposal(row)


def select_open(connection: Connection, *, after_proposal_id: int = 0, limit: int) -> list[Proposal]:
    """The oldest first."""
    listed = _select().where(_is_open, proposals.c.proposal_id > after_proposal_id)
    rows = connection.execute(listed.order_by(proposals.c.proposal_id).limit(limit))
    return [_proposal(row) for row in rows]


def select_about(connection: Connection, profile_ids: Collection[str], *, at_most: int) -> list[Proposal]:
    """Those that name one of the profiles, however they ended, the newest first. What needs two people is rare: all of
    them are looked through."""
    named = or_(*(proposals.c.request.contains(f'"{each}"', autoescape=True) for each in profile_ids))
    rows = connection.execute(_select().where(named).order_by(proposals.c.proposal_id.desc()).limit(at_most))
    return [_proposal(row) for row in rows]


def select_of_ids(connection: Connection, proposal_ids: Collection[int]) -> dict[int, Proposal]:
    """By id, those that are there."""
    if not proposal_ids:
        return {}
    rows = connection.execute(_select().where(proposals.c.proposal_id.in_(sorted(proposal_ids))))
    return {row.proposal_id: _proposal(row) for row in rows}


def count_open(connection: Connection) -> int:
    return connection.scalars(select(func.count()).select_from(proposals).where(_is_open)).one()


def insert_proposal(connection: Connection, request: Request, **values: Any) -> Proposal:
    """Values: author, reason, why, etag and recorded_at, as Proposal has them."""
    stored = {**values, "kind": request.kind, "request": _text(request), "why": canonical_json(values["why"])}
    inserted = insert(proposals).returning(proposals.c.proposal_id)
    return Proposal(connection.scalars(inserted, stored).one(), request, **values)


def end_proposal(
    connection: Connection,
    proposal_id: int,
    outcome: str,
    *,
    by: str,
    now: datetime,
    action_id: int | None = None,
) -> bool:
    """Of one that is open; whether it was. Another stays as it is."""
    ended = connection.execute(
        update(proposals)
        .where(proposals.c.proposal_id == proposal_id, _is_open)
        .values(outcome=outcome, ended_by=by, ended_at=now, action_id=action_id)
    )
    return ended.rowcount == 1


def _text(request: Request) -> str:
    told = asdict(request)
    del told["kind"]
    if not told["pins"]:
        # As they were written before there were pins.
        del told["pins"]
    return canonical_json(told)


def _select() -> Select[Any]:
    return select(*_COLUMNS)


def _proposal(row: Row[Any]) -> Proposal:
    values = dict(row._mapping)
    kind, asked = values.pop("kind"), json.loads(values["request"])
    pins = asked.get("pins", {})
    request = Request(kind, tuple(asked["profile_ids"]), tuple(asked["record_ids"]), asked["into"], pins)
    return Proposal(**{**values, "request": request, "why": json.loads(values["why"])})
