"""Why a ruling takes two people: it is about many records, about people whom stewards have ruled on, or it brings
documents together that contradict each other. One rule for decisions, joins, splits and taking apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from itertools import combinations
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, exists, or_, select

from cdp.stewardship.actions import BY_SOURCE
from cdp.stewardship.constraints import names_one
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.members import Member, select_members
from cdp.store import id_set
from cdp.store.quick import quick
from cdp.store.schema import pair_constraints, source_records, steward_actions
from cdp.store.sets import set_values

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
        "confirmed": _are_confirmed(connection, members),
        "documents": brings_together and _contradict(connection, members),
    }
    return tuple(reason for reason in REASONS_FOR_TWO if found[reason])


def _are_confirmed(connection: Connection, members: Collection[Member]) -> bool:
    """Whether a steward's ruling in force says of one of the records whose it is. What sources say of their ids is
    none, nor is a freeze: that holds the profile as it is and says nothing of who is one."""
    bound = set_values(connection, "ids", sorted(member.record_id for member in members))
    return _confirming(connection.dialect.name).first(connection, **bound) is not None


@quick
def _confirming(dialect: str) -> Select[Any]:
    actions = steward_actions.c
    says_nothing = exists().where(
        actions.action_id == pair_constraints.c.opened_by,
        or_(actions.kind == "freeze", actions.author.startswith(BY_SOURCE, autoescape=True)),
    )
    is_held = and_(pair_constraints.c.kind == "must", pair_constraints.c.valid_to.is_(None))
    return (
        select(pair_constraints.c.constraint_id)
        .where(names_one(dialect, "ids"), is_held, ~says_nothing)
        .limit(1)
    )


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
