"""What goes around every request: its id and its trace, one line in the log, the headers that keep answers safe."""

from __future__ import annotations

import logging
import math
import random
import re
import sys
import time
from functools import partial
from typing import TextIO

import structlog
from flask import Flask, Response, g, request

from api.tracing import TRACEPARENT_HEADER, read_trace

REQUEST_ID_HEADER = "X-Request-Id"
CONTENT_SECURITY_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

# Told apart, not guarded: of a generator that each process seeds, since the system's costs as much as a query.
_ids = random.Random()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

logger = structlog.get_logger(__name__)


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """One JSON object a line on standard error. For the process that serves, once."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=True,
    )


def wrap_requests(app: Flask, *, slow_request_ms: float | None) -> None:
    """slow_request_ms: what takes longer is told as a warning too; None for nothing."""
    app.before_request(_begin)
    app.after_request(partial(_finish, slow_request_ms if slow_request_ms is not None else math.inf))


def _begin() -> None:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else f"{_ids.getrandbits(96):024x}"
    g.begun = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    g.trace = read_trace(request.headers.get(TRACEPARENT_HEADER))
    structlog.contextvars.bind_contextvars(request_id=g.request_id, trace_id=g.trace.trace_id)


def _finish(slow_request_ms: float, response: Response) -> Response:
    headers = response.headers
    headers[REQUEST_ID_HEADER] = g.request_id
    headers[TRACEPARENT_HEADER] = g.trace.traceparent
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    caller, user = g.get("caller"), g.get("user")
    duration_ms = round((time.perf_counter() - g.begun) * 1000, 2)
    # The rule and not the path: an address that somebody mistyped may hold anything.
    method, route = (request.method, request.url_rule.rule) if request.url_rule else ("other", None)
    logger.info(
        "request",
        method=method,
        route=route,
        status=response.status_code,
        problem=g.get("problem_code"),
        span_id=g.trace.span_id,
        parent_span_id=g.trace.parent_span_id,
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
