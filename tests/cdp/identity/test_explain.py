"""The joins of a profile as a real resolution left them in the ledger."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event

from cdp.identity.change_telling import JOINS_TOLD
from cdp.identity.explain import explain_profile
from cdp.identity.profile_reads import require_profile
from cdp.store import read
from tests.cdp.identity.resolving import ANA, a_record, add_records, profile_of, resolve


def test_a_profile_of_more_records_than_the_ledger_tells_says_so(people_store: Engine) -> None:
    record_count = JOINS_TOLD + 8
    add_records(people_store, *(a_record(f"a{number}", ANA) for number in range(record_count)))
    resolve(people_store)

    with read(people_store) as connection:
        profile = require_profile(connection, profile_of(people_store, "a0"))
        explanation = explain_profile(connection, profile, language="en")

    assert len(explanation.joins) == JOINS_TOLD
    assert explanation.joins_left_out == record_count - 1 - JOINS_TOLD
    assert "7 joins are not listed" in explanation.text


def test_the_evidence_of_several_joins_is_found_without_reading_all_evidence(sqlite_store: Engine) -> None:
    add_records(sqlite_store, *(a_record(f"a{number}", ANA) for number in range(4)))
    resolve(sqlite_store)
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "FROM edges" in statement:
            asked.append((statement, parameters))

    with read(sqlite_store) as connection:
        event.listen(sqlite_store, "before_cursor_execute", note)
        explain_profile(
            connection, require_profile(connection, profile_of(sqlite_store, "a0")), language="en"
        )
        event.remove(sqlite_store, "before_cursor_execute", note)
        [(statement, parameters)] = asked
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()

    assert [step.detail for step in plan if step.detail.startswith("SCAN edges")] == []
    assert [step.detail for step in plan if step.detail.startswith("SEARCH edges")] != []
