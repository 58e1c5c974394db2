"""Term frequencies: how common each name, place or date is among the records, frozen in a model version."""

from __future__ import annotations

import csv
from collections.abc import Mapping

import duckdb

from resolution.specification import ExcessFrequency, Specification, shipped_file

# A term that was seen once, or never, counts as borne by one record in this many at most: a small base cannot tell a
# rare name from a common one.
FEWEST_RECORDS = 1_000


def count_terms(
    connection: duckdb.DuckDBPyConnection, specification: Specification
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Shares of the terms of every frequency column in table `records`, and the share of any other term.

    Terms seen once are left to the latter: unseen means rare, not average.
    """
    frequencies, rare = {}, {}
    for column in specification.frequency_columns:
        [(total,)] = connection.execute(f"SELECT count({column}) FROM records").fetchall()  # noqa: S608
        rows = connection.execute(
            f"SELECT {column}, count(*) FROM records WHERE {column} IS NOT NULL "  # noqa: S608
            "GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
        ).fetchall()
        frequencies[column] = {term: count / total for term, count in rows}
        rare[column] = 1 / max(total, FEWEST_RECORDS)
    for excess in specification.excess_frequencies:
        frequencies[excess.column] = _count_excess(connection, excess, frequencies, rare)
    return frequencies, {**rare, **no_excess(specification)}


def shipped_terms(
    specification: Specification,
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Shares from the public tables that the specification names, and the share of any other term.

    A column without a table counts every term as its level's u does: neither rare nor common.
    """
    frequencies: dict[str, dict[str, float]] = {column: {} for column in specification.frequency_columns}
    rare = _level_u(specification)
    for column, prior in specification.prior_frequencies.items():
        for row in csv.DictReader(shipped_file(prior.file).read_text("utf-8").splitlines()):
            if row["kind"] == prior.kind:
                frequencies[column][row["name"]] = float(row["share"])
        rare[column] = prior.rare
    return frequencies, {**rare, **no_excess(specification)}


def _level_u(specification: Specification) -> dict[str, float]:
    return {
        level.frequency_column: level.u
        for comparison in reversed(specification.comparisons)
        for level in reversed(comparison.levels)
        if level.frequency_column
    }


def no_excess(specification: Specification) -> dict[str, float]:
    """What a term counts that is not borne more often than its parts suggest: once."""
    return {excess.column: 1.0 for excess in specification.excess_frequencies}


def _count_excess(
    connection: duckdb.DuckDBPyConnection,
    excess: ExcessFrequency,
    frequencies: Mapping[str, Mapping[str, float]],
    rare: Mapping[str, float],
) -> dict[str, float]:
    """Term to how many times more people bear it than its parts suggest, where that is more than once.

    People are told apart by their phones, addresses, handles or documents, whichever are most.
    """
    parts = ", ".join(excess.parts)
    rows = connection.execute(
        f"""
        SELECT {excess.column}, {parts},
               greatest(count(DISTINCT phone_variants[1]), count(DISTINCT emails[1]),
                        count(DISTINCT handles[1]), count(DISTINCT documents[1])) AS holders,
               (SELECT count({excess.column}) FROM records) AS total
        FROM records WHERE {excess.column} IS NOT NULL
        GROUP BY {excess.column}, {parts} HAVING holders >= ? ORDER BY ALL
        """,  # noqa: S608  columns of the specification
        [excess.holders],
    ).fetchall()
    found: dict[str, float] = {}
    for term, *values, holders, total in rows:
        expected = 1.0
        for part, value in zip(excess.parts, values, strict=True):
            expected *= frequencies[part].get(value, rare[part])
        if holders / total > expected:
            found[term] = max(found.get(term, 0.0), holders / total / expected)
    return found
