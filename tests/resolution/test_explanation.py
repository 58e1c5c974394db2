"""A pair's weight taken apart adds up again, and reads well in both languages."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolution import Model, default_specification_text, initial_model, parse_specification
from resolution.explanation import (
    LANGUAGES,
    Contribution,
    EvidenceError,
    PairExplanation,
    comparison_label,
    describe_no_evidence,
    describe_pair,
    describe_profile,
    explain_pair,
    level_label,
    match_probability,
)

SPECIFICATION = parse_specification(default_specification_text())
# Words that both languages write the same way would be listed here.
NAMED_ALIKE: frozenset[str] = frozenset()
MODEL = initial_model(SPECIFICATION)
ALL_MISSING = [
    next(place for place, level in enumerate(comparison.levels) if level.is_missing)
    for comparison in SPECIFICATION.comparisons
]


def levels_with(**labels: str) -> list[int]:
    """Everything missing but for the named levels."""
    chosen = list(ALL_MISSING)
    for place, comparison in enumerate(SPECIFICATION.comparisons):
        if comparison.name in labels:
            chosen[place] = [level.label for level in comparison.levels].index(labels[comparison.name])
    return chosen


def splink_weight(model: Model, levels: list[int], frequency_weights: dict[str, float]) -> float:
    """The weight by the definition: log2 of prior odds times each Bayes factor."""
    odds = model.match_probability / (1 - model.match_probability)
    weight = log2(odds)
    for comparison, place in zip(model.specification.comparisons, levels, strict=True):
        weighed = [level for level in comparison.levels if not level.is_missing]
        level = comparison.levels[place]
        if not level.is_missing:
            m, u = model.probabilities[comparison.name][weighed.index(level)]
            weight += log2(m) - log2(u)
        weight += frequency_weights.get(comparison.name, 0.0)
    return weight


@given(
    st.tuples(*(st.integers(0, len(each.levels) - 1) for each in SPECIFICATION.comparisons)),
    st.dictionaries(
        st.sampled_from([each.name for each in SPECIFICATION.comparisons]), st.floats(-20, 20), max_size=4
    ),
)
def test_the_parts_add_up_to_the_weight(levels: tuple[int, ...], frequency_weights: dict[str, float]) -> None:
    explanation = explain_pair(MODEL, levels, frequency_weights)

    expected = splink_weight(MODEL, list(levels), frequency_weights)
    assert explanation.match_weight == pytest.approx(expected, abs=1e-9)
    assert len(explanation.contributions) == len(SPECIFICATION.comparisons)


def test_a_missing_value_weighs_nothing() -> None:
    explanation = explain_pair(MODEL, ALL_MISSING, {})

    assert explanation.match_weight == MODEL.prior_match_weight
    assert all(each.is_missing for each in explanation.contributions)


@pytest.mark.parametrize("levels", [[], [0], [99] * len(ALL_MISSING)], ids=["none", "few", "unknown"])
def test_evidence_of_another_model_is_refused(levels: list[int]) -> None:
    with pytest.raises(EvidenceError):
        explain_pair(MODEL, levels, {})


@pytest.mark.parametrize(
    ("weight", "probability"), [(0, 0.5), (1, 2 / 3), (-3000, 0.0), (3000, 1.0)], ids=str
)
def test_probability_of_a_weight(weight: float, probability: float) -> None:
    assert match_probability(weight) == pytest.approx(probability)


def test_every_shipped_comparison_and_level_has_portuguese_words() -> None:
    untranslated = [
        f"{comparison.name}: {level.label}"
        for comparison in SPECIFICATION.comparisons
        for level in comparison.levels
        if level_label(comparison.name, level.label, "pt") == level.label
    ]
    unnamed = [
        comparison.name
        for comparison in SPECIFICATION.comparisons
        if comparison.name not in NAMED_ALIKE
        and comparison_label(comparison.name, "pt") == comparison.name.replace("_", " ")
    ]

    assert untranslated == []
    assert unnamed == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_comparison_of_another_specification_keeps_its_own_words(language: str) -> None:
    assert comparison_label("shoe_size", language) == "shoe size"
    assert level_label("shoe_size", "half a size off", language) == "half a size off"


def a_pair() -> PairExplanation:
    levels = levels_with(given_name="equal", family_name="equal", email="equal", phone="different")
    return explain_pair(MODEL, levels, {"given_name": 3.0})


def test_words_tell_the_strongest_evidence_first() -> None:
    told = describe_pair(a_pair(), "en")

    assert told.startswith("One person with ")
    assert told.index("e-mail: equal") < told.index("first name: equal, a rare one (+")
    assert "Against it: phone: different (−" in told


def test_words_in_portuguese_write_numbers_so() -> None:
    told = describe_pair(a_pair(), "pt")

    assert told.startswith("Probabilidade de serem a mesma pessoa: ")
    assert "A favor: e-mail: igual (+" in told
    assert "primeiro nome: igual, valor raro (+" in told
    assert "Contra: telefone: diferente (−" in told
    assert "." not in told.replace(". ", "").removesuffix(".")


def test_a_side_without_evidence_is_not_told() -> None:
    pair = PairExplanation(-16.0, (Contribution("email", 1, "equal", False, 16.6, 0.0),))

    assert "Against" not in describe_pair(pair, "en")


@pytest.mark.parametrize(
    ("record_count", "told"),
    [(0, "nenhum registro"), (1, "um único registro"), (2, "uma união"), (5, "4 uniões")],
    ids=str,
)
def test_a_profile_in_a_sentence(record_count: int, told: str) -> None:
    assert told in describe_profile(record_count, "pt")


@pytest.mark.parametrize(
    ("left_out", "language", "told"),
    [
        (0, "en", "brought together by 59 joins."),
        (1, "en", "59 joins. One join is not listed: the ledger does not hold it."),
        (9, "en", "59 joins. 9 joins are not listed: the ledger does not hold them."),
        (1, "pt", "59 uniões. Uma união não está na lista: o histórico não a guarda."),
        (9, "pt", "59 uniões. 9 uniões não estão na lista: o histórico não as guarda."),
    ],
    ids=["none", "one", "nine", "uma", "nove"],
)
def test_joins_that_cannot_be_shown_are_told(left_out: int, language: str, told: str) -> None:
    assert describe_profile(60, language, joins_left_out=left_out).endswith(told)


@pytest.mark.parametrize(("language", "told"), [("en", "none"), ("pt", "nenhum")])
def test_what_is_no_sign_of_a_relative_is_called_so(language: str, told: str) -> None:
    assert level_label("relative", "otherwise", language) == told


@pytest.mark.parametrize(("language", "told"), [("en", "of this pair"), ("pt", "deste par")])
def test_a_pair_without_evidence_is_not_called_a_join(language: str, told: str) -> None:
    assert told in describe_no_evidence(language)
