"""`cdp serve`: the HTTP API under gunicorn, in place of this process, with a worker beside it."""

from __future__ import annotations

import os
import sys

import click

from cdp.commands.listening import require_free
from cdp.identity.survivorship import read_rules
from cdp.settings import read_settings
from cdp.store import open_store
from cdp.store.errors import StoreBusyError, StoreUnavailableError
from cdp.supervise import start_supervisor


@click.command()
@click.option("--bind", help="HOST:PORT; HOST and PORT of the environment by default.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; CDP_WORKERS by default.")
@click.option(
    "--with-worker/--no-worker",
    "with_worker",
    default=True,
    show_default=True,
    help="Run `cdp worker` beside it.",
)
def serve(*, bind: str | None, workers: int | None, with_worker: bool) -> None:
    """Serve the API until it is stopped; TERM ends it gracefully, HUP renews its processes."""
    settings = read_settings()
    require_free(bind or settings.bind)
    read_rules(settings.survivorship_file)
    _require_store(settings.database_url, settings.store_timeout_seconds)
    arguments = ["--config", "python:api.serving"]
    if bind:
        arguments += ["--bind", bind]
    if workers:
        arguments += ["--workers", str(workers)]
    # Held: a process that is forgotten is warned of.
    _supervisor = start_supervisor() if with_worker else None
    # The application is named, not imported: commands know nothing of the API. -P: from what is installed, and
    # not from a wsgi.py or api.py that lies in this directory.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "api.launch", *arguments, "wsgi:app"])


def _require_store(url: str, timeout_seconds: float) -> None:
    """Raises a StoreError for a store that waiting will not bring; one that is only away may come back."""
    try:
        open_store(url, timeout_seconds=timeout_seconds).dispose()
    except (StoreBusyError, StoreUnavailableError) as error:
        click.echo(f"{error} Serving; /readyz tells when it is there.", err=True)
