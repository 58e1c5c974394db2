"""Problems (RFC 9457): every answer that is an error, whoever noticed it, in one shape with a stable code."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import marshmallow as ma
import structlog
from flask import Flask, Response, g, json
from flask_smorest import Api
from flask_smorest.utils import prepare_response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from api.snapshots import snapshot
from cdp.engagement.receive_messages import UnknownMessageSourceError
from cdp.errors import CdpError
from cdp.idempotency import KeyReusedError, KeyRunningError
from cdp.identity.identifier_reports import UnknownReportError
from cdp.identity.models import UncompilableModelError, UnknownModelError, UnreadableModelError
from cdp.identity.profile_reads import ErasedProfileError, UnknownProfileError
from cdp.identity.resolution_runs import select_version_in_use
from cdp.identity.survivorship import SurvivorshipError
from cdp.privacy.read_audit import ReadAuditFullError
from cdp.realtime.incoming import RefusedRecordError
from cdp.realtime.ingest import UnknownRecordError
from cdp.realtime.online_models import StoreNotResolvedError
from cdp.realtime.report_identifier import UnheldIdentifierError
from cdp.realtime.search import NothingToSearchByError
from cdp.stewardship.errors import CandidateClaimedError, RulingRefusedError
from cdp.store import StoreError
from cdp.store.errors import StoreBusyError, WriteConflictError
from cdp.store.instants import format_instant

PROBLEM_TYPE = "application/problem+json"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ProblemKind:
    """One code: its HTTP status, what it means for all who meet it, and after how many seconds to retry."""

    status: int
    title: str
    retry_after_seconds: int | None = None


# What the profiles decide: these name the version that made them, as every answer about people does.
_ABOUT_PEOPLE = frozenset(
    (
        "profile_not_found",
        "record_not_found",
        "candidate_not_found",
        "report_not_found",
        "identifier_not_found",
        "action_not_found",
        "proposal_not_found",
        "ledger_entry_not_found",
        "several_profiles",
        "profiles_are_one",
        "constraint_conflict",
        "candidate_closed",
        "candidate_claimed",
        "claim_missing",
        "second_reader_needed",
        "second_person_needed",
        "already_undone",
        "already_frozen",
        "not_frozen",
        "proposal_ended",
        "proposal_changed",
        "ruled_on_since",
        "nothing_to_undo",
        "profile_erased",
        "candidate_changed",
        "split_unusable",
        "pin_unusable",
        "too_many_pairs",
    )
)

PROBLEMS: dict[str, ProblemKind] = {
    "bad_request": ProblemKind(400, "The request cannot be understood."),
    "malformed_json": ProblemKind(400, "The body is not JSON that can be read safely."),
    "invalid_cursor": ProblemKind(400, "The cursor is not one that this list gave out."),
    "idempotency_key_required": ProblemKind(400, "The call needs a key of its own, in Idempotency-Key."),
    "unauthorized": ProblemKind(401, "The request carries no valid key."),
    "scope_missing": ProblemKind(403, "The key lacks the scope that this call needs."),
    "write_key_unbound": ProblemKind(403, "A key for messages is bound to exactly one source."),
    "not_found": ProblemKind(404, "There is nothing at this address."),
    "profile_not_found": ProblemKind(404, "There is no such profile, or this key may not read it so."),
    "record_not_found": ProblemKind(404, "There is no such record, or this key may not write it."),
    "candidate_not_found": ProblemKind(
        404, "There is no such merge candidate, or this key may not know of it."
    ),
    "report_not_found": ProblemKind(404, "There is no such report, or this key may not know of it."),
    "identifier_not_found": ProblemKind(404, "No record that this key may write holds the identifier."),
    "action_not_found": ProblemKind(404, "No steward's action has this id."),
    "proposal_not_found": ProblemKind(404, "There is no such proposal."),
    "ledger_entry_not_found": ProblemKind(404, "There is no such entry in the ledger."),
    "method_not_allowed": ProblemKind(405, "This address does not answer to this method."),
    "idempotency_key_running": ProblemKind(
        409, "The first call with this Idempotency-Key is not answered yet.", 1
    ),
    "several_profiles": ProblemKind(409, "The identifiers belong to several profiles."),
    "profiles_are_one": ProblemKind(409, "The profiles are one person already."),
    "constraint_conflict": ProblemKind(409, "Rulings in force say the opposite."),
    "candidate_closed": ProblemKind(409, "The merge candidate is closed."),
    "candidate_claimed": ProblemKind(409, "Somebody else works on the merge candidate."),
    "claim_missing": ProblemKind(409, "The claim ran out, or is not there."),
    "second_person_needed": ProblemKind(409, "Who ruled first does not confirm: somebody else does."),
    "second_reader_needed": ProblemKind(409, "Who could not tell does not decide: somebody else does."),
    "already_frozen": ProblemKind(409, "The profile is frozen."),
    "not_frozen": ProblemKind(409, "The profile is not frozen."),
    "proposal_ended": ProblemKind(409, "The proposal was confirmed, refused or withdrawn already."),
    "proposal_changed": ProblemKind(409, "The profiles of the proposal changed since."),
    "already_undone": ProblemKind(409, "It was taken back already."),
    "ruled_on_since": ProblemKind(409, "A later ruling builds on it."),
    "nothing_to_undo": ProblemKind(409, "The entry brought nobody together and parted nobody."),
    "profile_erased": ProblemKind(410, "The profile was erased."),
    "candidate_changed": ProblemKind(412, "The merge candidate is not what the If-Match names."),
    "body_too_large": ProblemKind(413, "The body is larger than this service takes."),
    "unsupported_media_type": ProblemKind(415, "The body must be JSON in UTF-8, neither packed nor encoded."),
    "validation_failed": ProblemKind(422, "Parts of the request are missing, unknown or out of bounds."),
    "idempotency_key_reused": ProblemKind(422, "The Idempotency-Key stands for another call."),
    "identifier_invalid": ProblemKind(422, "None of the identifiers can be one that points at a person."),
    "record_refused": ProblemKind(422, "The record cannot be taken."),
    "message_refused": ProblemKind(422, "The message is none that can be kept."),
    "nothing_to_search_by": ProblemKind(422, "Nothing of the request can be searched by."),
    "split_unusable": ProblemKind(422, "These records cannot be split off this profile."),
    "pin_unusable": ProblemKind(422, "This value cannot be pinned."),
    "too_many_pairs": ProblemKind(422, "The ruling is about more pairs of records than one may be."),
    "purpose_required": ProblemKind(422, "Unmasked values need a purpose, in the header CDP-Purpose."),
    "precondition_required": ProblemKind(428, "The call needs the ETag it rests on, in If-Match."),
    "rate_limited": ProblemKind(429, "More requests than this service takes in so short a time."),
    "http_error": ProblemKind(400, "The request was refused."),
    "internal_error": ProblemKind(500, "The service failed; the request id finds the cause in its log."),
    "not_ready": ProblemKind(503, "The service cannot answer requests now.", 5),
    "store_busy": ProblemKind(503, "The store is busy.", 1),
    "store_unavailable": ProblemKind(503, "The store cannot answer.", 5),
    "store_not_resolved": ProblemKind(503, "The profiles must be resolved anew: run `cdp resolve`.", 60),
    "model_unusable": ProblemKind(503, "The model of the profiles cannot be used by this release.", 60),
    "survivorship_invalid": ProblemKind(503, "The rules of golden records cannot be used.", 60),
    "read_audit_full": ProblemKind(503, "Reads cannot be audited now, so none is answered.", 5),
}

_CODE_OF_STATUS = {
    400: "bad_request",
    401: "unauthorized",
    403: "scope_missing",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
}


class Problem(Exception):
    """Raised by views; `errors` point at parts of the request, `extension` adds members of its own."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extension: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        self.extension = extension or {}


