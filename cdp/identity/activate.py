"""Put a model version in force, with its audit entry; the shipped prior where there is none yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine

import resolution
from cdp.identity.models import (
    PRIOR_VERSION,
    UnknownModelError,
    compile_online,
    has_model,
    insert_model,
    replace_activation,
    require_model,
    select_active_model,
    select_active_version,
)
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.store import read, retry_write
from resolution import Model, default_specification_text, parse_specification

SERVICE = "service"


def activate_model(engine: Engine, version: int, *, author: str, reason: str, now: datetime) -> bool:
    """False, and no new entries, when the version is in force already.

    The profiles stay those of the version before until everything is resolved (see `cdp.identity.apply_model`).
    Raises UnknownModelError, UnreadableModelError, UncompilableModelError.
    """

    def work(connection: Connection) -> bool:
        return switch_model(connection, version, author=author, reason=reason, now=now)

    return retry_write(engine, work)


def switch_model(connection: Connection, version: int, *, author: str, reason: str, now: datetime) -> bool:
    """The same, as part of the caller's write."""
    if not has_model(connection, version):
        raise UnknownModelError(
            f"There is no model version {version}: `cdp model list` names them.", ids=[version]
        )
    if select_active_version(connection) == version:
        return False
    # A version that this release cannot read, or cannot resolve single records with, must not come into force.
    compile_online(require_model(connection, version))
    previous = replace_activation(connection, version, author=author, reason=reason, now=now)
    details = {"previous": previous, "reason": reason}
    append_audit(connection, [AuditEntry(author, "model.activate", "model", str(version), now, details)])
    return True


def require_active_model(engine: Engine, *, now: datetime) -> Model:
    """The model in force. The first call on a new store puts the shipped prior in force."""
    with read(engine) as connection:
        found = select_active_model(connection)
    if found is not None:
        return found
    # Not imported above: making a model loads Splink, and this is done once in the life of a store.
    prior = resolution.initial_model(parse_specification(default_specification_text()), PRIOR_VERSION)

    def work(connection: Connection) -> Model:
        if not has_model(connection, PRIOR_VERSION):
            report = {"match_probability": prior.match_probability}
            insert_model(
                connection, prior, label="shipped prior", report=report, seed=0, record_count=0, now=now
            )
        if select_active_version(connection) is None:
            switch_model(connection, PRIOR_VERSION, author=SERVICE, reason="first use", now=now)
        active = select_active_model(connection)
        assert active is not None
        return active

    return retry_write(engine, work)
