"""Texts that no caller means and not every store can hold: NUL, and half a character. Refused at the edge, once.

Bodies of JSON are read by api/inputs.py, which refuses the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from flask import Flask, Request
from werkzeug.datastructures import MultiDict

from api.auth import CONSOLE
from api.context import current_request
from api.errors import Problem

Part = Literal["path", "query", "form"]

UNCLEAN = re.compile("[\x00\ud800-\udfff]")


class Unclean(NamedTuple):
    part: Part
    name: str


def refuse_unclean_texts(app: Flask) -> None:
    """Of every call of the API, once it is known who calls; the console's guard asks for its own pages."""
    app.before_request(_refuse)


def find_unclean(request: Request) -> Unclean | None:
    return next(_unclean(request), None)


def _refuse() -> None:
    request = current_request()
    # Most calls have neither: nothing is read of them.
    if not (request.query_string or request.view_args) or request.blueprint == CONSOLE:
        return
    found = find_unclean(request)
    if found is None:
        return
    if found.part == "path":
        raise Problem("not_found", "No id holds NUL or half a character (a lone surrogate).")
    name = UNCLEAN.sub("\ufffd", found.name)[:64]
    detail = "It holds NUL or half a character (a lone surrogate)."
    raise Problem("validation_failed", errors=[{"pointer": f"/query/{name}", "detail": detail}])


def _unclean(request: Request) -> Iterator[Unclean]:
    for name, value in (request.view_args or {}).items():
        if isinstance(value, str) and UNCLEAN.search(value):
            yield Unclean("path", name)
    if request.query_string:
        yield from (Unclean("query", name) for name in _unclean_names(request.args))
    if request.method == "POST" and request.blueprint == CONSOLE:
        yield from (Unclean("form", name) for name in _unclean_names(request.form))


def _unclean_names(given: MultiDict[str, str]) -> Iterator[str]:
    for name, value in given.items(multi=True):
        if UNCLEAN.search(name) or UNCLEAN.search(value):
            yield name
