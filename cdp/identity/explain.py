"""Why a profile is one person: the joins that made it, in order, each pair with its weight taken apart."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select, tuple_

from cdp.identity.profile_reads import Profile
from cdp.identity.report_telling import ReportTelling, tell_reports, with_reports
from cdp.store import id_set
from cdp.store.schema import edges, ledger_entries, ledger_moves, memberships, model_versions
from resolution import Model, load_model
from resolution.explanation import (
    LANGUAGES,
    PairExplanation,
    comparison_label,
    describe_lost_evidence,
    describe_must_link,
    describe_no_evidence,
    describe_pair,
    describe_profile,
    explain_pair,
    level_label,
    match_probability,
)

__all__ = [
    "LANGUAGES",
    "ComparisonExplanation",
    "EdgeExplanation",
    "JoinExplanation",
    "PairEvidence",
    "ProfileExplanation",
    "explain_edge",
    "explain_profile",
    "pair_evidence",
]

# Weights are taken apart without term frequencies: what they gave is in the evidence.
_NO_FREQUENCIES = gzip.compress(b"{}")


Pair = tuple[int, int]


@dataclass(frozen=True)
class ComparisonExplanation:
    """What one comparison of a pair says, in bits; the labels in the language asked for."""

    comparison: str
    label: str
    level: str
    is_missing: bool
    level_weight: float
    frequency_weight: float
    match_weight: float


@dataclass(frozen=True)
class PairEvidence:
    """A scored pair: the prior and the comparisons add up to match_weight."""

    model_version: int
    prior_match_weight: float
    match_weight: float
    match_probability: float
    comparisons: list[ComparisonExplanation]


@dataclass(frozen=True)
class EdgeExplanation:
    """What is kept of a scored pair of records, None where nothing is; reports: about values that both hold. text: all
    of it in words."""

    pair: PairEvidence | None
    reports: list[ReportTelling]
    text: str


@dataclass(frozen=True)
class JoinExplanation:
    """One join of two records of the profile, and of all that was with them.

    kind: 'evidence' or 'must_link'. mean_weight: over all pairs of the two sides when they were joined.
    pair: as it is scored now, None when its edge is no longer kept. reports: about values that both records hold.
    """

    ledger_entry_id: int
    author: str
    recorded_at: datetime
    record_id_l: int
    record_id_r: int
    kind: str
    mean_weight: float | None
    pair: PairEvidence | None
    reports: list[ReportTelling]
    text: str


@dataclass(frozen=True)
class ProfileExplanation:
    """joins_left_out: how many more it took to bring the records together, which the ledger does not tell. reports:
    those that stand about what its records hold."""

    language: str
    text: str
    joins: list[JoinExplanation]
    joins_left_out: int
    reports: list[ReportTelling]


def explain_profile(connection: Connection, profile: Profile, *, language: str) -> ProfileExplanation:
    """The joins that brought the records of the profile together, in the order they were made.

    The ledger tells fifty joins an entry, and of joins through a record that was deleted since, none: what is
    left out is counted.
    """
    member_ids = _select_member_ids(connection, profile.profile_id)
    joins = _select_joins(connection, profile.profile_id, member_ids)
    stored = _select_edges(connection, [_pair_of(join) for _, join in joins])
    models = _select_models(connection, {edge.model_version_id for edge in stored.values()})
    told = tell_reports(connection, member_ids, language)
    explained = [
        _explained(
            entry,
            join,
            _explain_edge(stored.get(_pair_of(join)), models),
            _on_both(told, _pair_of(join)),
            language,
        )
        for entry, join in joins
    ]
    # Each join makes two groups of records one, so n records take n - 1.
    left_out = max(len(member_ids) - 1, 0) - len(joins)
    by_id = {report_id: each for of_record in told.values() for report_id, each in of_record.items()}
    reports = [by_id[report_id] for report_id in sorted(by_id)]
    return ProfileExplanation(
        language=language,
        text=with_reports(describe_profile(len(member_ids), language, joins_left_out=left_out), reports),
        joins=explained,
        joins_left_out=left_out,
        reports=reports,
    )


def explain_edge(connection: Connection, pair: Pair, *, language: str) -> EdgeExplanation:
    stored = _select_edges(connection, [pair])
    models = _select_models(connection, {edge.model_version_id for edge in stored.values()})
    scored = _explain_edge(stored.get(pair), models)
    reports = _on_both(tell_reports(connection, pair, language), pair)
    text = describe_no_evidence(language) if scored is None else describe_pair(scored[1], language)
    evidence = None if scored is None else _evidence(*scored, language)
    return EdgeExplanation(evidence, reports, with_reports(text, reports))


def _on_both(told: Mapping[int, Mapping[int, ReportTelling]], pair: Pair) -> list[ReportTelling]:
    """The reports about values that both records hold."""
    left, right = (told.get(record_id, {}) for record_id in pair)
    return [each for report_id, each in left.items() if report_id in right]


def _select_member_ids(connection: Connection, profile_id: str) -> frozenset[int]:
    held = select(memberships.c.record_id).where(
        memberships.c.profile_id == profile_id, memberships.c.valid_to.is_(None)
    )
    return frozenset(connection.scalars(held))


def _select_joins(
    connection: Connection, profile_id: str, member_ids: frozenset[int]
) -> list[tuple[Any, Mapping[str, Any]]]:
    """(ledger entry, join as it tells it) in order: as many joins as bring the members together, no more.

    An entry tells the joins of the whole profile as it was then, so the newest word on each counts.
    """
    now_in_it = select(memberships.c.record_id).where(
        memberships.c.profile_id == profile_id, memberships.c.valid_to.is_(None)
    )
    moved = select(ledger_moves.c.ledger_entry_id).where(ledger_moves.c.record_id.in_(now_in_it))
    newest_first = connection.execute(
        select(ledger_entries)
        .where(ledger_entries.c.ledger_entry_id.in_(moved), ledger_entries.c.undone_by.is_(None))
        .order_by(ledger_entries.c.ledger_entry_id.desc())
    )
    group_of = {record_id: {record_id} for record_id in member_ids}
    joins: list[tuple[Any, Mapping[str, Any]]] = []
    for entry in newest_first:
        evidence = json.loads(entry.evidence)
        told = evidence.get("joins", ()) if isinstance(evidence, Mapping) else ()
        joins[:0] = [(entry, join) for join in told if _brings_together(join, group_of)]
    return joins


def _brings_together(join: Mapping[str, Any], group_of: dict[int, set[int]]) -> bool:
    """Whether the join is between two groups of members; then they are one from here on."""
    group_l, group_r = group_of.get(join["record_id_l"]), group_of.get(join["record_id_r"])
    if group_l is None or group_r is None or group_l is group_r:
        return False
    group_l |= group_r
    group_of.update(dict.fromkeys(group_r, group_l))
    return True


def _pair_of(join: Mapping[str, Any]) -> Pair:
    low, high = sorted((join["record_id_l"], join["record_id_r"]))
    return low, high


def _select_edges(connection: Connection, pairs: Sequence[Pair]) -> dict[Pair, Any]:
    if not pairs:
        return {}
    left = id_set(connection, {record_id_l for record_id_l, _ in pairs})
    # For several pairs alone, SQLite would read the whole table.
    statement = select(edges).where(
        edges.c.record_id_l.in_(select(left.c.id)),
        tuple_(edges.c.record_id_l, edges.c.record_id_r).in_(pairs),
    )
    return {(row.record_id_l, row.record_id_r): row for row in connection.execute(statement)}


def _select_models(connection: Connection, versions: set[int]) -> dict[int, Model]:
    if not versions:
        return {}
    statement = select(
        model_versions.c.model_version_id, model_versions.c.specification, model_versions.c.parameters
    ).where(model_versions.c.model_version_id.in_(sorted(versions)))
    return {row.model_version_id: _model(*row) for row in connection.execute(statement)}


@lru_cache(maxsize=8)
def _model(version: int, specification: str, parameters: str) -> Model:
    return load_model(version, specification, parameters, _NO_FREQUENCIES)


def _explain_edge(edge: Any | None, models: Mapping[int, Model]) -> tuple[Any, PairExplanation] | None:
    if edge is None:
        return None
    evidence = json.loads(edge.evidence)
    model = models[edge.model_version_id]
    return edge, explain_pair(model, evidence["levels"], evidence.get("frequency_weights") or {})


def _explained(
    entry: Any,
    join: Mapping[str, Any],
    scored: tuple[Any, PairExplanation] | None,
    reports: list[ReportTelling],
    language: str,
) -> JoinExplanation:
    low, high = _pair_of(join)
    kind = join.get("kind", "evidence")
    if kind == "must_link":
        text = describe_must_link(language)
    else:
        text = describe_lost_evidence(language) if scored is None else describe_pair(scored[1], language)
    return JoinExplanation(
        ledger_entry_id=entry.ledger_entry_id,
        author=entry.author,
        recorded_at=entry.recorded_at,
        record_id_l=low,
        record_id_r=high,
        kind=kind,
        mean_weight=join.get("mean_weight"),
        pair=None if scored is None else _evidence(*scored, language),
        reports=reports,
        text=with_reports(text, reports),
    )


def _evidence(edge: Any, pair: PairExplanation, language: str) -> PairEvidence:
    return pair_evidence(
        pair, model_version=edge.model_version_id, match_weight=edge.match_weight, language=language
    )


def pair_evidence(
    pair: PairExplanation, *, model_version: int, match_weight: float, language: str
) -> PairEvidence:
    """A pair taken apart, its labels in the language. match_weight: as it was scored, which the parts add up to."""
    return PairEvidence(
        model_version=model_version,
        prior_match_weight=pair.prior_match_weight,
        match_weight=match_weight,
        match_probability=match_probability(match_weight),
        comparisons=[
            ComparisonExplanation(
                comparison=each.comparison,
                label=comparison_label(each.comparison, language),
                level=level_label(each.comparison, each.label, language),
                is_missing=each.is_missing,
                level_weight=each.level_weight,
                frequency_weight=each.frequency_weight,
                match_weight=each.match_weight,
            )
            for each in pair.contributions
        ],
    )
