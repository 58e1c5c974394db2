"""The merge candidates of a region: opened, changed and withdrawn as its new people have it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, Row, bindparam, func, literal_column, select, union_all, update

from cdp.identity.candidate_weights import weigh_candidates
from cdp.identity.candidates import Proposal, probability_of
from cdp.store import insert_rows, reserve_ids
from cdp.store.quick import QuickStatement, quick
from cdp.store.schema import merge_candidates as candidates
from cdp.store.schema import source_records
from cdp.store.sets import number_set, set_values

Pair = tuple[int, int]


def synchronize_local_candidates(
    connection: Connection,
    proposals: Iterable[Proposal],
    *,
    region: Collection[int],
    sharing: Collection[int],
    model_version: int,
    author: str,
    now: datetime,
) -> dict[int, tuple[str, str]]:
    """Make the open candidates of the region those proposed; returns those that are open then, with their profiles.

    Region: records whose people were found anew; sharing: records of others that share a document with them, whose
    candidates among themselves are told too.
    """
    proposed = {(each.record_id_l, each.record_id_r): each for each in proposals}
    inside, beside = set(region), set(sharing)
    stored = {
        (row.record_id_l, row.record_id_r): row
        for row in _select_open(connection, inside | beside)
        if row.record_id_l in inside
        or row.record_id_r in inside
        or (row.record_id_l in beside and row.record_id_r in beside)
    }
    _withdraw(connection, [row for pair, row in stored.items() if pair not in proposed], author, now)
    kept = {pair: row for pair, row in stored.items() if pair in proposed}
    _change(connection, kept, proposed, model_version)
    new = [each for pair, each in proposed.items() if pair not in stored]
    ids = {pair: row.candidate_id for pair, row in kept.items()}
    ids |= _open(connection, new, model_version, now)
    weigh_candidates(connection, ids.values())
    return {
        ids[pair]: (each.profile_id_l, each.profile_id_r) for pair, each in proposed.items() if pair in ids
    }


def _select_open(connection: Connection, record_ids: Collection[int]) -> Sequence[Row[Any]]:
    if not record_ids:
        return ()
    bound = set_values(connection, "ids", record_ids)
    return open_candidates_of(connection.dialect.name).fetch(connection, **bound)


def _withdraw(connection: Connection, rows: Sequence[Row[Any]], author: str, now: datetime) -> None:
    _WITHDRAW.run_many(
        connection, [{"closed_id": row.candidate_id, "now": now, "author": author} for row in rows]
    )


def _change(
    connection: Connection,
    kept: Mapping[Pair, Row[Any]],
    proposed: Mapping[Pair, Proposal],
    model_version: int,
) -> None:
    changes = []
    for pair, row in kept.items():
        each = proposed[pair]
        now_told = (each.profile_id_l, each.profile_id_r, each.match_weight, each.reason, model_version)
        told = (row.profile_id_l, row.profile_id_r, row.match_weight, row.reason, row.model_version_id)
        if now_told != told:
            changes.append({"changed_id": row.candidate_id} | _values(each, model_version))
    _CHANGE.run_many(connection, changes)


def _open(
    connection: Connection, new: Sequence[Proposal], model_version: int, now: datetime
) -> dict[Pair, int]:
    pairs = [(each.record_id_l, each.record_id_r) for each in new]
    opened = {
        pair: each
        for pair, each in zip(pairs, new, strict=True)
        if _LEFT_UNSURE.first(connection, l=pair[0], r=pair[1], of=model_version) is None
    }
    ids = dict(zip(opened, reserve_ids(connection, candidates.c.candidate_id, len(opened)), strict=True))
    rows = [
        (ids[pair], *pair, "open", now, *_values(each, model_version).values())
        for pair, each in opened.items()
    ]
    names = ("candidate_id", "record_id_l", "record_id_r", "state", "created_at", *_VALUES)
    insert_rows(connection, candidates, rows, columns=names)
    return ids


_VALUES = (
    "profile_id_l",
    "profile_id_r",
    "match_weight",
    "match_probability",
    "reason",
    "model_version_id",
)


def _values(proposal: Proposal, model_version: int) -> dict[str, Any]:
    values = (
        proposal.profile_id_l,
        proposal.profile_id_r,
        proposal.match_weight,
        probability_of(proposal.match_weight),
        proposal.reason,
        model_version,
    )
    return dict(zip(_VALUES, values, strict=True))


# As the partial index over the open ones says it: a bound value would have SQLite read the whole table.
_IS_OPEN = candidates.c.state == literal_column("'open'")


@quick
def open_candidates_of(dialect: str) -> Executable:
    ids = number_set(dialect, "ids")
    return union_all(
        *(
            select(
                candidates.c.candidate_id,
                candidates.c.record_id_l,
                candidates.c.record_id_r,
                candidates.c.profile_id_l,
                candidates.c.profile_id_r,
                candidates.c.match_weight,
                candidates.c.reason,
                candidates.c.model_version_id,
            ).where(end.in_(select(ids.c.id)), _IS_OPEN)
            for end in (candidates.c.record_id_l, candidates.c.record_id_r)
        )
    )


_WITHDRAW = QuickStatement(
    update(candidates)
    .where(candidates.c.candidate_id == bindparam("closed_id"))
    .values(state="withdrawn", closed_at=bindparam("now"), closed_by=bindparam("author"))
)
_CHANGE = QuickStatement(
    update(candidates)
    .where(candidates.c.candidate_id == bindparam("changed_id"))
    .values({name: bindparam(name) for name in _VALUES})
)
# A steward could not tell, under this model and from these versions of the records.
_newest = (
    select(func.max(source_records.c.received_at))
    .where(source_records.c.record_id.in_((bindparam("l"), bindparam("r"))))
    .scalar_subquery()
)
_LEFT_UNSURE = QuickStatement(
    select(candidates.c.candidate_id)
    .where(
        candidates.c.record_id_l == bindparam("l"),
        candidates.c.record_id_r == bindparam("r"),
        candidates.c.state == "unsure",
        candidates.c.model_version_id == bindparam("of"),
        candidates.c.closed_at >= _newest,
    )
    .limit(1)
)
