"""A record as a channel sends it, checked and standardized before the store is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from cdp.errors import CdpError
from cdp.identity.sources import Source
from cdp.intake.instants import FUTURE_AT_MOST
from cdp.intake.rows import RefusedRowError
from cdp.intake.shape import CheckedRecord, check_record
from resolution import IndexedRecord, Linkage, linkage_hash, names_somebody
from resolution.standardize import Refusal, StandardizedRecord, Standardizer


class RefusedRecordError(CdpError):
    """A record that cannot be taken in; nothing of it is stored. `code` is one of the reasons of docs/import.md."""

    reason = "record_refused"

    def __init__(self, code: str, message: str, pointer: str) -> None:
        super().__init__(message)
        self.code, self.pointer = code, pointer


@dataclass(frozen=True)
class IncomingRecord:
    """identifiers: (kind, value, variant, verified). is_dated: whether the channel said when. refusals: values that
    are not used, and with an empty field what concerns the record as a whole. values, linkage: parts of standardized.
    replaces_any: it is made of all that is known, so that it stands for whatever version there is.
    """

    source: str
    source_id: int
    source_record_id: str
    occurred_at: datetime
    is_dated: bool
    raw: str
    raw_hash: str
    standardized: str
    values: Mapping[str, object]
    linkage: Linkage
    identifiers: tuple[tuple[str, str, str | None, bool], ...]
    linkage_hash: int
    refusals: tuple[Refusal, ...]
    replaces_any: bool = False

    def indexed(self, record_id: int) -> IndexedRecord:
        """As the engine takes it."""
        return IndexedRecord(record_id, (self.source, self.source_record_id), self.linkage, self.linkage_hash)


def take_record(
    values: Mapping[str, object], sources: Mapping[str, tuple[Source, Standardizer]], *, now: datetime
) -> IncomingRecord:
    """Raises RefusedRecordError with the field and why. A record without a time is of now."""
    try:
        checked = check_record(values, default_source=None, default_occurred_at=now)
    except RefusedRowError as error:
        raise RefusedRecordError(error.reason, error.message, error.pointer or "") from error
    if checked.occurred_at > now + FUTURE_AT_MOST:
        message = "occurred_at lies in the future; send the time when the contact took place"
        raise RefusedRecordError("future", message, "/occurred_at")
    if checked.source not in sources:
        message = "there is no such source; create it with `cdp source create`, or import a file of it"
        raise RefusedRecordError("unknown_source", message, "/source")
    source, standardizer = sources[checked.source]
    standardized = standardizer.standardize(checked.values)
    text = orjson.dumps(
        {
            "values": standardized.values,
            "linkage": standardized.linkage,
            "refusals": standardized.refusals,
        },
        option=orjson.OPT_SORT_KEYS,
    )
    return IncomingRecord(
        source=checked.source,
        source_id=source.source_id,
        source_record_id=checked.source_record_id,
        occurred_at=checked.occurred_at,
        is_dated=values.get("occurred_at") is not None,
        raw=checked.raw,
        raw_hash=checked.raw_hash,
        standardized=text.decode(),
        values=standardized.values,
        linkage=standardized.linkage,
        identifiers=tuple(
            (each.kind, each.value, each.variant, each.verified) for each in standardized.identifiers
        ),
        linkage_hash=linkage_hash(standardized.linkage),
        refusals=(*standardized.refusals, *_refusals_of_all(checked, standardized)),
    )


def _refusals_of_all(checked: CheckedRecord, standardized: StandardizedRecord) -> Iterator[Refusal]:
    """What is to be told of the record as a whole."""
    if checked.destroyed_count:
        yield Refusal("", "spreadsheet_number")
    if not names_somebody(standardized.linkage):
        yield Refusal("", "nothing_to_resolve_by")


def says_the_same(record: IncomingRecord, stored_raw: str) -> bool:
    """Whether a stored version differs from this one in nothing but its time."""
    one, other = orjson.loads(record.raw), orjson.loads(stored_raw)
    one.pop("occurred_at", None)
    other.pop("occurred_at", None)
    return bool(one == other)
