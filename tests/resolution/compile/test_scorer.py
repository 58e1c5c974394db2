"""Parity: a pair's levels, match weight and term-frequency weights are those of Splink on DuckDB."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.generated_pairs import LONG_LIST, LONG_TEXT, generated_pairs, known_terms
from resolution import (
    Model,
    UncompilableConditionError,
    compile_model,
    parse_specification,
    resolve_batch,
    train,
)
from resolution.columns import LIST_COLUMNS
from resolution.compile import CompiledModel, Prepared
from resolution.splink_engine import comparisons_with_frequencies, score_pairs
from tests.resolution.builders import (
    SHIPPED,
    SMALL,
    SMALL_TEXT,
    WITHOUT_SHRINKING,
    Linkage,
    a_person,
    create_pairs,
    many_linkages,
    people_records,
    prior_model,
    records_of,
    rows,
    small_people,
    workspace_of,
)
from tests.resolution.compile.levels_of_people import PAIRS_BY_LEVEL, directed_pairs, mixed_pairs

PRIOR = prior_model()
# An example is hundreds of pairs in one call of DuckDB and takes well under a second.
MORE_EXAMPLES = settings(WITHOUT_SHRINKING, max_examples=4)
MANY_EXAMPLES = settings(WITHOUT_SHRINKING, max_examples=8)
ANY_TEXTS = st.lists(st.text(max_size=12), max_size=20)


def varied_model(seed: int, base: Model = PRIOR) -> Model:
    """The model with other numbers everywhere: m, u, prior, terms (some of them known) and the share of others."""
    chosen = random.Random(seed)
    terms = (
        "jose",
        "silva",
        "vanvitelli",
        "jose jose",
        "1980-02-03",
        "recife",
        "01310100",
        "maria reis",
        "reis",
        "é",
    )
    return replace(
        base,
        match_probability=10 ** -chosen.uniform(1, 7),
        probabilities={
            name: [(10 ** -chosen.uniform(0, 8), 10 ** -chosen.uniform(0, 8)) for _ in levels]
            for name, levels in base.probabilities.items()
        },
        frequencies={
            column: {term: 10 ** -chosen.uniform(-1, 6) for term in chosen.sample(terms, k=6)}
            for column in base.specification.frequency_columns
        },
        rare={column: 10 ** -chosen.uniform(0, 6) for column in base.specification.frequency_columns},
    )


@dataclass(frozen=True)
class Scored:
    """One pair as Splink scores it, with the records as it saw them, shared values parted."""

    left: Linkage
    right: Linkage
    match_weight: float
    levels: tuple[int, ...]
    frequency_weights: dict[str, float]


def scored_by_splink(model: Model, pairs: Sequence[tuple[Linkage, Linkage]]) -> list[Scored]:
    """The pairs scored in one call. Their shared phones stand for those that parting would have moved."""
    records = [side for pair in pairs for side in pair]
    names = comparisons_with_frequencies(model)
    with workspace_of(records_of(records), replace(model.specification, sharing={})) as connection:
        for record_id, record in enumerate(records, start=1):
            if shared := record.get("shared_phones"):
                connection.execute(
                    "UPDATE records SET shared_phones = ? WHERE record_id = ?", [shared, record_id]
                )
        create_pairs(connection, [(2 * number + 1, 2 * number + 2) for number in range(len(pairs))])
        score_pairs(connection, model, pairs="pairs", scored="scored", floor=-100_000.0, with_levels=True)
        found = rows(
            connection,
            "SELECT record_id_l, match_weight, levels, COLUMNS('frequency_weight_.*') FROM scored ORDER BY record_id_l",
        )
    return [
        Scored(
            records[record_id_l - 1],
            records[record_id_l],
            match_weight,
            tuple(levels),
            {name: bits for name, bits in zip(names, given_bits, strict=True) if bits},
        )
        for record_id_l, match_weight, levels, *given_bits in found
    ]


def assert_parity(model: Model, pairs: Sequence[tuple[Linkage, Linkage]]) -> None:
    compiled = compile_model(model)
    expected = scored_by_splink(model, pairs)
    assert len(expected) == len(pairs)
    for scored in expected:
        left, right = compiled.prepare(scored.left), compiled.prepare(scored.right)
        found = compiled.score(left, right)
        assert found.levels == scored.levels, (scored.left, scored.right)
        assert math.isclose(found.match_weight, scored.match_weight, rel_tol=0, abs_tol=1e-9)
        assert found.frequency_weights.keys() == scored.frequency_weights.keys()
        assert found.frequency_weights == pytest.approx(scored.frequency_weights, rel=0, abs=1e-9)


def test_every_shipped_level_has_a_pair_that_falls_into_it() -> None:
    compiled = compile_model(PRIOR)
    places = [comparison.name for comparison in SHIPPED.comparisons]

    reached = {
        (name, label): SHIPPED.comparisons[places.index(name)]
        .levels[_levels(compiled, *sides)[places.index(name)]]
        .label
        for (name, label), sides in zip(PAIRS_BY_LEVEL, directed_pairs(), strict=True)
    }

    assert reached == {key: key[1] for key in PAIRS_BY_LEVEL}
    assert set(PAIRS_BY_LEVEL) == {
        (comparison.name, level.label) for comparison in SHIPPED.comparisons for level in comparison.levels
    }


def _levels(compiled: CompiledModel, left: Linkage, right: Linkage) -> tuple[int, ...]:
    return compiled.score(compiled.prepare(left), compiled.prepare(right)).levels


@pytest.mark.parametrize(
    "model", [PRIOR, varied_model(1), varied_model(2)], ids=["shipped", "varied", "varied too"]
)
def test_a_pair_of_every_level_scores_as_with_splink(model: Model) -> None:
    turned = [(right, left) for left, right in directed_pairs()]

    assert_parity(model, directed_pairs() + turned)


@MORE_EXAMPLES
@given(seed=st.integers(0, 2**32), model_seed=st.integers(0, 2**32))
def test_a_mixed_pair_scores_as_with_splink(seed: int, model_seed: int) -> None:
    assert_parity(varied_model(model_seed), mixed_pairs(300, seed=seed))


@MORE_EXAMPLES
@given(linkages=many_linkages(size=60))
def test_any_pair_scores_as_with_splink(linkages: list[Linkage]) -> None:
    pairs = [(left, right) for left in linkages[:12] for right in linkages[12:36]]

    assert_parity(PRIOR, pairs)


@MANY_EXAMPLES
@given(seed=st.integers(0, 2**32), texts=ANY_TEXTS)
def test_a_pair_that_says_anything_scores_as_with_splink(seed: int, texts: list[str]) -> None:
    assert_parity(PRIOR, generated_pairs(250, seed=seed, texts=texts))


@MORE_EXAMPLES
@given(seed=st.integers(0, 2**32), model_seed=st.integers(0, 2**32), texts=ANY_TEXTS)
def test_it_does_so_whatever_the_numbers_of_the_model(seed: int, model_seed: int, texts: list[str]) -> None:
    model = varied_model(model_seed)

    assert_parity(model, generated_pairs(250, seed=seed, terms=known_terms(model), texts=texts))


@pytest.fixture(scope="module")
def trained_models() -> dict[str, Model]:
    """The shipped specification and the small one, each trained on people of its own."""
    people = {"shipped": people_records(150, seed=4), "small": records_of(small_people(300, seed=3))}
    models = {}
    for name, specification in (("shipped", SHIPPED), ("small", SMALL)):
        with workspace_of(people[name], specification) as connection:
            models[name] = train(connection, prior_model(specification), version=4, seed=1).model
    return models


@pytest.mark.parametrize("name", ["shipped", "small"])
@MORE_EXAMPLES
@given(seed=st.integers(0, 2**32), texts=ANY_TEXTS)
def test_a_trained_model_scores_as_with_splink(
    trained_models: dict[str, Model], name: str, seed: int, texts: list[str]
) -> None:
    model = trained_models[name]

    assert_parity(model, generated_pairs(250, seed=seed, terms=known_terms(model), texts=texts))


def test_generated_pairs_say_what_is_rare() -> None:
    values = [value for pair in generated_pairs(500, seed=1) for record in pair for value in record.values()]
    lists = [value for value in values if isinstance(value, list)]
    texts = [value for value in values if isinstance(value, str)]

    assert [] in lists
    assert any(None in found for found in lists)
    assert any(len(found) > len(set(found)) for found in lists)
    assert any(len(found) >= LONG_LIST for found in lists)
    assert any(len(text) >= LONG_TEXT for text in texts)
    assert any("\u0301" in text for text in texts)
    assert any("\x01" in text for text in texts)
    assert "1980-02-30" in texts


def test_the_edges_of_a_batch_are_explained_the_same() -> None:
    records = people_records(60, seed=2)
    compiled = compile_model(PRIOR)
    prepared = {
        record_id: compiled.prepare(orjson.loads(text)["linkage"]) for record_id, _, _, text in records
    }
    with resolve_batch([records], PRIOR) as resolution:
        edges = [edge for columns in resolution.edges() for edge in zip(*columns, strict=True)]
        shared_values = resolution.counts["shared_values"]

    assert shared_values == 0
    assert len(edges) > 80
    for record_id_l, record_id_r, match_weight, _, evidence in edges:
        found = compiled.score(prepared[record_id_l], prepared[record_id_r])
        told = orjson.loads(evidence)
        assert found.match_weight == pytest.approx(match_weight, rel=0, abs=1e-9)
        assert list(found.levels) == told["levels"]
        assert found.frequency_weights == pytest.approx(told["frequency_weights"], rel=0, abs=1e-9)


def test_a_condition_may_tell_left_from_right() -> None:
    text = SMALL_TEXT.replace(
        'condition = "city_l = city_r"', "condition = \"city_l = 'recife' AND city_r <> 'recife'\""
    )
    compiled = compile_model(prior_model(parse_specification(text)))
    recife, natal = compiled.prepare({"city": "recife"}), compiled.prepare({"city": "natal"})

    assert compiled.score(recife, natal).levels != compiled.score(natal, recife).levels


def test_a_list_may_come_as_any_sequence_and_columns_unknown_to_the_model_do_not_matter() -> None:
    compiled = compile_model(PRIOR)
    person = a_person(emails=["a@b.example"])
    as_tuples = {
        column: tuple(value) if column in LIST_COLUMNS else value for column, value in person.items()
    }

    assert compiled.prepare({**as_tuples, "record_key_rank": 1}) == compiled.prepare(person)


def test_a_prepared_record_is_for_any_number_of_pairs() -> None:
    compiled = compile_model(PRIOR)
    records: list[Prepared] = [compiled.prepare(person) for person in small_people(20, seed=1)]

    first = [compiled.score(records[0], other) for other in records]

    assert first == [compiled.score(records[0], other) for other in records]


def test_a_model_that_cannot_be_compiled_is_refused_by_name() -> None:
    text = SMALL_TEXT.replace(
        'condition = "damerau_levenshtein(birth_date_l, birth_date_r) = 1"',
        'condition = "damerau_levenshtein(md5(birth_date_l), md5(birth_date_r)) = 1"',
    )

    with pytest.raises(UncompilableConditionError) as refusal:
        compile_model(prior_model(parse_specification(text)))

    assert "Comparison birth_date, level 'one digit'" in str(refusal.value)
    assert "the function md5" in str(refusal.value)


def test_a_term_frequency_without_an_exact_level_is_refused() -> None:
    text = SMALL_TEXT.replace(
        'condition = "city_l = city_r"\nm = 0.8\nu = 0.1',
        'condition = "left(city_l, 3) = left(city_r, 3)"\nm = 0.8\nu = 0.1\nfrequency_column = "city"',
    )

    with pytest.raises(UncompilableConditionError, match="the term frequency of city"):
        compile_model(prior_model(parse_specification(text)))


def test_a_term_frequency_of_another_level_counts_against_the_u_of_the_exact_one() -> None:
    text = SMALL_TEXT.replace(
        'condition = "city_l = city_r"\nm = 0.8\nu = 0.1',
        'condition = "city_l = city_r"\nm = 0.8\nu = 0.1\n[[comparison.level]]\nlabel = "alike"\n'
        'condition = "left(city_l, 3) = left(city_r, 3)"\nm = 0.1\nu = 0.05\nfrequency_column = "city"',
    ).replace("m = 0.2\nu = 0.9\n", "m = 0.1\nu = 0.85\n")
    model = varied_model(5, prior_model(parse_specification(text)))
    cities: list[dict[str, Any]] = [{"city": name} for name in ("recife", "recanto", "recreio", "natal")]

    assert_parity(model, [(left, right) for left in cities for right in cities])


def test_the_same_model_gives_the_same_source() -> None:
    assert compile_model(PRIOR).source == compile_model(prior_model()).source
