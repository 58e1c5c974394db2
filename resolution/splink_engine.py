"""Everything taken from Splink, in one place: scoring blocked pairs and the two estimations.

Pinned to 5.0.0 and tested against it. A Linker and its DuckDB connection belong to one thread and one step; what
Splink leaves behind is dropped after each. Splink logs to its own logger, which stays silent here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker

from resolution.model import Model, splink_settings
from resolution.specification import TrainingRule

# m to three digits: finer steps are below what the blend with the prior leaves of them.
EM_CONVERGENCE = 0.0005
EM_ITERATIONS = 15

# Fewer pairs say nothing that the shipped m does not say better.
FEWEST_PAIRS = 50

logging.getLogger("splink").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Session:
    """What one EM run found. m: by comparison, level by level, next to 0 where a level was never observed.

    match_share: the share of matches among the pairs of the block.
    """

    rule: str
    pair_count: int
    match_share: float
    m: Mapping[str, Sequence[float | None]]


def score_pairs(
    connection: duckdb.DuckDBPyConnection, model: Model, *, pairs: str, scored: str, floor: float
) -> None:
    """Table `scored` from the table `pairs` (match_key, join_key_l, join_key_r) over table `records`.

    Grain: one row a pair at or above the floor, with record_id_l, record_id_r, match_weight and one column
    frequency_weight_<comparison> for each comparison that knows term frequencies (0 elsewhere).
    """
    with _linker(connection, splink_settings(model)) as linker:
        for column in model.specification.frequency_columns:
            table = _create_frequencies(connection, model, column)
            linker.table_management.register_term_frequency_lookup(linker._db_api.register(table), column)
        linker.table_management.register_blocked_pairs_for_predict(linker._db_api.register(pairs))
        predicted = linker.inference.predict(threshold_match_weight=floor, warning_mode="never")
        frequency_weights = ", ".join(
            f"mw_tf_adj_{name} AS frequency_weight_{name}" for name in comparisons_with_frequencies(model)
        )
        connection.execute(
            f"CREATE TABLE {scored} AS SELECT record_id_l, record_id_r, match_weight, {frequency_weights} "  # noqa: S608
            f"FROM {predicted.physical_name}"
        )
    for column in model.specification.frequency_columns:
        connection.execute(f"DROP TABLE {_frequencies_table(column)}")


def comparisons_with_frequencies(model: Model) -> list[str]:
    return [
        comparison.name
        for comparison in model.specification.comparisons
        if any(level.frequency_column for level in comparison.levels)
    ]


def estimate_u(
    connection: duckdb.DuckDBPyConnection, model: Model, *, seed: int, pair_count: int
) -> dict[str, list[float | None]]:
    """How often random pairs of table `records` fall into each level, by comparison. A level that none falls into
    keeps the u of the model."""
    with _linker(connection, _without_frequencies(splink_settings(model))) as linker:
        linker.training.estimate_u_using_random_sampling(
            max_pairs=pair_count, seed=seed, min_count_per_level=None, num_chunks=1
        )
        return {
            comparison.output_column_name: [
                _number(level.u_probability) for level in comparison._comparison_levels_excluding_null
            ]
            for comparison in linker._settings_obj.comparisons
        }


def run_session(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    rule: TrainingRule,
    *,
    present: Collection[str],
    pair_count: int,
) -> Session | None:
    """One EM run with u held fast on the block of a training rule, capped at about `pair_count` pairs; None when
    the block has too few. Starts from the model's m. Present: the comparisons that the data have values for."""
    found_pairs = _count_pairs(connection, rule)
    if found_pairs < FEWEST_PAIRS:
        return None
    settings = _without_frequencies(splink_settings(model))
    settings["comparisons"] = [
        comparison
        for comparison in settings["comparisons"]
        if comparison["output_column_name"] in present
        and comparison["output_column_name"] not in rule.without
    ]
    settings |= {"em_convergence": EM_CONVERGENCE, "max_iterations": EM_ITERATIONS}
    with _linker(connection, settings) as linker:
        try:
            session = linker.training.estimate_parameters_using_expectation_maximisation(
                _blocking_condition(rule),
                estimate_without_term_frequencies=True,
                max_pairs=pair_count,
                record_sample_proportion=1.0,
            )
        except ValueError as error:
            # Splink refuses an m of exactly 0: a level that only hopeless pairs of a small block fall into.
            if "below the minimum allowed" not in str(error):
                raise
            return None
        found = session.core_model_settings
        return Session(
            rule=rule.name,
            pair_count=min(found_pairs, pair_count),
            match_share=found.probability_two_random_records_match,
            m={
                comparison.output_column_name: [
                    _number(level.m_probability) for level in comparison._comparison_levels_excluding_null
                ]
                for comparison in found.comparisons
            },
        )


@contextmanager
def _linker(connection: duckdb.DuckDBPyConnection, settings: Mapping[str, Any]) -> Iterator[Linker]:
    """Splink's own check of the settings takes a second a time and is left out: `check_conditions` has done it."""
    database = DuckDBAPI(connection=connection)
    linker = Linker(database.register("records"), dict(settings), log_level=None, validate_settings=False)
    try:
        yield linker
    finally:
        linker.table_management.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]


def _frequencies_table(column: str) -> str:
    return f"frequencies_{column}"


def _create_frequencies(connection: duckdb.DuckDBPyConnection, model: Model, column: str) -> str:
    """Make a table of (column, tf_column) for every value in `records`: the model's share, or the rare one."""
    table, terms = _frequencies_table(column), model.frequencies.get(column, {})
    known = pa.table(
        {"term": pa.array(terms.keys(), pa.string()), "share": pa.array(terms.values(), pa.float64())}
    )
    connection.register("known_terms", known)
    connection.execute(
        f"CREATE TABLE {table} AS SELECT {column}, coalesce(share, ?) AS tf_{column} "  # noqa: S608
        f"FROM (SELECT DISTINCT {column} FROM records WHERE {column} IS NOT NULL) "
        f"LEFT JOIN known_terms ON term = {column}",
        [model.rare[column]],
    )
    connection.unregister("known_terms")
    return table


def _without_frequencies(settings: dict[str, Any]) -> dict[str, Any]:
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            level.pop("tf_adjustment_column", None)
    return settings


def _blocking_condition(rule: TrainingRule) -> str:
    """l.key = r.key for every key; a key may be an expression such as emails[1] or left(given_name, 1)."""
    return " AND ".join(f"{_sided(key, 'l')} = {_sided(key, 'r')}" for key in rule.keys)


def _sided(key: str, side: str) -> str:
    return re.sub(r"\b([a-z_]+)\b(?!\()", rf"{side}.\1", key)


def _count_pairs(connection: duckdb.DuckDBPyConnection, rule: TrainingRule) -> int:
    keys = ", ".join(rule.keys)
    present = " AND ".join(f"{key} IS NOT NULL" for key in rule.keys)
    [(pairs,)] = connection.execute(
        "SELECT coalesce(sum(n * (n - 1) // 2), 0) "  # noqa: S608  columns of the specification
        f"FROM (SELECT count(*) AS n FROM records WHERE {present} GROUP BY {keys})"
    ).fetchall()
    return int(pairs)


def _number(probability: object) -> float | None:
    return float(probability) if isinstance(probability, (int, float)) else None
