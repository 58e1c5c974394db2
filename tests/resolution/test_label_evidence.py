"""Labels of doubtful pairs correct m in proportion to what they are of all matches."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from resolution import Label, Training, parse_specification, train
from resolution.splink_engine import score_pairs
from tests.resolution.builders import (
    SMALL_TEXT,
    create_pairs,
    prior_model,
    records_of,
    rows,
    small_people,
    workspace_of,
)

# A band so wide that a quarter of all matches are in it.
DOUBTING = parse_specification(
    SMALL_TEXT.replace("link = 0.0", "link = 12.0")
    .replace("join = 0.0", "join = 12.0")
    .replace("review = -2.0", "review = -4.0")
)
PEOPLE = 360
RECORDS = records_of(small_people(PEOPLE, seed=1))
MATCHES = [(2 * person + 1, 2 * person + 2) for person in range(PEOPLE)]
CITY = [comparison.name for comparison in DOUBTING.comparisons].index("city")
EQUAL = 1

Levels = dict[Label, tuple[float, int]]


def train_with(labels: Sequence[Label] = ()) -> Training:
    with workspace_of(RECORDS, DOUBTING) as connection:
        return train(connection, prior_model(DOUBTING), version=7, seed=1, labels=labels)


@pytest.fixture(scope="module")
def unlabelled() -> Training:
    return train_with()


@pytest.fixture(scope="module")
def matches(unlabelled: Training) -> Levels:
    """Each pair of one person to its match weight and the level of its city."""
    with workspace_of(RECORDS, DOUBTING) as connection:
        create_pairs(connection, MATCHES, table="matches")
        score_pairs(
            connection, unlabelled.model, pairs="matches", scored="scores", floor=-1000, with_levels=True
        )
        found = rows(connection, "SELECT record_id_l, record_id_r, match_weight, levels FROM scores")
    return {(left, right): (weight, levels[CITY]) for left, right, weight, levels in found}


def city_m(training: Training) -> float:
    return training.model.probabilities["city"][0][0]


def test_matches_that_agree_more_than_the_model_expects_raise_m(
    unlabelled: Training, matches: Levels
) -> None:
    agreeing = train_with([pair for pair, (_, city) in matches.items() if city == EQUAL])
    differing = train_with([pair for pair, (_, city) in matches.items() if city != EQUAL])

    assert agreeing.labels.used > 20 < differing.labels.used
    assert city_m(differing) < city_m(unlabelled) - 0.01
    assert city_m(agreeing) > city_m(unlabelled) + 0.01


def test_labels_of_doubtful_pairs_are_not_taken_for_a_sample_of_all_matches(
    unlabelled: Training, matches: Levels
) -> None:
    doubtful = [city for weight, city in matches.values() if -4 <= weight < 12]

    labelled = train_with(sorted(matches))

    assert labelled.labels.used > 50
    assert doubtful.count(EQUAL) / len(doubtful) < 0.65
    assert city_m(labelled) == pytest.approx(0.8, abs=0.01)
    assert city_m(labelled) == pytest.approx(city_m(unlabelled), abs=0.005)


def test_labels_that_the_model_does_not_doubt_change_nothing(unlabelled: Training, matches: Levels) -> None:
    certain = [pair for pair, (weight, _) in matches.items() if weight >= 13]

    labelled = train_with([*certain, (100_001, 100_002)])

    assert labelled.model == unlabelled.model
    assert (labelled.labels.used, labelled.labels.left_out) == (0, len(certain) + 1)


def test_the_same_labels_in_another_order_give_the_same_model(matches: Levels) -> None:
    forwards = train_with(sorted(matches))
    backwards = train_with(sorted(matches, reverse=True))

    assert forwards.model.probabilities == backwards.model.probabilities


def test_few_labels_move_no_level_far(unlabelled: Training, matches: Levels) -> None:
    chosen = [pair for pair, (weight, city) in matches.items() if city != EQUAL and -4 <= weight < 12][:3]

    labelled = train_with(chosen)

    assert labelled.labels.used > 0
    assert city_m(labelled) == pytest.approx(city_m(unlabelled), abs=0.01)
