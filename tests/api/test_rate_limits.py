"""How often one may call: by key, by address without one, by wrong secrets; counted once for all processes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from limits import RateLimitItemPerSecond
from limits.strategies import FixedWindowRateLimiter
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from api import create_app
from api.limiting import UNLIMITED_ENDPOINTS
from api.service import Service
from api.shared_counters import SLOTS, SharedCounters
from benchmarks.concurrency import process_context
from cdp.privacy.issue import issue_key
from cdp.privacy.keys import KeyRights, NewKey, make_key
from cdp.settings import RateLimit, Settings
from tests.api.conftest import Caller
from tests.api.server import PATIENCE_SECONDS
from tests.builders import NOW, StoreBuilder

QUOTA = RateLimit(3, 60)


class Clock:
    """A time that the test tells."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


Serve = Callable[..., FlaskClient]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve(sqlite_url: str, lite_people: StoreBuilder, tmp_path: Path, clock: Clock) -> Iterator[Serve]:
    """Makes applications over one store, as the processes of a server are."""
    services: list[Service] = []

    def start(**settings: Any) -> FlaskClient:
        limits = {"rate_limit": QUOTA, "address_rate_limit": QUOTA, **settings}
        app = create_app(Settings(tmp_path, sqlite_url, 1.0, **limits), clock=clock)
        services.append(app.extensions["cdp"])
        return app.test_client()

    yield start
    for service in services:
        service.read_audit.close()
        service.store.close()


def statuses(call: Callable[[], TestResponse], count: int) -> list[int]:
    return [call().status_code for _ in range(count)]


def get_as(client: FlaskClient, secret: str, address: str = "192.0.2.1") -> TestResponse:
    headers = {"Authorization": f"Bearer {secret}"}
    return client.get("/v1/candidates", headers=headers, environ_base={"REMOTE_ADDR": address})


def get_docs(client: FlaskClient, address: str, **headers: str) -> TestResponse:
    return client.get("/docs", headers=headers, environ_base={"REMOTE_ADDR": address})


def test_every_answer_tells_what_is_left(serve: Serve, lite_people: StoreBuilder, clock: Clock) -> None:
    caller = Caller(serve(), lite_people.add_key())

    first = caller.get("/v1/candidates")
    clock.pass_by(20.5)
    second = caller.get("/v1/candidates/999")

    assert first.headers["RateLimit-Policy"] == second.headers["RateLimit-Policy"] == '"key";q=3;w=60'
    assert first.headers["RateLimit"] == '"key";r=2;t=60'
    assert second.headers["RateLimit"] == '"key";r=1;t=40'


def test_who_calls_too_often_is_told_when_to_call_again(
    serve: Serve, lite_people: StoreBuilder, clock: Clock
) -> None:
    caller = Caller(serve(), lite_people.add_key())
    before = statuses(lambda: caller.get("/v1/candidates"), 3)
    clock.pass_by(45)

    refused = caller.get("/v1/candidates")
    clock.pass_by(float(refused.headers["Retry-After"]))
    after = caller.get("/v1/candidates")

    assert (before, refused.status_code, after.status_code) == ([200, 200, 200], 429, 200)
    assert refused.json is not None
    assert refused.json["code"] == "rate_limited"
    assert refused.headers["Retry-After"] == "15"
    assert refused.headers["RateLimit"] == '"key";r=0;t=15'


def test_a_refused_request_puts_the_end_of_the_window_off_for_nobody(
    serve: Serve, lite_people: StoreBuilder, clock: Clock
) -> None:
    caller = Caller(serve(), lite_people.add_key())
    for _ in range(59):
        caller.get("/v1/candidates")
        clock.pass_by(1)

    before = caller.get("/v1/candidates").status_code
    clock.pass_by(1)

    assert (before, caller.get("/v1/candidates").status_code) == (429, 200)


def test_each_key_has_a_quota_of_its_own(serve: Serve, lite_people: StoreBuilder) -> None:
    client, loud, quiet = serve(), lite_people.add_key(), lite_people.add_key()
    statuses(lambda: get_as(client, loud), 5)

    assert get_as(client, loud).status_code == 429
    assert get_as(client, quiet).status_code == 200


