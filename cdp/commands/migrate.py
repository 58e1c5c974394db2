"""`cdp migrate`: the store's schema to head, creating the store where there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from cdp import store
from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.identity.activate import require_active_model
from cdp.settings import read_settings
from cdp.store.engine import describe_store, parse_store_url
from cdp.store.schema import SCHEMA_REVISION


@click.command()
@json_option
def migrate(*, as_json: bool) -> None:
    """Bring the store's schema to this version; a store that has it stays as it is."""
    url = read_settings().database_url
    previous = store.migrate(url)
    with configured_store() as engine:
        require_active_model(engine, now=datetime.now(UTC))
    where = describe_store(parse_store_url(url))
    if previous == SCHEMA_REVISION:
        told = f"The store {where} has schema {SCHEMA_REVISION} already."
    else:
        told = f"The store {where} has schema {SCHEMA_REVISION} now (before: {previous or 'empty'})."
    show({"store": where, "schema": SCHEMA_REVISION, "previous": previous}, told, as_json=as_json)
