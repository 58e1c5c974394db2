"""The service as it runs, in processes of its own."""

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
from collections.abc import Callable
from pathlib import Path

# Seconds on a machine that is idle: so long waits only who waits in vain.
PATIENCE_SECONDS = 180.0
CDP = [sys.executable, "-P", "-c", "from cdp.commands import main; main()"]


class Server:
    """`cdp serve` in a process of its own, started from a directory."""

    def __init__(
        self, url: str, directory: Path, *, workers: int, with_worker: bool = False, **environment: str
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.log = directory / "serve.log"
        environment = {**os.environ, "CDP_DATABASE_URL": url, "CDP_THREADS": "4", **environment}
        beside = "--with-worker" if with_worker else "--no-worker"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*CDP, "serve", "--bind", self.address, "--workers", str(workers), beside],
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
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def read(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=PATIENCE_SECONDS) as answer:
            return str(answer.read().decode())

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
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
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.log.read_text().count(line) < count:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


Serve = Callable[..., Server]
