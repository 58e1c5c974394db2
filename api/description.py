"""The API's description beyond what schemas and views say: refusals, examples, links between calls, events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from apispec import APISpec

from api.errors import PROBLEM_TYPE, PROBLEMS
from api.event_schemas import EVENTS
from api.limiting import RATE_LIMIT_HEADERS, UNLIMITED_ENDPOINTS
from api.masks import MASKS

# Reads of people, and rulings, which show them: the audit keeps what for.
_ABOUT_PEOPLE = ("/v1/profiles", "/v1/proposals", "/v1/candidates", "/v1/actions", "/v1/ledger")
_PURPOSE_HEADER = {
    "name": "CDP-Purpose",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{1,63}$"},
    "description": "Why people are read, as a code; the audit keeps it. Required with unmask=true.",
    "example": "ticket:4711",
}
# Their operations are named as they are.
_UNLIMITED = frozenset(endpoint.rpartition(".")[2] for endpoint in UNLIMITED_ENDPOINTS)
_RETRY_HEADERS = {
    **RATE_LIMIT_HEADERS,
    "Retry-After": {"schema": {"type": "integer"}, "description": "In seconds.", "example": 17},
}
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_PROBLEMS_OF_BODIES = {
    400: "The request cannot be understood: what is wrong stands in `code`",
    413: "The body is too large",
    415: "The body is not JSON in UTF-8",
    422: "Parts of the request are missing, unknown or out of bounds",
}


Operation = dict[str, Any]

# What a call of this status most often means; of 404 and 409, what the address is about.
_CODES = {
    "400": "malformed_json",
    "401": "unauthorized",
    "403": "scope_missing",
    "404": "profile_not_found",
    "409": "idempotency_key_running",
    "410": "profile_erased",
    "412": "candidate_changed",
    "413": "body_too_large",
    "415": "unsupported_media_type",
    "422": "validation_failed",
    "428": "precondition_required",
    "429": "rate_limited",
    "503": "store_busy",
}
_NOT_FOUND = {
    "deleteRecord": "record_not_found",
    "reportIdentifier": "identifier_not_found",
    "withdrawIdentifierReport": "report_not_found",
    "getCandidate": "candidate_not_found",
    "decideCandidate": "candidate_not_found",
    "confirmProposal": "proposal_not_found",
    "refuseProposal": "proposal_not_found",
    "undoLedgerEntry": "ledger_entry_not_found",
    "undoAction": "action_not_found",
}
_CONFLICTS = {
    "lookUpProfile": "several_profiles",
    "joinProfiles": "profiles_are_one",
    "decideCandidate": "candidate_closed",
    "freezeProfile": "already_frozen",
    "unfreezeProfile": "not_frozen",
    "confirmProposal": "second_person_needed",
    "refuseProposal": "proposal_ended",
    "undoLedgerEntry": "already_undone",
    "undoAction": "already_undone",
}
_MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "validation_failed": {"errors": [{"pointer": "/value", "detail": "Missing data for required field."}]},
    "already_undone": {"action_ids": [3], "model_version": 0},
    "several_profiles": {
        "candidates": [
            {
                "profile_id": f"pf_01jdcb4v9w8z6y5x4t3s2r1q0{last}",
                "identifiers": [{"type": kind, "pointer": f"/identifiers/{place}"}],
            }
            for place, (kind, last) in enumerate((("phone", "p"), ("email", "q")))
        ],
        "model_version": 0,
    },
}

# From an answer to the calls that go on from it: operation, status, name, the next operation and its parameters.
_PROFILE = {"profile_id": "$response.body#/profile_id"}
_FOUND = {"profile_id": "$response.body#/data/0/profile_id"}
_SAME = {"profile_id": "$request.path.profile_id"}
_ACTION = {"action_id": "$response.body#/action_id"}
_LINKS = (
    *(("writeRecord", status, "profile", "getProfile", _PROFILE) for status in ("200", "201")),
    *(("writeRecord", status, "explanation", "getProfileExplanation", _PROFILE) for status in ("200", "201")),
    *(
        ("lookUpProfile", "200", name, f"getProfile{name.capitalize()}", _PROFILE)
        for name in ("records", "history")
    ),
    ("lookUpProfile", "200", "profile", "getProfile", _PROFILE),
    ("searchProfiles", "200", "profile", "getProfile", _FOUND),
    *(
        ("getProfile", "200", name, f"getProfile{name.capitalize()}", _SAME)
        for name in ("records", "timeline", "history", "explanation", "context")
    ),
    (
        "getCandidates",
        "200",
        "candidate",
        "getCandidate",
        {"candidate_id": "$response.body#/data/0/candidate_id"},
    ),
    (
        "getCandidate",
        "200",
        "decision",
        "decideCandidate",
        {"candidate_id": "$response.body#/candidate_id", "If-Match": "$response.header.ETag"},
    ),
    *(
        (operation, "200", "undo", "undoAction", _ACTION)
        for operation in (
            "decideCandidate",
            "joinProfiles",
            "splitProfile",
            "takeProfileApart",
            "freezeProfile",
            "unfreezeProfile",
            "pinValue",
            "confirmProposal",
            "undoLedgerEntry",
            "undoAction",
        )
    ),
    *(
        (
            "reportIdentifier",
            status,
            "withdrawal",
            "withdrawIdentifierReport",
            {"report_id": "$response.body#/report_id"},
        )
        for status in ("200", "201")
    ),
)


def describe(spec: APISpec, *, metrics_are_public: bool) -> dict[str, Any]:
    """The whole of it, of what the resources said to the spec."""
    webhooks = _webhooks(spec)
    masks = {each.name: each.told for each in MASKS}
    description: dict[str, Any] = {**spec.to_dict(), "webhooks": webhooks, "x-masks": masks}
    if metrics_are_public:
        description["paths"]["/metrics"]["get"]["security"] = []
    examples = json.loads(resources.files("api").joinpath("examples.json").read_text("utf-8"))
    operations = {}
    for path, operation in _operations(description):
        if path.startswith(_ABOUT_PEOPLE):
            operation.setdefault("parameters", []).append(_PURPOSE_HEADER)
        _add_common_problems(operation)
        _add_examples(operation, examples.get(operation["operationId"], {}))
        operations[operation["operationId"]] = operation
    for before, status, name, after, parameters in _LINKS:
        links = operations[before]["responses"][status].setdefault("links", {})
        links[name] = {"operationId": after, "parameters": parameters}
    description["tags"] = _tags_in_use(description)
    return description


def _tags_in_use(description: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each blueprint brings one, also where its operations stand under another."""
    used = {tag for _, operation in _operations(description) for tag in operation["tags"]}
    return [each for each in description["tags"] if each["name"] in used]


