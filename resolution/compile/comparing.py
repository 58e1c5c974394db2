"""Comparisons and arithmetic: which types go together, and the short ways to what distances are mostly asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from resolution.compile.expressions import (
    Call,
    Constant,
    Each,
    Expression,
    Not,
    Uncompilable,
    Variable,
    is_literal,
)
from resolution.compile.functions import day, double
from resolution.compile.sql_types import (
    BOOLEAN,
    DATE,
    DAYS,
    DECIMAL,
    DOUBLE,
    DOUBLES,
    EXACT_NUMBERS,
    INTEGER,
    LOOSE_DOUBLE,
    NULL,
    NUMBERS,
    TEXT,
    SqlType,
    common_type,
)

_PYTHON: Final = {"=": "==", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_MIRRORED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DAMERAU: Final = "distances_damerau_levenshtein({0}, {1})"
_LEVENSHTEIN: Final = "distances_levenshtein({0}, {1})"
_LEAST: Final = "lists_minimum({0})"


def compare(operator: str, left: Expression, right: Expression) -> Expression:
    """operator: = <> < <= > >=. Raises Uncompilable for types that do not compare, or would be cast value by value."""
    if operator == "<>":
        return Not(BOOLEAN, compare("=", left, right))
    sides = comparable(left, right)
    if sides is None or (sides[0].type.element and operator != "="):
        raise Uncompilable(f"{left.type} {operator} {right.type}")
    left, right = sides
    if NULL in (left.type, right.type):
        return Constant(BOOLEAN, None)
    if is_literal(left) and not is_literal(right):
        return compare(_MIRRORED[operator], right, left)
    return _short(operator, left, right) or _call(operator, left, right)


def comparable(left: Expression, right: Expression) -> tuple[Expression, Expression] | None:
    """Two values in a form that Python compares as DuckDB does, or None. Lists can only be equal."""
    kinds = {left.type, right.type}
    if NULL in kinds or (len(kinds) == 1 and kinds <= {TEXT, BOOLEAN}) or kinds <= {*EXACT_NUMBERS}:
        return left, right
    if kinds <= {*NUMBERS}:
        return _both(double(left), double(right))
    if kinds & {*DAYS}:
        return _both(day(left), day(right))
    found = common_type([left.type, right.type])
    if (
        found is None
        or found.element is None
        or not found.has_order
        or found.element not in (TEXT, INTEGER, BOOLEAN)
    ):
        return None
    return left, right


def _both(left: Expression | None, right: Expression | None) -> tuple[Expression, Expression] | None:
    return None if left is None or right is None else (left, right)


def _call(operator: str, left: Expression, right: Expression) -> Expression:
    if LOOSE_DOUBLE in (left.type, right.type):
        return Call(BOOLEAN, f"numbers_order({{0}}) {_PYTHON[operator]} numbers_order({{1}})", (left, right))
    return Call(BOOLEAN, f"{{0}} {_PYTHON[operator]} {{1}}", (left, right))


def _short(operator: str, left: Expression, right: Expression) -> Expression | None:
    """An edit distance held against a small number need not be taken to its end."""
    if not isinstance(left, Call) or not isinstance(right, Constant) or not isinstance(right.value, int):
        return None
    if left.template == _LEVENSHTEIN and right.value >= 0:
        bounded = Call(
            INTEGER, f"distances_levenshtein({{0}}, {{1}}, score_cutoff={right.value})", left.arguments
        )
        return _call(operator, bounded, right)
    if operator != "=" or right.value != 1:
        return None
    if left.template == _DAMERAU:
        return Call(BOOLEAN, "distances_is_one_apart({0}, {1})", left.arguments)
    nearest = _nearest(left)
    if nearest is None:
        return None
    return Call(BOOLEAN, "distances_is_nearest_one_apart({0}, {1})", nearest, may_be_null=True)


def _nearest(least: Call) -> tuple[Expression, ...] | None:
    """The two lists, when this is the least Damerau-Levenshtein distance of any two of their texts:
    list_min(list_transform(A, a -> list_min(list_transform(B, b -> damerau_levenshtein(a, b)))))."""
    outer = _least_of_each(least)
    inner = _least_of_each(outer.result) if outer else None
    if outer is None or inner is None or outer.variable in inner.values.free_variables:
        return None
    distance = inner.result
    if not isinstance(distance, Call) or distance.template != _DAMERAU:
        return None
    variables = {_compared_variable(each) for each in distance.arguments}
    if variables != {outer.variable, inner.variable}:
        return None
    return tuple(
        Call(each.values.type, "distances_octet_list({0})", (each.values,)) for each in (outer, inner)
    )


def _least_of_each(expression: Expression) -> Each | None:
    if not isinstance(expression, Call) or expression.template != _LEAST:
        return None
    [values] = expression.arguments
    return values if isinstance(values, Each) and values.condition is None else None


def _compared_variable(argument: Expression) -> str | None:
    """x in distances_octets(x)."""
    match argument:
        case Call(arguments=(Variable(name=name),)):
            return name
        case _:
            return None


def calculate(operator: str, left: Expression, right: Expression) -> Expression:
    """operator: + - * / // %. Raises Uncompilable for what is no number and no date."""
    kinds = {left.type, right.type}
    if NULL in kinds:
        return Constant(NULL, None)
    if kinds & {*DAYS}:
        return _calculate_days(operator, left, right)
    if not kinds <= {*NUMBERS}:
        raise Uncompilable(f"{left.type} {operator} {right.type}")
    if operator == "/":
        return _divide(left, right)
    if operator in ("//", "%"):
        if kinds != {INTEGER}:
            raise Uncompilable(f"{left.type} {operator} {right.type}")
        name = {"//": "divide_whole", "%": "remainder"}[operator]
        return Call(INTEGER, f"numbers_{name}({{0}}, {{1}})", (left, right), may_fail=not _is_nonzero(right))
    if kinds & {*DOUBLES}:
        numbers = (_required_double(left), _required_double(right))
        return Call(_double_type(numbers), f"{{0}} {operator} {{1}}", numbers)
    if DECIMAL in kinds:
        name = {"+": "add", "-": "subtract", "*": "multiply"}[operator]
        return Call(DECIMAL, f"numbers_{name}_exactly({{0}}, {{1}})", (left, right))
    return Call(INTEGER, f"{{0}} {operator} {{1}}", (left, right))


