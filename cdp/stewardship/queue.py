"""The queue of merge candidates: sorted and narrowed as a whole by the database, paged by key.

A page goes on where the one before ended, at the same moment in time, so that what grows with time keeps its order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Double,
    Select,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from cdp.identity.candidate_weights import BIT_OF_KIND
from cdp.identity.standing import uncertainty
from cdp.stewardship.candidates import OPEN, Candidate, is_visible, left_unsure, select_candidates
from cdp.stewardship.confirmations import Pending, select_pending_of, waits_for_second
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.leases import Lease, claimed, select_live_leases, skipped
from cdp.stewardship.priority import Priority, priority_of
from cdp.store.days import days_of, days_since_epoch, greater_of
from cdp.store.schema import merge_candidates as candidates
from cdp.store.schema import sources as source_table

# Each from what is looked at first: the most uncertain, the heaviest, the oldest, the first that is due, the largest.
SORTS = ("priority", "uncertainty", "weight", "age", "due", "size")


@dataclass(frozen=True)
class QueueFilter:
    """What of the queue is asked for; None asks for all.

    source: one of the two records is of it. identifier_kind: both records carry one. assignee: '' asks for what nobody
    is assigned. claimed_by: whose live claim is on it. second_reading: whether one person could not tell.
    awaits_confirmation: whether a decision waits for a second person. weights in
    bits and sizes in records, both ends included. visible_to: sources that the caller is bound to. reader: without
    what this person left unsure or put back, and what others work on or are to do.
    """

    state: str = OPEN
    reason: str | None = None
    source: str | None = None
    identifier_kind: str | None = None
    assignee: str | None = None
    claimed_by: str | None = None
    second_reading: bool | None = None
    awaits_confirmation: bool | None = None
    least_weight: float | None = None
    greatest_weight: float | None = None
    fewest_records: int | None = None
    most_records: int | None = None
    visible_to: Collection[str] | None = None
    reader: str | None = None


@dataclass(frozen=True)
class Position:
    """Where a page ended: the sort key and id of its last item. as_of: the moment that all its pages tell of."""

    sort_key: float
    candidate_id: int
    as_of: datetime


@dataclass(frozen=True)
class QueueItem:
    """due_at: as a lead set it, or by the rule. lease: the live one. pending: a decision that waits for a second
    person."""

    candidate: Candidate
    priority: Priority
    due_at: datetime
    lease: Lease | None
    pending: Pending | None


@dataclass(frozen=True)
class QueuePage:
    """next_position: None where nothing comes after."""

    items: Sequence[QueueItem]
    next_position: Position | None


def select_queue_page(
    connection: Connection,
    asked: QueueFilter,
    rules: DeskRules,
    *,
    sort: str = "priority",
    is_ascending: bool = False,
    after: Position | None = None,
    limit: int,
    now: datetime,
) -> QueuePage:
    """Sort: one of SORTS; ascending turns it round. Ties go by the id."""
    as_of = now if after is None else after.as_of
    picked = _picked(connection, asked, rules, sort, as_of, is_ascending=is_ascending, after=after, now=now)
    rows = connection.execute(picked.limit(limit + 1)).all()
    shown = rows[:limit]
    items = _items(connection, [row.candidate_id for row in shown], rules, now)
    last = Position(shown[-1].sort_key, shown[-1].candidate_id, as_of) if len(rows) > len(shown) else None
    return QueuePage(items, last)


def select_first(
    connection: Connection,
    asked: QueueFilter,
    reader: str,
    rules: DeskRules,
    *,
    sort: str,
    is_ascending: bool = False,
    now: datetime,
) -> int | None:
    """The candidate that comes first of those open to the reader; what is assigned to them before all else."""
    key = _sort_key(sort, rules, now).label("sort_key")
    # One look at the whole queue, where asking first for the assigned ones would take two.
    rank = case((candidates.c.assignee == reader, 0), else_=1).label("rank")
    hidden = _hidden_from(connection, reader, now).cte("hidden")
    # Of so many that come first one at least is not hidden: each of them is looked up, and not each of the queue.
    enough = select(1 + func.count()).select_from(hidden).scalar_subquery()
    leading = (
        select(candidates.c.candidate_id, rank, key)
        .where(*_conditions(connection, asked, now), _is_assignable(reader))
        .order_by(rank, *_in_order(key, candidates.c.candidate_id, is_ascending=is_ascending))
        .limit(enough)
        .subquery("leading")
    )
    first = (
        select(leading.c.candidate_id)
        .where(leading.c.candidate_id.not_in(select(hidden.c.candidate_id)))
        .order_by(
            leading.c.rank,
            *_in_order(leading.c.sort_key, leading.c.candidate_id, is_ascending=is_ascending),
        )
        .limit(1)
    )
    return connection.scalar(first)


def is_open_to(
    connection: Connection, candidate_id: int, asked: QueueFilter, reader: str, *, now: datetime
) -> bool:
    """Whether a candidate is one of those that select_first chooses from."""
    hidden = _hidden_from(connection, reader, now).subquery("hidden")
    found = select(candidates.c.candidate_id).where(
        candidates.c.candidate_id == candidate_id,
        *_conditions(connection, asked, now),
        _is_assignable(reader),
        ~exists().where(hidden.c.candidate_id == candidate_id),
    )
    return connection.scalar(found) is not None


def select_item(connection: Connection, candidate_id: int, rules: DeskRules, *, now: datetime) -> QueueItem:
    """Of a candidate that there is."""
    [item] = _items(connection, [candidate_id], rules, now)
    return item


def count_queue(connection: Connection, asked: QueueFilter, *, now: datetime) -> int:
    counted = select(func.count()).select_from(candidates).where(*_conditions(connection, asked, now))
    return connection.scalars(counted).one()


def count_by_reason(connection: Connection, asked: QueueFilter, *, now: datetime) -> Mapping[str, int]:
    counted = (
        select(candidates.c.reason, func.count())
        .where(*_conditions(connection, asked, now))
        .group_by(candidates.c.reason)
        .order_by(candidates.c.reason)
    )
    return dict(connection.execute(counted).all())


@dataclass(frozen=True)
class QueueNumbers:
    """What is open now: of it claimed, due already, left unsure by one person; and by why it was opened.

    oldest_days: how long the oldest waits, None where nothing does.
    """

    open_count: int
    claimed_count: int
    overdue_count: int
    second_reading_count: int
    by_reason: Mapping[str, int]
    oldest_days: float | None


def count_open(connection: Connection, rules: DeskRules, *, now: datetime) -> QueueNumbers:
    today = days_since_epoch(now)
    is_open = candidates.c.state == OPEN
    row = connection.execute(
        select(
            func.count().label("open_count"),
            func.count(case((_due_day(rules) < today, 1))).label("overdue_count"),
            func.count(case((candidates.c.candidate_id.in_(claimed(now=now)), 1))).label("claimed_count"),
            func.count(case((candidates.c.candidate_id.in_(left_unsure()), 1))).label("second_reading_count"),
            func.min(candidates.c.opened_day).label("oldest"),
        ).where(is_open)
    ).one()
    return QueueNumbers(
        open_count=row.open_count,
        claimed_count=row.claimed_count,
        overdue_count=row.overdue_count,
        second_reading_count=row.second_reading_count,
        by_reason=count_by_reason(connection, QueueFilter(), now=now),
        oldest_days=None if row.oldest is None else today - row.oldest,
    )


def _picked(
    connection: Connection,
    asked: QueueFilter,
    rules: DeskRules,
    sort: str,
    as_of: datetime,
    *,
    is_ascending: bool,
    after: Position | None,
    now: datetime,
) -> Select[Any]:
    """candidate_id and sort_key in order."""
    key = _sort_key(sort, rules, as_of).label("sort_key")
    chosen = select(candidates.c.candidate_id, key).where(*_conditions(connection, asked, now))
    if after is not None:
        place, last = tuple_(key, candidates.c.candidate_id), (after.sort_key, after.candidate_id)
        bound = tuple_(literal(last[0], Double), literal(last[1]))
        chosen = chosen.where(place > bound if is_ascending else place < bound)
    return chosen.order_by(*_in_order(key, candidates.c.candidate_id, is_ascending=is_ascending))


def _in_order(*keys: ColumnElement[Any], is_ascending: bool) -> list[ColumnElement[Any]]:
    return [key.asc() if is_ascending else key.desc() for key in keys]


def _conditions(connection: Connection, asked: QueueFilter, now: datetime) -> list[ColumnElement[bool]]:
    c = candidates.c
    conditions = [c.state == asked.state]
    if asked.reason is not None:
        conditions.append(c.reason == asked.reason)
    if asked.source is not None:
        named = select(source_table.c.source_id).where(source_table.c.name == asked.source)
        conditions.append(or_(c.source_id_l.in_(named), c.source_id_r.in_(named)))
    if asked.identifier_kind is not None:
        conditions.append(c.identifier_kinds.bitwise_and(BIT_OF_KIND[asked.identifier_kind]) != 0)
    if asked.assignee is not None:
        conditions.append(c.assignee == asked.assignee if asked.assignee else c.assignee.is_(None))
    if asked.claimed_by is not None:
        conditions.append(c.candidate_id.in_(claimed(by=asked.claimed_by, now=now)))
    if asked.second_reading is not None:
        unsure = c.candidate_id.in_(left_unsure())
        conditions.append(unsure if asked.second_reading else ~unsure)
    if asked.awaits_confirmation is not None:
        waiting = c.candidate_id.in_(waits_for_second(connection))
        conditions.append(waiting if asked.awaits_confirmation else ~waiting)
    if asked.visible_to is not None:
        conditions.append(is_visible(asked.visible_to))
    if asked.reader is not None:
        # One list, so that each candidate is looked up once and not four times.
        conditions.append(candidates.c.candidate_id.not_in(_hidden_from(connection, asked.reader, now)))
        conditions.append(_is_assignable(asked.reader))
    return conditions + _within(asked)


def _within(asked: QueueFilter) -> list[ColumnElement[bool]]:
    bounds: list[ColumnElement[bool]] = []
    if asked.least_weight is not None:
        bounds.append(candidates.c.match_weight >= asked.least_weight)
    if asked.greatest_weight is not None:
        bounds.append(candidates.c.match_weight <= asked.greatest_weight)
    if asked.fewest_records is not None:
        bounds.append(candidates.c.record_count >= asked.fewest_records)
    if asked.most_records is not None:
        bounds.append(candidates.c.record_count <= asked.most_records)
    return bounds


def _hidden_from(connection: Connection, reader: str, now: datetime) -> CompoundSelect[Any]:
    """What this person left unsure, decided first, or put back, and what others work on."""
    return union_all(
        left_unsure(by=reader),
        waits_for_second(connection, by=reader),
        skipped(by=reader, now=now),
        claimed(by_others_than=reader, now=now),
    )


def _is_assignable(reader: str) -> ColumnElement[bool]:
    return or_(candidates.c.assignee.is_(None), candidates.c.assignee == reader)


def _sort_key(sort: str, rules: DeskRules, as_of: datetime) -> ColumnElement[float]:
    """What comes first is the greatest."""
    match sort:
        case "weight":
            return candidates.c.match_weight
        case "uncertainty":
            return uncertainty(candidates.c.match_probability, candidates.c.reason)
        case "age":
            return -candidates.c.opened_day
        case "due":
            return -_due_day(rules)
        case "size":
            return cast(candidates.c.record_count, Double)
        case "priority":
            return _priority(rules, as_of)
        case _:
            raise ValueError(f"There is no order by {sort!r}.")


def _priority(rules: DeskRules, as_of: datetime) -> ColumnElement[float]:
    """As cdp.stewardship.priority has it."""
    waiting = literal(days_since_epoch(as_of), Double) - candidates.c.opened_day
    return candidates.c.standing * (1.0 + greater_of(waiting, literal(0.0, Double)) / rules.review_days)


def _due_day(rules: DeskRules) -> ColumnElement[float]:
    by_rule = candidates.c.opened_day + rules.review_days
    return func.coalesce(days_of(candidates.c.due_at), by_rule, type_=Double)


def _items(
    connection: Connection, candidate_ids: Sequence[int], rules: DeskRules, now: datetime
) -> list[QueueItem]:
    leases = select_live_leases(connection, candidate_ids, now=now)
    found = select_candidates(connection, candidate_ids)
    pending = select_pending_of(connection, found)
    return [
        QueueItem(
            candidate=each,
            priority=priority_of(
                match_probability=each.match_probability,
                reason=each.reason,
                record_count=each.record_count,
                worth=each.worth,
                days_waiting=days_since_epoch(now) - days_since_epoch(each.created_at),
                review_days=rules.review_days,
            ),
            due_at=each.due_at or each.created_at + timedelta(days=rules.review_days),
            lease=leases.get(each.candidate_id),
            pending=pending.get(each.candidate_id),
        )
        for each in found
    ]
