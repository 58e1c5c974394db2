"""Golden records of a few profiles, their members read in two statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from cdp.identity.golden import MEMBER_COLUMNS, Survivorship, golden_text, member_record
from cdp.identity.pins import PinsByRecord, select_pins
from cdp.store.quick import quick
from cdp.store.schema import identifiers, source_records
from cdp.store.sets import number_set, set_values


def make_golden_records(
    connection: Connection,
    members: Mapping[str, Sequence[int]],
    survivorship: Survivorship,
    *,
    pins: PinsByRecord | None = None,
) -> dict[str, str]:
    """Profile to its golden record as the store keeps it. Pins: those that held then, of now by default."""
    record_ids = [each for listed in members.values() for each in listed]
    if not members:
        return {}
    wanted = set_values(connection, "ids", record_ids)
    held = select_pins(connection, record_ids) if pins is None else pins
    dialect = connection.dialect.name
    identified: dict[int, list[tuple[str, str, bool]]] = defaultdict(list)
    for record_id, kind, value, is_verified in _identifiers(dialect).tuples(connection, **wanted):
        identified[record_id].append((kind, value, is_verified))
    found = {
        row[0]: member_record(row, sorted(identified[row[0]]), survivorship)
        for row in _records(dialect).tuples(connection, **wanted)
    }
    return {
        profile_id: golden_text([found[record_id] for record_id in sorted(listed)], survivorship.rules, held)
        for profile_id, listed in members.items()
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
