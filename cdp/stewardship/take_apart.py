"""A steward rules that a profile is not one person at all: it comes apart in one action.

Into records: each is a person of its own from now on, by cannot-links between all of them. Into what the evidence says:
whatever rulings hold together in it gives way, and nothing is held apart, so that it takes no more however large the
profile is. Undone, it is as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from cdp.identity.freezes import select_frozen
from cdp.identity.profile_reads import Profile
from cdp.realtime.ingest import Resolver
from cdp.stewardship.constraints import close_links, has_must_link, select_linked
from cdp.stewardship.errors import AlreadyFrozenError, UnusableSplitError
from cdp.stewardship.members import require_living, select_members
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pairs import Link, Pair, between, can_be_kept_apart
from cdp.stewardship.ruling import Order, Session, begin_action, carry_out, hold, publish_ruling

RECORDS, EVIDENCE = "records", "evidence"
WAYS = (RECORDS, EVIDENCE)


def take_apart(resolver: Resolver, profile_id: str, into: str, order: Order) -> Outcome:
    """Into: one of WAYS.

    Raises UnknownProfileError, ErasedProfileError, UnusableSplitError, AlreadyFrozenError, TooManyPairsError.
    """
    return carry_out(resolver, order, lambda session: carry_apart(session, profile_id, into))


def carry_apart(session: Session, profile_id: str, into: str) -> Outcome:
    connection = session.connection
    living = require_living(connection, profile_id)
    members, links, cannot = require_usable_parts(connection, living, into)
    action = begin_action(session, "split")
    ids = [link.constraint_id for link in links]
    close_links(connection, ids, closed_by=action.action_id, now=session.moment)
    hold(session, action, cannot=cannot)
    return publish_ruling(session, action, members, profile_ids=[living])


def usable_ways(connection: Connection, profile: Profile, *, is_frozen: bool) -> tuple[str, ...]:
    """Those of WAYS that require_usable_parts allows, told without reading the records: there may be many."""
    usable = {
        RECORDS: can_be_kept_apart(profile.record_count),
        EVIDENCE: not is_frozen and has_must_link(connection, profile.profile_id),
    }
    return tuple(way for way in WAYS if profile.record_count > 1 and usable[way])


def require_usable_parts(
    connection: Connection, profile_id: str, into: str
) -> tuple[list[int], list[Link], set[Pair]]:
    """The records of a living profile, the must-links that give way and the pairs that are to be kept apart.

    Raises UnusableSplitError, AlreadyFrozenError, TooManyPairsError.
    """
    members = [member.record_id for member in select_members(connection, [profile_id])]
    _, links = select_linked(connection, members)
    _require_parts(profile_id, members, links, into)
    if into == RECORDS:
        return members, links, between([record_id] for record_id in members)
    frozen = sorted({freeze for _, freeze in select_frozen(connection, members)})
    if frozen:
        raise AlreadyFrozenError(
            f"Profile {profile_id} is frozen by action {frozen[0]}, and no evidence counts in it: undo that first.",
            ids=frozen,
        )
    return members, links, set()


def _require_parts(profile_id: str, members: Sequence[int], links: Sequence[Link], into: str) -> None:
    if len(members) < 2:
        raise UnusableSplitError(
            f"Profile {profile_id} has {len(members)} records: there is nothing to take apart.",
            ids=[profile_id],
        )
    if into == EVIDENCE and not links:
        raise UnusableSplitError(
            f"No ruling holds records of profile {profile_id} together, its evidence does: take it apart into "
            "records, or split some off.",
            ids=[profile_id],
        )
