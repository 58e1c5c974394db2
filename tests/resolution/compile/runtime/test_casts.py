"""Dates and numbers are read from texts as DuckDB reads them, whatever the text."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolution.compile.runtime import dates, numbers

DATES = (
    "2000-02-29",
    "1999-2-30",
    "1999/12/31",
    "-5-1-2",
    "12345-1-1",
    "0099-12-31 (BC)",
    "infinity",
    "2000-02-03 10:10",
    "2000-02-03T24:00:00.0 ",
    "2000-02-03 10:10:10.5+05:30",
    "2000-02-03 1:2 UTC",
)
NUMBERS = (
    "12",
    "-12.5",
    "+.5",
    "5.",
    "1e3",
    "15e-1",
    "1_000",
    "0x1f",
    "0b101",
    "nan",
    "-Infinity",
    "99999999999",
    "2147483647.4",
    "9223372036854775807",
)


def _spoiled(wholes: Sequence[str], letters: str) -> st.SearchStrategy[list[str]]:
    """The texts, many times, with up to three characters put in, taken out or changed."""

    def drawn(seed: int) -> list[str]:
        chosen = random.Random(seed)
        return [_spoilt(chosen.choice(wholes), letters, chosen) for _ in range(1_000)]

    return st.integers(0, 2**32).map(drawn)


def _spoilt(text: str, letters: str, chosen: random.Random) -> str:
    for _ in range(chosen.randrange(4)):
        place = chosen.randrange(len(text) + 1)
        text = text[:place] + chosen.choice(["", *letters]) + text[place + chosen.randrange(2) :]
    return text


def _in_duckdb(selected: str, written: list[str], source: str = "texts") -> list[tuple[Any, ...]]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("texts", pa.table({"s": written}))
        return connection.execute(f"SELECT {selected} FROM {source}").fetchall()  # noqa: S608


def _described(day: int | None) -> tuple[Any, ...]:
    """Whether it is infinite, and its epoch, year, month and day."""
    if day is None:
        return (None,) * 5
    return (
        not dates.is_finite(day),
        dates.epoch(day),
        dates.year(day),
        dates.month(day),
        dates.day_of_month(day),
    )


_DESCRIPTION = "isinf(d), epoch(d), year(d), month(d), day(d)"


@settings(max_examples=4, deadline=None)
@given(_spoiled(DATES, "0129-/  :.TZ+\\BC(\t"))
def test_a_text_is_cast_to_the_date_of_duckdb(written: list[str]) -> None:
    found = [_described(dates.date_of_text(text)) for text in written]

    expected = _in_duckdb(_DESCRIPTION, written, "(SELECT TRY_CAST(s AS DATE) AS d FROM texts)")
    assert _by_text(written, found) == _by_text(written, expected)


@pytest.mark.parametrize("pattern", ["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d.%m%Y", "%Y", "%Y-%m"])
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_a_text_is_parsed_to_the_date_of_duckdb(pattern: str, data: st.DataObject) -> None:
    fitting = pattern.replace("%Y", "2000").replace("%m", "02").replace("%d", "29")
    written = data.draw(_spoiled([fitting, fitting.replace("29", "30"), "infinity", "epoch"], "0129-/. \t"))
    expression = dates.date_format(pattern)
    assert expression is not None

    found = [_described(dates.date_by_format(text, expression)) for text in written]

    parsed = f"(SELECT try_strptime(s, '{pattern}') AS d FROM texts)"  # noqa: S608
    assert _by_text(written, found) == _by_text(written, _in_duckdb(_DESCRIPTION, written, parsed))


@settings(max_examples=4, deadline=None)
@given(_spoiled(NUMBERS, "0159.+-eE_x \t"))
def test_a_text_is_cast_to_the_whole_number_of_duckdb(written: list[str]) -> None:
    found = [tuple(numbers.whole_of_text(text, bits) for bits in (8, 32, 64)) for text in written]

    kinds = ", ".join(f"TRY_CAST(s AS {kind})" for kind in ("TINYINT", "INTEGER", "BIGINT"))
    assert _by_text(written, found) == _by_text(written, _in_duckdb(kinds, written))


@settings(max_examples=4, deadline=None)
@given(_spoiled(NUMBERS[:-4], "0159.+-eE_x \t"))
def test_a_text_is_cast_to_the_double_of_duckdb(written: list[str]) -> None:
    found = [_with_nan(numbers.double_of_text(text)) for text in written]

    expected = [_with_nan(number) for (number,) in _in_duckdb("TRY_CAST(s AS DOUBLE)", written)]
    assert _by_text(written, found) == _by_text(written, expected)


def _by_text(written: list[str], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(written, values, strict=True))


def _with_nan(number: float | None) -> float | str | None:
    return "NaN" if number is not None and math.isnan(number) else number


@settings(max_examples=4, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-1_000_000, 100_000)] * 2), min_size=50, max_size=200))
def test_the_time_between_two_dates_is_that_of_duckdb(pairs: list[tuple[int, int]]) -> None:
    counted = (
        dates.days_between,
        dates.weeks_between,
        dates.months_between,
        dates.quarters_between,
        dates.years_between,
    )
    found = [tuple(count(*pair) for count in counted) for pair in pairs]

    sides = ", ".join(
        f"DATE '1970-01-01' + split_part(s, ' ', {side})::INTEGER AS d{side}" for side in (1, 2)
    )
    units = ", ".join(f"date_diff('{unit}', d1, d2)" for unit in ("day", "week", "month", "quarter", "year"))
    written = [f"{first} {last}" for first, last in pairs]
    assert found == _in_duckdb(units, written, f"(SELECT {sides} FROM texts)")  # noqa: S608
