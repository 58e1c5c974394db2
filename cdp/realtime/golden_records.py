"""Golden records of a few profiles, those of their members that are not at hand read in two statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Select, select

from cdp.identity.golden import MEMBER_COLUMNS, Survivorship, golden_text, member_record, verified_fields
from cdp.identity.pins import NO_PINS, PinsByRecord, select_pins
from cdp.identity.survivorship import MemberRecord
from cdp.realtime.incoming import IncomingRecord
from cdp.store.instants import format_instant
from cdp.store.quick import quick
from cdp.store.schema import identifiers, source_records
from cdp.store.sets import number_set, set_values

_NOTHING_WRITTEN: Mapping[int, IncomingRecord] = MappingProxyType({})


def make_golden_records(
    connection: Connection,
    members: Mapping[str, Sequence[int]],
    survivorship: Survivorship,
    written: Mapping[int, IncomingRecord] = _NOTHING_WRITTEN,
    *,
    pins_before: PinsByRecord = NO_PINS,
) -> dict[str, str]:
    """Profile to its golden record as the store keeps it. Written: records that this transaction stored. Pins
    before: of records for which those count and not what holds now."""
    listed = {record_id for of_profile in members.values() for record_id in of_profile}
    if not listed:
        return {}
    held = {**select_pins(connection, listed), **pins_before}
    found = {
        record_id: _written_member(record_id, record, survivorship)
        for record_id, record in written.items()
        if record_id in listed
    }
    found.update(_stored_members(connection, listed - found.keys(), survivorship))
    return {
        profile_id: golden_text(
            [found[record_id] for record_id in sorted(of_profile)], survivorship.rules, held
        )
        for profile_id, of_profile in members.items()
    }


def _written_member(record_id: int, record: IncomingRecord, survivorship: Survivorship) -> MemberRecord:
    _, trust = survivorship.sources[record.source_id]
    return MemberRecord(
        record_id=record_id,
        source=record.source,
        source_record_id=record.source_record_id,
        source_trust=trust,
        occurred_at=format_instant(record.occurred_at),
        values=record.values,
        identifiers=sorted((kind, value, is_verified) for kind, value, _, is_verified in record.identifiers),
        verified=verified_fields(record.raw),
    )


def _stored_members(
    connection: Connection, record_ids: Collection[int], survivorship: Survivorship
) -> dict[int, MemberRecord]:
    if not record_ids:
        return {}
    wanted = set_values(connection, "ids", record_ids)
    dialect = connection.dialect.name
    identified: dict[int, list[tuple[str, str, bool]]] = defaultdict(list)
    for record_id, kind, value, is_verified in _identifiers(dialect).tuples(connection, **wanted):
        identified[record_id].append((kind, value, is_verified))
    return {
        row[0]: member_record(row, sorted(identified[row[0]]), survivorship)
        for row in _records(dialect).tuples(connection, **wanted)
    }


@quick
def _records(dialect: str) -> Select[Any]:
    return select(*MEMBER_COLUMNS).where(
        source_records.c.record_id.in_(select(number_set(dialect, "ids").c.id))
    )


@quick
def _identifiers(dialect: str) -> Select[Any]:
    return select(
        identifiers.c.record_id, identifiers.c.kind, identifiers.c.value, identifiers.c.verified
    ).where(identifiers.c.record_id.in_(select(number_set(dialect, "ids").c.id)))