def test_who_has_no_key_has_the_quota_of_their_address(serve: Serve) -> None:
    client = serve()
    before = statuses(lambda: get_docs(client, "192.0.2.1"), 4)

    other = get_docs(client, "192.0.2.2")

    assert before == [200, 200, 200, 429]
    assert other.headers["RateLimit"] == '"address";r=2;t=60'


@pytest.mark.parametrize("path", ["/nowhere", "/v1/candidates", "/openapi.json"])
def test_what_is_refused_or_not_there_counts_as_well(serve: Serve, path: str) -> None:
    client = serve()

    found = statuses(lambda: client.get(path), 4)

    assert 429 not in found[:3]
    assert found[3] == 429


def test_probes_are_not_counted(serve: Serve) -> None:
    client = serve()
    statuses(lambda: get_docs(client, "127.0.0.1"), 5)

    probed = [client.get(path) for path in ("/livez", "/readyz")]

    assert len(UNLIMITED_ENDPOINTS) == len(probed)
    assert all(answer.status_code != 429 and "RateLimit" not in answer.headers for answer in probed)


def test_one_network_of_ipv6_is_one_address(serve: Serve) -> None:
    client = serve()
    statuses(lambda: get_docs(client, "2001:db8:1:2::1"), 3)

    assert get_docs(client, "2001:db8:1:2:ffff::9%eth0").status_code == 429
    assert get_docs(client, "2001:db8:1:3::1").status_code == 200


def test_behind_a_proxy_the_address_is_the_one_that_it_tells(serve: Serve) -> None:
    client = serve(trusted_proxy_count=1)
    told = {"X_Forwarded_For": "192.0.2.200, 192.0.2.1"}
    statuses(lambda: get_docs(client, "127.0.0.1", **told), 3)

    assert get_docs(client, "127.0.0.1", X_Forwarded_For="192.0.2.1").status_code == 429
    assert get_docs(client, "127.0.0.1", X_Forwarded_For="192.0.2.2").status_code == 200


def test_without_a_proxy_nobody_chooses_their_address(serve: Serve) -> None:
    client = serve()
    statuses(lambda: get_docs(client, "192.0.2.1", X_Forwarded_For="192.0.2.7"), 3)

    assert get_docs(client, "192.0.2.1", X_Forwarded_For="192.0.2.8").status_code == 429


def test_wrong_keys_use_up_the_quota_of_their_address(serve: Serve, lite_people: StoreBuilder) -> None:
    client, secret = serve(), lite_people.add_key()

    found = [get_as(client, make_key().secret).status_code for _ in range(4)]

    assert found == [401, 401, 401, 429]
    # Those who have a key share the address, as behind one router, and go on.
    assert get_as(client, secret).status_code == 200


def test_guessing_the_secret_of_a_key_comes_to_an_end(
    serve: Serve, lite_people: StoreBuilder, clock: Clock
) -> None:
    client, other = serve(address_rate_limit=RateLimit(500, 60)), lite_people.add_key()
    key, *guesses = same_id_keys(26)
    issue_key(lite_people.engine, key, KeyRights("test", ("admin",)), actor="test", now=NOW)

    found = [get_as(client, guess.secret).status_code for guess in guesses]

    assert found == [401] * 20 + [429] * 5
    # From there on not even the right one is looked at; from elsewhere, and with another key, it is.
    assert get_as(client, key.secret).status_code == 429
    assert get_as(client, key.secret, "192.0.2.2").status_code == 200
    assert get_as(client, other).status_code == 200
    clock.pass_by(60)
    assert get_as(client, key.secret).status_code == 200


def same_id_keys(count: int) -> list[NewKey]:
    """Keys of one id and as many secrets."""
    return [
        make_key(lambda size, number=number: bytes([number if size > 8 else 7] * size))
        for number in range(count)
    ]


def test_all_processes_count_together(serve: Serve, lite_people: StoreBuilder) -> None:
    secret = lite_people.add_key()
    first, second = serve(), serve()

    found = [get_as(client, secret).status_code for client in (first, second, first, second)]

    assert found == [200, 200, 200, 429]


