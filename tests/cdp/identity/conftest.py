"""Stores whose model is quick to set up."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from cdp.identity.models import PRIOR_VERSION
from resolution import Model, initial_model
from tests.cdp.identity.resolving import small_specification, use_small_model


@pytest.fixture(scope="session")
def small_model() -> Model:
    return initial_model(small_specification(), PRIOR_VERSION)


@pytest.fixture
def people_store(store: Engine) -> Engine:
    """A store without records, the small model in force as version 0."""
    use_small_model(store)
    return store
