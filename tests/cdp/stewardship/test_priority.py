"""What a steward looks at first is uncertainty times people times value times age, each part checked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.stewardship.priority import age_of, people_of, priority_of, uncertainty_of, value_of


@pytest.mark.parametrize(
    ("probability", "reason", "uncertainty"),
    [
        (0.5, "review_band", 1.0),
        (0.9, "review_band", 0.36),
        (0.1, "exclusive_shared", 0.36),
        (1.0, "review_band", 0.0),
        (1.0, "exclusive_conflict", 0.5),
        (0.999, "size_limit", 0.5),
        (0.5, "size_limit", 1.0),
    ],
)
def test_uncertainty(probability: float, reason: str, uncertainty: float) -> None:
    assert uncertainty_of(probability, reason) == pytest.approx(uncertainty)


@pytest.mark.parametrize(("record_count", "people"), [(2, 1 / 6), (10, 0.5), (90, 0.9)])
def test_people(record_count: int, people: float) -> None:
    assert people_of(record_count) == pytest.approx(people)


@pytest.mark.parametrize(("worth", "value"), [(0, 1.0), (20, 1.5), (180, 1.9)])
def test_value(worth: int, value: float) -> None:
    assert value_of(worth) == pytest.approx(value)


@pytest.mark.parametrize(("days", "age"), [(-1.0, 1.0), (0.0, 1.0), (7.0, 2.0), (70.0, 11.0)])
def test_age(days: float, age: float) -> None:
    assert age_of(days, 7.0) == pytest.approx(age)


def test_the_parts_multiply() -> None:
    priority = priority_of(
        match_probability=0.9,
        reason="review_band",
        record_count=10,
        worth=20,
        days_waiting=7.0,
        review_days=7.0,
    )

    assert priority.total == pytest.approx(0.36 * 0.5 * 1.5 * 2.0)


@given(st.floats(0, 1), st.integers(2, 10_000), st.floats(0, 1000), st.integers(0, 350))
def test_waiting_people_and_value_only_ever_raise_it(
    probability: float, records: int, days: float, worth: int
) -> None:
    def total(record_count: int, days_waiting: float, known: int = worth) -> float:
        return priority_of(
            match_probability=probability,
            reason="review_band",
            record_count=record_count,
            worth=known,
            days_waiting=days_waiting,
            review_days=7.0,
        ).total

    assert total(records, days) <= total(records + 1, days)
    assert total(records, days) <= total(records, days + 1)
    assert total(records, days) <= total(records, days, worth + 1)
