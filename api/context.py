"""The request that is answered, the application and what is noted of the request: the objects themselves.

Flask's proxies for them raise and catch an AttributeError inside at each look. For what every request goes through that
adds up to more than finding a profile takes.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, current_app, g, request


def current_application() -> Flask:
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return application


def current_request() -> Request:
    current: Request = request._get_current_object()  # type: ignore[attr-defined]
    return current


def current_notes() -> Any:
    """`flask.g`."""
    return g._get_current_object()
