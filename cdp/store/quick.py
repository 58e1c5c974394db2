"""Hot statements on the driver's own cursor: compiled once a process and dialect, their rows plain named tuples.

SQLAlchemy takes some 35 us to run a compiled statement, this 4. Column types apply to parameters and to what comes
back, as they do there; a statement's parameters are told apart by name.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, Connection, Dialect, Float, Numeric, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable
from sqlalchemy.sql.selectable import CompoundSelect
from sqlalchemy.types import TypeEngine

# Place or name of a value, and what its column's type makes of it.
_Processors = Sequence[tuple[Any, Callable[[Any], Any]]]


@dataclass(frozen=True)
class _Compiled:
    """A statement's text, its parameters in their places where the driver counts them, and the values of its
    literals; conversions of parameters by name and of results by place."""

    text: str
    places: Sequence[str] | None
    literals: Mapping[str, Any]
    bound: _Processors
    results: _Processors
    error: type[Exception]


class QuickStatement:
    """A Core statement with bound parameters by name; literals in it keep their values."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}
        self._row: Callable[[Any], Any] = tuple
        if isinstance(statement, (Select, CompoundSelect)):
            row: Any = namedtuple("Row", statement.selected_columns.keys())  # type: ignore[misc]
            self._row = row._make

    def fetch(self, connection: Connection, **bound: Any) -> list[Any]:
        return list(map(self._row, self.tuples(connection, **bound)))

    def tuples(self, connection: Connection, **bound: Any) -> Sequence[Any]:
        """The rows without names: for very many."""
        compiled = self._for(connection.dialect)
        rows: Sequence[Any] = self._execute(connection, compiled, bound).fetchall()
        return [_converted(row, compiled.results) for row in rows] if compiled.results else rows

    def first(self, connection: Connection, **bound: Any) -> Any:
        """The first row; None when there is none."""
        compiled = self._for(connection.dialect)
        found = self._execute(connection, compiled, bound).fetchone()
        return None if found is None else self._row(_converted(found, compiled.results))

    def run(self, connection: Connection, **bound: Any) -> None:
        self._execute(connection, self._for(connection.dialect), bound)

    def run_many(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Once for each row of parameters."""
        compiled = self._for(connection.dialect)
        parameters = [_parameters(compiled, row) for row in rows]
        if not parameters:
            return
        driver: Any = connection.connection.driver_connection
        error_type = _driver_error(connection.dialect)
        try:
            driver.cursor().executemany(compiled.text, parameters)
        except error_type as error:
            raise DBAPIError.instance(compiled.text, None, error, error_type, hide_parameters=True) from error

    def _execute(self, connection: Connection, compiled: _Compiled, bound: Mapping[str, Any]) -> Any:
        driver: Any = connection.connection.dbapi_connection
        error_type = compiled.error
        try:
            return driver.execute(compiled.text, _parameters(compiled, bound))
        except error_type as error:
            raise DBAPIError.instance(compiled.text, None, error, error_type, hide_parameters=True) from error

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _compile(self._statement, dialect)
        return found


def quick(make: Callable[[str], Executable]) -> Callable[[str], QuickStatement]:
    """For a function that writes a statement for a dialect: it is asked once for each."""

    @lru_cache
    def made(dialect: str) -> QuickStatement:
        return QuickStatement(make(dialect))

    return made


def _compile(statement: Executable, dialect: Dialect) -> _Compiled:
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    parameters = {name: parameter for parameter, name in compiled.bind_names.items()}
    processors = {
        name: processor
        for name, parameter in parameters.items()
        if (processor := _bind_processor(parameter.type, dialect))
    }
    literals = {
        name: processors[name](value) if name in processors else value
        for name, value in compiled.params.items()
        if not parameters[name].required
    }
    return _Compiled(
        str(compiled),
        tuple(compiled.positiontup) if dialect.positional else None,
        literals,
        [(name, processor) for name, processor in processors.items() if name not in literals],
        list(_result_processors(statement, dialect)),
        _driver_error(dialect),
    )


def _bind_processor(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    # The driver binds True as 1, and the column's own check refuses what is neither 0 nor 1.
    return None if isinstance(kind, Boolean) else kind.dialect_impl(dialect).bind_processor(dialect)


def _result_processors(statement: Executable, dialect: Dialect) -> Iterable[tuple[int, Callable[[Any], Any]]]:
    if isinstance(statement, (Select, CompoundSelect)):
        for place, column in enumerate(statement.selected_columns):
            if isinstance(
                column.type, (Float, Numeric)
            ):  # Both drivers give floats and integers as they are.
                continue
            processor = column.type.dialect_impl(dialect).result_processor(dialect, None)
            if processor is not None:
                yield place, processor


def _parameters(compiled: _Compiled, bound: Mapping[str, Any]) -> Any:
    values = {**compiled.literals, **bound}
    for name, processor in compiled.bound:
        values[name] = processor(values[name])
    return values if compiled.places is None else [values[name] for name in compiled.places]


def _converted(row: Sequence[Any], processors: _Processors) -> Sequence[Any]:
    if not processors:
        return row
    values = list(row)
    for place, processor in processors:
        values[place] = processor(values[place])
    return values


def _driver_error(dialect: Dialect) -> type[Exception]:
    error: type[Exception] = dialect.loaded_dbapi.Error
    return error
