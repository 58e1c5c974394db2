"""The calls of the API, a method each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar
from uuid import uuid4

from cdp.client.answers import (
    Action,
    Answer,
    Candidate,
    Deletion,
    Document,
    Explanation,
    FoundProfile,
    IdentifierReport,
    LedgerEntry,
    Page,
    PendingDecision,
    Profile,
    ProfileContext,
    Ruling,
    SourceRecord,
    TimelineEvent,
    WrittenRecord,
    read_answer,
    read_page,
)
from cdp.client.errors import ProblemError, problem
from cdp.client.transport import Patience, Reply, Transport, segment

Item = TypeVar("Item", bound=Answer)
JsonRecord = Mapping[str, Any]
Identifier = tuple[str, Any]


class Client:
    """Calls of one key. Threads may share it; close it, or use it as a context manager.

    Calls raise ProblemError for what the service refuses and UnreachableError where it does not answer. Purpose: why
    people are read, a code such as ticket:4711 that the service's audit keeps; unmask needs one.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        purpose: str | None = None,
        patience: Patience | None = None,
        connections: int = 10,
        new_key: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._transport = Transport(base_url, key, patience or Patience(), connections=connections)
        self._purpose = purpose
        self._new_key = new_key

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    # Records

    def write_record(self, record: JsonRecord, *, idempotency_key: str | None = None) -> WrittenRecord:
        reply = self._act("/v1/records", record, idempotency_key)
        return read_answer(WrittenRecord, reply.document)

    def write_records(
        self, records: Sequence[JsonRecord], *, idempotency_key: str | None = None
    ) -> list[WrittenRecord | ProblemError]:
        """Up to 1000, in their order; one that is refused stops no other."""
        reply = self._act("/v1/records/batch", {"records": list(records)}, idempotency_key)
        return [
            read_answer(WrittenRecord, each) if "record_id" in each else problem(int(each["status"]), each)
            for each in reply.document["results"]
        ]

    def delete_record(
        self, source: str, source_record_id: str, *, idempotency_key: str | None = None
    ) -> Deletion:
        path = f"/v1/records/{segment(source)}/{segment(source_record_id)}"
        headers = {"Idempotency-Key": idempotency_key or self._new_key()}
        return read_answer(Deletion, self._transport.call("DELETE", path, headers=headers).document)

    def report_identifier(
        self,
        type: str,
        value: Any,
        outcome: str,
        *,
        idempotency_key: str | None = None,
        **more: str,
    ) -> IdentifierReport:
        """outcome: wrong_person, bounced or recycled; more: profile_id, source, reason, region."""
        body = {"type": type, "value": value, "outcome": outcome, **more}
        reply = self._act("/v1/identifiers/reports", body, idempotency_key)
        return read_answer(IdentifierReport, reply.document)

    def withdraw_report(
        self, report_id: int, *, reason: str | None = None, idempotency_key: str | None = None
    ) -> IdentifierReport:
        body = {} if reason is None else {"reason": reason}
        path = f"/v1/identifiers/reports/{segment(report_id)}/withdrawal"
        return read_answer(IdentifierReport, self._act(path, body, idempotency_key).document)

    # People

    def look_up(
        self,
        *identifiers: Identifier,
        view: str | None = None,
        unmask: bool = False,
        region: str | None = None,
    ) -> Profile | None:
        """Who holds these identifiers, each a (type, value); None when nobody does.

        Raises SeveralProfilesError when they belong to several.
        """
        body: dict[str, Any] = {
            "identifiers": [{"type": kind, "value": value} for kind, value in identifiers]
        }
        if region is not None:
            body["region"] = region
        query = {"view": view, "unmask": unmask or None}
        try:
            reply = self._ask("POST", "/v1/profiles/lookup", query, body=body)
        except ProblemError as error:
            if error.code == "profile_not_found":
                return None
            raise
        return _profile(reply)

    def search(
        self,
        partial: JsonRecord,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        lang: str | None = None,
        min_weight: float | None = None,
    ) -> Page[FoundProfile]:
        query = {"limit": limit, "cursor": cursor, "lang": lang, "min_weight": min_weight}
        return read_page(FoundProfile, self._ask("POST", "/v1/profiles/search", query, body=partial).document)

    def profile(
        self, profile_id: str, *, view: str | None = None, unmask: bool = False, known: Profile | None = None
    ) -> Profile:
        """known: a former answer of the same call; it is returned when nothing changed since."""
        headers = {"If-None-Match": known.etag if known else None}
        query = {"view": view, "unmask": unmask or None}
        reply = self._ask("GET", _profile_path(profile_id), query, headers=headers)
        if reply.status == 304 and known is not None:
            return known
        return _profile(reply)

    def records(
        self, profile_id: str, *, unmask: bool = False, limit: int | None = None
    ) -> Iterator[SourceRecord]:
        query = {"unmask": unmask or None, "limit": limit}
        return self._each(SourceRecord, f"{_profile_path(profile_id)}/records", query)

    def timeline(
        self, profile_id: str, *, unmask: bool = False, limit: int | None = None
    ) -> Iterator[TimelineEvent]:
        """Newest first."""
        query = {"unmask": unmask or None, "limit": limit}
        return self._each(TimelineEvent, f"{_profile_path(profile_id)}/timeline", query)

    def context(self, profile_id: str, *, unmask: bool = False) -> ProfileContext:
        """What a contact with them begins with."""
        reply = self._ask("GET", f"{_profile_path(profile_id)}/context", {"unmask": unmask or None})
        return read_answer(ProfileContext, reply.document)

    def history(self, profile_id: str, *, limit: int | None = None) -> Iterator[LedgerEntry]:
        """Newest first."""
        return self._each(LedgerEntry, f"{_profile_path(profile_id)}/history", {"limit": limit})

    def explanation(self, profile_id: str, *, lang: str | None = None) -> Explanation:
        reply = self._ask("GET", f"{_profile_path(profile_id)}/explanation", {"lang": lang})
        return read_answer(Explanation, reply.document)

    # Stewards

    def candidates(
        self, *, state: str | None = None, reason: str | None = None, limit: int | None = None
    ) -> Iterator[Candidate]:
        """The queue, open ones by default; pages are asked for as they are used."""
        return self._each(Candidate, "/v1/candidates", {"state": state, "reason": reason, "limit": limit})

    def candidate(self, candidate_id: int, *, lang: str | None = None, unmask: bool = False) -> Candidate:
        query = {"lang": lang, "unmask": unmask or None}
        reply = self._ask("GET", f"/v1/candidates/{segment(candidate_id)}", query)
        return read_answer(Candidate, reply.document, etag=reply.headers.get("ETag"))

    def decide(
        self,
        candidate: Candidate,
        decision: str,
        reason: str,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Ruling | PendingDecision:
        """decision: same, different or unsure, on the candidate as `candidate` gave it.

        Some decisions wait for a second person: PendingDecision.
        """
        path = f"/v1/candidates/{segment(candidate.candidate_id)}/decision"
        body = {"decision": decision, "reason": reason}
        seen = {"If-Match": candidate.etag}
        reply = self._order(path, body, idempotency_key, dry_run=dry_run, headers=seen)
        if reply.status == 202:
            return read_answer(PendingDecision, reply.document)
        return read_answer(Ruling, reply.document)

    def join(
        self,
        profile_ids: Sequence[str],
        reason: str,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Ruling:
        body = {"profile_ids": list(profile_ids), "reason": reason}
        return self._rule("/v1/profiles/join", body, idempotency_key, dry_run=dry_run)

    def split(
        self,
        profile_id: str,
        record_ids: Sequence[int],
        reason: str,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Ruling:
        body = {"record_ids": list(record_ids), "reason": reason}
        return self._rule(f"{_profile_path(profile_id)}/split", body, idempotency_key, dry_run=dry_run)

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

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        *,
        body: object = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        purpose = {"CDP-Purpose": self._purpose}
        return self._transport.call(
            method, path, body=body, query=query, headers={**purpose, **(headers or {})}
        )

    def _act(self, path: str, body: object, idempotency_key: str | None) -> Reply:
        headers = {"Idempotency-Key": idempotency_key or self._new_key()}
        return self._transport.call("POST", path, body=body, headers=headers)

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

    def _each(self, kind: type[Item], path: str, query: Mapping[str, Any]) -> Iterator[Item]:
        cursor: str | None = None
        while True:
            page = read_page(kind, self._ask("GET", path, {**query, "cursor": cursor}).document)
            yield from page.data
            if page.next_cursor is None:
                return
            cursor = page.next_cursor


def _profile_path(profile_id: str) -> str:
    return f"/v1/profiles/{segment(profile_id)}"


def _profile(reply: Reply) -> Profile:
    document: Document = reply.document
    return read_answer(Profile, document, etag=reply.headers.get("ETag"))
