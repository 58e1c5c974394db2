"""Rulings about a few records stay quick beside one that held ten thousand together."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from cdp.realtime import index_statements
from cdp.stewardship import constraints, why_two
from cdp.store import open_store, read, write
from cdp.store.quick import QuickStatement

BY_RECORD = {"pair_constraints_left", "pair_constraints_right", "pair_constraints_open_unique"}
# One record is on half of all rows, and the statistics of the column expect as many of any other.
_A_BIG_JOIN = """
    INSERT INTO pair_constraints (kind, record_id_l, record_id_r, author, reason, valid_from)
    SELECT 'must', 1, number, 'user:1', 'one person', now() FROM generate_series(2, 10000) AS number
"""


@pytest.mark.parametrize(
    "statement",
    [index_statements.constraints, constraints._links_naming, why_two._confirming],
)
def test_postgresql_looks_each_record_up(
    postgresql_url: str, statement: Callable[[str], QuickStatement]
) -> None:
    engine = open_store(postgresql_url)
    with write(engine) as connection:
        # The records themselves are not needed.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(_A_BIG_JOIN))
        connection.execute(text("ANALYZE pair_constraints"))
    compiled = statement("postgresql")._for(engine.dialect)

    with read(engine) as connection:
        driver: Any = connection.connection.driver_connection
        asked = {**compiled.literals, "ids": [7, 9]}
        plan = "\n".join(line for (line,) in driver.execute(f"EXPLAIN {compiled.text}", asked))
    engine.dispose()

    used = set(re.findall(r"(?:Scan using|Index Scan on) (pair_constraints_\w+)", plan))
    assert used
    assert used <= BY_RECORD
    assert "Seq Scan on pair_constraints" not in plan
