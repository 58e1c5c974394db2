"""Work ahead of a change: what it will most likely ask of records and pairs, from the store as it is before.

Nothing depends on it: a change finds in the readings what it would work out itself, and works out the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from resolution.keys import names_somebody
from resolution.linkage_index import BLOCKED, LinkageIndex, Pair
from resolution.neighbourhood import Neighbourhood
from resolution.readings import Readings


def foresee(
    index: LinkageIndex, readings: Readings, record_ids: Collection[int], blocks: dict[int, list[int]]
) -> None:
    """Weigh records that are to come against those that blocks propose today.

    Record ids: by which the index tells the records already, above those of all that are stored. Blocks: blocking keys
    of the records of which this was asked before, which the index tells too; these are added.
    """
    near = Neighbourhood(index, readings.model, readings)
    near.load(record_ids)
    own: dict[int, list[int]] = defaultdict(list)
    caps: dict[int, int] = {}
    for record_id in record_ids:
        if names_somebody(near.record(record_id).linkage):
            for key, cap in near.keys(record_id).items():
                own[key].append(record_id)
                caps[key] = cap
    members = near.index.select_members({key: cap + 1 for key, cap in caps.items()})
    pairs: set[Pair] = set()
    for key, coming in own.items():
        others = [*members.get(key, ()), *blocks.get(key, ()), *coming]
        if len(others) <= caps[key]:
            pairs.update((min(each, other), max(each, other)) for each in coming for other in others)
        blocks.setdefault(key, []).extend(coming)
    near.load({record_id for pair in pairs for record_id in pair})
    for pair in pairs:
        if pair[0] != pair[1]:
            near.edge(pair, BLOCKED)
