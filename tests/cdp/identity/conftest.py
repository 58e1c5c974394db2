"""Stores whose model is quick to set up, without records and with some people resolved."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from cdp.identity.models import PRIOR_VERSION
from resolution import Model, initial_model
from tests.cdp.identity.resolving import (
    ANA,
    ANA_AGAIN,
    BRUNO,
    CLARA,
    a_record,
    add_records,
    resolve,
    small_specification,
    use_small_model,
)
from tests.cdp.identity.templates import Template, copy_template, make_template


@pytest.fixture(scope="session")
def small_model() -> Model:
    return initial_model(small_specification(), PRIOR_VERSION)


@pytest.fixture
def people_store(store: Engine) -> Engine:
    """A store without records, the small model in force as version 0."""
    use_small_model(store)
    return store


def _fill_two_people(store: Engine) -> None:
    use_small_model(store)
    add_records(store, a_record("a1", ANA), a_record("b1", BRUNO), a_record("a2", ANA_AGAIN))
    resolve(store)


def _fill_three_people(store: Engine) -> None:
    use_small_model(store)
    add_records(
        store,
        a_record("a1", ANA),
        a_record("a2", ANA_AGAIN),
        a_record("b1", BRUNO),
        a_record("c1", CLARA),
    )
    resolve(store)


@pytest.fixture(scope="session")
def two_people_template(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    return make_template(migrated_file, tmp_path_factory.mktemp("people") / "two.db", _fill_two_people)


@pytest.fixture(scope="session")
def three_people_template(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    return make_template(migrated_file, tmp_path_factory.mktemp("people") / "three.db", _fill_three_people)


@pytest.fixture
def two_people(store: Engine, two_people_template: Template) -> Engine:
    """Records a1 and a2 are Ana, b1 is Bruno, all resolved; record ids in the order a1, b1, a2."""
    copy_template(two_people_template, store)
    return store


@pytest.fixture
def three_people(store: Engine, three_people_template: Template) -> Engine:
    """Ana (a1, a2), Bruno (b1) and Clara (c1), resolved; record ids 1 to 4 in that order."""
    copy_template(three_people_template, store)
    return store
