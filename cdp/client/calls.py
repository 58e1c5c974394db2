"""The calls of the API, a method each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cdp.client.answers import (
    Deletion,
    Document,
    Explanation,
    FoundProfile,
    IdentifierReport,
    LedgerEntry,
    Page,
    Profile,
    ProfileContext,
    SourceRecord,
    TimelineEvent,
    WrittenRecord,
    read_answer,
    read_page,
)
from cdp.client.calling import profile_path
from cdp.client.errors import ProblemError, problem
from cdp.client.steward_calls import StewardCalls
from cdp.client.transport import Reply, segment

JsonRecord = Mapping[str, Any]
Identifier = tuple[str, Any]


class Client(StewardCalls):
    """Records and people, and what stewards do: a method a call."""

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
        reply = self._ask("GET", profile_path(profile_id), query, headers=headers)
        if reply.status == 304 and known is not None:
            return known
        return _profile(reply)

    def records(
        self, profile_id: str, *, unmask: bool = False, limit: int | None = None
    ) -> Iterator[SourceRecord]:
        query = {"unmask": unmask or None, "limit": limit}
        return self._each(SourceRecord, f"{profile_path(profile_id)}/records", query)

    def timeline(
        self, profile_id: str, *, unmask: bool = False, limit: int | None = None
    ) -> Iterator[TimelineEvent]:
        """Newest first."""
        query = {"unmask": unmask or None, "limit": limit}
        return self._each(TimelineEvent, f"{profile_path(profile_id)}/timeline", query)

    def context(self, profile_id: str, *, unmask: bool = False) -> ProfileContext:
        """What a contact with them begins with."""
        reply = self._ask("GET", f"{profile_path(profile_id)}/context", {"unmask": unmask or None})
        return read_answer(ProfileContext, reply.document)

    def history(self, profile_id: str, *, limit: int | None = None) -> Iterator[LedgerEntry]:
        """Newest first."""
        return self._each(LedgerEntry, f"{profile_path(profile_id)}/history", {"limit": limit})

    def explanation(self, profile_id: str, *, lang: str | None = None) -> Explanation:
        reply = self._ask("GET", f"{profile_path(profile_id)}/explanation", {"lang": lang})
        return read_answer(Explanation, reply.document)


def _profile(reply: Reply) -> Profile:
    document: Document = reply.document
    return read_answer(Profile, document, etag=reply.headers.get("ETag"))
