"""Shared and generic values: identifiers that more people hold than one person's would be.

Grain: one row per value, known by its linkage column; a value that is its holder's own has none.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, select

from cdp.store.schema import shared_values
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

_generic = select(shared_values.c.value_key).where(
    shared_values.c.value_key.in_(bindparam("value_keys", expanding=True)),
    shared_values.c.sharing == "generic",
)


def select_generic(connection: Connection, identifiers: Collection[IdentifierValue]) -> set[IdentifierValue]:
    """Those of the identifiers that point at nobody."""
    keys = {
        value_key(column, value): (kind, value)
        for kind, value in identifiers
        for column in COLUMNS_OF_KIND[kind]
    }
    if not keys:
        return set()
    return {keys[found] for found in connection.scalars(_generic, {"value_keys": list(keys)})}


def select_sharing(connection: Connection, values: Collection[Value]) -> dict[Value, str]:
    """'shared' or 'generic', of the values that are."""
    keys = {value_key(*value): value for value in values}
    statement = select(shared_values.c.value_key, shared_values.c.sharing).where(
        shared_values.c.value_key.in_(list(keys))
    )
    return {keys[row.value_key]: row.sharing for row in connection.execute(statement)}
