"""Where work begins: what waits, the model in force, how the profiles look as a whole."""

from __future__ import annotations

from datetime import timedelta

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.states import PageError
from api.service import current_service
from api.snapshots import snapshot
from cdp.identity.health import SIZES
from cdp.stewardship.actions import count_decided
from cdp.stewardship.desk_rules import desk_rules
from cdp.stewardship.leases import select_leases_of
from cdp.stewardship.proposals import count_open as count_proposals
from cdp.stewardship.quality import count_readable
from cdp.stewardship.queue import QueueFilter, count_open, count_queue

RECENT = timedelta(days=7)


@blueprint.get("/")
@requires("home.read")
def home() -> str:
    service = current_service()
    now, engine = service.clock(), service.store.engine()
    observed = service.observer.observe(engine, now)
    health = service.health.look(engine, now)
    with snapshot() as connection:
        waiting = count_open(connection, desk_rules(service.settings), now=now)
        mine = select_leases_of(connection, current_user().actor, now=now)
        week = count_decided(connection, since=now - RECENT)
        sample_count = count_readable(connection, author=current_user().actor)
        confirm_count = count_proposals(connection) + count_queue(
            connection, QueueFilter(awaits_confirmation=True), now=now
        )
    sizes = [
        (least, most, count, count / health.profile_count if health.profile_count else 0.0)
        for (least, most), count in zip(SIZES, health.sizes, strict=True)
    ]
    return render_template(
        "console/home.html",
        observed=observed,
        waiting=waiting,
        mine=mine,
        decided=week,
        sample_count=sample_count,
        confirm_count=confirm_count,
        health=health,
        sizes=sizes,
        measurement=observed.measurement,
    )


@blueprint.get("")
@requires("home.read")
def index() -> Response:
    return redirect(url_for(f"{CONSOLE}.home"))


@blueprint.get("/<path:rest>")
def nothing_here(rest: str) -> Response:
    raise PageError("not_found")
