"""What a new partition changes: which records go to which profile, and what to call that. A pure rule.

Each record that moves is told once, with the profile that receives it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cdp.identity.continuity import Continuity


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """A profile that receives records.

    kind: 'create', 'attach' (records that were nowhere), 'join' (it absorbs profiles), 'split' (a new or
    revived profile with records of others that live on), 'move' (it takes records of others that live on).
    moves: (record_id, profile it comes from or None). cluster: the index of its records.
    """

    profile_id: str
    kind: str
    cluster: int
    moves: tuple[tuple[int, str | None], ...]
    absorbed: tuple[str, ...] = ()
    parted_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reconciliation:
    """detached: profile to its records that are gone. parted: a profile that lives on to those that took
    records of it."""

    changes: list[ProfileChange]
    detached: dict[str, list[int]] = field(default_factory=dict)
    parted: dict[str, list[str]] = field(default_factory=dict)

    def kinds(self) -> dict[str, int]:
        counts = dict.fromkeys(("create", "attach", "join", "split", "move", "detach"), 0)
        for change in self.changes:
            counts[change.kind] += 1
        counts["detach"] = len(self.detached)
        return counts


def reconcile(
    clusters: Sequence[Sequence[int]], continuity: Continuity, current: Mapping[int, str]
) -> Reconciliation:
    """Clusters: record ids. Current: record id to the profile it belongs to before."""
    absorbed_by: dict[str, list[str]] = defaultdict(list)
    for profile_id, survivor in continuity.absorbed.items():
        absorbed_by[survivor].append(profile_id)
    changes = []
    parted: dict[str, list[str]] = defaultdict(list)
    for index, (cluster, profile_id) in enumerate(zip(clusters, continuity.profile_of, strict=True)):
        moves = tuple(
            (record_id, before) for record_id in cluster if (before := current.get(record_id)) != profile_id
        )
        if not moves:
            continue
        absorbed = tuple(sorted(absorbed_by.get(profile_id, ())))
        left = tuple(sorted({before for _, before in moves if before is not None and before not in absorbed}))
        changes.append(
            ProfileChange(
                profile_id, _kind(profile_id, continuity, absorbed, left), index, moves, absorbed, left
            )
        )
        for before in left:
            if before not in continuity.absorbed:
                parted[before].append(profile_id)
    return Reconciliation(changes, _detached(clusters, current), dict(parted))


def _kind(
    profile_id: str, continuity: Continuity, absorbed: tuple[str, ...], parted_from: tuple[str, ...]
) -> str:
    is_new = profile_id in continuity.created or profile_id in continuity.revived
    if absorbed:
        return "join"
    if parted_from:
        return "split" if is_new else "move"
    return "create" if profile_id in continuity.created else "attach"


def _detached(clusters: Sequence[Sequence[int]], current: Mapping[int, str]) -> dict[str, list[int]]:
    clustered = {record_id for cluster in clusters for record_id in cluster}
    detached: dict[str, list[int]] = defaultdict(list)
    for record_id, profile_id in current.items():
        if record_id not in clustered:
            detached[profile_id].append(record_id)
    return {profile_id: sorted(record_ids) for profile_id, record_ids in sorted(detached.items())}
