"""What can be wrong with a store, and how the databases' own errors say so."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cdp.errors import CdpError


class StoreError(CdpError):
    """The store as a whole, not one row of it, is the matter."""

    reason = "store_error"


class UnsupportedStoreError(StoreError):
    reason = "store_unsupported"


class StoreMissingError(StoreError):
    reason = "store_missing"


class NotMigratedError(StoreError):
    reason = "store_not_migrated"


class OutdatedStoreError(StoreError):
    reason = "store_outdated"


class NewerStoreError(StoreError):
    reason = "store_newer"


class NotAStoreError(StoreError):
    reason = "not_a_store"


class StoreUnavailableError(StoreError):
    reason = "store_unavailable"


class StoreBusyError(StoreError):
    reason = "store_busy"


class StoreReadOnlyError(StoreError):
    reason = "store_read_only"


class StoreFullError(StoreError):
    reason = "store_full"


class WriteConflictError(StoreError):
    """Another writer came first; the same work may succeed when it is begun anew (`retry_write`)."""

    reason = "write_conflict"


_BUSY = "The store is busy: another writer holds it for longer than this one may wait. Try again later."
_READ_ONLY = "The store can only be read: give this user write access to it and to its directory."
_FULL = "The store's disk is full: free some space, then try again. Nothing of this write was kept."
_UNAVAILABLE = "The store does not answer: see that its database runs, can be reached and lets this user in."
_NO_DATABASE = "That database does not exist: create it (`createdb`), then run `cdp migrate`."
_NOT_A_STORE = "The store's file is damaged or is not a database: restore it from a backup."
_CONFLICT = "Another writer changed the same rows at the same time: begin this write anew."

_SQLITE = {
    sqlite3.SQLITE_BUSY: (StoreBusyError, _BUSY),
    sqlite3.SQLITE_LOCKED: (StoreBusyError, _BUSY),
    sqlite3.SQLITE_READONLY: (StoreReadOnlyError, _READ_ONLY),
    sqlite3.SQLITE_FULL: (StoreFullError, _FULL),
    sqlite3.SQLITE_CANTOPEN: (StoreUnavailableError, "The store's file cannot be opened: see its rights."),
    sqlite3.SQLITE_IOERR: (StoreUnavailableError, "The store's disk fails to read or write: see its health."),
    sqlite3.SQLITE_NOTADB: (NotAStoreError, _NOT_A_STORE),
    sqlite3.SQLITE_CORRUPT: (NotAStoreError, _NOT_A_STORE),
}

# By SQLSTATE or, where all of them mean the same, by its class of two characters.
_POSTGRESQL = {
    "08": (StoreUnavailableError, _UNAVAILABLE),
    "57P": (StoreUnavailableError, _UNAVAILABLE),
    "53300": (StoreBusyError, "The database takes no more connections now: try again later."),
    "53100": (StoreFullError, _FULL),
    "55P03": (StoreBusyError, _BUSY),
    "57014": (StoreBusyError, _BUSY),
    "40001": (WriteConflictError, _CONFLICT),
    "40P01": (WriteConflictError, _CONFLICT),
    "25006": (StoreReadOnlyError, _READ_ONLY),
}


def store_error(error: BaseException) -> StoreError | None:
    """The store's own error for a driver's, or None when a row, a value or a statement is at fault."""
    if isinstance(error, PoolTimeoutError):
        return StoreBusyError("All connections to the store are in use: try again later.")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        # The low byte is the primary code, the rest says more about the same.
        return _named(_SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF))
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return _named(_POSTGRESQL.get(state) or _POSTGRESQL.get(state[:3]) or _POSTGRESQL.get(state[:2]))
    if isinstance(error, OperationalError):
        # The connection broke, or there never was one; the driver hands on the server's words but no state.
        refused = str(cause)
        if "database" in refused and "does not exist" in refused:
            return StoreMissingError(_NO_DATABASE)
        return StoreUnavailableError(_UNAVAILABLE)
    return None


class store_errors:  # Read as a verb, as contextlib's are.
    """Turn the drivers' errors about the store as a whole into named ones; let all others pass."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (DBAPIError, PoolTimeoutError, sqlite3.Error)):
            named = store_error(error)
            if named is not None:
                raise named from error


def _named(known: tuple[type[StoreError], str] | None) -> StoreError | None:
    return known[0](known[1]) if known else None
