"""Conditions put together at random are read as DuckDB reads them: precedence, three truths, types."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolution.compile.conditions import read_condition
from resolution.compile.expressions import Uncompilable
from resolution.errors import FailedConditionError
from tests.resolution.compile.duck import COLUMNS, compiled, differences, duckdb_pairs, in_duckdb

RECORDS = (
    {},
    {"a": "ana", "x": ["ana", "reis"]},
    {"b": "Ana", "x": [], "y": ["Ana"]},
    {"a": "anna", "b": "reis", "y": ["an", "ana"]},
    {"a": "", "b": "é 12", "x": ["é 12", "12"], "y": ["12"]},
)
PAIRS = tuple(product(RECORDS, RECORDS))

_lists = st.sampled_from(
    ["x_l", "x_r", "y_l", "y_r", "[a_l, b_r]", "list_concat(x_l, y_r)", "string_split(b_r, ' ')"]
)
_places = st.integers(-3, 3).map(str)
_signs = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def _formed(form: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda given: form.format(*given))


_texts = st.recursive(
    st.sampled_from(["a_l", "a_r", "b_l", "b_r", "'ana'", "''", "NULL"]),
    lambda inner: st.one_of(
        _formed("left({}, {})", inner, _places),
        _formed("{} || {}", inner, inner),
        _formed("lower({})", inner),
        _formed("coalesce({}, {})", inner, inner),
        _formed("nullif({}, {})", inner, inner),
        _formed("split_part({}, ' ', {})", inner, _places),
        _formed("substr({}, {}, {})", inner, _places, _places),
        _formed("{}[{}]", _lists, _places),
        _formed("CASE WHEN {} = {} THEN {} ELSE {} END", inner, inner, inner, inner),
    ),
    max_leaves=4,
)
_wholes = st.recursive(
    st.one_of(
        _places,
        _formed("length({})", _texts),
        _formed("len({})", _lists),
        _formed("levenshtein({}, {})", _texts, _texts),
        _formed("list_min(list_transform({}, lambda v: length(v)))", _lists),
        _formed("len(list_filter({}, lambda v: v {} {}))", _lists, _signs, _texts),
    ),
    lambda inner: st.one_of(
        _formed("{} + {}", inner, inner),
        _formed("{} - {}", inner, inner),
        _formed("{} * {}", inner, inner),
        _formed("- {} // 2", inner),
        _formed("abs({} % 3)", inner),
        _formed("least({}, {})", inner, inner),
        _formed("({} - {})", inner, inner),
    ),
    max_leaves=4,
)
_predicates = st.one_of(
    _formed("{} {} {}", _texts, _signs, _texts),
    _formed("{} {} {}", _wholes, _signs, _wholes),
    _formed("{} IS NULL", _texts),
    _formed("{} IS NOT NULL", _lists),
    _formed("{} IN ({}, {})", _texts, _texts, _texts),
    _formed("{} NOT IN ('ana', {})", _texts, _texts),
    _formed("{} BETWEEN {} AND {}", _wholes, _wholes, _wholes),
    _formed("{} LIKE 'a%'", _texts),
    _formed("{} IS DISTINCT FROM {}", _texts, _texts),
    _formed("list_has_any({}, {})", _lists, _lists),
    _formed("list_contains({}, {})", _lists, _texts),
    _formed("damerau_levenshtein({}, {}) = 1", _texts, _texts),
    _formed("jaro_winkler_similarity({}, {}) {} 0.8", _texts, _texts, _signs),
    _formed("length({}) / length({}) {} 0.5", _texts, _texts, _signs),
)
_conditions = st.recursive(
    _predicates,
    lambda inner: st.one_of(
        _formed("{} AND {}", inner, inner),
        _formed("{} OR {}", inner, inner),
        _formed("NOT {}", inner),
        _formed("({} OR {})", inner, inner),
        _formed("({}) IS TRUE", inner),
        _formed("({}) = ({})", inner, inner),
        _formed("coalesce({}, {})", inner, inner),
        _formed("CASE WHEN {} THEN {} ELSE {} END", inner, inner, inner),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb_pairs(PAIRS) as opened:
        yield opened


@settings(max_examples=80, deadline=None)
@given(written=_conditions)
def test_a_condition_is_read_as_duckdb_reads_it(connection: duckdb.DuckDBPyConnection, written: str) -> None:
    assert not differences(connection, written, PAIRS)


@settings(max_examples=40, deadline=None)
@given(written=_wholes)
def test_an_arithmetic_is_read_as_duckdb_reads_it(
    connection: duckdb.DuckDBPyConnection, written: str
) -> None:
    assert not differences(connection, written, PAIRS)


# What is refused, with what of it is named.
REFUSED = {
    "soundex(a_l) = soundex(a_r)": "the function soundex",
    "a_l = a_r AND soundex(a_l) = 'x'": "the function soundex",
    "given_name_l = a_r": "given_name_l, which is no linkage column",
    "l.a = r.a": "l.a",
    "a = b_l": "a, which is no linkage column",
    "a_l": "the VARCHAR a_l in place of a condition",
    "a_l AND b_l": "the VARCHAR a_l in place of a condition",
    "left(x_l, 1) = a_r": "left(VARCHAR[], INTEGER)",
    "length(a_l, 1) = 2": "with",
    "length() = 2": "what the parser says",
    "strlen() = 2": "strlen()",
    "a_l = 1": "VARCHAR = INTEGER",
    "a_l < x_r": "VARCHAR < VARCHAR[]",
    "x_l < y_r": "VARCHAR[] < VARCHAR[]",
    "a_l + 1 = 2": "VARCHAR + INTEGER",
    "-a_l = 1": "- VARCHAR",
    "a_l = b_l = a_r": "without parentheses",
    "(a_l = b_l) = (a_r LIKE b_r)": "LIKE with a part that is not written into the condition",
    "regexp_matches(a_l, b_r)": "a regular expression with a part that is not written",
    "regexp_matches(a_l, '(?i)x')": "a group with flags",
    r"regexp_matches(a_l, '\pL')": r"the escape \p",
    "regexp_matches(a_l, '(a|b*)*')": "the repetition of what may match nothing",
    "regexp_matches(a_l, 'x', 'm')": "the option 'm'",
    "regexp_matches(a_l, 'é', 'i')": "a letter without case",
    "regexp_replace(a_l, 'x*', 'y', 'g') = 'a'": "every match of a pattern that matches nothing",
    r"regexp_replace(a_l, '(x)', '\2') = 'a'": "the replacement",
    "a_l SIMILAR TO 'x'": "SIMILAR TO",
    "try_strptime(a_l, '%b %Y') IS NULL": "the date format '%b %Y'",
    "try_strptime(a_l, b_l) IS NULL": "strptime with a part that is not written",
    "TRY_CAST(a_l AS TIMESTAMP) IS NULL": "CAST(VARCHAR AS TIMESTAMP",
    "TRY_CAST(a_l AS DECIMAL(10, 2)) IS NULL": "DECIMAL(10, 2)",
    "CAST(x_l AS VARCHAR) = 'x'": "CAST(VARCHAR[] AS TEXT)",
    "CAST('x' AS INTEGER) = 1": "A value cannot be cast to INT",
    "date_diff('hour', a_l::DATE, a_r::DATE) = 1": "date_diff('HOUR'",
    "date_diff(b_l, a_l::DATE, a_r::DATE) = 1": "date_diff",
    "TRY_CAST(a_l AS DATE) - INTERVAL 1 DAY = b_l::DATE": "INTERVAL",
    "a_l::DATE = b_l": "DATE = VARCHAR",
    "coalesce(a_l, 1) = 'x'": "coalesce(VARCHAR, INTEGER)",
    "CASE WHEN a_l = 'x' THEN 1 ELSE 'y' END = 1": "a choice between INTEGER and VARCHAR",
    "greatest(length(a_l), 2.5::DOUBLE) > 1": "greatest(INTEGER, DOUBLE)",
    "list_distinct(x_l)[1] = 'a'": "of VARCHAR[]",
    "list_intersect(x_l, x_r) = x_l": "VARCHAR[] = VARCHAR[]",
    "list_transform(x_l, a_r) = x_r": "in place of a lambda",
    "list_transform(x_l, lambda v, w, z: v) = x_r": "a lambda of 3 parameters",
    "list_reduce(x_l, lambda v, w: v || w) = 'a'": "list_reduce",
    "list_sort(x_l) = x_r": "the function list_sort",
    "[] = x_l": "a list of nothing",
    "a_l IN (SELECT 'x')": "with query",
    "(SELECT true)": "SELECT",
    "random() < 0.5": "the function random",
    "a_l COLLATE NOCASE = a_r": "COLLATE",
    "a_l = ANY(x_r)": "ANY",
    "a_l = $1": "$1",
    "a_l = b_l OR": "what the parser says",
}


@pytest.mark.parametrize(("written", "named"), REFUSED.items(), ids=REFUSED)
def test_what_is_not_known_is_refused_by_name(written: str, named: str) -> None:
    with pytest.raises(Uncompilable) as refusal:
        read_condition(written, COLUMNS)

    assert named.lower() in str(refusal.value).lower()


# What DuckDB fails on for some values, and where it does not come to them.
FAILING = (
    "CAST(a_l AS INTEGER) = 1",
    "CAST(a_l AS DATE) = CAST(b_r AS DATE)",
    "jaccard(a_l, a_r) > 0.5",
    "hamming(a_l, b_r) = 1",
    "length(a_l) // length(a_r) = 1",
    "length(a_l) % length(a_r) = 1",
    "strptime(a_l, '%Y-%m-%d') IS NULL",
)


@pytest.mark.parametrize("written", FAILING)
def test_a_condition_fails_where_duckdb_fails(connection: duckdb.DuckDBPyConnection, written: str) -> None:
    with pytest.raises(duckdb.Error):
        in_duckdb(connection, written)
    compute = compiled(written)

    with pytest.raises(FailedConditionError):
        [compute(*pair) for pair in PAIRS]


@pytest.mark.parametrize(
    "written",
    [
        "jaccard(nullif(a_l, ''), nullif(a_r, '')) > 0.5",
        "CASE WHEN strlen(a_l) = strlen(a_r) AND a_l <> '' THEN hamming(a_l, a_r) END = 1",
        "length(a_l) // nullif(length(a_r), 0) = 1",
    ],
)
def test_what_stands_behind_a_guard_does_not_fail(
    connection: duckdb.DuckDBPyConnection, written: str
) -> None:
    assert not differences(connection, written, PAIRS)


def test_an_arrow_is_a_lambda_as_before() -> None:
    arrow = compiled("list_transform(x_l, v -> left(v, 1))")

    assert arrow({"x": ["ana", "reis"]}, {}) == ("a", "r")


def test_names_of_columns_have_no_case() -> None:
    compute = compiled('A_L = "B_r"')

    assert compute({"a": "ana"}, {"b": "ana"}) is True
