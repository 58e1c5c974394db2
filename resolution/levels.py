"""The level of every comparison for given pairs, as numbers: what explanations and estimates are made of."""

from __future__ import annotations

import re
from dataclasses import replace

import duckdb

from resolution.errors import SpecificationError
from resolution.shortcuts import shortened
from resolution.specification import Comparison, Specification


def compared_columns(comparison: Comparison) -> set[str]:
    """The columns of records that the conditions look at."""
    return {
        column for level in comparison.levels for column in re.findall(r"\b([a-z_]+)_[lr]\b", level.condition)
    }


def present_comparisons(
    connection: duckdb.DuckDBPyConnection, specification: Specification
) -> list[Comparison]:
    """Those that some record in table `records` has a value for."""
    columns = [name for (name, *_) in connection.execute("DESCRIBE records").fetchall()]
    counts = ", ".join(f'count("{name}")' for name in columns)
    [found] = connection.execute(f"SELECT {counts} FROM records").fetchall()  # noqa: S608  columns of a table of ours
    filled = {name for name, count in zip(columns, found, strict=True) if count}
    return [comparison for comparison in specification.comparisons if filled & compared_columns(comparison)]


def check_conditions(connection: duckdb.DuckDBPyConnection, specification: Specification) -> None:
    """Let DuckDB plan every comparison and every training block over table `records`; raises SpecificationError
    naming the one it refuses."""
    connection.execute("CREATE TEMP TABLE no_pairs (record_id_l BIGINT, record_id_r BIGINT)")
    try:
        for comparison in specification.comparisons:
            alone = replace(specification, comparisons=(comparison,))
            statement = levels_sql(connection, alone, pairs="no_pairs")
            _plan(connection, statement, f"Comparison {comparison.name} of {specification.name}")
        for rule in specification.training_rules:
            statement = f"SELECT {', '.join(rule.keys)} FROM records"  # noqa: S608  keys of the specification
            _plan(connection, statement, f"Training block {rule.name} of {specification.name}")
    finally:
        connection.execute("DROP TABLE no_pairs")


def _plan(connection: duckdb.DuckDBPyConnection, statement: str, part: str) -> None:
    try:
        connection.execute(f"EXPLAIN {statement}")
    except duckdb.Error as error:
        [problem, *_] = str(error).splitlines()
        raise SpecificationError(f"{part} has a condition that DuckDB refuses: {problem}") from error


def levels_sql(connection: duckdb.DuckDBPyConnection, specification: Specification, *, pairs: str) -> str:
    """SQL with the columns of table `pairs` (record_id_l, record_id_r, ...) and `levels`, a list of one number a
    comparison: the place of the level in the comparison, the missing level counted."""
    columns = [
        name for (name, *_) in connection.execute("DESCRIBE records").fetchall() if name != "record_id"
    ]
    sides = ", ".join(f'l."{name}" AS "{name}_l", r."{name}" AS "{name}_r"' for name in columns)
    levels = ", ".join(_level_sql(comparison) for comparison in specification.comparisons)
    kept = [name for (name, *_) in connection.execute(f"DESCRIBE {pairs}").fetchall()]
    return f"""
        SELECT {", ".join(kept)}, [{levels}] AS levels
        FROM (
            SELECT {", ".join(f"pairs.{name}" for name in kept)}, {sides}
            FROM {pairs} AS pairs
            JOIN records AS l ON l.record_id = record_id_l
            JOIN records AS r ON r.record_id = record_id_r
        )
    """  # noqa: S608  columns and conditions of the specification


def _level_sql(comparison: Comparison) -> str:
    cases = " ".join(
        f"WHEN {shortened(level.condition)} THEN {number}" if level.condition != "ELSE" else f"ELSE {number}"
        for number, level in enumerate(comparison.levels)
    )
    return f"CASE {cases} END"
