"""POST /v1/profiles/join, /v1/profiles/{profile_id}/split, undo: what stewards rule, and what they take back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import require_unbound, requires_scope
from api.cursors import cut_page, decode_cursor, encode_cursor
from api.dumping import dump_of
from api.fields import InstantField, TextField
from api.idempotency import KEY_REUSED, KEY_RUNNING, REPLAYED, REQUIRED_IDEMPOTENCY_HEADER, key_refused
from api.inputs import ApiBlueprint, PageSchema, View, read_purpose
from api.masks import SHOWN
from api.profile_views import json_response
from api.profiles import checked_profile_id
from api.reading import NOBODY, Reading, audit_read
from api.rulings import (
    PinsSchema,
    ProposalSchema,
    ReasonSchema,
    RulingQuerySchema,
    RulingSchema,
    answer_ruling,
    read_number,
    read_order,
    read_ruling_unmasking,
)
from api.service import current_service
from api.snapshots import snapshot
from api.view_schemas import PROFILE_ID_EXAMPLE, REFERENCE
from cdp.identity.resolution_runs import select_version_in_use
from cdp.stewardship.actions import STEWARD_ACTIONS, select_actions
from cdp.stewardship.desk_rules import desk_rules
from cdp.stewardship.freeze import freeze, unfreeze
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pin import ATTRIBUTES, pin
from cdp.stewardship.proposals import Proposal, Request
from cdp.stewardship.rule_together import rule_together
from cdp.stewardship.ruling import Order
from cdp.stewardship.take_apart import WAYS
from cdp.stewardship.undo import undo_action, undo_entry

PROFILES_AT_MOST = 50
RECORDS_AT_MOST = 10_000

blueprint = ApiBlueprint(
    "stewards", __name__, url_prefix="/v1", description="Who stewards say is one person, and who is not"
)


class JoinSchema(ReasonSchema):
    profile_ids = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(min=1, max=64)),
        required=True,
        validate=ma.validate.Length(min=2, max=PROFILES_AT_MOST),
        metadata={
            "description": "Absorbed ids count as their survivors.",
            "examples": [[PROFILE_ID_EXAMPLE, "pf_01jdcb4v9w8z6y5x4t3s2r1q0q"]],
        },
    )
    pins = ma.fields.Nested(
        PinsSchema,
        load_default=dict,
        metadata={
            "description": "Values that the golden record shows while the join stands: attribute to a record of these "
            "profiles that gives it.",
            "examples": [{"full_name": 12}],
        },
    )


class SplitSchema(ReasonSchema):
    record_ids = ma.fields.List(
        ma.fields.Integer(strict=True, validate=ma.validate.Range(min=1, max=2**63 - 1)),
        required=True,
        validate=ma.validate.Length(min=1, max=RECORDS_AT_MOST),
        metadata={"description": "Of the profile; what is left stays.", "examples": [[12, 15]]},
    )


class TakeApartSchema(ReasonSchema):
    into = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(WAYS),
        metadata={
            "description": "`records`: every record is a person of its own from now on. `evidence`: what rulings hold "
            "together gives way, and the evidence alone says who is one person; for profiles of any size.",
        },
    )


class PinSchema(ReasonSchema):
    attribute = ma.fields.String(required=True, validate=ma.validate.OneOf(ATTRIBUTES))
    record_id = ma.fields.Integer(
        required=True,
        strict=True,
        validate=ma.validate.Range(min=1, max=2**63 - 1),
        metadata={"description": "Of the profile; its value is shown.", "examples": [12]},
    )


class ActionSchema(ma.Schema):
    """Something a steward ruled."""

    action_id = ma.fields.Integer(required=True)
    kind = TextField(SHOWN, required=True, metadata={"enum": list(STEWARD_ACTIONS)})
    author = TextField(SHOWN, required=True)
    reason = TextField(SHOWN, required=True)
    recorded_at = InstantField(required=True, metadata={"format": "date-time"})
    candidate_id = ma.fields.Integer(required=True, allow_none=True)
    decision = TextField(SHOWN, required=True, allow_none=True, metadata={"examples": ["same"]})
    undoes_action_id = ma.fields.Integer(required=True, allow_none=True)
    undoes_ledger_entry_id = ma.fields.Integer(required=True, allow_none=True, attribute="undoes_entry_id")
    undone_by = ma.fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The action that took it back; null while it stands."},
    )


class PageOfActionsSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(ActionSchema), required=True)
    next_cursor = TextField(SHOWN, required=True, allow_none=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


_dump_actions = dump_of(PageOfActionsSchema())
_ERASED = "The profile was erased"
_UNDO_REFUSED = f"It was taken back already, or other rulings stand in the way: `action_ids`. {KEY_RUNNING}"


def _rules(
    address: str,
    operation_id: str,
    body: ma.Schema,
    refusals: Mapping[int, str],
    *,
    may_take_two: bool = False,
) -> Callable[[View], View]:
    """All ways to rule are described alike. Refusals: what each says of a status for itself. May take two: whether it
    may wait for a second person."""
    waiting: list[Callable[[View], View]] = [
        blueprint.alt_response(
            202, schema=ProposalSchema, headers=REPLAYED, description="It waits for a second person"
        )
    ]
    decorators: list[Callable[[View], View]] = [
        blueprint.post(address),
        requires_scope("profiles:join"),
        blueprint.doc(operationId=operation_id, parameters=[REQUIRED_IDEMPOTENCY_HEADER]),
        blueprint.arguments(body),
        blueprint.arguments(RulingQuerySchema(), location="query"),
        blueprint.response(200, RulingSchema, headers=REPLAYED),
        *(waiting if may_take_two else ()),
        *(blueprint.refuses(status, description) for status, description in refusals.items()),
        key_refused(blueprint, is_required=True),
    ]
    return lambda view: reduce(lambda decorated, decorate: decorate(decorated), reversed(decorators), view)


@_rules(
    "/profiles/join",
    "joinProfiles",
    JoinSchema(),
    {
        404: "No such profile",
        410: "One of them was erased",
        409: f"They are one already, or a ruling in force keeps them apart: `action_ids`. {KEY_RUNNING}",
        422: f"A pin is of a record that is none of theirs, or says nothing of the attribute. {KEY_REUSED}",
    },
    may_take_two=True,
)
def join_profiles(body: dict[str, Any], query: dict[str, Any]) -> Response:
    """Join profiles

    All their records are held to be one person, whatever the evidence says, now and later; the oldest id
    survives. `dry_run=true` tells what would come of it. Where it takes two people, the first one's answer is 202.
    With `pins`, it says too which record's value of an attribute is shown; its undo takes that back with it.
    """
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    profile_ids = [checked_profile_id(each) for each in body["profile_ids"]]
    asked = Request("join", tuple(profile_ids), pins=body["pins"])
    return answer_ruling(partial(_rule, asked), order, reading)


@_rules(
    "/profiles/<profile_id>/split",
    "splitProfile",
    SplitSchema(),
    {
        404: "No such profile, or no such record",
        410: _ERASED,
        422: f"Not some of the profile's records, or too many pairs to keep apart. {KEY_REUSED}",
    },
    may_take_two=True,
)
def split_profile(body: dict[str, Any], query: dict[str, Any], profile_id: str) -> Response:
    """Split records off a profile

    The records are held to be one person, and another than the rest, whatever the evidence says, now and
    later. A former join that the cut goes through gives way to it. Where it takes two people, the first one's answer is
    202.
    """
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    asked = Request("split", (checked_profile_id(profile_id),), record_ids=tuple(body["record_ids"]))
    return answer_ruling(partial(_rule, asked), order, reading)


@_rules(
    "/profiles/<profile_id>/take-apart",
    "takeProfileApart",
    TakeApartSchema(),
    {
        404: "No such profile",
        410: _ERASED,
        422: "It has one record, no ruling holds records of it together, or too many pairs are to be kept apart. "
        f"{KEY_REUSED}",
    },
    may_take_two=True,
)
def take_profile_apart(body: dict[str, Any], query: dict[str, Any], profile_id: str) -> Response:
    """Take a profile apart

    All of it in one action, which `dry_run=true` shows first and an undo takes back. One of its parts keeps the id.
    Where it takes two people, the first one's answer is 202.
    """
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    asked = Request("take_apart", (checked_profile_id(profile_id),), into=body["into"])
    return answer_ruling(partial(_rule, asked), order, reading)


def _rule(asked: Request, order: Order) -> Outcome | Proposal:
    service = current_service()
    return rule_together(service.resolver(), asked, order, desk_rules(service.settings))


@_rules(
    "/profiles/<profile_id>/freeze",
    "freezeProfile",
    ReasonSchema(),
    {
        404: "No such profile",
        409: f"It is frozen already: `action_ids`. {KEY_RUNNING}",
        410: _ERASED,
    },
)
def freeze_profile(body: dict[str, Any], query: dict[str, Any], profile_id: str) -> Response:
    """Freeze a profile

    Its records stay together, and no evidence joins anybody with it: what would be joined is asked as a merge candidate
    whose reason is `frozen`. Stewards go on ruling on it. It holds until it is unfrozen or the action undone.
    """
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    resolver, chosen = current_service().resolver(), checked_profile_id(profile_id)
    return answer_ruling(partial(freeze, resolver, chosen), order, reading)


@_rules(
    "/profiles/<profile_id>/unfreeze",
    "unfreezeProfile",
    ReasonSchema(),
    {404: "No such profile", 409: f"It is not frozen. {KEY_RUNNING}", 410: _ERASED},
)
def unfreeze_profile(body: dict[str, Any], query: dict[str, Any], profile_id: str) -> Response:
    """Let a frozen profile go

    The evidence counts again: those whom it makes one person are joined. The same as undoing the freeze; undone itself,
    the profile is frozen as it was.
    """
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    resolver, chosen = current_service().resolver(), checked_profile_id(profile_id)
    return answer_ruling(partial(unfreeze, resolver, chosen), order, reading)


@_rules(
    "/profiles/<profile_id>/pins",
    "pinValue",
    PinSchema(),
    {
        404: "No such profile",
        410: _ERASED,
        422: f"The record is not the profile's, or says nothing of the attribute. {KEY_REUSED}",
    },
)
def pin_value(body: dict[str, Any], query: dict[str, Any], profile_id: str) -> Response:
    """Pin a value of a golden record

    The value that the record gives now is shown, whatever the rules would choose and whatever comes, until the action
    is undone. The pin goes with the record through joins and splits; of several, the latest counts.
    """
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    resolver, chosen = current_service().resolver(), checked_profile_id(profile_id)
    return answer_ruling(partial(pin, resolver, chosen, body["attribute"], body["record_id"]), order, reading)


@_rules(
    "/ledger/<ledger_entry_id>/undo",
    "undoLedgerEntry",
    ReasonSchema(),
    {404: "No such entry", 409: _UNDO_REFUSED},
)
def undo_ledger_entry(body: dict[str, Any], query: dict[str, Any], ledger_entry_id: str) -> Response:
    """Undo an entry of the ledger

    Of a steward's action, all of it is as if it had not been: ids, memberships and golden values. Of an entry
    of the machine, what it brought together is kept apart from now on, and what it parted together.
    """
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    entry_id = read_number(ledger_entry_id, "ledger_entry_not_found")
    return answer_ruling(partial(undo_entry, current_service().resolver(), entry_id), order, reading)


@blueprint.get("/actions")
@requires_scope("candidates:read")
@blueprint.doc(operationId="getActions")
@blueprint.arguments(PageSchema(), location="query")
@blueprint.response(200, PageOfActionsSchema)
def get_actions(query: dict[str, Any]) -> Response:
    """What stewards ruled

    Newest first, with what took it back. Not for a key that is bound to sources: rulings are about people of all. The
    read is audited.
    """
    require_unbound("A key that is bound to sources does not read what was ruled about people of others.")
    reading = Reading(REFERENCE, False, read_purpose())
    with snapshot() as connection:
        actions = select_actions(
            connection,
            before_action_id=decode_cursor(query.get("cursor"), "actions"),
            limit=query["limit"] + 1,
        )
        model_version = select_version_in_use(connection)
    shown, next_cursor = cut_page(
        actions, query["limit"], lambda last: encode_cursor("actions", last.action_id)
    )
    audit_read(NOBODY, "profile.read_actions", reading, action_ids=[str(each.action_id) for each in shown])
    page = {
        "data": shown,
        "next_cursor": next_cursor,
        "model_version": model_version,
    }
    return json_response(_dump_actions(page))


@_rules(
    "/actions/<action_id>/undo",
    "undoAction",
    ReasonSchema(),
    {404: "No such action", 409: _UNDO_REFUSED},
)
def undo_steward_action(body: dict[str, Any], query: dict[str, Any], action_id: str) -> Response:
    """Undo a steward's action

    The same as undoing one of its ledger entries; a decision that moved no record has none. An undo is undone
    like any other action: what it took back stands again.
    """
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    chosen = read_number(action_id, "action_not_found")
    return answer_ruling(partial(undo_action, current_service().resolver(), chosen), order, reading)
