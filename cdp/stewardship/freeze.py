"""A steward holds a profile as it is: no evidence joins it with anybody or takes records from it until that is undone.

Its records are held together by must-links and frozen, each by itself, so that what follows is a function of records,
model and rulings as ever: what the evidence would join is asked as a merge candidate. Stewards go on ruling on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from cdp.identity.freezes import insert_frozen, select_frozen
from cdp.realtime.ingest import Resolver
from cdp.stewardship.errors import AlreadyFrozenError, NotFrozenError
from cdp.stewardship.members import require_living, select_members
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pairs import star
from cdp.stewardship.ruling import Order, Session, begin_action, carry_out, hold, publish_ruling
from cdp.stewardship.undo import carry_undo
from cdp.store.schema import frozen_records, memberships, steward_actions


@dataclass(frozen=True)
class Freeze:
    """One in force: the action that it is, by whom and why."""

    action_id: int
    author: str
    reason: str
    recorded_at: datetime


def freeze(resolver: Resolver, profile_id: str, order: Order) -> Outcome:
    """Raises UnknownProfileError, ErasedProfileError, AlreadyFrozenError, TooManyPairsError."""

    def work(session: Session) -> Outcome:
        connection = session.connection
        living = require_living(connection, profile_id)
        members = [member.record_id for member in select_members(connection, [living])]
        before = sorted({action_id for _, action_id in select_frozen(connection, members)})
        if before:
            raise AlreadyFrozenError(
                f"Profile {living} is frozen by action {before[0]}: undo that to let it go.", ids=before
            )
        action = begin_action(session, "freeze")
        hold(session, action, must=star(members) if members else ())
        insert_frozen(connection, members, opened_by=action.action_id, now=session.moment)
        return publish_ruling(session, action, members, profile_ids=[living])

    return carry_out(resolver, order, work)


def unfreeze(resolver: Resolver, profile_id: str, order: Order) -> Outcome:
    """Take back every freeze of the profile: where stewards joined frozen profiles there are several, each with an undo
    of its own. Raises UnknownProfileError, ErasedProfileError, NotFrozenError."""

    def work(session: Session) -> Outcome:
        living = require_living(session.connection, profile_id)
        freezes = select_freezes(session.connection, living)
        if not freezes:
            raise NotFrozenError(f"Profile {living} is not frozen: there is nothing to let go.", ids=[living])
        return _as_one([carry_undo(session, each.action_id) for each in freezes])

    return carry_out(resolver, order, work)


def select_freezes(connection: Connection, profile_id: str) -> list[Freeze]:
    """Those in force that a record of the profile is part of, the oldest first."""
    actions = steward_actions.c
    found = (
        select(actions.action_id, actions.author, actions.reason, actions.recorded_at)
        .distinct()
        .select_from(memberships)
        .join(frozen_records, frozen_records.c.record_id == memberships.c.record_id)
        .join(steward_actions, actions.action_id == frozen_records.c.opened_by)
        .where(
            memberships.c.profile_id == profile_id,
            memberships.c.valid_to.is_(None),
            frozen_records.c.valid_to.is_(None),
        )
        .order_by(actions.action_id)
    )
    return [Freeze(*row) for row in connection.execute(found)]


def _as_one(outcomes: list[Outcome]) -> Outcome:
    """The last one, with what was before the first."""
    before = {state.profile_id: state for outcome in reversed(outcomes) for state in outcome.before}
    after = {state.profile_id: state for outcome in outcomes for state in outcome.after}
    entry_ids = [entry_id for outcome in outcomes for entry_id in outcome.ledger_entry_ids]
    return replace(
        outcomes[-1],
        ledger_entry_ids=entry_ids,
        before=[before[profile_id] for profile_id in sorted(before)],
        after=[after[profile_id] for profile_id in sorted(after)],
    )
