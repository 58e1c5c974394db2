"""A steward rules which value a golden record shows, whatever the rules of survivorship would choose.

By itself, or with the ruling that brings profiles together: its pins stand and fall with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select

from cdp.identity.pins import Pin, PinsByRecord, insert_pin, select_pins_of_each
from cdp.identity.standardized import values_of
from cdp.realtime.ingest import Resolver
from cdp.stewardship.actions import Action
from cdp.stewardship.errors import UnusablePinError
from cdp.stewardship.members import require_living, select_members
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.ruling import Order, Session, begin_action, carry_out, publish_ruling
from cdp.store.schema import source_records

# What can be pinned: free attributes are chosen key by key, and the display name follows from the others.
ATTRIBUTES = (
    "full_name",
    "given_name",
    "family_name",
    "social_name",
    "agnomen",
    "birth_date",
    "gender",
    "address",
)


def pin(resolver: Resolver, profile_id: str, attribute: str, record_id: int, order: Order) -> Outcome:
    """Let the profile show the value that this record of it gives now, until that is undone.

    The pin goes with the record, through joins, splits, newer versions and other models. Raises UnknownProfileError,
    ErasedProfileError, UnusablePinError.
    """

    def work(session: Session) -> Outcome:
        living = require_living(session.connection, profile_id)
        pins = {attribute: record_id}
        values = require_pinnable(session.connection, pins, [living])
        action = begin_action(session, "pin")
        before = open_pins(session, action, pins, values)
        return publish_ruling(session, action, [], profile_ids=[living], pins=pins, pins_before=before)

    return carry_out(resolver, order, work)


def require_pinnable(
    connection: Connection, pins: Mapping[str, int], profile_ids: Collection[str]
) -> dict[str, Any]:
    """Pins: attribute to the record, of one of the profiles, that gives it. Returns the values that they give now.
    Raises UnusablePinError."""
    if not pins:
        return {}
    members = {member.record_id for member in select_members(connection, profile_ids)}
    for record_id in sorted(set(pins.values()) - members):
        named = " or ".join(sorted(profile_ids))
        raise UnusablePinError(
            f"Record {record_id} is not of profile {named}: name one that is.", ids=[record_id, *profile_ids]
        )
    given = _values_of(connection, pins.values())
    for attribute, record_id in sorted(pins.items()):
        if attribute not in ATTRIBUTES or not given[record_id].get(attribute):
            raise UnusablePinError(
                f"Record {record_id} gives no {attribute} that could be pinned: choose another record, or one of "
                f"{', '.join(ATTRIBUTES)}.",
                ids=[record_id],
            )
    return {attribute: given[record_id][attribute] for attribute, record_id in pins.items()}


def open_pins(
    session: Session, action: Action, pins: Mapping[str, int], values: Mapping[str, Any]
) -> PinsByRecord:
    """Let them hold while the action stands. Values: as require_pinnable gives them. Returns the pins of before, of
    the records named."""
    before = select_pins_of_each(session.connection, set(pins.values()))
    for attribute, record_id in sorted(pins.items()):
        opened = Pin(record_id, attribute, values[attribute], action.action_id)
        insert_pin(session.connection, opened, now=session.moment)
    return before


def _values_of(connection: Connection, record_ids: Collection[int]) -> dict[int, Mapping[str, Any]]:
    rows = connection.execute(
        select(source_records.c.record_id, source_records.c.standardized).where(
            source_records.c.record_id.in_(sorted(set(record_ids)))
        )
    )
    return {row.record_id: values_of(row.standardized) for row in rows}
