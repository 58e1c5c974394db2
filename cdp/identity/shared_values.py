"""Shared and generic values: identifiers that more people hold than one person's would be.

Grain: one row per value, known by its linkage column; a value that is its holder's own has none.
"""

from __future__ import annotations

from collections.abc import Collection
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
