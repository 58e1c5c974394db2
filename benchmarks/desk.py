"""What a steward waits for with a long queue: its first page by every order, the next item after an answer, and the
page of a profile of very many records.

Over HTTP against a real server, as a browser asks, beside pages that hold nothing.
"""

from __future__ import annotations

import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, bindparam, func, select, text, update

from benchmarks.browsing import Browser, UnexpectedPageError
from benchmarks.doubtful_pairs import APART, SOURCES, write_doubtful_pairs, write_records_apart
from benchmarks.processes import run_cdp
from benchmarks.serving import served
from cdp.identity.candidate_weights import weigh_all_candidates
from cdp.realtime.ingest import Resolver
from cdp.realtime.online_models import OnlineModels
from cdp.staff.accounts import NewUser, create_user
from cdp.stewardship.join import join
from cdp.stewardship.queue import SORTS
from cdp.stewardship.ruling import Order
from cdp.store import open_store, read, write
from cdp.store.schema import memberships, source_records, sources
from cdp.store.schema import merge_candidates as candidates

# Of so many pairs, three in four stay in doubt: more than QUEUE_SIZE.
PAIRS = 145_000
QUEUE_SIZE = 100_000
# Of one profile.
MANY_RECORDS = 10_000
ROUNDS = 15
# The workers of the server have each seen every kind of page by then.
WARMING = 4
TRIES = 50
PAGE_MILLISECONDS, NEXT_MILLISECONDS, MANY_MILLISECONDS = 300, 200, 2000
STEWARD, PASSWORD = "ana", "correct horse battery"
EMPTY_ROUTE, EMPTY_PAGE = "empty Flask route", "empty page of the console"

# What the console says of each answer once it is given.
ANSWERS = {"different": "different people", "same": "same person"}

_ITEM = re.compile(r'href="/console/review/(\d+)"')
_ACTION = re.compile(r'action="(/console/review/\d+/decide)"')
_SEEN = re.compile(r'name="seen" value="([^"]+)"')
_TOLD = re.compile(r'id="told"(.*?)</div>', re.DOTALL)


@dataclass(frozen=True)
class Step:
    """Something waited for; `done` says whether it counts, the preparation before it is not timed."""

    done: Callable[[], bool]
    bar: int | None = None
    prepare: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class DeskTime:
    """Of several rounds: the median and the least, in milliseconds; the most it may take, where that is said."""

    what: str
    median: float
    least: float
    bar: int | None = None


@dataclass(frozen=True)
class Desk:
    """What was waited for on one store, the empty route and the empty page first."""

    store: str
    queue_size: int
    times: list[DeskTime]

    def ratio(self, timed: DeskTime) -> float:
        [empty] = [each.median for each in self.times if each.what == EMPTY_PAGE]
        return timed.median / empty


def measure_desk(databases: Iterable[tuple[str, str]], *, seed: int) -> Iterator[Desk]:
    """Raises UnexpectedPageError when the service answers otherwise than a steward would have it."""
    for store, url in databases:
        with tempfile.TemporaryDirectory(prefix="cdp-desk-") as directory:
            home = Path(directory)
            big_profile = fill_desk(url, home, seed=seed)
            with (
                served("wsgi:app", home, database_url=url) as service,
                served("benchmarks.empty:app", home) as nothing,
            ):
                steward, visitor = Browser(service), Browser(nothing)
                steward.sign_in(STEWARD, PASSWORD)
                steps = {EMPTY_ROUTE: _page(visitor, "/"), **_steps(steward, big_profile)}
                yield Desk(store, _count_open(url), _measure(steps))
                steward.close()
                visitor.close()


def fill_desk(url: str, home: Path, *, seed: int) -> str:
    """Records that leave their people in doubt, resolved by the shipped model, a steward, and MANY_RECORDS that are
    held to be one person: returns their profile. Raises UnexpectedPageError for fewer candidates than are to be
    measured."""
    pairs, many = home / "pairs.jsonl.gz", home / "many.jsonl.gz"
    write_doubtful_pairs(pairs, PAIRS, seed=seed)
    write_records_apart(many, MANY_RECORDS, seed=seed)
    for command in (["migrate"], ["import", str(pairs), str(many), "--no-resolve"], ["resolve"]):
        run_cdp(*command, home=home, database_url=url)
    engine, now = open_store(url), datetime.now(UTC)
    create_user(engine, NewUser(STEWARD, "steward", PASSWORD), actor="benchmark", now=now)
    big_profile = _join_all_of(engine, APART, now)
    with write(engine) as connection:
        _spread(connection, random.Random(seed), now)
    if engine.dialect.name == "postgresql":
        # As its own collecting of statistics does after a while.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
    if (found := _count_open(url)) < QUEUE_SIZE:
        raise UnexpectedPageError(f"only {found:,} candidates wait")
    return big_profile


