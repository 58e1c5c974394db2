"""How far the profiles are from what their records give: a sample of records, each resolved anew with its neighbours.

Cheap enough for a metric: its cost goes with the sample and not with the store, and it only reads.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from cdp.identity.agreement import Found, compare_partitions, disagreeing_records
from cdp.identity.redo_queue import select_concerned
from cdp.realtime.linkage_index import StoreIndex
from cdp.realtime.rehearsal import rehearse
from cdp.store import id_set
from cdp.store.schema import source_records
from resolution import OnlineModel

# Ids are given out one by one and few are deleted: a drawn number mostly is a record. Below this many numbers for one
# record of the sample, they are listed.
_SPARSE = 20
_ROUNDS = 20


@dataclass(frozen=True)
class Disagreement:
    """sampled: the records looked at; waiting: those of them that are left out, because the queue may still change
    their people; differing: those of the others whose people differ (see `disagreeing_records`). found: in words."""

    sampled: int
    waiting: int
    differing: int
    found: list[Found] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """Of the records that are not left out, None without any; an unbiased estimate of that of all records."""
        looked_at = self.sampled - self.waiting
        return self.differing / looked_at if looked_at else None


def measure_disagreement(
    connection: Connection, model: OnlineModel, sample_size: int, seed: int
) -> Disagreement:
    """Draw records, derive all records of their profiles anew (keys, blocked pairs, weights, partition), compare.

    Model: of the version that the profiles were made with. What is taken as the store has it: which values are
    shared, the keys of other records, and the weights of pairs that no drawn record's profile has a part in. The same
    store and seed give the same sample. Raises StoreNotResolvedError when the index is another model's.
    """
    drawn = _draw_records(connection, sample_size, random.Random(seed))
    concerned = select_concerned(connection, model.model.specification.sharing)
    by_profile: dict[str | None, list[int]] = defaultdict(list)
    profile_of = StoreIndex(connection, model.model.version).select_clusters(drawn)
    for record_id in drawn:
        by_profile[profile_of.get(record_id)].append(record_id)
    homeless = by_profile.pop(None, [])
    waiting, differing = 0, len(homeless)
    found: list[Found] = [(f"record {each} is in no profile", (each,)) for each in homeless]
    for profile_id, record_ids in by_profile.items():
        assert profile_id is not None
        clusters, current = _resolve_anew(connection, model, profile_id)
        if not concerned.isdisjoint(record_id for cluster in clusters for record_id in cluster):
            waiting += len(record_ids)
            continue
        wrong = disagreeing_records(clusters, current).intersection(record_ids)
        differing += len(wrong)
        if wrong:
            found += compare_partitions(clusters, current)
    return Disagreement(len(drawn), waiting, differing, found)


def _resolve_anew(
    connection: Connection, model: OnlineModel, profile_id: str
) -> tuple[list[tuple[int, ...]], Mapping[int, str]]:
    """The clusters around the records of a profile, and the profile of each of their records."""
    index = StoreIndex(connection, model.model.version)
    members = index.select_cluster_records([profile_id])[profile_id]
    clusters = [cluster.record_ids for cluster in rehearse(connection, model, members).clusters]
    return clusters, index.select_clusters({record_id for cluster in clusters for record_id in cluster})


def _draw_records(connection: Connection, sample_size: int, chance: random.Random) -> list[int]:
    """Live records, each as likely as any other, at most so many."""
    table = source_records
    live = select(table.c.record_id).where(table.c.deleted_at.is_(None))
    least, most = connection.execute(select(func.min(table.c.record_id), func.max(table.c.record_id))).one()
    if least is None:
        return []
    if most - least < _SPARSE * sample_size:
        listed = connection.scalars(live.order_by(table.c.record_id)).all()
        return sorted(chance.sample(listed, min(sample_size, len(listed))))
    drawn: set[int] = set()
    for _ in range(_ROUNDS):
        numbers = {chance.randint(least, most) for _ in range(sample_size - len(drawn))} - drawn
        wanted = id_set(connection, sorted(numbers))
        drawn.update(connection.scalars(live.join_from(wanted, table, table.c.record_id == wanted.c.id)))
        if len(drawn) == sample_size:
            break
    return sorted(drawn)
