"""The API's description and a page to read it, both from this service alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, json, request
from flask_smorest import Api

from api.errors import PROBLEM_TYPE
from api.limiting import RATE_LIMIT_HEADERS, UNLIMITED_ENDPOINTS

blueprint = Blueprint("documents", __name__)

# Swagger UI sets styles through the object model, which needs no 'unsafe-inline'; its images are data.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES: Mapping[str, str] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>The description itself: <a href="/openapi.json">/openapi.json</a></noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


# Reads of people, and rulings, which show them: the audit keeps what for.
_ABOUT_PEOPLE = ("/v1/profiles", "/v1/candidates", "/v1/actions", "/v1/ledger")
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


def install_documents(app: Flask, api: Api, *, metrics_are_public: bool) -> None:
    """After all resources are registered: the description is written once."""
    description = api.spec.to_dict()
    if metrics_are_public:
        description["paths"]["/metrics"]["get"]["security"] = []
    for path, item in description["paths"].items():
        for method in _METHODS & item.keys():
            if path.startswith(_ABOUT_PEOPLE):
                item[method].setdefault("parameters", []).append(_PURPOSE_HEADER)
            _document_common_problems(item[method])
    app.extensions["openapi_text"] = json.dumps(description, indent=1, sort_keys=False)
    app.register_blueprint(blueprint)


def _document_common_problems(operation: dict[str, Any]) -> None:
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
        response = {"description": description, "content": content}
        if status == 429:
            response["headers"] = _RETRY_HEADERS
        operation["responses"].setdefault(str(status), response)


@blueprint.get("/openapi.json")
def openapi_document() -> Response:
    return Response(current_app.extensions["openapi_text"], mimetype="application/json")


@blueprint.get("/docs")
def docs() -> Response:
    return _document(_PAGE.encode(), "text/html")


@blueprint.get("/docs/<file_name>")
def docs_file(file_name: str) -> Response:
    if file_name == "start.js":
        return _document(_START.encode(), "text/javascript")
    if file_name not in _FILES:
        abort(404)
    response = _document(_packaged(file_name), _FILES[file_name])
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.add_etag()
    response.make_conditional(request)
    return response


def _document(content: bytes, media_type: str) -> Response:
    response = Response(content, mimetype=media_type)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@cache
def _packaged(file_name: str) -> bytes:
    return resources.files("flask_swagger_ui").joinpath("dist", file_name).read_bytes()
