"""Training: bounded, steady, blended with the prior, and right where the truth is known."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from math import log2

import pytest

from resolution import (
    Specification,
    SpecificationError,
    StoredRecord,
    Training,
    TrainingError,
    parse_specification,
    train,
)
from tests.resolution.builders import (
    SHIPPED,
    SMALL,
    SMALL_TEXT,
    a_person,
    people_records,
    prior_model,
    records_of,
    rows,
    small_people,
    workspace_of,
)

# More than 707 records: Splink takes a sample of the pairs for u.
PEOPLE = 360
RECORDS = records_of(small_people(PEOPLE, seed=1))


def train_on(records: Sequence[StoredRecord], specification: Specification = SMALL) -> Training:
    with workspace_of(records, specification) as connection:
        return train(connection, prior_model(specification), version=7, seed=1)


@pytest.fixture(scope="module")
def trained() -> Training:
    return train_on(RECORDS)


def numbers(training: Training) -> dict[str, float]:
    """Every number of a trained model by its place."""
    model = training.model
    found = {
        f"{name} {place} {kind}": value
        for name, levels in model.probabilities.items()
        for place, pair in enumerate(levels)
        for kind, value in zip("mu", pair, strict=True)
    }
    found |= {
        f"{column} {term}": share
        for column, terms in model.frequencies.items()
        for term, share in terms.items()
    }
    found |= {f"rare {column}": share for column, share in model.rare.items()}
    found |= {f"share {rule}": share for rule, share in training.rule_shares.items()}
    return found | {"prior": model.match_probability}


def weights(training: Training) -> list[float]:
    """Of the levels that training estimates; fixed ones are rules and may weigh what they like."""
    model = training.model
    estimated = [comparison.name for comparison in model.specification.comparisons if not comparison.is_fixed]
    return [log2(m / u) for name in estimated for m, u in model.probabilities[name]]


def test_another_order_of_the_records_gives_the_same_numbers(trained: Training) -> None:
    shuffled = random.Random(3).sample(RECORDS, len(RECORDS))

    again = train_on(shuffled)

    assert numbers(again) == pytest.approx(numbers(trained), rel=1e-9)
    assert again.model.rule_names == trained.model.rule_names


def test_the_trained_model_bears_its_version_and_specification(trained: Training) -> None:
    assert (trained.model.version, trained.model.specification) == (7, SMALL)


def test_the_prior_is_the_share_of_matches_among_all_pairs(trained: Training) -> None:
    share = PEOPLE / (2 * PEOPLE * (2 * PEOPLE - 1) / 2)

    assert share / 1.5 < trained.model.match_probability < share * 1.5


def test_m_is_what_the_records_were_made_with(trained: Training) -> None:
    [(city_m, city_u), _] = trained.model.probabilities["city"]
    [(given_m, _), _] = trained.model.probabilities["given_name"]

    assert city_m == pytest.approx(0.8, abs=0.06)
    assert city_u == pytest.approx(1 / 40, rel=0.3)
    assert given_m == pytest.approx(0.81, abs=0.08)


def test_a_rule_is_taken_when_its_pairs_look_like_matches_and_not_otherwise(trained: Training) -> None:
    assert trained.rule_shares["birth_date"] > 0.05 > trained.rule_shares["city"]
    assert trained.model.rule_names == ("whole_name", "email", "birth_date")


def test_fixed_comparisons_are_as_the_specification_says(trained: Training) -> None:
    assert trained.model.probabilities["name_of_many"] == [(1.0, 1.0), (1.0, 1.0)]


def test_no_level_outweighs_the_clamps(trained: Training) -> None:
    assert -7 - 1e-9 <= min(weights(trained)) <= max(weights(trained)) <= 20 + 1e-9


def test_sessions_tell_of_the_blocks_that_had_pairs(trained: Training) -> None:
    assert [session.rule for session in trained.sessions] == ["whole name", "e-mail"]
    assert all(0 < session.match_share <= 1 and session.pair_count >= 50 for session in trained.sessions)


def test_a_specification_with_extreme_numbers_is_clamped() -> None:
    extreme = parse_specification(
        SMALL_TEXT.replace("u = 0.0001", "u = 1e-12").replace("m = 0.1\n", "m = 1e-12\n")
    )

    training = train_on(records_of([a_person("ana"), a_person("bia"), a_person("caio")]), extreme)

    assert min(weights(training)) == pytest.approx(-7)
    assert max(weights(training)) == pytest.approx(20)


@pytest.fixture(scope="module")
def handful() -> Iterator[tuple[Training, set[str]]]:
    """A training on ten records, and the tables that it left behind."""
    with workspace_of(records_of(small_people(5, seed=1)), SMALL) as connection:
        before = set(rows(connection, "SHOW TABLES"))
        training = train(connection, prior_model(SMALL), version=1, seed=1)
        yield training, {name for (name,) in set(rows(connection, "SHOW TABLES")) - before}


def test_a_handful_of_records_has_no_blocks_and_keeps_the_m_of_the_specification(
    handful: tuple[Training, set[str]],
) -> None:
    training, _ = handful

    assert training.sessions == []
    for comparison in SMALL.comparisons:
        assert [m for m, _ in training.model.probabilities[comparison.name]] == pytest.approx(
            [level.m for level in comparison.weighed_levels]
        )


def test_training_leaves_the_workspace_as_it_was(handful: tuple[Training, set[str]]) -> None:
    _, left_behind = handful

    assert left_behind == set()


def test_matches_among_random_pairs_do_not_make_an_address_ordinary() -> None:
    people = [a_person(f"g{n}", f"f{n}", emails=[f"p{n}@example.com"]) for n in range(40) for _ in range(2)]

    training = train_on(records_of(people))

    # One random pair in seventy-nine shares the address, and all of these are matches.
    [(_, u), _] = training.model.probabilities["email"]
    assert u < 1 / 79 / 2


def test_a_comparison_that_no_record_has_values_for_keeps_the_shipped_numbers() -> None:
    people = [{**person, "emails": None} for person in small_people(60, seed=5)]

    training = train_on(records_of([{k: v for k, v in person.items() if v is not None} for person in people]))

    assert training.model.match_probability > SMALL.match_probability
    assert training.model.probabilities["email"] == [(0.6, 0.0001), (0.4, 0.9999)]
    assert training.model.probabilities["city"] != [(0.8, 0.1), (0.2, 0.9)]


def test_two_records_that_nothing_proposes_are_enough() -> None:
    training = train_on(records_of([a_person(), a_person("bia", "lima")]))

    assert training.rule_shares == {}
    assert 0 < training.model.match_probability < SMALL.match_probability


def test_nothing_optional_is_needed() -> None:
    bare = parse_specification(SMALL_TEXT[: SMALL_TEXT.index("[sharing")].replace("optional = true", ""))

    training = train_on(records_of(small_people(5, seed=1)), bare)

    assert training.model.rule_names == ("whole_name", "email", "birth_date", "city")


@pytest.mark.parametrize("record_count", [0, 1])
def test_fewer_than_two_records_cannot_be_trained_on(record_count: int) -> None:
    with pytest.raises(TrainingError, match=f"at least two records, and there are {record_count}"):
        train_on(records_of([a_person()] * record_count))


def test_a_condition_with_a_typing_error_is_named_before_anything_is_estimated() -> None:
    broken = parse_specification(SMALL_TEXT.replace("city_l = city_r", "town_l = city_r"))

    with pytest.raises(SpecificationError, match="Comparison city of small"):
        train_on(records_of([a_person(), a_person()]), broken)


def test_the_shipped_specification_can_be_trained_on_a_small_source() -> None:
    training = train_on(people_records(100, seed=3), SHIPPED)

    assert {session.rule for session in training.sessions} >= {"e-mail", "phone and first letter"}
    assert -7 - 1e-9 <= min(weights(training)) <= max(weights(training)) <= 20 + 1e-9
    assert training.model.probabilities["relative"] == [(2**-6, 1.0), (1.0, 1.0)]
    assert training.model.probabilities["contradicted_document"] == [(1e-18, 1.0), (1.0, 1.0)]
    assert training.model.probabilities["claim_alone"] == [(1.0, 1.0), (1e-90, 1.0), (1.0, 1.0)]
