"""What a command prints: lines for people or, with --json, one JSON document for programs."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import click

from cdp.store.instants import format_instant

json_option = click.option("--json", "as_json", is_flag=True, help="Print machine-readable JSON.")


def show(document: object, *lines: str, as_json: bool) -> None:
    """The document as JSON, or the lines; instants and dates in ISO form."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, default=_plain))
        return
    for line in lines:
        click.echo(line)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
