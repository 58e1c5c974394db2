"""A worker is kept running, asked to end, and started anew, by what the server says."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import cdp.supervise
from cdp.supervise import Pauses, asked_by, renew_worker, supervise

# Notes that it began, and how it was asked to end.
LASTING = """
import pathlib, signal, sys, time
notes = pathlib.Path(sys.argv[1])
def end(number, frame):
    notes.open("a").write("ended ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
notes.open("a").write("began ")
time.sleep(60)
"""
FAILING = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write('began '); sys.exit(3)"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes"
    path.touch()
    return path


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdp.supervise, "_LOOK_SECONDS", 0.02)


class Script:
    """What the server says, one thing after the other, each once the notes hold so many words."""

    def __init__(self, notes: Path, *steps: tuple[int, str]) -> None:
        self.notes, self.steps = notes, list(steps)

    def __call__(self, seconds: float) -> str | None:
        count, said = self.steps[0]
        if len(self.notes.read_text().split()) < count:
            time.sleep(min(seconds, 0.02))
            return None
        self.steps.pop(0)
        return said


def run(program: str, notes: Path, *steps: tuple[int, str], stopped: Callable[[], bool] = bool) -> list[str]:
    """What was told."""
    told: list[str] = []
    supervise(
        [sys.executable, "-c", program, str(notes)],
        wait=lambda seconds: stopped(),
        asked=Script(notes, *steps),
        tell=told.append,
        pauses=Pauses(),
    )
    return told


def test_a_worker_is_asked_to_end_when_the_server_is_gone(notes: Path) -> None:
    told = run(LASTING, notes, (1, "gone"))

    assert (notes.read_text().split(), told) == (["began", "ended"], [])


def test_a_worker_is_renewed(notes: Path) -> None:
    told = run(LASTING, notes, (1, "renew"), (3, "gone"))

    assert (notes.read_text().split(), told) == (["began", "ended", "began", "ended"], [])


def test_a_worker_that_ends_is_started_again_after_a_pause(notes: Path) -> None:
    told = run(FAILING, notes, (2, "gone"))

    assert notes.read_text().split() == ["began", "began"]
    assert told[0] == "The worker ended with code 3; it is started again in 1 seconds."


def test_a_signal_ends_the_worker_too(notes: Path) -> None:
    told = run(LASTING, notes, (99, "gone"), stopped=lambda: notes.read_text() != "")

    assert (notes.read_text().split(), told) == (["began", "ended"], [])


def test_a_worker_that_does_not_end_is_killed(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdp.supervise, "GRACE_SECONDS", 0.1)
    deaf = LASTING.replace("sys.exit(0)", "pass")

    begun = time.monotonic()
    run(deaf, notes, (1, "gone"))

    assert time.monotonic() - begun < 30
    assert notes.read_text().split() == ["began", "ended"]


def test_pauses_grow_while_a_worker_does_not_last() -> None:
    pauses = Pauses()

    assert [pauses.after(lasted) for lasted in (0, 5, 5)] == [1, 2, 4]
    assert [pauses.after(0) for _ in range(9)][-1] == 60
    assert [pauses.after(lasted) for lasted in (3600, 0)] == [0, 1]


def test_a_server_asks_by_its_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    asked = asked_by(reading)
    monkeypatch.setenv("CDP_WORKER_PIPE", str(writing))
    said = [asked(0)]

    renew_worker()
    said.append(asked(0))
    os.close(writing)
    said.append(asked(0))
    os.close(reading)

    assert said == [None, "renew", "gone"]


def test_without_a_supervisor_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDP_WORKER_PIPE", raising=False)

    renew_worker()
