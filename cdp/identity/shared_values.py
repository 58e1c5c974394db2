"""Shared and generic values: identifiers that more people hold than one person's would be.

Grain: one row per value, known by its linkage column; a value that is its holder's own has none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from cdp.store.quick import quick
from cdp.store.schema import shared_values
from cdp.store.sets import number_set, set_values
from resolution import Value, value_key

# What the engine calls the identifiers of each kind.
COLUMNS_OF_KIND = {
    "phone": ("phones",),
    "email": ("emails",),
    "handle": ("handles",),
    "loyalty_id": ("loyalty_ids",),
    "device_id": ("device_ids",),
    "document": ("documents", "other_documents"),
    "whatsapp_bsuid": ("whatsapp_bsuids",),
}

# (kind, value)
IdentifierValue = tuple[str, str]


def select_generic(connection: Connection, identifiers: Collection[IdentifierValue]) -> set[IdentifierValue]:
    """Those of the identifiers that point at nobody."""
    keys = {
        value_key(column, value): (kind, value)
        for kind, value in identifiers
        for column in COLUMNS_OF_KIND[kind]
    }
    if not keys:
        return set()
    shared = _select(connection, keys)
    return {keys[key] for key, sharing in shared.items() if sharing == "generic"}


@dataclass(frozen=True)
class SharedValue:
    """kind: of the identifier. is_held: somebody reported it as not its holders' own."""

    kind: str
    value: str
    sharing: str
    holder_count: int
    is_held: bool
    counted_at: datetime


def select_most_shared(connection: Connection, *, limit: int) -> list[SharedValue]:
    """Those with most holders first."""
    kind_of = {column: kind for kind, columns in COLUMNS_OF_KIND.items() for column in columns}
    table = shared_values
    rows = connection.execute(
        select(table).order_by(table.c.holder_count.desc(), table.c.value_key).limit(limit)
    )
    return [
        SharedValue(
            kind_of.get(row.column_name, row.column_name),
            row.value,
            row.sharing,
            row.holder_count,
            row.is_held,
            row.counted_at,
        )
        for row in rows
    ]


def select_sharing(connection: Connection, values: Collection[Value]) -> dict[Value, str]:
    """'shared' or 'generic', of the values that are."""
    keys = {value_key(*value): value for value in values}
    return {keys[key]: sharing for key, sharing in _select(connection, keys).items()}


def _select(connection: Connection, value_keys: Collection[int]) -> dict[int, str]:
    bound = set_values(connection, "keys", value_keys)
    return dict(_sharing(connection.dialect.name).tuples(connection, **bound))


@quick
def _sharing(dialect: str) -> Select[Any]:
    keys = number_set(dialect, "keys")
    return select(shared_values.c.value_key, shared_values.c.sharing).where(
        shared_values.c.value_key.in_(select(keys.c.id))
    )
