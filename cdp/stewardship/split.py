"""A steward rules that some records of a profile are another person."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from cdp.realtime.ingest import Resolver, UnknownRecordError
from cdp.stewardship.constraints import close_links, select_linked, select_links
from cdp.stewardship.errors import UnusableSplitError
from cdp.stewardship.members import require_living, select_members, select_profiles_of
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pairs import Link, Pair, between, group_links, star
from cdp.stewardship.ruling import Order, Session, begin_action, carry_out, hold, publish_ruling


def split(resolver: Resolver, profile_id: str, record_ids: Collection[int], order: Order) -> Outcome:
    """Hold the records to be one person, and another than the rest of their profile.

    Must-links that cross the cut give way to it; what they held together on either side stays together. Raises
    UnknownProfileError, ErasedProfileError, UnknownRecordError, UnusableSplitError, TooManyPairsError.
    """

    return carry_out(resolver, order, lambda session: carry_split(session, profile_id, record_ids))


def carry_split(session: Session, profile_id: str, record_ids: Collection[int]) -> Outcome:
    connection = session.connection
    living = require_living(connection, profile_id)
    members = require_usable_split(connection, living, record_ids)
    going = [each for each in members if each in set(record_ids)]
    staying = [each for each in members if each not in set(record_ids)]
    cannot = between([going, staying])
    action = begin_action(session, "split")
    crossing, still = _cut(session, going, staying)
    close_links(
        connection,
        [link.constraint_id for link in crossing],
        closed_by=action.action_id,
        now=session.moment,
    )
    hold(session, action, must=star(going) | still, cannot=cannot)
    return publish_ruling(session, action, members, profile_ids=[living])


def require_usable_split(connection: Connection, profile_id: str, record_ids: Collection[int]) -> list[int]:
    """The records of a living profile, some of which are to go. Raises UnknownRecordError, UnusableSplitError."""
    members = [member.record_id for member in select_members(connection, [profile_id])]
    others = set(record_ids).difference(members)
    elsewhere = select_profiles_of(connection, others)
    unknown = sorted(others - elsewhere.keys())
    if unknown:
        raise UnknownRecordError(
            f"There are no records {_listed(unknown)}, or they were deleted.", ids=unknown
        )
    if elsewhere:
        raise UnusableSplitError(
            f"Records {_listed(sorted(elsewhere))} are not of profile {profile_id}: look at it again.",
            ids=sorted(elsewhere),
        )
    if not record_ids or len(set(record_ids)) == len(members):
        raise UnusableSplitError(
            f"A split takes some of the {len(members)} records of profile {profile_id} and leaves some.",
            ids=[profile_id],
        )
    return members


def _cut(session: Session, going: Sequence[int], staying: Sequence[int]) -> tuple[list[Link], set[Pair]]:
    """The must-links that cross the cut, and what is to hold together still among those that stay.

    A record that was deleted stays where most of its person does.
    """
    gone_over = set(going)
    crossing = [
        link
        for link in select_links(session.connection, going, kind="must")
        if len(gone_over.intersection(link.pair)) == 1
    ]
    if not crossing:
        return [], set()
    _, links = select_linked(session.connection, [*going, *staying])
    group_of = group_links(links)
    cut = {group_of[record_id] for link in crossing for record_id in link.pair}
    still: set[Pair] = set()
    for group in cut:
        rest = [record_id for record_id in staying if group_of.get(record_id) == group]
        still |= star(rest)
    return crossing, still


def _listed(record_ids: Sequence[int]) -> str:
    shown = ", ".join(map(str, record_ids[:10]))
    return shown if len(record_ids) <= 10 else f"{shown}, ..."
