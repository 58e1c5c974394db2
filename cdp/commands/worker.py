"""`cdp worker`: works off what waits in the store, until it is stopped or nothing is left."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import islice

import click
import structlog

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.realtime.disagreement import Disagreement
from cdp.realtime.ingest import Resolver
from cdp.realtime.measure import Sampling
from cdp.realtime.online_models import OnlineModels
from cdp.settings import read_settings
from cdp.stewardship.desk_rules import desk_rules
from cdp.stewardship.quality import draw_when_due
from cdp.stopping import Wait, stop_on_signals
from cdp.work import Worked, insist, keep_working, work_off

# Records of one round that are told one by one.
TOLD = 20
_LOOK_SECONDS = 1.0
ACTOR = "command:worker"


@click.command()
@click.option("--once", is_flag=True, help="Do what is due and end.")
@click.option("--parent", type=int, hidden=True, help="End when that process is no longer this one's parent.")
@json_option
def worker(*, once: bool, parent: int | None, as_json: bool) -> None:
    """Resolve records that wait for it, seal the audit, measure disagreement, delete expired answers and draw what
    is read again, until TERM or INT.

    Several may run side by side, on one machine or on several.
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    settings = read_settings()
    sampling = None
    if settings.disagreement_seconds is not None:
        every = timedelta(seconds=settings.disagreement_seconds)
        sampling = Sampling(every, settings.disagreement_sample)

    def show_worked(worked: Worked) -> None:
        show(_document(worked), *_lines(worked), as_json=as_json)
        for record_id, reason in islice(worked.set_aside.items(), TOLD):
            tell(f"Record {record_id} is set aside ({reason}); `cdp verify` counts them.")
        for message, _ in worked.disagreement.found[:TOLD] if worked.disagreement else ():
            tell(f"Disagreement: {message}.")

    def tell(line: str) -> None:
        click.echo(line, err=True)

    with stop_on_signals() as signalled, ExitStack() as opened:
        wait = signalled if parent is None else _while_child_of(parent, signalled)
        engine = insist(lambda: opened.enter_context(configured_store()), wait=wait, tell=tell)
        if engine is None:
            return
        resolver = Resolver(engine, OnlineModels())

        def work() -> Worked:
            worked = work_off(resolver, clock=lambda: datetime.now(UTC), wait=wait, sampling=sampling)
            draw_when_due(engine, desk_rules(settings), author=ACTOR, now=datetime.now(UTC))
            return worked

        if once:
            worked = insist(work, wait=wait, tell=tell)
            if worked is not None:
                show_worked(worked)
            return
        tell(f"Working; looks for what waits every {settings.worker_poll_seconds:g} s.")
        keep_working(work, poll_seconds=settings.worker_poll_seconds, wait=wait, show=show_worked, tell=tell)


def _while_child_of(parent: int, wait: Wait) -> Wait:
    """Also stops when the parent is gone: it can have been killed without a word."""

    def wait_or_be_orphaned(seconds: float) -> bool:
        while seconds > _LOOK_SECONDS and os.getppid() == parent:
            if wait(_LOOK_SECONDS):
                return True
            seconds -= _LOOK_SECONDS
        return os.getppid() != parent or wait(seconds)

    return wait_or_be_orphaned


def _lines(worked: Worked) -> Iterator[str]:
    yield f"Resolved {worked.resolved:,} waiting records, sealed {worked.sealed:,} audit entries."
    if worked.expired:
        yield f"Deleted {worked.expired:,} expired answers."
    if worked.disagreement is not None:
        yield _told(worked.disagreement)


def _told(found: Disagreement) -> str:
    if found.share is None:
        return f"Disagreement: none of {found.sampled:,} sampled records could be compared."
    return f"Disagreement: the people of {found.share:.4%} of {found.sampled:,} sampled records differ."


def _document(worked: Worked) -> dict[str, object]:
    found = worked.disagreement
    return {
        "resolved": worked.resolved,
        "sealed": worked.sealed,
        "expired": worked.expired,
        "set_aside": worked.set_aside,
        "disagreement": found
        and {
            "share": found.share,
            "records": found.sampled,
            "waiting": found.waiting,
            "differing": found.differing,
        },
    }
