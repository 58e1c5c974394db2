"""The model: its versions, what each level of agreement weighs, and what another version would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, log2
from typing import Any

from flask import redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.languages import evidence_language
from api.console.layout import tell
from api.console.model_charts import level_points, threshold_curves, weight_bars
from api.console.rulings import read_reason
from api.console.states import PageError
from api.service import current_service
from api.snapshots import snapshot
from cdp.identity.apply_model import apply_model
from cdp.identity.models import UnknownModelError, require_model, select_active_version, select_models
from cdp.stewardship.estimation import ThresholdQuality, quality_at, quality_by_threshold
from cdp.stewardship.labels import select_labelled_weights
from resolution import Model
from resolution.explanation import comparison_label, level_label

# What the server resolves while somebody waits; more is for `cdp model activate`.
RECORDS_AT_MOST = 50_000
EXAMPLES_AT_MOST = 20
# Of fewer, the intervals reach nearly from nothing to everything.
LABELS_AT_LEAST = 30


@blueprint.get("/models")
@requires("model.read")
def models() -> str | Response:
    """The version in force, and the others."""
    with snapshot() as connection:
        active = select_active_version(connection)
    if active is None:
        raise PageError("not_resolved")
    return redirect(url_for(f"{CONSOLE}.model", version=active))


@blueprint.get("/models/<int:version>")
@requires("model.read")
def model(version: int) -> str:
    with snapshot() as connection:
        try:
            found = require_model(connection, version)
        except UnknownModelError:
            raise PageError("not_found") from None
        versions = select_models(connection)
        active = select_active_version(connection)
        labels = select_labelled_weights(connection, model_version=version)
    levels = list(_levels(found))
    thresholds = _by_threshold(labels, found)
    return render_template(
        "console/model.html",
        model=found,
        versions=versions,
        active=active,
        summary=next(each for each in versions if each.model_version == version),
        levels=levels,
        weights=weight_bars(levels),
        probabilities=level_points(levels),
        can_run=_is_small(),
        label_count=len(labels),
        match_count=sum(is_match for _, is_match in labels),
        least_labels=LABELS_AT_LEAST,
        thresholds=thresholds,
        curves=threshold_curves(thresholds, _marked(found)) if thresholds else None,
    )


@blueprint.post("/models/<int:version>/dry-run")
@requires("model.activate")
def post_dry_run(version: int) -> str:
    """What the version would change, before anybody decides."""
    applied = _apply(version, reason="preview", dry_run=True)
    return render_template("console/model_diff.html", version=version, applied=applied, most=EXAMPLES_AT_MOST)


@blueprint.post("/models/<int:version>/activate")
@requires("model.activate")
def post_activate(version: int) -> Response:
    applied = _apply(version, reason=read_reason(), dry_run=False)
    told = (
        gettext("Version %(version)s is in force.", version=version)
        if applied.changed
        else gettext("Version %(version)s was in force already.", version=version)
    )
    tell(told)
    return redirect(url_for(f"{CONSOLE}.model", version=version), 303)


def _apply(version: int, *, reason: str, dry_run: bool) -> Any:
    """Raises PageError for a store that takes too long to wait for."""
    service = current_service()
    if not _is_small():
        raise PageError("too_large")
    try:
        return apply_model(
            service.store.engine(),
            version,
            author=current_user().actor,
            reason=reason,
            clock=service.clock,
            dry_run=dry_run,
        )
    except UnknownModelError:
        raise PageError("not_found") from None


def _is_small() -> bool:
    service = current_service()
    return service.observer.observe(service.store.engine(), service.clock()).records <= RECORDS_AT_MOST


def _by_threshold(labels: Sequence[tuple[float, bool]], model: Model) -> Sequence[ThresholdQuality]:
    """At each whole bit that the labels reach, and where the model asks and joins; nothing for too few labels."""
    if len(labels) < LABELS_AT_LEAST or len({is_match for _, is_match in labels}) < 2:
        return ()
    limits = model.specification.thresholds
    counted = [(min(max(weight, limits.floor), limits.ceiling), is_match) for weight, is_match in labels]
    weights = [weight for weight, _ in counted]
    whole = range(floor(min(weights)), ceil(max(weights)) + 1)
    return quality_at(quality_by_threshold(counted), {*map(float, whole), limits.review, limits.join})


def _marked(model: Model) -> Mapping[str, float]:
    limits = model.specification.thresholds
    return {gettext("asked"): limits.review, gettext("joined"): limits.join}


def _levels(model: Model) -> Iterator[Mapping[str, Any]]:
    """Every level that weighs something, in the order of the specification."""
    language = evidence_language()
    for comparison in model.specification.comparisons:
        label = comparison_label(comparison.name, language)
        for level, (m, u) in zip(
            comparison.weighed_levels, model.probabilities[comparison.name], strict=True
        ):
            told = level_label(comparison.name, level.label, language)
            yield {"level": f"{label}: {told}", "m": m, "u": u, "weight": log2(m / u)}
