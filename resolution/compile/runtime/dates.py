"""Dates as DuckDB takes them, as the number of the day since 1970-01-01 in the proleptic Gregorian calendar.

An infinite one is a day beyond all others, either way, as in DuckDB. Timestamps are dates here: they only come from
texts without a time of day.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final

SECONDS_A_DAY: Final = 86_400.0

_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_INFINITY: Final = 2**31 - 1

_BLANKS = r"[ \t\n\v\f\r]*"
_OFFSET = r"[+-]\d\d(?::?\d\d|:\d\d:\d\d)?(?::\x20[A-Za-z0-9_/+:-]*)?"
_ZONE = rf"(?:(?:Z|{_OFFSET}|\x20[A-Za-z0-9_/+:-]*){_BLANKS})?"
_TIME = rf"[\sT]{_BLANKS}(\d{{1,10}}):(?:(\d\d?)(?::(?:(\d\d?)(?:\.(\d*))?)?)?)?{_ZONE}"
_DATE = re.compile(
    rf"{_BLANKS}(-?)(\d{{1,9}})([ \-/\\])(\d\d?)\3(\d\d?)(?!\d)(\s\([bB][cC]\))?(?:{_TIME}|{_BLANKS})",
    re.ASCII,
)
_CODES = {"%Y": r"(?P<year>\d{1,4}+)", "%m": r"(?P<month>\d{1,2}+)", "%d": r"(?P<day>\d{1,2}+)"}
_SPECIAL = re.compile(rf"{_BLANKS}(-?)(infinity|inf|epoch){_BLANKS}", re.ASCII | re.IGNORECASE)


# The special dates, which strptime of DuckDB knows and does not read: it leaves its own first day.
_UNREAD = re.compile(rf"{_BLANKS}(-?infinity|epoch){_BLANKS}", re.ASCII | re.IGNORECASE)
_UNREAD_DAY: Final = -25_567


def day_of(year: int, month: int, day: int) -> int | None:
    """Null for a date that is not in the calendar. Year 0 is 1 before Christ.

    Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    """
    if not 1 <= month <= 12 or not 1 <= day <= _MONTHS[month - 1] + (month == 2 and _is_leap(year)):
        return None
    shifted = year - (month <= 2)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    number = era * 146_097 + day_of_era - 719_468
    return number if is_finite(number) else None


def civil(number: int) -> tuple[int, int, int]:
    """Year, month, day. Source: the same, civil_from_days."""
    number += 719_468
    era = number // 146_097
    day_of_era = number - era * 146_097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    return (
        year_of_era + era * 400 + (month <= 2),
        month,
        day_of_year - (153 * shifted_month + 2) // 5 + 1,
    )


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def date_of_text(text: str) -> int | None:
    """A cast: year, month and day with one separator; a possible time of day counts for nothing but must be one."""
    found = _DATE.fullmatch(text)
    if found is None:
        return _special_date(text)
    sign, year_text, _, month, day, before_christ, *time = found.groups()
    year = -int(year_text) if sign else int(year_text)
    if before_christ:
        if year <= 0:
            return None
        year = 1 - year
    return day_of(year, int(month), int(day)) if _is_time(*time) else None


def _special_date(text: str) -> int | None:
    found = _SPECIAL.fullmatch(text)
    if found is None:
        return None
    sign, name = found.groups()
    if name.lower() == "epoch":
        return 0
    return -_INFINITY if sign else _INFINITY


def _is_time(hour: str | None, minute: str | None, second: str | None, fraction: str | None) -> bool:
    parts = int(hour or 0), int(minute or 0), int(second or 0)
    if parts == (24, 0, 0):
        return not int((fraction or "0")[:6])
    return parts[0] < 24 and parts[1] < 60 and parts[2] < 60


def is_finite(day: int) -> bool:
    return -_INFINITY < day < _INFINITY


def year(day: int) -> int | None:
    return civil(day)[0] if is_finite(day) else None


def month(day: int) -> int | None:
    return civil(day)[1] if is_finite(day) else None


def day_of_month(day: int) -> int | None:
    return civil(day)[2] if is_finite(day) else None


def epoch(day: int) -> float | None:
    """Seconds since 1970."""
    return day * SECONDS_A_DAY if is_finite(day) else None


def add(day: int, count: int) -> int:
    """An infinite date stays so."""
    return day + count if is_finite(day) else day


def days_between(first: int, last: int) -> int | None:
    """Null with an infinite one, as all of these; of the longer parts the boundaries that lie between are counted."""
    return last - first if is_finite(first) and is_finite(last) else None


def _boundaries(part: Callable[[int, int, int], int]) -> Callable[[int, int], int | None]:
    def between(first: int, last: int) -> int | None:
        if is_finite(first) and is_finite(last):
            return part(*civil(last)) - part(*civil(first))
        return None

    return between


months_between = _boundaries(lambda year, month, _: year * 12 + month)
quarters_between = _boundaries(lambda year, month, _: math.trunc((year * 12 + month - 1) / 3))
years_between = _boundaries(lambda year, _, __: year)


def weeks_between(first: int, last: int) -> int | None:
    """Whole weeks, wherever they begin."""
    days = days_between(first, last)
    return None if days is None else math.trunc(days / 7)


def date_format(pattern: str) -> re.Pattern[str] | None:
    """A strptime pattern of %Y, %m and %d without blanks, as a regular expression; None for any other."""
    parts = re.split("(%.?)", pattern)
    codes = [part for part in parts if part.startswith("%")]
    if (
        not set(codes) <= set(_CODES)
        or len(set(codes)) < len(codes)
        or "%Y" not in codes
        or re.search(r"\s", pattern)
    ):
        return None
    body = "".join(_CODES.get(part, re.escape(part)) for part in parts)
    return re.compile(rf"{_BLANKS}{body}{_BLANKS}", re.ASCII)


def date_by_format(text: str, *formats: re.Pattern[str]) -> int | None:
    """By the first format that fits; what it leaves out is the first."""
    for each in formats:
        if found := each.fullmatch(text):
            parts = found.groupdict()
            day = day_of(int(parts["year"]), int(parts.get("month", 1)), int(parts.get("day", 1)))
            if day is not None:
                return day
    return _UNREAD_DAY if _UNREAD.fullmatch(text) else None
