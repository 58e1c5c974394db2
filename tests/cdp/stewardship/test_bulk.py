"""A chosen set is decided one by one: each its own action and result, and one that is stale stops no other."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.stewardship.bulk import AT_MOST, Chosen, TooManyCandidatesError, decide_all
from cdp.stewardship.claim import claim
from cdp.stewardship.desk_rules import DeskRules
from cdp.store.schema import steward_actions
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import Desk, an_order

RULES = DeskRules()
NAMES = ("Ana", "Bia", "Caio", "Davi", "Eva", "Fabio")
SURNAMES = ("Reis", "Lima", "Prado", "Moura", "Campos", "Nunes", "Teles", "Braga")


def a_pair(number: int) -> list[dict[str, Any]]:
    """Two records of which the machine is not sure."""
    name = (
        f"{NAMES[number % 6]}{'abcdefghij'[number // 6 % 10]} {SURNAMES[number % 8]}{'abcdefg'[number // 60]}"
    )
    return [
        a_record(f"{number}a", full_name=name, address={"city": "Lisboa"}, emails=[f"x{number}@example.com"]),
        a_record(f"{number}b", full_name=name, address={"city": "Porto"}),
    ]


def asked(desk: Desk, count: int) -> list[Chosen]:
    for start in range(0, count, 50):
        desk.feed.ingest(
            *(each for number in range(start, min(start + 50, count)) for each in a_pair(number))
        )
    return [Chosen(each.candidate_id, each.etag) for each in desk.open_candidates()]


def test_two_hundred_with_three_that_are_stale(lite_desk: Desk) -> None:
    chosen = asked(lite_desk, 200)
    assert len(chosen) == 200
    lite_desk.feed.ingest(
        *(
            a_record(f"{number}c", **a_pair(number)[0]) | {"source_record_id": f"{number}c"}
            for number in (3, 70, 199)
        )
    )

    results = decide_all(lite_desk.feed.resolver, chosen, "different", an_order(), RULES)

    refused = [each for each in results if each.refusal is not None]
    done = [each.outcome.action_id for each in results if each.outcome is not None]
    assert [each.refusal.reason for each in refused] == ["candidate_changed"] * 3  # type: ignore[union-attr]
    assert [each.candidate_id for each in results] == [each.candidate_id for each in chosen]
    assert len(set(done)) == 197
    assert len(lite_desk.rows(steward_actions)) == 197
    assert lite_desk.breaches(partition=False) == []


def test_what_another_one_works_on_and_what_takes_two_are_told(desk: Desk) -> None:
    first, second, third = asked(desk, 3)
    claim(desk.engine, first.candidate_id, RULES, author="ana", now=NOW)
    small = DeskRules(four_eyes_records=2)

    results = decide_all(desk.feed.resolver, [first, second, second, third], "same", an_order(), small)

    assert [each.candidate_id for each in results] == [each.candidate_id for each in (first, second, third)]
    assert results[0].refusal is not None
    assert results[0].refusal.reason == "candidate_claimed"
    assert all(each.pending is not None for each in results[1:])
    assert desk.rows(steward_actions) == []


def test_too_many_at_once(lite_desk: Desk) -> None:
    chosen = [Chosen(number, "") for number in range(AT_MOST + 1)]

    with pytest.raises(TooManyCandidatesError):
        decide_all(lite_desk.feed.resolver, chosen, "same", an_order(), RULES)
