"""The model that one record at a time is resolved with: that of the edges in the store, compiled once a process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime

from sqlalchemy import Connection, Engine

from cdp.errors import CdpError
from cdp.identity.activate import require_active_model
from cdp.identity.models import compile_online, require_model, select_active_version
from cdp.identity.resolution_runs import PublishedRun, insert_online_run, select_last_published
from cdp.store import read
from resolution import OnlineModel

# The version in force, and one before it for requests that have begun.
_KEPT = 2


class StoreNotResolvedError(CdpError):
    """What was resolved before has no index that one record could be resolved with."""

    reason = "store_not_resolved"


class OnlineModels:
    """Compiled models by version. Threads share it; a model is compiled by the first that needs it."""

    def __init__(self) -> None:
        self._models: OrderedDict[int, OnlineModel] = OrderedDict()
        self._lock = threading.Lock()

    def require(self, connection: Connection, version: int) -> OnlineModel:
        with self._lock:
            found = self._models.get(version)
            if found is None:
                found = self._models[version] = compile_online(require_model(connection, version))
                while len(self._models) > _KEPT:
                    self._models.popitem(last=False)
            self._models.move_to_end(version)
            return found


class NoModelError(CdpError):
    """No model is in force yet, as in a new store; prepare_store puts the shipped one there."""

    reason = "no_model"


def prepare_store(engine: Engine, *, now: datetime) -> None:
    """Put the shipped prior in force where no model is yet."""
    with read(engine) as connection:
        version = select_active_version(connection)
    if version is None:
        require_active_model(engine, now=now)


def select_online_version(connection: Connection) -> int | None:
    """The version that everything in the store was resolved with, None where nothing was; for reading.

    Raises StoreNotResolvedError for profiles of a release that kept no index.
    """
    last = select_last_published(connection)
    if last is None:
        return None
    _require_index(last)
    return last.model_version


def require_online_version(connection: Connection, *, now: datetime) -> int:
    """The version that everything in the store was resolved with; in a write.

    From here on the store is not as a batch left it: the next batch finds its own rows to write. Raises
    StoreNotResolvedError for profiles of a release that kept no index, NoModelError in a new store.
    """
    last = select_last_published(connection)
    if last is not None:
        _require_index(last)
    if last is not None and last.kind == "online":
        return last.model_version
    version = last.model_version if last is not None else select_active_version(connection)
    if version is None:
        raise NoModelError("No model is in force yet.")
    insert_online_run(connection, version, now=now)
    return version


def _require_index(last: PublishedRun) -> None:
    if last.kind == "batch" and "value_holders_digest" not in last.counts:
        raise StoreNotResolvedError("The profiles were made by an earlier release: run `cdp resolve` once.")
