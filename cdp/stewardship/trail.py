"""What the audit has of one profile or one item of the queue: who read, took, decided, commented, took back, and when.

The entries of what changes people name an action; which actions concern a profile is told by the ledger, and by the
constraints and pins of the records it holds or held.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, union

from cdp.stewardship.actions import Action, select_actions_of, select_following
from cdp.stewardship.candidates import Candidate
from cdp.stewardship.proposals import Proposal, select_about, select_of_ids
from cdp.store.schema import (
    audit_entries,
    golden_pins,
    ledger_entries,
    ledger_moves,
    memberships,
    pair_constraints,
    profiles,
    steward_actions,
)

# So many absorbed ids, and so many actions, are looked for at once.
_AT_MOST = 500


@dataclass(frozen=True)
class TrailEntry:
    """An entry of the audit; action: what was ruled, where it is one. proposal: what waited for a second person."""

    audit_id: int
    recorded_at: datetime
    actor: str
    what: str
    details: Mapping[str, Any]
    action: Action | None
    proposal: Proposal | None = None


def select_profile_trail(
    connection: Connection, profile_id: str, *, before_audit_id: int | None = None, limit: int
) -> list[TrailEntry]:
    """Newest first, from the entry before; under the ids that it absorbed too."""
    ids = _with_absorbed(connection, profile_id)
    action_ids = select_following(connection, _actions_about(connection, ids))
    proposal_ids = [each.proposal_id for each in select_about(connection, ids, at_most=_AT_MOST)]
    about = [
        _is_about("profile", ids),
        _is_about("action", map(str, action_ids)),
        _is_about("proposal", map(str, proposal_ids)),
    ]
    return _select(connection, about, before_audit_id, limit)


def select_candidate_trail(
    connection: Connection, candidate: Candidate, *, before_audit_id: int | None = None, limit: int
) -> list[TrailEntry]:
    """Newest first, from the entry before. Reads of its page are kept with the profiles that it shows."""
    number = candidate.candidate_id
    decided = connection.scalars(
        select(steward_actions.c.action_id).where(steward_actions.c.candidate_id == number)
    )
    action_ids = select_following(connection, decided.all())
    of_this_item = or_(*(audit_entries.c.details.like(f'%"candidate_id":{number}{end}%') for end in ",}"))
    ids = {each for every in candidate.profile_ids for each in _with_survivors(connection, every)}
    about = [
        _is_about("candidate", [str(number)]),
        _is_about("action", map(str, action_ids)),
        and_(_is_about("profile", ids), audit_entries.c.action == "profile.read_candidate", of_this_item),
    ]
    return _select(connection, about, before_audit_id, limit)


def _select(
    connection: Connection, about: Collection[ColumnElement[bool]], before: int | None, limit: int
) -> list[TrailEntry]:
    """Each by the index of objects: one statement for all of them would read the audit from its end."""
    rows = [row for each in about for row in connection.execute(_newest(each, before, limit))]
    newest = _once_a_request(sorted(rows, key=lambda row: -row.audit_id))[:limit]
    actions = {each.action_id: each for each in select_actions_of(connection, _ids_of(newest, "action"))}
    waited = select_of_ids(connection, _ids_of(newest, "proposal"))
    return [
        TrailEntry(
            row.audit_id,
            row.recorded_at,
            row.actor,
            row.action,
            json.loads(row.details),
            actions.get(int(row.object_id)) if row.object_kind == "action" else None,
            waited.get(int(row.object_id)) if row.object_kind == "proposal" else None,
        )
        for row in newest
    ]


def _ids_of(rows: Sequence[Any], kind: str) -> list[int]:
    return [int(row.object_id) for row in rows if row.object_kind == kind]


def _once_a_request(rows: Sequence[Any]) -> list[Any]:
    """A page of two profiles is noted for each of them."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for row in rows:
        request_id = json.loads(row.details).get("request_id")
        if request_id is None or (row.action, request_id) not in seen:
            kept.append(row)
            seen.add((row.action, request_id))
    return kept


def _newest(about: ColumnElement[bool], before: int | None, limit: int) -> Select[Any]:
    statement = select(audit_entries).where(about).order_by(audit_entries.c.audit_id.desc()).limit(limit)
    return statement if before is None else statement.where(audit_entries.c.audit_id < before)


def _is_about(kind: str, ids: Any) -> ColumnElement[bool]:
    return and_(audit_entries.c.object_kind == kind, audit_entries.c.object_id.in_(sorted(ids)[-_AT_MOST:]))


def _actions_about(connection: Connection, ids: Collection[str]) -> Collection[int]:
    held = select(memberships.c.record_id).where(memberships.c.profile_id.in_(ids))
    moved = (
        select(ledger_entries.c.action_id)
        .join(ledger_moves, ledger_moves.c.ledger_entry_id == ledger_entries.c.ledger_entry_id)
        .where(
            ledger_moves.c.record_id.in_(held),
            or_(ledger_moves.c.from_profile_id.in_(ids), ledger_moves.c.to_profile_id.in_(ids)),
        )
    )
    sides = (pair_constraints.c.record_id_l, pair_constraints.c.record_id_r)
    ruled = [
        select(by).where(side.in_(held))
        for side in sides
        for by in (pair_constraints.c.opened_by, pair_constraints.c.closed_by)
    ]
    pinned = [
        select(by).where(golden_pins.c.record_id.in_(held))
        for by in (golden_pins.c.opened_by, golden_pins.c.closed_by)
    ]
    return {each for each in connection.scalars(union(moved, *ruled, *pinned)) if each is not None}


def _with_absorbed(connection: Connection, profile_id: str) -> list[str]:
    found = select(profiles.c.profile_id).where(profiles.c.profile_id == profile_id).cte(recursive=True)
    found = found.union(
        select(profiles.c.profile_id).join(found, profiles.c.absorbed_into == found.c.profile_id)
    )
    return list(connection.scalars(select(found.c.profile_id).limit(_AT_MOST)))


def _with_survivors(connection: Connection, profile_id: str) -> list[str]:
    found = (
        select(profiles.c.profile_id, profiles.c.absorbed_into)
        .where(profiles.c.profile_id == profile_id)
        .cte(recursive=True)
    )
    found = found.union(
        select(profiles.c.profile_id, profiles.c.absorbed_into).join(
            found, profiles.c.profile_id == found.c.absorbed_into
        )
    )
    return list(connection.scalars(select(found.c.profile_id)))
