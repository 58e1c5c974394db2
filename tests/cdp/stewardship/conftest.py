"""A steward's desk, once on each database."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.cdp.stewardship.desk import Desk


@pytest.fixture
def desk(store: Engine) -> Desk:
    return Desk(store)


@pytest.fixture
def lite_desk(sqlite_store: Engine) -> Desk:
    """On SQLite alone, for what no database changes."""
    return Desk(sqlite_store)
