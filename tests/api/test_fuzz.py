"""What schemathesis makes of the whole description, sent to the application over a store with people in it.

`make test` spends a fixed budget with a fixed seed; `make fuzz` a longer one, with chains of calls (`--fuzz-examples`,
`--fuzz-seed`).
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.test import TestResponse

from api import create_app
from api.service import Service
from cdp.identity.verify import verify_store
from cdp.privacy.keys import make_key
from cdp.settings import Settings
from cdp.store import open_store
from tests.api.conftest import Caller
from tests.api.test_candidates import asked
from tests.builders import NOW, StoreBuilder

METHODS = {"get", "post", "put", "patch", "delete"}

# From how many examples on chains of calls are tried as well.
LONG_EXAMPLES = 20
EVERY_PHASE = ("examples", "coverage", "fuzzing", "stateful")

# Where a check of schemathesis does not hold by design: everything else is checked everywhere.
BY_DESIGN: dict[str, Any] = {
    # Rules that no JSON schema tells: a cursor that the list gave out, a source that there is, a value that can be
    # one of its kind, an Idempotency-Key unless it is a dry run, an If-Match of the candidate as it is.
    "positive_data_acceptance": {
        "expected-statuses": ["2xx", "3xx", "400", "401", "403", "404", "409", "412", "422", "428"]
    },
    # A call that rests on a version says so with the status that is made for it.
    "missing_required_header": {"expected-statuses": ["400", "401", "403", "406", "415", "422", "428"]},
    # Asked again below, over what was answered here: its own requests do not reach a WSGI application.
    "ignored_auth": {"enabled": False},
}
BY_DESIGN_OF_OPERATIONS: list[dict[str, Any]] = [
    # One bad record of a batch stops no other: it is a problem at its place in an answer of 200.
    {
        "include-name": "POST /v1/records/batch",
        "checks": {"negative_data_rejection": {"expected-statuses": ["200", "400", "415", "422"]}},
    },
    # The address of a profile or candidate has the same form as these, so that Allow names its GET as well.
    *(
        {
            "include-name": f"POST /v1/{name}",
            "checks": {"allow_header_conformance": {"enabled": False}},
        }
        for name in ("profiles/lookup", "profiles/search", "profiles/join", "candidates/decisions")
    ),
]
SEGMENT_CALLS = ("identify", "track", "page", "screen", "group", "alias", "batch", "import")


def of_segment(write_key: str) -> list[dict[str, Any]]:
    """What is true of Segment's calls alone: their key is bound to a source, and what means nothing to the service is
    accepted whatever it is, since senders add members as they like."""
    return [
        {
            "include-name": f"POST /v1/{name}",
            "headers": {"Authorization": f"Bearer {write_key}"},
            "checks": {"negative_data_rejection": {"expected-statuses": ["200", "400", "413", "415", "422"]}},
        }
        for name in SEGMENT_CALLS
    ]


@dataclass(frozen=True)
class Answered:
    """A request that was answered with success."""

    operation: str
    method: str
    uri: str
    headers: dict[str, str]
    body: bytes | None

    def repeat(self, client: FlaskClient, authorization: str | None) -> TestResponse:
        kept = {name: value for name, value in self.headers.items() if name.lower() != "authorization"}
        if authorization is not None:
            kept["Authorization"] = authorization
        return client.open(self.uri, method=self.method, headers=kept, data=self.body)


@dataclass
class Outcome:
    """What came of it all: what failed, how often what was asked, one success of each operation."""

    failures: list[str] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    answered: dict[str, Answered] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    app: Flask
    people: StoreBuilder
    outcome: Outcome


@pytest.fixture(scope="module")
def fuzzed(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Target]:
    home = tmp_path_factory.mktemp("fuzzed")
    url = f"sqlite:///{shutil.copyfile(migrated_file, home / 'cdp.db')}"
    with served(url, home) as (app, people):
        yield Target(app, people, fuzz(app, people, pytestconfig, phases=EVERY_PHASE))


@contextmanager
def served(url: str, home: Path) -> Iterator[tuple[Flask, StoreBuilder]]:
    people = StoreBuilder(open_store(url))
    people.add_sources("crm", "whatsapp", "loyalty")
    app = create_app(Settings(home, url, 1.0, metrics_are_public=False, rate_limit=None), clock=lambda: NOW)
    try:
        yield app, people
    finally:
        service: Service = app.extensions["cdp"]
        service.read_audit.close()
        service.store.close()
        people.engine.dispose()


def fuzz(
    app: Flask, people: StoreBuilder, pytestconfig: pytest.Config, *, phases: Collection[str]
) -> Outcome:
    caller = Caller(app.test_client(), people.add_key())
    asked(caller)
    write_key = people.add_key("segment:write", sources=["crm"])
    examples, seed = pytestconfig.getoption("--fuzz-examples"), pytestconfig.getoption("--fuzz-seed")
    told = {phase: {"enabled": phase in phases} for phase in EVERY_PHASE}
    if examples < LONG_EXAMPLES:
        told["stateful"] = {"enabled": False}
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "headers": {"Authorization": f"Bearer {caller.secret}"},
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
            "phases": told,
            "checks": BY_DESIGN,
            "operations": [*BY_DESIGN_OF_OPERATIONS, *of_segment(write_key)],
        }
    )
    outcome = Outcome()
    for event in from_schema(schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)).execute():
        if isinstance(event, events.ScenarioFinished):
            take(event, outcome)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            outcome.failures.append(repr(event))
    return outcome


def take(event: events.ScenarioFinished, outcome: Outcome) -> None:
    recorder = event.recorder
    for case_id, checks in recorder.checks.items():
        operation = recorder.cases[case_id].value.operation.label
        for check in checks:
            if check.failure_info is not None:
                told = check.failure_info
                outcome.failures.append(
                    f"{check.name} {operation}: {told.failure.title}\n{told.failure.message}\n{told.code_sample}"
                )
    for case_id, interaction in recorder.interactions.items():
        case, response = recorder.cases[case_id].value, interaction.response
        label = case.operation.label
        outcome.asked[label] = outcome.asked.get(label, 0) + 1
        if (
            response is not None
            and response.status_code < 300
            and case.method == case.operation.method.upper()
        ):
            request = interaction.request
            headers = {name: values[0] for name, values in request.headers.items()}
            outcome.answered[label] = Answered(label, case.method, request.uri, headers, request.body)


@pytest.fixture(scope="module")
def protected(fuzzed: Target) -> list[Answered]:
    """One success of each operation that needs a key, as far as there was one."""
    paths = description(fuzzed)["paths"]
    return [
        each
        for label, each in sorted(fuzzed.outcome.answered.items())
        if paths[label.split(" ", 1)[1]][each.method.lower()]["security"]
    ]


def description(fuzzed: Target) -> Any:
    return fuzzed.app.test_client().get("/openapi.json").json


def test_nothing_breaks_the_description(fuzzed: Target) -> None:
    assert "\n\n".join(fuzzed.outcome.failures) == ""


def test_nothing_breaks_the_description_on_postgresql(
    postgresql_url: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """What a text may be is another thing there. Of the phases, the one that makes up the most kinds of it."""
    with served(postgresql_url, tmp_path) as (app, people):
        outcome = fuzz(app, people, pytestconfig, phases=["fuzzing"])

        assert "\n\n".join(outcome.failures) == ""
        assert len(outcome.asked) > 30
        assert verify_store(people.engine, partition=False).breaches == []


def test_every_operation_is_asked(fuzzed: Target) -> None:
    paths = description(fuzzed)["paths"]
    operations = {
        f"{method.upper()} {path}" for path, item in paths.items() for method in METHODS & item.keys()
    }

    assert {label for label, count in fuzzed.outcome.asked.items() if count >= 4} == operations


def test_messages_are_kept_under_a_key_that_is_bound_to_a_source(fuzzed: Target) -> None:
    answered = {label.removeprefix("POST /v1/") for label in fuzzed.outcome.answered}

    assert set(SEGMENT_CALLS) - answered == set()


@pytest.mark.parametrize(
    "authorization", [None, f"Bearer {make_key().secret}", "Basic Og=="], ids=["none", "unknown", "empty"]
)
def test_what_is_answered_is_not_answered_without_a_key(
    fuzzed: Target, protected: list[Answered], authorization: str | None
) -> None:
    client = fuzzed.app.test_client()

    statuses = {each.operation: each.repeat(client, authorization).status_code for each in protected}

    assert len(statuses) >= 10
    assert set(statuses.values()) == {401}


def test_what_is_answered_about_a_person_is_not_found_by_a_key_of_another_source(
    fuzzed: Target, protected: list[Answered]
) -> None:
    client = fuzzed.app.test_client()
    stranger = f"Bearer {fuzzed.people.add_key(sources=['loyalty'])}"

    answers = {
        each.operation: each.repeat(client, stranger).status_code
        for each in protected
        if each.method == "GET" and "{" in each.operation
    }

    assert len(answers) >= 4
    assert set(answers.values()) == {404}


def test_the_store_holds_what_it_must_after_all_of_it(fuzzed: Target) -> None:
    assert verify_store(fuzzed.people.engine, partition=False).breaches == []
