"""`cdp source create`, `list`, `set`: the systems that send records, with their habits."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.engagement.rejected_messages import select_rejections
from cdp.identity.register_source import UnknownSourceError, change_source, described, register_source
from cdp.identity.sources import DEFAULT_TRUST, NewSource, Source, date_order_of, select_sources
from cdp.intake.mapping import DATE_ORDERS
from cdp.settings import Settings
from cdp.store import read
from cdp.store.instants import format_instant
from resolution.standardize import SourceSettings

ACTOR = "command:source"

_trust = click.IntRange(0, 100)


@click.group()
def source() -> None:
    """Create, list and change the sources of records."""


@source.command("create")
@click.argument("name")
@click.option(
    "--default-region", default=Settings.default_region, show_default=True, help="Of numbers and dates."
)
@click.option("--default-area-code", help="Completes local numbers, such as 11.")
@click.option("--date-order", type=click.Choice(DATE_ORDERS), help="By default mdy for US, else dmy.")
@click.option("--trust", type=_trust, default=DEFAULT_TRUST, show_default=True, help="For golden records.")
@click.option("--own-domain", "own_domains", multiple=True, help="An e-mail domain of the company's own.")
@click.option("--claims", is_flag=True, help="The public types identifiers there without proving them.")
@json_option
def create(
    *,
    name: str,
    default_region: str,
    default_area_code: str | None,
    date_order: str | None,
    trust: int,
    own_domains: tuple[str, ...],
    claims: bool,
    as_json: bool,
) -> None:
    """Make a source known, so that the API takes its records."""
    region = default_region.upper()
    settings = SourceSettings(
        default_region=region,
        default_area_code=default_area_code,
        date_order=date_order or date_order_of(region),
        own_domains=frozenset(domain.strip().lower() for domain in own_domains),
        claims=claims,
    )
    new = NewSource(name, settings, trust)
    with configured_store() as engine:
        register_source(engine, new, actor=ACTOR, now=datetime.now(UTC))
    show(described(new), f"Source {name}: records of it are taken.", as_json=as_json)


@source.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the sources."""
    with configured_store() as engine, read(engine) as connection:
        found = sorted(select_sources(connection).values(), key=lambda each: each.name)
    lines = [_line(each) for each in found]
    lines = lines or ["There is no source yet: `cdp source create` or `cdp import` makes one."]
    show([described(each) for each in found], *lines, as_json=as_json)


@source.command("set")
@click.argument("name")
@click.option("--trust", type=_trust, help="For golden records.")
@click.option("--claims/--no-claims", default=None, help="Whether the public types identifiers there.")
@json_option
def set_(*, name: str, trust: int | None, claims: bool | None, as_json: bool) -> None:
    """Change what a source is trusted with."""
    if trust is None and claims is None:
        raise click.UsageError("Give --trust, --claims or --no-claims.")
    with configured_store() as engine:
        before, after = change_source(
            engine, name, trust=trust, claims=claims, actor=ACTOR, now=datetime.now(UTC)
        )
    document = {"source": described(after), "changed": after != before}
    show(document, *_told(before, after), as_json=as_json)


@source.command("rejected")
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest.")
@json_option
def rejected(*, name: str | None, limit: int, as_json: bool) -> None:
    """List messages that were refused, of one source or of all."""
    with configured_store() as engine, read(engine) as connection:
        if name is not None and name not in select_sources(connection):
            raise UnknownSourceError(f"There is no source {name}: `cdp source list` names them.")
        found = select_rejections(connection, source=name, limit=limit)
    listed = [{**each, "received_at": format_instant(each["received_at"])} for each in found]
    lines = [
        f"{each['received_at']}  {each['source']}  {each['message_id'] or '-'}  {each['code']}  "
        f"{each['pointer'] or '/'}: {each['detail']}"
        for each in listed
    ]
    show(listed, *(lines or ["No message was refused."]), as_json=as_json)


def _told(before: Source, after: Source) -> list[str]:
    if after == before:
        return [f"Source {after.name} was so already."]
    lines = [f"Source {after.name} is changed."]
    if after.trust != before.trust:
        lines.append(
            "Run `cdp resolve`: it makes the golden records anew with its trust; until then each is made anew when a "
            "record of its profile comes, and `cdp verify` tells those that differ."
        )
    if after.settings != before.settings:
        lines.append("Records that come from now on are read so; those in the store stay as they were read.")
    return lines


def _line(each: Source) -> str:
    settings = each.settings
    words = [
        f"{each.name:20}",
        f"trust {each.trust:>3}",
        f"{settings.default_region}{f' {settings.default_area_code}' if settings.default_area_code else ''}",
        settings.date_order,
        *(["claims"] if settings.claims else []),
        *sorted(settings.own_domains),
    ]
    return "  ".join(words)
