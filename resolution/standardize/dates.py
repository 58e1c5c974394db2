"""Birth dates in the source's habit: order, separators, two-digit years, partial dates, placeholders."""

import re
from datetime import date

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import numbers_of, words_of
from resolution.standardize.text import fold_text

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_PARTED = re.compile(r"(\d{1,4}) ?[-/. ] ?(\d{1,2}) ?[-/. ] ?(\d{1,4})")
_DAY_MONTH = re.compile(r"(\d{1,2})[-/.](\d{1,2})")
_TIME = re.compile(r"[t ] ?\d{1,2}:\d\d.*$")
_DAY_WORD_YEAR = re.compile(
    r"(\d{1,2})(?:o|st|nd|rd|th)?[ /.-]*(?:de )?([a-z]{3,9})[ /.,-]*(?:de )?(\d{2,4})"
)
_WORD_DAY_YEAR = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{2,4})")
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
_LONGEST = 40
_LEAST_YEAR = 1000
# One person on record lived longer: an older customer is a typing error.
_OLDEST_YEARS = 120


def standardize_date(raw: str, order: str, latest: str, *, is_dated: bool = False) -> str:
    """'1980-02-29', '1980' (only the year is known) or '--11-03' (only month and day are known).

    `order` is the source's habit for dates of digits: dmy, mdy or ymd; a date possible only the other way
    round is read that way. `latest` (ISO) is the day the record spoke: a two-digit year is the last such
    year before it. A first of January before 1900 says the year alone, as registers write it.
    Is dated: the record says when it spoke, and nobody was above 120 then; a register without dates may be of any time.
    Raises RefusedValueError: placeholder, future, out_of_range, invalid, too_long.
    """
    born = _read(raw, order, latest)
    if is_dated and is_too_old(born, latest):
        raise RefusedValueError("out_of_range")
    return born


def is_too_old(born: str, latest: str) -> bool:
    """Whether who was born then, or in that year, was above 120 on the latest day."""
    if born[0] == "-":
        return False
    return born < f"{int(latest[:4]) - _OLDEST_YEARS:04}{latest[4:]}"[: len(born)]


def _read(raw: str, order: str, latest: str) -> str:
    if match := _ISO.fullmatch(raw):
        return _judged(int(match[1]), int(match[2]), int(match[3]), latest)
    if len(raw) > _LONGEST:
        raise RefusedValueError("too_long")
    text = raw if raw[-1:].isdigit() and len(raw) <= 10 else _TIME.sub("", fold_text(raw)).strip(" .,")
    if text.isdecimal():
        return _compact(text, order, latest)
    if match := _PARTED.fullmatch(text):
        return _parted(match[1], match[2], match[3], order=order, latest=latest)
    if match := _DAY_MONTH.fullmatch(text):
        return _day_month(int(match[1]), int(match[2]), order)
    return _worded(fold_text(text), latest)


def year_of(raw: str, latest: str) -> str | None:
    """The year of a date whose day or month is impossible: '1861-02-79' -> '1861'."""
    years = _YEAR.findall(raw[:_LONGEST])
    return years[0] if len(years) == 1 and years[0] <= latest[:4] else None


def _compact(text: str, order: str, latest: str) -> str:
    if len(text) == 4:
        return _year_only(int(text), latest)
    if len(text) == 6:
        return _parted(text[:2], text[2:4], text[4:], order=order, latest=latest)
    if len(text) != 8:
        raise RefusedValueError("invalid" if text.strip("0") else "placeholder")
    year_first = (text[:4], text[4:6], text[6:])
    year_last = (text[:2], text[2:4], text[4:])
    likely_first = order == "ymd" or "1850" <= text[:4] <= "2099"
    try:
        return _parted(*(year_first if likely_first else year_last), order=order, latest=latest)
    except RefusedValueError as refusal:
        if refusal.reason == "placeholder":
            raise
        return _parted(*(year_last if likely_first else year_first), order=order, latest=latest)


def _parted(first: str, middle: str, last: str, *, order: str, latest: str) -> str:
    if len(first) > 2 or (order == "ymd" and len(last) <= 2):
        year, month, day = first, int(middle), int(last)
    elif order == "mdy":
        year, month, day = last, int(first), int(middle)
    else:
        year, month, day = last, int(middle), int(first)
    if len(year) == 3:
        raise RefusedValueError("invalid")
    if month > 12 >= day:
        day, month = month, day
    return _judged(_whole_year(year, latest), month, day, latest)


def _worded(text: str, latest: str) -> str:
    months = numbers_of("dates", "months")
    if (match := _DAY_WORD_YEAR.fullmatch(text)) and (month := months.get(match[2][:3])):
        return _judged(_whole_year(match[3], latest), month, int(match[1]), latest)
    if (match := _WORD_DAY_YEAR.fullmatch(text)) and (month := months.get(match[1][:3])):
        return _judged(_whole_year(match[3], latest), month, int(match[2]), latest)
    raise RefusedValueError("invalid")


def _whole_year(text: str, latest: str) -> int:
    year = int(text)
    if len(text) > 2:
        return year
    latest_year = int(latest[:4])
    century = latest_year // 100 * 100
    return century + year if century + year <= latest_year else century - 100 + year


def _day_month(first: int, second: int, order: str) -> str:
    day, month = (second, first) if (order == "mdy" and first <= 12) or second > 12 else (first, second)
    try:
        return f"-{date(2000, month, day).isoformat()[4:]}"
    except ValueError:
        raise RefusedValueError("invalid") from None


def _year_only(year: int, latest: str) -> str:
    if str(year) in words_of("dates", "placeholder_years") or year < _LEAST_YEAR:
        raise RefusedValueError("placeholder")
    if year > int(latest[:4]):
        raise RefusedValueError("future")
    return str(year)


def _judged(year: int, month: int, day: int, latest: str) -> str:
    if year < _LEAST_YEAR or year == 9999:
        raise RefusedValueError("placeholder")
    try:
        born = date(year, month, day).isoformat()
    except ValueError:
        raise RefusedValueError("invalid") from None
    if born in words_of("dates", "placeholders"):
        raise RefusedValueError("placeholder")
    if born > latest:
        raise RefusedValueError("future")
    return born[:4] if year < 1900 and born.endswith("-01-01") else born
