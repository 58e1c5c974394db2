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
from splink.internals.expectation_maximisation import expectation_maximisation
from splink.internals.predict import predict_from_comparison_vectors_sqls
from splink.internals.settings import CoreModelSettings, Settings

from resolution.levels import compared_columns
from resolution.model import Model, splink_settings
from resolution.shortcuts import shortened
from resolution.specification import Comparison, TrainingRule

# m to three digits: finer steps are below what the blend with the prior leaves of them.
EM_CONVERGENCE = 0.0005
EM_ITERATIONS = 15

# Fewer pairs say nothing that the shipped m does not say better.
FEWEST_PAIRS = 50

# A column in a key such as emails[1] or left(given_name, 1).
_KEY_COLUMN = re.compile(r"\b([a-z_]+)\b(?!\()")

# A named subquery: output_table_name, sql.
Step = dict[str, str]

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
        f"CREATE TABLE {scored} AS {_with_sql(_scoring_steps(model, pairs, floor))} "  # noqa: S608
        f"SELECT {', '.join(columns)} FROM __splink__df_predict"
    )
    connection.execute("DROP TABLE frequencies")


def _scoring_steps(model: Model, pairs: str, floor: float) -> list[Step]:
    """The steps of Splink's own prediction, without the tables of records that it writes out in between and with the
    levels, which it would leave out of __splink__df_predict."""
    settings = _settings(_duckdb_settings(model))
    return [
        *_vector_steps(settings, pairs_sql=f"FROM {pairs}", records_sql=_records_with_frequencies_sql(model)),
        *predict_from_comparison_vectors_sqls(
            unique_id_input_columns=settings.column_info_settings.unique_id_input_columns,
            core_model_settings=settings.core_model_settings,
            sql_dialect=DuckDBAPI.sql_dialect,
            threshold_match_weight=floor,
            retain_intermediate_calculation_columns=True,
            training_mode=True,
        ),
    ]


def _vector_steps(settings: Settings, *, pairs_sql: str, records_sql: str) -> list[Step]:
    """The steps from pairs (match_key, join_key_l, join_key_r) to their levels, __splink__df_comparison_vectors."""
    return [
        {"output_table_name": "__splink__blocked_id_pairs", "sql": pairs_sql},
        {"output_table_name": "__splink__df_concat_with_tf", "sql": records_sql},
        *compute_comparison_vector_values_from_id_pairs_sqls(
            settings._columns_to_select_for_blocking,
            settings._columns_to_select_for_comparison_vector_values,
            input_tablename_l="__splink__df_concat_with_tf",
            input_tablename_r="__splink__df_concat_with_tf",
            source_dataset_input_column=None,
            unique_id_input_column=settings.column_info_settings.unique_id_input_columns[0],
        ),
    ]


def _with_sql(steps: Sequence[Step]) -> str:
    return "WITH " + ", ".join(f"{step['output_table_name']} AS ({step['sql']})" for step in steps)


def _settings(settings: dict[str, Any]) -> Settings:
    return SettingsCreator.from_path_or_dict(settings).get_settings("duckdb")


def _duckdb_settings(model: Model) -> dict[str, Any]:
    settings = splink_settings(model)
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            level["sql_condition"] = shortened(level["sql_condition"])
    return settings


def _estimation_settings(model: Model, names: Collection[str]) -> dict[str, Any]:
    """Of these comparisons only, and without term frequencies."""
    settings = _duckdb_settings(model)
    wanted = [entry for entry in settings["comparisons"] if entry["output_column_name"] in names]
    for comparison in wanted:
        for level in comparison["comparison_levels"]:
            level.pop("tf_adjustment_column", None)
    return settings | {"comparisons": wanted}


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
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    *,
    wanted: Collection[str],
    seed: int,
    pair_count: int,
) -> dict[str, list[float | None]]:
    """How often random pairs of table `records` fall into each level of the wanted comparisons. A level that none
    falls into keeps the u of the model."""
    settings = _estimation_settings(model, wanted)
    if not settings["comparisons"]:
        return {}
    with _linker(connection, settings) as linker:
        linker.training.estimate_u_using_random_sampling(
            max_pairs=pair_count, seed=seed, min_count_per_level=None, num_chunks=1
        )
        return {
            comparison.output_column_name: [
                _number(level.u_probability) for level in comparison._comparison_levels_excluding_null
            ]
            for comparison in linker._settings_obj.comparisons
        }


