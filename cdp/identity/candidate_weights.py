"""What the queue of merge candidates is sorted and narrowed by, kept with each open one.

record_count: of both profiles. source_id_l, source_id_r: of the two records. identifier_kinds: what both carry. worth:
how much is known of both profiles: see WORTH_OF; each kind counts COUNTED_AT_MOST times, so that no large profile is
read whole. standing: see cdp.identity.standing. opened_day: when it was opened, in days since 1970.
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
    Table,
    Update,
    case,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from cdp.identity.standing import standing
from cdp.store import id_set, take_statistics
from cdp.store.days import days_of
from cdp.store.quick import quick
from cdp.store.schema import (
    IDENTIFIER_KINDS,
    engagement_states,
    identifiers,
    memberships,
    profiles,
    source_records,
)
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
    "weigh_candidates_of",
]

BIT_OF_KIND = {kind: 1 << place for place, kind in enumerate(IDENTIFIER_KINDS)}
WEIGHED = (
    "record_count",
    "source_id_l",
    "source_id_r",
    "identifier_kinds",
    "worth",
    "standing",
    "opened_day",
)
COUNTED_AT_MOST = 50
WORTH_OF = {"identifier": 1, "consent": 1, "order": 5}


def weigh_candidates(connection: Connection, candidate_ids: Collection[int]) -> None:
    """Of these, after their profiles were written."""
    if candidate_ids:
        bound = set_values(connection, "ids", candidate_ids)
        _weigh_some(connection.dialect.name).run(connection, **bound)


def weigh_candidates_of(connection: Connection, record_ids: Collection[int]) -> None:
    """Of those about the profiles that hold the records, after what is known of these changed."""
    if not record_ids:
        return
    wanted = id_set(connection, sorted(record_ids))
    holders = select(memberships.c.profile_id).join_from(
        wanted, memberships, (memberships.c.record_id == wanted.c.id) & memberships.c.valid_to.is_(None)
    )
    profile_ids = sorted(set(connection.scalars(holders)))
    if not profile_ids:
        return
    held = id_set(connection, profile_ids)
    found = {
        candidate_id
        for end in (candidates.c.profile_id_l, candidates.c.profile_id_r)
        for candidate_id in connection.scalars(
            select(candidates.c.candidate_id)
            .join_from(held, candidates, end == held.c.id)
            .where(candidates.c.state == "open")
        )
    }
    weigh_candidates(connection, found)


def weigh_all_candidates(connection: Connection) -> None:
    """After everything was resolved."""
    take_statistics(
        connection, candidates, profiles, memberships, source_records, identifiers, engagement_states
    )
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
    told = select(
        candidates.c.candidate_id,
        candidates.c.match_probability,
        candidates.c.reason,
        candidates.c.created_at,
        cast(counted.correlate(candidates).scalar_subquery(), Integer).label("record_count"),
        _source_of(candidates.c.record_id_l).label("source_id_l"),
        _source_of(candidates.c.record_id_r).label("source_id_r"),
        cast(carried.correlate(candidates).scalar_subquery(), Integer).label("identifier_kinds"),
        cast(_worth(), Integer).label("worth"),
    ).where(chosen)
    # Counted once, though the standing is made of the counts.
    counts = told.cte("counts").prefix_with("MATERIALIZED").c
    return select(
        counts.candidate_id,
        counts.record_count,
        counts.source_id_l,
        counts.source_id_r,
        counts.identifier_kinds,
        counts.worth,
        standing(counts.match_probability, counts.reason, counts.record_count, counts.worth).label(
            "standing"
        ),
        days_of(counts.created_at).label("opened_day"),
    )


def _worth() -> Any:
    states = engagement_states.c
    return (
        WORTH_OF["identifier"] * _counted(identifiers, true())
        + WORTH_OF["consent"] * _counted(engagement_states, states.kind == "consent")
        + WORTH_OF["order"] * _counted(engagement_states, states.kind == "order")
    )


def _counted(told: Table, chosen: ColumnElement[bool]) -> Any:
    some = (
        select(literal(1))
        .join_from(memberships, told, told.c.record_id == memberships.c.record_id)
        .where(
            memberships.c.profile_id.in_((candidates.c.profile_id_l, candidates.c.profile_id_r)),
            memberships.c.valid_to.is_(None),
            chosen,
        )
        .limit(COUNTED_AT_MOST)
        .correlate(candidates)
        .subquery("counted")
    )
    return select(func.count()).select_from(some).scalar_subquery()


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
