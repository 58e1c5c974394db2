"""The store of record: its engine, its transactions, its tables. Nothing else knows the dialect."""

from cdp.store import schema
from cdp.store.bulk import (
    Columns,
    filled_table,
    id_set,
    insert_columns,
    insert_rows,
    reserve_ids,
    stream_rows,
    take_statistics,
    temporary_table,
)
from cdp.store.engine import (
    open_store,
    read,
    retry_write,
    write,
    write_alone,
    write_exclusively,
    writes_are_serial,
)
from cdp.store.errors import StoreError, store_error
from cdp.store.instants import Instant
from cdp.store.migration import migrate
from cdp.store.replacement import replace_columns

__all__ = [
    "Columns",
    "Instant",
    "StoreError",
    "filled_table",
    "id_set",
    "insert_columns",
    "insert_rows",
    "migrate",
    "open_store",
    "read",
    "replace_columns",
    "reserve_ids",
    "retry_write",
    "schema",
    "store_error",
    "stream_rows",
    "take_statistics",
    "temporary_table",
    "write",
    "write_alone",
    "write_exclusively",
    "writes_are_serial",
]
