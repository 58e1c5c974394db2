"""A model version: a specification with its probabilities, prior and term frequencies, frozen together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from resolution.specification import BlockingRule, Comparison, Specification

# Probabilities of one comparison, level by level without the missing one: (m, u).
LevelProbabilities = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Model:
    """What scores a pair. `frequencies`: column to term to its share of the records that have the column;
    a term that is not there counts as rare, with the share `rare[column]`."""

    version: int
    specification: Specification
    match_probability: float
    probabilities: Mapping[str, LevelProbabilities]
    frequencies: Mapping[str, Mapping[str, float]]
    rare: Mapping[str, float]
    rule_names: tuple[str, ...]

    @property
    def blocking_rules(self) -> tuple[BlockingRule, ...]:
        """The rules of the specification that are in force in this model."""
        return tuple(rule for rule in self.specification.blocking_rules if rule.name in self.rule_names)

    @property
    def prior_match_weight(self) -> float:
        return log2(self.match_probability / (1 - self.match_probability))


def splink_settings(model: Model) -> dict[str, Any]:
    """The model as a Splink 5 settings dictionary (link type dedupe_only over column record_id)."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record_id",
        "probability_two_random_records_match": model.match_probability,
        "retain_intermediate_calculation_columns": True,
        "retain_matching_columns": False,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [
            splink_comparison(comparison, model.probabilities[comparison.name])
            for comparison in model.specification.comparisons
        ],
    }


def splink_comparison(comparison: Comparison, probabilities: LevelProbabilities) -> dict[str, Any]:
    levels: list[dict[str, Any]] = []
    weighed = iter(probabilities)
    for level in comparison.levels:
        entry: dict[str, Any] = {"sql_condition": level.condition, "label_for_charts": level.label}
        if level.is_missing:
            entry["is_null_level"] = True
        else:
            entry["m_probability"], entry["u_probability"] = next(weighed)
        if level.frequency_column:
            entry["tf_adjustment_column"] = level.frequency_column
            entry["disable_tf_exact_match_detection"] = level.frequency_is_over_level
        levels.append(entry)
    return {"output_column_name": comparison.name, "comparison_levels": levels}
