"""The files in which all processes of the server count, so that each can tell the sum: hooks of gunicorn.

One directory a start of the server. A worker counts in the files of its slot, the lowest that no living worker has, and
goes on from what its former holder counted: the sums stay, and the files become no more however often workers are
renewed. Gauges of a worker end with it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from prometheus_client import values
from prometheus_client.multiprocess import mark_process_dead

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

# All that a worker may come to count. Written at once: a write into memory that finds the disk full ends the process.
_BYTES = {"histogram": 4 * 1024 * 1024, "gauge_livesum": 4096}


def make_directory(server: Any) -> None:
    """When the server is about to start its workers."""
    try:
        os.environ[DIRECTORY] = tempfile.mkdtemp(prefix="cdp-metrics-")
    except OSError as error:
        os.environ.pop(DIRECTORY, None)
        _tell_apart(server, error)


def give_slot(server: Any, worker: Any) -> None:
    """Before a worker is forked."""
    taken = {each.slot for each in server.WORKERS.values()}
    worker.slot = next(slot for slot in count() if slot not in taken)
    end_gauges(server, worker)


def count_in_files(server: Any, worker: Any) -> None:
    """In the worker, before it loads the application."""
    if DIRECTORY not in os.environ:
        return
    try:
        for kind, size in _BYTES.items():
            _make_file(Path(os.environ[DIRECTORY], f"{kind}_{worker.slot}.db"), size)
    except OSError as error:
        del os.environ[DIRECTORY]
        _tell_apart(server, error)
        return
    slot = worker.slot
    values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]


def end_gauges(_server: Any, worker: Any) -> None:
    """When a worker has ended, however it did."""
    if directory := os.environ.get(DIRECTORY):
        mark_process_dead(worker.slot, directory)  # type: ignore[no-untyped-call]


def remove_directory(_server: Any) -> None:
    """When the server has ended."""
    if directory := os.environ.get(DIRECTORY):
        shutil.rmtree(directory, ignore_errors=True)


def _make_file(path: Path, size: int) -> None:
    """It is there whole or not at all: another worker may be reading what there is."""
    if not path.exists():
        begun = path.with_suffix(".new")
        begun.write_bytes(bytes(size))
        begun.replace(path)


def _tell_apart(server: Any, error: OSError) -> None:
    server.log.warning("Requests are counted by each process for itself: %s", error.strerror)
