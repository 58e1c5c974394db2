"""Model versions and when each was in force.

Grain: one row per model version, which never changes; version 0 is the shipped prior. One row per
activation, of which the open one is in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select, update

from cdp.canonical import canonical_json
from cdp.errors import CdpError
from cdp.store.schema import model_activations, model_versions
from resolution import (
    Model,
    OnlineModel,
    SpecificationError,
    UncompilableConditionError,
    dump_model,
    load_model,
    online_model,
)

PRIOR_VERSION = 0


class UnknownModelError(CdpError):
    reason = "unknown_model"


class UnreadableModelError(CdpError):
    """A stored model that this release cannot read."""

    reason = "unreadable_model"


class UncompilableModelError(CdpError):
    """A model with a condition that single records cannot be resolved with; it never comes into force."""

    reason = "uncompilable_model"


@dataclass(frozen=True)
class ModelSummary:
    """A model version without its numbers. `active_since` is None unless it is in force."""

    model_version: int
    label: str
    record_count: int
    seed: int
    created_at: datetime
    active_since: datetime | None
    report: Mapping[str, Any]


def select_active_version(connection: Connection) -> int | None:
    """The version in force; None when there is none yet."""
    active = select(model_activations.c.model_version_id).where(model_activations.c.valid_to.is_(None))
    return connection.scalar(active)


def select_active_model(connection: Connection) -> Model | None:
    version = select_active_version(connection)
    return None if version is None else require_model(connection, version)


def require_model(connection: Connection, version: int) -> Model:
    """Raises UnknownModelError, and UnreadableModelError for one of an incompatible release."""
    found = connection.execute(
        select(
            model_versions.c.specification, model_versions.c.parameters, model_versions.c.term_frequencies
        ).where(model_versions.c.model_version_id == version)
    ).first()
    if found is None:
        raise UnknownModelError(
            f"There is no model version {version}: `cdp model list` names them.", ids=[version]
        )
    try:
        return load_model(version, found.specification, found.parameters, bytes(found.term_frequencies))
    except SpecificationError as error:
        raise UnreadableModelError(str(error), ids=[version]) from error


def compile_online(model: Model) -> OnlineModel:
    """The model as single records are resolved with it. Raises UncompilableModelError, naming the condition."""
    try:
        return online_model(model)
    except UncompilableConditionError as error:
        raise UncompilableModelError(f"This model cannot come into force: {error}") from error


def select_models(connection: Connection) -> list[ModelSummary]:
    """All versions, oldest first."""
    versions, activations = model_versions, model_activations
    statement = (
        select(
            versions.c.model_version_id,
            versions.c.label,
            versions.c.record_count,
            versions.c.seed,
            versions.c.created_at,
            versions.c.report,
            activations.c.valid_from,
        )
        .select_from(
            versions.outerjoin(
                activations,
                (activations.c.model_version_id == versions.c.model_version_id)
                & activations.c.valid_to.is_(None),
            )
        )
        .order_by(versions.c.model_version_id)
    )
    return [
        ModelSummary(
            model_version=row.model_version_id,
            label=row.label,
            record_count=row.record_count,
            seed=row.seed,
            created_at=row.created_at,
            active_since=row.valid_from,
            report=orjson.loads(row.report),
        )
        for row in connection.execute(statement)
    ]


def insert_model(
    connection: Connection,
    model: Model,
    *,
    label: str,
    report: Mapping[str, Any],
    seed: int,
    record_count: int,
    now: datetime,
) -> None:
    """Keep a model under its own version."""
    specification, parameters, frequencies = dump_model(model)
    connection.execute(
        insert(model_versions).values(
            model_version_id=model.version,
            label=label,
            specification=specification,
            parameters=parameters,
            term_frequencies=frequencies,
            report=canonical_json(report),
            seed=seed,
            record_count=record_count,
            created_at=now,
        )
    )


def insert_new_model(
    connection: Connection,
    model: Model,
    *,
    report: Mapping[str, Any],
    seed: int,
    record_count: int,
    now: datetime,
) -> Model:
    """Keep a trained model under the next free version; returns it with that version."""
    newest = connection.scalar(select(func.max(model_versions.c.model_version_id)))
    numbered = replace(model, version=max(newest or 0, PRIOR_VERSION) + 1)
    label = f"{model.specification.name} {numbered.version}"
    insert_model(
        connection, numbered, label=label, report=report, seed=seed, record_count=record_count, now=now
    )
    return numbered


def has_model(connection: Connection, version: int) -> bool:
    known = select(model_versions.c.model_version_id).where(model_versions.c.model_version_id == version)
    return connection.scalar(known) is not None


def replace_activation(
    connection: Connection, version: int, *, author: str, reason: str, now: datetime
) -> int | None:
    """Put a version in force from now on; returns the one before it, None when there was none."""
    activations = model_activations
    open_one = activations.c.valid_to.is_(None)
    previous = connection.execute(select(activations).where(open_one)).first()
    # A clock that went back must not end an activation before it began.
    moment = max(now, previous.valid_from) if previous else now
    connection.execute(update(activations).where(open_one).values(valid_to=moment))
    connection.execute(
        insert(activations).values(model_version_id=version, valid_from=moment, author=author, reason=reason)
    )
    return previous.model_version_id if previous else None
