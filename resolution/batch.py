"""Resolving everything at once: block, score with Splink on DuckDB, partition; set-based from end to end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from resolution.blocking import add_block_keys, add_blocked_pairs, create_block_keys, unblocked_pairs_sql
from resolution.linkage_index import BLOCKED, COMPONENT, REPEAT
from resolution.model import Model
from resolution.partition import Constraints, Join, Partition, Refusal, partition
from resolution.people import (
    Cluster,
    PairConstraints,
    claimed_identifiers,
    exclusive_identifiers,
    rulings_of,
    separating_attributes,
)
from resolution.repeats import find_repeats, put_repeats_back
from resolution.sharing import Value
from resolution.splink_engine import comparisons_with_frequencies, score_pairs
from resolution.workspace import (
    VALUE_KEY_SQL,
    RecordDays,
    StoredRecord,
    find_nobodies,
    holders_sql,
    load_records,
    open_workspace,
    part_shared_values,
)

CHUNK_SIZE = 50_000

# Of the bits that term frequencies give: however many comparisons know them, levels and these add up to the match
# weight within a billionth.
EVIDENCE_DIGITS = 10

# One list a column, all of one length.
Columns = Sequence[list[Any]]

# Told what is being done, for a progress bar.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class BatchResolution:
    """One resolution of everything, readable while its workspace is open.

    clusters: in the order of the record keys of their first records. refusals: on record ids, key_l < key_r. firsts:
    repeats to the records that stand for them.
    """

    connection: duckdb.DuckDBPyConnection = field(repr=False)
    model: Model = field(repr=False)
    clusters: list[Cluster]
    refusals: list[Refusal]
    firsts: dict[int, int] = field(repr=False)
    counts: dict[str, int]

    def edges(self) -> Iterator[Columns]:
        """record_id_l, record_id_r, match_weight, origin, evidence in pair order, chunk by chunk.

        origin: see linkage_index. evidence: JSON text {"levels": [level number by comparison, the missing level
        counted], "frequency_weights": {comparison: bits}}, the latter where they are not 0.
        """
        yield from _chunks(self.connection, "FROM explained_edges")

    def blocking_keys(self) -> Iterator[Columns]:
        """blocking_key, record_id, in order, each once; repeats have none."""
        yield from _chunks(self.connection, "FROM told_keys")

    def value_holders(self) -> Iterator[Columns]:
        """value_key, first name by sound or '', record_id of the values whose holders count, in order."""
        yield from _chunks(self.connection, "FROM told_holders")

    def shared_values(self) -> Iterator[Columns]:
        """value_key, linkage column, value, holders, 'shared' or 'generic', whether it is held so, in order."""
        yield from _chunks(
            self.connection,
            f"SELECT {VALUE_KEY_SQL}, * FROM value_classes ORDER BY ALL",  # noqa: S608  SQL of this code
        )


@contextmanager
def resolve_batch(
    records: Iterable[Sequence[StoredRecord]],
    model: Model,
    constraints: PairConstraints | None = None,
    *,
    held: Collection[Value] = (),
    days: RecordDays = (),
    memory_limit: str = "3GB",
    threads: int = 2,
    progress: Progress = lambda _: None,
) -> Iterator[BatchResolution]:
    """Resolve all records of the batch under a model.

    Records: chunks of (record_id, source, source_record_id, standardized record as JSON text); everything goes to
    DuckDB as it comes. Held: values that count as shared at least. Days: see part_shared_values. The result is the
    same whatever the order of the records.
    """
    with open_workspace(memory_limit=memory_limit, threads=threads) as connection:
        progress("loading records")
        count = load_records(connection, records)
        part_shared_values(connection, model.specification, held, days=days)
        progress("blocking")
        ruled = constraints or PairConstraints()
        find_nobodies(connection)
        has_repeats = find_repeats(connection, model, rulings_of(ruled)) > 0
        _block(connection, model)
        progress("scoring pairs")
        _score(connection, model)
        progress("partitioning")
        firsts = dict(connection.execute("SELECT record_id, first_id FROM repeats").fetchall())
        found, ids = _partition(connection, model, ruled, firsts)
        if has_repeats:
            found = put_repeats_back(connection, found)
            _add_edges(connection, "repeat_scores", REPEAT)
        progress("explaining edges")
        _explain_edges(connection, model)
        _order_keys(connection, model)
        clusters = _clusters(found, ids)
        counts = {
            "records": count,
            "blocked_pairs": _count(connection, "blocked_pairs"),
            "edges": _count(connection, "edges"),
            "shared_values": _count(connection, "value_classes"),
            "clusters": len(clusters),
            "largest_cluster": max((len(cluster.record_ids) for cluster in clusters), default=0),
        }
        _forget_all_but(connection, ("explained_edges", "told_keys", "told_holders", "value_classes"))
        yield BatchResolution(connection, model, clusters, _on_record_ids(found, ids), firsts, counts)


def _block(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    create_block_keys(connection)
    for rule in model.blocking_rules:
        add_block_keys(connection, rule)
    connection.execute("DELETE FROM block_keys WHERE record_id IN (FROM nobodies)")
    add_blocked_pairs(connection, model.blocking_rules)


def _score(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Table `edges`: the blocked pairs, and then the pairs that components still lack, above the floor."""
    thresholds = model.specification.thresholds
    score_pairs(
        connection, model, pairs="blocked_pairs", scored="edges", floor=thresholds.floor, with_levels=True
    )
    connection.execute(f"ALTER TABLE edges ADD COLUMN origin VARCHAR DEFAULT '{BLOCKED}'")
    _complete_components(connection, thresholds.link, model.specification.complete_size)
    if _count(connection, "missing_pairs"):
        score_pairs(
            connection,
            model,
            pairs="missing_pairs",
            scored="completed",
            floor=thresholds.floor,
            with_levels=True,
        )
        _add_edges(connection, "completed", COMPONENT)


