"""The compiled model beside Splink: what it costs to score a pair with either, and whether the two agree."""

from __future__ import annotations

import gzip
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
from splink import DuckDBAPI
from splink.internals.realtime import compare_records

from benchmarks.generated_pairs import generated_pairs, known_terms
from resolution import (
    Model,
    StoredRecord,
    compile_model,
    default_specification_text,
    initial_model,
    load_records,
    open_workspace,
    parse_specification,
    part_shared_values,
    train,
)
from resolution.blocking import add_block_keys, add_blocked_pairs, create_block_keys
from resolution.compile import CompiledModel, Prepared
from resolution.model import splink_settings
from resolution.splink_engine import score_pairs
from resolution.standardize import SourceSettings, Standardizer

SCORED_SET = "omni_share_10k"
SCORED_PAIRS = 20_000
SPLINK_CALLS = 30
ROUNDS = 5
COMPARED_PAIRS = 50_000
GENERATED_PAIRS = 3_000

Pair = tuple[int, int]


@dataclass(frozen=True)
class ScoringCost:
    """Seconds of processor time for each of these once, which other work on the machine does not lengthen; medians of
    rounds over the same pairs. Compiling is with the import of sqlglot."""

    pairs: int
    calls: int
    compile_seconds: float
    prepare_seconds: float
    score_seconds: float
    splink_seconds: float

    @property
    def ratio(self) -> float:
        return self.splink_seconds / self.score_seconds


@dataclass(frozen=True)
class Agreement:
    """A model trained on a set, over blocked and random pairs of it and generated ones: how many have another level
    somewhere, the greatest difference in weight, and how many of the levels the pairs fall into."""

    name: str
    records: int
    pairs: int
    generated_pairs: int
    differing_pairs: int
    greatest_difference: float
    levels_reached: int
    levels: int


@dataclass(frozen=True)
class Compared:
    """One pair: Splink's levels, whether the compiled model finds the same, and by how much its weight differs."""

    same_levels: bool
    difference: float
    levels: tuple[int, ...]


def measure_scoring(data: Path, *, seed: int) -> ScoringCost:
    """On blocked pairs of a labelled set, with the shipped model."""
    model = initial_model(parse_specification(default_specification_text()))
    began = time.process_time()
    compiled = compile_model(model)
    compile_seconds = time.process_time() - began
    with loaded_set(data, SCORED_SET, model) as connection:
        pairs = _blocked_pairs(connection, model)
        chosen = random.Random(seed).sample(pairs, k=min(SCORED_PAIRS, len(pairs)))
        linkages = _linkages(connection)
        prepared = _prepared(compiled, linkages)
        sides = [(prepared[left], prepared[right]) for left, right in chosen]
        return ScoringCost(
            pairs=len(chosen),
            calls=SPLINK_CALLS,
            compile_seconds=compile_seconds,
            prepare_seconds=_seconds_each(lambda: _prepare_all(compiled, linkages.values()), len(linkages)),
            score_seconds=_seconds_each(lambda: _score_all(compiled, sides), len(sides)),
            splink_seconds=_splink_seconds(connection, model, compiled, prepared, chosen[:SPLINK_CALLS]),
        )


def measure_agreement(data: Path, names: Sequence[str], *, seed: int) -> Iterator[Agreement]:
    """Each set with the model trained on it."""
    specification = parse_specification(default_specification_text())
    for name in names:
        prior = initial_model(specification)
        with loaded_set(data, name, prior) as connection:
            model = train(connection, prior, version=1, seed=seed).model
            linkages = _linkages(connection)
            pairs = _some_pairs(connection, model, sorted(linkages), seed)
            compared = _compared(connection, model, linkages, pairs)
        generated = _compared_generated(model, seed)
        yield _agreement(
            name, model, compared + generated, records=len(linkages), generated_pairs=len(generated)
        )


@contextmanager
def loaded_set(data: Path, name: str, model: Model) -> Iterator[duckdb.DuckDBPyConnection]:
    """A workspace with the standardized records of a labelled set."""
    with open_workspace() as connection:
        load_records(connection, [_standardized(data / name / "records.jsonl.gz")])
        part_shared_values(connection, model.specification)
        yield connection


def _standardized(path: Path) -> list[StoredRecord]:
    standardizer = Standardizer(SourceSettings())
    with gzip.open(path) as lines:
        return [
            (number, "set", f"{number:08}", orjson.dumps({"linkage": record.linkage}).decode())
            for number, record in enumerate(
                (standardizer.standardize(orjson.loads(line)) for line in lines), start=1
            )
        ]


def _blocked_pairs(connection: duckdb.DuckDBPyConnection, model: Model) -> list[Pair]:
    create_block_keys(connection)
    for rule in model.blocking_rules:
        add_block_keys(connection, rule)
    add_blocked_pairs(connection, model.blocking_rules)
    return connection.execute("SELECT join_key_l, join_key_r FROM blocked_pairs ORDER BY ALL").fetchall()


