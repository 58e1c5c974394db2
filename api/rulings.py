"""What calls that rule on people have in common: who orders it, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import marshmallow as ma
import orjson
from flask import Response

from api.auth import current_caller
from api.dumping import dump_of, dumps_of
from api.errors import Problem
from api.fields import IdentifiersField, InstantField, TextField
from api.idempotency import answer_once, once, read_idempotency_key
from api.masks import SHOWN
from api.profile_views import json_response
from api.reading import Reading, audit_read, read_unmasking
from api.service import current_service
from api.snapshots import snapshot
from api.view_schemas import PROFILE_ID_EXAMPLE, GoldenRecordSchema, HeldIdentifierSchema
from cdp.idempotency import Answer, Call
from cdp.identity.resolution_runs import select_version_in_use
from cdp.stewardship.actions import STEWARD_ACTIONS
from cdp.stewardship.candidates import REASONS
from cdp.stewardship.confirmations import REASONS_FOR_TWO, Pending
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pin import ATTRIBUTES
from cdp.stewardship.proposals import KINDS, Proposal
from cdp.stewardship.ruling import Order
from cdp.stewardship.take_apart import WAYS
from cdp.store.desk_schema import PROPOSAL_OUTCOMES

REASON_LIMIT = 1000
_NUMBER = re.compile(r"[0-9]{1,18}")


class RulingQuerySchema(ma.Schema):
    dry_run = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Only tell what would come of it; nothing is stored."},
    )
    unmask = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Whole values; needs the scope `pii:unmask` and the header CDP-Purpose."},
    )


class ReasonSchema(ma.Schema):
    reason = ma.fields.String(
        required=True,
        validate=[ma.validate.Length(max=REASON_LIMIT), ma.validate.Regexp(r"(?s).*\S", error="Say why.")],
        metadata={
            "description": "Why; the ledger and the audit keep it, so name no person in it.",
            "minLength": 1,
            "examples": ["same card, confirmed on the phone"],
        },
    )


_record_field = ma.fields.Integer(
    strict=True, validate=ma.validate.Range(min=1, max=2**63 - 1), metadata={"examples": [12]}
)
# Attribute to the record whose value the golden record shows.
PinsSchema = ma.Schema.from_dict(dict.fromkeys(ATTRIBUTES, _record_field), name="PinsSchema")


class ProfileStateSchema(ma.Schema):
    """A profile at one moment."""

    profile_id = TextField(
        SHOWN,
        required=True,
        metadata={
            "description": "`new-1`, `new-2` and so on for those that a dry run would create.",
            "examples": [PROFILE_ID_EXAMPLE],
        },
    )
    state = TextField(SHOWN, required=True, metadata={"enum": ["live", "absorbed", "empty"]})
    version = ma.fields.Integer(required=True)
    record_ids = ma.fields.List(ma.fields.Integer(), required=True)
    golden = ma.fields.Nested(GoldenRecordSchema, required=True)
    identifiers = IdentifiersField(HeldIdentifierSchema)


class ProposedPairSchema(ma.Schema):
    """Two profiles that may be one person, by the heaviest pair of records between them."""

    candidate_id = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "null for one that a dry run would open."}
    )
    record_id_l = ma.fields.Integer(required=True)
    record_id_r = ma.fields.Integer(required=True)
    profile_id_l = TextField(SHOWN, required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    profile_id_r = TextField(SHOWN, required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    match_weight = ma.fields.Float(required=True, metadata={"examples": [2.4]})
    match_probability = ma.fields.Float(required=True, metadata={"examples": [0.84]})
    reason = TextField(
        SHOWN,
        required=True,
        metadata={
            "enum": list(REASONS),
            "description": "Why the machine did not join them: the evidence is too weak; they hold two values of an "
            "exclusive identifier; they share one and little else; the profile would be too large.",
        },
    )


class RulingSchema(ma.Schema):
    """What a ruling did, or in a dry run would do."""

    action_id = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "Undo it by this; null in a dry run."}
    )
    kind = TextField(SHOWN, required=True, metadata={"enum": list(STEWARD_ACTIONS)})
    dry_run = ma.fields.Boolean(required=True, attribute="is_preview")
    model_version = ma.fields.Integer(required=True)
    ledger_entry_ids = ma.fields.List(
        ma.fields.Integer(), required=True, metadata={"description": "Empty where no record moved."}
    )
    profiles_before = ma.fields.List(ma.fields.Nested(ProfileStateSchema), required=True, attribute="before")
    profiles_after = ma.fields.List(ma.fields.Nested(ProfileStateSchema), required=True, attribute="after")
    candidates = ma.fields.List(
        ma.fields.Nested(ProposedPairSchema),
        required=True,
        metadata={"description": "The open merge candidates of these profiles, afterwards."},
    )


class PendingDecisionSchema(ma.Schema):
    """A decision that takes effect when a second person decides the same."""

    confirmation_id = ma.fields.Integer(required=True)
    candidate_id = ma.fields.Integer(required=True)
    decision = TextField(SHOWN, required=True, metadata={"enum": ["same"]})
    author = TextField(SHOWN, required=True, metadata={"examples": ["key:k1"]})
    recorded_at = InstantField(required=True, metadata={"format": "date-time"})
    why = ma.fields.List(
        TextField(SHOWN, metadata={"enum": list(REASONS_FOR_TWO)}),
        required=True,
        metadata={
            "description": "The profile would be large; a steward ruled on one of them before; documents contradict."
        },
    )
    pins = ma.fields.Nested(
        PinsSchema,
        required=True,
        metadata={"description": "The values pinned with it: attribute to the record that gives it."},
    )
    model_version = ma.fields.Integer(required=True, allow_none=True)


class ProposalSchema(ma.Schema):
    """A join, a split or taking apart that takes effect when a second person confirms it."""

    proposal_id = ma.fields.Integer(required=True)
    kind = TextField(SHOWN, required=True, metadata={"enum": list(KINDS)})
    profile_ids = ma.fields.List(TextField(SHOWN, metadata={"examples": [PROFILE_ID_EXAMPLE]}), required=True)
    record_ids = ma.fields.List(
        ma.fields.Integer(), required=True, metadata={"description": "Of a split, those that go."}
    )
    into = TextField(
        SHOWN,
        required=True,
        allow_none=True,
        metadata={"enum": [*WAYS, None], "description": "Of taking apart, into what."},
    )
    pins = ma.fields.Nested(
        PinsSchema,
        required=True,
        metadata={
            "description": "Of a join, the values pinned with it: attribute to the record that gives it."
        },
    )
    author = TextField(SHOWN, required=True, metadata={"examples": ["key:k1"]})
    reason = TextField(SHOWN, required=True)
    recorded_at = InstantField(required=True, metadata={"format": "date-time"})
    why = ma.fields.List(
        TextField(SHOWN, metadata={"enum": list(REASONS_FOR_TWO)}),
        required=True,
        metadata={
            "description": "It is about many records; a steward confirmed some of them; documents contradict."
        },
    )
    outcome = TextField(
        SHOWN,
        required=True,
        allow_none=True,
        metadata={
            "enum": [*PROPOSAL_OUTCOMES, None],
            "description": "null while it waits; `changed`: its profiles did.",
        },
    )
    action_id = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "What it came to, once confirmed."}
    )
    model_version = ma.fields.Integer(required=True, allow_none=True)


_DUMPS_OF_RULINGS = dumps_of(RulingSchema())
_dump_proposal = dump_of(ProposalSchema())
_dump_pending = dump_of(PendingDecisionSchema())


def read_order(reason: str, *, dry_run: bool) -> Order:
    """Who orders what, why. Raises Problem: a ruling is about all records of people, whatever their source."""
    caller = current_caller()
    if caller.sources is not None:
        raise Problem("scope_missing", "A key that is bound to sources rules on nobody.")
    read_idempotency_key(is_required=not dry_run)
    return Order(f"key:{caller.key_id}", reason.strip(), current_service().clock(), is_preview=dry_run)


def read_number(text: str, problem: str) -> int:
    """A number in an address. Raises the problem for what is none: there is nothing under it."""
    if not _NUMBER.fullmatch(text):
        raise Problem(problem)
    return int(text)


def read_ruling_unmasking(*, unmask: bool) -> Reading:
    return Reading("steward", *read_unmasking(current_caller(), unmask=unmask))


def answer_ruling(
    rule: Callable[[Order], Outcome]
    | Callable[[Order], Outcome | Pending]
    | Callable[[Order], Outcome | Proposal],
    order: Order,
    reading: Reading,
) -> Response:
    """Carry out what is ordered, once, and tell what came of it. Raises KeyRunningError, KeyReusedError."""

    def respond(outcome: Outcome | Pending | Proposal) -> Response:
        if isinstance(outcome, Outcome):
            return json_response(_DUMPS_OF_RULINGS[reading.unmask](outcome))
        return _respond_waiting(outcome)

    def act(call: Call | None) -> Response:
        outcome = rule(replace(order, once=once(call, respond, _profile_ids)))
        if isinstance(outcome, Outcome):
            _audit_reads(_profile_ids(outcome), reading, outcome.action_id, outcome.kind)
        return respond(outcome)

    def audit_replay(answer: Answer) -> None:
        told = orjson.loads(answer.body)
        if answer.profile_ids:
            _audit_reads(answer.profile_ids, reading, told["action_id"], told["kind"])

    key = None if order.is_preview else read_idempotency_key(is_required=True)
    return answer_once(key, act, before_replay=audit_replay)


def _profile_ids(outcome: Outcome | Pending | Proposal) -> set[str]:
    """Whose values the answer shows. Those that came of a ruling hold what the ones before it held."""
    return {each.profile_id for each in outcome.before} if isinstance(outcome, Outcome) else set()


def _respond_waiting(waiting: Pending | Proposal) -> Response:
    with snapshot() as connection:
        model_version = select_version_in_use(connection)
    if isinstance(waiting, Pending):
        return json_response(_dump_pending({**vars(waiting), "model_version": model_version}), 202)
    return json_response(_dump_proposal({**told_proposal(waiting), "model_version": model_version}), 202)


def told_proposal(proposal: Proposal) -> dict[str, Any]:
    return {**vars(proposal), **vars(proposal.request)}


def _audit_reads(profile_ids: Collection[str], reading: Reading, action_id: int | None, kind: str) -> None:
    for profile_id in sorted(profile_ids):
        audit_read(profile_id, "profile.read_ruling", reading, action_id=action_id, kind=kind)
