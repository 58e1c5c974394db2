"""`cdp worker` as it is typed and as it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

import resolution.incremental
from cdp.commands import main
from tests.cdp.identity.resolving import counts
from tests.cdp.realtime.feeding import Feed, a_record

ARGUMENTS = [sys.executable, "-c", "from cdp.commands import main; main()", "worker"]


@pytest.fixture
def waiting(store: Engine, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The store that the environment names; records wait in its queue."""
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", 0)
    feed = Feed(store)
    for name in ("Ana", "Bia", "Caio"):
        feed.ingest(a_record(name, full_name=f"{name} Reis", emails=["casa77@example.com"]))
    monkeypatch.setenv("CDP_DATABASE_URL", store_url)
    return store


def test_once_does_what_is_due_and_ends(waiting: Engine) -> None:
    queued = counts(waiting, ["redo_records"])["redo_records"]

    result = CliRunner().invoke(main, ["worker", "--once", "--json"])

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["resolved"] == queued > 0
    assert counts(waiting, ["redo_records"])["redo_records"] == 0


def test_with_nothing_due_it_says_so(waiting: Engine) -> None:
    CliRunner().invoke(main, ["worker", "--once"])

    result = CliRunner().invoke(main, ["worker", "--once"])

    assert result.stdout == "Resolved 0 waiting records, sealed 0 audit entries.\n"


def test_without_a_store_it_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", "sqlite:////nowhere/cdp.db")

    result = CliRunner().invoke(main, ["worker"])

    assert result.exit_code == 1
    assert "cdp migrate" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_its_rest_at_once(waiting: Engine, number: int) -> None:
    environment = {**os.environ, "CDP_WORKER_POLL_SECONDS": "600"}
    process = subprocess.Popen(
        ARGUMENTS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    shown = process.stdout.readline()  # It rests from here on.

    process.send_signal(number)
    _, told = process.communicate(timeout=20)

    assert process.returncode == 0, told
    assert shown.startswith("Resolved ")
    assert counts(waiting, ["redo_records"])["redo_records"] == 0
