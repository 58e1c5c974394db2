"""Instants as numbers of days, and what else is computed with time inside a statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Double

_SECONDS = 86_400


class days_of(FunctionElement[float]):
    """Days since 1970 of an instant column, to the millisecond."""

    type = Double()
    inherit_cache = True

    def __init__(self, instant: ColumnElement[Any]) -> None:
        super().__init__(instant)


class greater_of(FunctionElement[float]):
    """The greater one of two numbers, each computed once; neither may be NULL."""

    type = Double()
    inherit_cache = True

    def __init__(self, one: ColumnElement[float], other: ColumnElement[float]) -> None:
        super().__init__(one, other)


def days_since_epoch(instant: datetime) -> float:
    """The same of an instant here."""
    return instant.timestamp() / _SECONDS


@compiles(days_of, "sqlite")
def _sqlite(element: days_of, compiler: Any, **options: Any) -> str:
    # The day count begins at noon, 4714 BC; 2440587.5 is the beginning of 1970.
    return f"(julianday({compiler.process(element.clauses, **options)}) - 2440587.5)"


@compiles(days_of, "postgresql")
def _postgresql(element: days_of, compiler: Any, **options: Any) -> str:
    told = compiler.process(element.clauses, **options)
    return f"(CAST(extract(epoch FROM {told}) AS double precision) / {_SECONDS})"


@compiles(greater_of, "sqlite")
def _sqlite_greater(element: greater_of, compiler: Any, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"


@compiles(greater_of, "postgresql")
def _postgresql_greater(element: greater_of, compiler: Any, **options: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **options)})"
