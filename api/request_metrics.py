"""How many requests were answered, how fast and how, and how many are being answered now.

Labels name a route of the service, its method and a class of statuses: nothing that a caller sent is in them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from api.metric_files import DIRECTORY

# Lookups take a millisecond or two, batches of hundreds of records a second.
BUCKET_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
STATUS_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class RequestMetrics:
    """One a process: in the files of the server where there are any, which hold those of its other processes."""

    def __init__(self) -> None:
        self._seconds = Histogram(
            "cdp_http_request_duration_seconds",
            "How long answers took, by route and by class of their statuses.",
            ["method", "route", "status"],
            registry=None,
            buckets=BUCKET_SECONDS,
        )
        in_flight = Gauge(
            "cdp_http_requests_in_flight",
            "Requests that are being answered, with the one that asks.",
            registry=None,
            multiprocess_mode="livesum",
        )
        self._in_flight = in_flight
        self.begin: Callable[[], None] = in_flight.inc
        self.end: Callable[[], None] = in_flight.dec
        # Making the labels of a request anew would cost more than all the rest of it.
        self._observers: dict[tuple[str, str, int], Callable[[float], None]] = {}

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Route: None where no route fits the address."""
        key = method, route or "none", status // 100
        observer = self._observers.get(key)
        if observer is None:
            labelled = self._seconds.labels(key[0], key[1], STATUS_CLASSES[key[2] - 1])
            observer = self._observers[key] = labelled.observe
        observer(seconds)

    def tell(self, registry: CollectorRegistry) -> None:
        """Let the registry tell what all processes of the server counted."""
        if DIRECTORY in os.environ:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry.register(_OfOneProcess(self._seconds, self._in_flight))


class _OfOneProcess(Collector):
    """The same samples as of several: without the moments at which counting began."""

    def __init__(self, *metrics: Histogram | Gauge) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        for metric in self._metrics:
            for told in metric.collect():
                told.samples = [each for each in told.samples if not each.name.endswith("_created")]
                yield told
