"""Pairs that people held to be one person, as a correction of m.

Only pairs that the machine doubts are asked about, so that the matches among them are no sample of all matches: taken
as one they would teach the model that matches disagree. They speak for their own stratum of match weight alone, as in
a post-stratified estimate: how many of all matches are in a stratum, the model says; what those look like, they.
What was held to be different is not used: people are asked about pairs between clusters alone, so that these do not
tell how many pairs of a stratum match.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from resolution.model import Model
from resolution.sampled_evidence import SampledEvidence, read_evidence
from resolution.specification import Comparison
from resolution.splink_engine import score_pairs

# (record_id_l, record_id_r) of one person, the smaller id first, each pair once.
Label = tuple[int, int]

# Bits of match weight. Within one bit the odds at most double: which of its pairs people came to read matters little.
STRATUM_BITS = 1.0

# In each stratum what the model expects counts as much as this many labels.
MODEL_MATCHES = 50.0

# A factor, two bits: beyond it the labels say that the specification is wrong, not its numbers.
MOST_CHANGE = 4.0

# Less than any sum of match probabilities: the shares of nothing are nothing.
LEAST_COUNT = 1e-300

_Mask = np.ndarray[Any, Any]


@dataclass(frozen=True)
class LabelCounts:
    """Labels that a training used, and those it left out: of records that it did not see, and of pairs that it does not
    doubt, which another model or other pairs of their clusters had chosen."""

    used: int = 0
    left_out: int = 0


NO_LABELS = LabelCounts()


def refine_m(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    m: Mapping[str, Sequence[float]],
    *,
    blocked: SampledEvidence,
    labels: Sequence[Label],
) -> tuple[Mapping[str, Sequence[float]], LabelCounts]:
    """m corrected by the labels; fixed comparisons as they are. Model: what was made of m. Blocked: a sample of all
    blocked pairs."""
    labelled = _read_labels(connection, model, labels)
    labelled = labelled.chosen(_are_doubtful(model, labelled))
    strata = list(_strata(model, blocked, labelled))
    if not strata:
        return m, LabelCounts(0, len(labels))
    matches = blocked.stands_for / (1 + np.exp2(-_match_weights(model, blocked)))
    changes = {
        comparison.name: _change(
            comparison, blocked.levels[:, place], matches, labelled.levels[:, place], strata
        )
        for place, comparison in enumerate(model.specification.comparisons)
        if not comparison.is_fixed
    }
    m = {name: _moved(levels, changes[name]) if name in changes else levels for name, levels in m.items()}
    used = sum(int(of_labelled.sum()) for _, of_labelled in strata)
    return m, LabelCounts(used, len(labels) - used)


def _read_labels(
    connection: duckdb.DuckDBPyConnection, model: Model, labels: Sequence[Label]
) -> SampledEvidence:
    lefts, rights = zip(*labels, strict=True)
    names = pa.array(["label"] * len(labels), pa.string())
    columns = {
        "rule": names,
        "match_key": names,
        "join_key_l": pa.array(lefts, pa.int64()),
        "join_key_r": pa.array(rights, pa.int64()),
    }
    connection.register("given_labels", pa.table(columns))
    connection.execute("CREATE TABLE labelled_pairs AS FROM given_labels")
    connection.unregister("given_labels")
    score_pairs(
        connection, model, pairs="labelled_pairs", scored="label_scores", floor=-1000.0, with_levels=True
    )
    _, evidence = read_evidence(connection, model, "FROM labelled_pairs", scores="label_scores")
    for name in ("labelled_pairs", "label_scores"):
        connection.execute(f"DROP TABLE {name}")
    return evidence


def _are_doubtful(model: Model, labelled: SampledEvidence) -> _Mask:
    weights, thresholds = _match_weights(model, labelled), model.specification.thresholds
    return (weights >= thresholds.review) & (weights < thresholds.join)


def _match_weights(model: Model, evidence: SampledEvidence) -> np.ndarray[Any, Any]:
    return evidence.weigh(model) + model.prior_match_weight


def _strata(
    model: Model, blocked: SampledEvidence, labelled: SampledEvidence
) -> Iterator[tuple[_Mask, _Mask]]:
    """For each stratum that has blocked pairs and labels: which they are."""
    lowest = model.specification.thresholds.review
    of_blocked = np.floor((_match_weights(model, blocked) - lowest) / STRATUM_BITS)
    of_labelled = np.floor((_match_weights(model, labelled) - lowest) / STRATUM_BITS)
    for stratum in np.intersect1d(of_blocked, of_labelled):
        yield of_blocked == stratum, of_labelled == stratum


def _change(
    comparison: Comparison,
    blocked_levels: np.ndarray[Any, Any],
    matches: np.ndarray[Any, Any],
    labelled_levels: np.ndarray[Any, Any],
    strata: Sequence[tuple[_Mask, _Mask]],
) -> np.ndarray[Any, Any]:
    """By how much the share of each level among the matches grows. Matches: how many each blocked pair stands for."""
    expected = _by_level(comparison, blocked_levels, matches)
    corrected = expected.copy()
    for of_blocked, of_labelled in strata:
        found = _by_level(comparison, blocked_levels[of_blocked], matches[of_blocked])
        ones = np.ones(int(of_labelled.sum()))
        told = _by_level(comparison, labelled_levels[of_labelled], ones)
        corrected += (found.sum() * told - len(ones) * found) / (len(ones) + MODEL_MATCHES)
    weighed = [not level.is_missing for level in comparison.levels]
    change: np.ndarray[Any, Any] = _shares(corrected[weighed]) - _shares(expected[weighed])
    return change


def _by_level(
    comparison: Comparison, levels: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    sums: np.ndarray[Any, Any] = np.bincount(levels, weights=weights, minlength=len(comparison.levels))
    return sums


def _shares(counts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    shares: np.ndarray[Any, Any] = counts / max(float(counts.sum()), LEAST_COUNT)
    return shares


def _moved(m: Sequence[float], change: np.ndarray[Any, Any]) -> list[float]:
    before = np.asarray(m)
    after = np.clip(before + change, before / MOST_CHANGE, before * MOST_CHANGE)
    return [float(value) for value in after * (before.sum() / after.sum())]
