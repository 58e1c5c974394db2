"""Estimating a model from unlabelled records: bounded, steady, blended with the prior (DESIGN 4.2).

u comes from random pairs, m from EM runs over the training blocks of the specification, the prior from the sum of
match probabilities over the blocked pairs. Each estimate is blended with the shipped one by the number of pairs
behind it and clamped, so that a handful of pairs or one odd level decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

import duckdb
import numpy as np

from resolution.blocking import add_block_keys, add_blocked_pairs, create_block_keys
from resolution.model import Model
from resolution.specification import Comparison, ExcessFrequency, Specification
from resolution.splink_engine import Session, estimate_u, run_session, score_pairs

# Pairs looked at: enough that a level seen once in ten thousand pairs is seen forty times, few enough that a million
# records train in the time of fifty thousand.
SAMPLED_PAIRS = 400_000
SESSION_PAIRS = 200_000
BLOCKED_PAIRS = 200_000
RULE_PAIRS = 4_000

# The shipped m counts as much as this many matching pairs, the shipped u as this many random ones.
PRIOR_MATCHES = 200.0
PRIOR_RANDOM_PAIRS = 20_000.0

# No level speaks against a match with more bits than these: one typing error must not veto everything.
MOST_BITS_FOR = 20.0
MOST_BITS_AGAINST = 7.0

# An optional blocking rule is worth its pairs when one in twenty of them looks like a match.
WORTHWHILE_MATCH_SHARE = 0.05


@dataclass(frozen=True)
class Training:
    """A trained model and what it was made of."""

    model: Model
    sessions: Sequence[Session]
    rule_shares: Mapping[str, float]


def initial_model(specification: Specification, version: int = 0) -> Model:
    """The shipped prior of a specification, with no term frequencies of its own."""
    return Model(
        version=version,
        specification=specification,
        match_probability=specification.match_probability,
        probabilities={
            comparison.name: [(level.m, level.u) for level in comparison.weighed_levels]
            for comparison in specification.comparisons
        },
        frequencies={},
        rare={**dict.fromkeys(specification.frequency_columns, 1e-5), **_no_excess(specification)},
        rule_names=tuple(rule.name for rule in specification.blocking_rules if not rule.is_optional),
    )


def train(connection: duckdb.DuckDBPyConnection, prior: Model, *, version: int, seed: int) -> Training:
    """Estimate a model from table `records`."""
    specification = prior.specification
    frequencies, rare = count_terms(connection, specification)
    sampled = estimate_u(connection, prior, seed=seed, pair_count=SAMPLED_PAIRS)
    m = {comparison.name: [level.m for level in comparison.weighed_levels] for comparison in specification.comparisons}
    u = {
        comparison.name: _blended_u(comparison, sampled[comparison.name], prior.match_probability, m[comparison.name])
        for comparison in specification.comparisons
    }
    model = replace(_with_probabilities(prior, m, u), version=version, frequencies=frequencies, rare=rare)
    model, shares = _choose_rules(connection, model)
    model = replace(model, match_probability=estimate_match_probability(connection, model))
    sessions = [
        session
        for rule in specification.training_rules
        if (session := run_session(connection, model, rule, pair_count=SESSION_PAIRS)) is not None
    ]
    m = {comparison.name: _blended_m(comparison, sessions) for comparison in specification.comparisons}
    for _ in range(2):
        u = {
            comparison.name: _blended_u(comparison, sampled[comparison.name], model.match_probability, m[comparison.name])
            for comparison in specification.comparisons
        }
        model = _with_probabilities(model, m, u)
        model = replace(model, match_probability=estimate_match_probability(connection, model))
    return Training(model, sessions, shares)


def count_terms(
    connection: duckdb.DuckDBPyConnection, specification: Specification
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Shares of the terms of every frequency column in table `records`; terms seen once are left to `rare`."""
    frequencies, rare = {}, {}
    for column in specification.frequency_columns:
        [(total,)] = connection.execute(f"SELECT count({column}) FROM records").fetchall()  # noqa: S608
        rows = connection.execute(
            f"SELECT {column}, count(*) FROM records WHERE {column} IS NOT NULL "  # noqa: S608
            "GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
        ).fetchall()
        frequencies[column] = {term: count / total for term, count in rows}
        rare[column] = 1 / max(total, 1000)
    for excess in specification.excess_frequencies:
        frequencies[excess.column] = _count_excess(connection, excess, frequencies, rare)
    return frequencies, {**rare, **_no_excess(specification)}


