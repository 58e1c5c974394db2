"""A specification whose comparisons know no term frequencies trains, resolves and explains like any other."""

from __future__ import annotations

import json
import re

import pytest

from resolution import Model, Specification, parse_specification, resolve_batch, train
from resolution.explanation import explain_pair
from resolution.model_files import dump_model, load_model
from tests.resolution.builders import SMALL_TEXT, Linkage, a_person, prior_model, records_of, workspace_of

GIVEN = ("ana", "bia", "caio", "davi", "enzo", "fabio", "gil", "hugo")
FAMILIES = ("reis", "prado", "moura", "nunes", "tavares", "lima")


def without_frequencies() -> Specification:
    """The small specification less everything that counts terms."""
    sections = re.split(
        r"(?=^\[\[?\w+[].])", SMALL_TEXT.replace("[[comparison.level]]", "#level"), flags=re.MULTILINE
    )
    plain = "".join(each for each in sections if "name_of_many" not in each and "excess" not in each)
    text = re.sub("frequency_column = .*\n", "", plain).replace("#level", "[[comparison.level]]")
    return parse_specification(text, "plain.toml")


def people() -> list[Linkage]:
    """Every name twice with one e-mail, and once without."""
    names = [(given, family) for given in GIVEN for family in FAMILIES]
    return [
        a_person(given, family, emails=[f"{given}.{family}@example.com"] if copy < 2 else None, city=family)
        for given, family in names
        for copy in range(3)
    ]


@pytest.fixture(scope="module")
def trained() -> Model:
    specification = without_frequencies()
    with workspace_of(records_of(people()), specification) as connection:
        return train(connection, prior_model(specification), version=1, seed=1).model


def test_nothing_of_it_counts_terms() -> None:
    specification = without_frequencies()

    assert (specification.frequency_columns, specification.excess_frequencies) == ((), ())
    assert len(specification.comparisons) == 5


def test_it_is_trained_and_kept(trained: Model) -> None:
    again = load_model(1, *dump_model(trained))

    assert (trained.frequencies, trained.rare) == ({}, {})
    assert 0 < trained.match_probability < 0.1
    assert again == trained


def test_it_resolves_and_its_evidence_adds_up(trained: Model) -> None:
    with resolve_batch([records_of(people())], trained) as found:
        edges = [edge for columns in found.edges() for edge in zip(*columns, strict=True)]
        largest = max(len(cluster.record_ids) for cluster in found.clusters)

    assert largest == 3
    assert len(edges) > len(GIVEN) * len(FAMILIES)
    for _, _, match_weight, *_, text in edges:
        evidence = json.loads(text)
        assert evidence["frequency_weights"] == {}
        assert explain_pair(trained, evidence["levels"], {}).match_weight == pytest.approx(
            match_weight, abs=1e-6
        )
