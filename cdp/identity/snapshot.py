"""What a resolution starts from besides the records, read in one snapshot, and what is not so any more later.

A resolution takes minutes and is published in a transaction of its own: what changed in between is to be followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Select, func, select

from cdp.errors import CdpError
from cdp.identity.freezes import select_all_frozen
from cdp.identity.golden import Survivorship, open_memberships, select_survivorship, stream_golden
from cdp.identity.identifier_reports import select_held_values
from cdp.identity.memberships import select_current_profiles
from cdp.identity.models import select_active_version
from cdp.identity.must_links import through_gone
from cdp.identity.record_versions import (
    RecordChanges,
    RecordVersions,
    find_record_changes,
    select_record_versions,
)
from cdp.identity.resolution_runs import PublishedRun
from cdp.store import stream_rows
from cdp.store.schema import ledger_entries, memberships, pair_constraints, profiles, source_records
from resolution import PairConstraints, Value

# A record is received some time before it is committed, when a large load brings it.
_LOADING_AT_MOST = timedelta(hours=1)


class StoreChangedError(CdpError):
    """The store changed, while everything was resolved, in a way that cannot be followed; nothing was published."""

    reason = "store_changed"


@dataclass(frozen=True)
class Snapshot:
    """held: values that count as shared by report. current: record id to its profile. newest_profile_id: of all there
    ever were."""

    records: RecordVersions
    ledger: tuple[int, int]
    constraints: PairConstraints
    held: frozenset[Value]
    active_version: int | None
    survivorship: Survivorship
    current: dict[int, str]
    newest_profile_id: str | None


def select_snapshot(connection: Connection) -> Snapshot:
    return Snapshot(
        records=select_record_versions(connection),
        ledger=_select_ledger_state(connection),
        constraints=select_constraints(connection),
        held=select_held_values(connection),
        active_version=select_active_version(connection),
        survivorship=select_survivorship(connection),
        current=select_current_profiles(connection),
        newest_profile_id=connection.scalar(select(func.max(profiles.c.profile_id))),
    )


@dataclass(frozen=True)
class StoreChanges:
    """What happened since a snapshot.

    ruled: records of which stewards ruled, or took back what they had ruled. holding: values that count as shared by
    report since then, and with False those that do so no longer. survivorship: as it is now. other_golden: whether
    golden records of unchanged members may be others by it. moved: whether anything was published.
    """

    records: RecordChanges
    ruled: frozenset[int]
    holding: Mapping[Value, bool]
    survivorship: Survivorship
    other_golden: bool
    moved: bool

    @property
    def of_evidence(self) -> bool:
        """Whether the people may be others, and not merely where they are."""
        return bool(self.records.count or self.ruled or self.holding)


def find_changes(connection: Connection, snapshot: Snapshot) -> StoreChanges | None:
    """None where there is nothing to follow. Raises StoreChangedError when another model came into force."""
    if select_active_version(connection) != snapshot.active_version:
        raise StoreChangedError(
            "Another model came into force while everything was resolved; the profiles are as they were. "
            "Run `cdp resolve` again."
        )
    survivorship, held = select_survivorship(connection), select_held_values(connection)
    found = StoreChanges(
        records=find_record_changes(connection, snapshot.records),
        ruled=_ruled_since(select_constraints(connection), snapshot.constraints),
        holding={value: value in held for value in sorted(held ^ snapshot.held)},
        survivorship=survivorship,
        other_golden=not _chooses_as(survivorship, snapshot.survivorship),
        moved=_select_ledger_state(connection) != snapshot.ledger,
    )
    return found if found.of_evidence or found.other_golden or found.moved else None


def _ruled_since(now: PairConstraints, before: PairConstraints) -> frozenset[int]:
    changed = (now.must ^ before.must) | (now.cannot ^ before.cannot)
    frozen = {record_id for record_id, _ in now.frozen ^ before.frozen}
    return frozenset(record_id for pair in changed for record_id in pair) | frozen


def _chooses_as(now: Survivorship, before: Survivorship) -> bool:
    """A source that is new had no member before."""
    known = {source_id: now.sources.get(source_id) for source_id in before.sources}
    return now.rules == before.rules and known == dict(before.sources)


def select_constraints(connection: Connection) -> PairConstraints:
    """The must-links and cannot-links in force, with what must-links of deleted records hold together, and what is
    frozen."""
    open_ones = select(
        pair_constraints.c.kind, pair_constraints.c.record_id_l, pair_constraints.c.record_id_r
    ).where(pair_constraints.c.valid_to.is_(None))
    pairs: dict[str, set[tuple[int, int]]] = {"must": set(), "cannot": set()}
    for kind, record_id_l, record_id_r in connection.execute(open_ones):
        pairs[kind].add((record_id_l, record_id_r))
    through = through_gone(pairs["must"], _select_gone_ends(connection))
    return PairConstraints(
        frozenset(pairs["must"]),
        frozenset(pairs["cannot"]),
        frozenset(through),
        frozenset(select_all_frozen(connection)),
    )


def _select_gone_ends(connection: Connection) -> set[int]:
    """The deleted records that must-links in force name."""
    ends = (pair_constraints.c.record_id_l, pair_constraints.c.record_id_r)
    return {
        record_id
        for end in ends
        for record_id in connection.scalars(
            select(source_records.c.record_id)
            .distinct()
            .join_from(pair_constraints, source_records, source_records.c.record_id == end)
            .where(
                pair_constraints.c.kind == "must",
                pair_constraints.c.valid_to.is_(None),
                source_records.c.deleted_at.is_not(None),
            )
        )
    }


def find_stale_profiles(
    connection: Connection, snapshot: Snapshot, last: PublishedRun | None
) -> frozenset[str]:
    """The profiles whose golden record is not what their members give now.

    Looks at those with a member received since the last run, at all when the rules or the sources' trust
    changed, at none when no record did.
    """
    if not snapshot.current:
        return frozenset()
    same_rules = last is not None and last.counts.get("survivorship_digest") == snapshot.survivorship.digest()
    if last is not None and same_rules:
        if last.counts.get("records_digest") == snapshot.records.digest:
            return frozenset()
        received_since = (
            select(memberships.c.profile_id)
            .join_from(memberships, source_records, source_records.c.record_id == memberships.c.record_id)
            .where(
                memberships.c.valid_to.is_(None),
                source_records.c.received_at > last.started_at - _LOADING_AT_MOST,
            )
        )
        return frozenset(find_differing_golden(connection, snapshot.survivorship, received_since))
    return frozenset(find_differing_golden(connection, snapshot.survivorship))


def find_differing_golden(
    connection: Connection, survivorship: Survivorship, profile_ids: Select[tuple[str]] | None = None
) -> Iterator[str]:
    """The profiles, among some or of all, whose stored golden record differs from one made anew."""
    assigned = open_memberships()
    kept = select(profiles.c.profile_id, profiles.c.golden).where(
        profiles.c.profile_id.in_(select(memberships.c.profile_id).where(memberships.c.valid_to.is_(None)))
    )
    if profile_ids is not None:
        assigned = assigned.where(memberships.c.profile_id.in_(profile_ids))
        kept = kept.where(profiles.c.profile_id.in_(profile_ids))
    stored = (row for chunk in stream_rows(connection, kept.order_by(profiles.c.profile_id)) for row in chunk)
    made = stream_golden(connection, assigned.subquery("assigned"), survivorship)
    for (profile_id, _, text), row in zip(made, stored, strict=True):
        assert profile_id == row.profile_id
        if text != row.golden:
            yield profile_id


def _select_ledger_state(connection: Connection) -> tuple[int, int]:
    """Its last entry, and how many there are: entries of others may be committed out of turn."""
    newest, count = connection.execute(
        select(func.coalesce(func.max(ledger_entries.c.ledger_entry_id), 0), func.count())
    ).one()
    return newest, count
