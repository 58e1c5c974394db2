"""The records that are put side by side, as the store has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, select

from cdp.identity.standardized import values_of
from cdp.stewardship.compare import Side
from cdp.store import id_set
from cdp.store.schema import identifiers, source_records, sources


def select_sides(connection: Connection, record_ids: Sequence[int]) -> list[Side]:
    """In the order of the ids, those that are there."""
    if not record_ids:
        return []
    wanted = select(id_set(connection, sorted(set(record_ids))).c.id)
    held: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for record_id, kind, value in connection.execute(
        select(identifiers.c.record_id, identifiers.c.kind, identifiers.c.value)
        .where(identifiers.c.record_id.in_(wanted))
        .order_by(identifiers.c.record_id, identifiers.c.kind, identifiers.c.value)
    ):
        held[record_id].append((kind, value))
    rows = connection.execute(
        select(
            source_records.c.record_id,
            sources.c.name,
            source_records.c.source_record_id,
            source_records.c.raw,
            source_records.c.standardized,
        )
        .join(sources, sources.c.source_id == source_records.c.source_id)
        .where(source_records.c.record_id.in_(wanted))
    )
    found = {
        row.record_id: Side(
            record_id=row.record_id,
            source=row.name,
            source_record_id=row.source_record_id,
            raw=orjson.loads(row.raw),
            values=values_of(row.standardized),
            identifiers=held[row.record_id],
        )
        for row in rows
    }
    return [found[record_id] for record_id in record_ids if record_id in found]
