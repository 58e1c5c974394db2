"""Everything taken from Splink, in one place: scoring blocked pairs and the two estimations.

Pinned to 5.0.0 and tested against it. Scoring is one statement made of Splink's SQL; it can tell the level of every
comparison as well (`with_levels`), so that nobody needs to evaluate the conditions a second time for that. A Linker
and its DuckDB connection belong to one thread and one step; what Splink leaves behind is dropped after each. Splink
logs to its own logger, which stays silent here.
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
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.internals.comparison_vector_values import compute_comparison_vector_values_from_id_pairs_sqls
from splink.internals.predict import predict_from_comparison_vectors_sqls

from resolution.model import Model, splink_settings
from resolution.specification import Comparison, TrainingRule

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
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    *,
    pairs: str,
    scored: str,
    floor: float,
    with_levels: bool = False,
) -> None:
    """Table `scored` from the table `pairs` (match_key, join_key_l, join_key_r) over table `records`.

    Grain: one row a pair at or above the floor, with record_id_l, record_id_r, match_weight and one column
    frequency_weight_<comparison> for each comparison that knows term frequencies (0 elsewhere). With levels, there is
    the list `levels` of `levels_sql` too, which Splink has found already and which would cost as much again.
    """
    columns = ["record_id_l", "record_id_r", "match_weight"]
    columns += [
        f"mw_tf_adj_{name} AS frequency_weight_{name}" for name in comparisons_with_frequencies(model)
    ]
    if with_levels:
        columns.append(f"[{', '.join(map(_level_sql, model.specification.comparisons))}] AS levels")
    _create_frequencies(connection, model)
    connection.execute(
        f"CREATE TABLE {scored} AS WITH {_scoring_sql(model, pairs, floor)} "  # noqa: S608
        f"SELECT {', '.join(columns)} FROM __splink__df_predict"
    )
    connection.execute("DROP TABLE frequencies")


def _scoring_sql(model: Model, pairs: str, floor: float) -> str:
    """The steps of Splink's own prediction as named subqueries, without the tables of records that it writes out in
    between and with the levels, which it would leave out of __splink__df_predict."""
    settings = SettingsCreator.from_path_or_dict(splink_settings(model)).get_settings("duckdb")
    id_columns = settings.column_info_settings.unique_id_input_columns
    steps = [
        {
            "output_table_name": "__splink__blocked_id_pairs",
            "sql": f"SELECT * FROM {pairs}",  # noqa: S608  a table of this code
        },
        {"output_table_name": "__splink__df_concat_with_tf", "sql": _records_with_frequencies_sql(model)},
        *compute_comparison_vector_values_from_id_pairs_sqls(
            settings._columns_to_select_for_blocking,
            settings._columns_to_select_for_comparison_vector_values,
            input_tablename_l="__splink__df_concat_with_tf",
            input_tablename_r="__splink__df_concat_with_tf",
            source_dataset_input_column=None,
            unique_id_input_column=id_columns[0],
        ),
        *predict_from_comparison_vectors_sqls(
            unique_id_input_columns=id_columns,
            core_model_settings=settings.core_model_settings,
            sql_dialect=DuckDBAPI.sql_dialect,
            threshold_match_weight=floor,
            retain_intermediate_calculation_columns=True,
            training_mode=True,
        ),
    ]
    return ", ".join(f"{step['output_table_name']} AS ({step['sql']})" for step in steps)


def _level_sql(comparison: Comparison) -> str:
    """The place of the level in the comparison: Splink counts from the last level up, and calls a missing one -1,
    which stands for the first of them here."""
    missing = [place for place, level in enumerate(comparison.levels) if level.is_missing]
    weighed = [place for place, level in enumerate(comparison.levels) if not level.is_missing]
    places = [*enumerate(reversed(weighed)), *((-1, place) for place in missing[:1])]
    cases = " ".join(f"WHEN {value} THEN {place}" for value, place in places)
    return f"(CASE gamma_{comparison.name} {cases} END)::TINYINT"


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


def _create_frequencies(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Table `frequencies` (column_name, term, share): the terms that the model knows."""
    known = [(column, model.frequencies.get(column, {})) for column in model.specification.frequency_columns]
    columns = [column for column, shares in known for _ in shares]
    terms = [term for _, shares in known for term in shares]
    shares = [share for _, shares in known for share in shares.values()]
    table = pa.table(
        {
            "column_name": pa.array(columns, pa.string()),
            "term": pa.array(terms, pa.string()),
            "share": pa.array(shares, pa.float64()),
        }
    )
    connection.register("known_terms", table)
    connection.execute("CREATE TABLE frequencies AS SELECT * FROM known_terms")
    connection.unregister("known_terms")


def _records_with_frequencies_sql(model: Model) -> str:
    """Table `records` with tf_<column>: the share of the term that the record has, as Splink calls it."""
    counted = model.specification.frequency_columns
    shares = "".join(
        f", CASE WHEN {column} IS NOT NULL THEN coalesce(of_{column}.share, {model.rare[column]!r}::DOUBLE) END "
        f"AS tf_{column}"
        for column in counted
    )
    joins = " ".join(
        f"LEFT JOIN (FROM frequencies WHERE column_name = '{column}') AS of_{column} ON of_{column}.term = {column}"
        for column in counted
    )
    return f"SELECT records.* {shares} FROM records {joins}"  # noqa: S608  columns of the specification


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
