"""What Prometheus is told of requests: how many, how fast, how they were answered, and by whatever process."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from gunicorn.config import KNOWN_SETTINGS
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text

from api import metric_files, serving
from api.metric_files import DIRECTORY
from api.request_metrics import BUCKET_SECONDS, STATUS_CLASSES, RequestMetrics
from cdp.store import write
from tests.api.server import Serve, Server
from tests.api.test_worker_beside import children_of, until
from tests.builders import StoreBuilder, a_record

COUNT = "cdp_http_request_duration_seconds_count"
IN_FLIGHT = "cdp_http_requests_in_flight"
Told = dict[tuple[str, ...], float]


def read_metrics(body: str) -> Told:
    """Name and label values of each sample, to its value."""
    samples = [sample for family in text_string_to_metric_families(body) for sample in family.samples]
    return {(each.name, *(label for _, label in sorted(each.labels.items()))): each.value for each in samples}


@pytest.fixture
def lite_app(own_app: Flask) -> Flask:
    """One that has answered nothing yet, made under the test's environment."""
    return own_app


def counted(told: Told) -> Told:
    return {key[1:]: value for key, value in told.items() if key[0] == COUNT}


def test_requests_are_counted_by_route_and_class_of_their_statuses(lite_client: FlaskClient) -> None:
    for path in ("/livez", "/livez", "/v1/profiles/pf_1?view=agent", "/nowhere/ana@example.com", "/v1/join"):
        lite_client.get(path)
    lite_client.post("/livez")

    told = read_metrics(lite_client.get("/metrics").text)

    assert counted(told) == {
        ("GET", "/livez", "2xx"): 2,
        ("GET", "/v1/profiles/<profile_id>", "4xx"): 1,
        ("other", "none", "4xx"): 3,
    }
    assert told[(IN_FLIGHT,)] == 1


def test_a_duration_is_in_its_bucket_and_those_above(lite_app: Flask) -> None:
    metrics: RequestMetrics = lite_app.extensions["cdp"].request_metrics
    for seconds in (0.0009, 0.3, 70.0):
        metrics.observe("GET", "/livez", 200, seconds)

    told = read_metrics(lite_app.test_client().get("/metrics").text)

    buckets = {float(key[1]): value for key, value in told.items() if key[0].endswith("_seconds_bucket")}
    assert sorted(buckets) == [*BUCKET_SECONDS, float("inf")]
    assert [buckets[bound] for bound in (0.001, 0.25, 0.5, 5.0, float("inf"))] == [1, 1, 2, 2, 3]
    assert told["cdp_http_request_duration_seconds_sum", "GET", "/livez", "2xx"] == pytest.approx(70.3009)


