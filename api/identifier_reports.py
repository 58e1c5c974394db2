"""POST /v1/identifiers/reports, and the withdrawal of one: an identifier turned out not to be its holder's."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import current_caller, requires_scope
from api.dumping import dump_of
from api.errors import Problem, invalid
from api.fields import InstantField, TextField
from api.idempotency import (
    KEY_REUSED,
    OPTIONAL_IDEMPOTENCY_HEADER,
    REPLAYED,
    answer_once,
    key_refused,
    once,
    read_idempotency_key,
)
from api.inputs import ApiBlueprint
from api.lookups import type_field, value_field
from api.masks import SHOWN
from api.profile_views import json_response
from api.profiles import checked_profile_id
from api.rulings import REASON_LIMIT, read_number
from api.service import current_service
from api.view_schemas import PROFILE_ID_EXAMPLE
from cdp.idempotency import Call
from cdp.identity.identifier_reports import OUTCOMES
from cdp.identity.look_up import Identifier, standardize_presented
from cdp.realtime.report_identifier import (
    NewReport,
    Reported,
    Reporter,
    UnknownReportSourceError,
    report_identifier,
    withdraw_report,
)

blueprint = ApiBlueprint(
    "identifier_reports",
    __name__,
    url_prefix="/v1/identifiers/reports",
    description="Identifiers that turned out not to be their holder's",
)


def _reason_field() -> ma.fields.String:
    return ma.fields.String(
        allow_none=True,
        load_default=None,
        validate=ma.validate.Length(max=REASON_LIMIT),
        metadata={"description": "Kept with the report: name no person in it.", "examples": ["ticket:4711"]},
    )


class NewReportSchema(ma.Schema):
    type = type_field(required=True)
    value = value_field(required=True)
    outcome = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(OUTCOMES),
        metadata={
            "description": "Somebody else answered; it does not reach anybody; it was given to somebody else."
        },
    )
    reason = _reason_field()
    source = ma.fields.String(
        validate=ma.validate.Length(min=1, max=200),
        metadata={
            "description": "The system that found out, one of the sources; for a key that is bound to several "
            "sources required, and one of them.",
            "examples": ["crm"],
        },
    )
    profile_id = ma.fields.String(
        validate=ma.validate.Length(min=1, max=64),
        metadata={"description": "The person it was tried for.", "examples": [PROFILE_ID_EXAMPLE]},
    )
    region = ma.fields.String(
        validate=ma.validate.Regexp("^[A-Z]{2}$"),
        metadata={
            "description": "Where a number without a country code belongs; CDP_DEFAULT_REGION by default.",
            "examples": ["BR"],
        },
    )


class WithdrawalSchema(ma.Schema):
    reason = _reason_field()


class ReportSchema(ma.Schema):
    """A report about an identifier; the value is not told."""

    report_id = ma.fields.Integer(required=True)
    state = TextField(SHOWN, required=True, metadata={"enum": ["open", "withdrawn"]})
    type = TextField(SHOWN, required=True, metadata={"examples": ["phone"]})
    outcome = TextField(SHOWN, required=True, metadata={"enum": list(OUTCOMES)})
    source = TextField(SHOWN, required=True, allow_none=True, metadata={"examples": ["crm"]})
    profile_id = TextField(SHOWN, required=True, allow_none=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    reported_at = InstantField(required=True, metadata={"format": "date-time"})
    withdrawn_at = InstantField(required=True, allow_none=True, metadata={"format": "date-time"})
    profiles_touched = ma.fields.List(
        TextField(SHOWN),
        required=True,
        metadata={"description": "Those that changed with it, as far as the key may know of them."},
    )
    is_waiting = ma.fields.Boolean(
        required=True,
        metadata={
            "description": "So many records hold the value that they are resolved by `cdp worker`, afterwards."
        },
    )
    model_version = ma.fields.Integer(required=True, allow_none=True)


_dump_report = dump_of(ReportSchema())


_key_refused = key_refused(blueprint, is_required=False)


@blueprint.post("")
@requires_scope("records:write")
@blueprint.doc(operationId="reportIdentifier", parameters=[OPTIONAL_IDEMPOTENCY_HEADER])
@blueprint.arguments(
    NewReportSchema(),
    examples={
        "wrong_person": {
            "summary": "Somebody else answered",
            "value": {"type": "phone", "value": "11 98765-4321", "outcome": "wrong_person"},
        },
        "bounced": {
            "summary": "A message came back",
            "value": {"type": "email", "value": "ana@example.com", "outcome": "bounced", "source": "crm"},
        },
    },
)
@blueprint.response(201, ReportSchema, description="The report is new", headers=REPLAYED)
@blueprint.alt_response(
    200, schema=ReportSchema, description="It stands already; nothing changed", headers=REPLAYED
)
@blueprint.refuses(
    404, "No such profile, or for a key that is bound to sources: no record of theirs holds the identifier"
)
@blueprint.refuses(
    422,
    f"It can be no identifier, or the source is unknown: `errors`. {KEY_REUSED}",
)
@blueprint.refuses(503, "The store is busy, or must be resolved first")
@_key_refused
def post_report(body: dict[str, Any]) -> Response:
    """Report an identifier

    While the report stands, the value weighs little between the records that hold it, now or later, and joins
    nobody by itself; they are resolved anew when the answer comes. The same report again, of the same source
    about the same profile, changes nothing.
    """
    service = current_service()
    source = _read_source(body.get("source"))
    profile_id = body.get("profile_id")
    new = NewReport(
        _standardized(body),
        body["outcome"],
        source=source,
        profile_id=None if profile_id is None else checked_profile_id(profile_id),
        reason=_read_reason(body),
    )

    def act(call: Call | None) -> Response:
        try:
            reported = report_identifier(
                service.resolver(),
                new,
                _reporter(),
                now=service.clock(),
                once=once(call, _respond_to_report, _profile_ids),
            )
        except UnknownReportSourceError:
            raise _unknown_source() from None
        return _respond_to_report(reported)

    return answer_once(read_idempotency_key(is_required=False), act)


@blueprint.post("/<report_id>/withdrawal")
@requires_scope("records:write")
@blueprint.doc(operationId="withdrawIdentifierReport", parameters=[OPTIONAL_IDEMPOTENCY_HEADER])
@blueprint.arguments(WithdrawalSchema())
@blueprint.response(200, ReportSchema, headers=REPLAYED)
@blueprint.refuses(404, "No such report, or not one of a source of this key")
@blueprint.refuses(503, "The store is busy, or must be resolved first")
@_key_refused
def post_withdrawal(body: dict[str, Any], report_id: str) -> Response:
    """Withdraw a report

    The people are as if it had not been, unless another report about the value stands. Withdrawing it again
    changes nothing.
    """
    service = current_service()
    number = read_number(report_id, "report_not_found")

    def act(call: Call | None) -> Response:
        reported = withdraw_report(
            service.resolver(),
            number,
            _reporter(),
            reason=_read_reason(body),
            now=service.clock(),
            once=once(call, _answer, _profile_ids),
        )
        return _answer(reported)

    return answer_once(read_idempotency_key(is_required=False), act)


def _reporter() -> Reporter:
    caller = current_caller()
    return Reporter(f"key:{caller.key_id}", caller.sources)


def _read_reason(body: dict[str, Any]) -> str | None:
    return (body["reason"] or "").strip() or None


def _read_source(name: str | None) -> str | None:
    """The one named, or the only one of the key. Raises Problem."""
    caller = current_caller()
    if name is None and caller.sources is not None:
        if len(caller.sources) != 1:
            raise invalid("/source", "This key is bound to several sources; name one of them.")
        [name] = caller.sources
    if name is not None and not caller.may_use_source(name):
        raise _unknown_source()
    return name


def _standardized(body: dict[str, Any]) -> Identifier:
    """Raises Problem."""
    region = body.get("region") or current_service().settings.default_region
    outcome = standardize_presented(body["type"], body["value"], region, as_typed=True)
    if isinstance(outcome, Identifier):
        return outcome
    part = "/type" if outcome.reason == "unknown_kind" else "/value"
    error = {"pointer": part, "detail": f"Refused: {outcome.reason}."}
    raise Problem("identifier_invalid", errors=[error])


def _unknown_source() -> Problem:
    return invalid("/source", "There is no such source, or this key is not bound to it.")


def _respond_to_report(reported: Reported) -> Response:
    return _answer(reported, 201 if reported.has_changed else 200)


def _profile_ids(reported: Reported) -> set[str]:
    about = reported.report.profile_id
    return {*reported.profiles_touched, *([about] if about is not None else [])}


def _answer(reported: Reported, status: int = 200) -> Response:
    report = reported.report
    document = {
        "report_id": report.report_id,
        "state": "open" if report.closed_at is None else "withdrawn",
        "type": report.kind,
        "outcome": report.outcome,
        "source": report.source,
        "profile_id": report.profile_id,
        "reported_at": report.reported_at,
        "withdrawn_at": report.closed_at,
        "profiles_touched": reported.profiles_touched,
        "is_waiting": reported.is_waiting,
        "model_version": reported.model_version,
    }
    return json_response(_dump_report(document), status)
