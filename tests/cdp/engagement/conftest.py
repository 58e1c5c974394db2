"""A source that sends messages, over each database; after the test the store's invariants hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.cdp.engagement.posting import Post
from tests.cdp.stewardship.desk import Desk


@pytest.fixture
def post(store: Engine) -> Iterator[Post]:
    sender = Post(Desk(store))
    yield sender
    assert list(sender.desk.breaches()) == []


@pytest.fixture
def lite_post(sqlite_store: Engine) -> Iterator[Post]:
    """The same on SQLite alone, for what no database changes."""
    sender = Post(Desk(sqlite_store))
    yield sender
    assert list(sender.desk.breaches()) == []
