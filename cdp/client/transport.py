"""One call over HTTP: pooled connections, timeouts, and calls that are made again when this can do no harm.

Every call may be made again: reads and previews change nothing, and all else carries an Idempotency-Key that stays the
same, so that the service gives the answer of the first time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

import urllib3
from urllib3.exceptions import HTTPError

from cdp.client.errors import UnreachableError, problem


class _Again(urllib3.Retry):
    """Waits as long as the service says; a 409 with Retry-After is a first call that is still at work."""

    RETRY_AFTER_STATUS_CODES = frozenset((409, 429, 503))


@dataclass(frozen=True)
class Reply:
    status: int
    document: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Patience:
    """How long to wait for an answer, how often to ask again, and how long between.

    backoff_seconds doubles each time, plus as much again by chance; where the service says when, it is when it says,
    at most retry_after_seconds.
    """

    connect_seconds: float = 3.0
    answer_seconds: float = 30.0
    retries: int = 4
    backoff_seconds: float = 0.2
    backoff_at_most_seconds: float = 10.0
    retry_after_seconds: int = 60


class Transport:
    def __init__(self, base_url: str, key: str, patience: Patience, *, connections: int) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json, application/problem+json",
        }
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            timeout=urllib3.Timeout(connect=patience.connect_seconds, read=patience.answer_seconds),
            retries=_Again(
                total=patience.retries,
                redirect=0,
                allowed_methods=None,
                # Of a proxy that could not reach the service.
                status_forcelist=(502, 504),
                backoff_factor=patience.backoff_seconds,
                backoff_max=patience.backoff_at_most_seconds,
                backoff_jitter=patience.backoff_seconds,
                raise_on_status=False,
                raise_on_redirect=False,
                retry_after_max=patience.retry_after_seconds,
            ),
        )

    def close(self) -> None:
        self._pool.clear()

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        """Raises ProblemError and UnreachableError. Of query and headers, what is None is left out."""
        url = self._base_url + path
        if asked := {name: _text(value) for name, value in (query or {}).items() if value is not None}:
            url = f"{url}?{urlencode(asked)}"
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        try:
            answer = self._pool.request(method, url, body=data, headers={**self._headers, **sent})
        except HTTPError as error:
            # Its words may hold the address with its query, and no values: these travel in bodies.
            raise UnreachableError(f"{method} {path}: no answer ({type(error).__name__}).") from error
        return _reply(answer)


def segment(text: object) -> str:
    """A part of a path; one of dots alone would lead upwards."""
    quoted = quote(str(text), safe="")
    return quoted.replace(".", "%2E") if quoted in (".", "..") else quoted


def _reply(answer: urllib3.BaseHTTPResponse) -> Reply:
    document = _document(answer.data)
    if answer.status >= 300 and answer.status != 304:
        raise problem(answer.status, document if isinstance(document, dict) else {})
    return Reply(answer.status, document, cast("Mapping[str, str]", answer.headers))


def _document(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
