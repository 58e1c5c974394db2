"""Stores whose model is quick to set up."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from cdp.identity.models import PRIOR_VERSION, insert_model, replace_activation
from cdp.store import write
from resolution import Model, initial_model
from tests.cdp.identity.resolving import NOW, small_specification


@pytest.fixture(scope="session")
def small_model() -> Model:
    return initial_model(small_specification(), PRIOR_VERSION)


@pytest.fixture
def people_store(store: Engine, small_model: Model) -> Engine:
    """A store without records, the small model in force as version 0."""
    with write(store) as connection:
        insert_model(connection, small_model, label="small", report={}, seed=0, record_count=0, now=NOW)
        replace_activation(connection, PRIOR_VERSION, author="test", reason="quick", now=NOW)
    return store
