"""The same expression computed by DuckDB and by the compiled condition, over pairs of small records."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import duckdb
import pyarrow as pa

from resolution.compile.conditions import read_expression
from resolution.compile.pair_writing import PairWriter, Preparation
from resolution.compile.scorer import pair_function, prepare_function
from resolution.compile.sql_types import TEXT, list_of
from resolution.compile.writing import Module

# Two texts and two lists of them; a record is a mapping of some of these.
COLUMNS: Final = {"a": TEXT, "b": TEXT, "x": list_of(TEXT), "y": list_of(TEXT)}

Record = Mapping[str, Any]
Pair = tuple[Record, Record]


def compiled(written: str) -> Callable[[Record, Record], Any]:
    """What the compiled expression gives for a pair of records."""
    module = Module()
    preparation = Preparation(module)
    value = PairWriter(preparation).value(read_expression(written, COLUMNS))
    functions = [
        *module.functions,
        pair_function("value", len(preparation.slots), [f"return {value}"]),
        prepare_function(COLUMNS, preparation),
    ]
    exec("\n".join(functions), module.names)
    prepare, of_prepared = module.names["prepare"], module.names["value"]
    return lambda left, right: of_prepared(prepare(left), prepare(right))


@contextmanager
def duckdb_pairs(pairs: Sequence[Pair]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with the table `pairs`, of a place and the columns of both records."""
    kinds = {"a": pa.string(), "b": pa.string(), "x": pa.list_(pa.string()), "y": pa.list_(pa.string())}
    columns = {
        f"{column}_{side}": pa.array([pair[place].get(column) for pair in pairs], kind)
        for place, side in enumerate("lr")
        for column, kind in kinds.items()
    }
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("pairs", pa.table({"place": range(len(pairs)), **columns}))
        yield connection


def in_duckdb(connection: duckdb.DuckDBPyConnection, written: str) -> list[Any]:
    """What DuckDB gives for each pair."""
    rows = connection.execute(f"SELECT {written} FROM pairs ORDER BY place").fetchall()  # noqa: S608
    return [value for (value,) in rows]


def same(value: Any, other: Any) -> bool:
    """Equal, where NaN equals itself and a set the list of its values."""
    if isinstance(value, frozenset):
        return other is not None and value == frozenset(other) and len(value) == len(other)
    if isinstance(value, tuple):
        return other is not None and len(value) == len(other) and all(map(same, value, other))
    if isinstance(value, float) and math.isnan(value):
        return isinstance(other, float) and math.isnan(other)
    return type(value) is type(other) and bool(value == other)


def differences(
    connection: duckdb.DuckDBPyConnection, written: str, pairs: Sequence[Pair]
) -> list[tuple[Pair, Any, Any]]:
    """The pairs on which the two disagree, with what each gives."""
    compute, expected = compiled(written), in_duckdb(connection, written)
    found = [(pair, compute(*pair), value) for pair, value in zip(pairs, expected, strict=True)]
    return [difference for difference in found if not same(*difference[1:])]
