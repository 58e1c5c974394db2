"""The service as it runs: several processes over one store, stopped and renewed under load."""

from __future__ import annotations

import json
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdp.privacy.audit import find_breach
from cdp.privacy.issue import revoke_key
from cdp.privacy.keys import parse_key
from cdp.store import read
from tests.api.server import Serve
from tests.builders import StoreBuilder, a_record


@pytest.mark.slow
def test_three_workers_lose_nothing(serve: Serve, lite_people: StoreBuilder) -> None:
    lite_people.add_profile(a_record())
    secret = lite_people.add_key("profiles:lookup", "profiles:read:agent")
    body = {"type": "phone", "value": "11 98765-4321"}
    server = serve(workers=3)
    server.wait_until_ready()

    with ThreadPoolExecutor(12) as callers:
        answers = [
            callers.submit(server.call, "/v1/profiles/lookup", secret=secret, body=body) for _ in range(240)
        ]
        # New workers take the place of the old ones while requests are in flight.
        server.process.send_signal(signal.SIGHUP)
        statuses = Counter(answer.result() for answer in answers)
    stopped = server.stop()

    log = server.log.read_text()
    assert statuses == {200: 240}, log
    assert stopped == 0
    assert log.count("Booting worker") >= 6
    assert len(lite_people.audited()) == 240
    with read(lite_people.engine) as connection:
        assert find_breach(connection) is None
    assert "987654321" not in log
    assert "98765-4321" not in log
    assert secret not in log
    assert "leaked" not in log
    # Of processes that began as copies of one another.
    requests = [json.loads(line) for line in log.splitlines() if '"event": "request"' in line]
    for name in ("request_id", "trace_id", "span_id"):
        assert len({each[name] for each in requests}) == len(requests) >= 240


@pytest.mark.slow
def test_what_lies_in_the_directory_is_not_served(
    serve: Serve, elsewhere: Path, lite_people: StoreBuilder
) -> None:
    for name in ("wsgi", "api", "cdp", "resolution", "flask", "gunicorn", "gunicorn.conf"):
        (elsewhere / f"{name}.py").write_text(f'raise RuntimeError("the {name} of the directory")\n')
    server = serve(workers=1)
    server.wait_until_ready()

    # Renewed workers import everything anew.
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("Booting worker", 2)
    answer = server.call("/readyz")
    stopped = server.stop()

    log = server.log.read_text()
    assert (answer, stopped) == (200, 0), log
    assert "of the directory" not in log


@pytest.mark.slow
def test_every_worker_tells_the_same_metrics(serve: Serve, lite_people: StoreBuilder) -> None:
    for key in "abc":
        lite_people.add_profile(a_record(source_record_id=key))
    server = serve(workers=3)
    server.wait_until_ready()

    with ThreadPoolExecutor(12) as scrapers:
        texts = list(scrapers.map(lambda _: server.read("/metrics"), range(60)))

    [told] = {tuple(line for line in text.splitlines() if "cdp_http_" not in line) for text in texts}
    assert "cdp_records 3.0" in told


@pytest.mark.slow
def test_all_workers_count_one_limit(serve: Serve, lite_people: StoreBuilder) -> None:
    secret, other = lite_people.add_key("candidates:read"), lite_people.add_key("candidates:read")
    server = serve(workers=3, CDP_RATE_LIMIT="100/hour")
    server.wait_until_ready()

    with ThreadPoolExecutor(12) as callers:
        calls = [callers.submit(server.call, "/v1/candidates", secret=secret) for _ in range(160)]
        # The count goes on in the processes that take the place of these.
        server.process.send_signal(signal.SIGHUP)
        statuses = Counter(call.result() for call in calls)

    assert statuses == {200: 100, 429: 60}
    assert server.call("/v1/candidates", secret=other) == 200


@pytest.mark.slow
def test_no_worker_takes_a_key_that_was_revoked(serve: Serve, lite_people: StoreBuilder) -> None:
    secret, other = lite_people.add_key("candidates:read"), lite_people.add_key("candidates:read")
    key_id = parse_key(secret)
    assert key_id is not None
    server = serve(workers=3)
    server.wait_until_ready()

    with ThreadPoolExecutor(12) as callers:
        before = Counter(callers.map(lambda _: server.call("/v1/candidates", secret=secret), range(60)))
        revoke_key(lite_people.engine, key_id, actor="test", now=datetime.now(UTC))
        # Fewer than the wrong secrets after which it would be refused for these.
        after = Counter(callers.map(lambda _: server.call("/v1/candidates", secret=secret), range(18)))

    assert (before, after) == ({200: 60}, {401: 18})
    assert server.call("/v1/candidates", secret=other) == 200
