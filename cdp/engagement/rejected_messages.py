"""Messages that were refused: which, why and when, for whoever mends the sender.

Grain: one row per message and reason. What the message said is not kept: it names nobody who could be found and erased.
The sender is told where the fault lies to the letter; kept is only what names no person, neither as the id of a message
nor as the name of a member.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cdp.engagement.message import ID_LIMIT, RefusedMessageError, message_hash
from cdp.privacy.masking import HIDDEN, mask_source_record_id
from cdp.store import id_set, insert_rows
from cdp.store.schema import EVENT_KINDS, sources
from cdp.store.schema import rejected_messages as rejected

_TEXT_LIMIT = 200
# Of a place in a list; more may be a phone.
_PLACE_DIGITS = 5
# As SDKs make them: random, after their name and the time in milliseconds at most.
_RANDOM_ID = re.compile(
    r"(?:[a-z]+-){0,3}(?:1\d{12}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
# The members of a message that its specification names. Others, and all within them, senders name as they like.
_MEMBERS = frozenset(
    {
        *("type", "userId", "anonymousId", "previousId", "groupId", "messageId", "event", "name", "category"),
        *("timestamp", "originalTimestamp", "sentAt", "traits", "properties", "context", "integrations"),
    }
)


@dataclass(frozen=True)
class Rejection:
    """index: its place among those that came together. pointer: into the message."""

    index: int
    message_id: str | None
    kind: str | None
    code: str
    pointer: str
    detail: str
    message_hash: str
    size_bytes: int


def reject(index: int, values: object, error: RefusedMessageError) -> Rejection:
    named = values if isinstance(values, Mapping) else {}
    message_id, kind = named.get("messageId"), named.get("type")
    text = json.dumps(values, default=str)
    return Rejection(
        index=index,
        message_id=message_id if _is_plain(message_id) else None,
        kind=kind if kind in EVENT_KINDS else None,
        code=error.code,
        pointer=error.pointer[:_TEXT_LIMIT],
        detail=str(error)[:_TEXT_LIMIT],
        message_hash=message_hash(values),
        size_bytes=len(text),
    )


def insert_rejections(
    connection: Connection, source_id: int, new: Sequence[Rejection], *, now: datetime
) -> int:
    """Keep those that are not kept yet; returns how many."""
    distinct = {(each.message_hash, each.code): each for each in reversed(new)}
    known = _select_known(connection, source_id, [each.message_hash for each in distinct.values()])
    rows = [
        (
            source_id,
            each.message_hash,
            _kept_id(each.message_id),
            each.kind,
            each.code,
            _kept_pointer(each.pointer),
            each.detail,
            each.size_bytes,
            now,
        )
        for name, each in sorted(distinct.items())
        if name not in known
    ]
    names = [column.name for column in rejected.c if column is not rejected.c.rejection_id]
    insert_rows(connection, rejected, rows, columns=names)
    return len(rows)


def select_rejections(
    connection: Connection, *, source: str | None = None, limit: int
) -> list[dict[str, Any]]:
    """The newest first."""
    columns = [each for each in rejected.c if each not in (rejected.c.source_id, rejected.c.message_hash)]
    statement = (
        select(sources.c.name.label("source"), *columns)
        .join_from(rejected, sources, sources.c.source_id == rejected.c.source_id)
        .order_by(rejected.c.rejection_id.desc())
        .limit(limit)
    )
    if source is not None:
        statement = statement.where(sources.c.name == source)
    return [dict(row) for row in connection.execute(statement).mappings()]


def _select_known(connection: Connection, source_id: int, hashes: Sequence[str]) -> set[tuple[str, str]]:
    if not hashes:
        return set()
    wanted = id_set(connection, sorted(set(hashes)))
    statement = (
        select(rejected.c.message_hash, rejected.c.code)
        .join_from(wanted, rejected, rejected.c.message_hash == wanted.c.id)
        .where(rejected.c.source_id == source_id)
    )
    return {(row.message_hash, row.code) for row in connection.execute(statement)}


def _kept_id(message_id: str | None) -> str | None:
    if message_id is None or _RANDOM_ID.fullmatch(message_id):
        return message_id
    return mask_source_record_id(message_id)


def _kept_pointer(pointer: str) -> str:
    member, *within = pointer.split("/")[1:] or [""]
    steps = [
        member if member in _MEMBERS or not member else HIDDEN,
        *(each if each.isdigit() and len(each) < _PLACE_DIGITS else HIDDEN for each in within),
    ]
    return f"/{'/'.join(steps)}" if pointer else ""


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= ID_LIMIT and text.isprintable()
