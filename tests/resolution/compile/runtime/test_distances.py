"""String distances are DuckDB's to the last bit, on any text."""

from __future__ import annotations

import random
from collections.abc import Callable

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolution.compile.runtime import distances

# Few letters, so that texts are alike; letters of one to four bytes that share some of them.
ALPHABETS = ("ab", "abc", "abcdefgh", "aeéã", "a👩👧é", "abcdefghijklmnopqrstuvwxyz -")

Pairs = list[tuple[str, str]]


def _some_pairs(seed: int) -> Pairs:
    """Texts of any length up to some past a machine word, often a few letters apart or one the other's beginning."""
    chosen = random.Random(seed)
    return [_pair(chosen) for _ in range(500)]


def _pair(chosen: random.Random) -> tuple[str, str]:
    letters, longest = chosen.choice(ALPHABETS), chosen.choice([3, 8, 8, 14, 90])
    left, right = ("".join(chosen.choices(letters, k=chosen.randrange(longest))) for _ in range(2))
    place = chosen.randrange(len(left) + 1)
    near = left[:place] + chosen.choice(["", *letters]) + left[place + chosen.randrange(2) :]
    swapped = left[:place] + left[place : place + 2][::-1] + left[place + 2 :]
    return left, chosen.choice([right, near, swapped, left[:place] + right])


_pairs = st.integers(0, 2**32).map(_some_pairs)


def _in_duckdb(function: str, pairs: Pairs) -> list[float]:
    table = pa.table({"l": [left for left, _ in pairs], "r": [right for _, right in pairs]})
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("pairs", table)
        return [value for (value,) in connection.execute(f"SELECT {function}(l, r) FROM pairs").fetchall()]  # noqa: S608


@pytest.mark.parametrize(
    ("function", "compute"),
    [
        ("levenshtein", distances.levenshtein),
        ("damerau_levenshtein", distances.damerau_levenshtein),
        ("jaro_similarity", distances.jaro),
        ("jaro_winkler_similarity", distances.jaro_winkler),
    ],
)
@settings(max_examples=4, deadline=None)
@given(pairs=_pairs)
def test_a_distance_is_that_of_duckdb(function: str, compute: Callable[..., float], pairs: Pairs) -> None:
    found = [compute(distances.octets(left), distances.octets(right)) for left, right in pairs]

    assert found == _in_duckdb(function, pairs)


@settings(max_examples=4, deadline=None)
@given(_pairs.map(lambda pairs: [pair for pair in pairs if all(pair)]))
def test_jaccard_is_that_of_duckdb(pairs: Pairs) -> None:
    found = [distances.jaccard(distances.octets(left), distances.octets(right)) for left, right in pairs]

    assert found == _in_duckdb("jaccard", pairs)


@settings(max_examples=4, deadline=None)
@given(_pairs)
def test_hamming_is_that_of_duckdb(pairs: Pairs) -> None:
    even = [(left, right) for left, right in pairs if len(left.encode()) == len(right.encode()) > 0]
    found = [distances.hamming(distances.octets(left), distances.octets(right)) for left, right in even]

    assert found == _in_duckdb("hamming", even)


@settings(max_examples=4, deadline=None)
@given(_pairs)
def test_one_apart_is_a_damerau_levenshtein_distance_of_one(pairs: Pairs) -> None:
    found = [distances.is_one_apart(distances.octets(left), distances.octets(right)) for left, right in pairs]

    assert found == [distance == 1 for distance in _in_duckdb("damerau_levenshtein", pairs)]


def test_a_name_and_its_double_stand_exactly_at_nine_tenths() -> None:
    # Jaro 5/6, and four letters in common: 0.9 but for rounding, which decides the level.
    pairs = [("luca", "lucabcde"), ("jose", "josefina"), ("ana ", "ana elis"), ("caio", "caioabcd")]
    found = [distances.jaro_winkler(*pair) for pair in pairs]

    assert found == _in_duckdb("jaro_winkler_similarity", pairs)
    assert found == pytest.approx([0.9] * 4)


def test_a_text_in_ascii_and_one_that_is_not_share_their_beginning() -> None:
    found = distances.jaro_winkler(distances.octets("ana"), distances.octets("anaé 12"))

    assert [found] == _in_duckdb("jaro_winkler_similarity", [("ana", "anaé 12")])
