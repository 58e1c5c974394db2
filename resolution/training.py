"""Estimating a model from records: bounded, steady, blended with the prior, corrected by labels where there are some.

u comes from random pairs, m from EM runs over the training blocks of the specification, the prior from the sum of
match probabilities over the blocked pairs. Each estimate is blended with the shipped one by the number of pairs
behind it and clamped, so that a handful of pairs or one odd level decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from resolution.blocking import create_block_keys, drop_block_keys
from resolution.errors import TrainingError
from resolution.label_evidence import NO_LABELS, Label, LabelCounts, refine_m
from resolution.levels import check_conditions, present_comparisons
from resolution.model import Model
from resolution.sampled_evidence import (
    SampledEvidence,
    blocked_evidence,
    drop_samples,
    rule_evidence,
    score_samples,
)
from resolution.specification import Comparison, Specification
from resolution.splink_engine import Session, estimate_u, run_sessions
from resolution.term_frequencies import count_terms, shipped_terms
from resolution.training_pairs import block_pairs, create_rule_pairs

# Pairs looked at: enough that a level seen once in ten thousand pairs is seen twenty-five times, few enough that
# weighing them costs a million records what it costs fifty thousand. Of the blocked pairs only a sum is wanted, which
# these give to one part in a hundred.
SAMPLED_PAIRS = 250_000
SESSION_PAIRS = 200_000
BLOCKED_PAIRS = 50_000

# The shipped m counts as much as this many matching pairs, the shipped u as this many random ones.
PRIOR_MATCHES = 200.0
PRIOR_RANDOM_PAIRS = 20_000.0

# No level speaks for or against a match with more bits than these: one typing error must not veto everything.
MOST_BITS_FOR = 20.0
MOST_BITS_AGAINST = 7.0

# An optional blocking rule is worth its pairs when one in twenty of them looks like a match.
WORTHWHILE_MATCH_SHARE = 0.05

# u depends on the prior (random pairs hold matches) and the prior on u: two rounds settle both to three digits.
ROUNDS = 2


@dataclass(frozen=True)
class Training:
    """A trained model and what it was made of.

    rule_shares: for each optional blocking rule, the share of matches among the pairs that only it proposes.
    labels: pairs that people held to be one person, by which m was corrected.
    """

    model: Model
    sessions: Sequence[Session]
    rule_shares: Mapping[str, float]
    labels: LabelCounts = NO_LABELS


def initial_model(specification: Specification, version: int = 0) -> Model:
    """The shipped prior of a specification: term frequencies from public tables, no optional blocking rules."""
    shipped, rare = shipped_terms(specification)
    return Model(
        version=version,
        specification=specification,
        match_probability=specification.match_probability,
        probabilities={
            comparison.name: [(level.m, level.u) for level in comparison.weighed_levels]
            for comparison in specification.comparisons
        },
        frequencies=shipped,
        rare=rare,
        rule_names=tuple(rule.name for rule in specification.blocking_rules if not rule.is_optional),
    )


def train(
    connection: duckdb.DuckDBPyConnection,
    prior: Model,
    *,
    version: int,
    seed: int,
    labels: Sequence[Label] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Training:
    """Estimate a model from table `records` of a workspace; the same records, labels and seed give the same model.

    Progress is told each step as it begins.
    Raises TrainingError when there are fewer than two records, SpecificationError for a condition that DuckDB refuses.
    """
    specification = prior.specification
    [(record_count,)] = connection.execute("SELECT count(*) FROM records").fetchall()
    if record_count < 2:
        raise TrainingError(
            f"Training needs at least two records, and there are {record_count}: import some first."
        )
    check_conditions(connection, specification)
    progress("counting terms")
    frequencies, rare = count_terms(connection, specification)
    model = replace(prior, version=version, frequencies=frequencies, rare=rare)
    present = present_comparisons(connection, specification)
    estimated = {comparison.name for comparison in present if not comparison.is_fixed}
    progress("estimating u from random pairs")
    sampled = estimate_u(connection, model, wanted=estimated, seed=seed, pair_count=SAMPLED_PAIRS)
    m = {
        comparison.name: [level.m for level in comparison.weighed_levels]
        for comparison in specification.comparisons
    }
    progress("choosing blocking rules")
    model, evidence, shares = _choose_rules(connection, model, m, sampled)
    model = _settle(model, m, sampled, evidence)
    names = {comparison.name for comparison in present}
    progress("estimating m from blocked pairs")
    sessions = run_sessions(connection, model, present=names, pair_count=SESSION_PAIRS)
    found = {comparison.name: _blended_m(comparison, sessions) for comparison in specification.comparisons}
    settled, counts = _settle(model, found, sampled, evidence), NO_LABELS
    if labels:
        progress("correcting m by the decisions of stewards")
        refined, counts = refine_m(connection, settled, found, blocked=evidence, labels=labels)
        settled = _settle(model, refined, sampled, evidence)
    return Training(settled, sessions, shares, counts)


def _choose_rules(
    connection: duckdb.DuckDBPyConnection,
    scored: Model,
    m: Mapping[str, Sequence[float]],
    sampled: Mapping[str, Sequence[float | None]],
) -> tuple[Model, SampledEvidence, dict[str, float]]:
    """The model with the optional rules that are worth their pairs, the evidence of the pairs that are blocked then,
    and for each optional rule the mean match probability of the pairs that only it proposes.

    All samples are scored at once, since starting costs as much as scoring tens of thousands of pairs.
    """
    optional = [rule for rule in scored.specification.blocking_rules if rule.is_optional]
    create_block_keys(connection)
    block_pairs(connection, scored.blocking_rules)
    create_rule_pairs(connection, optional)
    score_samples(connection, scored, pair_count=BLOCKED_PAIRS)
    evidence = blocked_evidence(connection, scored)
    model = _settle(scored, m, sampled, evidence)
    shares = {
        rule: pairs.match_share(model) for rule, pairs in rule_evidence(connection, scored, optional).items()
    }
    chosen = [rule for rule in optional if shares.get(rule.name, 0.0) >= WORTHWHILE_MATCH_SHARE]
    for rule in chosen:
        more = rule_evidence(connection, scored, [rule])
        added = block_pairs(connection, [rule])
        if rule.name in more:
            evidence = evidence.with_more(more[rule.name].standing_for(added))
    drop_block_keys(connection)
    drop_samples(connection)
    return replace(model, rule_names=(*model.rule_names, *(rule.name for rule in chosen))), evidence, shares


def _settle(
    model: Model,
    m: Mapping[str, Sequence[float]],
    sampled: Mapping[str, Sequence[float | None]],
    evidence: SampledEvidence,
) -> Model:
    """The model with these m, and with the u and the prior that agree with them and with each other."""
    for _ in range(ROUNDS):
        u = {
            comparison.name: _blended_u(
                comparison, sampled.get(comparison.name, ()), model.match_probability, m[comparison.name]
            )
            for comparison in model.specification.comparisons
        }
        probabilities = {
            comparison.name: [
                pair if comparison.is_fixed else _clamped(*pair)
                for pair in zip(m[comparison.name], u[comparison.name], strict=True)
            ]
            for comparison in model.specification.comparisons
        }
        model = replace(model, probabilities=probabilities)
        model = replace(model, match_probability=evidence.match_probability(model))
    return model


def _clamped(m: float, u: float) -> tuple[float, float]:
    return min(max(m, u * 2**-MOST_BITS_AGAINST), 1.0), max(u, m * 2**-MOST_BITS_FOR)


def _blended_u(
    comparison: Comparison, sampled: Sequence[float | None], match_probability: float, m: Sequence[float]
) -> list[float]:
    """The sampled u, less the matches that were among the random pairs, blended with the shipped one."""
    prior = [level.u for level in comparison.weighed_levels]
    if comparison.is_fixed or not any(sampled):
        return prior
    found = [
        max((value or 0.0) - match_probability * level, 0.0) * SAMPLED_PAIRS
        for value, level in zip(sampled, m, strict=True)
    ]
    blended = [count + level * PRIOR_RANDOM_PAIRS for count, level in zip(found, prior, strict=True)]
    return [value / sum(blended) for value in blended]


def _blended_m(comparison: Comparison, sessions: Sequence[Session]) -> list[float]:
    """The m of the sessions, each with the weight of its matches, blended with the shipped one."""
    prior = [level.m for level in comparison.weighed_levels]
    if comparison.is_fixed:
        return prior
    total = [value * PRIOR_MATCHES for value in prior]
    for session in sessions:
        found = [value or 0.0 for value in session.m.get(comparison.name, ())]
        if sum(found) > 0:
            matches = session.pair_count * session.match_share
            total = [value + matches * level for value, level in zip(total, found, strict=True)]
    return [value / sum(total) for value in total]
