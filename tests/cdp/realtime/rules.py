"""A model of the rules, for tests: which version of a record stands, and what rulings hold while they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations

from cdp.realtime.incoming import IncomingRecord

Pair = tuple[int, int]

# (the ruling that holds it, 'must' or 'cannot', the smaller record id, the larger)
Claim = tuple[int, str, int, int]


@dataclass
class Versions:
    """What stands of each record, by its key: the time and the hash of its version, and when it was deleted."""

    standing: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)

    def receive(self, record: IncomingRecord) -> str | None:
        """What is answered of a version that changes nothing; None of one that stands now."""
        key, version = record.source_record_id, (record.occurred_at, record.raw_hash)
        deleted_at = self.deleted.get(key)
        if deleted_at is None and self.standing.get(key, ("", ""))[1] == record.raw_hash:
            return "unchanged"
        if key in self.standing and version <= self.standing[key]:
            return "superseded"
        if deleted_at is not None and record.occurred_at <= deleted_at:
            return "superseded"
        self.standing[key] = version
        self.deleted.pop(key, None)
        return None

    def live(self) -> list[str]:
        return sorted(self.standing.keys() - self.deleted.keys())


@dataclass
class Ruling:
    """turn: the last action about it, by which it stands or does not. cut: what of other rulings gave way to it.
    brought: the pairs of records that it made one person when it last came into force."""

    opened: frozenset[Claim]
    cut: frozenset[Claim]
    turn: int
    stands: bool = True
    brought: frozenset[Pair] = frozenset()


@dataclass
class Undo:
    """apart: what it keeps apart while it stands."""

    target: int
    apart: frozenset[Claim]
    stands: bool = True


@dataclass
class Rulings:
    """What stewards ruled and took back, by the actions. ruling_of: every action to the ruling it is about."""

    of_action: dict[int, Ruling] = field(default_factory=dict)
    ruling_of: dict[int, int] = field(default_factory=dict)
    undos: dict[int, Undo] = field(default_factory=dict)

    def rule(self, action_id: int, opened: Iterable[Claim], cut: Iterable[Claim]) -> None:
        self.of_action[action_id] = Ruling(frozenset(opened), frozenset(cut), action_id)
        self.ruling_of[action_id] = action_id

    def undo(self, action_id: int, target: int, apart: Iterable[Claim] = ()) -> Ruling:
        """The ruling that an undo of the target, itself a ruling or an undo, turned."""
        self.ruling_of[action_id] = self.ruling_of[target]
        self.undos[action_id] = Undo(target, frozenset(apart))
        while target in self.undos:
            self.undos[target].stands = not self.undos[target].stands
            target = self.undos[target].target
        ruling = self.of_action[self.ruling_of[target]]
        ruling.stands, ruling.turn = not ruling.stands, action_id
        return ruling

    def standing(self) -> list[int]:
        """Those that stand, the last to come into force last."""
        found = [action_id for action_id, ruling in self.of_action.items() if ruling.stands]
        return sorted(found, key=lambda action_id: self.of_action[action_id].turn)

    def in_force(self) -> set[Claim]:
        rulings = [self.of_action[action_id] for action_id in self.standing()]
        cut = {claim for ruling in rulings for claim in ruling.cut}
        apart = {claim for undo in self.undos.values() if undo.stands for claim in undo.apart}
        return ({claim for ruling in rulings for claim in ruling.opened} - cut) | apart


def held_together(claims: Iterable[Claim]) -> dict[int, int]:
    """Record to the group that must-links make of it."""
    group_of: dict[int, int] = {}
    for _, kind, left, right in sorted(claims):
        if kind == "must":
            one, other = group_of.setdefault(left, left), group_of.setdefault(right, right)
            group_of = {each: one if group == other else group for each, group in group_of.items()}
    return group_of


def pairs_of_one_person(profile_of: dict[int, str]) -> set[Pair]:
    return {
        (left, right)
        for left, right in combinations(sorted(profile_of), 2)
        if profile_of[left] == profile_of[right]
    }


def find_violation(claims: Collection[Claim], profile_of: dict[int, str]) -> Claim | None:
    """A claim that does not hold of the live records: those that must-links connect, by way of deleted ones too, are
    in one profile, and the two of a cannot-link in two."""
    group_of = held_together(claims)
    profiles: dict[int, set[str]] = {}
    for record_id, group in group_of.items():
        if record_id in profile_of:
            profiles.setdefault(group, set()).add(profile_of[record_id])
    for claim in sorted(claims):
        _, kind, left, right = claim
        if kind == "must" and len(profiles.get(group_of[left], ())) > 1:
            return claim
        if kind == "cannot" and left in profile_of and profile_of[left] == profile_of.get(right):
            return claim
    return None
