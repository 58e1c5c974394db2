"""The check that nobody is in one profile who must not be: cannot-links and exclusive identifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import orjson
from sqlalchemy import Connection, func, select

from cdp.identity.snapshot import select_constraints
from cdp.store import id_set
from cdp.store.schema import identifiers, memberships, source_records

_PROFILES_AT_ONCE = 5_000

Found = tuple[str, tuple[int | str, ...]]


def check_separation(connection: Connection) -> Iterator[Found]:
    """No profile holds both records of a cannot-link, nor two values of an exclusive identifier.

    Two values that a record itself or a must-link brought together are a steward's matter.
    """
    constraints = select_constraints(connection)
    ends = {record_id for pair in constraints.cannot for record_id in pair}
    held = _select_profiles_of(connection, ends)
    for left, right in sorted(constraints.cannot):
        if held.get(left, "none") == held.get(right, "nor"):
            told = f"records {left} and {right} are cannot-linked and both in profile {held[left]}"
            yield told, (left, right, held[left])
    for profile_id, documents in _select_documents(connection):
        clashing = clashing_type(documents, constraints.together)
        if clashing is not None:
            yield f"profile {profile_id} holds several values of {clashing}", (profile_id,)


def clashing_type(documents: dict[int, list[str]], must: Collection[tuple[int, int]]) -> str | None:
    """The exclusive type of which a profile holds values that nobody put together; None when there is none.

    Documents: record id to its exclusive documents, as 'type:number'.
    """
    values: dict[str, set[str]] = defaultdict(set)
    for held in documents.values():
        for document in held:
            values[document.partition(":")[0]].add(document)
    doubled = sorted(kind for kind, held in values.items() if len(held) > 1)
    if not doubled:
        return None
    groups = _groups(documents, must)
    for kind in doubled:
        together = ({each for record_id in group for each in documents[record_id]} for group in groups)
        if not any(values[kind] <= held for held in together):
            return kind
    return None


def _groups(record_ids: Iterable[int], must: Collection[tuple[int, int]]) -> list[set[int]]:
    """The records that must-links connect, each record in one group."""
    group_of = {record_id: {record_id} for record_id in record_ids}
    for left, right in must:
        if left in group_of and right in group_of and group_of[left] is not group_of[right]:
            joined = group_of[left] | group_of[right]
            for record_id in joined:
                group_of[record_id] = joined
    return list({id(group): group for group in group_of.values()}.values())


def _select_profiles_of(connection: Connection, record_ids: Collection[int]) -> dict[int, str]:
    if not record_ids:
        return {}
    wanted = id_set(connection, sorted(record_ids))
    statement = (
        select(memberships.c.record_id, memberships.c.profile_id)
        .join_from(wanted, memberships, memberships.c.record_id == wanted.c.id)
        .where(memberships.c.valid_to.is_(None))
    )
    return dict(connection.execute(statement).all())


def _select_documents(connection: Connection) -> Iterator[tuple[str, dict[int, list[str]]]]:
    """Of each profile with several documents: record id to its exclusive ones."""
    several = (
        select(memberships.c.profile_id)
        .join_from(identifiers, memberships, memberships.c.record_id == identifiers.c.record_id)
        .where(identifiers.c.kind == "document", memberships.c.valid_to.is_(None))
        .group_by(memberships.c.profile_id)
        .having(func.count(identifiers.c.value.distinct()) > 1)
        .order_by(memberships.c.profile_id)
    )
    profile_ids = connection.scalars(several).all()
    for start in range(0, len(profile_ids), _PROFILES_AT_ONCE):
        wanted = id_set(connection, profile_ids[start : start + _PROFILES_AT_ONCE])
        statement = (
            select(memberships.c.profile_id, memberships.c.record_id, source_records.c.standardized)
            .join_from(wanted, memberships, memberships.c.profile_id == wanted.c.id)
            .join(source_records, source_records.c.record_id == memberships.c.record_id)
            .where(memberships.c.valid_to.is_(None))
            .order_by(memberships.c.profile_id, memberships.c.record_id)
        )
        held: dict[str, dict[int, list[str]]] = defaultdict(dict)
        for profile_id, record_id, standardized in connection.execute(statement):
            held[profile_id][record_id] = orjson.loads(standardized)["linkage"].get("documents", [])
        yield from held.items()