def test_off_counts_nothing_and_makes_no_file(
    serve: Serve, lite_people: StoreBuilder, tmp_path: Path
) -> None:
    caller = Caller(serve(rate_limit=None), lite_people.add_key())

    found = statuses(lambda: caller.get("/v1/candidates"), 10)

    assert set(found) == {200}
    assert "RateLimit" not in caller.get("/v1/candidates").headers
    assert not (tmp_path / "rate-limits").exists()


def test_where_no_file_can_be_made_each_process_counts_for_itself(
    serve: Serve, lite_people: StoreBuilder, tmp_path: Path
) -> None:
    (tmp_path / "rate-limits").mkdir()
    caller = Caller(serve(), lite_people.add_key())

    with capture_logs() as logs:
        found = statuses(lambda: caller.get("/v1/candidates"), 4)

    assert found == [200, 200, 200, 429]
    assert [each["event"] for each in logs if each["log_level"] == "warning"] == ["rate_limits.per_process"]


def test_the_file_names_nobody(serve: Serve, lite_people: StoreBuilder, tmp_path: Path) -> None:
    client, secret = serve(), lite_people.add_key()
    get_as(client, secret, "192.0.2.77")
    get_as(client, make_key().secret, "192.0.2.77")

    content = (tmp_path / "rate-limits").read_bytes()

    assert content.strip(b"\0")
    assert b"192.0.2" not in content
    assert secret.split("_")[1].encode() not in content
    assert (tmp_path / "rate-limits").stat().st_mode & 0o077 == 0


# The storage itself.
ITEM = RateLimitItemPerSecond(1_000_000, 60)


def _count_in_threads(path: Path, threads: int, each: int) -> None:
    limiter = FixedWindowRateLimiter(SharedCounters(path, lambda: 1.0))
    with ThreadPoolExecutor(threads) as workers:
        for _ in range(threads * each):
            workers.submit(limiter.hit, ITEM, "one")


def test_no_hit_of_any_thread_or_process_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "counters"
    context = process_context()
    processes = [context.Process(target=_count_in_threads, args=(path, 4, 250)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE_SECONDS)

    assert SharedCounters(path, lambda: 2.0).get(ITEM.key_for("one")) == 3_000


def _count_in_new_files(paths: Sequence[Path], together: Barrier) -> None:
    for path in paths:
        together.wait(PATIENCE_SECONDS)
        SharedCounters(path, lambda: 1.0).incr("one", 60)


def test_no_hit_is_lost_while_another_process_makes_the_file(tmp_path: Path) -> None:
    paths = [tmp_path / f"counters {number}" for number in range(60)]
    context = process_context()
    together = context.Barrier(3)
    processes = [context.Process(target=_count_in_new_files, args=(paths, together)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE_SECONDS)

    assert {SharedCounters(path, lambda: 2.0).get("one") for path in paths} == {3}


def test_a_clock_that_was_put_back_begins_anew(tmp_path: Path) -> None:
    times = iter([1_000_000.0, 500.0, 501.0])
    counters = SharedCounters(tmp_path / "counters", lambda: next(times))

    counters.incr("one", 60)

    assert counters.incr("one", 60) == 1
    assert counters.get_expiry("one") == 560.0


def test_who_comes_once_pushes_out_nobody_near_a_limit(tmp_path: Path) -> None:
    counters = SharedCounters(tmp_path / "counters", lambda: 1.0)
    counters.incr("busy", 60, amount=500)

    for number in range(2 * SLOTS):
        counters.incr(f"stranger {number}", 60)

    assert counters.get("busy") == 500


def test_a_counter_can_be_cleared_and_all_of_them(tmp_path: Path) -> None:
    counters = SharedCounters(tmp_path / "counters", lambda: 1.0)
    for key in ("one", "two"):
        counters.incr(key, 60)

    counters.clear("one")
    cleared = [counters.get(key) for key in ("one", "two")]
    counters.reset()

    assert (cleared, counters.get("two"), counters.check()) == ([0, 1], 0, True)


def test_the_headers_are_structured_fields(serve: Serve, lite_people: StoreBuilder) -> None:
    answer = Caller(serve(), lite_people.add_key()).get("/v1/candidates")

    assert re.fullmatch(r'"[a-z]+";q=\d+;w=\d+', answer.headers["RateLimit-Policy"])
    assert re.fullmatch(r'"[a-z]+";r=\d+;t=\d+', answer.headers["RateLimit"])
