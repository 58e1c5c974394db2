"""What Splink gives is the sum that the model promises, and it leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from math import log2

import duckdb
import pytest
from hypothesis import given
from splink import DuckDBAPI, Linker

from resolution import Model, parse_specification
from resolution.levels import levels_sql
from resolution.model import splink_settings
from resolution.specification import TrainingRule
from resolution.splink_engine import (
    EM_CONVERGENCE,
    EM_ITERATIONS,
    comparisons_with_frequencies,
    estimate_u,
    run_sessions,
    score_pairs,
)
from tests.resolution.builders import (
    SHIPPED,
    SMALL,
    SMALL_TEXT,
    WITHOUT_SHRINKING,
    Linkage,
    a_person,
    create_pairs,
    many_linkages,
    prior_model,
    records_of,
    rows,
    small_people,
    whole_records_of,
    workspace_of,
)

# Some terms of the generated records are common in this model, others are not known to it.
COMMON = {"jose": 0.125, "silva": 0.25, "jose jose": 3.0, "1980-02-03": 0.01, "0": 0.5}
MODEL = replace(
    prior_model(),
    frequencies=dict.fromkeys(SHIPPED.frequency_columns, COMMON),
    rare=dict.fromkeys(SHIPPED.frequency_columns, 1 / 1024),
)
SMALL_MODEL = prior_model(SMALL)


def score_all(
    connection: duckdb.DuckDBPyConnection, model: Model, record_count: int, *, floor: float = -1000.0
) -> None:
    """Tables `pairs`, of all records, and `scored`."""
    create_pairs(connection, list(combinations(range(1, record_count + 1), 2)))
    score_pairs(connection, model, pairs="pairs", scored="scored", floor=floor)


def weights_of(
    linkages: Sequence[Linkage], model: Model = SMALL_MODEL, *, floor: float = -1000.0
) -> list[float]:
    """The match weights of all pairs, in the order of the pairs."""
    with whole_records_of(linkages) as connection:
        score_all(connection, model, len(linkages), floor=floor)
        scored = rows(connection, "SELECT match_weight FROM scored ORDER BY record_id_l, record_id_r")
        return [weight for (weight,) in scored]


def weight_by_definition(
    model: Model, levels: Sequence[int], left: Linkage, right: Linkage
) -> tuple[float, dict[str, float]]:
    """The match weight of a pair, and what term frequencies give to it, written out."""
    weight = log2(model.match_probability / (1 - model.match_probability))
    frequency_weights = {}
    for comparison, place in zip(model.specification.comparisons, levels, strict=True):
        level = comparison.levels[place]
        if level.is_missing:
            continue
        m, u = model.probabilities[comparison.name][comparison.weighed_levels.index(level)]
        weight += log2(m / u)
        column = level.frequency_column or ""
        terms = {side[column] for side in (left, right) if column in side}
        if terms:
            shares = [model.frequencies[column].get(term, model.rare[column]) for term in terms]
            frequency_weights[comparison.name] = log2(u / max(shares))
    return weight + sum(frequency_weights.values()), frequency_weights


@WITHOUT_SHRINKING
@given(many_linkages(size=16))
def test_the_levels_that_were_found_while_scoring_are_those_of_the_conditions(
    linkages: list[Linkage],
) -> None:
    pairs = list(combinations(range(1, len(linkages) + 1), 2))
    with workspace_of(records_of(linkages)) as connection:
        create_pairs(connection, pairs)
        score_pairs(connection, MODEL, pairs="pairs", scored="scored", floor=-1000.0, with_levels=True)
        connection.execute("CREATE TABLE unscored AS SELECT record_id_l, record_id_r FROM scored")
        found = rows(connection, "SELECT record_id_l, record_id_r, levels FROM scored ORDER BY ALL")
        expected = rows(connection, f"{levels_sql(connection, SHIPPED, pairs='unscored')} ORDER BY ALL")

    assert [pair for *pair, _ in found] == [list(pair) for pair in pairs]
    assert found == expected


def test_a_comparison_without_a_missing_level_has_levels_too() -> None:
    text = SMALL_TEXT.replace(
        'label = "missing"\ncondition = "city_l IS NULL OR city_r IS NULL"\nmissing = true\n',
        'label = "one city"\ncondition = "city_l IS NULL OR city_r IS NULL"\nm = 0.1\nu = 0.1\n',
    )
    text = text.replace("m = 0.8\nu = 0.1\n", "m = 0.7\nu = 0.1\n").replace(
        "m = 0.2\nu = 0.9\n", "m = 0.2\nu = 0.8\n"
    )
    people = [a_person(city="recife"), a_person(), a_person(city="natal"), a_person(city="natal")]

    with whole_records_of(people) as connection:
        create_pairs(connection, [(1, 2), (1, 3), (3, 4)])
        model = prior_model(parse_specification(text))
        score_pairs(connection, model, pairs="pairs", scored="scored", floor=-1000.0, with_levels=True)
        found = rows(connection, "SELECT levels[-1] FROM scored ORDER BY record_id_l, record_id_r")

    assert found == [(0,), (2,), (1,)]


@WITHOUT_SHRINKING
@given(many_linkages(size=16))
def test_a_match_weight_is_the_prior_and_what_each_comparison_gives(linkages: list[Linkage]) -> None:
    names = comparisons_with_frequencies(MODEL)
    with workspace_of(records_of(linkages)) as connection:
        score_all(connection, MODEL, len(linkages))
        connection.execute(f"CREATE TABLE levels AS {levels_sql(connection, SHIPPED, pairs='scored')}")
        found = rows(
            connection,
            "SELECT record_id_l, record_id_r, match_weight, levels, COLUMNS('frequency_weight_.*') FROM levels",
        )

    assert len(found) == len(linkages) * (len(linkages) - 1) // 2
    for record_id_l, record_id_r, match_weight, levels, *given_bits in found:
        sides = linkages[record_id_l - 1], linkages[record_id_r - 1]
        weight, frequency_weights = weight_by_definition(MODEL, levels, *sides)
        assert match_weight == pytest.approx(weight, abs=1e-9)
        assert given_bits == pytest.approx([frequency_weights.get(name, 0.0) for name in names], abs=1e-9)


def test_a_pair_below_the_floor_is_not_kept_and_one_at_it_is() -> None:
    people = [a_person(), a_person(), a_person("bia"), a_person("bia", "lima")]
    every = weights_of(people)
    floor = sorted(every)[2]

    kept = weights_of(people, floor=floor)

    assert kept == [weight for weight in every if weight >= floor]
    assert len(kept) < len(every)


def test_a_term_that_the_model_does_not_know_is_rare() -> None:
    model = replace(
        SMALL_MODEL,
        frequencies={"given_name": {"ana": 0.25}},
        rare={**SMALL_MODEL.rare, "given_name": 0.001},
    )

    [common] = weights_of([a_person("ana"), a_person("ana")], model)
    [unseen] = weights_of([a_person("iara"), a_person("iara")], model)

    assert unseen - common == pytest.approx(log2(0.25 / 0.001), abs=1e-9)


def test_the_commoner_of_two_terms_counts() -> None:
    level = 'condition = "given_name_l = given_name_r"'
    loose = parse_specification(
        SMALL_TEXT.replace(level, f'{level[:-1]} OR true"\nfrequency_base = "level"', 1)
    )
    model = replace(prior_model(loose), frequencies={"given_name": {"ana": 0.25}})
    model = replace(model, rare={**model.rare, "given_name": 0.001})

    [two_common] = weights_of([a_person("ana"), a_person("ana")], model)
    [one_common] = weights_of([a_person("ana"), a_person("iara")], model)

    # The names as wholes differ in the second pair, and weigh nothing in either.
    assert one_common == pytest.approx(two_common, abs=1e-9)


def test_a_specification_without_term_frequencies_is_scored() -> None:
    text = SMALL_TEXT[: SMALL_TEXT.index("[excess")].replace("frequency_", "# frequency_")

    weights = weights_of([a_person(), a_person()], prior_model(parse_specification(text)))

    assert weights == [pytest.approx(log2(0.001 / 0.999) + 2 * log2(0.9 / 0.02), abs=1e-9)]


def test_no_pairs_give_an_empty_table() -> None:
    with whole_records_of([a_person(), a_person()]) as connection:
        create_pairs(connection, [])

        score_pairs(connection, SMALL_MODEL, pairs="pairs", scored="scored", floor=-4.0)

        assert rows(connection, "SELECT * FROM scored") == []


@pytest.fixture(scope="module")
def four_records() -> Iterator[duckdb.DuckDBPyConnection]:
    """Two people with two records each; of the six pairs two share the city, none has two e-mail addresses."""
    people = [a_person("ana", city="recife", emails=["a@example.com"])] * 2 + [
        a_person("bia", city="natal")
    ] * 2
    with whole_records_of(people) as connection:
        yield connection


def test_u_is_the_share_of_random_pairs_in_each_level(four_records: duckdb.DuckDBPyConnection) -> None:
    u = estimate_u(four_records, SMALL_MODEL, wanted=["city"], seed=1, pair_count=1000)

    assert u == {"city": pytest.approx([2 / 6, 4 / 6])}


def test_a_level_that_no_random_pair_falls_into_keeps_its_u(four_records: duckdb.DuckDBPyConnection) -> None:
    wanted = ["family_name", "birth_date"]

    u = estimate_u(four_records, SMALL_MODEL, wanted=wanted, seed=1, pair_count=1000)

    assert u == {"family_name": [1.0, 0.98], "birth_date": [0.0001, 0.001, 0.9989]}


def test_where_no_comparison_is_wanted_nothing_is_estimated(four_records: duckdb.DuckDBPyConnection) -> None:
    assert estimate_u(four_records, SMALL_MODEL, wanted=[], seed=1, pair_count=1000) == {}
    assert run_sessions(four_records, SMALL_MODEL, present=[], pair_count=1000) == []


def test_a_block_with_too_few_pairs_is_skipped(four_records: duckdb.DuckDBPyConnection) -> None:
    assert run_sessions(four_records, SMALL_MODEL, present=["city"], pair_count=1000) == []


def with_training(*rules: TrainingRule) -> Model:
    return replace(SMALL_MODEL, specification=replace(SMALL, training_rules=rules))


def test_a_session_tells_of_the_comparisons_that_its_block_is_not_made_of() -> None:
    people = [
        a_person(("ana", "bia")[n % 2], city="recife", birth_date=f"1980-01-{n:02}") for n in range(1, 25)
    ]
    first_letter = TrainingRule("first letter", ("left(given_name, 1)",), ("city",))
    names = ["given_name", "birth_date", "city", "family_name"]

    with whole_records_of(people) as connection:
        [session] = run_sessions(connection, with_training(first_letter), present=names, pair_count=1000)

    assert session.pair_count == 2 * (12 * 11 // 2)
    assert set(session.m) == {"birth_date", "family_name"}


def test_a_block_that_leaves_no_comparison_is_skipped() -> None:
    everything = TrainingRule("city", ("city",), ("birth_date",))

    with whole_records_of([a_person(city="recife")] * 12) as connection:
        found = run_sessions(
            connection, with_training(everything), present=["city", "birth_date"], pair_count=1000
        )

    assert found == []


def test_a_block_with_too_many_pairs_is_cut_down_to_some_records() -> None:
    people = [a_person(city="recife", birth_date=f"1980-01-{1 + n % 28:02}") for n in range(200)]
    rule = TrainingRule("city", ("city",), ("city",))

    with whole_records_of(people) as connection:
        [session] = run_sessions(connection, with_training(rule), present=["birth_date"], pair_count=2000)
        [again] = run_sessions(connection, with_training(rule), present=["birth_date"], pair_count=2000)

    assert session.pair_count == 2000
    assert session == again


def test_a_session_finds_what_splinks_own_training_finds() -> None:
    names = {comparison.name for comparison in SMALL.comparisons}
    settings = splink_settings(SMALL_MODEL)
    for level in (
        level for comparison in settings["comparisons"] for level in comparison["comparison_levels"]
    ):
        level.pop("tf_adjustment_column", None)
    settings |= {"em_convergence": EM_CONVERGENCE, "max_iterations": EM_ITERATIONS}

    with whole_records_of(small_people(200, seed=4)) as connection:
        sessions = {
            session.rule: session
            for session in run_sessions(connection, SMALL_MODEL, present=names, pair_count=10**6)
        }
        linker = Linker(DuckDBAPI(connection=connection).register("records"), settings, log_level=None)
        judged = linker.training.estimate_parameters_using_expectation_maximisation(
            "l.emails[1] = r.emails[1]", estimate_without_term_frequencies=True
        ).core_model_settings

    assert sessions["e-mail"].match_share == pytest.approx(judged.probability_two_random_records_match)
    assert {name: list(levels) for name, levels in sessions["e-mail"].m.items()} == {
        comparison.output_column_name: pytest.approx(
            [level.m_probability for level in comparison.comparison_levels if not level.is_null_level]
        )
        for comparison in judged.comparisons
    }


def table_names(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Tables and views of every schema, temporary ones too."""
    tables = rows(connection, "SELECT table_name FROM duckdb_tables()")
    views = rows(connection, "SELECT view_name FROM duckdb_views() WHERE NOT internal")
    return {name for (name,) in tables + views}


def test_nothing_remains_of_scoring_but_its_table() -> None:
    with whole_records_of([a_person(), a_person()]) as connection:
        create_pairs(connection, [(1, 2)])
        before = table_names(connection)

        score_pairs(connection, SMALL_MODEL, pairs="pairs", scored="scored", floor=-4.0)

        assert table_names(connection) - before == {"scored"}


def test_nothing_remains_of_estimations() -> None:
    people = [a_person(city="recife", emails=["a@example.com"])] * 12
    with whole_records_of(people) as connection:
        before = table_names(connection)

        estimate_u(connection, SMALL_MODEL, wanted=["city"], seed=1, pair_count=1000)
        sessions = run_sessions(connection, SMALL_MODEL, present=["city", "email"], pair_count=1000)

        assert len(sessions) == 2
        assert table_names(connection) == before
        assert rows(connection, "SELECT current_setting('disabled_optimizers')") == [("",)]
