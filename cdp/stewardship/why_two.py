"""Why a ruling takes two people: it is about many records, about people whom stewards have ruled on, or it brings
documents together that contradict each other. One rule for decisions, joins, splits and taking apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from itertools import combinations

import orjson
from sqlalchemy import Connection, and_, exists, or_, select

from cdp.stewardship.actions import BY_SOURCE
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.members import Member, select_members
from cdp.store import id_set
from cdp.store.schema import memberships, pair_constraints, source_records, steward_actions

REASONS_FOR_TWO = ("size", "confirmed", "documents")

# Document type to its numbers.
Documents = dict[str, set[str]]


def why_two(
    connection: Connection, profile_ids: Collection[str], rules: DeskRules, *, brings_together: bool
) -> tuple[str, ...]:
    """Some of REASONS_FOR_TWO, in their order; empty: one person is enough. Profiles: those of now that it names."""
    members = select_members(connection, profile_ids)
    found = {
        "size": len(members) >= rules.four_eyes_records,
        "confirmed": _are_confirmed(connection, profile_ids),
        "documents": brings_together and _contradict(connection, members),
    }
    return tuple(reason for reason in REASONS_FOR_TWO if found[reason])


def _are_confirmed(connection: Connection, profile_ids: Collection[str]) -> bool:
    """Whether a steward's ruling in force says that records of one of the profiles are one person. What sources say of
    their ids is none, nor is a freeze: that holds the profile as it is and says nothing of who is one."""
    actions = steward_actions.c
    says_nothing = exists().where(
        actions.action_id == pair_constraints.c.opened_by,
        or_(actions.kind == "freeze", actions.author.startswith(BY_SOURCE, autoescape=True)),
    )
    held = (
        exists().where(
            memberships.c.profile_id.in_(sorted(profile_ids)),
            memberships.c.valid_to.is_(None),
            end == memberships.c.record_id,
            and_(pair_constraints.c.kind == "must", pair_constraints.c.valid_to.is_(None)),
            ~says_nothing,
        )
        for end in (pair_constraints.c.record_id_l, pair_constraints.c.record_id_r)
    )
    return bool(connection.scalar(select(or_(*held))))


def _contradict(connection: Connection, members: Collection[Member]) -> bool:
    """Whether two of the profiles name documents of one type and none in common."""
    profile_of = {member.record_id: member.profile_id for member in members}
    wanted = id_set(connection, sorted(profile_of))
    rows = connection.execute(
        select(source_records.c.record_id, source_records.c.standardized).join_from(
            wanted, source_records, source_records.c.record_id == wanted.c.id
        )
    )
    documents: dict[str, Documents] = defaultdict(lambda: defaultdict(set))
    for record_id, standardized in rows:
        for document in orjson.loads(standardized)["linkage"].get("documents") or ():
            documents[profile_of[record_id]][document.partition(":")[0]].add(document)
    return any(_differ(one, other) for one, other in combinations(documents.values(), 2))


def _differ(one: Documents, other: Documents) -> bool:
    return any(one[kind].isdisjoint(other[kind]) for kind in one.keys() & other.keys())
