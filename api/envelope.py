"""What goes around every request: its id and its trace, one line in the log, the headers that keep answers safe."""

from __future__ import annotations

import logging
import math
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import partial
from typing import Any, TextIO

import structlog
from flask import Flask, Response, g, has_request_context

from api.context import current_notes, current_request
from api.request_metrics import RequestMetrics
from api.tracing import TRACEPARENT_HEADER, new_hexadecimal, read_trace

REQUEST_ID_HEADER = "X-Request-Id"
CONTENT_SECURITY_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

# Of each answer that does not say otherwise.
_SAFE_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

logger = structlog.get_logger(__name__)


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """One JSON object a line on standard error. For the process that serves, once."""
    structlog.configure(
        processors=[
            _name_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # A line is one write: gunicorn's own lines come from other threads.
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=True,
    )


def wrap_requests(app: Flask, metrics: RequestMetrics, *, slow_request_ms: float | None) -> None:
    """slow_request_ms: what takes longer is told as a warning too; None for nothing."""
    app.before_request(_begin)
    slowly = slow_request_ms if slow_request_ms is not None else math.inf
    app.after_request(partial(_finish, metrics, slowly))
    app.wsgi_app = partial(_answer, metrics, app.wsgi_app)  # type: ignore[method-assign]


def _answer(metrics: RequestMetrics, application: Callable[..., Any], *request: Any) -> Iterable[bytes]:
    metrics.begin()
    try:
        return application(*request)  # type: ignore[no-any-return]
    finally:
        metrics.end()


def _begin() -> None:
    headers, notes = current_request().headers, current_notes()
    given = headers.get(REQUEST_ID_HEADER, "")
    notes.request_id = given if _REQUEST_ID.fullmatch(given) else new_hexadecimal(96)
    notes.begun = time.perf_counter()
    notes.trace = read_trace(headers.get(TRACEPARENT_HEADER))


def _name_request(_logger: object, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """What is logged within a request tells which."""
    if has_request_context() and "trace" in g:
        line["request_id"], line["trace_id"] = g.request_id, g.trace.trace_id
    return line


def _finish(metrics: RequestMetrics, slow_request_ms: float, response: Response) -> Response:
    request, notes, headers = current_request(), current_notes(), response.headers
    given = {name for name, _ in headers}
    headers.add(REQUEST_ID_HEADER, notes.request_id)
    headers.add(TRACEPARENT_HEADER, notes.trace.traceparent)
    for name, value in _SAFE_HEADERS:
        if name not in given:
            headers.add(name, value)
    caller, user = notes.get("caller"), notes.get("user")
    seconds = time.perf_counter() - notes.begun
    duration_ms = round(seconds * 1000, 2)
    # The rule and not the path: an address that somebody mistyped may hold anything.
    method, route = (request.method, request.url_rule.rule) if request.url_rule else ("other", None)
    metrics.observe(method, route, response.status_code, seconds)
    logger.info(
        "request",
        method=method,
        route=route,
        status=response.status_code,
        problem=notes.get("problem_code"),
        span_id=notes.trace.span_id,
        parent_span_id=notes.trace.parent_span_id,
        key_id=caller.key_id if caller else None,
        user_id=user.user_id if user else None,
        duration_ms=duration_ms,
    )
    if duration_ms > slow_request_ms:
        logger.warning(
            "request.slow",
            method=method,
            route=route,
            status=response.status_code,
            duration_ms=duration_ms,
            body_bytes=request.content_length,
        )
    return response
