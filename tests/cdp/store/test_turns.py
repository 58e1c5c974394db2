"""Writers of a SQLite store stand in line: one at a time, and whoever has written stands behind those who wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cdp.store import open_store
from cdp.store.errors import StoreBusyError
from cdp.store.turns import writing_turn


def test_one_writer_has_the_turn_at_a_time(sqlite_store: Engine) -> None:
    inside, most = 0, 0
    looking = threading.Lock()

    def write_often() -> None:
        nonlocal inside, most
        for _ in range(20):
            with writing_turn(sqlite_store):
                with looking:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.0005)
                with looking:
                    inside -= 1

    threads = [threading.Thread(target=write_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def test_who_waits_comes_before_who_has_just_written(sqlite_store: Engine) -> None:
    order: list[str] = []
    waits = threading.Event()

    def wait() -> None:
        waits.set()
        with writing_turn(sqlite_store):
            order.append("waiting")

    other = threading.Thread(target=wait)
    with writing_turn(sqlite_store):
        other.start()
        waits.wait()
        # Long enough to open two files and to stand in line.
        time.sleep(0.1)
        order.append("first")
    with writing_turn(sqlite_store):
        order.append("first again")
    other.join()

    assert order == ["first", "waiting", "first again"]


def test_a_turn_that_does_not_come_is_told(sqlite_store: Engine) -> None:
    held = threading.Event()
    done = threading.Event()

    def hold() -> None:
        with writing_turn(sqlite_store):
            held.set()
            done.wait()

    other = threading.Thread(target=hold)
    other.start()
    held.wait()

    with pytest.raises(StoreBusyError), writing_turn(sqlite_store, timeout_seconds=0.01):
        pass
    done.set()
    other.join()


def test_a_turn_is_waited_for_as_long_as_the_engine_waits(
    sqlite_url: str, open_engine: Callable[[str], Engine]
) -> None:
    impatient = open_store(sqlite_url, timeout_seconds=0.05)

    with (
        writing_turn(open_engine(sqlite_url)),
        pytest.raises(StoreBusyError, match="CDP_STORE_TIMEOUT_SECONDS"),
        writing_turn(impatient),
    ):
        pass

    impatient.dispose()


def test_the_files_of_the_line_are_private(sqlite_store: Engine, tmp_path: Path) -> None:
    with writing_turn(sqlite_store):
        pass

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("cdp.db-*")}
    assert (modes["cdp.db-turn"], modes["cdp.db-next"]) == (0o600, 0o600)


def test_who_waits_works_until_its_turn_comes(sqlite_store: Engine) -> None:
    ahead = threading.Event()
    steps: list[bool] = []

    def work() -> bool:
        steps.append(len(steps) < 3)
        if not steps[-1]:
            ahead.set()
        return steps[-1]

    def wait() -> None:
        with writing_turn(sqlite_store, meanwhile=work):
            pass

    other = threading.Thread(target=wait)
    with writing_turn(sqlite_store, meanwhile=work):
        other.start()
        ahead.wait()
    other.join()

    assert steps[:4] == [True, True, True, False]


def test_postgresql_needs_no_line(postgresql_store: Engine) -> None:
    with writing_turn(postgresql_store), writing_turn(postgresql_store):
        pass
