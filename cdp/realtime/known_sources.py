"""The sources that a request names, each with what standardizes its records.

Sources are read anew for each request, since they come and change at any time. A standardizer belongs to settings, not
to a source; it remembers no values, which are people's, so threads share it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from sqlalchemy import Connection

from cdp.identity.sources import Source, select_named_sources
from cdp.intake.shape import KEY_LIMIT
from resolution.standardize import SourceSettings, Standardizer

KnownSources = Mapping[str, tuple[Source, Standardizer]]


def select_known_sources(
    connection: Connection, records: Iterable[object], *, allowed: Collection[str] | None
) -> KnownSources:
    """Those that the records name and the caller may use; allowed: None for all."""
    names = {name for name in map(_named_source, records) if name and (allowed is None or name in allowed)}
    found = select_named_sources(connection, sorted(names))
    return {name: (source, standardizer(source.settings)) for name, source in found.items()}


@lru_cache(maxsize=256)
def standardizer(settings: SourceSettings) -> Standardizer:
    return Standardizer(settings, cache_size=0)


def _named_source(record: object) -> str | None:
    """As the check of the record's shape will read it; None for what that will refuse."""
    name = record.get("source") if isinstance(record, Mapping) else None
    text = str(name).strip() if type(name) in (str, int) else ""
    return text if len(text) <= KEY_LIMIT and text.isprintable() else None
