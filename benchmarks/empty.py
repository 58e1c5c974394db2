"""A Flask application with one empty route: what the same server can do at most."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.route("/", methods=["GET", "POST"])
def empty() -> str:
    return ""