def _some_pairs(
    connection: duckdb.DuckDBPyConnection, model: Model, record_ids: Sequence[int], seed: int
) -> list[Pair]:
    """Blocked pairs up to the limit, and a fifth as many of any two records."""
    chosen = random.Random(seed)
    blocked = _blocked_pairs(connection, model)
    some = chosen.sample(blocked, k=min(COMPARED_PAIRS, len(blocked)))
    anyhow = (tuple(sorted(chosen.sample(record_ids, k=2))) for _ in range(len(some) // 5))
    return sorted({*some, *((low, high) for low, high in anyhow)})


def _linkages(connection: duckdb.DuckDBPyConnection) -> dict[int, dict[str, Any]]:
    """The records as the conditions see them."""
    cursor = connection.execute("SELECT * FROM records")
    columns = [name for name, *_ in cursor.description]
    rows = (dict(zip(columns, row, strict=True)) for row in cursor.fetchall())
    return {
        row["record_id"]: {column: value for column, value in row.items() if value is not None}
        for row in rows
    }


def _prepared(compiled: CompiledModel, linkages: Mapping[int, dict[str, Any]]) -> dict[int, Prepared]:
    return {record_id: compiled.prepare(linkage) for record_id, linkage in linkages.items()}


def _prepare_all(compiled: CompiledModel, linkages: Iterable[Mapping[str, Any]]) -> None:
    for linkage in linkages:
        compiled.prepare(linkage)


def _score_all(compiled: CompiledModel, sides: Sequence[tuple[Prepared, Prepared]]) -> None:
    for left, right in sides:
        compiled.score(left, right)


def _seconds_each(work: Callable[[], object], count: int) -> float:
    """The median over rounds."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return statistics.median(seconds) / count


def _splink_seconds(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    compiled: CompiledModel,
    prepared: Mapping[int, Prepared],
    pairs: Sequence[Pair],
) -> float:
    """The median call of compare_records with its SQL cached and the records ready as tables, term frequencies in
    them. Each result is checked against the compiled weight."""
    settings, database, seconds = splink_settings(model), DuckDBAPI(connection=connection), []
    for left, right in (pairs[0], *pairs):
        one, other = (_record_table(connection, model, record_id) for record_id in (left, right))
        began = time.process_time()
        found = compare_records(one, other, settings, database, sql_cache_key="score")
        seconds.append(time.process_time() - began)
        [(weight,)] = connection.execute(f"SELECT match_weight FROM {found.physical_name}").fetchall()  # noqa: S608
        assert abs(weight - compiled.score(prepared[left], prepared[right]).match_weight) <= 1e-9
    # The first call writes the SQL that the others find in the cache.
    return statistics.median(seconds[1:])


def _record_table(connection: duckdb.DuckDBPyConnection, model: Model, record_id: int) -> Any:
    relation = connection.sql(f"SELECT * FROM records WHERE record_id = {record_id}")  # noqa: S608  a number
    table = relation.to_arrow_table()
    [record] = table.to_pylist()
    for column in model.specification.frequency_columns:
        term = record[column]
        share = None if term is None else model.frequencies[column].get(term, model.rare[column])
        table = table.append_column(f"tf_{column}", pa.array([share], pa.float64()))
    return table


def _agreement(name: str, model: Model, compared: Sequence[Compared], **counts: int) -> Agreement:
    return Agreement(
        name=name,
        pairs=len(compared),
        differing_pairs=sum(not each.same_levels for each in compared),
        greatest_difference=max(each.difference for each in compared),
        levels_reached=len({level for each in compared for level in enumerate(each.levels)}),
        levels=sum(len(comparison.levels) for comparison in model.specification.comparisons),
        **counts,
    )


def _compared(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    linkages: Mapping[int, dict[str, Any]],
    pairs: Sequence[Pair],
) -> list[Compared]:
    compiled = compile_model(model)
    prepared = _prepared(compiled, linkages)
    columns = ("'0' AS match_key", "unnest($lefts) AS join_key_l", "unnest($rights) AS join_key_r")
    connection.execute(
        f"CREATE TABLE compared AS SELECT {', '.join(columns)}",
        {"lefts": [left for left, _ in pairs], "rights": [right for _, right in pairs]},
    )
    score_pairs(connection, model, pairs="compared", scored="scored", floor=-1e6, with_levels=True)
    statement = "SELECT record_id_l, record_id_r, match_weight, levels FROM scored"
    rows = connection.execute(statement).fetchall()
    if len(rows) != len(pairs):
        raise RuntimeError(f"Splink scored {len(rows):,} of {len(pairs):,} pairs")
    compared = []
    for left, right, weight, levels in rows:
        found = compiled.score(prepared[left], prepared[right])
        same_levels = found.levels == tuple(levels)
        compared.append(Compared(same_levels, abs(found.match_weight - weight), tuple(levels)))
    return compared


def _compared_generated(model: Model, seed: int) -> list[Compared]:
    """Over pairs of records that say anything, among them what the model knows the frequency of."""
    pairs = generated_pairs(GENERATED_PAIRS, seed=seed, terms=known_terms(model))
    records = [
        (number, "set", f"{number:08}", orjson.dumps({"linkage": linkage}).decode())
        for number, linkage in enumerate((side for pair in pairs for side in pair), start=1)
    ]
    with open_workspace() as connection:
        load_records(connection, [records])
        part_shared_values(connection, model.specification)
        numbered = [(2 * place + 1, 2 * place + 2) for place in range(len(pairs))]
        return _compared(connection, model, _linkages(connection), numbered)
