"""What Prometheus is told: the state of the store, the same by every process, and nothing of any person.

What it is told of requests: test_request_metrics.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, insert

from api import create_app
from cdp.identity.redo_queue import CONDITION_FAILED, set_aside
from cdp.observe import FRESH_FOR
from cdp.realtime.disagreement import Disagreement
from cdp.realtime.measurements import insert_measurement
from cdp.settings import Settings
from cdp.store import schema, write
from tests.api.conftest import Caller
from tests.builders import NOW, StoreBuilder, a_record
from tests.statements import recorded_statements


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def make_client(store_url: str, people: StoreBuilder, tmp_path: Path, clock: Clock) -> Iterator[MakeClient]:
    """A process of the service; they share the store."""
    made = []

    def make(*, public: bool = True) -> FlaskClient:
        app = create_app(Settings(tmp_path, store_url, 1.0, metrics_are_public=public), clock=clock)
        made.append(app)
        return app.test_client()

    yield make
    for app in made:
        app.extensions["cdp"].read_audit.close()
        app.extensions["cdp"].store.close()


def scrape(client: FlaskClient) -> dict[str, float]:
    """Name of each sample of the store, with its labels, to its value."""
    samples = [sample for family in families(client) for sample in family.samples]
    told = {"".join([each.name, *each.labels.values()]): each.value for each in samples}
    return {name: value for name, value in told.items() if not name.startswith("cdp_http_")}


def families(client: FlaskClient) -> list[Metric]:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return list(text_string_to_metric_families(answer.text))


def test_an_empty_store_has_nothing_that_waits(make_client: MakeClient) -> None:
    told = scrape(make_client())

    assert told == {
        "cdp_records": 0,
        "cdp_merge_candidates_open": 0,
        "cdp_redo_waiting": 0,
        "cdp_redo_oldest_seconds": 0,
        "cdp_redo_set_aside": 0,
        "cdp_outbox_waiting": 0,
        "cdp_outbox_oldest_seconds": 0,
        "cdp_audit_unsealed": told["cdp_audit_unsealed"],
        "cdp_model_versionin_use": 0,
        "cdp_model_versionin_force": 0,
    }


def test_it_counts_what_there_is_and_what_waits(make_client: MakeClient, people: StoreBuilder) -> None:
    [first, second, third] = people.add_profile(*[a_record(source_record_id=key) for key in "abc"]).record_ids
    with write(people.engine) as connection:
        waiting = [{"record_id": first, "queued_at": NOW - timedelta(minutes=2)}]
        waiting += [{"record_id": second, "queued_at": NOW - timedelta(minutes=1)}]
        connection.execute(insert(schema.redo_records), waiting)
        set_aside(connection, [third], CONDITION_FAILED, now=NOW)
        sent = {"kind": "profile.created", "subject_id": "x", "payload": "{}"}
        moments = [{"created_at": NOW - timedelta(seconds=30)}, {"created_at": NOW}]
        connection.execute(insert(schema.outbox_events), [sent | each for each in moments])

    told = scrape(make_client())

    assert told["cdp_records"] == 3
    assert (told["cdp_redo_waiting"], told["cdp_redo_oldest_seconds"]) == (2, 120)
    assert told["cdp_redo_set_aside"] == 1
    assert told["cdp_outbox_oldest_seconds"] == 30
    assert told["cdp_outbox_waiting"] == 2


def test_disagreement_is_told_with_its_age_once_it_was_measured(
    make_client: MakeClient, people: StoreBuilder
) -> None:
    before = scrape(make_client())
    with write(people.engine) as connection:
        for differing, hours in ((40, 2), (19, 1)):
            found = Disagreement(sampled=200, waiting=10, differing=differing)
            moment = NOW - timedelta(hours=hours)
            insert_measurement(connection, found, model_version=0, seed=1, now=moment)

    told = scrape(make_client())

    assert not [name for name in before if "disagreement" in name]
    assert told["cdp_disagreement_ratio"] == pytest.approx(0.1)
    assert told["cdp_disagreement_sampled"] == 200
    assert (told["cdp_disagreement_differing"], told["cdp_disagreement_waiting"]) == (19, 10)
    assert told["cdp_disagreement_age_seconds"] == 3600


def test_where_nothing_was_compared_there_is_no_ratio(make_client: MakeClient, people: StoreBuilder) -> None:
    with write(people.engine) as connection:
        found = Disagreement(sampled=12, waiting=12, differing=0)
        insert_measurement(connection, found, model_version=0, seed=1, now=NOW)

    told = scrape(make_client())

    assert "cdp_disagreement_ratio" not in told
    assert (told["cdp_disagreement_sampled"], told["cdp_disagreement_waiting"]) == (12, 12)
    assert told["cdp_disagreement_age_seconds"] == 0


def test_every_process_tells_the_same(make_client: MakeClient, people: StoreBuilder) -> None:
    one, other = make_client(), make_client()
    caller = Caller(one, people.add_key())
    people.add_sources("crm")
    for key in "ab":
        caller.write(a_record(source_record_id=key))

    assert scrape(one) == scrape(other)
    assert scrape(other)["cdp_records"] == 2


def test_asked_often_the_store_is_looked_at_once_in_a_while(
    make_client: MakeClient, people: StoreBuilder, clock: Clock
) -> None:
    client = make_client()
    scrape(client)
    people.add_profile(a_record())

    clock.now += FRESH_FOR - timedelta(milliseconds=1)
    at_once = scrape(client)["cdp_records"]
    clock.now += timedelta(milliseconds=1)
    later = scrape(client)["cdp_records"]

    assert (at_once, later) == (0, 1)


def test_closed_it_answers_to_a_key_that_may_read_metrics(
    make_client: MakeClient, people: StoreBuilder
) -> None:
    client = make_client(public=False)

    statuses = [
        client.get("/metrics").status_code,
        Caller(client, people.add_key("profiles:lookup")).get("/metrics").status_code,
        Caller(client, people.add_key("metrics:read")).get("/metrics").status_code,
        Caller(client, people.add_key("admin")).get("/metrics").status_code,
    ]

    assert statuses == [401, 403, 200, 200]


def test_it_holds_no_value_of_a_person(make_client: MakeClient, people: StoreBuilder) -> None:
    people.add_profile(a_record())

    text = make_client().get("/metrics").text

    assert not re.search("ana|reis|98765|crm", text, re.IGNORECASE)


def test_the_document_names_all_there_is_and_nothing_else(
    make_client: MakeClient, people: StoreBuilder
) -> None:
    with write(people.engine) as connection:
        found = Disagreement(sampled=200, waiting=10, differing=40)
        insert_measurement(connection, found, model_version=0, seed=1, now=NOW)
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    table = page.partition("| metric |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`cdp_.*?) \| (\w+) \|", table, re.MULTILINE)

    told = {each.name: each.type for each in families(make_client())}

    assert {name: kind for names, kind in rows for name in re.findall(r"`(\w+)", names)} == told


def test_the_format_is_the_one_that_is_asked_for(make_client: MakeClient) -> None:
    client = make_client()

    plain = client.get("/metrics")
    open_metrics = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert plain.content_type.startswith("text/plain; version=")
    assert open_metrics.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert open_metrics.text.endswith("# EOF\n")


def test_a_store_that_is_away_is_no_zero(tmp_path: Path, clock: Clock) -> None:
    app = create_app(Settings(tmp_path, f"sqlite:///{tmp_path / 'none.db'}", 1.0), clock=clock)

    answer = app.test_client().get("/metrics")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "store_unavailable"


def test_looking_writes_nothing(make_client: MakeClient, people: StoreBuilder, engine_log: list[str]) -> None:
    make_client().get("/metrics")

    assert not [
        statement for statement in engine_log if statement.split()[0] in ("INSERT", "UPDATE", "DELETE")
    ]


@pytest.fixture
def engine_log() -> Iterator[list[str]]:
    """Every statement that any engine runs from now on."""
    with recorded_statements(Engine) as seen:
        yield seen
