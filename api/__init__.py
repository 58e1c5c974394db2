"""The HTTP API and the console: shape in, one call into cdp, shape out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from api import (
    candidates,
    desk,
    documents,
    health,
    identifier_reports,
    lookups,
    metrics,
    profile_context,
    profiles,
    records,
    searches,
    segment,
    stewards,
    timeline,
)
from api.auth import require_callers
from api.clean_text import refuse_unclean_texts
from api.console import install_console
from api.envelope import wrap_requests
from api.errors import ProblemApi, register_problems
from api.rate_limits import RateLimits, make_rate_limits
from api.service import Service, install_service
from api.shared_counters import COUNTERS_FILE, SharedCounters
from cdp.privacy.read_audit import ReadAudit
from cdp.settings import Settings, read_settings
from cdp.store.door import StoreDoor

__all__ = ["create_app"]

_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "cdp_...",
        "description": "An API key, made by `cdp key create`.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "The API key as user name, no password."},
}


class Application(Flask):
    """Flask, whose views and hooks are plain functions."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Flask asks of each at each call whether it is a coroutine."""
        return func


def create_app(
    settings: Settings | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Flask:
    """The application; it opens the store when the first request needs it, and starts without one."""
    settings = settings or read_settings()
    app = Application(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config.update(
        API_TITLE="cdp",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {
                "description": "Profiles of customers, resolved from every channel's records.",
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "security": [{"bearer": []}, {"basic": []}],
        },
        MAX_CONTENT_LENGTH=settings.body_limit_bytes,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    store = StoreDoor(settings.database_url, settings.store_timeout_seconds)
    limits = _rate_limits(settings, clock)
    service = Service(settings, store, ReadAudit(store.engine), clock, limits)
    install_service(app.extensions, service)
    wrap_requests(app, service.request_metrics, slow_request_ms=settings.slow_request_ms)
    require_callers(app)
    refuse_unclean_texts(app)
    register_problems(app)
    api = ProblemApi(app)
    for name, scheme in _SECURITY_SCHEMES.items():
        api.spec.components.security_scheme(name, scheme)
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
        desk,
        stewards,
        timeline,
    ):
        api.register_blueprint(resource.blueprint)
    install_console(app, settings)
    documents.install_documents(app, api, metrics_are_public=settings.metrics_are_public)
    if settings.trusted_proxy_count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxy_count)  # type: ignore[method-assign]
    return app


def _rate_limits(settings: Settings, clock: Callable[[], datetime]) -> RateLimits | None:
    """All processes of the server count in one file."""
    if settings.rate_limit is None:
        return None

    def seconds() -> float:
        return clock().timestamp()

    counters = SharedCounters(settings.home / COUNTERS_FILE, seconds)
    return make_rate_limits(settings.rate_limit, settings.address_rate_limit, counters, seconds)
