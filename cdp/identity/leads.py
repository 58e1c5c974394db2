"""Where ids lead that are nobody's any more. A steward's action notes those around it, so that its undo leaves each as
it was, exactly: the records alone do not tell, since an undone ruling may have lent them to other ids.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from cdp.canonical import canonical_json
from cdp.store import id_set
from cdp.store.schema import ledger_entries, profiles

# State, and the profile absorbed into.
Lead = tuple[str, str | None]

_GONE = ("absorbed", "empty")


@dataclass(frozen=True)
class LeadChange:
    before: Lead
    after: Lead


def select_leads(connection: Connection, profile_ids: Collection[str]) -> dict[str, Lead]:
    if not profile_ids:
        return {}
    wanted = id_set(connection, sorted(profile_ids))
    found = connection.execute(
        select(profiles.c.profile_id, profiles.c.state, profiles.c.absorbed_into).join_from(
            wanted, profiles, profiles.c.profile_id == wanted.c.id
        )
    )
    return {profile_id: (state, absorbed_into) for profile_id, state, absorbed_into in found}


def restore_leads(
    connection: Connection, changes: Mapping[str, LeadChange], was: Mapping[str, Lead], *, now: datetime
) -> None:
    """Let the ids lead where they led before an action that is undone, those that nothing else changed since.

    Was: how they were just before this write.
    """
    leads = select_leads(connection, changes)
    for profile_id, change in sorted(changes.items()):
        untouched = was[profile_id] == change.after and change.before[0] in _GONE
        if not untouched or leads[profile_id][0] not in _GONE or leads[profile_id] == change.before:
            continue
        state, target = change.before
        if target is not None and _leads_through(connection, target, profile_id):
            continue
        connection.execute(
            update(profiles)
            .where(profiles.c.profile_id == profile_id)
            .values(state=state, absorbed_into=target, version=profiles.c.version + 1, updated_at=now)
        )


def note_leads(connection: Connection, ledger_entry_id: int, was: Mapping[str, Lead]) -> None:
    """Let an entry of an action tell where ids that were nobody's before it led, and where they do after it."""
    now = select_leads(connection, was)
    noted = {
        profile_id: {"before": lead, "after": now[profile_id]}
        for profile_id, lead in was.items()
        if lead[0] in _GONE
    }
    if not noted:
        return
    of_entry = ledger_entries.c.ledger_entry_id == ledger_entry_id
    evidence = json.loads(connection.execute(select(ledger_entries.c.evidence).where(of_entry)).scalar_one())
    evidence["leads"] = noted
    connection.execute(update(ledger_entries).where(of_entry).values(evidence=canonical_json(evidence)))


def select_noted_leads(connection: Connection, action_id: int) -> dict[str, LeadChange]:
    """What an action noted."""
    told: Iterable[str] = connection.scalars(
        select(ledger_entries.c.evidence).where(ledger_entries.c.action_id == action_id)
    )
    return {
        profile_id: LeadChange(_lead(change["before"]), _lead(change["after"]))
        for evidence in told
        for profile_id, change in json.loads(evidence).get("leads", {}).items()
    }


def _lead(told: Sequence[str | None]) -> Lead:
    state, absorbed_into = told
    assert state is not None
    return state, absorbed_into


def _leads_through(connection: Connection, profile_id: str, through: str) -> bool:
    following: str | None = profile_id
    while following is not None:
        if following == through:
            return True
        following = select_leads(connection, [following])[following][1]
    return False
