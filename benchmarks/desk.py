"""What a steward waits for with a long queue: its first page by every order, its numbers, the next candidate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from sqlalchemy import Engine, text

from benchmarks.queues import fill_queue
from cdp.stewardship.candidates import close_candidate
from cdp.stewardship.claim import claim_next
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.queue import SORTS, QueueFilter, count_open, select_queue_page
from cdp.store import migrate, open_store, read, write

QUEUE_SIZE = 100_000
ROUNDS = 5
PAGE = 50
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
RULES = DeskRules()


@dataclass(frozen=True)
class DeskTime:
    """The least of several rounds, in milliseconds."""

    store: str
    what: str
    milliseconds: float


def measure_desk(databases: Iterable[tuple[str, str]], queue_size: int, *, seed: int) -> Iterator[DeskTime]:
    for store, url in databases:
        migrate(url)
        engine = open_store(url)
        fill_queue(engine, queue_size, seed=seed, now=NOW)
        if engine.dialect.name == "postgresql":
            # As its own collecting of statistics does after a while.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
        for what, step in _steps(engine).items():
            yield DeskTime(store, what, _least(step))
        engine.dispose()


def desk_lines(times: Iterable[DeskTime], queue_size: int) -> list[str]:
    lines = [
        f"With {queue_size:,} open candidates; the least of {ROUNDS} rounds.",
        "",
        "| store | | ms |",
        "|---|---|---|",
    ]
    return [*lines, *(f"| {each.store} | {each.what} | {each.milliseconds:.0f} |" for each in times)]


def _steps(engine: Engine) -> dict[str, Callable[[], object]]:
    def page(sort: str, asked: QueueFilter) -> Callable[[], object]:
        def select() -> object:
            with read(engine) as connection:
                return select_queue_page(connection, asked, RULES, sort=sort, limit=PAGE, now=NOW)

        return select

    def numbers() -> object:
        with read(engine) as connection:
            return count_open(connection, RULES, now=NOW)

    decided = count(1)

    def next_after_a_decision() -> object:
        with write(engine) as connection:
            close_candidate(connection, next(decided), "different", author="user:ana", now=NOW)
        return claim_next(engine, RULES, author="user:ana", now=NOW)

    mine = QueueFilter(reader="user:ana")
    steps: dict[str, Callable[[], object]] = {
        f"first page for one person, by {sort}": page(sort, mine) for sort in SORTS
    }
    steps["first page of one source, by priority"] = page("priority", QueueFilter(source="crm"))
    steps["numbers of the queue"] = numbers
    steps["close one, claim the next"] = next_after_a_decision
    return steps


def _least(step: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return min(times) * 1000
