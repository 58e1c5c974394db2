"""A specification is read whole or refused with the part that is wrong; the shipped one is sound."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings

from resolution import SpecificationError, parse_specification, read_specification
from resolution.columns import LINKAGE_COLUMNS
from resolution.levels import check_conditions, levels_sql
from tests.resolution.builders import (
    SHIPPED,
    SMALL,
    SMALL_TEXT,
    Linkage,
    create_pairs,
    many_linkages,
    records_of,
    rows,
    workspace_of,
)


def without(text: str, table: str) -> str:
    """The text less a table and what stands under it."""
    return re.sub(rf"^\[{table}\]\n(?:[^\[\n].*\n)*", "", text, count=1, flags=re.MULTILINE)


def test_a_specification_file_gives_itself_and_its_text(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL_TEXT, "utf-8")

    assert read_specification(path) == (SMALL, SMALL_TEXT)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match=r"nowhere\.toml cannot be read"):
        read_specification(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes('name = "São Paulo"'.encode("latin-1"))

    with pytest.raises(SpecificationError, match=r"latin\.toml cannot be read"):
        read_specification(path)


def test_broken_toml_is_told_with_its_line() -> None:
    with pytest.raises(SpecificationError, match=r"mine\.toml is not TOML: .*line 2"):
        parse_specification('name = "x"\nprior = = 1', "mine.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (without(SMALL_TEXT, "thresholds"), "lacks 'thresholds'"),
        (without(SMALL_TEXT, "prior"), "lacks 'prior'"),
        (SMALL_TEXT.replace("link = 0.0", ""), "thresholds: .*link"),
        (SMALL_TEXT.replace("complete_size = 10", ""), "thresholds lacks 'complete_size'"),
        (SMALL_TEXT.replace("review = -2.0", "review = 1.0"), "thresholds must rise"),
        (SMALL_TEXT.replace("match_probability = 0.001", "match_probability = 1"), "prior.match_probability"),
        (
            SMALL_TEXT.replace("match_probability = 0.001", "probability = 1"),
            "prior lacks 'match_probability'",
        ),
        (SMALL_TEXT.replace("m = 0.9\n", "", 1), "comparison 'given_name': level 'equal' lacks 'm'"),
        (SMALL_TEXT.replace("m = 0.9\n", "m = 'x'\n", 1), "comparison 'given_name': level 'equal': .*'x'"),
        (SMALL_TEXT.replace("m = 0.9\n", "m = 1.1\n", 1), "comparison 'given_name', level 'equal', must lie"),
        (SMALL_TEXT.replace("m = 0.9\n", "m = nan\n", 1), "comparison 'given_name', level 'equal', must lie"),
        (SMALL_TEXT.replace("u = 0.02\n", "u = 0\n", 1), "comparison 'given_name', level 'equal', must lie"),
        (SMALL_TEXT.replace("m = 0.9\n", "m = 0.95\n", 1), "the m of comparison 'given_name' add up to 1.05"),
        (
            SMALL_TEXT.replace("u = 0.02\n", "u = 0.04\n", 1),
            "the u of comparison 'given_name' add up to 1.02",
        ),
        (
            SMALL_TEXT.replace("ELSE", "true", 1),
            "last level of comparison 'given_name' must have condition ELSE",
        ),
        (
            SMALL_TEXT.replace('name = "email"', 'name = "e mail"', 1),
            "comparison 'e mail' must have a name of",
        ),
        (SMALL_TEXT.replace('"birth_date"', '"email"', 1), "comparison 'email' stands there twice"),
        (SMALL_TEXT.replace('"city"]', '"town"]'), "blocking 'city' names town, which is no linkage column"),
        (SMALL_TEXT.replace('name = "whole_name"', 'name = "email"'), "blocking 'email' stands there twice"),
        (SMALL_TEXT.replace("cap = 60", "", 1), "blocking 'whole_name' lacks 'cap'"),
        (SMALL_TEXT.replace("cap = 60", 'cap = "many"', 1), "blocking 'whole_name': .*many"),
        (SMALL_TEXT.replace('without = ["email"]', ""), "training 'e-mail' lacks 'without'"),
        (
            SMALL_TEXT.replace('without = ["email"]', 'without = ["mail"]'),
            "training 'e-mail' goes without mail",
        ),
        (
            SMALL_TEXT.replace("sharing.emails", "sharing.city"),
            "sharing.city must be named for a list column",
        ),
        (SMALL_TEXT.replace("generic = 4", ""), "sharing.emails lacks 'generic'"),
        (SMALL_TEXT.replace("generic = 4", "generic = 1"), "sharing.emails: shared must not be more"),
        (
            SMALL_TEXT.replace("excess.name_folded", "excess.street"),
            "excess.street needs the terms of street",
        ),
        (
            SMALL_TEXT.replace('["given_name", "family_name"]\nholders', '["agnomen"]\nholders'),
            "terms of agnomen",
        ),
        (
            SMALL_TEXT.replace('column = "given_name"', 'column = "phones"'),
            "'given_name' counts terms of phones",
        ),
        (
            f"{SMALL_TEXT}\n[shipped_frequencies.city]\nfile = 'names_br.csv'\nkind = 'city'\nrare = 0.1\n",
            "of city",
        ),
        (
            f"{SMALL_TEXT}\n[shipped_frequencies.given_name]\nfile = 'none.csv'\nkind = 'given'\nrare = 0.1\n",
            "no shipped table none.csv",
        ),
        (f"{SMALL_TEXT}\n[[blocking]]\ncap = 1\n", "blocking 5 lacks 'columns'"),
        ('comparison = "all"', "lacks 'thresholds'"),
    ],
    ids=lambda value: value if len(value) < 80 else "text",
)
def test_an_error_names_the_part(text: str, expected: str) -> None:
    assert text != SMALL_TEXT

    with pytest.raises(SpecificationError, match=f"^small.toml.*{expected}"):
        parse_specification(text, "small.toml")


def test_the_last_table_is_optional_and_so_are_all_for_training() -> None:
    text = SMALL_TEXT[: SMALL_TEXT.index("[sharing.emails]")]

    specification = parse_specification(text)

    assert not specification.sharing
    assert not specification.training_rules
    assert not specification.excess_frequencies
    assert not specification.prior_frequencies


def test_a_condition_with_a_typing_error_is_refused_with_its_comparison() -> None:
    broken = parse_specification(
        SMALL_TEXT.replace("birth_date_l = birth_date_r", "birth_date_l = birthdate_r")
    )

    with (
        workspace_of([], broken) as connection,
        pytest.raises(SpecificationError, match=r"Comparison birth_date of small .*birthdate_r"),
    ):
        check_conditions(connection, broken)


def test_a_training_key_with_a_typing_error_is_refused_with_its_block() -> None:
    broken = parse_specification(SMALL_TEXT.replace('["emails[1]"]', '["mails[1]"]'))

    with (
        workspace_of([], broken) as connection,
        pytest.raises(SpecificationError, match=r"Training block e-mail of small .*mails"),
    ):
        check_conditions(connection, broken)


def test_checking_conditions_leaves_nothing_behind() -> None:
    with workspace_of([], SMALL) as connection:
        before = rows(connection, "SHOW TABLES")

        check_conditions(connection, SMALL)

        assert rows(connection, "SHOW TABLES") == before


def test_every_weighed_level_of_the_shipped_specification_says_why() -> None:
    silent = [
        (comparison.name, level.label)
        for comparison in SHIPPED.comparisons
        for level in comparison.weighed_levels
        if not level.why
    ]

    assert silent == []


def test_what_does_not_fall_into_any_level_may_be_left_out() -> None:
    less = parse_specification(SMALL_TEXT.replace("m = 0.1\n", "m = 0.05\n", 1))

    assert sum(level.m for level in less.comparisons[0].weighed_levels) == pytest.approx(0.95)


def test_the_probabilities_of_a_shipped_comparison_are_about_one() -> None:
    sums = {
        comparison.name: (
            sum(level.m for level in comparison.weighed_levels),
            sum(level.u for level in comparison.weighed_levels),
        )
        for comparison in SHIPPED.comparisons
        if not comparison.is_fixed
    }

    off = {name: pair for name, pair in sums.items() if not all(0.9 < value < 1.1 for value in pair)}
    assert off == {}


def test_shipped_conditions_name_linkage_columns_of_both_sides_only() -> None:
    allowed = {*LINKAGE_COLUMNS, *(f"shared_{column}" for column in LINKAGE_COLUMNS)}
    named = {
        column
        for comparison in SHIPPED.comparisons
        for level in comparison.levels
        for column in re.findall(r"\b([a-z_]+)_[lr]\b", level.condition)
    }

    assert named - allowed == set()


@settings(max_examples=10, deadline=None)
@given(many_linkages(size=26))
def test_left_and_right_of_a_pair_may_be_exchanged(linkages: list[Linkage]) -> None:
    pairs = list(permutations(range(1, len(linkages) + 1), 2))
    names = [comparison.name for comparison in SHIPPED.comparisons]

    with workspace_of(records_of(linkages)) as connection:
        create_pairs(connection, pairs, table="proposed")
        connection.execute(
            "CREATE TABLE pairs AS SELECT join_key_l AS record_id_l, join_key_r AS record_id_r FROM proposed"
        )
        connection.execute(f"CREATE TABLE found AS {levels_sql(connection, SHIPPED, pairs='pairs')}")
        crooked = rows(
            connection,
            "SELECT a.levels, b.levels FROM found AS a JOIN found AS b "
            "ON a.record_id_l = b.record_id_r AND a.record_id_r = b.record_id_l WHERE a.levels <> b.levels",
        )

    assert [
        {name: pair for name, *pair in zip(names, *levels, strict=True) if pair[0] != pair[1]}
        for levels in crooked
    ] == []
