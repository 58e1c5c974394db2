"""What a plan would change, profile by profile, before anyone decides to publish it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any, TypedDict

from cdp.identity.publish import Plan
from cdp.identity.snapshot import Snapshot

Pair = tuple[int, int]

# What a profile is called that does not exist yet: its id is only given out when it is published.
NEW = "new"


class Preview(TypedDict):
    """changes: by kind. examples: by kind, {profile_id, records, absorbed, parted_from}; all of them but those that
    only create.

    contradicted: steward decisions that the weights speak against, and that hold nevertheless.
    """

    changes: dict[str, int]
    examples: dict[str, list[dict[str, Any]]]
    candidates: int
    contradicted: int
    contradictions: list[dict[str, Any]]


def preview_plan(plan: Plan, snapshot: Snapshot) -> Preview:
    contradictions = _contradictions(plan, snapshot)
    return Preview(
        changes=plan.reconciliation.kinds() | {"golden": len(plan.stale)},
        examples=_examples(plan),
        candidates=sum(1 for refusal in plan.resolution.refusals if refusal.reason != "cannot_link"),
        contradicted=len(contradictions),
        contradictions=contradictions,
    )


def _examples(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    created = plan.continuity.created
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for change in plan.reconciliation.changes:
        if change.kind == "create":
            continue
        example = {
            "profile_id": NEW if change.profile_id in created else change.profile_id,
            "records": [record_id for record_id, _ in change.moves],
            "absorbed": list(change.absorbed),
            "parted_from": list(change.parted_from),
        }
        found[change.kind].append(example)
    for profile_id, record_ids in plan.reconciliation.detached.items():
        found["detach"].append({"profile_id": profile_id, "records": list(record_ids)})
    return dict(found)


def _contradictions(plan: Plan, snapshot: Snapshot) -> list[dict[str, Any]]:
    """Must-links below the review weight and cannot-links at the join weight or above, by their pairs."""
    must, cannot = snapshot.constraints.must, snapshot.constraints.cannot
    if not must and not cannot:
        return []
    thresholds = plan.resolution.model.specification.thresholds
    weights = _weights_of(plan, must | cannot)
    found = [("must", pair, weights.get(pair)) for pair in must]
    found = [each for each in found if each[2] is None or each[2] < thresholds.review]
    found += [
        ("cannot", pair, weights[pair]) for pair in cannot if weights.get(pair, -1000.0) >= thresholds.join
    ]
    return [
        {"kind": kind, "record_id_l": pair[0], "record_id_r": pair[1], "match_weight": weight}
        for kind, pair, weight in sorted(found, key=lambda each: (each[0], each[1]))
    ]


def _weights_of(plan: Plan, pairs: Collection[Pair]) -> dict[Pair, float]:
    """Of the pairs that have an edge; a pair of repeats weighs what their firsts weigh."""
    firsts = plan.resolution.firsts
    standing: dict[Pair, list[Pair]] = defaultdict(list)
    for left, right in pairs:
        ends = firsts.get(left, left), firsts.get(right, right)
        standing[min(ends), max(ends)].append((left, right))
    return {
        pair: weight
        for chunk in plan.resolution.edges()
        for left, right, weight, _, _ in zip(*chunk, strict=True)
        for pair in standing.get((left, right), ())
    }
