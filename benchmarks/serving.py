"""A real server to measure: gunicorn with the service's own settings."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Address = tuple[str, int]

PATIENCE_SECONDS = 120


@contextmanager
def served(app: str, home: Path, *, database_url: str | None = None) -> Iterator[Address]:
    """This application on the store in `home`, or on another one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address: Address = free.getsockname()
    environment = {**os.environ, "CDP_HOME": str(home), "HOST": address[0], "PORT": str(address[1])}
    environment |= {"CDP_DATABASE_URL": database_url or f"sqlite:///{home / 'cdp.db'}"}
    environment |= {"CDP_LOG_LEVEL": "warning", "CDP_RATE_LIMIT": "off"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:api.serving", app]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(address)
            yield address
        finally:
            process.terminate()


def _wait_for(address: Address) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("gunicorn did not start")
