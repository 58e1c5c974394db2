"""Stewards take candidates to work on, give them back, put them off: one live claim a candidate.

A claim keeps others from deciding the same one meanwhile. It runs out by itself; then anybody may take it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import NoReturn

from sqlalchemy import Connection, Engine, select, update

from cdp.idempotency import Once, carry_out_once
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.stewardship.candidates import OPEN, Candidate, left_unsure, require_candidate
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import (
    CandidateClaimedError,
    ClaimMissingError,
    ClosedCandidateError,
    ReadBeforeError,
)
from cdp.stewardship.leases import (
    Lease,
    delete_lease,
    extend_lease,
    put_skip,
    select_lease,
    take_lease,
)
from cdp.stewardship.queue import QueueFilter, is_open_to, select_first
from cdp.store import read, retry_write
from cdp.store.schema import merge_candidates

# Looks outside a write; after them the look and the claim are one.
_TRIES = 3


@dataclass(frozen=True)
class Claimed:
    candidate: Candidate
    lease: Lease


def claim(
    engine: Engine,
    candidate_id: int,
    rules: DeskRules,
    *,
    author: str,
    now: datetime,
    once: Once[Claimed] | None = None,
) -> Claimed:
    """Take a candidate, or take it for longer. Once, here and below: the call that is to be carried out once.

    Raises UnknownCandidateError, ClosedCandidateError, ReadBeforeError, CandidateClaimedError.
    """

    def work(connection: Connection) -> Claimed:
        return _take(connection, candidate_id, rules, author, now)

    return retry_write(engine, lambda connection: carry_out_once(connection, once, work))


def claim_next(
    engine: Engine,
    rules: DeskRules,
    *,
    author: str,
    now: datetime,
    asked: QueueFilter | None = None,
    sort: str = "priority",
    is_ascending: bool = False,
) -> Claimed | None:
    """Take what comes first of what is open to this person; what is assigned to them before all else. None: there is
    nothing."""
    wanted = replace(asked or QueueFilter(), state=OPEN, reader=None)

    def find(connection: Connection) -> int | None:
        return select_first(connection, wanted, author, rules, sort=sort, is_ascending=is_ascending, now=now)

    def take(connection: Connection, candidate_id: int) -> Claimed | None:
        if not is_open_to(connection, candidate_id, wanted, author, now=now):
            return None
        return _take(connection, candidate_id, rules, author, now)

    def look_and_take(connection: Connection) -> Claimed | None:
        candidate_id = find(connection)
        return None if candidate_id is None else _take(connection, candidate_id, rules, author, now)

    # The look at the whole queue keeps nobody from writing; who finds that the first is theirs no more looks again.
    for _ in range(_TRIES):
        with read(engine) as connection:
            candidate_id = find(connection)
        if candidate_id is None:
            return None
        if claimed := retry_write(engine, partial(take, candidate_id=candidate_id)):
            return claimed
    return retry_write(engine, look_and_take)


def renew(engine: Engine, candidate_id: int, rules: DeskRules, *, author: str, now: datetime) -> Lease:
    """Hold it for longer, counted from now. Raises ClaimMissingError, CandidateClaimedError."""

    def work(connection: Connection) -> Lease:
        until = now + rules.lease
        if not extend_lease(connection, candidate_id, author, now=now, until=until):
            _refuse(connection, candidate_id, author, now)
        lease = select_lease(connection, candidate_id)
        assert lease is not None
        return lease

    return retry_write(engine, work)


def release(
    engine: Engine, candidate_id: int, *, author: str, now: datetime, once: Once[bool] | None = None
) -> bool:
    """Give it back; whether it was this person's."""

    def work(connection: Connection) -> bool:
        released = delete_lease(connection, candidate_id, author)
        if released:
            _record(connection, "release", candidate_id, author, now)
        return released

    return retry_write(engine, lambda connection: carry_out_once(connection, once, work))


