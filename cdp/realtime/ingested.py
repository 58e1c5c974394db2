"""What became of records that came: the answer for each of them, and what the audit is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from cdp.identity.candidates import probability_of
from cdp.realtime.linkage_index import StoreIndex
from cdp.realtime.publish_region import Published
from cdp.realtime.versions import Stored
from resolution import LocalResolution


@dataclass(frozen=True)
class Ingested:
    """What became of one record. outcome: 'created', 'attached', 'joined', 'unchanged' or 'superseded'.

    profiles_joined: ids that its profile absorbed. candidates: all open merge candidates of its profile,
    those that were there before too; none where the record changed nothing.
    match_weight: of its heaviest edge inside the profile, None when it is alone there. is_new: whether the store did
    not know the record before. is_set_aside: whether there are records that it could not be compared with, because a
    condition of the model fails on the values of both.
    """

    record_id: int
    profile_id: str
    outcome: str
    profiles_joined: Sequence[str]
    candidates: Sequence[int]
    model_version: int
    match_weight: float | None
    match_probability: float | None
    is_new: bool
    is_set_aside: bool = False


@dataclass(frozen=True)
class Effect:
    """A change of the store's people and everything that it brought. candidates: the open ones around them, each with
    its two profiles."""

    resolution: LocalResolution
    published: Published
    candidates: Mapping[int, tuple[str, str]]
    model_version: int


def answers_of(
    connection: Connection, stored: Stored, effect: Effect | None, model_version: int
) -> list[Ingested]:
    """One for each record of the request, in their order."""
    changed = {change.record_id: change for change in stored.changes}
    known: Mapping[int, str] = effect.published.profile_of if effect is not None else {}
    others = [record_id for record_id in stored.record_ids if record_id not in known]
    index = StoreIndex(connection, model_version)
    profile_of = {**index.select_clusters(others), **known}
    heaviest = _heaviest_edges(effect, changed) if effect is not None else {}
    candidates_of = _candidates_by_profile(effect) if effect is not None else {}
    answers: list[Ingested] = []
    begun: set[str] = set()
    for record_id, standing in zip(stored.record_ids, stored.standing, strict=True):
        profile_id = profile_of.get(record_id, "")
        weight = heaviest.get(record_id)
        answers.append(
            Ingested(
                record_id=record_id,
                profile_id=profile_id,
                outcome=standing or _outcome(effect, profile_id, begun),
                profiles_joined=effect.published.absorbed.get(profile_id, ())
                if effect and not standing
                else (),
                candidates=() if standing else candidates_of.get(profile_id, ()),
                model_version=model_version,
                match_weight=weight,
                match_probability=None if weight is None else probability_of(weight),
                is_new=record_id in stored.created,
                is_set_aside=effect is not None and not standing and record_id in effect.resolution.unscored,
            )
        )
    return answers


def _candidates_by_profile(effect: Effect) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for candidate_id, (profile_id_l, profile_id_r) in effect.candidates.items():
        found[profile_id_l].append(candidate_id)
        found[profile_id_r].append(candidate_id)
    return found


def _outcome(effect: Effect | None, profile_id: str, begun: set[str]) -> str:
    """Begun: the new profiles that a record before this one has come to."""
    assert effect is not None
    if effect.published.absorbed.get(profile_id):
        return "joined"
    if profile_id in effect.published.created and profile_id not in begun:
        begun.add(profile_id)
        return "created"
    return "attached"


def _heaviest_edges(effect: Effect, record_ids: Collection[int]) -> dict[int, float]:
    """Record to the weight of its heaviest edge inside its profile."""
    profile_of = effect.published.profile_of
    found: dict[int, float] = {}
    for (left, right), edge in effect.resolution.edges.items():
        if profile_of.get(left) is None or profile_of.get(left) != profile_of.get(right):
            continue
        for record_id in (left, right):
            if record_id in record_ids:
                found[record_id] = max(found.get(record_id, edge.match_weight), edge.match_weight)
    return found


def told_of(effect: Effect) -> dict[str, object]:
    """Ids only, for the audit."""
    return {
        "model_version": effect.model_version,
        "profiles": sorted(effect.published.versions),
        "ledger_entries": list(effect.published.entry_ids),
    }
