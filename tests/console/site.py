"""The console as people meet it: gunicorn over demo customers, with somebody of each role."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cdp.demo.generation import generate_demo
from cdp.identity.activate import require_active_model
from cdp.identity.import_records import ImportOptions, import_files
from cdp.identity.resolve import resolve_all
from cdp.intake.mapping import ImportMapping
from cdp.staff.accounts import NewUser, create_user
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.quality import draw_samples
from cdp.store import migrate, open_store
from tests.api.server import PATIENCE_SECONDS

PASSWORD = "correct horse battery"
# Who may try what: names of people, since they are seen on pictures.
PEOPLE = {"ana": "steward", "rui": "steward", "bruno": "lead", "clara": "admin"}
RECORDS = 700
CDP = [sys.executable, "-P", "-c", "from cdp.commands import main; main()"]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


@dataclass(frozen=True)
class Site:
    address: str
    store_url: str
    log: Path

    def page(self, path: str) -> str:
        return f"http://{self.address}/console/{path}"


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def fill_store(home: Path) -> str:
    """Demo customers, resolved with the shipped model; returns the store's URL."""
    url = f"sqlite:///{home / 'cdp.db'}"
    migrate(url)
    engine = open_store(url)
    now = datetime.now(UTC)
    require_active_model(engine, now=now)
    generate_demo(home / "demo", record_count=RECORDS, seed=1)
    import_files(
        engine,
        [home / "demo" / "records.jsonl.gz"],
        ImportOptions(mapping=ImportMapping(), worker_count=1),
        spool_directory=home / "tmp",
        rejects_path=home / "rejects.jsonl",
        clock=lambda: datetime.now(UTC),
    )
    resolve_all(engine, clock=lambda: datetime.now(UTC))
    for name, role in PEOPLE.items():
        create_user(engine, NewUser(name, role, PASSWORD), actor="test", now=now)
    draw_samples(engine, DeskRules(quality_join_share=0.1), author="test", now=datetime.now(UTC))
    engine.dispose()
    return url


@contextmanager
def serve(url: str, directory: Path) -> Iterator[Site]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = directory / "serve.log"
    environment = {
        **os.environ,
        "CDP_DATABASE_URL": url,
        "CDP_HOME": str(directory),
        "CDP_RATE_LIMIT": "off",
        "CDP_TIME_ZONE": "America/Sao_Paulo",
    }
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [*CDP, "serve", "--bind", address, "--workers", "1"],
            cwd=directory,
            env=environment,
            stdout=lines,
            stderr=lines,
        )
    try:
        _wait_until_ready(address, process, log)
        yield Site(address, url, log)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://{address}/readyz", timeout=PATIENCE_SECONDS):
                return
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.1)
    raise AssertionError(log.read_text())