def invalid(pointer: str, detail: str) -> Problem:
    """One part of the request is wrong."""
    return Problem("validation_failed", errors=[{"pointer": pointer, "detail": detail}])


class ProblemErrorSchema(ma.Schema):
    pointer = ma.fields.String(
        required=True,
        metadata={
            "description": "JSON pointer into the body; /query/NAME and /headers/NAME for the other parts.",
            "examples": ["/value"],
        },
    )
    detail = ma.fields.String(required=True, metadata={"examples": ["Missing data for required field."]})
    code = ma.fields.String(
        metadata={
            "description": "Why a record or a message is refused; docs/import.md and docs/segment.md list them.",
            "examples": ["future"],
        }
    )


class ProblemSchema(ma.Schema):
    """Every error of this API (RFC 9457)."""

    type = ma.fields.String(required=True, metadata={"examples": ["about:blank"]})
    title = ma.fields.String(required=True, metadata={"description": "What the code means, always the same."})
    status = ma.fields.Integer(required=True)
    code = ma.fields.String(
        required=True, metadata={"description": "Stable: programs decide by it.", "enum": sorted(PROBLEMS)}
    )
    detail = ma.fields.String(metadata={"description": "What happened this time, and what to do."})
    errors = ma.fields.List(ma.fields.Nested(ProblemErrorSchema))
    model_version = ma.fields.Integer(
        metadata={"description": "The model that made the profiles, where these decide what is answered."}
    )
    action_ids = ma.fields.List(
        ma.fields.Integer(),
        metadata={
            "description": "The stewards' actions that stand in the way of a ruling.",
            "examples": [[3]],
        },
    )
    held_by = ma.fields.String(
        metadata={"description": "Who works on the merge candidate.", "examples": ["key:k1"]}
    )
    held_until = ma.fields.String(metadata={"description": "When that ends.", "format": "date-time"})
    request_id = ma.fields.String(required=True, metadata={"description": "Finds this request in the log."})


