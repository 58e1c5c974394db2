"""The queue is sorted and narrowed as a whole: its pages, one after the other, are what one list would be."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from benchmarks.queues import fill_queue
from cdp.identity.candidate_weights import BIT_OF_KIND
from cdp.identity.standing import standing
from cdp.stewardship.claim import claim, claim_next, skip
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.priority import priority_of
from cdp.stewardship.queue import (
    SORTS,
    QueueFilter,
    QueueItem,
    QueuePage,
    count_open,
    count_queue,
    select_queue_page,
)
from cdp.store import open_store, read, write
from cdp.store.days import days_of
from cdp.store.schema import merge_candidates
from tests.cdp.realtime.feeding import NOW
from tests.cdp.stewardship.desk import ANA, BIA, MAYBE_ANA, Desk

RULES = DeskRules()
COUNT = 60

KEYS: dict[str, Callable[[QueueItem], float]] = {
    "priority": lambda item: item.priority.total,
    "uncertainty": lambda item: item.priority.uncertainty,
    "weight": lambda item: item.candidate.match_weight,
    "age": lambda item: -item.candidate.created_at.timestamp(),
    "due": lambda item: -item.due_at.timestamp(),
    "size": lambda item: item.candidate.record_count,
}


@pytest.fixture
def queue(store: Engine) -> Engine:
    fill_queue(store, COUNT, seed=7, now=NOW)
    return store


def test_the_database_says_who_stands_first_as_the_rule_does(queue: Engine) -> None:
    c = merge_candidates.c
    computed = standing(c.match_probability, c.reason, c.record_count, c.worth)

    with read(queue) as connection:
        rows = connection.execute(select(computed, c.standing, days_of(c.created_at), c.opened_day)).all()

    assert len(rows) == COUNT
    assert [row[0] for row in rows] == pytest.approx([row[1] for row in rows])
    assert [row[2] for row in rows] == pytest.approx([row[3] for row in rows], abs=1e-7)


def page(engine: Engine, asked: QueueFilter | None = None, **options: Any) -> QueuePage:
    with read(engine) as connection:
        return select_queue_page(
            connection, asked or QueueFilter(), RULES, **{"limit": COUNT, "now": NOW, **options}
        )


def pages(engine: Engine, asked: QueueFilter, *, limit: int, **options: Any) -> list[QueueItem]:
    found = page(engine, asked, limit=limit, **options)
    items = list(found.items)
    while found.next_position is not None:
        # Later pages come later; they are of the moment of the first.
        later = NOW + timedelta(hours=1)
        found = page(engine, asked, limit=limit, after=found.next_position, **{**options, "now": later})
        items += found.items
    return items


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("is_ascending", [False, True])
def test_the_order_is_that_of_the_parts_shown(queue: Engine, sort: str, is_ascending: bool) -> None:
    items = page(queue, sort=sort, is_ascending=is_ascending).items

    keys = [KEYS[sort](item) for item in items]
    assert len(items) == COUNT
    assert keys == pytest.approx(sorted(keys, reverse=not is_ascending))


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 7])
def test_pages_together_are_the_whole_list(queue: Engine, sort: str, limit: int) -> None:
    whole = [item.candidate.candidate_id for item in page(queue, sort=sort).items]

    paged = pages(queue, QueueFilter(), limit=limit, sort=sort)

    assert [item.candidate.candidate_id for item in paged] == whole


@pytest.fixture(scope="module")
def filled_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(copyfile(migrated_file, tmp_path_factory.mktemp("queue") / "queue.db"))
    engine = open_store(f"sqlite:///{path}")
    fill_queue(engine, COUNT, seed=11, now=NOW)
    engine.dispose()
    return path


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sort=st.sampled_from(SORTS),
    is_ascending=st.booleans(),
    limit=st.integers(1, 20),
    asked=st.builds(
        QueueFilter,
        reason=st.none() | st.sampled_from(("review_band", "size_limit")),
        source=st.none() | st.sampled_from(("crm", "web")),
        identifier_kind=st.none() | st.sampled_from(("phone", "email")),
        assignee=st.none() | st.sampled_from(("", "ana")),
        least_weight=st.none() | st.integers(-4, 4).map(float),
        greatest_weight=st.none() | st.integers(0, 9).map(float),
        fewest_records=st.none() | st.integers(2, 5),
        most_records=st.none() | st.integers(2, 40),
    ),
)
def test_pages_of_any_question_hold_what_answers_it(
    filled_file: Path, sort: str, is_ascending: bool, limit: int, asked: QueueFilter
) -> None:
    engine = open_store(f"sqlite:///{filled_file}")
    every = {item.candidate.candidate_id: item for item in page(engine).items}
    with read(engine) as connection:
        counted = count_queue(connection, asked, now=NOW)
        rows = {row.candidate_id: row for row in connection.execute(merge_candidates.select())}

    found = pages(engine, asked, limit=limit, sort=sort, is_ascending=is_ascending)

    ids = [item.candidate.candidate_id for item in found]
    wanted = {each for each in every if answers(rows[each], asked)}
    assert set(ids) == wanted
    assert len(ids) == len(wanted) == counted
    keys = [(KEYS[sort](every[each]), each) for each in ids]
    assert [round(key, 6) for key, _ in keys] == sorted(
        (round(key, 6) for key, _ in keys), reverse=not is_ascending
    )
    engine.dispose()


def answers(row: Any, asked: QueueFilter) -> bool:
    """The filter as a sentence about one row."""
    number = {"crm": 1, "shop": 2, "web": 3}
    return (
        (asked.reason is None or row.reason == asked.reason)
        and (asked.source is None or number[asked.source] in (row.source_id_l, row.source_id_r))
        and (asked.identifier_kind is None or bool(row.identifier_kinds & BIT_OF_KIND[asked.identifier_kind]))
        and (asked.assignee is None or (row.assignee or "") == asked.assignee)
        and (asked.least_weight is None or row.match_weight >= asked.least_weight)
        and (asked.greatest_weight is None or row.match_weight <= asked.greatest_weight)
        and (asked.fewest_records is None or row.record_count >= asked.fewest_records)
        and (asked.most_records is None or row.record_count <= asked.most_records)
    )


def test_the_parts_shown_are_those_of_the_rule(queue: Engine) -> None:
    [item] = page(queue, limit=1).items

    candidate = item.candidate
    told = priority_of(
        match_probability=candidate.match_probability,
        reason=candidate.reason,
        record_count=candidate.record_count,
        worth=candidate.worth,
        days_waiting=(NOW - candidate.created_at).total_seconds() / 86_400,
        review_days=RULES.review_days,
    )
    assert vars(item.priority) == pytest.approx(vars(told))


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("is_ascending", [False, True])
def test_the_next_one_is_the_first_of_the_page(queue: Engine, sort: str, is_ascending: bool) -> None:
    mine = QueueFilter(reader="eva")
    first = page(queue, mine, sort=sort, is_ascending=is_ascending, limit=1).items[0].candidate

    taken = claim_next(queue, RULES, author="eva", now=NOW, sort=sort, is_ascending=is_ascending)

    assert taken is not None
    assert taken.candidate == first


def test_nobody_is_given_what_another_one_takes_at_the_same_moment(queue: Engine) -> None:
    people = [f"steward{number}" for number in range(8)]

    with ThreadPoolExecutor(len(people)) as pool:
        taken = list(pool.map(lambda person: claim_next(queue, RULES, author=person, now=NOW), people))

    given = [each.candidate.candidate_id for each in taken if each is not None]
    assert len(set(given)) == len(given) == len(people)


def test_what_a_reader_is_not_to_see_is_left_out(queue: Engine) -> None:
    for candidate_id in (1, 2):
        with write(queue) as connection:
            own = merge_candidates.c.candidate_id == candidate_id
            connection.execute(update(merge_candidates).where(own).values(assignee=None))
    claim(queue, 1, RULES, author="rui", now=NOW)
    skip(queue, 2, RULES, author="ana", now=NOW)
    asked = QueueFilter(reader="ana")

    found = {item.candidate.candidate_id: item for item in page(queue, asked).items}
    later = {item.candidate.candidate_id for item in page(queue, asked, now=NOW + timedelta(days=1)).items}

    assert not {1, 2} & found.keys()
    assert {1, 2} <= later
    assert all(item.candidate.assignee in (None, "ana") for item in found.values())


def test_the_live_claim_is_told(queue: Engine) -> None:
    lease = claim(queue, 5, RULES, author="rui", now=NOW).lease

    [item] = page(queue, QueueFilter(claimed_by="rui")).items

    assert (item.candidate.candidate_id, item.lease) == (5, lease)
    assert page(queue, QueueFilter(claimed_by="rui"), now=lease.expires_at).items == []


def test_the_numbers_of_the_queue(desk: Desk) -> None:
    desk.take(ANA, MAYBE_ANA, BIA | {"address": {"city": "Faro"}}, MAYBE_ANA | {"full_name": "Bia Prado"})
    first, second = desk.open_candidates()
    desk.decide(first, "unsure", author="ana")
    claim(desk.engine, second.candidate_id, RULES, author="rui", now=NOW)

    with read(desk.engine) as connection:
        soon = count_open(connection, RULES, now=NOW + timedelta(minutes=1))
        late = count_open(connection, RULES, now=NOW + timedelta(days=8))
        waiting = count_queue(connection, QueueFilter(second_reading=True), now=NOW)

    assert (soon.open_count, soon.claimed_count, soon.overdue_count, soon.second_reading_count) == (
        2,
        1,
        0,
        1,
    )
    assert (late.claimed_count, late.overdue_count) == (0, 2)
    assert late.oldest_days == pytest.approx(8.0)
    assert soon.by_reason == {"review_band": 2}
    assert waiting == 1


def test_what_a_candidate_is_found_by_is_kept_with_it(desk: Desk) -> None:
    ana = ANA | {"device_ids": ["a1b2c3d4e5"]}
    desk.take(ana, ana, MAYBE_ANA | {"device_ids": ["f6a7b8c9d0"]})
    [candidate] = desk.open_candidates()

    [row] = desk.rows(merge_candidates)

    assert candidate.record_count == 3
    assert (row["source_id_l"], row["source_id_r"]) == (1, 1)
    assert row["identifier_kinds"] == BIT_OF_KIND["device_id"]
    assert desk.breaches() == []


def test_a_sort_that_is_none(lite_desk: Desk) -> None:
    with pytest.raises(ValueError, match="no order by"):
        page(lite_desk.engine, replace(QueueFilter(), state="open"), sort="luck")
