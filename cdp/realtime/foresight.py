"""What records ask of the engine, worked out while another process is at writing: the write itself is then shorter.

Only what follows from the contents of records is kept, and the write reads the store anew. So nothing that changed
meanwhile can be missed: it is worked out then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import islice

from sqlalchemy import Connection, Engine

from cdp.errors import CdpError
from cdp.realtime.incoming import IncomingRecord
from cdp.realtime.linkage_index import LinkageTexts, StoreIndex
from cdp.realtime.online_models import OnlineModels, select_online_version
from cdp.store import read
from resolution import IndexedRecord, OnlineModel, Readings, Sharing, Value, foresee

# A few milliseconds: the turn may come meanwhile, and nobody writes until it is taken.
_RECORDS_A_STEP = 20
# Behind the ids of all records in a store.
_FIRST_ID = 2**62


class Foresight:
    """Of the requests that are to be taken in together; for one thread. It is handed the same records again and again.

    texts: the records that were read, as the store had them.
    """

    def __init__(self, engine: Engine, models: OnlineModels) -> None:
        self._engine, self._models = engine, models
        self._readings: Readings | None = None
        self._seen: set[int] = set()
        self._coming: dict[int, IndexedRecord] = {}
        self._blocks: dict[int, list[int]] = {}
        self.texts: LinkageTexts = {}

    def step(self, records: Sequence[IncomingRecord]) -> bool:
        """Look at a few that it has not seen; False when there are none."""
        new = list(islice((record for record in records if id(record) not in self._seen), _RECORDS_A_STEP))
        if not new:
            return False
        self._seen.update(map(id, new))
        first_id = _FIRST_ID + len(self._coming)
        coming = {record_id: record.indexed(record_id) for record_id, record in enumerate(new, first_id)}
        self._coming |= coming
        # What is wrong with the store or its model is told in the write.
        with suppress(CdpError):
            self._look(coming)
        return True

    def readings(self, model: OnlineModel) -> Readings | None:
        """Those under this very model."""
        return self._readings if self._readings is not None and self._readings.model is model else None

    def _look(self, coming: Collection[int]) -> None:
        with read(self._engine) as connection:
            readings = self._require_readings(connection)
            if readings is None:
                return
            index = _IndexBefore(
                connection,
                readings.model.model.version,
                written=self._coming,
                texts=self.texts,
            )
            foresee(index, readings, coming, self._blocks)

    def _require_readings(self, connection: Connection) -> Readings | None:
        """None in a store where nothing was resolved."""
        if self._readings is None:
            version = select_online_version(connection)
            if version is not None:
                self._readings = Readings(self._models.require(connection, version))
        return self._readings


class _IndexBefore(StoreIndex):
    """Takes no value for a shared one: few records hold any, and what is foreseen of these is not used."""

    def select_sharing(self, values: Collection[Value]) -> dict[Value, Sharing]:
        return {}
