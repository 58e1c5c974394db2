"""Joins, splits and taking apart as people ask for them: where they take two, the first one's waits for another's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from cdp.idempotency import Once, carry_out_once
from cdp.identity.profile_reads import ErasedProfileError, UnknownProfileError
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.ingest import Resolver
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import (
    SecondPersonNeededError,
    StaleProposalError,
)
from cdp.stewardship.join import carry_join, require_two_people
from cdp.stewardship.members import require_living
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pin import require_pinnable
from cdp.stewardship.proposals import (
    Proposal,
    Request,
    end_proposal,
    etag_of,
    insert_proposal,
    require_open,
    require_proposal,
    select_same,
)
from cdp.stewardship.ruling import Order, Session, carry_out
from cdp.stewardship.split import carry_split, require_usable_split
from cdp.stewardship.take_apart import EVIDENCE, carry_apart, require_usable_parts
from cdp.stewardship.why_two import why_two
from cdp.store import retry_write


def rule_together(resolver: Resolver, request: Request, order: Order, rules: DeskRules) -> Outcome | Proposal:
    """Carry out what is asked for, or let it wait: see why_two. A second person who asks for the same confirms it.

    A preview shows what would come of it once confirmed. Raises what join, split and take_apart do, and
    SecondPersonNeededError for whoever asked first.
    """

    def work(session: Session) -> Outcome | Proposal:
        connection = session.connection
        asked = _of_living(connection, request)
        if order.is_preview:
            return _carry(session, asked)
        waiting = _still_waiting(session, asked)
        why = why_two(connection, asked.profile_ids, rules, brings_together=asked.kind == "join")
        if why and waiting is None:
            _require_usable(session, asked)
            return _let_wait(session, asked, why)
        outcome = _carry(session, asked)
        if waiting is not None:
            _confirm(session, waiting, outcome)
        return outcome

    return carry_out(resolver, order, work)


def confirm_proposal(resolver: Resolver, proposal_id: int, order: Order) -> Outcome:
    """The second person's word: what waits has its effect, as this person's action.

    Raises UnknownProposalError, EndedProposalError, SecondPersonNeededError for its author, StaleProposalError when the
    profiles changed since, and what the ruling itself does. A preview needs no second person.
    """

    def work(session: Session) -> Outcome:
        proposal = require_open(session.connection, proposal_id)
        if not order.is_preview:
            _require_another(proposal, order.author)
        _require_unchanged(session.connection, proposal)
        outcome = _carry(session, proposal.request)
        if not order.is_preview:
            _confirm(session, proposal, outcome)
        return outcome

    try:
        return carry_out(resolver, order, work)
    except StaleProposalError:
        if not order.is_preview:
            _end_stale(resolver.engine, proposal_id, order)
        raise


def refuse_proposal(
    engine: Engine,
    proposal_id: int,
    *,
    author: str,
    reason: str,
    now: datetime,
    once: Once[Proposal] | None = None,
) -> Proposal:
    """Let it come to nothing: withdrawn by its author, refused by anybody else. Once more by the same person, it is as
    it was. Once: the call that is to be carried out once. Raises UnknownProposalError, EndedProposalError."""

    def work(connection: Connection) -> Proposal:
        proposal = require_proposal(connection, proposal_id)
        outcome = "withdrawn" if proposal.author == author else "refused"
        if (proposal.ended_by, proposal.outcome) == (author, outcome):
            return proposal
        require_open(connection, proposal_id)
        end_proposal(connection, proposal_id, outcome, by=author, now=now)
        _record(connection, f"proposal_{outcome}", proposal_id, author, now, reason=reason)
        return require_proposal(connection, proposal_id)

    return retry_write(engine, lambda connection: carry_out_once(connection, once, work))


def is_current(connection: Connection, proposal: Proposal) -> bool:
    """Whether its profiles are as its author saw them."""
    return etag_of(connection, proposal.request) == proposal.etag


def _of_living(connection: Connection, request: Request) -> Request:
    """With the ids that profiles answer with now, each once. Raises UnknownProfileError, ErasedProfileError."""
    living = {require_living(connection, profile_id) for profile_id in request.profile_ids}
    record_ids = tuple(sorted(set(request.record_ids)))
    return replace(request, profile_ids=tuple(sorted(living)), record_ids=record_ids)


def _carry(session: Session, asked: Request) -> Outcome:
    match asked.kind:
        case "join":
            return carry_join(session, asked.profile_ids, asked.pins)
        case "split":
            return carry_split(session, asked.profile_ids[0], asked.record_ids)
        case _:
            return carry_apart(session, asked.profile_ids[0], asked.into or EVIDENCE)


def _require_usable(session: Session, asked: Request) -> None:
    """What nobody could confirm does not wait. Raises OneProfileError, UnusablePinError, UnknownRecordError,
    UnusableSplitError, AlreadyFrozenError."""
    match asked.kind:
        case "join":
            require_two_people(session.connection, asked.profile_ids)
            require_pinnable(session.connection, asked.pins, asked.profile_ids)
        case "split":
            require_usable_split(session.connection, asked.profile_ids[0], asked.record_ids)
        case _:
            require_usable_parts(session.connection, asked.profile_ids[0], asked.into or EVIDENCE)


def _still_waiting(session: Session, asked: Request) -> Proposal | None:
    """What waits and is about the profiles as they are. Raises SecondPersonNeededError for its author."""
    waiting = select_same(session.connection, asked)
    if waiting is None:
        return None
    if not is_current(session.connection, waiting):
        _end_changed(session.connection, waiting.proposal_id, session.order.author, session.moment)
        return None
    _require_another(waiting, session.order.author)
    return waiting


def _require_another(proposal: Proposal, author: str) -> None:
    if proposal.author == author:
        raise SecondPersonNeededError(
            f"Your proposal {proposal.proposal_id} waits for a second person: let somebody else confirm it, or "
            "withdraw it.",
            ids=[proposal.proposal_id],
        )


def _require_unchanged(connection: Connection, proposal: Proposal) -> None:
    try:
        if _of_living(connection, proposal.request) == proposal.request and is_current(connection, proposal):
            return
    except (UnknownProfileError, ErasedProfileError):
        pass  # Nobody is there whom it could be about.
    raise StaleProposalError(
        f"The profiles of proposal {proposal.proposal_id} changed since: look at them and ask anew.",
        ids=[proposal.proposal_id],
    )


def _let_wait(session: Session, asked: Request, why: tuple[str, ...]) -> Proposal:
    order, moment = session.order, session.moment
    proposal = insert_proposal(
        session.connection,
        asked,
        author=order.author,
        reason=order.reason,
        why=list(why),
        etag=etag_of(session.connection, asked),
        recorded_at=moment,
    )
    particulars = {"kind": asked.kind, "profile_ids": list(asked.profile_ids), "why": list(why)}
    _record(session.connection, "proposed", proposal.proposal_id, order.author, moment, **particulars)
    return proposal


def _confirm(session: Session, waiting: Proposal, outcome: Outcome) -> None:
    end_proposal(
        session.connection,
        waiting.proposal_id,
        "confirmed",
        by=session.order.author,
        now=session.moment,
        action_id=outcome.action_id,
    )


def _end_stale(engine: Engine, proposal_id: int, order: Order) -> None:
    def work(connection: Connection) -> None:
        _end_changed(connection, proposal_id, order.author, order.now)

    retry_write(engine, work)


def _end_changed(connection: Connection, proposal_id: int, author: str, now: datetime) -> None:
    """Of one that is open: its profiles are not those that it was asked of. Author: who found out."""
    if end_proposal(connection, proposal_id, "changed", by=author, now=now):
        _record(connection, "proposal_changed", proposal_id, author, now)


def _record(
    connection: Connection, what: str, proposal_id: int, author: str, now: datetime, **details: object
) -> None:
    entry = AuditEntry(author, f"stewardship.{what}", "proposal", str(proposal_id), now, details)
    append_audit(connection, [entry])
