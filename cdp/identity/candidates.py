"""Merge candidates: pairs of records of two profiles that a steward is asked about.

Grain: one row per time a pair was proposed; at most one of them open. What is no longer proposed is
withdrawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from cdp.store import Instant, temporary_table
from cdp.store.schema import merge_candidates as candidates
from cdp.store.schema import source_records

_PROPOSED = (
    "record_id_l",
    "record_id_r",
    "profile_id_l",
    "profile_id_r",
    "match_weight",
    "match_probability",
    "reason",
)


@dataclass(frozen=True)
class Proposal:
    """Two profiles that may be one person, by the heaviest pair between them; record_id_l < record_id_r.

    reason: 'review_band', 'exclusive_conflict', 'exclusive_shared' or 'size_limit'.
    """

    record_id_l: int
    record_id_r: int
    profile_id_l: str
    profile_id_r: str
    match_weight: float
    reason: str


def probability_of(match_weight: float) -> float:
    """The match probability of a weight in bits, prior included in both."""
    return 1.0 / (1.0 + math.exp2(min(-match_weight, 1000.0)))


def synchronize_candidates(
    connection: Connection,
    proposals: Iterable[Proposal],
    model_version: int,
    *,
    author: str,
    now: datetime,
) -> dict[str, int]:
    """Make the open candidates those proposed; returns how many were opened, changed and withdrawn.

    A pair that a steward left as unsure is proposed again only under another model or with a newer record.
    """
    rows = [
        (
            each.record_id_l,
            each.record_id_r,
            each.profile_id_l,
            each.profile_id_r,
            each.match_weight,
            probability_of(each.match_weight),
            each.reason,
        )
        for each in proposals
    ]
    types = {name: candidates.c[name].type for name in _PROPOSED}
    with temporary_table(connection, "proposals", types, rows, key=_PROPOSED[:2]) as proposed:
        withdrawn = connection.execute(
            update(candidates)
            .where(candidates.c.state == "open", ~exists().where(_same_pair(proposed)))
            .values(state="withdrawn", closed_at=now, closed_by=author)
        )
        changed = connection.execute(
            update(candidates)
            .where(candidates.c.state == "open", _same_pair(proposed), _differs(proposed, model_version))
            .values({name: proposed.c[name] for name in _PROPOSED[2:]} | {"model_version_id": model_version})
        )
        before = _count_open(connection)
        connection.execute(
            insert(candidates).from_select(
                [*_PROPOSED, "state", "model_version_id", "created_at"],
                _to_open(proposed, model_version, now),
            )
        )
    after = _count_open(connection)
    return {
        # Counted: the drivers do not agree in telling how many rows such an insert made.
        "candidates_opened": after - before,
        "candidates_changed": changed.rowcount,
        "candidates_withdrawn": withdrawn.rowcount,
        "candidates_open": after,
    }


def _count_open(connection: Connection) -> int:
    is_open = candidates.c.state == "open"
    return connection.scalars(select(func.count()).select_from(candidates).where(is_open)).one()


def _same_pair(proposed: Table) -> ColumnElement[bool]:
    return and_(
        candidates.c.record_id_l == proposed.c.record_id_l, candidates.c.record_id_r == proposed.c.record_id_r
    )


def _differs(proposed: Table, model_version: int) -> ColumnElement[bool]:
    return or_(
        candidates.c.model_version_id != model_version,
        *(candidates.c[name] != proposed.c[name] for name in _PROPOSED[2:]),
    )


def _to_open(proposed: Table, model_version: int, now: datetime) -> Select[Any]:
    is_open = exists().where(_same_pair(proposed), candidates.c.state == "open")
    newest = select(func.max(source_records.c.received_at)).where(
        source_records.c.record_id.in_((proposed.c.record_id_l, proposed.c.record_id_r))
    )
    was_unsure = exists().where(
        _same_pair(proposed),
        candidates.c.state == "unsure",
        candidates.c.model_version_id == model_version,
        candidates.c.closed_at >= newest.correlate(proposed).scalar_subquery(),
    )
    return (
        select(
            *(proposed.c[name] for name in _PROPOSED),
            literal("open"),
            literal(model_version),
            literal(now, Instant),
        )
        .where(~is_open.correlate(proposed), ~was_unsure.correlate(proposed))
        .order_by(proposed.c.record_id_l, proposed.c.record_id_r)
    )
