"""Lists as DuckDB takes them: as tuples, and as sets without nulls where the order means nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Values = tuple[Any, ...]


def as_set(values: Iterable[Any]) -> frozenset[Any]:
    found = frozenset(values)
    return found - {None} if None in found else found


def intersect(left: frozenset[Any] | None, right: frozenset[Any] | None) -> frozenset[Any] | None:
    """Nothing in common with a null."""
    return None if left is None else left & (right or frozenset())


def element(values: Values, place: int) -> Any:
    """Counted from 1, from the end when negative; null where there is none."""
    if place > 0:
        return values[place - 1] if place <= len(values) else None
    return values[place] if place and -place <= len(values) else None


def piece(values: Any, begin: int, end: int) -> Any:
    """From one place to another, both counted from 1 and from the end when negative. Of lists and texts."""
    size = len(values)
    first = begin if begin >= 0 else size + begin + 1
    last = end if end >= 0 else size + end + 1
    return values[max(first - 1, 0) : max(last, 0)]


def concatenate(*lists: Iterable[Any] | None) -> Values:
    """Null lists are left out."""
    return tuple(value for values in lists if values is not None for value in values)


def append(values: Values | None, value: Any) -> Values:
    return (*(values or ()), value)


def minimum(values: Values, key: Callable[[Any], Any] | None = None) -> Any:
    return min((value for value in values if value is not None), key=key, default=None)


def maximum(values: Values, key: Callable[[Any], Any] | None = None) -> Any:
    return max((value for value in values if value is not None), key=key, default=None)


def total(values: Values) -> Any:
    """One after another, as DuckDB adds; null when there is nothing to add."""
    found = None
    for value in values:
        if value is not None:
            found = value if found is None else found + value
    return found


def count(values: Values) -> int:
    return sum(value is not None for value in values)


def least(*values: Any, key: Callable[[Any], Any] | None = None) -> Any:
    """Nulls are left out."""
    return minimum(values, key)


def greatest(*values: Any, key: Callable[[Any], Any] | None = None) -> Any:
    return maximum(values, key)


def first_present(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
