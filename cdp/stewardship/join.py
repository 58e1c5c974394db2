"""A steward rules that profiles are one person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from cdp.realtime.ingest import Resolver
from cdp.stewardship.actions import Action
from cdp.stewardship.errors import OneProfileError
from cdp.stewardship.members import require_living, select_members
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pairs import star
from cdp.stewardship.pin import open_pins, require_pinnable
from cdp.stewardship.ruling import (
    NO_CHOICES,
    Order,
    Session,
    begin_action,
    carry_out,
    hold,
    publish_ruling,
)


def join(
    resolver: Resolver, profile_ids: Sequence[str], order: Order, *, pins: Mapping[str, int] = NO_CHOICES
) -> Outcome:
    """Hold all records of the profiles to be one person, whatever the evidence, now and later.

    Absorbed ids count as their survivors; the oldest id survives. Pins: attribute to the record whose value the golden
    record shows while the join stands. Raises UnknownProfileError, ErasedProfileError, OneProfileError,
    UnusablePinError, TooManyPairsError, and ConstraintConflictError when a ruling in force holds them apart.
    """

    return carry_out(resolver, order, lambda session: carry_join(session, profile_ids, pins))


def carry_join(session: Session, profile_ids: Sequence[str], pins: Mapping[str, int] = NO_CHOICES) -> Outcome:
    living = {require_living(session.connection, profile_id) for profile_id in profile_ids}
    return hold_as_one(session, begin_action(session, "join"), living, pins)


def hold_as_one(
    session: Session, action: Action, profile_ids: Collection[str], pins: Mapping[str, int]
) -> Outcome:
    record_ids = require_two_people(session.connection, profile_ids)
    values = require_pinnable(session.connection, pins, profile_ids)
    hold(session, action, must=star(record_ids))
    before = open_pins(session, action, pins, values)
    return publish_ruling(session, action, record_ids, profile_ids=profile_ids, pins=pins, pins_before=before)


def require_two_people(connection: Connection, profile_ids: Collection[str]) -> list[int]:
    """The records of the profiles. Raises OneProfileError."""
    members = select_members(connection, profile_ids)
    if len({member.profile_id for member in members}) < 2:
        raise OneProfileError(
            f"These are one profile, or without records: {', '.join(sorted(profile_ids))}. "
            "Name profiles of two people.",
            ids=sorted(profile_ids),
        )
    return [member.record_id for member in members]
