"""What becomes of the edges around records that came, changed or went: blocks, repeats, components."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from resolution.components import Components
from resolution.errors import ResolutionError
from resolution.keys import names_somebody
from resolution.linkage_index import BLOCKED, COMPONENT, REPEAT, Edge, IndexedEdge, NewEdge, Pair
from resolution.neighbourhood import Change, Neighbourhood, Region
from resolution.people import PairConstraints


class IndexOutdatedError(ResolutionError):
    """What is kept of a record was not made with this model: everything must be resolved anew."""


_NONE: frozenset[int] = frozenset()


class EdgeUpdate:
    """What becomes of the edges around records whose keys or values changed."""

    def __init__(self, near: Neighbourhood, gone: set[int]) -> None:
        self.near, self.index, self.model = near, near.index, near.model
        self.gone = gone
        self.thresholds = near.model.model.specification.thresholds
        self.rederived: set[int] = set()
        self.stored: dict[Pair, Edge] = {}
        self.dropped: set[Pair] = set()
        self.fresh: dict[Pair, NewEdge] = {}
        self.moved: dict[Pair, str] = {}

    # ---------------------------------------------------------------- pairs that blocks propose

    def derive(
        self, dirty: set[int], turning: set[int], firsts: Mapping[int, int], changes: Sequence[Change]
    ) -> None:
        """Keys, blocked pairs and repeats of the dirty records, and of those that turn."""
        concerned = dirty | turning
        before = self.index.select_keys(concerned)
        after = {record_id: self._keys(record_id, firsts) for record_id in concerned}
        # Keys tell who turned, but not of records that have none at all.
        self.rederived = dirty | {
            record_id
            for record_id in turning
            if not after[record_id] or before.get(record_id, frozenset()) != after[record_id].keys()
        }
        for edge in self.index.select_edges(self.rederived):
            self.stored[edge.pair] = edge
            self.dropped.add(edge.pair)
        self._propose(before, after, self._caps(changes, before, after))
        self._repeat(firsts)
        self.dropped -= self.fresh.keys()

    def _keys(self, record_id: int, firsts: Mapping[int, int]) -> Mapping[int, int]:
        """Blocking key to its cap; none of a record that is gone, repeats another or names nobody."""
        if record_id in self.gone or record_id in firsts:
            return {}
        if not names_somebody(self.near.record(record_id).linkage):
            return {}
        return self.near.keys(record_id)

    def _caps(
        self,
        changes: Sequence[Change],
        before: Mapping[int, frozenset[int]],
        after: Mapping[int, Mapping[int, int]],
    ) -> dict[int, int]:
        """Blocking key to its cap, for the keys that records have or had: parting values only takes keys away."""
        caps: dict[int, int] = {}
        for keys in after.values():
            caps.update(keys)
        lost = {each for each in self.rederived if not before.get(each, frozenset()) <= after[each].keys()}
        for record_id in lost - self.gone:
            caps.update(self.model.keys(self.near.record(record_id).linkage))
        for change in changes:
            if change.before is not None and change.record_id in lost:
                caps.update(self.model.keys(change.before.linkage))
        return caps

    def _propose(
        self,
        before: Mapping[int, frozenset[int]],
        after: Mapping[int, Mapping[int, int]],
        caps: Mapping[int, int],
    ) -> None:
        removed, added = defaultdict(set), defaultdict(set)
        touched: set[int] = set()
        for record_id in self.rederived:
            had, has = before.get(record_id, frozenset()), after[record_id].keys()
            for key in had - has:
                removed[key].add(record_id)
            for key in has - had:
                added[key].add(record_id)
            touched.update(had, has)
        if not touched <= caps.keys():
            raise IndexOutdatedError("Blocking keys of other rules are in the store: run `cdp resolve`.")
        self.index.change_keys(
            [(key, record_id) for key, ids in removed.items() for record_id in ids],
            [(key, record_id) for key, ids in added.items() for record_id in ids],
        )
        limits = {key: caps[key] + 1 + len(added.get(key, ())) for key in touched}
        members = self.index.select_members(limits)
        pairs: set[Pair] = set()
        opened: set[Pair] = set()
        closed: list[set[int]] = []
        for key in touched:
            found, cap = members.get(key, ()), caps[key]
            if len(found) >= limits[key] or (len(found) < 2 and key not in removed):
                continue  # More than the cap before and after, or nobody to be compared with.
            now = set(found)
            former = (now - added.get(key, _NONE)) | removed.get(key, _NONE)
            if len(now) <= cap:
                for each in now & self.rederived:
                    pairs.update((each, other) if each < other else (other, each) for other in now)
                if len(former) > cap:
                    opened.update(combinations(sorted(now - self.rederived), 2))
            elif len(former) <= cap:
                closed.append(former - self.rederived)
        pairs.difference_update((each, each) for each in self.rederived)
        self.near.load({record_id for pair in pairs | opened for record_id in pair})
        for pair in pairs:
            self._score(pair, BLOCKED)
        self._open(opened - pairs)
        self._close(closed)

    def _score(self, pair: Pair, origin: str) -> None:
        edge = self.near.edge(pair, origin)
        if edge is not None:
            self.fresh[pair] = edge

    def _open(self, pairs: set[Pair]) -> None:
        """Pairs of others that a block proposes which was too large before."""
        known = self._edges_among(pairs)
        for pair in pairs:
            edge = known.get(pair)
            if edge is None:
                self._score(pair, BLOCKED)
            elif edge.origin == COMPONENT:
                self.stored[pair] = edge
                self.moved[pair] = BLOCKED

    def _close(self, blocks: Sequence[set[int]]) -> None:
        """Pairs of others that lose one of these blocks: their edges stay when another open block proposes them."""
        blocks_of: dict[int, set[int]] = defaultdict(set)
        for place, members_of in enumerate(blocks):
            for record_id in members_of:
                blocks_of[record_id].add(place)
        blocked = {
            edge.pair: edge
            for edge in (self.index.select_edges(blocks_of.keys()) if blocks_of else ())
            if edge.origin == BLOCKED
            and not blocks_of.get(edge.record_id_l, _NONE).isdisjoint(blocks_of.get(edge.record_id_r, _NONE))
        }
        if not blocked:
            return
        keys = self.index.select_keys({record_id for pair in blocked for record_id in pair})
        common = {pair: keys.get(pair[0], frozenset()) & keys.get(pair[1], frozenset()) for pair in blocked}
        asked = {key for shared in common.values() for key in shared}
        caps: dict[int, int] = {}
        one_end = {pair[0] for pair in blocked}
        self.near.load(one_end)
        for record_id in one_end:
            # Not of the parted values: a record that waits in the queue has the keys of before they were parted.
            caps.update(self.model.keys(self.near.record(record_id).linkage))
        members = self.index.select_members({key: caps[key] + 1 for key in asked})
        for pair, edge in blocked.items():
            if not any(len(members[key]) <= caps[key] for key in common[pair]):
                self.stored[pair] = edge
                self.dropped.add(pair)

    def _edges_among(self, pairs: set[Pair]) -> dict[Pair, Edge]:
        if not pairs:
            return {}
        ends = {record_id for pair in pairs for record_id in pair}
        return {edge.pair: edge for edge in self.index.select_edges(ends) if edge.pair in pairs}

    def _repeat(self, firsts: Mapping[int, int]) -> None:
        """Edges from repeats to the record that stands for them, where either was derived anew."""
        for record_id, first in firsts.items():
            if record_id in self.rederived or first in self.rederived:
                prepared = self.near.prepared(first)
                pair = (min(record_id, first), max(record_id, first))
                evidence = self.model.evidence(prepared, prepared)
                if evidence is not None:
                    self.fresh[pair] = NewEdge(*pair, evidence[0], REPEAT, evidence[1])

    # ---------------------------------------------------------------- components

    def region(self, changes: Sequence[Change]) -> Region:
        """Whole components around every edge that came or went, completed, and the index brought up to date."""
        record_ids, constraints = self._reach()
        edges: dict[Pair, Edge] = {
            pair: _of_origin(edge, self.moved[pair]) if pair in self.moved else edge
            for pair, edge in self.stored.items()
            if pair not in self.dropped
        }
        edges.update(self.fresh)
        firsts = self.near.firsts(edges.values())
        self._complete(edges)
        # Every edge of a record that is reached was read: one that is not known is not there.
        gone = (self.dropped - edges.keys()) | (self.fresh.keys() & self.stored.keys())
        self.index.change_edges(gone, self.fresh.values(), self.moved)
        return Region(record_ids, edges, firsts, constraints, self.gone, list(changes))

    def _reach(self) -> tuple[set[int], PairConstraints]:
        """The records of every component that had or has a changed edge or a derived record."""
        fresh_at: dict[int, list[NewEdge]] = defaultdict(list)
        for made in self.fresh.values():
            fresh_at[made.record_id_l].append(made)
            fresh_at[made.record_id_r].append(made)
        touched = {record_id for pair in (*self.dropped, *self.fresh, *self.moved) for record_id in pair}
        frontier = (touched | self.rederived | self._held_by_gone()) - self.gone
        reached: set[int] = set()
        must: set[Pair] = set()
        cannot: set[Pair] = set()
        frozen: set[Pair] = set()
        # Those of the records derived anew were read when they were.
        found: list[Edge] = list(self.stored.values())
        while frontier:
            reached |= frontier
            found += self.index.select_edges(frontier - self.rederived)
            rulings = self.index.select_constraints(frontier)
            must |= rulings.together
            cannot |= rulings.cannot
            frozen |= rulings.frozen
            onward = {record_id for pair in rulings.together for record_id in pair}
            for edge in found:
                self.stored.setdefault(edge.pair, edge)
            new: list[Edge] = [edge for record_id in frontier for edge in fresh_at.get(record_id, ())]
            onward.update(
                record_id
                for edge in found + new
                if edge.match_weight >= self.thresholds.link
                for record_id in edge.pair
            )
            frontier = self.near.live(onward - reached - self.gone)
            found = []
        return reached, PairConstraints(frozenset(must), frozenset(cannot), frozen=frozenset(frozen))

    def _held_by_gone(self) -> set[int]:
        """Live records that must-links alone may have held together with those that went."""
        rulings = self.index.select_constraints(self.gone)
        return self.near.live({record_id for pair in rulings.together for record_id in pair})

    def _complete(self, edges: dict[Pair, Edge]) -> None:
        """Score the pairs inside components that no block proposes; drop those that are inside no more."""
        link, most = self.thresholds.link, self.model.model.specification.complete_size
        former, now = _linked(self.stored.values(), link), _linked(edges.values(), link)
        inside: set[Pair] = set()
        for component in now.members():
            if 3 <= len(component) <= most:
                inside.update(combinations(component, 2))
        for pair, edge in list(edges.items()):
            if edge.origin == COMPONENT and pair not in inside:
                self.dropped.add(pair)
                self.moved.pop(pair, None)
                del edges[pair]
        for pair in inside:
            if pair in edges or self._was_completed(pair, former, most):
                continue
            before = self.stored.get(pair)
            if before is not None and not self.rederived.intersection(pair):
                # A block that proposed it is closed: its weight is the same.
                edges[pair] = _of_origin(before, COMPONENT)
                self.moved[pair] = COMPONENT
                self.dropped.discard(pair)
                continue
            made = self.near.edge(pair, COMPONENT)
            if made is not None:
                self.fresh[pair] = edges[pair] = made

    def _was_completed(self, pair: Pair, former: Components, most: int) -> bool:
        """Whether the pair, as it is, was scored before inside one component, and found to be below the floor."""
        if self.rederived.intersection(pair) or pair in self.stored:
            return False
        return former.together(*pair) and 3 <= former.size(pair[0]) <= most


def _of_origin(edge: Edge, origin: str) -> IndexedEdge:
    return IndexedEdge(*edge.pair, edge.match_weight, origin)


def _linked(edges: Iterable[Edge], link: float) -> Components:
    """The components that pairs of open blocks make, before any is completed."""
    return Components(edge.pair for edge in edges if edge.origin == BLOCKED and edge.match_weight >= link)