def desk_lines(desks: Iterable[Desk]) -> list[str]:
    lines = [
        "Over HTTP against gunicorn with its settings of every day, signed in as a steward, one request after the "
        f"other on one connection; {ROUNDS} rounds of all in turn, so that what else the machine does meets "
        "all. Records of pairs that share a phone and little else, resolved by the shipped model, wait in the queue. "
        "The first page has 50 items. The next item after an answer is the form that is sent, the redirect, and the "
        "review of the item that comes first then: the answer is a decision like any other, with its ledger, audit and "
        "events, and the people around it are found again. The profile of many records is what one ruling made of "
        f"them; its page shows the first of them. The {EMPTY_PAGE} is that of the account; the {EMPTY_ROUTE} "
        "is an application of one, under the same gunicorn. PostgreSQL syncs nothing.",
        "",
        "| store | | median | least | of the empty page | at most |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for desk in desks:
        for each in desk.times:
            bar = "" if each.bar is None else f"{each.bar} ms"
            lines.append(
                f"| {desk.store}, {desk.queue_size:,} open | {each.what} | {each.median:.0f} ms | {each.least:.0f} ms "
                f"| {desk.ratio(each):.1f} | {bar} |"
            )
    return lines


def _join_all_of(engine: Engine, source: str, now: datetime) -> str:
    """Hold all records of a source to be one person, by one ruling as a steward would give it. Returns the profile."""
    held = (
        select(memberships.c.profile_id)
        .join(source_records, source_records.c.record_id == memberships.c.record_id)
        .join(sources, sources.c.source_id == source_records.c.source_id)
        .where(sources.c.name == source, memberships.c.valid_to.is_(None))
        .order_by(memberships.c.profile_id)
    )
    with read(engine) as connection:
        profile_ids = connection.scalars(held).all()
    outcome = join(Resolver(engine, OnlineModels()), profile_ids, Order("benchmark", "one person", now))
    [joined] = [each.profile_id for each in outcome.after if each.state == "live"]
    return joined


def _spread(connection: Connection, chance: random.Random, now: datetime) -> None:
    """As if they had come over a month, some of them with a day until which they are to be done."""
    spread = [
        {
            "each": candidate_id,
            "opened": now - timedelta(hours=chance.randrange(30 * 24)),
            "due": now + timedelta(days=chance.randrange(9)) if chance.random() < 0.2 else None,
        }
        for candidate_id in connection.scalars(select(candidates.c.candidate_id))
    ]
    changed = update(candidates).where(candidates.c.candidate_id == bindparam("each"))
    connection.execute(changed.values(created_at=bindparam("opened"), due_at=bindparam("due")), spread)
    weigh_all_candidates(connection)


def _count_open(url: str) -> int:
    engine = open_store(url)
    with read(engine) as connection:
        counted = connection.scalars(select(func.count()).where(candidates.c.state == "open")).one()
    engine.dispose()
    return counted


def _steps(steward: Browser, big_profile: str) -> dict[str, Step]:
    asked = {f"first page, by {sort}": f"sort={sort}" for sort in SORTS}
    asked |= {"first page, open to me": "whose=mine", "first page, of one source": f"source={SOURCES[0]}"}
    steps = {EMPTY_PAGE: _page(steward, "/console/account")}
    for what, query in asked.items():
        steps[what] = _page(steward, f"/console/queue?{query}", _ITEM, bar=PAGE_MILLISECONDS)
    many = f"{MANY_RECORDS:,} records"
    steps[f"page of a profile of {many}"] = _page(
        steward, f"/console/profiles/{big_profile}", re.compile(f"({many})"), bar=MANY_MILLISECONDS
    )
    for decision, told in ANSWERS.items():
        steps[f"next item after {told!r}"] = _answer(steward, decision, told)
    return steps


def _page(
    browser: Browser, path: str, holds: re.Pattern[str] | None = None, *, bar: int | None = None
) -> Step:
    def get() -> bool:
        browser.get(path)
        return holds is None or browser.find(holds) != ""

    return Step(get, bar)


def _answer(steward: Browser, decision: str, told: str) -> Step:
    """Only an answer that has its effect at once counts: a risky yes waits for a second person."""

    def take() -> None:
        steward.get("/console/queue")
        steward.post("/console/queue/next", {})

    def answer() -> bool:
        fields = {
            "decision": decision,
            "seen": steward.find(_SEEN),
            "why": "what the records say",
            "words": "",
        }
        steward.post(steward.find(_ACTION), fields)
        return steward.find(_SEEN) != "" and told in steward.find(_TOLD)

    return Step(answer, NEXT_MILLISECONDS, take)


def _measure(steps: Mapping[str, Step]) -> list[DeskTime]:
    times: dict[str, list[float]] = {what: [] for what in steps}
    for number in range(WARMING + ROUNDS):
        for what, step in steps.items():
            milliseconds = _timed(step)
            if number >= WARMING:
                times[what].append(milliseconds)
    return [
        DeskTime(what, statistics.median(times[what]), min(times[what]), step.bar)
        for what, step in steps.items()
    ]


def _timed(step: Step) -> float:
    """Raises UnexpectedPageError when it never counts."""
    for _ in range(TRIES):
        step.prepare()
        begun = time.perf_counter()
        counts = step.done()
        seconds = time.perf_counter() - begun
        if counts:
            return seconds * 1000
    raise UnexpectedPageError(f"nothing came of it in {TRIES} tries")
