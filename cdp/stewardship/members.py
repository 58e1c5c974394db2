"""The records of the profiles a steward names."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, Executable, select

from cdp.identity.profile_reads import require_profile
from cdp.store import id_set
from cdp.store.quick import quick
from cdp.store.schema import memberships, source_records, sources
from cdp.store.sets import set_values, text_set


class Member(NamedTuple):
    record_id: int
    profile_id: str


def require_living(connection: Connection, profile_id: str) -> str:
    """The profile's id, or that of the one that absorbed it. Raises UnknownProfileError or ErasedProfileError."""
    return require_profile(connection, profile_id).profile_id


def select_members(connection: Connection, profile_ids: Collection[str]) -> list[Member]:
    """The records of the profiles now, in the order of their keys."""
    if not profile_ids:
        return []
    bound = set_values(connection, "ids", sorted(profile_ids))
    rows = _members_of(connection.dialect.name).fetch(connection, **bound)
    rows.sort(key=lambda row: (row.name, row.source_record_id))
    return [Member(row.record_id, row.profile_id) for row in rows]


@quick
def _members_of(dialect: str) -> Executable:
    wanted = text_set(dialect, "ids")
    return (
        select(
            memberships.c.profile_id,
            memberships.c.record_id,
            sources.c.name,
            source_records.c.source_record_id,
        )
        .join_from(wanted, memberships, memberships.c.profile_id == wanted.c.id)
        .join(source_records, source_records.c.record_id == memberships.c.record_id)
        .join(sources, sources.c.source_id == source_records.c.source_id)
        .where(memberships.c.valid_to.is_(None))
    )


def select_profiles_of(connection: Connection, record_ids: Collection[int]) -> dict[int, str]:
    """Live record to its profile."""
    if not record_ids:
        return {}
    wanted = id_set(connection, sorted(record_ids))
    rows = connection.execute(
        select(memberships.c.record_id, memberships.c.profile_id)
        .join_from(wanted, memberships, memberships.c.record_id == wanted.c.id)
        .where(memberships.c.valid_to.is_(None))
    )
    return dict(rows.all())


def select_sources_of(connection: Connection, record_ids: Collection[int]) -> dict[int, str]:
    """Record to the name of its source."""
    if not record_ids:
        return {}
    wanted = id_set(connection, sorted(record_ids))
    rows = connection.execute(
        select(source_records.c.record_id, sources.c.name)
        .join_from(wanted, source_records, source_records.c.record_id == wanted.c.id)
        .join(sources, sources.c.source_id == source_records.c.source_id)
    )
    return dict(rows.all())
