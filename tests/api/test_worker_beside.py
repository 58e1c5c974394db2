"""`cdp serve` keeps a worker running beside it, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cdp.identity.redo_queue import count_waiting
from cdp.store import read, schema, write
from tests.api.server import PATIENCE_SECONDS, Serve, Server
from tests.cdp.realtime.feeding import Feed, a_record

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to find processes in"),
]


def waiting_records(engine: Engine) -> int:
    with read(engine) as connection:
        return count_waiting(connection)


def let_wait(engine: Engine) -> None:
    """The only record there is."""
    row = {"record_id": 1, "queued_at": datetime.now(UTC)}
    with write(engine) as connection:
        connection.execute(schema.redo_records.insert(), row)


def until(condition: Callable[[], bool], server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.05)


def children_of(pid: int) -> dict[int, str]:
    """Of a process and of its children, with their commands."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if parent == pid and command:
            found |= {int(entry.name): command} | children_of(int(entry.name))
    return found


def worker_of(server: Server) -> int | None:
    found = [pid for pid, command in children_of(server.process.pid).items() if " worker " in command]
    return found[0] if found else None


def are_gone(pids: Iterable[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.fixture
def resolved(sqlite_store: Engine) -> Engine:
    """A store whose one record was resolved by the service itself."""
    Feed(sqlite_store).ingest(a_record("1", full_name="Ana Reis", emails=["ana@example.com"]))
    return sqlite_store


def test_a_worker_beside_the_server_is_kept_running(serve: Serve, resolved: Engine) -> None:
    server = serve(workers=1, with_worker=True)
    # Before it is, TERM ends it otherwise.
    server.wait_until_ready()
    let_wait(resolved)
    until(lambda: waiting_records(resolved) == 0, server)
    first = worker_of(server)
    assert first is not None

    os.kill(first, signal.SIGKILL)
    server.wait_for("The worker ended with signal 9", 1)
    let_wait(resolved)
    until(lambda: waiting_records(resolved) == 0, server)

    assert worker_of(server) not in (None, first)
    family = children_of(server.process.pid)
    assert server.stop() == 0
    until(lambda: are_gone(family), server)


def test_a_renewed_server_has_another_worker(serve: Serve, resolved: Engine) -> None:
    server = serve(workers=1, with_worker=True)
    server.wait_until_ready()
    until(lambda: worker_of(server) is not None, server)
    first = worker_of(server)

    server.process.send_signal(signal.SIGHUP)

    until(lambda: worker_of(server) not in (None, first), server)
    assert server.call("/readyz") == 200
    assert "The worker ended" not in server.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_a_server_ends_nothing_is_left_of_it(serve: Serve, resolved: Engine, number: int) -> None:
    server = serve(workers=2, with_worker=True)
    server.wait_until_ready()
    until(lambda: worker_of(server) is not None, server)
    family = children_of(server.process.pid)

    server.process.send_signal(number)
    server.process.wait(PATIENCE_SECONDS)

    assert len(family) == 4
    until(lambda: are_gone(family), server)


def test_a_worker_ends_with_its_supervisor(serve: Serve, resolved: Engine) -> None:
    server = serve(workers=1, with_worker=True)
    server.wait_until_ready()
    until(lambda: worker_of(server) is not None, server)
    worker = worker_of(server)
    assert worker is not None
    [supervisor] = [pid for pid, command in children_of(server.process.pid).items() if "supervise" in command]

    os.kill(supervisor, signal.SIGKILL)

    until(lambda: are_gone([worker, supervisor]), server)
    assert server.call("/readyz") == 200
