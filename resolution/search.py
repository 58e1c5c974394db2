"""Which clusters a record could belong to that is in none of them: asked without keeping anything of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resolution.compile import PairScore
from resolution.errors import FailedConditionError
from resolution.keys import Linkage
from resolution.linkage_index import LinkageIndex
from resolution.neighbourhood import Neighbourhood
from resolution.online import OnlineModel

# Clusters of which all records are compared: those with the best pairs that blocks propose.
CLUSTERS_AT_MOST = 200


@dataclass(frozen=True)
class ClusterMatch:
    """A cluster as a record meets it, in bits. match_weight, levels and frequency_weights are of its best pair, with
    record_id; mean_weight is over all its records that the model can score against what is asked."""

    cluster: str
    record_id: int
    match_weight: float
    levels: tuple[int, ...]
    frequency_weights: Mapping[str, float]
    mean_weight: float
    record_count: int


def search_clusters(
    index: LinkageIndex,
    model: OnlineModel,
    linkage: Linkage,
    *,
    minimum_weight: float,
    visible: Callable[[Collection[str]], Collection[str]] = lambda names: names,
) -> list[ClusterMatch]:
    """Those whose best pair weighs the minimum at least, the heaviest first. Linkage: no value parted.

    Visible: those of the named clusters that may be found.
    """
    near = Neighbourhood(index, model)
    parted = _parted(index, model, linkage)
    asked = model.prepare(parted)
    names = _nearest(near, asked, _proposed(near, parted), visible)
    found = list(_matches(near, asked, names)) if names else []
    heavy = [match for match in found if match.match_weight >= minimum_weight]
    return sorted(heavy, key=lambda match: (-match.match_weight, -match.mean_weight, match.cluster))


def _parted(index: LinkageIndex, model: OnlineModel, linkage: Linkage) -> Linkage:
    found = index.select_sharing(model.held_values(linkage))
    return model.part_values(linkage, {value: each.kind for value, each in found.items() if each.kind})


def _proposed(near: Neighbourhood, parted: Linkage) -> set[int]:
    """The records that share a key with it in a block that is not too large."""
    caps = near.model.keys(parted)
    members = near.index.select_members({key: cap + 1 for key, cap in caps.items()})
    return near.live(
        {record_id for key, listed in members.items() if len(listed) <= caps[key] for record_id in listed}
    )


def _nearest(
    near: Neighbourhood,
    asked: Any,
    record_ids: Collection[int],
    visible: Callable[[Collection[str]], Collection[str]],
) -> list[str]:
    cluster_of = near.index.select_clusters(record_ids)
    shown = frozenset(visible(set(cluster_of.values())))
    best: dict[str, float] = {}
    for record_id, name in cluster_of.items():
        if name in shown:
            score = _score(near, record_id, asked)
            if score is not None:
                best[name] = max(best.get(name, score.match_weight), score.match_weight)
    return sorted(best, key=lambda name: (-best[name], name))[:CLUSTERS_AT_MOST]


def _matches(near: Neighbourhood, asked: Any, names: Collection[str]) -> Iterator[ClusterMatch]:
    records = near.index.select_cluster_records(names)
    near.load([record_id for listed in records.values() for record_id in listed])
    for name, listed in records.items():
        found = {record_id: _score(near, record_id, asked) for record_id in sorted(near.live(listed))}
        scores = {record_id: score for record_id, score in found.items() if score is not None}
        record_id = max(scores, key=lambda each: (scores[each].match_weight, -each))
        best = scores[record_id]
        yield ClusterMatch(
            cluster=name,
            record_id=record_id,
            match_weight=best.match_weight,
            levels=tuple(best.levels),
            frequency_weights=best.frequency_weights,
            mean_weight=sum(each.match_weight for each in scores.values()) / len(scores),
            record_count=len(found),
        )


def _score(near: Neighbourhood, record_id: int, asked: Any) -> PairScore | None:
    """What is stored comes before what is asked, as an older record before a younger one. None where a condition of
    the model fails on the two: nobody is found by it."""
    try:
        return near.model.compiled.score(near.prepared(record_id), asked)
    except FailedConditionError:
        return None
