"""All that follows from the records of a store, by keys that every store of the same records shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Engine, select

from cdp.store import read
from cdp.store.schema import (
    blocking_keys,
    edges,
    memberships,
    merge_candidates,
    shared_values,
    source_records,
    sources,
    value_holders,
)

Key = tuple[str, str]


@dataclass(frozen=True)
class Findings:
    """What the records of a store make, by source and key; profile ids and row ids left out."""

    people: list[tuple[Key, ...]]
    candidates: list[tuple[Key, Key, str]]
    edges: set[tuple[Key, Key, float, str]]
    keys: set[tuple[int, Key]]
    holders: set[tuple[int, str, Key]]
    shared: set[tuple[str, str, int, str]]


def findings(engine: Engine) -> Findings:
    with read(engine) as connection:
        key_of = _keys(connection)
        people: dict[str, list[Key]] = {}
        for row in connection.execute(select(memberships).where(memberships.c.valid_to.is_(None))):
            people.setdefault(row.profile_id, []).append(key_of[row.record_id])
        open_candidates = select(merge_candidates).where(merge_candidates.c.state == "open")
        return Findings(
            people=sorted(tuple(sorted(keys)) for keys in people.values()),
            candidates=sorted(
                (*_ends(row, key_of), row.reason) for row in connection.execute(open_candidates)
            ),
            edges={
                (*_ends(row, key_of), round(row.match_weight, 6), row.origin)
                for row in connection.execute(select(edges))
            },
            keys={
                (row.blocking_key, key_of[row.record_id]) for row in connection.execute(select(blocking_keys))
            },
            holders={
                (row.value_key, row.given_sound, key_of[row.record_id])
                for row in connection.execute(select(value_holders))
            },
            shared={
                (row.column_name, row.value, row.holder_count, row.sharing)
                for row in connection.execute(select(shared_values))
            },
        )


def differences(one: Findings, other: Findings) -> Iterator[str]:
    """What each has that the other has not, the people first; nothing where both are the same."""
    for field in fields(Findings):
        of_one, of_other = set(getattr(one, field.name)), set(getattr(other, field.name))
        for side, rows in (("first", of_one - of_other), ("second", of_other - of_one)):
            if rows:
                yield f"{len(rows):,} {field.name} only in the {side}, as {min(rows)}"


def _keys(connection: Connection) -> dict[int, Key]:
    table = source_records
    rows = connection.execute(
        select(table.c.record_id, sources.c.name, table.c.source_record_id).join_from(table, sources)
    )
    return {row.record_id: (row.name, row.source_record_id) for row in rows}


def _ends(row: Any, key_of: Mapping[int, Key]) -> tuple[Key, Key]:
    low, high = sorted((key_of[row.record_id_l], key_of[row.record_id_r]))
    return low, high
