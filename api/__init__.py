"""The HTTP API and the console: shape in, one call into cdp, shape out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import RequestRedirect

from api.auth import require_callers
from api.clean_text import refuse_unclean_texts
from api.console import install_console
from api.documents import install_documents
from api.envelope import wrap_requests
from api.errors import redirect_to_route, register_problems
from api.openapi import BLUEPRINTS, write_description
from api.rate_limits import RateLimits, make_rate_limits
from api.service import Service, install_service
from api.shared_counters import COUNTERS_FILE, SharedCounters
from cdp.privacy.read_audit import ReadAudit
from cdp.settings import Settings, read_settings
from cdp.store.door import StoreDoor

__all__ = ["create_app", "make_service"]


class Application(Flask):
    """Flask, whose views and hooks are plain functions."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Flask asks of each at each call whether it is a coroutine."""
        return func

    def handle_http_exception(self, e: HTTPException) -> Any:
        """Flask asks no handler about the redirects of its routes, and they name the host that the request named."""
        return redirect_to_route(e) if isinstance(e, RequestRedirect) else super().handle_http_exception(e)


def create_app(
    settings: Settings | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Flask:
    """The application; it opens the store when the first request needs it, and starts without one."""
    settings = settings or read_settings()
    app = Application(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config.update(
        MAX_CONTENT_LENGTH=settings.body_limit_bytes,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    service = make_service(settings, clock)
    install_service(app.extensions, service)
    wrap_requests(app, service.request_metrics, slow_request_ms=settings.slow_request_ms)
    require_callers(app)
    refuse_unclean_texts(app)
    register_problems(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    install_console(app, settings)
    install_documents(app, partial(write_description, metrics_are_public=settings.metrics_are_public))
    if settings.trusted_proxy_count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxy_count)  # type: ignore[method-assign]
    return app


def make_service(settings: Settings, clock: Callable[[], datetime]) -> Service:
    """What an application answers from; the store is opened when the first request needs it."""
    store = StoreDoor(settings.database_url, settings.store_timeout_seconds)
    return Service(settings, store, ReadAudit(store.engine), clock, _rate_limits(settings, clock))


def _rate_limits(settings: Settings, clock: Callable[[], datetime]) -> RateLimits | None:
    """All processes of the server count in one file."""
    if settings.rate_limit is None:
        return None

    def seconds() -> float:
        return clock().timestamp()

    counters = SharedCounters(settings.home / COUNTERS_FILE, seconds)
    return make_rate_limits(settings.rate_limit, settings.address_rate_limit, counters, seconds)
