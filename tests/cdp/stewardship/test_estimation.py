"""Estimates equal those of a reference computation."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from cdp.stewardship.estimation import (
    kappa,
    quality_at,
    quality_by_threshold,
    weighted_share,
    wilson,
)


@given(st.integers(1, 500).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_the_interval_is_that_of_the_reference(drawn: tuple[int, int]) -> None:
    hits, count = drawn
    reference = binomtest(hits, count).proportion_ci(0.95, method="wilson")

    share = wilson(hits, count)

    assert (share.low, share.high) == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_nothing_counted_says_nothing() -> None:
    share = wilson(0, 0)

    assert (share.value, share.low, share.high) == (None, 0.0, 1.0)
    assert weighted_share([]) == share


@given(st.lists(st.booleans(), min_size=1), st.floats(0.1, 50))
def test_equal_weights_weigh_nothing(hits: list[bool], weight: float) -> None:
    weighted = weighted_share((each, weight) for each in hits)
    plain = wilson(sum(hits), len(hits))

    assert (weighted.value, weighted.low, weighted.high) == pytest.approx(
        (plain.value, plain.low, plain.high)
    )


def test_a_weighted_sample_gives_back_the_share_of_all() -> None:
    """A tenth of many right ones and half of few wrong ones: the share is that of all, and lies in the interval."""
    chance = random.Random(3)
    right = [(True, 10.0) for _ in range(9_000) if chance.random() < 0.1]
    wrong = [(False, 2.0) for _ in range(1_000) if chance.random() < 0.5]

    share = weighted_share([*right, *wrong])

    assert share.value == pytest.approx(0.9, abs=0.01)
    assert share.low < 0.9 < share.high


@pytest.mark.parametrize(
    ("answers", "agreement"),
    [
        (
            [("same", "same")] * 20
            + [("same", "different")] * 5
            + [("different", "same")] * 10
            + [("different", "different")] * 15,
            0.4,
        ),
        ([("same", "same"), ("different", "different")], 1.0),
        ([("same", "different"), ("different", "same")], -1.0),
        ([("same", "same")], None),
        ([], None),
    ],
    ids=["fifty", "always", "never", "no choice", "none"],
)
def test_agreement_beyond_chance(answers: list[tuple[str, str]], agreement: float | None) -> None:
    assert kappa(answers) == (None if agreement is None else pytest.approx(agreement))


labels = st.lists(st.tuples(st.integers(-5, 5).map(float), st.booleans()), max_size=40)


@given(labels)
def test_each_threshold_counts_the_pairs_above_it(given_labels: list[tuple[float, bool]]) -> None:
    told = quality_by_threshold(given_labels)

    matches = sum(is_match for _, is_match in given_labels)
    assert [each.threshold_match_weight for each in told] == sorted(
        {w for w, _ in given_labels}, reverse=True
    )
    for each in told:
        above = [is_match for weight, is_match in given_labels if weight >= each.threshold_match_weight]
        assert (each.precision.hits, each.precision.count) == (sum(above), len(above))
        assert each.recall == wilson(sum(above), matches)


@given(labels, st.sets(st.floats(-6, 6)))
def test_a_threshold_of_ones_own_counts_the_pairs_above_it(
    given_labels: list[tuple[float, bool]], thresholds: set[float]
) -> None:
    told = quality_at(quality_by_threshold(given_labels), thresholds)

    matches = sum(is_match for _, is_match in given_labels)
    assert [each.threshold_match_weight for each in told] == sorted(thresholds)
    for each in told:
        above = [is_match for weight, is_match in given_labels if weight >= each.threshold_match_weight]
        assert each.precision == wilson(sum(above), len(above))
        assert each.recall == wilson(sum(above), matches)
