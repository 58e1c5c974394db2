"""Checks of the queue: an open candidate names the profiles of its records, and is kept as it is to be found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from cdp.identity.candidate_weights import differs_from, select_weights
from cdp.store import stream_rows
from cdp.store.schema import memberships, merge_candidates

Found = tuple[str, tuple[int | str, ...]]


def check_candidates(connection: Connection) -> Iterator[Found]:
    yield from _misnamed(connection)
    yield from _misweighed(connection)


def _misnamed(connection: Connection) -> Iterator[Found]:
    """An open candidate names the two profiles that hold its records."""
    left, right = memberships.alias("left_memberships"), memberships.alias("right_memberships")
    statement = (
        select(merge_candidates.c.candidate_id)
        .select_from(
            merge_candidates.outerjoin(
                left, (left.c.record_id == merge_candidates.c.record_id_l) & left.c.valid_to.is_(None)
            ).outerjoin(
                right, (right.c.record_id == merge_candidates.c.record_id_r) & right.c.valid_to.is_(None)
            )
        )
        .where(
            merge_candidates.c.state == "open",
            or_(
                left.c.profile_id.is_distinct_from(merge_candidates.c.profile_id_l),
                right.c.profile_id.is_distinct_from(merge_candidates.c.profile_id_r),
                merge_candidates.c.profile_id_l == merge_candidates.c.profile_id_r,
            ),
        )
        .order_by(merge_candidates.c.candidate_id)
    )
    for row in _rows(connection, statement):
        told = f"open merge candidate {row.candidate_id} does not name the profiles of its two records"
        yield told, (row.candidate_id,)


def _misweighed(connection: Connection) -> Iterator[Found]:
    """What the queue is sorted and narrowed by is what the profiles and records say."""
    weighed = select_weights(merge_candidates.c.state == "open").subquery("weighed")
    statement = (
        select(merge_candidates.c.candidate_id)
        .join(weighed, weighed.c.candidate_id == merge_candidates.c.candidate_id)
        .where(differs_from(weighed))
        .order_by(merge_candidates.c.candidate_id)
    )
    for row in _rows(connection, statement):
        told = f"merge candidate {row.candidate_id} is not weighed by its profiles and records of now"
        yield told, (row.candidate_id,)


def _rows(connection: Connection, statement: Select[Any]) -> Iterator[Row[Any]]:
    for chunk in stream_rows(connection, statement):
        yield from chunk
