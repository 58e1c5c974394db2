"""A steward rules that some records of a profile are another person."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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

    def work(session: Session) -> Outcome:
        connection = session.connection
        living = require_living(connection, profile_id)
        members = [member.record_id for member in select_members(connection, [living])]
        _require_usable(session, living, members, set(record_ids))
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

    return carry_out(resolver, order, work)


def _require_usable(session: Session, profile_id: str, members: Sequence[int], record_ids: set[int]) -> None:
    others = record_ids.difference(members)
    elsewhere = select_profiles_of(session.connection, others)
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
    if not record_ids or len(record_ids) == len(members):
        raise UnusableSplitError(
            f"A split takes some of the {len(members)} records of profile {profile_id} and leaves some.",
            ids=[profile_id],
        )


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
