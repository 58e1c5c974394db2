"""`cdp demo`: invented customers to try the service with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.commands.progress import progress_bar
from cdp.settings import read_settings

_LOADED = {
    "rest": "held records that nobody had resolved; none were added",
    "messages": "held these customers; what they did in the shop was added",
    "nothing": "holds records already, none are loaded",
}


@click.group()
def demo() -> None:
    """Make and show demo customers."""


@demo.command("generate")
@click.option("--records", required=True, type=click.IntRange(min=1), help="How many source records.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same files."
)
@click.option(
    "--out",
    "directory",
    required=True,
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Directory for the files; made when it is not there.",
)
@json_option
def generate(*, records: int, seed: int, directory: Path, as_json: bool) -> None:
    """Write synthetic omnichannel customers, their interactions, and the truth about both."""
    from cdp.demo import generate_demo  # Loaded here: numpy is slow to load and only this command needs it.

    try:
        with progress_bar("records", records) as on_progress:
            summary = generate_demo(directory, record_count=records, seed=seed, on_progress=on_progress)
    except OSError as error:
        raise click.ClickException(f"Cannot write to {directory}: {error.strerror or error}.") from error
    told = (
        f"{summary.records} records of {summary.people} people and {summary.interactions} interactions"
        f" in {directory}, seed {seed}."
    )
    show({**asdict(summary), "seed": seed, "directory": str(directory)}, told, as_json=as_json)


@demo.command("serve")
@click.option("--bind", "address", help="HOST:PORT; HOST and PORT of the environment by default.")
@click.pass_context
def serve_demo(context: click.Context, *, address: str | None) -> None:
    """Serve the demo customers: migrate, load them if the store is empty, show how to ask, serve."""
    # Loaded here: resolving needs much that `demo generate` does without.
    from cdp.commands.listening import require_free
    from cdp.commands.serve import serve
    from cdp.demo.showcase import USERS, demo_keys, demo_logins, example_phone, load_demo
    from cdp.identity.activate import require_active_model
    from cdp.store import migrate

    settings = read_settings()
    address = address or settings.bind
    require_free(address)
    migrate(settings.database_url)
    with configured_store() as engine:
        require_active_model(engine, now=datetime.now(UTC))
        loaded = load_demo(engine, settings.home, progress=lambda step: click.echo(f"Demo: {step} ..."))
        if loaded != "all":
            click.echo(f"Demo: the store {_LOADED[loaded]}.")
        keys, phone = demo_keys(engine, settings.home), example_phone(engine)
        logins = demo_logins(engine, settings.home)
    shown = {f"{name} ({USERS[name]})": password for name, password in logins.items()}
    for line in _instructions(address, keys, phone, shown):
        click.echo(line)
    context.invoke(serve, bind=address, workers=None, with_worker=True)


def _instructions(
    address: str, keys: dict[str, str], phone: str | None, logins: dict[str, str]
) -> Iterator[str]:
    yield ""
    yield f"Service   http://{address}/      API documentation   http://{address}/docs"
    yield f"Console   http://{address}/console/"
    for name, password in logins.items():
        yield f"Demo login  {name:16} {password}"
    for name, secret in keys.items():
        yield f"Demo key  {name:14} {secret}"
    if phone:
        yield ""
        yield "A 360° view of the customer who calls from this number:"
        yield ""
        body = json.dumps({"type": "phone", "value": phone})
        yield f"  curl -s http://{address}/v1/profiles/lookup -H 'Authorization: Bearer {keys['agent desk']}' \\"
        yield f"    -H 'Content-Type: application/json' -d '{body}'"
    yield ""