def _add_edges(connection: duckdb.DuckDBPyConnection, scored: str, origin: str) -> None:
    connection.execute(f"INSERT INTO edges SELECT *, ? FROM {scored}", [origin])  # noqa: S608  a table of ours


def _complete_components(connection: duckdb.DuckDBPyConnection, link: float, complete_size: int) -> None:
    """Table `missing_pairs`: inside the components of linked records, the pairs that no blocking rule proposed."""
    linked = connection.execute(
        "SELECT record_id_l, record_id_r FROM edges WHERE match_weight >= ?", [link]
    ).fetchnumpy()
    components = _component_labels(linked["record_id_l"], linked["record_id_r"])
    connection.register("components", components)
    members = """
        SELECT component, record_id FROM components
        QUALIFY count(*) OVER (PARTITION BY component) BETWEEN 3 AND $complete_size
    """
    connection.execute(
        f"CREATE TABLE missing_pairs AS {unblocked_pairs_sql(members, 'component')}",
        {"complete_size": complete_size},
    )
    connection.unregister("components")


def _component_labels(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> pa.Table:
    """(record_id, component) of every record that has an edge (label propagation to the smallest, with jumps)."""
    ids, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    near, far = places[: len(left)], places[len(left) :]
    labels = np.arange(len(ids))
    while True:
        lowest = np.minimum(labels[near], labels[far])
        before = labels.copy()
        np.minimum.at(labels, near, lowest)
        np.minimum.at(labels, far, lowest)
        np.minimum.at(labels, before, labels)
        labels = labels[labels]
        if np.array_equal(labels, before):
            return pa.table({"record_id": ids, "component": labels})


def _partition(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    constraints: PairConstraints,
    first_of: Mapping[int, int],
) -> tuple[Partition, np.ndarray[Any, Any]]:
    """The partition on record key ranks, repeats left out, and the record id of every rank (rank 1 at place 0)."""
    ids = connection.execute("SELECT record_id FROM loaded ORDER BY record_key_rank").fetchnumpy()[
        "record_id"
    ]
    edges = connection.execute(
        """
        SELECT l.record_key_rank - 1 AS l, r.record_key_rank - 1 AS r, match_weight FROM edges
        JOIN loaded AS l ON l.record_id = record_id_l JOIN loaded AS r ON r.record_id = record_id_r
        """
    ).fetchnumpy()
    exclusive, claimed = {}, {}
    for rank, documents, claims in connection.execute(
        "SELECT record_key_rank - 1, documents, claimed FROM loaded WHERE documents IS NOT NULL"
    ).fetchall():
        exclusive[rank] = exclusive_identifiers(documents)
        if claims:
            claimed[rank] = claimed_identifiers(documents, claims)
    rank_of = dict(zip(ids.tolist(), range(len(ids)), strict=True))
    repeats = {rank_of[record_id] for record_id in first_of}
    # What is ruled of repeats is ruled of their firsts.
    rank_of.update((record_id, rank_of[first_id]) for record_id, first_id in first_of.items())
    separating = {
        rank: separating_attributes(agnomen)
        for rank, agnomen in connection.execute(
            "SELECT record_key_rank - 1, agnomen FROM loaded WHERE agnomen IS NOT NULL"
        ).fetchall()
    }
    found = partition(
        (rank for rank in range(len(ids)) if rank not in repeats),
        zip(edges["l"].tolist(), edges["r"].tolist(), edges["match_weight"].tolist(), strict=True),
        Constraints(
            _ranked(constraints.together, rank_of),
            _ranked(constraints.cannot, rank_of),
            exclusive,
            separating,
            claimed,
            frozenset(rank_of[record_id] for record_id, _ in constraints.frozen if record_id in rank_of),
        ),
        model.specification.thresholds,
    )
    return found, ids


def _ranked(pairs: Iterable[tuple[int, int]], rank_of: dict[int, int]) -> frozenset[tuple[int, int]]:
    return frozenset((rank_of[a], rank_of[b]) for a, b in pairs if a in rank_of and b in rank_of)


def _clusters(found: Partition, ids: np.ndarray[Any, Any]) -> list[Cluster]:
    record_ids: list[int] = ids.tolist()
    members: dict[int, list[int]] = defaultdict(list)
    for rank, record_id in enumerate(record_ids):
        members[found.cluster_of[rank]].append(record_id)
    joins: dict[int, list[Join]] = defaultdict(list)
    for join in found.joins:
        low, high = _pair_of_ids(join.key_l, join.key_r, record_ids)
        on_ids = Join(low, high, join.match_weight, join.mean_weight, join.kind)
        joins[found.cluster_of[join.key_l]].append(on_ids)
    # A cluster is met first at its smallest key, which is its name: they are in order.
    return [Cluster(tuple(ranked), tuple(joins.get(name, ()))) for name, ranked in members.items()]


def _on_record_ids(found: Partition, ids: np.ndarray[Any, Any]) -> list[Refusal]:
    record_ids: list[int] = ids.tolist()
    refusals = []
    for refusal in found.refusals:
        low, high = _pair_of_ids(refusal.key_l, refusal.key_r, record_ids)
        refusals.append(replace(refusal, key_l=low, key_r=high))
    return refusals


def _pair_of_ids(rank_l: int, rank_r: int, record_ids: Sequence[int]) -> tuple[int, int]:
    id_l, id_r = record_ids[rank_l], record_ids[rank_r]
    return (id_l, id_r) if id_l < id_r else (id_r, id_l)


def _explain_edges(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Table `explained_edges`: the edges with the level of every comparison and the term-frequency weights."""
    weights = ", ".join(
        f"CASE WHEN frequency_weight_{name} <> 0 "
        f"THEN '\"{name}\":' || round(frequency_weight_{name}, {EVIDENCE_DIGITS}) END"
        for name in comparisons_with_frequencies(model)
    )
    connection.execute(
        f"""
        CREATE TABLE explained_edges AS
        SELECT record_id_l, record_id_r, match_weight, origin,
               '{{"levels":' || to_json(levels) || ',"frequency_weights":{{' || concat_ws(',', {weights or "NULL"})
               || '}}}}' AS evidence
        FROM edges ORDER BY record_id_l, record_id_r
        """  # noqa: S608  names of our own specification
    )


def _order_keys(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Tables `told_keys` and `told_holders`, in order: they are read once for a digest and once to be stored."""
    connection.execute(
        "CREATE TABLE told_keys AS SELECT DISTINCT blocking_key, record_id FROM block_keys "
        "ANTI JOIN repeats USING (record_id) ORDER BY ALL"
    )
    connection.execute(f"CREATE TABLE told_holders AS {holders_sql(model.specification)} ORDER BY ALL")


def _forget_all_but(connection: duckdb.DuckDBPyConnection, kept: Collection[str]) -> None:
    """Give back the memory of the other tables: whoever reads a resolution needs much of it."""
    tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    for (table,) in tables:
        if table not in kept:
            connection.execute(f"DROP TABLE {table}")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    [(count,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608
    return int(count)


def _chunks(connection: duckdb.DuckDBPyConnection, statement: str) -> Iterator[Columns]:
    """The columns of a statement, chunk by chunk, on a cursor of its own."""
    cursor = connection.cursor()
    for batch in cursor.sql(statement).to_arrow_reader(CHUNK_SIZE):
        yield [column.to_pylist() for column in batch.columns]
    cursor.close()
