"""Records that say exactly what another one says: a caller's tenth call, a till's hundredth receipt.

They bring no new evidence. Where the model holds two such records to be one person, only the first by record key is
compared with others, and the rest go where it goes; a busy customer then fills no block and outweighs nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import duckdb
import numpy as np

from resolution.model import Model
from resolution.partition import Join, Partition
from resolution.people import Ruling
from resolution.splink_engine import score_pairs


def find_repeats(connection: duckdb.DuckDBPyConnection, model: Model, rulings: Mapping[int, Ruling]) -> int:
    """Table `repeats` (record_id, first_id); returns how many there are. If any, there is table `repeat_scores` too,
    as score_pairs makes it with levels.

    Rulings: see people.rulings_of; records of which stewards ruled differently do not stand for each other. Nor do
    those in table `nobodies`.
    """
    _note_rulings(connection, rulings)
    connection.execute("CREATE TABLE repeats (record_id BIGINT, first_id BIGINT)")
    connection.execute(
        """
        CREATE TABLE equal_records AS
        SELECT record_id, arg_min(record_id, record_key_rank) OVER (PARTITION BY linkage_hash, ruling) AS first_id
        FROM loaded LEFT JOIN ruled_records USING (record_id) ANTI JOIN nobodies USING (record_id)
        """
    )
    connection.execute(
        """
        CREATE TABLE equal_pairs AS
        SELECT '0' AS match_key, least(record_id, first_id) AS join_key_l, greatest(record_id, first_id) AS join_key_r
        FROM equal_records WHERE record_id <> first_id
        """
    )
    [(equal_count,)] = connection.execute("SELECT count(*) FROM equal_pairs").fetchall()
    # Preparing to score takes half a second, however few the pairs are.
    repeat_count = _score_repeats(connection, model) if equal_count else 0
    connection.execute("DROP TABLE ruled_records")
    connection.execute("DROP TABLE equal_records")
    connection.execute("DROP TABLE equal_pairs")
    return repeat_count


def _note_rulings(connection: duckdb.DuckDBPyConnection, rulings: Mapping[int, Ruling]) -> None:
    """Table `ruled_records` (record_id, ruling): the same number where the same is ruled."""
    numbers: dict[Ruling, int] = {}
    rows = {record_id: numbers.setdefault(ruling, len(numbers)) for record_id, ruling in rulings.items()}
    connection.execute(
        "CREATE TABLE ruled_records AS "
        "SELECT unnest($records::BIGINT[]) AS record_id, unnest($rulings::BIGINT[]) AS ruling",
        {"records": list(rows), "rulings": list(rows.values())},
    )


def _score_repeats(connection: duckdb.DuckDBPyConnection, model: Model) -> int:
    floor = model.specification.thresholds.join
    score_pairs(connection, model, pairs="equal_pairs", scored="repeat_scores", floor=floor, with_levels=True)
    [(repeat_count,)] = connection.execute(
        """
        INSERT INTO repeats
        SELECT record_id, first_id FROM equal_records JOIN repeat_scores
        ON record_id_l = least(record_id, first_id) AND record_id_r = greatest(record_id, first_id)
        """
    ).fetchall()
    return int(repeat_count)


def put_repeats_back(connection: duckdb.DuckDBPyConnection, found: Partition) -> Partition:
    """The partition of the firsts, with every repeat in the cluster of its first. Keys are record key ranks from 0."""
    rows = connection.execute(
        """
        SELECT l.record_key_rank - 1 AS first, r.record_key_rank - 1 AS repeat, match_weight
        FROM repeats JOIN repeat_scores
        ON record_id_l = least(repeats.record_id, first_id) AND record_id_r = greatest(repeats.record_id, first_id)
        JOIN loaded AS l ON l.record_id = first_id JOIN loaded AS r ON r.record_id = repeats.record_id
        ORDER BY repeat
        """
    ).fetchnumpy()
    cluster_of, joins = dict(found.cluster_of), list(found.joins)
    for first, repeat, weight in zip(*(np.asarray(rows[name]).tolist() for name in rows), strict=True):
        cluster_of[repeat] = found.cluster_of[first]
        joins.append(Join(first, repeat, weight, weight, "evidence"))
    return replace(found, cluster_of=cluster_of, joins=joins)
