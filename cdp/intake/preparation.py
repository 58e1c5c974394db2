"""What is to be prepared and what came of it: the nouns that pass between the processes of an import."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from cdp.intake.mapper import MappingPlan
from cdp.intake.rows import BadRow
from resolution.standardize import SourceSettings


@dataclass(frozen=True)
class PreparationPlan:
    """Everything a worker needs to know about a file and its sources."""

    mapping: MappingPlan
    default_source: str | None
    default_occurred_at: datetime | None
    time_zone: str
    source_settings: dict[str, SourceSettings]
    new_source_settings: SourceSettings


@dataclass
class PreparedChunk:
    """What came of a chunk. `records` and `keys` are spool frames of `record_count` items, in the same order.

    A record is (raw, standardized, [identifier, ...], linkage_hash), an identifier (kind, value, variant, verified), a
    key (source, source_record_id, occurred_at, raw_hash).
    """

    records: bytes
    keys: bytes
    key_digests: bytes = b""
    record_count: int = 0
    undated_count: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    refused_values: Counter[str] = field(default_factory=Counter)
    misfits: Counter[str] = field(default_factory=Counter)
    seen_columns: set[str] = field(default_factory=set)
