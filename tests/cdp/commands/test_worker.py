"""`cdp worker` as it is typed and as it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, delete, select, update

import resolution.incremental
from cdp.commands import main
from cdp.identity.redo_queue import CONDITION_FAILED, set_aside
from cdp.store import schema, write
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


def test_disagreement_is_measured_once_in_a_while(waiting: Engine) -> None:
    first = CliRunner().invoke(main, ["worker", "--once", "--json"])
    second = CliRunner().invoke(main, ["worker", "--once", "--json"])

    assert json.loads(first.stdout)["disagreement"] == {
        "share": 0.0,
        "records": 3,
        "waiting": 0,
        "differing": 0,
    }
    assert json.loads(second.stdout)["disagreement"] is None
    assert counts(waiting, ["disagreement_measurements"])["disagreement_measurements"] == 1


def test_what_disagrees_is_told(waiting: Engine) -> None:
    CliRunner().invoke(main, ["worker", "--once"], env={"CDP_DISAGREEMENT_SECONDS": "off"})
    with write(waiting) as connection:
        memberships = schema.memberships
        home = connection.scalar(select(memberships.c.profile_id).where(memberships.c.record_id == 1))
        connection.execute(update(memberships).where(memberships.c.record_id == 2).values(profile_id=home))

    result = CliRunner().invoke(main, ["worker", "--once"])

    assert "Disagreement: the people of " in result.stdout
    assert "Disagreement: " in result.stderr


def test_what_is_set_aside_is_told(waiting: Engine) -> None:
    with write(waiting) as connection:
        connection.execute(delete(schema.redo_records))
        set_aside(connection, [2], CONDITION_FAILED, now=datetime(2026, 1, 1, tzinfo=UTC))

    result = CliRunner().invoke(main, ["worker", "--once", "--json"])

    assert json.loads(result.stdout)["set_aside"] == {}
    assert json.loads(result.stdout)["resolved"] == 1


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
    _, told = process.communicate(timeout=180)

    assert process.returncode == 0, told
    assert shown.startswith("Resolved ")
    assert counts(waiting, ["redo_records"])["redo_records"] == 0
