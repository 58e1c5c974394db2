"""Sources: one row per system that sends records, with its habits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, select

from cdp.store import insert_rows, schema
from resolution.standardize import SourceSettings

DEFAULT_TRUST = 50


@dataclass(frozen=True)
class NewSource:
    """A source as it is first seen. `trust` runs from 0 to 100."""

    name: str
    settings: SourceSettings
    trust: int = DEFAULT_TRUST


@dataclass(frozen=True)
class Source(NewSource):
    source_id: int = 0


def select_sources(connection: Connection) -> dict[str, Source]:
    """Every source by its name."""
    rows = connection.execute(select(schema.sources))
    return {
        row.name: Source(
            name=row.name,
            settings=SourceSettings(
                default_region=row.default_region,
                default_area_code=row.default_area_code,
                date_order=row.date_order,
                own_domains=frozenset(orjson.loads(row.settings).get("own_domains", ())),
            ),
            trust=row.trust,
            source_id=row.source_id,
        )
        for row in rows
    }


def insert_sources(connection: Connection, sources: Iterable[NewSource], *, now: datetime) -> None:
    rows = [
        (
            source.name,
            source.settings.default_region,
            source.settings.default_area_code,
            source.settings.date_order,
            source.trust,
            orjson.dumps({"own_domains": sorted(source.settings.own_domains)}).decode(),
            now,
        )
        for source in sources
    ]
    columns = (
        "name",
        "default_region",
        "default_area_code",
        "date_order",
        "trust",
        "settings",
        "created_at",
    )
    insert_rows(connection, schema.sources, rows, columns=columns)


def date_order_of(region: str) -> str:
    """The order of day, month and year in dates that a region's people type."""
    return "mdy" if region == "US" else "dmy"
