"""A steward decides whether two profiles that may be one person are."""

from __future__ import annotations

from collections.abc import Collection

from cdp.realtime.ingest import Resolver
from cdp.stewardship.actions import Action
from cdp.stewardship.candidates import OPEN, Candidate, close_candidate, require_candidate
from cdp.stewardship.errors import ClosedCandidateError, StaleCandidateError
from cdp.stewardship.join import hold_as_one
from cdp.stewardship.members import select_members
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pairs import between
from cdp.stewardship.ruling import Order, Session, begin_action, carry_out, hold, publish_ruling


def decide(
    resolver: Resolver, candidate_id: int, decision: str, order: Order, *, seen: Collection[str]
) -> Outcome:
    """Close a candidate: 'same' joins its profiles, 'different' keeps every record of one from every record of the
    other, 'unsure' lets it rest until another model or a newer record proposes it.

    Seen: the etag of the candidate as the steward saw it, or several. Raises UnknownCandidateError,
    StaleCandidateError, ClosedCandidateError, TooManyPairsError, ConstraintConflictError.
    """

    def work(session: Session) -> Outcome:
        candidate = require_candidate(session.connection, candidate_id)
        _require_open(candidate, seen)
        close_candidate(session.connection, candidate_id, decision, author=order.author, now=session.moment)
        action = begin_action(session, "decision", candidate_id=candidate_id, decision=decision)
        match decision:
            case "same":
                return hold_as_one(session, action, candidate.profile_ids)
            case "different":
                return _hold_apart(session, action, candidate)
            case _:
                return publish_ruling(session, action, [], profile_ids=candidate.profile_ids)

    return carry_out(resolver, order, work)


def _require_open(candidate: Candidate, seen: Collection[str]) -> None:
    candidate_id = candidate.candidate_id
    if candidate.etag not in seen:
        raise StaleCandidateError(
            f"Candidate {candidate_id} or its profiles changed since: look at it again.", ids=[candidate_id]
        )
    if candidate.state != OPEN:
        raise ClosedCandidateError(
            f"Candidate {candidate_id} is closed, as {candidate.state}: undo the decision to decide again.",
            ids=[candidate_id],
        )


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
