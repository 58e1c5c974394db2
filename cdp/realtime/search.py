"""Search: which profiles a partial record could be of, ranked and explained. It reads, and keeps nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cdp.errors import CdpError
from cdp.identity.explain import PairEvidence, pair_evidence
from cdp.identity.profile_reads import select_visible
from cdp.identity.report_telling import ReportTelling, tell_presented, with_reports
from cdp.identity.sources import date_order_of
from cdp.intake.rows import RefusedRowError
from cdp.intake.shape import check_record
from cdp.realtime.incoming import RefusedRecordError
from cdp.realtime.known_sources import standardizer
from cdp.realtime.linkage_index import StoreIndex
from cdp.realtime.online_models import OnlineModels, select_online_version
from resolution import ClusterMatch, Model, search_clusters
from resolution.explanation import describe_pair, explain_pair
from resolution.standardize import Refusal, SourceSettings, StandardizedRecord

# What a record is known by is of no use here.
_KEY = {"source": "search", "source_record_id": "search"}


class NothingToSearchByError(CdpError):
    """Nothing that was given can be compared; `refusals` says why."""

    reason = "nothing_to_search_by"

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("Give a name, an identifier, a birth date or an address.")
        self.refusals = refusals


@dataclass(frozen=True)
class Sought:
    """Whom a channel looks for. region: of numbers and dates without one."""

    values: Mapping[str, object]
    region: str
    now: datetime

    def standardized(self) -> StandardizedRecord:
        """Raises RefusedRecordError for what is no part of a record, and NothingToSearchByError."""
        try:
            checked = check_record({**self.values, **_KEY}, default_source=None, default_occurred_at=self.now)
        except RefusedRowError as error:
            raise RefusedRecordError(error.reason, error.message, error.pointer or "") from error
        settings = SourceSettings(default_region=self.region, date_order=date_order_of(self.region))
        found = standardizer(settings).standardize(checked.values)
        if not found.linkage:
            raise NothingToSearchByError(found.refusals)
        return found


@dataclass(frozen=True)
class FoundProfile:
    """In bits. pair: the profile's best pair with what was asked, which is with record_id; reports: about identifiers
    that both hold; text: all of it in words."""

    profile_id: str
    match_weight: float
    match_probability: float
    mean_match_weight: float
    record_count: int
    record_id: int
    pair: PairEvidence
    reports: list[ReportTelling]
    text: str


@dataclass(frozen=True)
class Search:
    """profiles: the likeliest first. model_version: None while nothing was resolved. refusals: values not used."""

    profiles: list[FoundProfile]
    has_more: bool
    model_version: int | None
    refusals: Sequence[Refusal]


def search_profiles(
    connection: Connection,
    models: OnlineModels,
    sought: Sought,
    *,
    language: str,
    skip: int = 0,
    limit: int,
    minimum_weight: float | None = None,
    sources: Collection[str] | None = None,
) -> Search:
    """Profiles without a record of the sources are not found; None for all.

    Minimum weight: of a profile's best pair; None for that from which the model has stewards asked.
    """
    standardized = sought.standardized()
    version = select_online_version(connection)
    if version is None:
        return Search([], False, None, standardized.refusals)
    model = models.require(connection, version)
    if minimum_weight is None:
        minimum_weight = model.model.specification.thresholds.review
    ranked = search_clusters(
        StoreIndex(connection, version),
        model,
        standardized.linkage,
        minimum_weight=minimum_weight,
        visible=lambda profile_ids: select_visible(connection, profile_ids, sources),
    )
    page = ranked[skip : skip + limit]
    reports = tell_presented(
        connection, [match.record_id for match in page], standardized.identifiers, language
    )
    shown = [_found(match, model.model, reports.get(match.record_id, []), language) for match in page]
    return Search(shown, len(ranked) > skip + limit, version, standardized.refusals)


def _found(match: ClusterMatch, model: Model, reports: list[ReportTelling], language: str) -> FoundProfile:
    explained = explain_pair(model, match.levels, match.frequency_weights)
    pair = pair_evidence(
        explained, model_version=model.version, match_weight=match.match_weight, language=language
    )
    return FoundProfile(
        profile_id=match.cluster,
        match_weight=match.match_weight,
        match_probability=pair.match_probability,
        mean_match_weight=match.mean_weight,
        record_count=match.record_count,
        record_id=match.record_id,
        pair=pair,
        reports=reports,
        text=with_reports(describe_pair(explained, language), reports),
    )
