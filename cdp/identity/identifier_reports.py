"""Reports that an identifier is not, or no longer, of the person it is held by: somebody else answered, it bounced.

Grain: one row per report; `valid_to` is empty while it stands. While any stands, the value counts as shared at least,
however few hold it. A phone is reported as the line it is, in all its forms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, takewhile
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Row, Select, and_, insert, select, union, update

from cdp.errors import CdpError
from cdp.store import id_set
from cdp.store.quick import quick
from cdp.store.schema import REPORT_OUTCOMES, identifiers, ledger_entries, ledger_moves, sources
from cdp.store.schema import identifier_reports as reports
from cdp.store.sets import number_set, set_values
from resolution import Value
from resolution.standardize import Identifier, linkage_values

OUTCOMES = REPORT_OUTCOMES


class UnknownReportError(CdpError):
    """There is no such report, or the caller may not know of it."""

    reason = "report_not_found"


@dataclass(frozen=True)
class Report:
    """outcome: 'wrong_person', 'bounced' or 'recycled'. source: the system that found out, profile_id: the person it
    was tried for, None where neither was told. closed_at: when it was withdrawn, None while it stands."""

    report_id: int
    kind: str
    value: str
    variant: str | None
    outcome: str
    source: str | None
    profile_id: str | None
    reported_at: datetime
    closed_at: datetime | None

    @property
    def held_values(self) -> list[Value]:
        """What counts as shared while it stands."""
        return linkage_values(self.kind, self.value)


_is_open = reports.c.valid_to.is_(None)


def insert_report(
    connection: Connection,
    identifier: Identifier,
    outcome: str,
    *,
    source_id: int | None,
    profile_id: str | None,
    reason: str | None,
    author: str,
    reported_at: datetime,
    valid_from: datetime,
) -> int:
    values = {
        "kind": identifier.kind,
        "value": identifier.value,
        "variant": identifier.variant,
        "outcome": outcome,
        "source_id": source_id,
        "profile_id": profile_id,
        "reason": reason,
        "reported_by": author,
        "reported_at": reported_at,
        "valid_from": valid_from,
    }
    report_id: int = connection.scalars(insert(reports).returning(reports.c.report_id), values).one()
    return report_id


def close_report(
    connection: Connection, report_id: int, *, author: str, reason: str | None, now: datetime
) -> None:
    closing = update(reports).where(reports.c.report_id == report_id)
    connection.execute(closing.values(valid_to=now, closed_by=author, closed_reason=reason))


def select_same_report(
    connection: Connection,
    identifier: Identifier,
    outcome: str,
    *,
    source_id: int | None,
    profile_id: str | None,
) -> Report | None:
    """The one that stands and says the same, of the same source about the same profile."""
    statement = _select().where(
        _is_open,
        reports.c.kind == identifier.kind,
        reports.c.value == identifier.value,
        reports.c.outcome == outcome,
        reports.c.source_id.is_not_distinct_from(source_id),
        reports.c.profile_id.is_not_distinct_from(profile_id),
    )
    row = connection.execute(statement).first()
    return None if row is None else _report(row)


def require_report(
    connection: Connection, report_id: int, *, of_sources: Collection[str] | None = None
) -> Report:
    """Of sources: those that the caller is bound to, None for all. Raises UnknownReportError."""
    row = connection.execute(_select().where(reports.c.report_id == report_id)).first()
    report = None if row is None else _report(row)
    if report is None or (of_sources is not None and report.source not in of_sources):
        raise UnknownReportError(f"There is no report {report_id}.", ids=[report_id])
    return report


def is_reported(connection: Connection, kind: str, value: str, variant: str | None) -> bool:
    """Whether a report about the value stands, or about another form of the same line."""
    same = reports.c.value == value if variant is None else reports.c.variant == variant
    standing = select(reports.c.report_id).where(_is_open, reports.c.kind == kind, same).limit(1)
    return connection.scalar(standing) is not None


def select_held_values(connection: Connection) -> frozenset[Value]:
    """Everything that counts as shared because a report stands."""
    rows = connection.execute(select(reports.c.kind, reports.c.value).where(_is_open).distinct())
    return frozenset(value for row in rows for value in linkage_values(row.kind, row.value))


def select_reports_on_records(
    connection: Connection, record_ids: Iterable[int]
) -> dict[int, tuple[Report, ...]]:
    """Record id to the reports that stand about what it holds, oldest first."""
    bound = set_values(connection, "ids", sorted(set(record_ids)))
    by_record: dict[int, tuple[Report, ...]] = {}
    for row in _on_records(connection.dialect.name).fetch(connection, **bound):
        by_record[row.record_id] = (*by_record.get(row.record_id, ()), _report(row))
    return by_record


@quick
def _on_records(dialect: str) -> Executable:
    wanted = number_set(dialect, "ids")
    found = union(
        *(
            select(identifiers.c.record_id, reports.c.report_id)
            .join_from(wanted, identifiers, identifiers.c.record_id == wanted.c.id)
            .join(reports, and_(_is_open, reports.c.kind == identifiers.c.kind, same))
            for same in _same_value()
        )
    ).subquery("found")
    return (
        _select()
        .add_columns(found.c.record_id)
        .join(found, found.c.report_id == reports.c.report_id)
        .order_by(found.c.record_id, reports.c.report_id)
    )


def select_places_before_reports(connection: Connection, record_ids: Iterable[int]) -> dict[int, str]:
    """Record id to the profile that it was in before reports moved it, of those that nothing else moved since."""
    wanted = id_set(connection, sorted(set(record_ids)))
    newest_first = (
        select(ledger_moves.c.record_id, ledger_moves.c.from_profile_id, ledger_entries.c.report_id)
        .join_from(wanted, ledger_moves, ledger_moves.c.record_id == wanted.c.id)
        .join(ledger_entries, ledger_entries.c.ledger_entry_id == ledger_moves.c.ledger_entry_id)
        .order_by(ledger_moves.c.record_id, ledger_moves.c.ledger_entry_id.desc())
    )
    places: dict[int, str] = {}
    for record_id, moves in groupby(connection.execute(newest_first), key=attrgetter("record_id")):
        for move in takewhile(attrgetter("report_id"), moves):
            places[record_id] = move.from_profile_id
    return places


def _same_value() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """By the value, and of a phone by its line: each with an index of its own."""
    return reports.c.value == identifiers.c.value, reports.c.variant == identifiers.c.variant


def _select() -> Select[Any]:
    return select(
        reports.c.report_id,
        reports.c.kind,
        reports.c.value,
        reports.c.variant,
        reports.c.outcome,
        sources.c.name.label("source"),
        reports.c.profile_id,
        reports.c.reported_at,
        reports.c.valid_to,
    ).select_from(reports.outerjoin(sources, sources.c.source_id == reports.c.source_id))


def _report(row: Row[Any]) -> Report:
    return Report(
        row.report_id,
        row.kind,
        row.value,
        row.variant,
        row.outcome,
        row.source,
        row.profile_id,
        row.reported_at,
        row.valid_to,
    )
