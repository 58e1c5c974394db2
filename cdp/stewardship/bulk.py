"""One decision about a chosen set of candidates: each is decided for itself, with its own action and result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from cdp.idempotency import Answer, AnsweredBeforeError, Once
from cdp.realtime.ingest import Resolver
from cdp.stewardship.confirmations import Pending
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import RulingRefusedError
from cdp.stewardship.four_eyes import decide_together
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.ruling import Order

AT_MOST = 200

Ruled = Outcome | Pending


class TooManyCandidatesError(RulingRefusedError):
    reason = "too_many_candidates"


@dataclass(frozen=True)
class Chosen:
    """etag: of the candidate as the steward saw it."""

    candidate_id: int
    etag: str


@dataclass(frozen=True)
class BulkResult:
    """One of the four: what came of it, what waits for a second person, why it was refused, what was answered to the
    same call before."""

    candidate_id: int
    outcome: Outcome | None = None
    pending: Pending | None = None
    refusal: RulingRefusedError | None = None
    answered: Answer | None = None


def decide_all(
    resolver: Resolver,
    chosen: Iterable[Chosen],
    decision: str,
    order: Order,
    rules: DeskRules,
    *,
    once_of: Callable[[int], Once[Ruled] | None] = lambda candidate_id: None,
) -> list[BulkResult]:
    """In the order given, each in a write of its own: one that is stale or refused stops no other.

    No claims are needed, and what others have claimed is refused. Once of: the call that must not have its effect on a
    candidate twice. Raises TooManyCandidatesError before anything is done, and a StoreError as it comes: what was
    decided until then stays.
    """
    listed = _each_once(chosen)
    if len(listed) > AT_MOST:
        raise TooManyCandidatesError(
            f"{len(listed)} candidates are more than {AT_MOST}: choose fewer at a time."
        )
    return [
        _decide(resolver, each, decision, replace(order, once=once_of(each.candidate_id)), rules)
        for each in listed
    ]


def _decide(resolver: Resolver, each: Chosen, decision: str, order: Order, rules: DeskRules) -> BulkResult:
    try:
        result = decide_together(resolver, each.candidate_id, decision, order, rules, seen=[each.etag])
    except RulingRefusedError as refusal:
        return BulkResult(each.candidate_id, refusal=refusal)
    except AnsweredBeforeError as before:
        return BulkResult(each.candidate_id, answered=before.answer)
    if isinstance(result, Pending):
        return BulkResult(each.candidate_id, pending=result)
    return BulkResult(each.candidate_id, outcome=result)


def _each_once(chosen: Iterable[Chosen]) -> Sequence[Chosen]:
    return list({each.candidate_id: each for each in chosen}.values())
