"""Resolving what changed: the people that a batch over everything finds, by looking at neighbours only.

Everything the index keeps is a function of records, model and rulings: which values are shared, which of equal
records stands for them, its blocking keys, the pairs that open blocks propose and components complete, their edges. A
change is followed through these in that order; what it does not reach stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from resolution.edge_update import EdgeUpdate
from resolution.linkage_index import IndexedRecord
from resolution.neighbourhood import Change, Neighbourhood, Region
from resolution.people import Ruling, rulings_of
from resolution.sharing import Value, count_within, most_holders, sharing_of, windows

# Holders of a value that becomes shared, or is no longer, that are resolved at once; more of them wait in the queue.
REDO_AT_ONCE = 200


def follow_changes(
    near: Neighbourhood,
    changes: Sequence[Change],
    *,
    concerned: Collection[int] = (),
    holding: Mapping[Value, bool] | None = None,
) -> Region:
    """Bring the index up to date after changes of records; the region whose people are to be found again.

    Concerned: records that did not change and are to be derived anew: queued ones, and those of new rulings. Holding:
    values that count as shared at least from now on, and with False those that do so no longer.
    """
    gone = {change.record_id for change in changes} - near.live([change.record_id for change in changes])
    dirty = {change.record_id for change in changes} | near.live(concerned)
    dirty |= _settle_sharing(near, changes, holding or {})
    firsts, stands_for = _settle_repeats(near, changes, dirty - gone)
    update = EdgeUpdate(near, gone)
    update.derive(dirty, stands_for, firsts, changes)
    return update.region(changes)


def _settle_sharing(
    near: Neighbourhood, changes: Sequence[Change], holding: Mapping[Value, bool]
) -> set[int]:
    """Count the holders of the values that changed; returns the holders of those whose sharing did."""
    within = windows(near.model.model.specification)
    removed, added, dated = [], [], set()
    for change in changes:
        before = _holdings(near, change.before)
        after = _holdings(near, near.find(change.record_id))
        removed += [(value, change.record_id, sound) for value, sound in before - after]
        added += [(value, change.record_id, sound) for value, sound in after - before]
        # A newer version may say the same of another day.
        dated |= {value for value, _ in before | after if within and value[0] in within}
    if not removed and not added and not holding and not dated:
        return set()
    limits = near.model.model.specification.sharing
    most = most_holders(near.model.model.specification)
    counts = near.index.change_holders(removed, added, limit=most)
    if holding:
        counts = {**counts, **near.index.count_holders(holding.keys() - counts.keys(), limit=most)}
    if within:
        dated |= {value for value in counts if value[0] in within}
        holdings = near.index.select_holdings(dated)
        counted = {
            value: count_within(holdings.get(value, ()), within[value[0]], limit=most) for value in dated
        }
        counts = {**counts, **counted}
    near.load_sharing(counts)
    now = {
        value: sharing_of(
            count, limits.get(value[0]), is_held=holding.get(value, near.sharing(value).is_held)
        )
        for value, count in counts.items()
    }
    told = {value: found for value, found in now.items() if found.kind or near.sharing(value).kind}
    changed = {value for value, found in told.items() if found.kind != near.sharing(value).kind}
    near.index.change_sharing({value: found for value, found in told.items() if found != near.sharing(value)})
    if not changed:
        return set()
    near.read_sharing_again()
    holders = near.index.select_holders(changed, limit=REDO_AT_ONCE + 1)
    if len(holders) > REDO_AT_ONCE:
        near.index.queue_redo(changed)
        return set()
    return set(holders)


def _holdings(near: Neighbourhood, record: IndexedRecord | None) -> set[tuple[Value, str]]:
    if record is None:
        return set()
    sound = str(record.linkage.get("given_sound", ""))
    return {(value, sound) for value in near.held_values(record.linkage)}


def _settle_repeats(
    near: Neighbourhood, changes: Sequence[Change], dirty: Collection[int]
) -> tuple[dict[int, int], set[int]]:
    """Repeats to their firsts in the groups of equal records that a dirty one belongs or belonged to, and the
    records of them that may have become firsts, or ceased to be."""
    hashes = {change.before.linkage_hash for change in changes if change.before is not None}
    hashes.update(near.record(record_id).linkage_hash for record_id in dirty)
    groups = near.index.select_groups(hashes)
    several = [group for group in groups.values() if len(group) > 1]
    rulings = near.index.select_constraints([record_id for group in several for record_id in group])
    ruling_of = rulings_of(rulings)
    firsts: dict[int, int] = {}
    turning: set[int] = set()
    near.load([group[0] for group in groups.values()])
    for alike in (alike for group in groups.values() for alike in _ruled_alike(group, ruling_of)):
        if len(alike) < 2:
            turning.update(alike)
            continue
        turning.add(alike[0])
        turning.update([record_id for record_id in alike if record_id not in dirty][:1])
        if near.is_repeatable(alike[0]):
            firsts.update((record_id, alike[0]) for record_id in alike[1:])
    return firsts, turning


def _ruled_alike(group: Sequence[int], ruling_of: Mapping[int, Ruling]) -> list[list[int]]:
    """The parts of a group of which stewards ruled the same, or nothing, in the order of the group."""
    parts: dict[Ruling | None, list[int]] = {}
    for record_id in group:
        parts.setdefault(ruling_of.get(record_id), []).append(record_id)
    return list(parts.values())
