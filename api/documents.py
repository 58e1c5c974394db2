"""The API's description and a page to read it, both from this service alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

from flask import Blueprint, Flask, Response, abort, current_app, request

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
<title>cdp: API</title>
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


def install_documents(app: Flask, write_description: Callable[[], str]) -> None:
    """write_description: the description as JSON, asked for when somebody reads it."""
    app.extensions["openapi_text"] = write_description
    app.register_blueprint(blueprint)


@blueprint.get("/openapi.json")
def openapi_document() -> Response:
    return Response(current_app.extensions["openapi_text"](), mimetype="application/json")


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
