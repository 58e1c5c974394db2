"""Absorbed ids follow their records: when a profile parts, the ids it had absorbed point to who holds them now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from cdp.identity.continuity import Continuity
from cdp.identity.memberships import select_whereabouts
from cdp.identity.reconciliation import Reconciliation
from cdp.store import id_set, temporary_table
from cdp.store.schema import memberships, profiles


def repoint_absorbed(
    connection: Connection, reconciliation: Reconciliation, continuity: Continuity, *, now: datetime
) -> None:
    """Let ids that were absorbed before point to where their records went when those parted from others."""
    parted = [
        record_id
        for change in reconciliation.changes
        if change.parted_from
        for record_id, before in change.moves
        if before is not None and before not in change.absorbed
    ]
    if not parted and not continuity.revived:
        return
    affected = _absorbed_before(connection, parted) | _pointing_to(connection, continuity.revived)
    affected -= continuity.absorbed.keys()
    whereabouts = select_whereabouts(connection, sorted(affected))
    if not whereabouts:
        return
    columns = {"profile_id": profiles.c.profile_id.type, "holder": profiles.c.profile_id.type}
    with temporary_table(connection, "whereabouts", columns, sorted(whereabouts.items())) as found:
        connection.execute(
            update(profiles)
            .where(
                profiles.c.profile_id == found.c.profile_id,
                profiles.c.state == "absorbed",
                profiles.c.absorbed_into != found.c.holder,
            )
            .values(absorbed_into=found.c.holder, version=profiles.c.version + 1, updated_at=now)
        )


def select_pointing(
    connection: Connection, reconciliation: Reconciliation, continuity: Continuity
) -> set[str]:
    """The ids that a change, or its undo, may let point elsewhere; asked before the change is written."""
    moved = [
        record_id
        for change in reconciliation.changes
        for record_id, before in change.moves
        if before is not None
    ]
    through = {*continuity.revived, *continuity.absorbed}
    return {*continuity.revived, *_absorbed_before(connection, moved), *_pointing_to(connection, through)}


def _absorbed_before(connection: Connection, record_ids: Sequence[int]) -> set[str]:
    """The absorbed profiles that any of the records ever belonged to."""
    if not record_ids:
        return set()
    parted = id_set(connection, record_ids)
    statement = (
        select(memberships.c.profile_id)
        .join_from(parted, memberships, memberships.c.record_id == parted.c.id)
        .join(profiles, profiles.c.profile_id == memberships.c.profile_id)
        .where(memberships.c.valid_to.is_not(None), profiles.c.state == "absorbed")
        .distinct()
    )
    return set(connection.scalars(statement))


def _pointing_to(connection: Connection, revived: Iterable[str]) -> set[str]:
    """The absorbed profiles whose way to a survivor leads through one of these ids."""
    found: set[str] = set()
    frontier = sorted(revived)
    while frontier:
        through = id_set(connection, frontier)
        statement = select(profiles.c.profile_id).join_from(
            through, profiles, profiles.c.absorbed_into == through.c.id
        )
        frontier = sorted(set(connection.scalars(statement)) - found)
        found.update(frontier)
    return found
