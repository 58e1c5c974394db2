"""Applications that one test after the other is answered by, each from a service of its own.

To make an application takes longer than most tests that ask it something: nearly all of it are the rules of its routes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import Flask

from api import create_app, make_service
from api.service import Service, install_service
from cdp.settings import Settings
from tests.builders import NOW


@dataclass
class Applications:
    """All have the settings of a test, and differ in the store and the directory."""

    free: list[Flask] = field(default_factory=list)

    def take(self, home: Path, store_url: str) -> Flask:
        settings = Settings(home, store_url, 1.0)
        if not self.free:
            return create_app(settings, clock=lambda: NOW)
        app = self.free.pop()
        # What it counts of requests is the application's, over all services.
        metrics = service_of(app).request_metrics
        service = replace(make_service(settings, lambda: NOW), request_metrics=metrics)
        install_service(app.extensions, service)
        return app

    def give_back(self, app: Flask) -> None:
        close(app)
        # The console's, which it has from the store.
        app.secret_key = None
        self.free.append(app)


def service_of(app: Flask) -> Service:
    service: Service = app.extensions["cdp"]
    return service


def close(app: Flask) -> None:
    service = service_of(app)
    service.read_audit.close()
    service.store.close()
