"""GET /metrics: what operators watch, in the text format of Prometheus.

Every number is read from the store, or is the sum of what the processes of the server count, so that each of them tells
the same. They hold no value of a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from flask import Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from api.auth import requires_scope
from api.inputs import ApiBlueprint
from api.service import current_service
from cdp.observe import Observation
from cdp.realtime.measurements import Measurement

blueprint = ApiBlueprint("metrics", __name__, description="The service itself")

_EXAMPLE = "# HELP cdp_records Live source records.\n# TYPE cdp_records gauge\ncdp_records 10000.0\n"


@blueprint.get("/metrics")
@requires_scope("metrics:read")
@blueprint.doc(operationId="metrics", tags=["service"])
@blueprint.response(200, {"type": "string"}, content_type="text/plain", example=_EXAMPLE)
def metrics() -> Response:
    """Metrics for Prometheus

    How much there is, what waits and for how long, how far the profiles are from what their records give, and how many
    requests were answered and how fast, by all processes of the server together. Without a key, unless `CDP_METRICS` is
    `key`.
    """
    service = current_service()
    now = service.clock()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(service.observer.observe(service.store.engine(), now), now))
    service.request_metrics.tell(registry)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=content_type)


class _Gauges(Collector):
    def __init__(self, observed: Observation, now: datetime) -> None:
        self._observed, self._now = observed, now

    def collect(self) -> Iterator[Metric]:
        observed, now = self._observed, self._now
        yield _gauge("cdp_records", "Live source records.", observed.records)
        yield _gauge(
            "cdp_merge_candidates_open", "Candidates that wait for a steward.", observed.open_candidates
        )
        yield _gauge("cdp_redo_waiting", "Records that wait to be resolved anew.", observed.redo_waiting)
        yield _gauge(
            "cdp_redo_oldest_seconds",
            "For how long the first of them waits.",
            _age(observed.redo_oldest_at, now),
        )
        yield _gauge(
            "cdp_redo_set_aside",
            "Records that could not be resolved as they should be.",
            observed.redo_set_aside,
        )
        yield _gauge("cdp_outbox_waiting", "Events that are not delivered.", observed.outbox_waiting)
        yield _gauge(
            "cdp_outbox_oldest_seconds",
            "For how long the first of them waits.",
            _age(observed.outbox_oldest_at, now),
        )
        yield _gauge(
            "cdp_audit_unsealed", "Audit entries without a place in the chain.", observed.audit_unsealed
        )
        yield _versions(observed)
        if observed.measurement is not None:
            yield from _disagreement(observed.measurement, now)


def _versions(observed: Observation) -> Metric:
    family = GaugeMetricFamily(
        "cdp_model_version",
        "Model version: in_use made the profiles, in_force is for the next resolution.",
        labels=["of"],
    )
    for name, version in (("in_use", observed.version_in_use), ("in_force", observed.version_in_force)):
        if version is not None:
            family.add_metric([name], version)
    return family


def _disagreement(measurement: Measurement, now: datetime) -> Iterator[Metric]:
    found = measurement.disagreement
    told = "Share of sampled records whose people differ from those computed anew."
    if found.share is not None:
        yield _gauge("cdp_disagreement_ratio", told, found.share)
    yield _gauge("cdp_disagreement_sampled", "Records of the sample.", found.sampled)
    yield _gauge("cdp_disagreement_differing", "Of them, those whose people differ.", found.differing)
    yield _gauge(
        "cdp_disagreement_waiting", "Of them, those left out: the queue may change them.", found.waiting
    )
    age = _age(measurement.measured_at, now)
    yield _gauge("cdp_disagreement_age_seconds", "Since the sample was looked at.", age)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)


def _age(moment: datetime | None, now: datetime) -> float:
    """0 where nothing waits, or the clock went back."""
    return max(0.0, (now - moment).total_seconds()) if moment is not None else 0.0
