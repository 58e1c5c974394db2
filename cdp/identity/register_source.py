"""Make a source known, and change what it is trusted with, each with its audit entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from cdp.errors import CdpError
from cdp.identity.sources import NewSource, Source, insert_sources, select_named_sources, update_source
from cdp.intake.mapping import DATE_ORDERS
from cdp.intake.shape import KEY_LIMIT
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.store import retry_write

TRUST_AT_MOST = 100


class InvalidSourceError(CdpError):
    reason = "invalid_source"


class SourceExistsError(CdpError):
    reason = "source_exists"


class UnknownSourceError(CdpError):
    reason = "unknown_source"


def register_source(engine: Engine, source: NewSource, *, actor: str, now: datetime) -> None:
    """Raises InvalidSourceError, and SourceExistsError for a name that is taken."""
    _check_name(source.name)
    _check_habits(source)

    def work(connection: Connection) -> None:
        if select_named_sources(connection, [source.name]):
            raise SourceExistsError(
                f"There is a source {source.name} already: `cdp source set` changes its trust and claims.",
                ids=[source.name],
            )
        insert_sources(connection, [source], now=now)
        _audit(connection, actor, "source.create", source, described(source), now)

    retry_write(engine, work)


def change_source(
    engine: Engine, name: str, *, trust: int | None, claims: bool | None, actor: str, now: datetime
) -> tuple[Source, Source]:
    """The source before and after; None leaves a setting as it is. Raises UnknownSourceError, InvalidSourceError.

    Records that are stored stay as they were standardized: claims count from the next version of a record on.
    """

    def work(connection: Connection) -> tuple[Source, Source]:
        before = select_named_sources(connection, [name]).get(name)
        if before is None:
            raise UnknownSourceError(f"There is no source {name}: `cdp source list` names them.", ids=[name])
        settings = before.settings if claims is None else replace(before.settings, claims=claims)
        after = replace(before, trust=before.trust if trust is None else trust, settings=settings)
        _check_habits(after)
        if after != before:
            update_source(connection, after)
            told = {"before": described(before), "after": described(after)}
            _audit(connection, actor, "source.change", after, told, now)
        return before, after

    return retry_write(engine, work)


def described(source: NewSource) -> dict[str, object]:
    """A source as JSON values."""
    settings = source.settings
    return {
        "name": source.name,
        "default_region": settings.default_region,
        "default_area_code": settings.default_area_code,
        "date_order": settings.date_order,
        "trust": source.trust,
        "own_domains": sorted(settings.own_domains),
        "claims": settings.claims,
    }


def _audit(
    connection: Connection,
    actor: str,
    action: str,
    source: NewSource,
    details: Mapping[str, object],
    now: datetime,
) -> None:
    append_audit(connection, [AuditEntry(actor, action, "source", source.name, now, details)])


def _check_name(name: str) -> None:
    if name != name.strip() or not 0 < len(name) <= KEY_LIMIT or not name.isprintable():
        raise InvalidSourceError(
            f"The name of a source has 1 to {KEY_LIMIT} characters that print, and no blank at its ends."
        )
    # It is a part of the address of its records.
    if "/" in name or name in (".", ".."):
        raise InvalidSourceError("The name of a source has no slash, and is more than dots.")


def _check_habits(source: NewSource) -> None:
    settings = source.settings
    if not 0 <= source.trust <= TRUST_AT_MOST:
        raise InvalidSourceError(f"The trust of a source runs from 0 to {TRUST_AT_MOST}.")
    if not re.fullmatch(r"[A-Z]{2}", settings.default_region):
        raise InvalidSourceError("The default region is a code of two capital letters such as BR or PT.")
    if settings.default_area_code is not None and not re.fullmatch(r"[0-9]{1,5}", settings.default_area_code):
        raise InvalidSourceError("The default area code is a text of up to five digits such as 11.")
    if settings.date_order not in DATE_ORDERS:
        raise InvalidSourceError(f"The date order is one of {', '.join(DATE_ORDERS)}.")
