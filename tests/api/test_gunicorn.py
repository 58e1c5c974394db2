"""The service as it runs: several processes over one store, stopped and renewed under load."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cdp.privacy.audit import find_breach
from cdp.privacy.issue import revoke_key
from cdp.privacy.keys import parse_key
from cdp.store import read
from tests.builders import StoreBuilder, a_record

CDP = [sys.executable, "-P", "-c", "from cdp.commands import main; main()"]


class Server:
    """`cdp serve` in a process of its own, started from a directory."""

    def __init__(self, url: str, directory: Path, *, workers: int, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.log = directory / "serve.log"
        environment = {**os.environ, "CDP_DATABASE_URL": url, "CDP_THREADS": "4", **environment}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*CDP, "serve", "--bind", self.address, "--workers", str(workers)],
                cwd=directory,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def call(self, path: str, *, secret: str | None = None, body: object = None) -> int:
        headers = {"Content-Type": "application/json"}
        if secret:
            headers["Authorization"] = f"Bearer {secret}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def read(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.call("/readyz") == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def wait_for(self, line: str, count: int) -> None:
        """Until the log has a line so many times."""
        deadline = time.monotonic() + 30
        while self.log.read_text().count(line) < count:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


Serve = Callable[..., Server]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A directory that holds nothing."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    return directory


@pytest.fixture
def serve(sqlite_url: str, sqlite_store: Engine, elsewhere: Path) -> Iterator[Serve]:
    """Starts a server from that directory, and stops it after the test."""
    # The store must be one the server can use before it starts: the fixture above made it.
    assert sqlite_store.dialect.name == "sqlite"
    running: list[Server] = []

    def start(*, workers: int, **environment: str) -> Server:
        running.append(Server(sqlite_url, elsewhere, workers=workers, **environment))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.mark.slow
def test_three_workers_lose_nothing(serve: Serve, lite_people: StoreBuilder) -> None:
    lite_people.add_profile(a_record())
    secret = lite_people.add_key("profiles:lookup", "profiles:read:agent")
    body = {"type": "phone", "value": "11 98765-4321"}
    server = serve(workers=3)
    server.wait_until_ready()

    with ThreadPoolExecutor(12) as callers:
        answers = [
            callers.submit(server.call, "/v1/profiles/lookup", secret=secret, body=body) for _ in range(240)
        ]
        # New workers take the place of the old ones while requests are in flight.
        server.process.send_signal(signal.SIGHUP)
        statuses = Counter(answer.result() for answer in answers)
    stopped = server.stop()

    log = server.log.read_text()
    assert statuses == {200: 240}, log
    assert stopped == 0
    assert log.count("Booting worker") >= 6
    assert len(lite_people.audited()) == 240
    with read(lite_people.engine) as connection:
        assert find_breach(connection) is None
    assert "987654321" not in log
    assert "98765-4321" not in log
    assert secret not in log


@pytest.mark.slow
def test_what_lies_in_the_directory_is_not_served(
    serve: Serve, elsewhere: Path, lite_people: StoreBuilder
) -> None:
    for name in ("wsgi", "api", "cdp", "resolution", "flask", "gunicorn", "gunicorn.conf"):
        (elsewhere / f"{name}.py").write_text(f'raise RuntimeError("the {name} of the directory")\n')
    server = serve(workers=1)
    server.wait_until_ready()

    # Renewed workers import everything anew.
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("Booting worker", 2)
    answer = server.call("/readyz")
    stopped = server.stop()

    log = server.log.read_text()
    assert (answer, stopped) == (200, 0), log
    assert "of the directory" not in log


@pytest.mark.slow
def test_every_worker_tells_the_same_metrics(serve: Serve, lite_people: StoreBuilder) -> None:
    for key in "abc":
        lite_people.add_profile(a_record(source_record_id=key))
    server = serve(workers=3)
    server.wait_until_ready()

    with ThreadPoolExecutor(12) as scrapers:
        told = Counter(scrapers.map(lambda _: server.read("/metrics"), range(60)))

    [text] = told
    assert "cdp_records 3.0\n" in text


@pytest.mark.slow
def test_all_workers_count_one_limit(serve: Serve, lite_people: StoreBuilder) -> None:
    secret, other = lite_people.add_key("candidates:read"), lite_people.add_key("candidates:read")
    server = serve(workers=3, CDP_RATE_LIMIT="100/hour")
    server.wait_until_ready()

    with ThreadPoolExecutor(12) as callers:
        calls = [callers.submit(server.call, "/v1/candidates", secret=secret) for _ in range(160)]
        # The count goes on in the processes that take the place of these.
        server.process.send_signal(signal.SIGHUP)
        statuses = Counter(call.result() for call in calls)

    assert statuses == {200: 100, 429: 60}
    assert server.call("/v1/candidates", secret=other) == 200


@pytest.mark.slow
def test_no_worker_takes_a_key_that_was_revoked(serve: Serve, lite_people: StoreBuilder) -> None:
    secret, other = lite_people.add_key("candidates:read"), lite_people.add_key("candidates:read")
    key_id = parse_key(secret)
    assert key_id is not None
    server = serve(workers=3)
    server.wait_until_ready()

    with ThreadPoolExecutor(12) as callers:
        before = Counter(callers.map(lambda _: server.call("/v1/candidates", secret=secret), range(60)))
        revoke_key(lite_people.engine, key_id, actor="test", now=datetime.now(UTC))
        # Fewer than the wrong secrets after which it would be refused for these.
        after = Counter(callers.map(lambda _: server.call("/v1/candidates", secret=secret), range(18)))

    assert (before, after) == ({200: 60}, {401: 18})
    assert server.call("/v1/candidates", secret=other) == 200
