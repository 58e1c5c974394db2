"""A sample weighed in numpy weighs what Splink says, also under numbers it was not sampled with."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import duckdb
import numpy as np
import pytest

from resolution import Model
from resolution.sampled_evidence import (
    LEAST_MATCH_PROBABILITY,
    MOST_MATCH_PROBABILITY,
    SampledEvidence,
    blocked_evidence,
    drop_samples,
    rule_evidence,
    score_samples,
)
from resolution.splink_engine import score_pairs
from resolution.term_frequencies import count_terms
from tests.resolution.builders import (
    SHIPPED,
    a_person,
    create_pairs,
    people_records,
    prior_model,
    records_of,
    rows,
    workspace_of,
)

# In the shipped frequencies a rare name has the very share that stands for an unknown one.
MODEL = prior_model()


def with_other_numbers(model: Model, *, seed: int) -> Model:
    """Every m and u another, and the prior as well."""
    chosen = random.Random(seed)
    probabilities = {
        name: [(m * chosen.uniform(0.2, 1), u * chosen.uniform(0.2, 1)) for m, u in levels]
        for name, levels in model.probabilities.items()
    }
    return replace(model, probabilities=probabilities, match_probability=0.01)


@pytest.fixture(scope="module")
def workspace() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every pair of a small source is a blocked pair."""
    records = people_records(12, seed=2)
    with workspace_of(records) as connection:
        pairs = [(low, high) for high in range(1, len(records) + 1) for low in range(1, high)]
        create_pairs(connection, pairs, table="blocked_pairs")
        yield connection


@contextmanager
def samples(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    *,
    pair_count: int = 10**6,
    rule_pairs: Sequence[tuple[str, int, int]] = (),
) -> Iterator[None]:
    """Table `sample_scores`, and these pairs of optional rules."""
    connection.execute("CREATE TABLE rule_pairs (rule VARCHAR, join_key_l BIGINT, join_key_r BIGINT)")
    if rule_pairs:
        connection.executemany("INSERT INTO rule_pairs VALUES (?, ?, ?)", rule_pairs)
    score_samples(connection, model, pair_count=pair_count)
    yield
    drop_samples(connection)


def splink_weights(connection: duckdb.DuckDBPyConnection, model: Model) -> list[float]:
    score_pairs(connection, model, pairs="blocked_pairs", scored="expected", floor=-1000.0)
    found = rows(connection, "SELECT match_weight FROM expected ORDER BY record_id_l, record_id_r")
    connection.execute("DROP TABLE expected")
    return [weight for (weight,) in found]


@pytest.fixture(scope="module")
def sampled(workspace: duckdb.DuckDBPyConnection) -> SampledEvidence:
    with samples(workspace, MODEL):
        return blocked_evidence(workspace, MODEL)


def test_under_its_own_model_a_sample_weighs_what_splink_says(
    workspace: duckdb.DuckDBPyConnection, sampled: SampledEvidence
) -> None:
    weights = sampled.weigh(MODEL) + MODEL.prior_match_weight

    assert weights == pytest.approx(splink_weights(workspace, MODEL), abs=1e-9)


def test_under_another_model_a_sample_weighs_what_splink_says(
    workspace: duckdb.DuckDBPyConnection, sampled: SampledEvidence
) -> None:
    other = with_other_numbers(MODEL, seed=1)

    weights = sampled.weigh(other) + other.prior_match_weight

    assert weights == pytest.approx(splink_weights(workspace, other), abs=1e-9)


def test_a_sample_under_counted_terms_weighs_what_splink_says(workspace: duckdb.DuckDBPyConnection) -> None:
    frequencies, rare = count_terms(workspace, SHIPPED)
    counted = replace(MODEL, frequencies=frequencies, rare=rare)
    other = with_other_numbers(counted, seed=2)

    with samples(workspace, counted):
        weights = blocked_evidence(workspace, counted).weigh(other) + other.prior_match_weight

    assert weights == pytest.approx(splink_weights(workspace, other), abs=1e-9)