def skip(
    engine: Engine,
    candidate_id: int,
    rules: DeskRules,
    *,
    author: str,
    now: datetime,
    once: Once[datetime] | None = None,
) -> datetime:
    """Put it back, not to be shown to this person for a while; returns until when.

    Raises UnknownCandidateError, ClosedCandidateError, CandidateClaimedError.
    """

    def work(connection: Connection) -> datetime:
        require_open(connection, candidate_id)
        require_unclaimed(connection, candidate_id, author=author, now=now)
        delete_lease(connection, candidate_id, author)
        until = now + rules.hidden
        put_skip(connection, candidate_id, author, now=now, hidden_until=until)
        _record(connection, "skip", candidate_id, author, now)
        return until

    return retry_write(engine, lambda connection: carry_out_once(connection, once, work))


def assign(
    engine: Engine,
    candidate_id: int,
    *,
    assignee: str | None,
    due_at: datetime | None,
    author: str,
    now: datetime,
) -> Candidate:
    """Say who is to do it until when; None lets anybody do it, when the rule says.

    Raises UnknownCandidateError, ClosedCandidateError.
    """

    def work(connection: Connection) -> Candidate:
        require_open(connection, candidate_id)
        connection.execute(
            update(merge_candidates)
            .where(merge_candidates.c.candidate_id == candidate_id)
            .values(assignee=assignee, due_at=due_at)
        )
        _record(connection, "assign", candidate_id, author, now, assignee=assignee or "")
        return require_candidate(connection, candidate_id)

    return retry_write(engine, work)


def require_open(connection: Connection, candidate_id: int) -> Candidate:
    """Raises UnknownCandidateError, ClosedCandidateError."""
    candidate = require_candidate(connection, candidate_id)
    if candidate.state != OPEN:
        raise ClosedCandidateError(
            f"Candidate {candidate_id} is closed, as {candidate.state}: undo the decision to decide again.",
            ids=[candidate_id],
        )
    return candidate


def require_claim(connection: Connection, candidate_id: int, *, author: str, now: datetime) -> None:
    """Raises ClaimMissingError, CandidateClaimedError."""
    lease = select_lease(connection, candidate_id)
    if lease is None or lease.owner != author or not lease.is_live(now):
        _refuse(connection, candidate_id, author, now)


def require_unclaimed(connection: Connection, candidate_id: int, *, author: str, now: datetime) -> None:
    """Raises CandidateClaimedError while somebody else works on it."""
    lease = select_lease(connection, candidate_id)
    if lease is not None and lease.owner != author and lease.is_live(now):
        raise CandidateClaimedError(
            f"Candidate {candidate_id} is claimed by {lease.owner} until {lease.expires_at:%Y-%m-%d %H:%M:%SZ}: "
            "take another one, or wait.",
            ids=[candidate_id],
            held_by=lease.owner,
            held_until=lease.expires_at,
        )


def require_unread(connection: Connection, candidate_id: int, *, author: str) -> None:
    """Raises ReadBeforeError when this person could not tell."""
    of_author = left_unsure(by=author).subquery("of_author")
    if connection.scalar(select(of_author.c.candidate_id).where(of_author.c.candidate_id == candidate_id)):
        raise ReadBeforeError(
            f"You left candidate {candidate_id} as unsure: somebody else decides, unless you undo that.",
            ids=[candidate_id],
        )


def _take(connection: Connection, candidate_id: int, rules: DeskRules, author: str, now: datetime) -> Claimed:
    candidate = require_open(connection, candidate_id)
    require_unread(connection, candidate_id, author=author)
    lease = Lease(candidate_id, author, now, now + rules.lease)
    if not take_lease(connection, lease):
        require_unclaimed(connection, candidate_id, author=author, now=now)
    _record(connection, "claim", candidate_id, author, now)
    return Claimed(candidate, lease)


def _refuse(connection: Connection, candidate_id: int, author: str, now: datetime) -> NoReturn:
    require_unclaimed(connection, candidate_id, author=author, now=now)
    lease = select_lease(connection, candidate_id)
    ended = (
        f"ran out at {lease.expires_at:%Y-%m-%d %H:%M:%SZ}"
        if lease is not None and lease.owner == author
        else "is not there"
    )
    raise ClaimMissingError(
        f"Your claim of candidate {candidate_id} {ended}: claim it, and look at it again.", ids=[candidate_id]
    )


def _record(
    connection: Connection, what: str, candidate_id: int, author: str, now: datetime, **details: object
) -> None:
    entry = AuditEntry(author, f"stewardship.{what}", "candidate", str(candidate_id), now, details)
    append_audit(connection, [entry])