def _operations(description: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, item in description["paths"].items():
        for method in sorted(_METHODS & item.keys()):
            yield path, item[method]


def _add_common_problems(operation: Operation) -> None:
    """What calls of one kind may all be refused with, said here once. A view's own words about a status stand."""
    told = {401: "There is no valid key", 403: "The key lacks the right"} if operation["security"] else {}
    if operation["operationId"] not in _UNLIMITED:
        told[429] = "The key, or the address, called too often: `Retry-After` says when to call again"
    names = {each["name"] for each in operation.get("parameters", [])}
    if "requestBody" in operation:
        told |= _PROBLEMS_OF_BODIES
    if "cursor" in names:
        told[400] = "The cursor is not one that this list gave out"
    if names:
        told.setdefault(422, "A parameter or header is out of bounds")
    for status, description in told.items():
        content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        response: dict[str, Any] = {"description": description, "content": content}
        if status == 429:
            response["headers"] = _RETRY_HEADERS
        operation["responses"].setdefault(str(status), response)


def _add_examples(operation: Operation, example: Mapping[str, Any]) -> None:
    """Examples of its body, its answer and its problems, where its view gives none."""
    if "request" in example:
        operation["requestBody"]["content"]["application/json"].setdefault("example", example["request"])
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            if media_type == PROBLEM_TYPE:
                content.setdefault("example", _problem_example(operation["operationId"], status))
            elif (answer := example.get("answers", {}).get(status, example.get("answer"))) is not None:
                content.setdefault("example", answer)


def _problem_example(operation_id: str, status: str) -> dict[str, Any]:
    named = {"404": _NOT_FOUND, "409": _CONFLICTS, "503": {"readyz": "not_ready"}}
    code = named.get(status, {}).get(operation_id, _CODES[status])
    kind = PROBLEMS[code]
    members = _MEMBERS.get(code, {})
    head = {"type": "about:blank", "title": kind.title, "status": kind.status, "code": code}
    return {**head, **members, "request_id": "5f2c9a7be04d13a86c71f0e2"}


def _webhooks(spec: APISpec) -> dict[str, Any]:
    """What is kept for those who want to be told; each event is a POST to them."""
    for payload in dict.fromkeys(each.payload for each in EVENTS.values()):
        spec.components.schema(_name(payload), schema=payload)
    return {kind: {"post": _webhook(kind)} for kind in EVENTS}


def _webhook(kind: str) -> Operation:
    event = EVENTS[kind]
    example = {
        "event_id": 101,
        "kind": kind,
        "subject_id": str(next(iter(event.example.values()))),
        "created_at": "2026-11-22T10:00:00.000000Z",
        "payload": event.example,
    }
    told = {
        "event_id": {"type": "integer", "description": "Grows: the order in which things happened."},
        "kind": {"const": kind},
        "subject_id": {"type": "string", "description": "The profile, action, report, import or source."},
        "created_at": {"type": "string", "format": "date-time"},
        "payload": {"$ref": f"#/components/schemas/{_name(event.payload)}"},
    }
    schema = {"type": "object", "required": list(told), "properties": told, "additionalProperties": False}
    return {
        "summary": event.summary,
        "description": "In the transaction of what happened it is put into the outbox, in ids and without values of "
        "people. This version keeps events and delivers them to nobody.",
        "operationId": kind,
        "tags": ["webhooks"],
        "security": [],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": {"2XX": {"description": "Taken"}},
    }


def _name(payload: type) -> str:
    return payload.__name__.removesuffix("Schema")
