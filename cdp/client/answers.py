"""What calls answer. Every answer keeps the whole `document`, also what this version of the client has no name for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Generic, NotRequired, Required, TypedDict, TypeVar

Document = Mapping[str, Any]


class GoldenValue(TypedDict, total=False):
    """A value of a profile; views without provenance have the value alone."""

    value: Required[Any]
    rule: str
    record_id: int
    source: str | None
    source_record_id: str | None
    occurred_at: str
    record_count: int


class HeldIdentifier(TypedDict):
    type: str
    value: str
    verified: bool
    last_seen_at: NotRequired[str]
    superseded: NotRequired[bool]
    record_ids: NotRequired[list[int]]


@dataclass(frozen=True)
class Answer:
    document: Document


@dataclass(frozen=True)
class WrittenRecord(Answer):
    """outcome: created, attached, joined, unchanged or superseded."""

    record_id: int
    profile_id: str | None
    outcome: str
    profiles_joined: Sequence[str]
    candidates: Sequence[Document]
    model_version: int | None
    match_weight: float | None
    match_probability: float | None
    refusals: Sequence[Document]


@dataclass(frozen=True)
class Deletion(Answer):
    profiles_touched: Sequence[str]
    model_version: int | None


@dataclass(frozen=True)
class Profile(Answer):
    """A view of a person. view is None where the key may look up and read none; etag is for `known` of a later call."""

    profile_id: str
    version: int
    model_version: int | None
    view: str | None = None
    masked: bool = True
    golden: Mapping[str, Any] | None = None
    identifiers: Sequence[HeldIdentifier] = ()
    etag: str | None = None

    def value(self, attribute: str) -> Any:
        """A golden value; None when the view shows none."""
        chosen: GoldenValue | None = (self.golden or {}).get(attribute)
        return None if chosen is None else chosen["value"]


@dataclass(frozen=True)
class FoundProfile(Answer):
    profile_id: str
    match_weight: float
    match_probability: float
    mean_match_weight: float
    record_count: int
    explanation: Document


@dataclass(frozen=True)
class SourceRecord(Answer):
    record_id: int
    source: str
    source_record_id: str
    occurred_at: str
    received_at: str
    values: Document
    identifiers: Sequence[HeldIdentifier]
    refusals: Sequence[Document]


@dataclass(frozen=True)
class TimelineEvent(Answer):
    """Something that a person did, as a channel's tracker told it."""

    event_id: int
    type: str
    kind: str
    name: str | None
    occurred_at: str
    source: str
    record_id: int
    properties: Document


@dataclass(frozen=True)
class ProfileContext(Answer):
    """What a contact begins with."""

    profile_id: str
    version: int
    display_name: str | None
    carts: Sequence[Document]
    orders: Sequence[Document]
    consents: Sequence[Document]
    recent_events: Sequence[Document]
    open_candidate_count: int
    alerts: Sequence[Document]


@dataclass(frozen=True)
class LedgerEntry(Answer):
    ledger_entry_id: int
    kind: str
    profile_id: str
    author: str
    reason: str
    recorded_at: str
    undone_by: int | None
    moves: Sequence[Document]


@dataclass(frozen=True)
class Explanation(Answer):
    profile_id: str
    language: str
    text: str
    joins: Sequence[Document]
    joins_left_out: int
    reports: Sequence[Document]


@dataclass(frozen=True)
class Candidate(Answer):
    """A merge candidate; of a list it has neither profiles nor evidence. etag: what a decision rests on."""

    candidate_id: int
    state: str
    reason: str
    profile_id_l: str
    profile_id_r: str
    record_id_l: int
    record_id_r: int
    match_weight: float
    match_probability: float
    claim: Document | None = None
    profiles: Sequence[Document] = ()
    evidence: Document | None = None
    text: str | None = None
    etag: str | None = None


@dataclass(frozen=True)
class Ruling(Answer):
    """What a steward's action did, or would do (dry_run)."""

    action_id: int | None
    kind: str
    dry_run: bool
    ledger_entry_ids: Sequence[int]
    profiles_before: Sequence[Document]
    profiles_after: Sequence[Document]
    candidates: Sequence[Document]


@dataclass(frozen=True)
class PendingDecision(Answer):
    """A decision that takes effect when a second person decides the same."""

    confirmation_id: int
    candidate_id: int
    decision: str
    author: str
    recorded_at: str
    why: Sequence[str]


@dataclass(frozen=True)
class Proposal(Answer):
    """A join, a split or taking apart that takes effect when a second person confirms it."""

    proposal_id: int
    kind: str
    profile_ids: Sequence[str]
    record_ids: Sequence[int]
    author: str
    reason: str
    recorded_at: str
    why: Sequence[str]
    outcome: str | None


@dataclass(frozen=True)
class BulkResult(Answer):
    """What came of one of several candidates: decided, waiting or refused."""

    candidate_id: int
    outcome: str
    action_id: int | None
    problem: Document | None


@dataclass(frozen=True)
class Claim(Answer):
    """Who works on a candidate, and until when nobody else decides it."""

    candidate_id: int
    owner: str
    claimed_at: str
    expires_at: str


@dataclass(frozen=True)
class Release(Answer):
    """released: whether it was this caller's."""

    candidate_id: int
    released: bool


@dataclass(frozen=True)
class Skip(Answer):
    candidate_id: int
    hidden_until: str


@dataclass(frozen=True)
class Comment(Answer):
    """What somebody wrote about a candidate."""

    comment_id: int
    candidate_id: int
    author: str
    body: str
    written_at: str


@dataclass(frozen=True)
class Action(Answer):
    action_id: int
    kind: str
    author: str
    reason: str
    recorded_at: str
    undone_by: int | None


@dataclass(frozen=True)
class IdentifierReport(Answer):
    report_id: int
    state: str
    type: str
    outcome: str
    source: str | None
    profile_id: str | None
    reported_at: str
    withdrawn_at: str | None
    profiles_touched: Sequence[str]
    is_waiting: bool


Item = TypeVar("Item", bound=Answer)


@dataclass(frozen=True)
class Page(Answer, Generic[Item]):
    """Part of a list; next_cursor is None on the last."""

    data: Sequence[Item]
    next_cursor: str | None
    model_version: int | None


def read_answer(kind: type[Item], document: Document, **more: Any) -> Item:
    """The fields that the answer has a name for; one that is missing is None."""
    named = {each.name for each in fields(kind)} - {"document", *more}
    required = {each.name: None for each in fields(kind) if each.name in named and not _has_default(each)}
    known = {name: document[name] for name in named if name in document}
    return kind(document=document, **{**required, **known, **more})


def read_page(kind: type[Item], document: Document) -> Page[Item]:
    items = [read_answer(kind, each) for each in document["data"]]
    return Page(document, items, document.get("next_cursor"), document.get("model_version"))


def _has_default(each: Field[Any]) -> bool:
    return each.default is not MISSING
