"""A steward decides whether two profiles that may be one person are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cdp.realtime.ingest import Resolver
from cdp.stewardship.actions import Action
from cdp.stewardship.candidates import OPEN, Candidate, close_candidate, closes, require_candidate
from cdp.stewardship.claim import require_claim, require_unclaimed, require_unread
from cdp.stewardship.errors import ClosedCandidateError, StaleCandidateError, UnusablePinError
from cdp.stewardship.join import hold_as_one
from cdp.stewardship.leases import delete_leases
from cdp.stewardship.members import select_members
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pairs import between
from cdp.stewardship.ruling import (
    NO_CHOICES,
    Order,
    Session,
    begin_action,
    carry_out,
    hold,
    publish_ruling,
)


def decide(
    resolver: Resolver,
    candidate_id: int,
    decision: str,
    order: Order,
    *,
    seen: Collection[str],
    needs_claim: bool = False,
) -> Outcome:
    """Close a candidate: 'same' joins its profiles, 'different' keeps every record of one from every record of the
    other. 'unsure' gives it to a second person; when that one cannot tell either, it rests until another model or a
    newer record proposes it.

    Seen: the etag of the candidate as the steward saw it, or several. Needs claim: whether its author must have claimed
    it; nobody decides what another one has claimed. A preview needs neither claim nor turn. Raises
    UnknownCandidateError, StaleCandidateError, ClosedCandidateError, CandidateClaimedError, ClaimMissingError,
    ReadBeforeError, TooManyPairsError, ConstraintConflictError.
    """

    def work(session: Session) -> Outcome:
        candidate = require_seen(session, candidate_id, seen)
        if not order.is_preview:
            require_turn(session, candidate_id, needs_claim=needs_claim)
        return carry_decision(session, candidate, decision)

    return carry_out(resolver, order, work)


def require_turn(session: Session, candidate_id: int, *, needs_claim: bool) -> None:
    """Raises CandidateClaimedError, ReadBeforeError, ClaimMissingError; the claim ends."""
    connection, author, now = session.connection, session.order.author, session.order.now
    require_unclaimed(connection, candidate_id, author=author, now=now)
    require_unread(connection, candidate_id, author=author)
    if needs_claim:
        require_claim(connection, candidate_id, author=author, now=now)
    delete_leases(connection, candidate_id)


def carry_decision(
    session: Session, candidate: Candidate, decision: str, pins: Mapping[str, int] = NO_CHOICES
) -> Outcome:
    """Pins: see join.join. Raises what decide does, and UnusablePinError."""
    _require_joining(candidate, decision, pins)
    candidate_id, author = candidate.candidate_id, session.order.author
    if closes(decision, candidate.unsure_count + 1):
        close_candidate(session.connection, candidate_id, decision, author=author, now=session.moment)
    action = begin_action(session, "decision", candidate_id=candidate_id, decision=decision)
    match decision:
        case "same":
            return hold_as_one(session, action, candidate.profile_ids, pins)
        case "different":
            return _hold_apart(session, action, candidate)
        case _:
            return publish_ruling(session, action, [], profile_ids=candidate.profile_ids)


def require_seen(session: Session, candidate_id: int, seen: Collection[str]) -> Candidate:
    """An open candidate as the steward saw it. Raises UnknownCandidateError, StaleCandidateError,
    ClosedCandidateError."""
    candidate = require_candidate(session.connection, candidate_id)
    if candidate.etag not in seen:
        raise StaleCandidateError(
            f"Candidate {candidate_id} or its profiles changed since: look at it again.", ids=[candidate_id]
        )
    if candidate.state != OPEN:
        raise ClosedCandidateError(
            f"Candidate {candidate_id} is closed, as {candidate.state}: undo the decision to decide again.",
            ids=[candidate_id],
        )
    return candidate


def _hold_apart(session: Session, action: Action, candidate: Candidate) -> Outcome:
    members = select_members(session.connection, candidate.profile_ids)
    groups = [
        [member.record_id for member in members if member.profile_id == profile_id]
        for profile_id in candidate.profile_ids
    ]
    hold(session, action, cannot=between(groups))
    return publish_ruling(
        session, action, [member.record_id for member in members], profile_ids=candidate.profile_ids
    )


def _require_joining(candidate: Candidate, decision: str, pins: Mapping[str, int]) -> None:
    """Raises UnusablePinError."""
    if pins and decision != "same":
        raise UnusablePinError(
            f"Candidate {candidate.candidate_id} decided {decision!r} joins nobody: leave the pins out.",
            ids=[candidate.candidate_id],
        )
