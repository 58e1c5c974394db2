"""gunicorn's worker: what is no HTTP is a problem for the caller and a kind for the log, and no value is in either.

gunicorn's own answer is a page, and its log quotes the line or header that it could not read.
"""

from __future__ import annotations

import json
import socket
import ssl
import traceback
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from api.errors import PROBLEM_TYPE, PROBLEMS

_STATUS_OF: dict[type[Exception], int] = {
    errors.LimitRequestLine: 414,
    errors.ExpectationFailed: 417,
    errors.LimitRequestHeaders: 431,
    errors.UnsupportedTransferCoding: 501,
    errors.ForbiddenProxyRequest: 403,
    # What the application itself sent, or was told to be.
    errors.InvalidResponseHeader: 500,
    errors.InvalidResponseHeaderName: 500,
    errors.ConfigurationProblem: 500,
}


class ProblemWorker(ThreadWorker):
    # Where it counts: see api/metric_files.py.
    slot: int

    def handle_error(self, req: object, client: socket.socket, addr: object, exc: Exception) -> None:
        status, kind, request_id = _status_of(exc), type(exc).__name__, uuid4().hex[:24]
        if status == 500:
            places = [f"{each.filename}:{each.lineno}" for each in traceback.extract_tb(exc.__traceback__)]
            self.log.error("Request %s failed: %s at %s", request_id, kind, " ".join(places[-8:]))
        else:
            self.log.warning("Request %s is no HTTP: %s", request_id, kind)
        try:
            util.write_nonblock(client, problem_answer(status, request_id))
        except OSError:
            self.log.debug("The caller of request %s is gone", request_id)


def problem_answer(status: int, request_id: str) -> bytes:
    """A whole answer of HTTP/1.1, for a request that never reached the application."""
    code = {400: "bad_request", 500: "internal_error"}.get(status, "http_error")
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": PROBLEMS[code].title,
        "status": status,
        "code": code,
        "request_id": request_id,
    }
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Connection: close",
        f"Content-Type: {PROBLEM_TYPE}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"X-Request-Id: {request_id}",
        "\r\n",
    )
    return "\r\n".join(head).encode() + body


def _status_of(error: Exception) -> int:
    for kind, status in _STATUS_OF.items():
        if isinstance(error, kind):
            return status
    return 400 if isinstance(error, errors.ParseException | ssl.SSLError) else 500
