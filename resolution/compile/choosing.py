"""One value out of several: CASE, coalesce, nullif, least and greatest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from resolution.compile.comparing import compare
from resolution.compile.expressions import Call, Case, Constant, Expression, Is, Not, Uncompilable
from resolution.compile.sql_types import BOOLEAN, LOOSE_DOUBLE, NULL, choice_type

_TRUE: Final = Constant(BOOLEAN, True)
_FALSE: Final = Constant(BOOLEAN, False)


def choose(branches: Sequence[tuple[Expression, Expression]], default: Expression) -> Expression:
    results = [result for _, result in branches] + [default]
    kind = choice_type([each.type for each in results])
    if kind is None:
        raise Uncompilable(f"a choice between {' and '.join(str(each.type) for each in results)}")
    return Case(kind, tuple(branches), default)


def coalesce(values: Sequence[Expression]) -> Expression:
    *firsts, last = values
    kind = choice_type([each.type for each in values])
    if kind is None:
        raise Uncompilable(f"coalesce({', '.join(str(each.type) for each in values)})")
    if kind != BOOLEAN:
        return Call(kind, "lists_first_present({all})", tuple(values), False, last.is_nullable)
    for first in reversed(firsts):
        last = _unless_null(first, last)
    return last


def _unless_null(first: Expression, otherwise: Expression) -> Expression:
    """coalesce of conditions, in conditions."""
    if otherwise == _FALSE:
        return Is(BOOLEAN, first, True)
    if otherwise == _TRUE:
        return Not(BOOLEAN, Is(BOOLEAN, first, False))
    return Case(BOOLEAN, ((Is(BOOLEAN, first, True), _TRUE), (Is(BOOLEAN, first, False), _FALSE)), otherwise)


def nullif(value: Expression, other: Expression) -> Expression:
    if value.type == NULL:
        return value
    equal = compare("=", value, other)
    return Case(value.type, ((equal, Constant(value.type, None)),), value)


def extreme(name: str, values: Sequence[Expression]) -> Expression:
    kind = choice_type([each.type for each in values])
    if kind is None or kind.element:
        raise Uncompilable(f"{name}({', '.join(str(each.type) for each in values)})")
    key = ", key=numbers_order" if kind == LOOSE_DOUBLE else ""
    is_nullable = all(each.is_nullable for each in values)
    return Call(kind, f"lists_{name}({{all}}{key})", tuple(values), False, is_nullable)
