"""What is told of a change of profiles: its evidence in the ledger, its event in the outbox. Pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from cdp.identity.continuity import Continuity
from cdp.identity.reconciliation import ProfileChange, Reconciliation
from resolution import Join

JOINS_TOLD = 50

# The evidence of records that went and left nothing.
NO_EVIDENCE = '{"joins":[],"profiles":[]}'


def change_evidence(change: ProfileChange, joins: Sequence[Join]) -> str:
    """JSON text. Joins: those that made the cluster of the profile, in order; the first of them are told."""
    evidence: dict[str, Any] = {
        "joins": [
            {
                "record_id_l": join.key_l,
                "record_id_r": join.key_r,
                "match_weight": join.match_weight,
                "mean_weight": join.mean_weight,
                "kind": join.kind,
            }
            for join in joins[:JOINS_TOLD]
        ],
        "profiles": change.absorbed,
    }
    if len(joins) > JOINS_TOLD:
        evidence["join_count"] = len(joins)
    if change.parted_from:
        evidence["parted_from"] = change.parted_from
    return orjson.dumps(evidence, option=orjson.OPT_SORT_KEYS).decode()


def retired_and_told(continuity: Continuity, reconciliation: Reconciliation) -> list[tuple[str, str]]:
    """(profile, state) of those that are live no more and have an event of their own: the emptied ones, and absorbed
    ones that lost a record too. What an absorbed one gave is told by its survivor."""
    absorbed = reconciliation.detached.keys() & continuity.absorbed.keys()
    told = dict.fromkeys(continuity.emptied, "empty") | dict.fromkeys(absorbed, "absorbed")
    return sorted(told.items())


def change_event(
    profile_id: str, change: ProfileChange | None, continuity: Continuity, reconciliation: Reconciliation
) -> tuple[str, dict[str, Any]]:
    """The kind and the particulars of a live profile: who was absorbed, who took records, whose were taken."""
    parted_into = reconciliation.parted.get(profile_id)
    payload: dict[str, Any] = {"state": "live"}
    if parted_into:
        payload["parted_into"] = parted_into
    if change is not None and change.absorbed:
        payload["absorbed"] = change.absorbed
    if change is not None and change.parted_from:
        payload["parted_from"] = change.parted_from
    if profile_id in continuity.revived:
        payload["revived"] = True
    if profile_id in continuity.created or profile_id in continuity.revived:
        return "profile.created", payload
    if change is not None and change.kind == "join":
        return "profile.joined", payload
    return ("profile.split" if parted_into else "profile.updated"), payload
