"""Calls that come twice have one effect: the answer is stored in the write of the effect, by the caller's own key.

Whoever is killed before the write ends leaves neither, so the same call begins anew; after it, the call gets the stored
answer. Only what was done is stored: a call that was refused changed nothing and may come again.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine, select

from cdp.canonical import canonical_json
from cdp.errors import CdpError
from cdp.store import read, retry_write
from cdp.store.schema import idempotent_answers

Result = TypeVar("Result")
Other = TypeVar("Other")

# Answers deleted in one write: others wait for it on SQLite.
_AT_A_STEP = 1000


@dataclass(frozen=True)
class Call:
    """What a caller asks for under a key of its own. request_hash: of all that the effect depends on."""

    key_id: str
    idempotency_key: str
    route: str
    request_hash: str
    now: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Answer:
    """profile_ids: whom it tells of. An erasure finds it by them, and showing it again is audited by them."""

    status: int
    body: bytes
    profile_ids: Collection[str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Once(Generic[Result]):
    """A call to carry out once, and what is to be answered to the result of its effect. `answer` runs inside the write,
    maybe in another thread and more than once, and touches no store."""

    call: Call
    answer: Callable[[Result], Answer]

    def after(self, make: Callable[[Other], Result]) -> Once[Other]:
        """For what the result is made of."""
        return Once(self.call, lambda other: self.answer(make(other)))


class AnsweredBeforeError(CdpError):
    """The call was carried out before: nothing is done, and this is its answer."""

    reason = "answered_before"

    def __init__(self, answer: Answer) -> None:
        super().__init__("The call was carried out before.")
        self.answer = answer


class KeyReusedError(CdpError):
    reason = "idempotency_key_reused"


class KeyRunningError(CdpError):
    reason = "idempotency_key_running"


class RunningCalls:
    """The calls that this process is carrying out; its threads share it. Those of other processes are met in the store,
    which lets the later one wait for the earlier."""

    def __init__(self) -> None:
        self._running: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def running(self, call: Call) -> Iterator[None]:
        """Raises KeyRunningError while another thread carries out a call with this key."""
        name = call.key_id, call.idempotency_key
        with self._lock:
            if name in self._running:
                raise KeyRunningError("The first call with this key is not answered yet.")
            self._running.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(name)


def carry_out_once(
    connection: Connection, once: Once[Result] | None, work: Callable[[Connection], Result]
) -> Result:
    """Do the work, as part of the caller's write, unless it was done. Raises AnsweredBeforeError, KeyReusedError."""
    if once is None:
        return work(connection)
    require_unanswered(connection, once.call)
    result = work(connection)
    insert_answer(connection, once.call, once.answer(result))
    return result


def require_unanswered(connection: Connection, call: Call) -> None:
    """Raises AnsweredBeforeError, KeyReusedError."""
    answer = select_answer(connection, call)
    if answer is not None:
        raise AnsweredBeforeError(answer)


def select_answer(connection: Connection, call: Call) -> Answer | None:
    """Raises KeyReusedError when the key stands for another call."""
    c = idempotent_answers.c
    row = connection.execute(
        select(c.request_hash, c.status, c.headers, c.body, c.profile_ids).where(
            c.key_id == call.key_id, c.idempotency_key == call.idempotency_key, c.expires_at > call.now
        )
    ).first()
    if row is None:
        return None
    if row.request_hash != call.request_hash:
        raise KeyReusedError("This key stands for another call: send a new one with each.")
    return Answer(row.status, zlib.decompress(row.body), json.loads(row.profile_ids), json.loads(row.headers))


def insert_answer(connection: Connection, call: Call, answer: Answer) -> None:
    """In place of an expired one. A second one that comes at the same moment fails, and with it its effect."""
    c = idempotent_answers.c
    connection.execute(
        idempotent_answers.delete().where(
            c.key_id == call.key_id, c.idempotency_key == call.idempotency_key, c.expires_at <= call.now
        )
    )
    connection.execute(
        idempotent_answers.insert(),
        {
            "key_id": call.key_id,
            "idempotency_key": call.idempotency_key,
            "route": call.route,
            "request_hash": call.request_hash,
            "status": answer.status,
            "headers": canonical_json(dict(answer.headers)),
            # Of a batch there may be hundreds of kilobytes, a tenth of it packed.
            "body": zlib.compress(answer.body, 1),
            "profile_ids": canonical_json(sorted(set(answer.profile_ids))),
            "created_at": call.now,
            "expires_at": call.expires_at,
        },
    )


def delete_expired_answers(engine: Engine, *, now: datetime) -> int:
    """Some of them, the oldest first; returns how many. 0: none is left."""
    c = idempotent_answers.c
    expired = select(c.answer_id).where(c.expires_at <= now).order_by(c.expires_at).limit(_AT_A_STEP)
    with read(engine) as connection:
        answer_ids = list(connection.scalars(expired))
    if not answer_ids:
        return 0

    def work(connection: Connection) -> int:
        deleting = idempotent_answers.delete().where(c.answer_id.in_(answer_ids), c.expires_at <= now)
        return connection.execute(deleting).rowcount

    return retry_write(engine, work)
