"""The calls of those who decide: the queue and who works on it, rulings and what takes them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cdp.client.answers import (
    Action,
    BulkResult,
    Candidate,
    Claim,
    Comment,
    PendingDecision,
    Proposal,
    Release,
    Ruling,
    Skip,
    read_answer,
)
from cdp.client.calling import Calling, profile_path
from cdp.client.transport import Reply, segment


class StewardCalls(Calling):
    def candidates(
        self,
        *,
        state: str | None = None,
        reason: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        **narrowed: Any,
    ) -> Iterator[Candidate]:
        """The queue, open ones by default; pages are asked for as they are used.

        sort: weight, uncertainty, age, due, size or priority; narrowed: source, identifier_type, assignee, claimed_by,
        min_match_weight and the others of the call.
        """
        query = {"state": state, "reason": reason, "sort": sort, "limit": limit, **narrowed}
        return self._each(Candidate, "/v1/candidates", query)

    def candidate(self, candidate_id: int, *, lang: str | None = None, unmask: bool = False) -> Candidate:
        query = {"lang": lang, "unmask": unmask or None}
        reply = self._ask("GET", _candidate_path(candidate_id), query)
        return read_answer(Candidate, reply.document, etag=reply.headers.get("ETag"))

    def decide(
        self,
        candidate: Candidate,
        decision: str,
        reason: str,
        *,
        pins: Mapping[str, int] | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Ruling | PendingDecision:
        """decision: same, different or unsure, on the candidate as `candidate` gave it. pins: with same, attribute to
        the record whose value is shown.

        Some decisions wait for a second person: PendingDecision.
        """
        path = f"{_candidate_path(candidate.candidate_id)}/decision"
        body = {"decision": decision, "reason": reason, **_pinned(pins)}
        seen = {"If-Match": candidate.etag}
        reply = self._order(path, body, idempotency_key, dry_run=dry_run, headers=seen)
        if reply.status == 202:
            return read_answer(PendingDecision, reply.document)
        return read_answer(Ruling, reply.document)

    def claim(self, candidate_id: int) -> Claim:
        """Nobody else decides it until it expires; claimed again, it is held for longer."""
        reply = self._work_on(candidate_id, "claim")
        return read_answer(Claim, reply.document)

    def release(self, candidate_id: int) -> Release:
        """Give it back."""
        return read_answer(Release, self._work_on(candidate_id, "release").document)

    def skip(self, candidate_id: int) -> Skip:
        """Give it back and put it off, for this key."""
        return read_answer(Skip, self._work_on(candidate_id, "skip").document)

    def comments(self, candidate_id: int) -> Sequence[Comment]:
        """The oldest first."""
        reply = self._ask("GET", f"{_candidate_path(candidate_id)}/comments", {})
        return [read_answer(Comment, each) for each in reply.document["data"]]

    def comment(self, candidate_id: int, body: str, *, idempotency_key: str | None = None) -> Comment:
        """It is kept for good: name no person in it."""
        path = f"{_candidate_path(candidate_id)}/comments"
        return read_answer(Comment, self._act(path, {"body": body}, idempotency_key).document)

    def join(
        self,
        profile_ids: Sequence[str],
        reason: str,
        *,
        pins: Mapping[str, int] | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Ruling | Proposal:
        """pins: attribute to the record whose value is shown."""
        body = {"profile_ids": list(profile_ids), "reason": reason, **_pinned(pins)}
        return self._propose("/v1/profiles/join", body, idempotency_key, dry_run=dry_run)

    def split(
        self,
        profile_id: str,
        record_ids: Sequence[int],
        reason: str,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Ruling | Proposal:
        body = {"record_ids": list(record_ids), "reason": reason}
        return self._propose(f"{profile_path(profile_id)}/split", body, idempotency_key, dry_run=dry_run)

    def take_apart(
        self,
        profile_id: str,
        into: str,
        reason: str,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Ruling | Proposal:
        """into: records, each a person of its own, or evidence, which alone says who is one person."""
        body = {"into": into, "reason": reason}
        return self._propose(f"{profile_path(profile_id)}/take-apart", body, idempotency_key, dry_run=dry_run)

    def pin(
        self,
        profile_id: str,
        attribute: str,
        record_id: int,
        reason: str,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Ruling:
        """The record's value is the golden one, whatever comes, until the action is undone."""
        body = {"attribute": attribute, "record_id": record_id, "reason": reason}
        return self._rule(f"{profile_path(profile_id)}/pins", body, idempotency_key, dry_run=dry_run)

    def freeze(
        self, profile_id: str, reason: str, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Ruling:
        """The machine joins nobody with it and takes nothing from it, until it is let go."""
        path = f"{profile_path(profile_id)}/freeze"
        return self._rule(path, {"reason": reason}, idempotency_key, dry_run=dry_run)

    def unfreeze(
        self, profile_id: str, reason: str, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Ruling:
        path = f"{profile_path(profile_id)}/unfreeze"
        return self._rule(path, {"reason": reason}, idempotency_key, dry_run=dry_run)

    def proposals(self, *, limit: int | None = None) -> Iterator[Proposal]:
        """What waits for a second person, the oldest first."""
        return self._each(Proposal, "/v1/proposals", {"limit": limit})

    def confirm_proposal(
        self, proposal_id: int, reason: str, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Ruling:
        """By another key than the one that asked."""
        path = f"/v1/proposals/{segment(proposal_id)}/confirmation"
        return self._rule(path, {"reason": reason}, idempotency_key, dry_run=dry_run)

    def refuse_proposal(self, proposal_id: int, reason: str) -> Proposal:
        """It comes to nothing."""
        path = f"/v1/proposals/{segment(proposal_id)}/refusal"
        reply = self._order(path, {"reason": reason}, None, dry_run=False)
        return read_answer(Proposal, reply.document)

    def decide_all(
        self,
        candidates: Sequence[Candidate],
        decision: str,
        reason: str,
        *,
        idempotency_key: str | None = None,
    ) -> Sequence[BulkResult]:
        """The same decision about each, as the queue or `candidate` gave it; in their order."""
        chosen = [{"candidate_id": each.candidate_id, "etag": each.document["etag"]} for each in candidates]
        body = {"decision": decision, "reason": reason, "candidates": chosen}
        reply = self._order("/v1/candidates/decisions", body, idempotency_key, dry_run=False)
        return [read_answer(BulkResult, each) for each in reply.document["data"]]

    def undo_entry(
        self, ledger_entry_id: int, reason: str, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Ruling:
        path = f"/v1/ledger/{segment(ledger_entry_id)}/undo"
        return self._rule(path, {"reason": reason}, idempotency_key, dry_run=dry_run)

    def undo_action(
        self, action_id: int, reason: str, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Ruling:
        path = f"/v1/actions/{segment(action_id)}/undo"
        return self._rule(path, {"reason": reason}, idempotency_key, dry_run=dry_run)

    def actions(self, *, limit: int | None = None) -> Iterator[Action]:
        """What was ruled, newest first."""
        return self._each(Action, "/v1/actions", {"limit": limit})

    def _work_on(self, candidate_id: int, verb: str) -> Reply:
        own = {"Idempotency-Key": self._new_key()}
        return self._ask("POST", f"{_candidate_path(candidate_id)}/{verb}", {}, headers=own)

    def _propose(
        self, path: str, body: object, idempotency_key: str | None, *, dry_run: bool
    ) -> Ruling | Proposal:
        reply = self._order(path, body, idempotency_key, dry_run=dry_run)
        if reply.status == 202:
            return read_answer(Proposal, reply.document)
        return read_answer(Ruling, reply.document)

    def _rule(self, path: str, body: object, idempotency_key: str | None, *, dry_run: bool) -> Ruling:
        reply = self._order(path, body, idempotency_key, dry_run=dry_run)
        return read_answer(Ruling, reply.document)

    def _order(
        self,
        path: str,
        body: object,
        idempotency_key: str | None,
        *,
        dry_run: bool,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        own = None if dry_run else idempotency_key or self._new_key()
        sent = {"Idempotency-Key": own, **(headers or {})}
        return self._ask("POST", path, {"dry_run": dry_run or None}, body=body, headers=sent)


def _pinned(pins: Mapping[str, int] | None) -> dict[str, Any]:
    return {} if pins is None else {"pins": dict(pins)}


def _candidate_path(candidate_id: int) -> str:
    return f"/v1/candidates/{segment(candidate_id)}"