def _calculate_days(operator: str, left: Expression, right: Expression) -> Expression:
    types = (left.type, right.type)
    if types == (DATE, DATE) and operator == "-":
        return Call(INTEGER, "{0} - {1}", (left, right))
    if types == (INTEGER, DATE) and operator == "+":
        left, right = right, left
    if (left.type, right.type) == (DATE, INTEGER) and operator in ("+", "-"):
        return Call(DATE, f"dates_add({{0}}, {operator}{{1}})", (left, right))
    raise Uncompilable(f"{left.type} {operator} {right.type}")


def _divide(left: Expression, right: Expression) -> Expression:
    numbers = (_required_double(left), _required_double(right))
    if _is_nonzero(right):
        return Call(_double_type(numbers), "{0} / {1}", numbers)
    return Call(LOOSE_DOUBLE, "numbers_divide({0}, {1})", numbers)


def _is_nonzero(expression: Expression) -> bool:
    return isinstance(expression, Constant) and bool(expression.value)


def _double_type(numbers: Sequence[Expression]) -> SqlType:
    return LOOSE_DOUBLE if LOOSE_DOUBLE in [each.type for each in numbers] else DOUBLE


def _required_double(expression: Expression) -> Expression:
    found = double(expression)
    assert found is not None
    return found


def negative(operand: Expression) -> Expression:
    if operand.type not in (*NUMBERS, NULL):
        raise Uncompilable(f"- {operand.type}")
    return Call(operand.type, "-{0}", (operand,))
