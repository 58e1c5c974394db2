"""Idempotency-Key: a call that comes twice has one effect and one answer."""

from __future__ import annotations

import contextvars
import hashlib
import re
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any, TypeVar

from flask import Response, request

from api.auth import current_caller
from api.errors import Problem
from api.inputs import ApiBlueprint, View
from api.service import current_service
from cdp.idempotency import Answer, AnsweredBeforeError, Call, Once, select_answer
from cdp.store import read

REPLAYED_HEADER = "Idempotency-Replayed"

_HEADER = "Idempotency-Key"
_KEY = re.compile(r"[!-~]{1,255}")
# Of an answer, what says how to read it; the others are of each request.
_KEPT_HEADERS = ("Content-Type", "Content-Language", "Content-Location", "ETag", "Location")

REPLAYED = {
    REPLAYED_HEADER: {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "Only where the call came before: this is the answer to it, and nothing was done again.",
    }
}

KEY_RUNNING = "The first call with this Idempotency-Key is not answered yet"
KEY_REUSED = "The Idempotency-Key stands for another call, or is none"

Result = TypeVar("Result")


def idempotency_header(meaning: str) -> dict[str, Any]:
    """The parameter as the description tells of it."""
    return {
        "name": _HEADER,
        "in": "header",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "description": meaning,
        "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    }


REQUIRED_IDEMPOTENCY_HEADER = idempotency_header(
    "A key of the caller's own for this call, such as a UUID: sent again with it, the call has no second effect and "
    "gets the same answer. Not needed with dry_run=true."
)
OPTIONAL_IDEMPOTENCY_HEADER = idempotency_header(
    "A key of the caller's own for this call, such as a UUID: sent again with it, the call gets the same answer. The "
    "call is safe to repeat without it too, but may then answer that nothing changed."
)


def key_refused(blueprint: ApiBlueprint, *, is_required: bool) -> Callable[[View], View]:
    """Describes what the header can be refused for. Put it lowest: a call with more to say of a status says both."""
    refusals = {400: "There is no Idempotency-Key"} if is_required else {}
    refusals |= {409: KEY_RUNNING, 422: KEY_REUSED}

    def described(view: View) -> View:
        for status, description in refusals.items():
            view = blueprint.refuses(status, description)(view)
        return view

    return described


def read_idempotency_key(*, is_required: bool) -> str | None:
    """Raises Problem for one that is missing or none."""
    key = request.headers.get(_HEADER)
    if key is None and is_required:
        raise Problem("idempotency_key_required")
    if key is not None and not _KEY.fullmatch(key):
        detail = "One to 255 visible ASCII characters."
        raise Problem("validation_failed", errors=[{"pointer": f"/headers/{_HEADER}", "detail": detail}])
    return key


def answer_once(
    key: str | None,
    act: Callable[[Call | None], Response],
    *,
    before_replay: Callable[[Answer], None] = lambda answer: None,
) -> Response:
    """What `act` answers, or answered to the same call. It stores its answer with its effect: see once.

    Before_replay: what showing the answer again asks for. Raises KeyRunningError, KeyReusedError.
    """
    if key is None:
        return act(None)
    service, call = current_service(), _read_call(key)
    with service.running_calls.running(call):
        # A look beforehand: a repeated call need not wait for its turn to write.
        with read(service.store.engine()) as connection:
            stored = select_answer(connection, call)
        if stored is None:
            try:
                return act(call)
            except AnsweredBeforeError as error:
                stored = error.answer
    before_replay(stored)
    return _replayed(stored)


def once(
    call: Call | None,
    respond: Callable[[Result], Response],
    profile_ids: Callable[[Result], Collection[str]],
) -> Once[Result] | None:
    """For the use case: the call, and how its result is answered. Profile ids: whom the answer tells of."""
    if call is None:
        return None
    # The write may be another thread's, and the answer is made in the context of this request all the same.
    context = contextvars.copy_context()

    def answer(result: Result) -> Answer:
        response = context.run(respond, result)
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        return Answer(response.status_code, response.get_data(), profile_ids(result), kept)

    return Once(call, answer)


def answer_work(
    carry_out: Callable[[Once[Result] | None], Result], respond: Callable[[Result], Response]
) -> Response:
    """What comes of work whose answer shows nobody, once where the caller gives a key: `carry_out` takes the call to
    its write, `respond` answers to the result and touches no store."""

    def act(call: Call | None) -> Response:
        return respond(carry_out(once(call, respond, lambda _: ())))

    return answer_once(read_idempotency_key(is_required=False), act)


def _read_call(key: str) -> Call:
    service = current_service()
    now = service.clock()
    expires_at = now + timedelta(seconds=service.settings.idempotency_seconds)
    route = f"{request.method} {request.url_rule.rule if request.url_rule else ''}"
    return Call(current_caller().key_id, key, route, _hash_request(), now, expires_at)


def _hash_request() -> str:
    """Of the address and the body as they came. The other headers say nothing about the effect but for If-Match, and
    who got no answer to a decision may by now hold another ETag."""
    address = f"{request.method} {request.full_path}".encode(errors="surrogatepass")
    hashed = hashlib.sha256(b"%d %b" % (len(address), address))
    hashed.update(request.get_data())
    return hashed.hexdigest()


def _replayed(answer: Answer) -> Response:
    response = Response(answer.body, answer.status, dict(answer.headers))
    response.headers[REPLAYED_HEADER] = "true"
    return response
