"""Reports about identifiers in words: a line of their own wherever such a value takes part in an explanation."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from sqlalchemy import Connection

from cdp.identity.identifier_reports import Report, select_reports_on_records
from cdp.identity.shared_values import select_sharing
from cdp.privacy.masking import mask_identifier
from resolution.standardize import Identifier


@dataclass(frozen=True)
class ReportTelling:
    """value: masked, as in views. text: one sentence."""

    report_id: int
    type: str
    value: str
    outcome: str
    reported_at: datetime
    text: str


def tell_reports(
    connection: Connection, record_ids: Collection[int], language: str
) -> dict[int, dict[int, ReportTelling]]:
    """Record id to the reports that stand about what it holds, by their ids, oldest first."""
    found = select_reports_on_records(connection, record_ids)
    if not found:
        return {}
    reports = {report.report_id: report for listed in found.values() for report in listed}
    sharing = select_sharing(
        connection, [value for report in reports.values() for value in report.held_values]
    )
    told = {
        report_id: _telling(report, {sharing.get(value) for value in report.held_values}, language)
        for report_id, report in reports.items()
    }
    return {
        record_id: {report.report_id: told[report.report_id] for report in listed}
        for record_id, listed in found.items()
    }


def tell_presented(
    connection: Connection, record_ids: Collection[int], presented: Iterable[Identifier], language: str
) -> dict[int, list[ReportTelling]]:
    """Record id to the reports about identifiers that it shares with what is presented."""
    asked = {(each.kind, each.variant or each.value) for each in presented}
    found = select_reports_on_records(connection, record_ids) if asked else {}
    shared = {
        report.report_id
        for listed in found.values()
        for report in listed
        if (report.kind, report.variant or report.value) in asked
    }
    if not shared:
        return {}
    told = tell_reports(connection, found.keys(), language)
    return {
        record_id: [each for report_id, each in listed.items() if report_id in shared]
        for record_id, listed in told.items()
    }


def with_reports(text: str, reports: Iterable[ReportTelling]) -> str:
    return " ".join([text, *(each.text for each in reports)])


def _telling(report: Report, sharing: set[str | None], language: str) -> ReportTelling:
    words = _words()[language]
    effect = next((each for each in ("generic", "shared") if each in sharing), "uncounted")
    shown = mask_identifier(report.kind, report.value)
    text = words["sentence"].format(
        kind=words["kinds"][report.kind],
        value=shown,
        date=report.reported_at.astimezone(UTC).date().isoformat(),
        outcome=words["outcomes"][report.outcome],
        effect=words[effect],
    )
    return ReportTelling(report.report_id, report.kind, shown, report.outcome, report.reported_at, text)


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("cdp.identity").joinpath("report_words.toml").read_text("utf-8"))
