"""The console's addresses: everything under /console/."""

from __future__ import annotations

from flask import Blueprint

from api.auth import CONSOLE

blueprint = Blueprint(
    CONSOLE,
    __name__,
    url_prefix=f"/{CONSOLE}",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)
