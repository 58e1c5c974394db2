"""Sources: one row per system that sends records, with its habits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, select

from cdp.store import insert_rows, schema
from cdp.store.quick import QuickStatement, quick
from cdp.store.sets import set_values, text_set
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
    return {row.name: _source(row) for row in _ALL.fetch(connection)}


def select_named_sources(connection: Connection, names: Iterable[str]) -> dict[str, Source]:
    """Those of the names that are sources."""
    wanted = list(names)
    if not wanted:
        return {}
    rows = _named(connection.dialect.name).fetch(connection, **set_values(connection, "names", wanted))
    return {row.name: _source(row) for row in rows}


_ALL = QuickStatement(select(schema.sources))


def _source(row: Any) -> Source:
    others = orjson.loads(row.settings)
    settings = SourceSettings(
        default_region=row.default_region,
        default_area_code=row.default_area_code,
        date_order=row.date_order,
        own_domains=frozenset(others.get("own_domains", ())),
        claims=others.get("claims", False),
    )
    return Source(name=row.name, settings=settings, trust=row.trust, source_id=row.source_id)


def _other_settings(settings: SourceSettings) -> str:
    """The JSON text of the settings that have no column of their own."""
    own_domains = sorted(settings.own_domains)
    return orjson.dumps({"own_domains": own_domains, "claims": settings.claims}).decode()


def insert_sources(connection: Connection, sources: Iterable[NewSource], *, now: datetime) -> None:
    rows = [
        (
            source.name,
            source.settings.default_region,
            source.settings.default_area_code,
            source.settings.date_order,
            source.trust,
            _other_settings(source.settings),
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


def update_source(connection: Connection, source: Source) -> None:
    """Write what of a source may change: its trust and its settings."""
    settings = source.settings
    connection.execute(
        schema.sources.update()
        .where(schema.sources.c.source_id == source.source_id)
        .values(
            default_region=settings.default_region,
            default_area_code=settings.default_area_code,
            date_order=settings.date_order,
            trust=source.trust,
            settings=_other_settings(settings),
        )
    )


def date_order_of(region: str) -> str:
    """The order of day, month and year in dates that a region's people type."""
    return "mdy" if region == "US" else "dmy"


@quick
def _named(dialect: str) -> Select[Any]:
    names = text_set(dialect, "names")
    return select(schema.sources).where(schema.sources.c.name.in_(select(names.c.id)))
