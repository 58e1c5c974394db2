"""The statements of the index of records: built once a process and dialect; a set of ids travels as one bound value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    FromClause,
    ScalarSelect,
    Select,
    bindparam,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
    union_all,
    update,
)

from cdp.store.quick import QuickStatement, quick
from cdp.store.schema import (
    blocking_keys,
    edges,
    frozen_records,
    memberships,
    pair_constraints,
    shared_values,
    source_records,
    sources,
    value_holders,
)
from cdp.store.sets import is_among, number_set, text_set

_LAST = 2**63 - 1


@quick
def records(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return select(
        source_records.c.record_id,
        source_records.c.source_id,
        source_records.c.source_record_id,
        source_records.c.standardized,
        source_records.c.linkage_hash,
    ).where(source_records.c.record_id.in_(select(ids.c.id)), source_records.c.deleted_at.is_(None))


@quick
def gone(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return select(source_records.c.record_id).where(
        source_records.c.record_id.in_(select(ids.c.id)), source_records.c.deleted_at.is_not(None)
    )


@quick
def groups(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return select(
        source_records.c.linkage_hash,
        source_records.c.record_id,
        source_records.c.source_id,
        source_records.c.source_record_id,
    ).where(source_records.c.linkage_hash.in_(select(ids.c.id)), source_records.c.deleted_at.is_(None))


@quick
def sharing(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return select(
        shared_values.c.value_key,
        shared_values.c.holder_count,
        shared_values.c.sharing,
        shared_values.c.is_held,
    ).where(shared_values.c.value_key.in_(select(ids.c.id)))


FIRST_SHARED = QuickStatement(
    select(
        shared_values.c.column_name,
        shared_values.c.value,
        shared_values.c.holder_count,
        shared_values.c.sharing,
        shared_values.c.is_held,
    ).limit(bindparam("most"))
)


@quick
def holders(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return (
        select(value_holders.c.record_id)
        .distinct()
        .where(value_holders.c.value_key.in_(select(ids.c.id)))
        .limit(bindparam("most"))
    )


@quick
def counts(dialect: str) -> Select[Any]:
    """Different first names, of the value's first `most`; '' stands for none. Each name is looked up after the one
    before it: of ten thousand holders of a name one is read."""
    wanted = number_set(dialect, "ids")
    named = (
        select(
            wanted.c.id.label("value_key"),
            _first_name_after(wanted, wanted.c.id, literal("")).label("given_sound"),
            literal(1).label("place"),
        )
        .select_from(wanted)
        .cte("named", recursive=True)
    )
    named = named.union_all(
        select(
            named.c.value_key,
            _first_name_after(named, named.c.value_key, named.c.given_sound),
            named.c.place + 1,
        ).where(named.c.given_sound.is_not(None), named.c.place < bindparam("most"))
    )
    return select(named.c.value_key, func.count(named.c.given_sound)).group_by(named.c.value_key)


def _first_name_after(
    outer: FromClause, key: ColumnElement[Any], sound: ColumnElement[Any]
) -> ScalarSelect[Any]:
    held = value_holders.alias("held")
    return (
        select(func.min(held.c.given_sound))
        .where(held.c.value_key == key, held.c.given_sound > sound)
        .correlate(outer)
        .scalar_subquery()
    )


@quick
def holdings(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return (
        select(value_holders.c.value_key, value_holders.c.given_sound, source_records.c.occurred_at)
        .join_from(value_holders, source_records, source_records.c.record_id == value_holders.c.record_id)
        .where(value_holders.c.value_key.in_(select(ids.c.id)))
    )


@quick
def keys(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return select(blocking_keys.c.record_id, blocking_keys.c.blocking_key).where(
        blocking_keys.c.record_id.in_(select(ids.c.id))
    )


@quick
def members(dialect: str) -> Select[Any]:
    """Some members of each key: a common name has thousands, and they are not to be read."""
    wanted = number_set(dialect, "ids")
    counted = blocking_keys.alias("counted")
    last = (
        select(counted.c.record_id)
        .where(counted.c.blocking_key == wanted.c.id)
        .order_by(counted.c.record_id)
        .limit(1)
        .offset(bindparam("before_last"))
        .correlate(wanted)
        .scalar_subquery()
    )
    return select(blocking_keys.c.blocking_key, blocking_keys.c.record_id).join_from(
        wanted,
        blocking_keys,
        (blocking_keys.c.blocking_key == wanted.c.id)
        & (blocking_keys.c.record_id <= func.coalesce(last, literal(_LAST))),
    )


@quick
def edges_of(dialect: str) -> Executable:
    ids = number_set(dialect, "ids")
    columns = (edges.c.record_id_l, edges.c.record_id_r, edges.c.match_weight, edges.c.origin)
    return union_all(
        *(
            select(*columns).where(end.in_(select(ids.c.id)))
            for end in (edges.c.record_id_l, edges.c.record_id_r)
        )
    )


@quick
def constraints(dialect: str) -> Executable:
    table = pair_constraints
    return union(
        *(
            select(table.c.kind, table.c.record_id_l, table.c.record_id_r).where(
                is_among(dialect, end, "ids"), table.c.valid_to.is_(None)
            )
            for end in (table.c.record_id_l, table.c.record_id_r)
        ),
        # A frozen record with its freeze.
        select(literal("frozen"), frozen_records.c.record_id, frozen_records.c.opened_by).where(
            is_among(dialect, frozen_records.c.record_id, "ids"), frozen_records.c.valid_to.is_(None)
        ),
    )


@quick
def clusters(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return select(memberships.c.record_id, memberships.c.profile_id).where(
        memberships.c.record_id.in_(select(ids.c.id)), memberships.c.valid_to.is_(None)
    )


@quick
def cluster_records(dialect: str) -> Select[Any]:
    ids = text_set(dialect, "ids")
    return select(memberships.c.profile_id, memberships.c.record_id).where(
        memberships.c.profile_id.in_(select(ids.c.id)), memberships.c.valid_to.is_(None)
    )


ANY_RULING = QuickStatement(
    select(literal_column("1").label("is_ruled")).where(
        or_(
            exists().where(pair_constraints.c.valid_to.is_(None)),
            exists().where(frozen_records.c.valid_to.is_(None)),
        )
    )
)
SOURCES = QuickStatement(select(sources.c.source_id, sources.c.name))
CLUSTERS_HOLDING = QuickStatement(
    select(memberships.c.profile_id)
    .distinct()
    .join_from(value_holders, memberships, memberships.c.record_id == value_holders.c.record_id)
    .where(value_holders.c.value_key == bindparam("key"), memberships.c.valid_to.is_(None))
    .limit(bindparam("most"))
)
DELETE_HOLDER = QuickStatement(
    delete(value_holders).where(
        value_holders.c.value_key == bindparam("key"),
        value_holders.c.given_sound == bindparam("sound"),
        value_holders.c.record_id == bindparam("record"),
    )
)
DELETE_SHARED = QuickStatement(delete(shared_values).where(shared_values.c.value_key == bindparam("key")))
DELETE_KEY = QuickStatement(
    delete(blocking_keys).where(
        blocking_keys.c.blocking_key == bindparam("key"), blocking_keys.c.record_id == bindparam("record")
    )
)
DELETE_EDGE = QuickStatement(
    delete(edges).where(edges.c.record_id_l == bindparam("l"), edges.c.record_id_r == bindparam("r"))
)
MOVE_EDGE = QuickStatement(
    update(edges)
    .where(edges.c.record_id_l == bindparam("l"), edges.c.record_id_r == bindparam("r"))
    .values(origin=bindparam("to"))
)
