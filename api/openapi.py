"""What the API is made of, and its description, which is the same for every application of a process."""

from __future__ import annotations

from functools import cache

from flask import Flask, json

from api import (
    bulk_decisions,
    candidates,
    desk,
    health,
    identifier_reports,
    lookups,
    metrics,
    profile_context,
    profiles,
    proposals,
    records,
    searches,
    segment,
    stewards,
    timeline,
)
from api.description import describe
from api.errors import ProblemApi

BLUEPRINTS = tuple(
    resource.blueprint
    for resource in (
        health,
        metrics,
        records,
        lookups,
        searches,
        segment,
        profiles,
        profile_context,
        identifier_reports,
        candidates,
        bulk_decisions,
        desk,
        stewards,
        proposals,
        timeline,
    )
)
_CONFIGURATION = {
    "API_TITLE": "cdp",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "Profiles of customers, resolved from every channel's records.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{"bearer": []}, {"basic": []}],
    },
}
_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "cdp_...",
        "description": "An API key, made by `cdp key create`.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "The API key as user name, no password."},
}


@cache
def write_description(*, metrics_are_public: bool) -> str:
    """As JSON. It takes longer than all else of an application, and few are ever asked for it."""
    app = Flask(__name__, static_folder=None)
    app.config.update(_CONFIGURATION)
    api = ProblemApi(app)
    for name, scheme in _SECURITY_SCHEMES.items():
        api.spec.components.security_scheme(name, scheme)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    description = describe(api.spec, metrics_are_public=metrics_are_public)
    return json.dumps(description, indent=1, sort_keys=False)
