"""Birth dates in the source's habit: order, separators, compact, two-digit years, partial dates, placeholders."""

import re
from datetime import date

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.text import fold_text

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_PARTED = re.compile(r"(\d{1,4})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{1,4})")
_DAY_MONTH = re.compile(r"(\d{1,2})[-/.](\d{1,2})")
_TIME = re.compile(r"[t ]\d{1,2}:\d\d.*$")
_WORDED = re.compile(
    r"(\d{1,2})(?:o|st|nd|rd|th)?[\s/.-]*(?:de\s+)?([a-z]{3,9})\.?[\s/.,-]*(?:de\s+)?(\d{2,4})"
)
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{2,4})")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan",
            "fev feb",
            "mar",
            "abr apr",
            "mai may",
            "jun",
            "jul",
            "ago aug",
            "set sep",
            "out oct",
            "nov",
            "dez dec",
        ),
        1,
    )
    for name in names.split()
}
# Defaults of systems: first days of epochs, the zero of spreadsheets, the least and greatest date of databases.
_PLACEHOLDERS = frozenset(
    (
        "1900-01-01",
        "1901-01-01",
        "1899-12-30",
        "1899-12-31",
        "1800-01-01",
        "1753-01-01",
        "1970-01-01",
        "2000-01-01",
    )
    + ("1111-11-11", "1969-12-31")
)
_LEAST_YEAR = 1000


def standardize_date(raw: str, order: str, latest: date) -> str:
    """'1980-02-29', '1980' (only the year known) or '--11-03' (only day and month known).

    `order` is the source's habit for dates of digits: dmy, mdy or ymd; a date possible only the other way
    round is read that way. `latest` is the day the record spoke: a two-digit year is the last such year
    before it. A first of January before 1900 says the year alone, as registers write it.
    Raises RefusedValueError: placeholder, future, invalid.
    """
    if match := _ISO.fullmatch(raw):
        year, month, day = map(int, match.groups())
        return _judge(year, month, day, latest)
    if len(raw) > 40:
        raise RefusedValueError("too_long")
    text = _TIME.sub("", fold_text(raw)).strip(" .,")
    if text.isdigit():
        return _compact(text, order, latest)
    if match := _PARTED.fullmatch(text):
        return _parted(match.groups(), order, latest)
    if match := _DAY_MONTH.fullmatch(text):
        return _day_month(int(match[1]), int(match[2]), order)
    if (match := _WORDED.fullmatch(text)) and (month := _MONTHS.get(match[2][:3], 0)):
        return _judge(_year(match[3], latest), month, int(match[1]), latest)
    if (match := _MONTH_FIRST.fullmatch(text)) and (month := _MONTHS.get(match[1][:3], 0)):
        return _judge(_year(match[3], latest), month, int(match[2]), latest)
    raise RefusedValueError("invalid")


def _compact(text: str, order: str, latest: date) -> str:
    if len(text) == 4:
        return _year_only(int(text), latest)
    if len(text) == 6:
        return _parted((text[:2], text[2:4], text[4:]), order, latest)
    if len(text) != 8:
        raise RefusedValueError("invalid" if text.strip("0") else "placeholder")
    year_first = (text[:4], text[4:6], text[6:])
    year_last = (text[:2], text[2:4], text[4:])
    for parts in (
        (year_first, year_last) if order == "ymd" or "1850" <= text[:4] <= "2099" else (year_last, year_first)
    ):
        try:
            return _parted(parts, order, latest)
        except RefusedValueError as refusal:
            if refusal.reason != "invalid":
                raise
    raise RefusedValueError("invalid")


def _parted(parts: tuple[str, ...], order: str, latest: date) -> str:
    first, middle, last = parts
    if len(first) > 2 or (order == "ymd" and len(last) <= 2):
        year, month, day = first, int(middle), int(last)
    elif order == "mdy":
        year, month, day = last, int(first), int(middle)
    else:
        year, month, day = last, int(middle), int(first)
    if len(year) == 3:
        raise RefusedValueError("invalid")
    if month > 12 >= day and order != "ymd":
        day, month = month, day
    return _judge(_year(year, latest), month, day, latest)


def _year(text: str, latest: date) -> int:
    year = int(text)
    if len(text) > 2:
        return year
    century = latest.year // 100 * 100
    return century + year if century + year <= latest.year else century - 100 + year


def _day_month(first: int, second: int, order: str) -> str:
    day, month = (second, first) if order == "mdy" or second > 12 else (first, second)
    try:
        return f"-{date(2000, month, day).isoformat()[4:]}"
    except ValueError:
        raise RefusedValueError("invalid") from None


def _year_only(year: int, latest: date) -> str:
    if year in (1111, 1900, 9999) or year < _LEAST_YEAR:
        raise RefusedValueError("placeholder")
    if year > latest.year:
        raise RefusedValueError("future")
    return str(year)


def _judge(year: int, month: int, day: int, latest: date) -> str:
    if year < _LEAST_YEAR or year == 9999:
        raise RefusedValueError("placeholder")
    try:
        born = date(year, month, day)
    except ValueError:
        raise RefusedValueError("invalid") from None
    iso = born.isoformat()
    if iso in _PLACEHOLDERS:
        raise RefusedValueError("placeholder")
    if born > latest:
        raise RefusedValueError("future")
    return iso[:4] if year < 1900 and month == 1 and day == 1 else iso
