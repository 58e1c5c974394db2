"""Records side by side as a page shows them, masked or whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from api.console.reading import Reading
from cdp.privacy.masking import mask_source_record_id
from cdp.stewardship.compare import ComparedField, Side, mask_comparison


def shown_column(side: Side, reading: Reading, *, pair: Collection[int]) -> dict[str, Any]:
    """The head of a record's column; pair: the two that the question is about."""
    key = side.source_record_id
    return {
        "record_id": side.record_id,
        "source": side.source,
        "source_record_id": key if reading.unmask else mask_source_record_id(key, side.identifiers),
        "is_proposed": side.record_id in pair,
    }


def shown_rows(
    compared: Sequence[ComparedField], reading: Reading, *, only_differences: bool = False
) -> Sequence[ComparedField]:
    rows = list(compared) if reading.unmask else mask_comparison(compared)
    if only_differences:
        rows = [row for row in rows if row.verdict in ("similar", "different")]
    return rows
