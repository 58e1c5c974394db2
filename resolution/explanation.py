"""Why two records are, or are not, held to be one person: a pair's weight taken apart, in numbers and words.

Pure: a model and the stored evidence of a pair go in, nothing is compared anew, and the parts add up to the
pair's match weight. Words come in English and Portuguese; the labels of the shipped comparisons are in
`explanation_labels.toml`, and a comparison that is not there keeps its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import log2
from typing import Any

from resolution.errors import ResolutionError
from resolution.model import Model
from resolution.specification import Comparison

LANGUAGES = ("en", "pt")

_FOR_AT_MOST, _AGAINST_AT_MOST = 4, 3
# Less than half a bit convinces nobody and only makes the sentence longer.
_TELLING_BITS = 0.5
_RARE_BITS, _COMMON_BITS = 1.0, -1.0


class EvidenceError(ResolutionError):
    """Stored evidence that does not fit the specification it is said to come from."""


@dataclass(frozen=True)
class Contribution:
    """What one comparison says. level: its index in the specification; label: the level's label there.

    level_weight: log2(m/u), 0 for a missing value; frequency_weight: what the rarity of the term adds to it.
    """

    comparison: str
    level: int
    label: str
    is_missing: bool
    level_weight: float
    frequency_weight: float

    @property
    def match_weight(self) -> float:
        return self.level_weight + self.frequency_weight


@dataclass(frozen=True)
class PairExplanation:
    """Everything in bits. contributions: one a comparison, in the specification's order."""

    prior_match_weight: float
    contributions: tuple[Contribution, ...]

    @property
    def match_weight(self) -> float:
        return self.prior_match_weight + sum(each.match_weight for each in self.contributions)

    @property
    def match_probability(self) -> float:
        return match_probability(self.match_weight)


def explain_pair(
    model: Model, levels: Sequence[int], frequency_weights: Mapping[str, float]
) -> PairExplanation:
    """Take a pair's weight apart, by the model that scored it; its term frequencies are not needed.

    Levels: one index a comparison, in the specification's order, missing levels counted. Raises EvidenceError
    when they do not fit the model.
    """
    specification = model.specification
    if len(levels) != len(specification.comparisons):
        raise EvidenceError(
            f"Evidence of {len(levels)} levels does not fit model version {model.version}, which compares "
            f"{len(specification.comparisons)} things: explain it with the version that scored it."
        )
    contributions = tuple(
        _contribution(model, comparison, level, frequency_weights.get(comparison.name, 0.0))
        for comparison, level in zip(specification.comparisons, levels, strict=True)
    )
    return PairExplanation(model.prior_match_weight, contributions)


def _contribution(
    model: Model, comparison: Comparison, level_index: int, frequency_weight: float
) -> Contribution:
    if not 0 <= level_index < len(comparison.levels):
        raise EvidenceError(f"Model version {model.version}: {comparison.name} has no level {level_index}.")
    level = comparison.levels[level_index]
    level_weight = 0.0
    if not level.is_missing:
        place = sum(1 for each in comparison.levels[:level_index] if not each.is_missing)
        m, u = model.probabilities[comparison.name][place]
        level_weight = log2(m / u)
    return Contribution(
        comparison=comparison.name,
        level=level_index,
        label=level.label,
        is_missing=level.is_missing,
        level_weight=level_weight,
        frequency_weight=float(frequency_weight),
    )


def match_probability(match_weight: float) -> float:
    """The probability that a pair of this weight, prior included, is one person."""
    if match_weight < -1_000:
        return 0.0
    return 1 / (1 + 2 ** min(-match_weight, 1_000.0))


def comparison_label(comparison: str, language: str) -> str:
    label: str | None = _labels().get(comparison, {}).get(language)
    return label or comparison.replace("_", " ")


def level_label(comparison: str, label: str, language: str) -> str:
    """The label of a level in a language; one that is not translated is the specification's own."""
    own = _labels().get(comparison, {}).get(f"{language}_levels", {})
    translated: str | None = own.get(label) or _labels().get(f"levels_{language}", {}).get(label)
    return translated or label


def describe_pair(explanation: PairExplanation, language: str) -> str:
    """One pair in a few short sentences, the strongest evidence first."""
    words = _words(language)
    ranked = sorted(explanation.contributions, key=lambda each: -abs(each.match_weight))
    telling = [each for each in ranked if abs(each.match_weight) >= _TELLING_BITS]
    sides = {
        "for": [each for each in telling if each.match_weight > 0][:_FOR_AT_MOST],
        "against": [each for each in telling if each.match_weight < 0][:_AGAINST_AT_MOST],
    }
    verdict = words["verdict"].format(
        probability=_percent(explanation.match_probability, language),
        weight=_number(explanation.match_weight, language),
    )
    sentences = [verdict] + [
        words[side].format(list=_listed([_phrase(each, language) for each in told], words["and"]))
        for side, told in sides.items()
        if told
    ]
    return " ".join(sentences)


def describe_must_link(language: str) -> str:
    return str(_words(language)["must_link"])


def describe_lost_evidence(language: str) -> str:
    return str(_words(language)["lost_evidence"])


def describe_no_evidence(language: str) -> str:
    """Of a pair that is told without its edge: most were never heavy enough to have one."""
    return str(_words(language)["no_evidence"])


def describe_profile(record_count: int, language: str, *, joins_left_out: int = 0) -> str:
    """How many records a profile has, and so how many joins it took; how many of them cannot be shown."""
    words = _words(language)
    name = {0: "no_record", 1: "single_record", 2: "one_join"}.get(record_count, "joins")
    sentences = [words[name].format(records=record_count, joins=record_count - 1)]
    if joins_left_out:
        name = "one_left_out" if joins_left_out == 1 else "left_out"
        sentences.append(words[name].format(count=joins_left_out))
    return " ".join(sentences)


def _phrase(contribution: Contribution, language: str) -> str:
    """'first name: equal, a rare one (+9.1)'."""
    words = _words(language)
    name = comparison_label(contribution.comparison, language)
    label = level_label(contribution.comparison, contribution.label, language)
    remark = ""
    if contribution.frequency_weight >= _RARE_BITS:
        remark = words["rare"]
    elif contribution.frequency_weight <= _COMMON_BITS:
        remark = words["common"]
    return f"{name}: {label}{remark} ({_signed(contribution.match_weight, language)})"


def _listed(phrases: Sequence[str], last: str) -> str:
    if len(phrases) == 1:
        return phrases[0]
    return f"{'; '.join(phrases[:-1])} {last} {phrases[-1]}"


def _number(value: float, language: str) -> str:
    return _in_language(f"{value:.1f}", language)


def _signed(value: float, language: str) -> str:
    return _in_language(f"{value:+.1f}", language)


def _percent(probability: float, language: str) -> str:
    words = _words(language)
    if probability > 0.9999:
        return str(words["more_than"].format(percent=_in_language("99.99", language)))
    if probability < 0.0001:
        return str(words["less_than"].format(percent=_in_language("0.01", language)))
    return _in_language(f"{100 * probability:.4g}", language) + "%"


def _in_language(number: str, language: str) -> str:
    number = number.replace("-", "−")
    return number.replace(".", ",") if language == "pt" else number


def _words(language: str) -> Mapping[str, str]:
    words: Mapping[str, str] = _labels()["words"][language]
    return words


@cache
def _labels() -> Mapping[str, Any]:
    """Comparison to its name by language and its levels' labels; 'words' to the parts of sentences."""
    return tomllib.loads(resources.files("resolution").joinpath("explanation_labels.toml").read_text("utf-8"))
