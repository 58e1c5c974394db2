"""How a ruling is carried out: in one write with all that follows, or rolled back when it is only to be seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, func, select

from cdp.canonical import canonical_json
from cdp.idempotency import Once, carry_out_once
from cdp.identity.leads import LeadChange
from cdp.identity.pins import NO_PINS, PinsByRecord
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.ingest import Resolver, not_before_the_ledger, resolve_and_publish
from cdp.realtime.ingested import Effect
from cdp.realtime.online_models import prepare_store, require_online_version
from cdp.realtime.publish_region import Cause
from cdp.stewardship.actions import Action, insert_action
from cdp.stewardship.constraints import insert_links, select_linked, select_links
from cdp.stewardship.errors import ConstraintConflictError
from cdp.stewardship.outcome import Outcome, as_preview, tell_outcome
from cdp.stewardship.pairs import Contradiction, Pair, find_contradiction
from cdp.store import retry_write
from cdp.store.schema import merge_candidates, outbox_events


@dataclass(frozen=True)
class Order:
    """Who rules, why and when. is_preview: only to see what would come of it. once: the call that must not have its
    effect twice; a preview has none."""

    author: str
    reason: str
    now: datetime
    is_preview: bool = False
    once: Once[Any] | None = None


@dataclass(frozen=True)
class Session:
    """The write that a ruling is carried out in. moment: now, or later when the clock went back."""

    connection: Connection
    resolver: Resolver
    order: Order
    model_version: int
    moment: datetime


# Of a ruling that chooses no golden value.
NO_CHOICES: Mapping[str, int] = MappingProxyType({})

Ruled = TypeVar("Ruled")


class _Seen(Exception):
    """Ends the write of a preview."""

    def __init__(self, outcome: Any) -> None:
        super().__init__()
        self.outcome: Any = outcome


def carry_out(resolver: Resolver, order: Order, work: Callable[[Session], Ruled]) -> Ruled:
    """Run `work` in one write; of a preview, nothing stays in the store.

    Raises AnsweredBeforeError and KeyReusedError by the order's call.
    """

    def carry_out_order(connection: Connection) -> Ruled:
        moment = not_before_the_ledger(connection, order.now)
        version = require_online_version(connection, now=moment)
        outcome = work(Session(connection, resolver, order, version, moment))
        if order.is_preview:
            raise _Seen(outcome)
        return outcome

    def transaction(connection: Connection) -> Ruled:
        return carry_out_once(connection, once, carry_out_order)

    once: Once[Ruled] | None = order.once
    prepare_store(resolver.engine, now=order.now)
    try:
        return retry_write(resolver.engine, transaction)
    except _Seen as seen:
        return cast(Ruled, seen.outcome)


def begin_action(session: Session, kind: str, **particulars: int | str | None) -> Action:
    """Particulars: see actions.insert_action."""
    order = session.order
    return insert_action(
        session.connection,
        kind,
        author=order.author,
        reason=order.reason,
        now=session.moment,
        **particulars,  # type: ignore[arg-type]
    )


def hold(
    session: Session, action: Action, *, must: Collection[Pair] = (), cannot: Collection[Pair] = ()
) -> None:
    """Open constraints for an action."""
    for kind, pairs in (("must", must), ("cannot", cannot)):
        insert_links(
            session.connection,
            kind,
            pairs,
            opened_by=action.action_id,
            author=action.author,
            reason=action.reason,
            now=session.moment,
        )


def publish_ruling(
    session: Session,
    action: Action,
    record_ids: Collection[int],
    *,
    profile_ids: Collection[str] = (),
    restored: Mapping[int, str] | None = None,
    leads: Mapping[str, LeadChange] | None = None,
    repinned: Collection[int] = (),
    pins: Mapping[str, int] = NO_CHOICES,
    pins_before: PinsByRecord = NO_PINS,
) -> Outcome:
    """Find the people that the constraints of now give, and tell of them.

    Record ids: every one whose constraints changed. Profile ids: others to be told of. Restored,
    leads, repinned: see resolve_and_publish. Pins: those that the action opened, attribute to record. Pins before: of
    the records whose pins it changed. Raises ConstraintConflictError.
    """
    connection, repinned = session.connection, {*repinned, *pins.values()}
    linked, _ = select_linked(connection, record_ids)
    require_no_contradiction(connection, linked, action)
    before = connection.scalar(select(func.max(merge_candidates.c.candidate_id))) or 0
    cause = Cause(action.author, action.reason, session.model_version, action.action_id)
    effect = resolve_and_publish(
        connection,
        session.resolver,
        [],
        cause,
        concerned=linked,
        repinned=repinned,
        restored=restored or {},
        leads=leads or {},
        now=session.moment,
    )
    _record(session, action, effect, pins)
    outcome = tell_outcome(
        connection,
        effect,
        action_id=action.action_id,
        kind=action.kind,
        record_ids={*record_ids, *repinned},
        profile_ids=profile_ids,
        pins_before=pins_before,
    )
    if session.order.is_preview:
        return as_preview(outcome, created=effect.published.created, known=lambda each: each <= before)
    return outcome


def require_no_contradiction(connection: Connection, linked: Collection[int], action: Action) -> None:
    """Linked: records with all that must-links connect them with. Raises ConstraintConflictError."""
    found = find_contradiction(select_links(connection, linked))
    if found is not None:
        raise _conflict(found, action)


def _conflict(found: Contradiction, action: Action) -> ConstraintConflictError:
    left, right = found.cannot.pair
    if found.cannot.opened_by != action.action_id:
        others, said = {found.cannot.opened_by}, "apart"
    else:
        others, said = {link.opened_by for link in found.must} - {action.action_id}, "together"
    rulings = sorted(each for each in others if each is not None)
    named = f"action {' and '.join(map(str, rulings))}" if rulings else "a constraint of no action"
    return ConstraintConflictError(
        f"Records {left} and {right} are held {said} by {named}: withdraw that decision first.",
        ids=rulings,
    )


def _record(session: Session, action: Action, effect: Effect, pins: Mapping[str, int]) -> None:
    """The audit entry and the event of the action."""
    told = {
        "action_id": action.action_id,
        "kind": action.kind,
        "candidate_id": action.candidate_id,
        "decision": action.decision,
        "undoes_action_id": action.undoes_action_id,
        "undoes_entry_id": action.undoes_entry_id,
        "model_version": session.model_version,
        "profile_ids": sorted(effect.published.versions),
        "ledger_entry_ids": sorted(effect.published.entry_ids),
    }
    told = {name: value for name, value in told.items() if value is not None}
    subject = str(action.action_id)
    audited = {**told, "pins": dict(pins)} if pins else told
    entry = AuditEntry(
        action.author, f"stewardship.{action.kind}", "action", subject, session.moment, audited
    )
    append_audit(session.connection, [entry])
    session.connection.execute(
        outbox_events.insert(),
        {
            "kind": "stewardship.ruled",
            "subject_id": subject,
            "payload": canonical_json(told),
            "created_at": session.moment,
        },
    )
