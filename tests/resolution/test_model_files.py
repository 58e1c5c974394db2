"""A model taken apart and put together again is the same model."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from resolution import (
    Model,
    SpecificationError,
    default_specification_text,
    dump_model,
    initial_model,
    load_model,
    parse_specification,
)


@pytest.fixture(scope="module")
def model() -> Model:
    """The shipped model with odd floats and term frequencies."""
    shipped = initial_model(parse_specification(default_specification_text()), 3)
    name = shipped.specification.comparisons[0].name
    probabilities = {**shipped.probabilities, name: [(0.1 + 0.2, 1 / 3), *shipped.probabilities[name][1:]]}
    frequencies = {"given_name": {"maria": 1 / 7, "joão": 5e-324}}
    return replace(shipped, probabilities=probabilities, frequencies=frequencies)


def test_every_float_comes_back_exactly(model: Model) -> None:
    assert load_model(3, *dump_model(model)) == model


def test_equal_models_give_equal_bytes(model: Model) -> None:
    assert dump_model(load_model(3, *dump_model(model))) == dump_model(model)


def test_the_parameters_are_plain_json(model: Model) -> None:
    parameters = json.loads(dump_model(model)[1])

    assert sorted(parameters) == ["match_probability", "probabilities", "rare", "rule_names"]
    assert parameters["probabilities"][model.specification.comparisons[0].name][0] == [0.1 + 0.2, 1 / 3]


@pytest.mark.parametrize("part", [0, 1, 2], ids=["specification", "parameters", "frequencies"])
def test_what_is_no_model_is_refused_by_its_version(model: Model, part: int) -> None:
    parts = list(dump_model(model))
    parts[part] = b"" if part == 2 else "{}"

    with pytest.raises(SpecificationError, match="Model version 3"):
        load_model(3, *parts)  # type: ignore[arg-type]
