"""What every request needs: the settings, the store once it opens, the audit of reads, the clock, the models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from api.context import current_application
from api.rate_limits import RateLimits
from api.request_metrics import RequestMetrics
from cdp.idempotency import RunningCalls
from cdp.identity.health import HealthKeeper
from cdp.observe import Observer
from cdp.privacy.read_audit import ReadAudit
from cdp.realtime.ingest import Resolver
from cdp.realtime.ingest_queue import IngestQueue
from cdp.realtime.online_models import OnlineModels
from cdp.settings import Settings
from cdp.store.door import StoreDoor

_EXTENSION = "cdp"


@dataclass(frozen=True)
class Service:
    settings: Settings
    store: StoreDoor
    read_audit: ReadAudit
    clock: Callable[[], datetime]
    # None: requests are not counted.
    rate_limits: RateLimits | None = None
    models: OnlineModels = field(default_factory=OnlineModels)
    ingest_queue: IngestQueue = field(default_factory=IngestQueue)
    running_calls: RunningCalls = field(default_factory=RunningCalls)
    observer: Observer = field(default_factory=Observer)
    health: HealthKeeper = field(default_factory=HealthKeeper)
    request_metrics: RequestMetrics = field(default_factory=RequestMetrics)

    def resolver(self) -> Resolver:
        """Its models are the process's: each is compiled once. Raises a StoreError."""
        return Resolver(self.store.engine(), self.models)


def current_service() -> Service:
    return cast(Service, current_application().extensions[_EXTENSION])


def install_service(extensions: dict[str, object], service: Service) -> None:
    extensions[_EXTENSION] = service
