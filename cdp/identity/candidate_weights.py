"""What the queue of merge candidates is sorted and narrowed by, kept with each open one.

record_count: of both profiles. source_id_l, source_id_r: of the two records. identifier_kinds: what both carry.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    Update,
    case,
    cast,
    distinct,
    func,
    or_,
    select,
    update,
)

from cdp.store.quick import quick
from cdp.store.schema import IDENTIFIER_KINDS, identifiers, profiles, source_records
from cdp.store.schema import merge_candidates as candidates
from cdp.store.sets import number_set, set_values

__all__ = [
    "BIT_OF_KIND",
    "IDENTIFIER_KINDS",
    "WEIGHED",
    "differs_from",
    "select_weights",
    "weigh_all_candidates",
    "weigh_candidates",
]

BIT_OF_KIND = {kind: 1 << place for place, kind in enumerate(IDENTIFIER_KINDS)}
WEIGHED = ("record_count", "source_id_l", "source_id_r", "identifier_kinds")


def weigh_candidates(connection: Connection, candidate_ids: Collection[int]) -> None:
    """Of these, after their profiles were written."""
    if candidate_ids:
        bound = set_values(connection, "ids", candidate_ids)
        _weigh_some(connection.dialect.name).run(connection, **bound)


def weigh_all_candidates(connection: Connection) -> None:
    connection.execute(_weigh(select_weights(candidates.c.state == "open")))


def select_weights(chosen: ColumnElement[bool]) -> Select[Any]:
    """candidate_id and WEIGHED, as they ought to be."""
    counted = select(func.coalesce(func.sum(profiles.c.record_count), 0)).where(
        profiles.c.profile_id.in_((candidates.c.profile_id_l, candidates.c.profile_id_r))
    )
    one, other = identifiers.alias("one"), identifiers.alias("other")
    bits = case(BIT_OF_KIND, value=one.c.kind)
    carried = (
        select(func.coalesce(func.sum(distinct(bits)), 0))
        .join_from(one, other, other.c.kind == one.c.kind)
        .where(one.c.record_id == candidates.c.record_id_l, other.c.record_id == candidates.c.record_id_r)
    )
    return select(
        candidates.c.candidate_id,
        cast(counted.correlate(candidates).scalar_subquery(), Integer).label("record_count"),
        _source_of(candidates.c.record_id_l).label("source_id_l"),
        _source_of(candidates.c.record_id_r).label("source_id_r"),
        cast(carried.correlate(candidates).scalar_subquery(), Integer).label("identifier_kinds"),
    ).where(chosen)


def differs_from(weighed: FromClause) -> ColumnElement[bool]:
    """Whether a candidate is not as `select_weights` has it."""
    return or_(*(candidates.c[name].is_distinct_from(weighed.c[name]) for name in WEIGHED))


def _source_of(record_id: ColumnElement[int]) -> Any:
    source = select(source_records.c.source_id).where(source_records.c.record_id == record_id)
    return source.correlate(candidates).scalar_subquery()


def _weigh(weights: Select[Any]) -> Update:
    weighed = weights.subquery("weighed")
    return (
        update(candidates)
        .where(candidates.c.candidate_id == weighed.c.candidate_id, differs_from(weighed))
        .values({name: weighed.c[name] for name in WEIGHED})
    )


@quick
def _weigh_some(dialect: str) -> Update:
    ids = number_set(dialect, "ids")
    return _weigh(select_weights(candidates.c.candidate_id.in_(select(ids.c.id))))