class ProblemApi(Api):
    """flask-smorest, with problems where it would answer with its own error payload."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = "PROBLEM"
    DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"

    def _register_responses(self) -> None:
        default: str = self.DEFAULT_RESPONSE_CONTENT_TYPE
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_TYPE
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = default
        response = {"description": "Any other problem", "schema": ProblemSchema}
        prepare_response(response, self.spec, PROBLEM_TYPE)
        self.spec.components.response("PROBLEM", response)

    def _register_error_handlers(self) -> None:
        """Ours answer instead: see register_problems."""


def register_problems(app: Flask) -> None:
    """Every exception becomes a problem; the log is told of unforeseen ones, without their values."""
    app.register_error_handler(Problem, _answer_problem)
    app.register_error_handler(CdpError, _answer_domain_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_unforeseen)


def problem_document(code: str, detail: str | None = None, **members: Any) -> dict[str, Any]:
    """The members of a problem, in the order people read them."""
    kind = PROBLEMS[code]
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": kind.title,
        "status": kind.status,
        "code": code,
    }
    if detail:
        document["detail"] = detail
    document.update({name: value for name, value in members.items() if value or value == 0})
    document["request_id"] = g.get("request_id", "")
    return document


def refused_record(error: RefusedRecordError, start: str = "") -> dict[str, str]:
    """What is wrong with a record that stands at `start` of the body."""
    return {"pointer": start + error.pointer, "detail": str(error), "code": error.code}


def _answer_problem(problem: Problem) -> Response:
    g.problem_code = problem.code
    kind = PROBLEMS[problem.code]
    members = dict(problem.extension)
    if problem.code in _ABOUT_PEOPLE:
        members["model_version"] = _select_model_version()
    document = problem_document(problem.code, problem.detail, errors=list(problem.errors), **members)
    response = Response(json.dumps(document), document["status"], dict(problem.headers))
    response.content_type = PROBLEM_TYPE
    if problem.code == "unauthorized":
        response.headers["WWW-Authenticate"] = 'Bearer realm="cdp", Basic realm="cdp"'
    if kind.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(kind.retry_after_seconds)
    return response


def _select_model_version() -> int | None:
    """Of the snapshot that the request is answered from; None where the store cannot be asked any more."""
    try:
        with snapshot() as connection:
            return select_version_in_use(connection)
    except StoreError:
        return None


def _answer_domain_error(error: CdpError) -> Response:
    """Store errors name files and hosts, so their message goes to the log and not to the caller."""
    match error:
        case UnknownProfileError():
            return _answer_problem(Problem("profile_not_found"))
        case ErasedProfileError():
            return _answer_problem(Problem("profile_erased"))
        case RefusedRecordError():
            return _answer_problem(Problem("record_refused", errors=[refused_record(error)]))
        case NothingToSearchByError():
            errors = [
                {"pointer": each.field, "detail": f"Refused: {each.reason}."} for each in error.refusals
            ]
            return _answer_problem(Problem("nothing_to_search_by", str(error), errors=errors))
        case UnknownMessageSourceError():
            detail = f"{error} Create it with `cdp source create`."
            return _answer_problem(Problem("write_key_unbound", detail))
        case UnknownReportError():
            return _answer_problem(Problem("report_not_found"))
        case UnheldIdentifierError():
            return _answer_problem(Problem("identifier_not_found"))
        case UnknownRecordError():
            return _answer_problem(Problem("record_not_found"))
        case CandidateClaimedError():
            held = {"held_by": error.held_by, "held_until": format_instant(error.held_until)}
            return _answer_problem(Problem(error.reason, str(error), extension=held))
        case RulingRefusedError():
            told = {"action_ids": error.action_ids}
            return _answer_problem(Problem(error.reason, str(error), extension=told))
        case KeyRunningError() | KeyReusedError():
            return _answer_problem(Problem(error.reason, str(error)))
        case StoreNotResolvedError():
            logger.error("store.not_resolved", detail=str(error))
            return _answer_problem(Problem("store_not_resolved", str(error)))
        case UncompilableModelError() | UnreadableModelError() | UnknownModelError():
            # Its message quotes the model, which is nothing of the caller's.
            logger.error("model.unusable", reason=error.reason, detail=str(error))
            return _answer_problem(Problem("model_unusable", "The log of the service names the cause."))
        case SurvivorshipError():
            logger.error("survivorship.invalid", detail=str(error))
            return _answer_problem(Problem("survivorship_invalid", "The log of the service names the cause."))
        case ReadAuditFullError():
            return _answer_problem(Problem("read_audit_full"))
        case StoreBusyError() | WriteConflictError():
            logger.warning("store.busy", reason=error.reason)
            return _answer_problem(Problem("store_busy", "Try again after the time in Retry-After."))
        case StoreError():
            logger.error("store.unavailable", reason=error.reason, detail=str(error))
            return _answer_problem(Problem("store_unavailable", "Try again after the time in Retry-After."))
        case _:
            return _answer_unforeseen(error)


def _answer_http_error(error: HTTPException) -> Response:
    """The errors of Flask and werkzeug: routing, limits, broken requests."""
    status = error.code or 500
    if status >= 500:
        return _answer_unforeseen(error)
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    extension = {} if status in _CODE_OF_STATUS else {"status": status}
    code = _CODE_OF_STATUS.get(status, "http_error")
    return _answer_problem(Problem(code, headers=headers, extension=extension))


def redirect_to_route(error: RequestRedirect) -> Response:
    """To the address as it is written in the routes, on whatever host it was asked: the Host header is anybody's."""
    address = urlsplit(error.new_url)
    path = "/" + address.path.lstrip("/")
    return Response(
        status=error.code, headers={"Location": f"{path}?{address.query}" if address.query else path}
    )


def _answer_unforeseen(error: Exception) -> Response:
    """The log gets the kind of error and its place; a message may hold a person's values and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    logger.error(
        "request.failed",
        error=type(error).__name__,
        places=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    )
    return _answer_problem(Problem("internal_error"))
