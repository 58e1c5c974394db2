"""Decisions that take two people: the first one's waits, and the second one's has the effect. See why_two."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine

from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.ingest import Resolver
from cdp.stewardship.candidates import Candidate
from cdp.stewardship.confirmations import Pending, end_pending, insert_pending, select_pending
from cdp.stewardship.decide import carry_decision, require_seen, require_turn
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import SecondPersonNeededError, UnknownConfirmationError
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pin import require_pinnable
from cdp.stewardship.ruling import NO_CHOICES, Order, Session, carry_out
from cdp.stewardship.why_two import why_two
from cdp.store import retry_write


def decide_together(
    resolver: Resolver,
    candidate_id: int,
    decision: str,
    order: Order,
    rules: DeskRules,
    *,
    seen: Collection[str],
    needs_claim: bool = False,
    pins: Mapping[str, int] | None = None,
) -> Outcome | Pending:
    """As decide.decide; where 'same' takes two people, the first one's waits, and the second one's has the effect.

    Another answer of a second person overrules what waits. A preview shows what would come of it once confirmed. Pins:
    see join.join; of a second person, None for those that wait, and any others in their place, since a pin takes one
    person. Raises what decide does, UnusablePinError, and SecondPersonNeededError for whoever ruled first.
    """

    def work(session: Session) -> Outcome | Pending:
        candidate = require_seen(session, candidate_id, seen)
        if order.is_preview:
            found = select_pending(session.connection, candidate_id)
            return carry_decision(session, candidate, decision, chosen_pins(pins, found, candidate, decision))
        require_turn(session, candidate_id, needs_claim=needs_claim)
        waiting = _still_waiting(session, candidate)
        why = why_two_for(session.connection, candidate, rules) if decision == "same" else ()
        if why and waiting is None:
            return _let_wait(session, candidate, decision, why, pins or NO_CHOICES)
        outcome = carry_decision(
            session, candidate, decision, chosen_pins(pins, waiting, candidate, decision)
        )
        if waiting is not None:
            _end(session, waiting, decision, outcome)
        return outcome

    return carry_out(resolver, order, work)


def why_two_for(connection: Connection, candidate: Candidate, rules: DeskRules) -> tuple[str, ...]:
    """Which rules ask for a second person before the two profiles are joined; empty: none does."""
    found = why_two(connection, candidate.profile_ids, rules, brings_together=True)
    if candidate.reason == "exclusive_conflict" and "documents" not in found:
        found = (*found, "documents")
    return found


def chosen_pins(
    pins: Mapping[str, int] | None, waiting: Pending | None, candidate: Candidate, decision: str
) -> Mapping[str, int]:
    """Those given, or else those that wait with the same decision about the candidate as it is."""
    if pins is not None:
        return pins
    if waiting is None or waiting.decision != decision or not waiting.is_about(candidate):
        return NO_CHOICES
    return waiting.pins


def withdraw_pending(engine: Engine, candidate_id: int, *, author: str, now: datetime) -> None:
    """Take back one's own decision that waits. Raises UnknownConfirmationError."""

    def work(connection: Connection) -> None:
        waiting = select_pending(connection, candidate_id)
        if waiting is None or waiting.author != author:
            raise UnknownConfirmationError(
                f"No decision of yours about candidate {candidate_id} waits for a second person.",
                ids=[candidate_id],
            )
        end_pending(connection, waiting.confirmation_id, "withdrawn", by=author, now=now)
        _record(connection, "pending_withdrawn", candidate_id, author, now)

    retry_write(engine, work)


def _still_waiting(session: Session, candidate: Candidate) -> Pending | None:
    """What waits and is about the candidate as it is. Raises SecondPersonNeededError for its author."""
    waiting = select_pending(session.connection, candidate.candidate_id)
    if waiting is None:
        return None
    author = session.order.author
    if not waiting.is_about(candidate):
        end_pending(session.connection, waiting.confirmation_id, "changed", by=author, now=session.moment)
        _record(session.connection, "pending_changed", candidate.candidate_id, author, session.moment)
        return None
    if waiting.author == author:
        raise SecondPersonNeededError(
            f"Your decision about candidate {candidate.candidate_id} waits for a second person: let somebody else "
            "decide, or withdraw it.",
            ids=[candidate.candidate_id],
        )
    return waiting


def _let_wait(
    session: Session, candidate: Candidate, decision: str, why: tuple[str, ...], pins: Mapping[str, int]
) -> Pending:
    order, moment = session.order, session.moment
    require_pinnable(session.connection, pins, candidate.profile_ids)
    pending = insert_pending(
        session.connection,
        candidate_id=candidate.candidate_id,
        decision=decision,
        author=order.author,
        reason=order.reason,
        why=list(why),
        etag=candidate.etag,
        recorded_at=moment,
        pins=dict(pins),
    )
    told: dict[str, object] = {"why": list(why), **({"pins": dict(pins)} if pins else {})}
    _record(session.connection, "pending", candidate.candidate_id, order.author, moment, **told)
    return pending


def _end(session: Session, waiting: Pending, decision: str, outcome: Outcome) -> None:
    is_confirmed = decision == waiting.decision
    end_pending(
        session.connection,
        waiting.confirmation_id,
        "confirmed" if is_confirmed else "overruled",
        by=session.order.author,
        now=session.moment,
        action_id=outcome.action_id if is_confirmed else None,
    )


def _record(
    connection: Connection, what: str, candidate_id: int, author: str, now: datetime, **details: object
) -> None:
    entry = AuditEntry(author, f"stewardship.{what}", "candidate", str(candidate_id), now, details)
    append_audit(connection, [entry])
