"""A sample of blocked pairs as numbers, to weigh again under other probabilities without asking DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2
from typing import Any

import duckdb
import numpy as np

from resolution.model import Model
from resolution.specification import BlockingRule, Comparison
from resolution.splink_engine import comparisons_with_frequencies, score_pairs

LEAST_MATCH_PROBABILITY = 1e-9
MOST_MATCH_PROBABILITY = 0.1
CONVERGENCE = 1e-6


@dataclass(frozen=True)
class SampledEvidence:
    """levels: pairs by comparisons, the level's place in its comparison. frequency_weights: per pair, what term
    frequencies gave in bits under `model`. stands_for: per pair, how many blocked pairs it is a sample of.
    pair_count: of all pairs of records, blocked or not."""

    levels: np.ndarray[Any, Any]
    frequency_weights: np.ndarray[Any, Any]
    model: Model
    stands_for: np.ndarray[Any, Any]
    pair_count: float

    def chosen(self, pairs: np.ndarray[Any, Any]) -> SampledEvidence:
        """Of some of the pairs: a mask."""
        return replace(
            self,
            levels=self.levels[pairs],
            frequency_weights=self.frequency_weights[pairs],
            stands_for=self.stands_for[pairs],
        )

    def standing_for(self, blocked: int) -> SampledEvidence:
        """As a sample of so many blocked pairs."""
        count = len(self.levels)
        return replace(self, stands_for=np.full(count, blocked / max(count, 1)))

    def with_more(self, more: SampledEvidence) -> SampledEvidence:
        """With the pairs of another sample, which stand for other blocked pairs."""
        return replace(
            self,
            levels=np.concatenate([self.levels, more.levels]),
            frequency_weights=np.concatenate([self.frequency_weights, more.frequency_weights]),
            stands_for=np.concatenate([self.stands_for, more.stands_for]),
        )

    def match_probability(self, model: Model) -> float:
        """The probability that two random records match: the expected matches among the blocked pairs by all
        pairs, at the value that reproduces itself."""
        weights = self.weigh(model)
        # In this order the sum is the same whatever the order of the records.
        order = np.lexsort((self.stands_for, weights))
        evidence, stands_for = weights[order], self.stands_for[order]
        probability = model.match_probability
        for _ in range(500):
            prior = log2(probability / (1 - probability))
            expected = float((stands_for / (1 + np.exp2(-(evidence + prior)))).sum())
            found = min(max(expected / self.pair_count, LEAST_MATCH_PROBABILITY), MOST_MATCH_PROBABILITY)
            if abs(found - probability) <= CONVERGENCE * probability:
                return found
            probability = found
        return probability

    def match_share(self, model: Model) -> float:
        """The mean match probability of the pairs."""
        weights = np.sort(self.weigh(model)) + model.prior_match_weight
        return float((1 / (1 + np.exp2(-weights))).mean())

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


def score_samples(connection: duckdb.DuckDBPyConnection, model: Model, *, pair_count: int) -> None:
    """Table `sample_scores`: about `pair_count` pairs of table `blocked_pairs`, chosen by a hash of the pair, and all
    of table `rule_pairs` (rule, join_key_l, join_key_r), which are not blocked."""
    blocked = _count(connection, "blocked_pairs")
    connection.execute(
        """
        CREATE TABLE sampled_pairs AS
        SELECT * FROM blocked_pairs WHERE hash(join_key_l, join_key_r) % 1000000 < ?
        UNION ALL
        SELECT DISTINCT '0', join_key_l, join_key_r FROM rule_pairs
        """,
        [round(min(1.0, pair_count / max(blocked, 1)) * 1_000_000)],
    )
    score_pairs(
        connection, model, pairs="sampled_pairs", scored="sample_scores", floor=-1000.0, with_levels=True
    )
    connection.execute("DROP TABLE sampled_pairs")


def blocked_evidence(connection: duckdb.DuckDBPyConnection, model: Model) -> SampledEvidence:
    """That of the blocked pairs in table `sample_scores`. Model: the one that they were scored under."""
    _, evidence = read_evidence(connection, model, "SELECT *, NULL AS rule FROM blocked_pairs")
    return evidence.standing_for(_count(connection, "blocked_pairs"))


def rule_evidence(
    connection: duckdb.DuckDBPyConnection, model: Model, rules: Sequence[BlockingRule]
) -> dict[str, SampledEvidence]:
    """That of the pairs in table `sample_scores` that are not blocked, by the rule that proposes them."""
    names = [rule.name for rule in rules]
    pairs = (
        "FROM rule_pairs ANTI JOIN blocked_pairs USING (join_key_l, join_key_r) WHERE list_contains(?, rule)"
    )
    proposers, evidence = read_evidence(connection, model, pairs, names)
    return {str(rule): evidence.chosen(proposers == rule) for rule in np.unique(proposers)}


def drop_samples(connection: duckdb.DuckDBPyConnection) -> None:
    for table in ("rule_pairs", "sample_scores"):
        connection.execute(f"DROP TABLE {table}")


def read_evidence(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    pairs: str,
    *parameters: Sequence[str],
    scores: str = "sample_scores",
) -> tuple[np.ndarray[Any, Any], SampledEvidence]:
    """The column `rule` that each of these pairs has, and their evidence from a table of `score_pairs`."""
    names = comparisons_with_frequencies(model)
    width = len(model.specification.comparisons)
    wanted = [f"levels[{place + 1}] AS level_{place}" for place in range(width)]
    wanted += [f"frequency_weight_{name}" for name in names]
    found = connection.execute(
        f"SELECT rule, {', '.join(wanted)} FROM {scores} "  # noqa: S608  tables and columns of this code
        f"JOIN ({pairs}) ON join_key_l = record_id_l AND join_key_r = record_id_r "
        "ORDER BY rule, record_id_l, record_id_r",
        parameters,
    ).fetchnumpy()
    levels = np.column_stack([np.asarray(found[f"level_{place}"]) for place in range(width)])
    weights = [np.asarray(found[f"frequency_weight_{name}"], dtype=np.float64) for name in names]
    records = _count(connection, "records")
    evidence = SampledEvidence(
        levels=levels,
        frequency_weights=np.sum(weights, axis=0) if weights else np.zeros(len(levels)),
        model=model,
        stands_for=np.ones(len(levels)),
        pair_count=max(records * (records - 1) / 2, 1.0),
    )
    return np.asarray(found["rule"], dtype=object), evidence


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    [(count,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608  a table of this code
    return int(count)
