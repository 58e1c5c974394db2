"""Hot statements on the driver's own cursor: compiled once a process and dialect, their rows plain named tuples.

SQLAlchemy takes some 100 us to run a compiled statement, the driver 10. No column type applies to what comes back:
only for columns that both databases give as they are (numbers, texts), and for parameters that they take so.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable
from sqlalchemy.sql.selectable import CompoundSelect

# What a statement is compiled to: its text, the names of its parameters in their places, values of its literals.
_Compiled = tuple[str, tuple[str, ...], Mapping[str, Any]]


class QuickStatement:
    """A Core statement with bound parameters by name; literals in it keep their values."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}
        if isinstance(statement, (Select, CompoundSelect)):
            row: Any = namedtuple("Row", statement.selected_columns.keys())  # type: ignore[misc]
            self._row: Callable[[Any], Any] = row._make

    def fetch(self, connection: Connection, **bound: Any) -> list[Any]:
        return list(map(self._row, self._execute(connection, bound).fetchall()))

    def first(self, connection: Connection, **bound: Any) -> Any:
        """The first row; None when there is none."""
        found = self._execute(connection, bound).fetchone()
        return None if found is None else self._row(found)

    def run_many(self, connection: Connection, rows: Collection[Mapping[str, Any]]) -> None:
        """Once for each row of parameters."""
        if not rows:
            return
        text, places, literals = self._for(connection.dialect)
        parameters: list[Any] = [{**literals, **row} for row in rows]
        if connection.dialect.positional:
            parameters = [[row[name] for name in places] for row in parameters]
        driver: Any = connection.connection.driver_connection
        error_type = _driver_error(connection.dialect)
        try:
            driver.cursor().executemany(text, parameters)
        except error_type as error:
            raise DBAPIError.instance(text, None, error, error_type, hide_parameters=True) from error

    def _execute(self, connection: Connection, bound: Mapping[str, Any]) -> Any:
        text, places, literals = self._for(connection.dialect)
        values = {**literals, **bound}
        driver: Any = connection.connection.driver_connection
        error_type = _driver_error(connection.dialect)
        try:
            if connection.dialect.positional:
                return driver.execute(text, [values[name] for name in places])
            return driver.execute(text, values)
        except error_type as error:
            raise DBAPIError.instance(text, None, error, error_type, hide_parameters=True) from error

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            compiled = self._statement.compile(dialect=dialect)  # type: ignore[attr-defined]
            literals = {name: value for name, value in compiled.params.items() if value is not None}
            found = (str(compiled), tuple(getattr(compiled, "positiontup", None) or ()), literals)
            self._compiled[dialect.name] = found
        return found


def quick(make: Callable[[str], Executable]) -> Callable[[str], QuickStatement]:
    """For a function that writes a statement for a dialect: it is asked once for each."""

    @lru_cache
    def made(dialect: str) -> QuickStatement:
        return QuickStatement(make(dialect))

    return made


def _driver_error(dialect: Dialect) -> type[Exception]:
    error: type[Exception] = dialect.loaded_dbapi.Error
    return error
