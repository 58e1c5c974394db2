"""A small resolved store that the environment names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from cdp.store import write
from tests.cdp.store.rows import LATER, fill, insert_like

GOLDEN = """{"identifiers": [], "attributes": {
 "full_name": {"value": "João da Silva", "rule": "only_value", "record_id": 1},
 "address": {"value": {"city": "São Paulo", "country": "BR"}, "rule": "most_recent"},
 "attributes": {"value": {"shoe_size": {"value": "41", "rule": "only_value"}}, "rule": "by_key"}}}"""


@pytest.fixture
def resolved(store_url: str, open_engine: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Records crm:c1 and crm:c2 are profile p1, crm:c3 is p2 and was p1 before; p3 is absorbed."""
    engine = open_engine(store_url)
    fill(engine)
    with write(engine) as connection:
        insert_like(connection, "source_records", record_id=3, source_record_id="c3")
        insert_like(connection, "profiles", profile_id="p3", state="absorbed", absorbed_into="p1")
        insert_like(connection, "profiles", profile_id="p4", golden=GOLDEN)
        insert_like(connection, "memberships", membership_id=2, record_id=2)
        insert_like(connection, "memberships", membership_id=3, record_id=3, valid_to=LATER)
        insert_like(connection, "memberships", membership_id=4, record_id=3, profile_id="p2")
        insert_like(connection, "identifiers", record_id=2, value="+5511911111111")
    monkeypatch.setenv("CDP_DATABASE_URL", store_url)
    return engine
