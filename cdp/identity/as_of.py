"""A profile as it was at a moment: the records it held then, and what survived of them by the rules of today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, or_, select

from cdp.identity.golden import select_survivorship
from cdp.identity.pins import select_pins_of_each
from cdp.realtime.golden_records import make_golden_records
from cdp.store.schema import edges, memberships

Edge = tuple[int, int, float]


@dataclass(frozen=True)
class PastProfile:
    """record_ids: of the records held then, in order. Their values are those of now: a source keeps no older ones."""

    record_ids: list[int]
    golden: dict[str, dict[str, Any]]
    identifiers: list[dict[str, Any]]


def select_past_profile(connection: Connection, profile_id: str, moment: datetime) -> PastProfile:
    """Without records where it held none then."""
    held = (
        select(memberships.c.record_id)
        .where(
            memberships.c.profile_id == profile_id,
            memberships.c.valid_from <= moment,
            or_(memberships.c.valid_to.is_(None), memberships.c.valid_to > moment),
        )
        .distinct()
        .order_by(memberships.c.record_id)
    )
    record_ids = list(connection.scalars(held))
    if not record_ids:
        return PastProfile([], {}, [])
    survivorship = select_survivorship(connection)
    made = make_golden_records(
        connection,
        {profile_id: record_ids},
        survivorship,
        pins_before=select_pins_of_each(connection, record_ids, at=moment),
    )
    golden = orjson.loads(made[profile_id])
    return PastProfile(record_ids, golden.get("attributes", {}), golden.get("identifiers", []))


def select_edges_within(connection: Connection, profile_id: str) -> list[Edge]:
    """(record_id_l, record_id_r, match_weight) of the scored pairs inside a profile, the heaviest first."""
    inside = select(memberships.c.record_id).where(
        memberships.c.profile_id == profile_id, memberships.c.valid_to.is_(None)
    )
    found = connection.execute(
        select(edges.c.record_id_l, edges.c.record_id_r, edges.c.match_weight)
        .where(edges.c.record_id_l.in_(inside), edges.c.record_id_r.in_(inside))
        .order_by(edges.c.match_weight.desc(), edges.c.record_id_l, edges.c.record_id_r)
    )
    return [(row[0], row[1], row[2]) for row in found]
