"""Train a model version on the live source records and keep it with its report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version as package_version
from math import log2
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from cdp.errors import CdpError
from cdp.identity.activate import switch_model
from cdp.identity.batch_memory import batch_memory, describe_failure
from cdp.identity.identifier_reports import select_held_values
from cdp.identity.linkage_records import count_live_records, stream_linkage_records, stream_record_days
from cdp.identity.models import compile_online, insert_new_model
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.stewardship.labels import select_matched_pairs
from cdp.store import read, retry_write
from resolution import (
    Model,
    ResolutionError,
    Specification,
    SpecificationError,
    Training,
    default_specification_text,
    initial_model,
    load_records,
    open_workspace,
    parse_specification,
    part_shared_values,
    read_specification,
    train,
)

LEAST_RECORDS = 2

# Sums over several threads differ in their last bits from run to run; what is kept must not.
SIGNIFICANT_DIGITS = 9

Progress = Callable[[str], None]


class TooFewRecordsError(CdpError):
    reason = "too_few_records"


class InvalidSpecificationError(CdpError):
    reason = "invalid_specification"


class TrainingFailedError(CdpError):
    reason = "training_failed"


@dataclass(frozen=True)
class TrainedModel:
    """A model as it was kept, and the report kept with it."""

    model: Model
    report: Mapping[str, Any]
    is_active: bool


def require_specification(path: Path | None) -> Specification:
    """The specification in a file, or the shipped one. Raises InvalidSpecificationError."""
    try:
        if path is None:
            return parse_specification(default_specification_text())
        return read_specification(path)[0]
    except SpecificationError as error:
        raise InvalidSpecificationError(str(error)) from error


def train_model(
    engine: Engine,
    specification: Specification,
    *,
    seed: int,
    author: str,
    now: datetime,
    activate: bool = False,
    use_labels: bool = True,
    progress: Progress = lambda _: None,
) -> TrainedModel:
    """Raises TooFewRecordsError, and TrainingFailedError when the records give nothing to learn from.

    Labels: the decisions of stewards that correct m.
    Activated, the version is in force for the next resolution of everything: until then profiles, and what comes
    record by record, are of the version before. Raises UncompilableModelError, before any work, when it could not be.
    """
    if activate:
        compile_online(initial_model(specification))
    training, record_count = _train(engine, specification, seed, progress, use_labels=use_labels)
    report = _report(training, seed, record_count)

    def work(connection: Connection) -> Model:
        model = insert_new_model(
            connection, training.model, report=report, seed=seed, record_count=record_count, now=now
        )
        version = str(model.version)
        details = {"record_count": record_count, "seed": seed}
        append_audit(connection, [AuditEntry(author, "model.train", "model", version, now, details)])
        if activate:
            switch_model(connection, model.version, author=author, reason="activated after training", now=now)
        return model

    return TrainedModel(retry_write(engine, work), report, activate)


def _train(
    engine: Engine, specification: Specification, seed: int, progress: Progress, *, use_labels: bool
) -> tuple[Training, int]:
    try:
        with open_workspace(memory_limit=batch_memory()) as workspace:
            with read(engine) as connection:
                _require_records(connection)
                progress("loading records")
                record_count = load_records(workspace, stream_linkage_records(connection))
                labels = select_matched_pairs(connection) if use_labels else []
                held = select_held_values(connection)
                part_shared_values(workspace, specification, held, days=stream_record_days(connection))
            training = train(
                workspace,
                initial_model(specification),
                version=0,
                seed=seed,
                labels=labels,
                progress=progress,
            )
            return replace(training, model=_steady(training.model)), record_count
    except ResolutionError as error:
        raise TrainingFailedError(describe_failure(error)) from error


def _require_records(connection: Connection) -> None:
    count = count_live_records(connection)
    if count < LEAST_RECORDS:
        raise TooFewRecordsError(
            f"The store holds {count} source records and training compares pairs: `cdp import` some first."
        )


def _steady(model: Model) -> Model:
    """The model with its probabilities in the digits that every run on the same records agrees in."""
    return replace(
        model,
        match_probability=_rounded(model.match_probability),
        probabilities={
            name: [(_rounded(m), _rounded(u)) for m, u in levels]
            for name, levels in model.probabilities.items()
        },
    )


def _rounded(probability: float) -> float:
    return float(f"{probability:.{SIGNIFICANT_DIGITS}g}")


def _report(training: Training, seed: int, record_count: int) -> dict[str, Any]:
    model = training.model
    return {
        "record_count": record_count,
        "seed": seed,
        "labels": {"used": training.labels.used, "left_out": training.labels.left_out},
        "match_probability": model.match_probability,
        "blocking_rules": list(model.rule_names),
        "rule_shares": {rule: _rounded(share) for rule, share in training.rule_shares.items()},
        "sessions": [
            {
                "rule": session.rule,
                "pairs": session.pair_count,
                "match_share": _rounded(session.match_share),
            }
            for session in training.sessions
        ],
        "comparisons": [
            {
                "name": comparison.name,
                "levels": [
                    {"label": level.label, "m": m, "u": u, "weight": log2(m / u)}
                    for level, (m, u) in zip(
                        comparison.weighed_levels, model.probabilities[comparison.name], strict=True
                    )
                ],
            }
            for comparison in model.specification.comparisons
        ],
        "versions": {name: package_version(name) for name in ("splink", "duckdb")},
    }
