"""What a record's events add up to, kept beside them so that a view need not read them all.

Grain: one row per record, kind and subject. Made anew from the events at any time; a record that is deleted has none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, delete, select

from cdp.canonical import canonical_json
from cdp.store import id_set, insert_rows
from cdp.store.quick import QuickStatement
from cdp.store.schema import engagement_states as states


class StateKey(NamedTuple):
    record_id: int
    kind: str
    subject_id: str


class State(NamedTuple):
    document: Mapping[str, Any]
    is_open: bool
    changed_at: datetime


def select_states(
    connection: Connection, record_ids: Collection[int], kinds: Collection[str]
) -> dict[StateKey, State]:
    if not record_ids:
        return {}
    wanted = id_set(connection, sorted(record_ids))
    statement = (
        select(
            states.c.record_id,
            states.c.kind,
            states.c.subject_id,
            states.c.state,
            states.c.is_open,
            states.c.changed_at,
        )
        .join_from(wanted, states, states.c.record_id == wanted.c.id)
        .where(states.c.kind.in_(sorted(kinds)))
    )
    return {
        StateKey(row.record_id, row.kind, row.subject_id): State(
            orjson.loads(row.state), row.is_open, row.changed_at
        )
        for row in connection.execute(statement)
    }


def replace_states(connection: Connection, changed: Mapping[StateKey, State]) -> None:
    _DELETE.run_many(
        connection,
        [{"of_record": key.record_id, "of_kind": key.kind, "of_subject": key.subject_id} for key in changed],
    )
    rows = [
        (*key, canonical_json(each.document), each.is_open, each.changed_at) for key, each in changed.items()
    ]
    insert_rows(connection, states, rows, columns=[column.name for column in states.c])


def of_kind(found: Mapping[StateKey, State], kind: str) -> Iterable[tuple[StateKey, State]]:
    return ((key, state) for key, state in found.items() if key.kind == kind)


_DELETE = QuickStatement(
    delete(states).where(
        states.c.record_id == bindparam("of_record"),
        states.c.kind == bindparam("of_kind"),
        states.c.subject_id == bindparam("of_subject"),
    )
)