def run_sessions(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    *,
    present: Collection[str],
    pair_count: int,
) -> list[Session]:
    """Splink's EM with u held fast, once for each training block that has pairs enough, on about `pair_count` of them.
    Each run starts from the model's m. Present: the comparisons that the data have values for."""
    counts = [_count_pairs(connection, rule) for rule in model.specification.training_rules]
    blocks = {
        rule: count
        for rule, count in zip(model.specification.training_rules, counts, strict=True)
        if count >= FEWEST_PAIRS
    }
    if not blocks or not present:
        return []
    _create_vectors(connection, _estimation_settings(model, present), blocks, pair_count)
    database = DuckDBAPI(connection=connection)
    sessions = []
    for number, (rule, count) in enumerate(blocks.items()):
        settings = _session_settings(model, rule, present)
        found = _maximize(database, _settings(settings), number) if settings["comparisons"] else None
        if found is not None:
            sessions.append(_session(rule, min(count, pair_count), found))
    connection.execute("DROP TABLE block_vectors")
    return sessions


def _session(rule: TrainingRule, pair_count: int, found: CoreModelSettings) -> Session:
    m = {
        comparison.output_column_name: [
            _number(level.m_probability) for level in comparison._comparison_levels_excluding_null
        ]
        for comparison in found.comparisons
    }
    return Session(rule.name, pair_count, found.probability_two_random_records_match, m)


def _session_settings(model: Model, rule: TrainingRule, present: Collection[str]) -> dict[str, Any]:
    """With the comparisons that say something in the block: not those that look at what it is made of."""
    held = {column for key in rule.keys for column in _KEY_COLUMN.findall(key)}
    wanted = {
        comparison.name
        for comparison in model.specification.comparisons
        if comparison.name in present
        and comparison.name not in rule.without
        and held.isdisjoint(compared_columns(comparison))
    }
    settings = _estimation_settings(model, wanted)
    return settings | {"em_convergence": EM_CONVERGENCE, "max_iterations": EM_ITERATIONS}


def _create_vectors(
    connection: duckdb.DuckDBPyConnection,
    settings: dict[str, Any],
    blocks: Mapping[TrainingRule, int],
    pair_count: int,
) -> None:
    """Table `block_vectors` with the level of every comparison and match_key, the place of the block in `blocks`, which
    maps each rule to its pairs. All blocks at once: to look records up costs as much as to compare thousands of pairs.
    """
    connection.execute("CREATE TABLE block_pairs (match_key VARCHAR, join_key_l BIGINT, join_key_r BIGINT)")
    for number, (rule, count) in enumerate(blocks.items()):
        share = min(1.0, (pair_count / count) ** 0.5)
        connection.execute(
            f"INSERT INTO block_pairs {_block_pairs_sql(rule, record_share=share)}", [str(number)]
        )
    steps = _vector_steps(_settings(settings), pairs_sql="FROM block_pairs", records_sql="FROM records")
    connection.execute(
        f"CREATE TABLE block_vectors AS {_with_sql(steps)} FROM __splink__df_comparison_vectors"
    )
    connection.execute("DROP TABLE block_pairs")


def _block_pairs_sql(rule: TrainingRule, *, record_share: float) -> str:
    """The pairs of a block, of records that a hash chooses where not all of them are wanted."""
    sides = "".join(
        f" AND hash({side}.record_id) % 1000000 < {record_share * 1_000_000:.0f}"
        for side in "lr"
        if record_share < 1
    )
    condition = " AND ".join(f"{_sided(key, 'l')} = {_sided(key, 'r')}" for key in rule.keys)
    return (
        "SELECT ? AS match_key, l.record_id AS join_key_l, r.record_id AS join_key_r "  # noqa: S608
        f"FROM records AS l JOIN records AS r ON {condition} WHERE l.record_id < r.record_id{sides}"
    )


def _sided(key: str, side: str) -> str:
    return _KEY_COLUMN.sub(rf"{side}.\1", key)


def _maximize(database: DuckDBAPI, settings: Settings, block: int) -> CoreModelSettings | None:
    """What EM makes of the rows of one block in table `block_vectors`."""
    connection = database.duckdb_con
    connection.execute("CREATE TABLE session_vectors AS FROM block_vectors WHERE match_key = ?", [str(block)])
    vectors = database.table_to_splink_dataframe("__splink__df_comparison_vectors", "session_vectors")
    try:
        with _without_inlining(connection):
            history = expectation_maximisation(
                db_api=database,
                training_settings=settings.training_settings,
                estimate_without_term_frequencies=True,
                core_model_settings=settings.core_model_settings,
                unique_id_input_columns=settings.column_info_settings.unique_id_input_columns,
                training_fixed_probabilities={"u"},
                df_comparison_vector_values=vectors,
            )
    except ValueError as error:
        # Splink refuses an m of exactly 0: a level that only hopeless pairs of a small block fall into.
        if "below the minimum allowed" not in str(error):
            raise
        return None
    finally:
        connection.execute("DROP TABLE session_vectors")
        database.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]
    return history[-1]


@contextmanager
def _without_inlining(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """An iteration of EM reads one subquery twenty times: DuckDB would first copy it to each place, and take twice as
    long."""
    connection.execute("SET disabled_optimizers = 'cte_inlining'")
    try:
        yield
    finally:
        connection.execute("RESET disabled_optimizers")


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
