"""A steward rules which value a golden record shows, whatever the rules of survivorship would choose."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from cdp.identity.pins import Pin, insert_pin, select_pins_of_each
from cdp.identity.standardized import values_of
from cdp.realtime.ingest import Resolver
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
        connection = session.connection
        living = require_living(connection, profile_id)
        members = {member.record_id for member in select_members(connection, [living])}
        if record_id not in members:
            raise UnusablePinError(
                f"Record {record_id} is not of profile {living}: name one that is.", ids=[record_id, living]
            )
        value = _require_value(connection, record_id, attribute)
        before = select_pins_of_each(connection, [record_id])
        action = begin_action(session, "pin")
        insert_pin(connection, Pin(record_id, attribute, value, action.action_id), now=session.moment)
        return publish_ruling(
            session, action, [], profile_ids=[living], repinned=[record_id], pins_before=before
        )

    return carry_out(resolver, order, work)


def _require_value(connection: Connection, record_id: int, attribute: str) -> Any:
    standardized = connection.scalars(
        select(source_records.c.standardized).where(source_records.c.record_id == record_id)
    ).one()
    value = values_of(standardized).get(attribute) if attribute in ATTRIBUTES else None
    if not value:
        raise UnusablePinError(
            f"Record {record_id} gives no {attribute} that could be pinned: choose another record, or one of "
            f"{', '.join(ATTRIBUTES)}.",
            ids=[record_id],
        )
    return value
