"""`cdp worker`: works off what waits in the store, until it is stopped or nothing is left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import islice

import click
import structlog

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.commands.stopping import stop_on_signals
from cdp.realtime.ingest import Resolver
from cdp.realtime.measure import Sampling
from cdp.realtime.online_models import OnlineModels
from cdp.settings import read_settings
from cdp.work import Worked, insist, keep_working, work_off

# Records of one round that are told one by one.
TOLD = 20


@click.command()
@click.option("--once", is_flag=True, help="Do what is due and end.")
@json_option
def worker(*, once: bool, as_json: bool) -> None:
    """Resolve records that wait for it, seal the audit, measure disagreement and delete expired answers, until
    TERM or INT.

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

    with stop_on_signals() as wait, ExitStack() as opened:
        engine = insist(lambda: opened.enter_context(configured_store()), wait=wait, tell=tell)
        if engine is None:
            return
        resolver = Resolver(engine, OnlineModels())

        def work() -> Worked:
            return work_off(resolver, clock=lambda: datetime.now(UTC), wait=wait, sampling=sampling)

        if once:
            worked = insist(work, wait=wait, tell=tell)
            if worked is not None:
                show_worked(worked)
            return
        tell(f"Working; looking every {settings.worker_poll_seconds:g} seconds.")
        keep_working(work, poll_seconds=settings.worker_poll_seconds, wait=wait, show=show_worked, tell=tell)


def _lines(worked: Worked) -> Iterator[str]:
    yield f"Resolved {worked.resolved:,} waiting records, sealed {worked.sealed:,} audit entries."
    if worked.expired:
        yield f"Deleted {worked.expired:,} expired answers."
    if worked.disagreement is not None:
        found = worked.disagreement
        yield f"Disagreement: the people of {found.share:.4%} of {found.sampled:,} sampled records differ."


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