def test_what_fails_is_counted_and_ends(lite_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setitem(lite_app.view_functions, "service.livez", fail)
    client = lite_app.test_client()

    statuses = [client.get("/livez").status_code for _ in range(3)]

    told = read_metrics(client.get("/metrics").text)
    assert (statuses, counted(told)) == ([500] * 3, {("GET", "/livez", "5xx"): 3})
    assert told[(IN_FLIGHT,)] == 1


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Where directories of metrics come to be; nothing of it outlives the test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    # So that it is taken away again.
    monkeypatch.setenv(DIRECTORY, "")
    yield tmp_path
    metric_files.remove_directory(None)


def a_server(*slots: int) -> Any:
    """A gunicorn whose workers have these slots."""
    warnings: list[str] = []
    log = SimpleNamespace(warning=lambda *words: warnings.append(words[0]), warnings=warnings)
    return SimpleNamespace(
        WORKERS={pid: SimpleNamespace(slot=slot) for pid, slot in enumerate(slots)}, log=log
    )


def begin_worker(server: Any) -> Any:
    worker = SimpleNamespace()
    metric_files.give_slot(server, worker)
    metric_files.count_in_files(server, worker)
    return worker


@pytest.mark.parametrize(("taken", "free"), [([], 0), ([0, 1], 2), ([1, 0, 3], 2)], ids=str)
def test_a_worker_has_the_lowest_slot_that_is_free(apart: Path, taken: list[int], free: int) -> None:
    server = a_server(*taken)
    metric_files.make_directory(server)

    worker = begin_worker(server)

    assert worker.slot == free
    assert sorted(path.name for path in Path(os.environ[DIRECTORY]).iterdir()) == [
        f"gauge_livesum_{free}.db",
        f"histogram_{free}.db",
    ]


def test_a_directory_that_cannot_be_leaves_each_to_itself(
    apart: Path, monkeypatch: pytest.MonkeyPatch, lite_client: FlaskClient
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(apart / "none"))
    server = a_server()

    metric_files.make_directory(server)
    begin_worker(server)
    lite_client.get("/livez")

    assert server.log.warnings == ["Requests are counted by each process for itself: %s"]
    assert counted(read_metrics(lite_client.get("/metrics").text)) == {("GET", "/livez", "2xx"): 1}


def test_a_worker_without_room_for_its_files_counts_for_itself(
    apart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = a_server()
    metric_files.make_directory(server)
    Path(os.environ[DIRECTORY]).rmdir()

    begin_worker(server)

    assert DIRECTORY not in os.environ
    assert len(server.log.warnings) == 1


def test_all_that_can_be_counted_fits_into_the_file_as_it_is_made(apart: Path, lite_app: Flask) -> None:
    server = a_server()
    metric_files.make_directory(server)
    begin_worker(server)
    path = Path(os.environ[DIRECTORY]) / "histogram_0.db"
    size, written = path.stat().st_size, MmapedDict(str(path))
    routes = {(method, rule.rule) for rule in lite_app.url_map.iter_rules() for method in rule.methods or ()}
    name, told = "cdp_http_request_duration_seconds", "How long answers took, by route and class of statuses."

    for method, route in routes:
        for status in STATUS_CLASSES[1:]:
            for bound in range(len(BUCKET_SECONDS) + 2):
                names, labels = ["le", "method", "route", "status"], [f"{bound:.4f}", method, route, status]
                written.write_value(mmap_key(name, f"{name}_bucket", names, labels, told), 1.0, 0.0)
    written.close()

    assert len(routes) > 60
    assert path.stat().st_size == size


def test_gunicorn_by_itself_has_the_same_settings() -> None:
    place = Path(__file__).parents[2] / "gunicorn.conf.py"
    spec = importlib.util.spec_from_file_location("gunicorn_conf", place)
    assert spec is not None
    assert spec.loader is not None
    configuration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(configuration)

    names = {each.name for each in KNOWN_SETTINGS} & vars(serving).keys()

    assert {"when_ready", "child_exit", "bind"} < names
    assert {name: vars(configuration).get(name) for name in names} == {
        name: vars(serving)[name] for name in names
    }


def workers_of(server: Server) -> list[int]:
    return [pid for pid, command in children_of(server.process.pid).items() if "api.launch" in command]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to find processes in")
def test_several_workers_tell_one_sum_that_outlives_each_of_them_and_not_the_server(
    serve: Serve, tmp_path: Path, sqlite_store: Engine, lite_people: StoreBuilder
) -> None:
    lite_people.add_sources("crm")
    secret = lite_people.add_key("records:write", sources=["crm"])
    server = serve(workers=2, TMPDIR=str(tmp_path), CDP_STORE_TIMEOUT_SECONDS="20")
    server.wait_until_ready()

    def told() -> Told:
        return read_metrics(server.read("/metrics"))

    with ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda _: server.call("/livez"), range(120)))
        sums = set(callers.map(lambda _: counted(told())["GET", "/livez", "2xx"], range(20)))
        with write(sqlite_store) as connection:
            connection.execute(text("UPDATE sources SET trust = trust"))
            waiting = callers.submit(server.call, "/v1/records", secret=secret, body=a_record())
            until(lambda: told()[(IN_FLIGHT,)] == 2, server)
            for pid in workers_of(server):
                os.kill(pid, signal.SIGKILL)
            with pytest.raises(ConnectionResetError):
                waiting.result()
    server.wait_for("Booting worker", 4)
    server.wait_until_ready()
    after = told()
    [directory] = tmp_path.glob("cdp-metrics-*")
    files = sorted(path.name for path in directory.glob("histogram_*"))
    stopped, left = server.stop(), list(tmp_path.glob("cdp-metrics-*"))
    server = serve(workers=1, TMPDIR=str(tmp_path))
    server.wait_until_ready()
    anew = counted(told())

    assert sums == {120}
    assert (after[(IN_FLIGHT,)], counted(after)["GET", "/livez", "2xx"]) == (1, 120)
    assert files == ["histogram_0.db", "histogram_1.db"]
    assert (stopped, left) == (0, [])
    assert ("GET", "/livez", "2xx") not in anew
