"""A model: a specification with its numbers, and the same as settings of Splink."""

from __future__ import annotations

from math import log2

from resolution.model import splink_comparison, splink_settings
from tests.resolution.builders import SHIPPED, prior_model

MODEL = prior_model()


def test_the_prior_model_is_the_specification_as_it_is_written() -> None:
    assert MODEL.version == 0
    assert MODEL.match_probability == SHIPPED.match_probability
    assert MODEL.probabilities["gender"] == [(0.98, 0.5), (0.02, 0.5)]


def test_the_prior_model_does_without_optional_rules() -> None:
    assert MODEL.blocking_rules == tuple(rule for rule in SHIPPED.blocking_rules if not rule.is_optional)


def test_the_prior_match_weight_is_the_log_of_the_odds() -> None:
    assert MODEL.prior_match_weight == log2(1.5e-5 / (1 - 1.5e-5))


def test_the_missing_level_has_no_numbers_for_splink() -> None:
    [comparison] = [each for each in SHIPPED.comparisons if each.name == "gender"]

    settings = splink_comparison(comparison, [(0.9, 0.5), (0.1, 0.5)])

    assert settings == {
        "output_column_name": "gender",
        "comparison_levels": [
            {
                "sql_condition": "gender_l IS NULL OR gender_r IS NULL",
                "label_for_charts": "missing",
                "is_null_level": True,
            },
            {
                "sql_condition": "gender_l = gender_r",
                "label_for_charts": "equal",
                "m_probability": 0.9,
                "u_probability": 0.5,
            },
            {
                "sql_condition": "ELSE",
                "label_for_charts": "different",
                "m_probability": 0.1,
                "u_probability": 0.5,
            },
        ],
    }


def test_a_frequency_takes_the_place_of_the_exact_level_unless_it_is_the_levels_own() -> None:
    given_name, name_of_many = (
        next(each for each in SHIPPED.comparisons if each.name == name)
        for name in ("given_name", "name_of_many")
    )

    [exact] = [
        level
        for level in splink_comparison(given_name, MODEL.probabilities["given_name"])["comparison_levels"]
        if "tf_adjustment_column" in level
    ]
    [own] = [
        level
        for level in splink_comparison(name_of_many, MODEL.probabilities["name_of_many"])["comparison_levels"]
        if "tf_adjustment_column" in level
    ]

    assert (exact["tf_adjustment_column"], exact["disable_tf_exact_match_detection"]) == ("given_name", False)
    assert (own["tf_adjustment_column"], own["disable_tf_exact_match_detection"]) == ("name_folded", True)


def test_splink_compares_everything_in_the_order_of_the_specification() -> None:
    compared = [each["output_column_name"] for each in splink_settings(MODEL)["comparisons"]]

    assert compared == [comparison.name for comparison in SHIPPED.comparisons]
