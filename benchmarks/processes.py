"""Running a command and measuring it with all its children: seconds on the clock, peak resident memory."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """What a command printed (JSON), how long it took and the most memory that it and its children held at once."""

    output: Any
    seconds: float
    peak_bytes: int


def run_cdp(*arguments: str, home: Path, database_url: str | None = None) -> Measured:
    """Run `cdp ARGUMENTS --json` on the store in `home`, or on another one; raises CalledProcessError with what it
    said."""
    command = [str(Path(".venv/bin/cdp").absolute()), *arguments, "--json"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("CDP_")}
    variables["CDP_HOME"] = str(home)
    if database_url is not None:
        variables["CDP_DATABASE_URL"] = database_url
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    peak = _Peak(process.pid)
    out, error = process.communicate()
    seconds = time.perf_counter() - began
    peak.stop()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, out, error)
    return Measured(_last_json(out), seconds, peak.bytes)


class _Peak:
    """The largest sum of resident memory of a process and its children, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            self.bytes = max(self.bytes, sum(_resident(each) for each in self._family()))

    def _family(self) -> Sequence[psutil.Process]:
        try:
            return [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _last_json(text: str) -> Any:
    """The JSON document of the output, whether on one line or on many."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return json.loads(text.strip().splitlines()[-1]) if text.strip() else None
