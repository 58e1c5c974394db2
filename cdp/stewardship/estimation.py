"""Shares with their intervals, agreement of two readers, precision and recall by threshold. Pure rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from operator import itemgetter

# Of the normal distribution: 95 % of it lies within so many standard deviations.
Z = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """hits of count, with the 95 % interval; all of it, 0 to 1, where nothing was counted."""

    hits: float
    count: float
    low: float
    high: float

    @property
    def value(self) -> float | None:
        return self.hits / self.count if self.count else None


@dataclass(frozen=True)
class ThresholdQuality:
    """What joining every labelled pair of this match weight or more would give."""

    threshold_match_weight: float
    precision: Share
    recall: Share


def wilson(hits: float, count: float) -> Share:
    """Source: E. B. Wilson (1927), the score interval of a binomial share."""
    if count <= 0:
        return Share(0.0, 0.0, 0.0, 1.0)
    share, spread = hits / count, Z * Z / count
    middle = (share + spread / 2) / (1 + spread)
    reach = Z * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return Share(hits, count, max(0.0, middle - reach), min(1.0, middle + reach))


def weighted_share(draws: Iterable[tuple[bool, float]]) -> Share:
    """The share of hits among what a probability sample stands for; each draw with its weight, one over its chance.

    The interval is Wilson's with the effective size of the sample. Source: L. Kish (1965), (sum w)^2 / sum w^2.
    """
    listed = list(draws)
    total = sum(weight for _, weight in listed)
    if total <= 0:
        return wilson(0, 0)
    share = sum(weight for is_hit, weight in listed if is_hit) / total
    size = total * total / sum(weight * weight for _, weight in listed)
    return wilson(share * size, size)


def kappa(answers: Sequence[tuple[str, str]]) -> float | None:
    """How far two readers agree beyond chance: 1 always, 0 as often as chance would. None where chance alone would make
    them agree always, or nothing was read twice.

    Source: J. Cohen (1960).
    """
    if not answers:
        return None
    count = len(answers)
    agreed = sum(one == other for one, other in answers) / count
    names = {name for pair in answers for name in pair}
    by_chance = sum(
        sum(one == name for one, _ in answers) * sum(other == name for _, other in answers) for name in names
    ) / (count * count)
    return None if by_chance == 1.0 else (agreed - by_chance) / (1 - by_chance)


def quality_by_threshold(labels: Iterable[tuple[float, bool]]) -> list[ThresholdQuality]:
    """From the highest threshold to the lowest, one for each match weight that a label has.

    Labels: match weight and whether the pair is one person. They are of the pairs that were looked at: recall is among
    them, not among all matches.
    """
    ordered = sorted(labels, key=itemgetter(0), reverse=True)
    match_count = sum(is_match for _, is_match in ordered)
    told, joined, right = [], 0, 0
    for weight, same in groupby(ordered, key=itemgetter(0)):
        of_weight = [is_match for _, is_match in same]
        joined, right = joined + len(of_weight), right + sum(of_weight)
        told.append(ThresholdQuality(weight, wilson(right, joined), wilson(right, match_count)))
    return told


def quality_at(told: Sequence[ThresholdQuality], thresholds: Iterable[float]) -> list[ThresholdQuality]:
    """The same at thresholds of one's own, from the lowest up; told: what quality_by_threshold made.

    Of a threshold above every label nothing is joined, so nothing is known of precision there.
    """
    match_count = told[-1].recall.count if told else 0.0
    above = wilson(0, 0), wilson(0, match_count)
    found = []
    for threshold in sorted(thresholds):
        lowest = next((each for each in reversed(told) if each.threshold_match_weight >= threshold), None)
        precision, recall = (lowest.precision, lowest.recall) if lowest else above
        found.append(ThresholdQuality(threshold, precision, recall))
    return found
