"""The types of expressions, as far as compiled conditions tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SqlType:
    """element: what a list holds. The values of a list without order come in any, so no place in it means anything."""

    name: str
    element: SqlType | None = None
    has_order: bool = True

    def __str__(self) -> str:
        return self.name if self.element is None else f"{self.element}[]"


NULL = SqlType("NULL")
BOOLEAN = SqlType("BOOLEAN")
TEXT = SqlType("VARCHAR")
# Of any width.
INTEGER = SqlType("INTEGER")
# An exact number with digits after the point, as 0.9 is.
DECIMAL = SqlType("DECIMAL")
DOUBLE = SqlType("DOUBLE")
# A double that may be NaN, which DuckDB puts above all numbers and Python nowhere.
LOOSE_DOUBLE = SqlType("DOUBLE or NaN")
DATE = SqlType("DATE")
TIMESTAMP = SqlType("TIMESTAMP")

EXACT_NUMBERS = (INTEGER, DECIMAL)
DOUBLES = (DOUBLE, LOOSE_DOUBLE)
NUMBERS = EXACT_NUMBERS + DOUBLES
DAYS = (DATE, TIMESTAMP)


def list_of(element: SqlType, *, has_order: bool = True) -> SqlType:
    return SqlType("LIST", element, has_order)


def common_type(types: Sequence[SqlType]) -> SqlType | None:
    """What values of these types have in common when one of them is chosen; None when they do not go together."""
    found = NULL
    for each in types:
        merged = _merged(found, each)
        if merged is None:
            return None
        found = merged
    return found


def choice_type(types: Sequence[SqlType]) -> SqlType | None:
    """The same, where no value has to be cast for it: whole numbers are not made doubles one by one."""
    found = common_type(types)
    if found in DOUBLES and not {*types} <= {*DOUBLES, NULL}:
        return None
    return found


def _merged(one: SqlType, other: SqlType) -> SqlType | None:
    if one == other or other == NULL:
        return one
    if one == NULL:
        return other
    if one.element and other.element:
        element = _merged(one.element, other.element)
        # A list of numbers of two kinds would have to be cast number by number.
        if element is None or ({one.element, other.element} & set(NUMBERS) and one.element != other.element):
            return None
        return list_of(element, has_order=one.has_order and other.has_order)
    for family in (NUMBERS, DAYS):
        if one in family and other in family:
            return max(one, other, key=family.index)
    return None