def _no_excess(specification: Specification) -> dict[str, float]:
    return {excess.column: 1.0 for excess in specification.excess_frequencies}


def _count_excess(
    connection: duckdb.DuckDBPyConnection,
    excess: ExcessFrequency,
    frequencies: Mapping[str, Mapping[str, float]],
    rare: Mapping[str, float],
) -> dict[str, float]:
    """Term to how many times more people bear it than its parts suggest, where that is more than once."""
    parts = ", ".join(excess.parts)
    rows = connection.execute(
        f"""
        SELECT {excess.column}, {parts},
               greatest(count(DISTINCT phone_variants[1]), count(DISTINCT emails[1]),
                        count(DISTINCT handles[1]), count(DISTINCT documents[1])) AS holders,
               (SELECT count({excess.column}) FROM records) AS total
        FROM records WHERE {excess.column} IS NOT NULL
        GROUP BY {excess.column}, {parts} HAVING holders >= ? ORDER BY ALL
        """,  # noqa: S608  columns of our own specification
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


def estimate_match_probability(connection: duckdb.DuckDBPyConnection, model: Model) -> float:
    """The probability that two random records match: the sum of match probabilities over the blocked pairs, by all
    pairs, at the value that reproduces itself."""
    create_block_keys(connection)
    for rule in model.blocking_rules:
        add_block_keys(connection, rule)
    add_blocked_pairs(connection, model.blocking_rules)
    [(blocked,)] = connection.execute("SELECT count(*) FROM blocked_pairs").fetchall()
    [(records,)] = connection.execute("SELECT count(*) FROM records").fetchall()
    share = min(1.0, BLOCKED_PAIRS / max(blocked, 1))
    connection.execute(
        "CREATE OR REPLACE TABLE sampled_pairs AS SELECT * FROM blocked_pairs WHERE hash(join_key_l, join_key_r) % 1000000 < ?",
        [round(share * 1_000_000)],
    )
    score_pairs(connection, model, pairs="sampled_pairs", scored="sampled_scores", floor=-1000.0)
    weights = connection.execute("SELECT match_weight FROM sampled_scores").fetchnumpy()["match_weight"]
    evidence = np.sort(weights) - model.prior_match_weight
    for table in ("block_keys", "blocked_pairs", "sampled_pairs", "sampled_scores"):
        connection.execute(f"DROP TABLE {table}")
    pairs = records * (records - 1) / 2
    probability = model.match_probability
    for _ in range(100):
        prior_weight = log2(probability / (1 - probability))
        expected = float((1 / (1 + np.exp2(-(evidence + prior_weight)))).sum()) / share
        probability = min(max(expected / max(pairs, 1), 1e-9), 0.1)
    return probability


def _choose_rules(connection: duckdb.DuckDBPyConnection, model: Model) -> tuple[Model, dict[str, float]]:
    optional = [rule for rule in model.specification.blocking_rules if rule.is_optional]
    probability = estimate_match_probability(connection, model)
    model = replace(model, match_probability=probability)
    create_block_keys(connection)
    for rule in model.specification.blocking_rules:
        add_block_keys(connection, rule)
    add_blocked_pairs(connection, model.blocking_rules)
    connection.execute("CREATE TABLE rule_pairs (rule VARCHAR, match_key VARCHAR, join_key_l BIGINT, join_key_r BIGINT)")
    for rule in optional:
        connection.execute(
            """
            INSERT INTO rule_pairs
            WITH blocks AS (
                SELECT blocking_key, list(record_id) AS members FROM block_keys WHERE rule = ?
                GROUP BY blocking_key HAVING count(*) BETWEEN 2 AND ?
                ORDER BY hash(blocking_key) LIMIT ?
            ), members AS (SELECT blocking_key, unnest(members) AS record_id FROM blocks)
            , pairs AS (SELECT DISTINCT l.record_id AS join_key_l, r.record_id AS join_key_r
              FROM members l JOIN members r USING (blocking_key) WHERE l.record_id < r.record_id)
            SELECT ?, '0', join_key_l, join_key_r FROM pairs ANTI JOIN blocked_pairs USING (join_key_l, join_key_r)
            ORDER BY hash(join_key_l, join_key_r) LIMIT ?
            """,
            [rule.name, rule.cap, RULE_PAIRS * 5, rule.name, RULE_PAIRS],
        )
    connection.execute("CREATE TABLE all_rule_pairs AS SELECT DISTINCT match_key, join_key_l, join_key_r FROM rule_pairs")
    score_pairs(connection, model, pairs="all_rule_pairs", scored="rule_scores", floor=-1000.0)
    rows = connection.execute(
        "SELECT rule, avg(1 / (1 + pow(2, -match_weight))), count(*) FROM rule_pairs JOIN rule_scores "
        "ON join_key_l = record_id_l AND join_key_r = record_id_r GROUP BY rule ORDER BY rule"
    ).fetchall()
    for table in ("block_keys", "blocked_pairs", "rule_pairs", "all_rule_pairs", "rule_scores"):
        connection.execute(f"DROP TABLE {table}")
    shares = {rule: share for rule, share, _ in rows}
    chosen = tuple(rule.name for rule in optional if shares.get(rule.name, 0) >= WORTHWHILE_MATCH_SHARE)
    return replace(model, rule_names=model.rule_names + chosen), shares


def _with_probabilities(model: Model, m: Mapping[str, Sequence[float]], u: Mapping[str, Sequence[float]]) -> Model:
    return replace(
        model,
        probabilities={
            name: [_clamped(*pair) for pair in zip(m[name], u[name], strict=True)] for name in model.probabilities
        },
    )


def _clamped(m: float, u: float) -> tuple[float, float]:
    return min(max(m, u * 2**-MOST_BITS_AGAINST), 1.0), max(u, m * 2**-MOST_BITS_FOR)


def _blended_u(
    comparison: Comparison, sampled: Sequence[float | None], match_probability: float, m: Sequence[float]
) -> list[float]:
    """The sampled u, less the matches that were among the random pairs, blended with the shipped one."""
    prior = [level.u for level in comparison.weighed_levels]
    if any(level.is_fixed for level in comparison.levels) or not any(sampled):
        return prior
    found = [
        max((value or 0.0) - match_probability * level, 0.0) * SAMPLED_PAIRS
        for value, level in zip(sampled, m, strict=True)
    ]
    blended = [count + level * PRIOR_RANDOM_PAIRS for count, level in zip(found, prior, strict=True)]
    return [value / sum(blended) for value in blended]


def _blended_m(comparison: Comparison, sessions: Sequence[Session]) -> list[float]:
    prior = [level.m for level in comparison.weighed_levels]
    if any(level.is_fixed for level in comparison.levels):
        return prior
    total = [value * PRIOR_MATCHES for value in prior]
    for session in sessions:
        found = [value or 0.0 for value in session.m.get(comparison.name, ())]
        if sum(found) > 0:
            matches = session.pair_count * session.match_share
            total = [value + matches * level for value, level in zip(total, found, strict=True)]
    return [value / sum(total) for value in total]
