"""Patterns match what they match in DuckDB, whose expressions are those of RE2."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from resolution.compile.runtime import patterns, texts

TEXTS = (
    "",
    "a",
    "ab",
    "abc",
    "kK",
    "ſs\u212a",
    "é",
    "10",
    "a b\n",
    "\nab",
    "aabbcc",
    "a-b_c",
    "\v \t",
    "a]",
    "K1 k1",
    "bca10&~",
)

_members = st.sampled_from(
    ["a", "k", "-", "a-c", "J-L", "0-9", r"\d", r"\w", r"\s", "[:alpha:]", "é", r"\]", "&&", "."]
)
_brackets = st.tuples(st.sampled_from(["", "^"]), st.lists(_members, min_size=1, max_size=3)).map(
    lambda parts: f"[{parts[0]}{''.join(parts[1])}]"
)
_atoms = st.one_of(
    st.sampled_from(
        [*"abckKsS10é -_&~", r"\.", ".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\b", "^", "$", r"\n"]
    ),
    _brackets,
)
_repetitions = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "*?", "+?"])
_expressions = st.recursive(
    st.tuples(_atoms, _repetitions).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(st.sampled_from(["(", "(?:"]), inner, st.just(")"), _repetitions).map("".join),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect(config={"threads": 1})
    opened.register("texts", pa.table({"s": TEXTS}))
    return opened


@settings(max_examples=100, deadline=None)
@given(pattern=_expressions, options=st.sampled_from(["", "", "i", "s", "c"]))
def test_an_expression_that_is_not_refused_matches_as_in_duckdb(
    connection: duckdb.DuckDBPyConnection, pattern: str, options: str
) -> None:
    try:
        expression = patterns.regular_expression(pattern, options)
    except patterns.PatternError:
        assume(False)
    group = min(1, expression.groups)
    found = [
        (
            expression.search(text) is not None,
            expression.fullmatch(text) is not None,
            patterns.extract(expression, text, group),
            patterns.replacement(expression, text, r"<\0>", 1),
        )
        for text in TEXTS
    ]

    given_twice = [pattern, options]
    assert (
        found
        == connection.execute(
            "SELECT regexp_matches(s, $1, $2), regexp_full_match(s, $1, $2), regexp_extract(s, $1, $3, $2), "
            r"regexp_replace(s, $1, '<\0>', $2) FROM texts",
            [*given_twice, group],
        ).fetchall()
    )


@settings(max_examples=60, deadline=None)
@given(pattern=st.text("ab%_éÉ!.kK", max_size=6))
def test_a_like_pattern_matches_as_in_duckdb(connection: duckdb.DuckDBPyConnection, pattern: str) -> None:
    assume(not (pattern.count("!") and pattern.endswith("!")))
    plain, escaped = patterns.like(pattern), patterns.like(pattern, "!")
    without_case = patterns.like(texts.lower(pattern))
    found = [
        (
            plain.fullmatch(text) is not None,
            escaped.fullmatch(text) is not None,
            without_case.fullmatch(texts.lower(text)) is not None,
        )
        for text in TEXTS
    ]

    assert (
        found
        == connection.execute(
            "SELECT s LIKE $1, s LIKE $1 ESCAPE '!', s ILIKE $1 FROM texts", [pattern]
        ).fetchall()
    )
