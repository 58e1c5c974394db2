"""A sample of blocked pairs as numbers, to weigh again under other probabilities without asking DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Any

import duckdb
import numpy as np

from resolution.levels import levels_sql
from resolution.model import Model
from resolution.specification import Comparison
from resolution.splink_engine import comparisons_with_frequencies, score_pairs

LEAST_MATCH_PROBABILITY = 1e-9
MOST_MATCH_PROBABILITY = 0.1
CONVERGENCE = 1e-6


@dataclass(frozen=True)
class SampledEvidence:
    """levels: pairs by comparisons, the level's place in its comparison. frequency_weights: per pair, what term
    frequencies gave in bits under `model`. share: of all blocked pairs that are here. pair_count: of all pairs of
    records, blocked or not."""

    levels: np.ndarray[Any, Any]
    frequency_weights: np.ndarray[Any, Any]
    model: Model
    share: float
    pair_count: float

    def match_probability(self, model: Model) -> float:
        """The probability that two random records match: the expected matches among the blocked pairs by all
        pairs, at the value that reproduces itself."""
        evidence = np.sort(self.weigh(model))
        probability = model.match_probability
        for _ in range(500):
            prior = log2(probability / (1 - probability))
            expected = float((1 / (1 + np.exp2(-(evidence + prior)))).sum()) / self.share
            found = min(max(expected / self.pair_count, LEAST_MATCH_PROBABILITY), MOST_MATCH_PROBABILITY)
            if abs(found - probability) <= CONVERGENCE * probability:
                return found
            probability = found
        return probability

    def weigh(self, model: Model) -> np.ndarray[Any, Any]:
        """Match weights in bits under a model with other m and u, without the prior."""
        total = self.frequency_weights.copy()
        for place, comparison in enumerate(model.specification.comparisons):
            weights = _level_weights(comparison, self.model, model)
            total += weights[self.levels[:, place]]
        return total


def _level_weights(comparison: Comparison, sampled: Model, model: Model) -> np.ndarray[Any, Any]:
    """What each level gives under `model`, in bits. Where a term frequency stands for a u, it has been measured
    against that u of `sampled`, and is moved to the other; such a level is taken to have a term."""
    then, now = sampled.probabilities[comparison.name], model.probabilities[comparison.name]
    counted = [level.frequency_column for level in comparison.weighed_levels]
    weights = []
    for place, (level, (m, u)) in enumerate(zip(comparison.weighed_levels, now, strict=True)):
        weight = log2(m / u)
        if level.frequency_column:
            base = place if level.frequency_is_over_level else counted.index(level.frequency_column)
            weight += log2(now[base][1] / then[base][1])
        weights.append(weight)
    weighed = iter(weights)
    return np.array([0.0 if level.is_missing else next(weighed) for level in comparison.levels])


def sample_evidence(
    connection: duckdb.DuckDBPyConnection, model: Model, *, pair_count: int
) -> SampledEvidence:
    """About `pair_count` pairs of table `blocked_pairs`, chosen by a hash of the pair."""
    [(blocked,)] = connection.execute("SELECT count(*) FROM blocked_pairs").fetchall()
    [(records,)] = connection.execute("SELECT count(*) FROM records").fetchall()
    share = min(1.0, pair_count / max(blocked, 1))
    connection.execute(
        "CREATE TABLE sampled_pairs AS SELECT * FROM blocked_pairs "
        "WHERE hash(join_key_l, join_key_r) % 1000000 < ?",
        [round(share * 1_000_000)],
    )
    score_pairs(connection, model, pairs="sampled_pairs", scored="sampled_scores", floor=-1000.0)
    names = comparisons_with_frequencies(model)
    width = len(model.specification.comparisons)
    wanted = [f"levels[{place + 1}]::TINYINT AS level_{place}" for place in range(width)]
    wanted += [f"frequency_weight_{name}" for name in names]
    found = connection.execute(
        f"SELECT {', '.join(wanted)} FROM ({levels_sql(connection, model.specification, pairs='sampled_scores')}) "  # noqa: S608
        "ORDER BY record_id_l, record_id_r"
    ).fetchnumpy()
    for table in ("sampled_pairs", "sampled_scores"):
        connection.execute(f"DROP TABLE {table}")
    levels = np.column_stack([np.asarray(found[f"level_{place}"]) for place in range(width)])
    weights = [np.asarray(found[f"frequency_weight_{name}"], dtype=np.float64) for name in names]
    return SampledEvidence(
        levels=levels,
        frequency_weights=np.sum(weights, axis=0) if weights else np.zeros(len(levels)),
        model=model,
        share=share,
        pair_count=max(records * (records - 1) / 2, 1.0),
    )
