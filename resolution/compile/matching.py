"""Functions with a part that must be written into the condition: patterns, formats of dates, units of time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from resolution.compile.expressions import Call, Constant, Expression, Uncompilable, is_literal
from resolution.compile.functions import day
from resolution.compile.runtime.dates import date_format
from resolution.compile.runtime.patterns import PatternError, check_template, like, regular_expression
from resolution.compile.runtime.texts import lower
from resolution.compile.sql_types import BOOLEAN, INTEGER, NULL, TEXT, TIMESTAMP, SqlType

_ANY: Final = SqlType("pattern")

_UNITS: Final = {
    **dict.fromkeys(("day", "days", "d", "dayofmonth"), "day"),
    **dict.fromkeys(("week", "weeks", "w"), "week"),
    **dict.fromkeys(("month", "months", "mon", "mons"), "month"),
    **dict.fromkeys(("quarter", "quarters"), "quarter"),
    **dict.fromkeys(("year", "years", "yr", "yrs", "y"), "year"),
}
_PARTS: Final = {"day": "day_of_month", "month": "month", "year": "year"}


def match_like(
    value: Expression, pattern: Expression, escape: Expression | None, *, ignores_case: bool
) -> Expression:
    """LIKE and ILIKE."""
    if NULL in (value.type, pattern.type):
        return Constant(BOOLEAN, None)
    written = written_text(pattern, "LIKE")
    _require_text(value, "LIKE")
    escaping = written_text(escape, "ESCAPE") if escape else ""
    with_pattern = _compiled(like, lower(written) if ignores_case else written, escaping)
    folded = Call(TEXT, "texts_lower({0})", (value,)) if ignores_case else value
    return Call(BOOLEAN, "({1}.fullmatch({0}) is not None)", (folded, with_pattern))


def regexp_matches(arguments: Sequence[Expression]) -> Expression:
    value, pattern, *options = arguments
    expression = _expression(value, pattern, options)
    return Call(BOOLEAN, "({1}.search({0}) is not None)", (value, expression))


def regexp_full_match(arguments: Sequence[Expression]) -> Expression:
    value, pattern, *options = arguments
    expression = _expression(value, pattern, options)
    return Call(BOOLEAN, "({1}.fullmatch({0}) is not None)", (value, expression))


def regexp_extract(arguments: Sequence[Expression]) -> Expression:
    value, pattern, *rest = arguments
    group, *options = rest or [Constant(INTEGER, 0)]
    if group.type != INTEGER or not is_literal(group):
        raise Uncompilable("regexp_extract of a group that is no number")
    return Call(TEXT, "patterns_extract({1}, {0}, {2})", (value, _expression(value, pattern, options), group))


def regexp_replace(arguments: Sequence[Expression]) -> Expression:
    value, pattern, by, *rest = arguments
    options = written_text(rest[0], "regexp_replace") if rest else ""
    expression = _expression(value, pattern, [Constant(TEXT, options.replace("g", ""))])
    template = written_text(by, "regexp_replace")
    compiled: re.Pattern[str] = expression.value
    _compiled(check_template, compiled, template)
    if "g" in options and compiled.fullmatch("") is not None:
        raise Uncompilable("regexp_replace of every match of a pattern that matches nothing")
    count = Constant(INTEGER, 0 if "g" in options else 1)
    return Call(
        TEXT, "patterns_replacement({1}, {0}, {2}, {3})", (value, expression, Constant(TEXT, template), count)
    )


def _expression(value: Expression, pattern: Expression, options: Sequence[Expression]) -> Constant:
    _require_text(value, "a regular expression")
    flags = "".join(written_text(each, "a regular expression") for each in options)
    return _compiled(regular_expression, written_text(pattern, "a regular expression"), flags)


def strptime(value: Expression, formats: Expression, *, is_try: bool) -> Expression:
    _require_text(value, "strptime")
    patterns = []
    for written in written_texts(formats, "strptime"):
        found = date_format(written)
        if found is None:
            raise Uncompilable(f"the date format {written!r}; %Y, %m and %d without blanks are known")
        patterns.append(Constant(_ANY, found))
    template = "dates_date_by_format({all})"
    parsed = Call(TIMESTAMP, template, (value, *patterns), may_be_null=True)
    if is_try:
        return parsed
    return Call(TIMESTAMP, f"required({template}, 'TIMESTAMP')", parsed.arguments, may_fail=True)


def date_diff(unit: str, first: Expression, last: Expression) -> Expression:
    name = _UNITS.get(unit.lower())
    taken = day(first), day(last)
    if name is None or taken[0] is None or taken[1] is None:
        raise Uncompilable(f"date_diff('{unit}', {first.type}, {last.type})")
    return Call(INTEGER, f"dates_{name}s_between({{0}}, {{1}})", (taken[0], taken[1]), may_be_null=True)


def date_part(unit: str, value: Expression) -> Expression:
    name, taken = _PARTS.get(_UNITS.get(unit.lower(), "")), day(value)
    if name is None or taken is None:
        raise Uncompilable(f"date_part('{unit}', {value.type})")
    return Call(INTEGER, f"dates_{name}({{0}})", (taken,), may_be_null=True)


def written_text(expression: Expression, part_of: str) -> str:
    if not isinstance(expression, Constant) or not isinstance(expression.value, str):
        raise Uncompilable(f"{part_of} with a part that is not written into the condition")
    return expression.value


def written_texts(expression: Expression, part_of: str) -> list[str]:
    """A text, or a list of them."""
    if isinstance(expression, Constant) and isinstance(expression.value, tuple):
        return [written_text(Constant(TEXT, each), part_of) for each in expression.value]
    return [written_text(expression, part_of)]


def _require_text(value: Expression, part_of: str) -> None:
    if value.type not in (TEXT, NULL):
        raise Uncompilable(f"{part_of} of {value.type}")


def _compiled(make: Callable[..., object], *parts: object) -> Constant:
    try:
        return Constant(_ANY, make(*parts))
    except PatternError as error:
        raise Uncompilable(str(error)) from error