def test_a_sample_stands_for_all_blocked_pairs_and_leaves_nothing_behind(
    workspace: duckdb.DuckDBPyConnection,
) -> None:
    [(blocked,)] = rows(workspace, "SELECT count(*) FROM blocked_pairs")
    before = rows(workspace, "SHOW TABLES")

    with samples(workspace, MODEL, pair_count=blocked // 2):
        half = blocked_evidence(workspace, MODEL)

    assert half.pair_count == blocked
    assert 0.3 * blocked < len(half.levels) < 0.7 * blocked
    assert half.stands_for.sum() == pytest.approx(blocked)
    assert rows(workspace, "SHOW TABLES") == before


OPTIONAL = [rule for rule in SHIPPED.blocking_rules if rule.is_optional][:3]


def test_the_pairs_of_an_optional_rule_are_evidence_until_they_are_blocked() -> None:
    first, second, third = (rule.name for rule in OPTIONAL)
    with workspace_of(people_records(12, seed=2)) as connection:
        create_pairs(connection, [(1, 2), (3, 4)], table="blocked_pairs")
        proposals = [(first, 1, 3), (first, 1, 4), (second, 1, 4), (second, 2, 3), (third, 2, 4)]
        with samples(connection, MODEL, rule_pairs=proposals):
            before = rule_evidence(connection, MODEL, OPTIONAL[:2])
            connection.execute("INSERT INTO blocked_pairs VALUES ('0', 1, 3), ('0', 1, 4)")
            after = rule_evidence(connection, MODEL, OPTIONAL[:2])
            blocked = blocked_evidence(connection, MODEL)

    assert {rule: len(evidence.levels) for rule, evidence in before.items()} == {first: 2, second: 2}
    assert {rule: len(evidence.levels) for rule, evidence in after.items()} == {second: 1}
    assert len(blocked.levels) == 4


def test_the_match_share_is_the_mean_match_probability(
    workspace: duckdb.DuckDBPyConnection, sampled: SampledEvidence
) -> None:
    probabilities = [1 / (1 + 2**-weight) for weight in splink_weights(workspace, MODEL)]

    assert sampled.match_share(MODEL) == pytest.approx(sum(probabilities) / len(probabilities))


def test_two_samples_expect_the_matches_of_both(sampled: SampledEvidence) -> None:
    odd = np.arange(len(sampled.levels)) % 2 == 1

    parts = sampled.chosen(odd).with_more(sampled.chosen(~odd))

    assert parts.match_probability(MODEL) == pytest.approx(sampled.match_probability(MODEL), rel=1e-9)


def test_the_match_probability_reproduces_itself(sampled: SampledEvidence) -> None:
    found = sampled.match_probability(MODEL)

    weights = sampled.weigh(MODEL) + replace(MODEL, match_probability=found).prior_match_weight
    expected = float((1 / (1 + np.exp2(-weights))).sum()) / sampled.pair_count
    assert found == pytest.approx(expected, rel=1e-4)
    assert LEAST_MATCH_PROBABILITY < found < MOST_MATCH_PROBABILITY


def test_a_sample_of_a_tenth_stands_for_ten_times_the_matches(sampled: SampledEvidence) -> None:
    diluted = sampled.standing_for(10 * len(sampled.levels))
    diluted = replace(diluted, pair_count=sampled.pair_count * 10)

    assert diluted.match_probability(MODEL) == pytest.approx(sampled.match_probability(MODEL), rel=1e-4)


def test_without_blocked_pairs_the_match_probability_is_the_least() -> None:
    with workspace_of(records_of([a_person()])) as connection:
        create_pairs(connection, [], table="blocked_pairs")

        with samples(connection, MODEL):
            empty = blocked_evidence(connection, MODEL)

    assert empty.match_probability(MODEL) == LEAST_MATCH_PROBABILITY


def test_where_all_pairs_match_the_probability_stops_at_the_most(sampled: SampledEvidence) -> None:
    certain = replace(sampled, frequency_weights=sampled.frequency_weights + 200.0)

    assert certain.match_probability(MODEL) == MOST_MATCH_PROBABILITY
