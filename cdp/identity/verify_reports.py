"""Checks that reports about identifiers are whole: each has its effect while it stands and none afterwards, and was
audited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection, String, cast, exists, select

from cdp.identity.agreement import Found
from cdp.identity.models import require_model
from cdp.identity.resolution_runs import select_last_published
from cdp.store.schema import audit_entries, identifier_reports, shared_values
from resolution import Value, value_key
from resolution.standardize import linkage_values


def check_reports(connection: Connection) -> Iterator[Found]:
    yield from _without_effect_or_cause(connection)
    yield from _unaudited(connection)


def _without_effect_or_cause(connection: Connection) -> Iterator[Found]:
    """Values of standing reports that count as their holder's own, and values held as shared without a report."""
    last = select_last_published(connection)
    reported = _select_reported(connection)
    held = _select_held(connection)
    if last is None or not (reported or held):
        return
    counted = require_model(connection, last.model_version).specification.sharing
    reported = {value: report_ids for value, report_ids in reported.items() if value[0] in counted}
    for value in sorted(reported.keys() - held):
        ids = tuple(reported[value])
        yield f"report {ids[0]} stands, and its value in {value[0]} counts as its holder's own", ids
    for value in sorted(held - reported.keys()):
        key = value_key(*value)
        yield f"value {key} of {value[0]} is held as shared, and no report about it stands", (key,)


def _select_reported(connection: Connection) -> dict[Value, list[int]]:
    """Value to the standing reports that weaken it."""
    table = identifier_reports
    standing = select(table.c.report_id, table.c.kind, table.c.value).where(table.c.valid_to.is_(None))
    found: dict[Value, list[int]] = defaultdict(list)
    for row in connection.execute(standing.order_by(table.c.report_id)):
        for value in linkage_values(row.kind, row.value):
            found[value].append(row.report_id)
    return found


def _select_held(connection: Connection) -> set[Value]:
    held = select(shared_values.c.column_name, shared_values.c.value).where(shared_values.c.is_held)
    return {(row.column_name, row.value) for row in connection.execute(held)}


def _unaudited(connection: Connection) -> Iterator[Found]:
    table = identifier_reports
    for action, wanted in (
        ("identifiers.report", table.c.report_id.is_not(None)),
        ("identifiers.withdraw_report", table.c.valid_to.is_not(None)),
    ):
        audited = exists().where(
            audit_entries.c.object_kind == "identifier_report",
            audit_entries.c.object_id == cast(table.c.report_id, String),
            audit_entries.c.action == action,
        )
        statement = select(table.c.report_id).where(wanted, ~audited).order_by(table.c.report_id)
        for row in connection.execute(statement):
            yield f"report {row.report_id} has no audit entry {action}", (row.report_id,)
