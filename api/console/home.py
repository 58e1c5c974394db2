"""Where work begins."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import requires
from api.console.blueprint import blueprint
from api.console.states import PageError


@blueprint.get("/")
@requires("home.read")
def home() -> str:
    return render_template("console/home.html")


@blueprint.get("")
@requires("home.read")
def index() -> Response:
    return redirect(url_for(f"{CONSOLE}.home"))


@blueprint.get("/<path:rest>")
def nothing_here(rest: str) -> Response:
    raise PageError("not_found")
