"""Birth dates: the source's order, separators, two-digit years, partial dates, placeholders, the future."""

import pytest

from resolution.standardize.dates import standardize_date, year_of
from resolution.standardize.shapes import RefusedValueError

ACCEPTED = {
    "ISO": ("1980-02-29", "dmy", "1980-02-29"),
    "ISO in an American source": ("1980-02-29", "mdy", "1980-02-29"),
    "ISO with time": ("1980-02-29T00:00:00Z", "dmy", "1980-02-29"),
    "slashes, day first": ("27/08/1965", "dmy", "1965-08-27"),
    "slashes, month first": ("08/07/1965", "mdy", "1965-08-07"),
    "slashes, day first by habit": ("08/07/1965", "dmy", "1965-07-08"),
    "year first": ("1965/08/27", "ymd", "1965-08-27"),
    "only possible the other way": ("08/27/1965", "dmy", "1965-08-27"),
    "points": ("27.8.1965", "dmy", "1965-08-27"),
    "dashes": ("27-08-1965", "dmy", "1965-08-27"),
    "with time": ("27/08/1965 00:00:00", "dmy", "1965-08-27"),
    "compact, year first": ("19650827", "dmy", "1965-08-27"),
    "compact, day first": ("27081965", "dmy", "1965-08-27"),
    "compact, month first": ("08271965", "mdy", "1965-08-27"),
    "compact, doubtful": ("20121965", "dmy", "1965-12-20"),
    "two-digit year of the last century": ("10/05/85", "dmy", "1985-05-10"),
    "two-digit year of this century": ("10/05/12", "dmy", "2012-05-10"),
    "six digits": ("100585", "dmy", "1985-05-10"),
    "two-digit year first": ("85-05-10", "ymd", "1985-05-10"),
    "year only": ("1980", "dmy", "1980"),
    "day and month only": ("03/11", "dmy", "--11-03"),
    "day and month, American": ("11/03", "mdy", "--11-03"),
    "month in words": ("27 de agosto de 1965", "dmy", "1965-08-27"),
    "month in short": ("27-ago-1965", "dmy", "1965-08-27"),
    "English month": ("Aug 27, 1965", "mdy", "1965-08-27"),
    "first of January before 1900 is a year": ("1843-01-01", "dmy", "1843"),
    "first of January after 1900 is a day": ("1943-01-01", "dmy", "1943-01-01"),
}

REFUSED = {
    "31 February": ("31/02/1980", "dmy", "invalid"),
    "29 February of a common year": ("1981-02-29", "dmy", "invalid"),
    "month 13 and day 13": ("13/13/1980", "dmy", "invalid"),
    "1900": ("1900-01-01", "dmy", "placeholder"),
    "1900 day first": ("01/01/1900", "dmy", "placeholder"),
    "1900 compact": ("19000101", "dmy", "placeholder"),
    "1901": ("1901-01-01", "dmy", "placeholder"),
    "year 1": ("0001-01-01", "dmy", "placeholder"),
    "zeros": ("00/00/0000", "dmy", "placeholder"),
    "zeros compact": ("00000000", "dmy", "placeholder"),
    "9999": ("9999-12-31", "dmy", "placeholder"),
    "epoch": ("01/01/1970", "dmy", "placeholder"),
    "spreadsheet zero": ("30/12/1899", "dmy", "placeholder"),
    "year 1900": ("1900", "dmy", "placeholder"),
    "future": ("2026-11-23", "dmy", "future"),
    "future year": ("2027", "dmy", "future"),
    "words": ("não sei", "dmy", "invalid"),
    "spreadsheet serial": ("23981", "dmy", "invalid"),
    "too long": ("1" * 41, "dmy", "too_long"),
}


@pytest.mark.parametrize(("raw", "order", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_date_is_kept_as(raw: str, order: str, expected: str) -> None:
    assert standardize_date(raw, order, "2026-11-22") == expected


@pytest.mark.parametrize(("raw", "order", "reason"), REFUSED.values(), ids=REFUSED)
def test_date_is_refused_as(raw: str, order: str, reason: str) -> None:
    with pytest.raises(RefusedValueError) as refusal:
        standardize_date(raw, order, "2026-11-22")

    assert refusal.value.reason == reason


OLD = {
    "the year alone": ("1700-01-01", "2026-11-22", "out_of_range"),
    "a day": ("1880-05-17", "2026-11-22", "out_of_range"),
    "a year": ("1880", "2026-11-22", "out_of_range"),
    "the day before": ("1906-11-21", "2026-11-22", "out_of_range"),
    "before 1900 in its time": ("1700-01-02", "1900-05-05", "out_of_range"),
    "what is a placeholder": ("1900-01-01", "2026-11-22", "placeholder"),
}


@pytest.mark.parametrize(("raw", "spoken_on", "reason"), OLD.values(), ids=OLD)
def test_nobody_was_above_120_when_the_record_spoke(raw: str, spoken_on: str, reason: str) -> None:
    with pytest.raises(RefusedValueError) as refusal:
        standardize_date(raw, "dmy", spoken_on, is_dated=True)

    assert refusal.value.reason == reason


@pytest.mark.parametrize("raw", ["1906-11-22", "1906", "17/05", "1980-02-29"])
def test_the_oldest_are_taken(raw: str) -> None:
    assert standardize_date(raw, "dmy", "2026-11-22", is_dated=True)


def test_two_digit_year_hangs_on_when_the_record_spoke() -> None:
    assert standardize_date("10/05/12", "dmy", "2010-01-01") == "1912-05-10"


def test_year_of_an_impossible_date_is_kept() -> None:
    assert year_of("1861-02-79", "2026-11-22") == "1861"
    assert year_of("31/02/2090", "2026-11-22") is None
