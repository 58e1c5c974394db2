"""Every route of the application, one after the other: who may call it, what it refuses, what the audit keeps of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from sqlalchemy import select
from werkzeug.test import TestResponse

from api import create_app
from api.auth import CONSOLE, PUBLIC_ENDPOINTS
from api.errors import PROBLEM_TYPE
from api.limiting import UNLIMITED_ENDPOINTS
from api.service import Service
from cdp.privacy.keys import parse_key
from cdp.settings import RateLimit, Settings
from cdp.store import open_store, schema
from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA, CPF, etag_of
from tests.api.test_stewards import RUI, rule, told, written
from tests.builders import NOW, StoreBuilder, a_record

BODY_LIMIT = 10_000
LIMIT = RateLimit(16, 60)
WHY = {"reason": "same card"}
KEY = {"Idempotency-Key": "walk-1"}
REPORT = {"type": "email", "value": "rui@example.com", "outcome": "bounced"}
BRUNO = a_record(
    source_record_id="c-4", full_name="Bruno Costa", birth_date="1955-07-12", phones=[], emails=[]
)


@dataclass(frozen=True)
class Call:
    """A call that succeeds; what stands in braces is filled in from the store."""

    endpoint: str
    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    # The same about what there is not; empty where the call is about nothing that there is.
    unknown: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    # None: any key may call, and what it may not see is not found.
    scope: str | None = None
    # An address that the caller posts to beforehand, for a call that would change nothing otherwise.
    first: str | None = None
    # What its caller's key must be bound to; None for one that may write for all.
    sources: tuple[str, ...] | None = None


EVA, FABIO = (
    BRUNO | {"source_record_id": key, "full_name": name, "birth_date": birth_date}
    for key, name, birth_date in (("c-5", "Eva Teles", "1961-01-09"), ("c-6", "Fabio Moura", "1970-03-02"))
)
NOBODY = dict.fromkeys(("ana", "clara", "fabio"), "pf_00000000000000000000000000")
READS = [
    *(
        Call(f"profiles.get_{name}", "GET", f"/v1/profiles/{{ana}}{path}", unknown=NOBODY)
        for name, path in {
            "profile": "",
            "records": "/records",
            "history": "/history",
            "explanation": "/explanation",
        }.items()
    ),
    Call("timeline.get_timeline", "GET", "/v1/profiles/{ana}/timeline", unknown=NOBODY),
    Call("profile_context.get_context", "GET", "/v1/profiles/{ana}/context", unknown=NOBODY),
    Call("candidates.get_candidates", "GET", "/v1/candidates", scope="candidates:read"),
    Call(
        "candidates.get_candidate",
        "GET",
        "/v1/candidates/{candidate}",
        unknown={"candidate": "999"},
        scope="candidates:read",
    ),
    Call(
        "desk.get_candidate_comments",
        "GET",
        "/v1/candidates/{candidate}/comments",
        unknown={"candidate": "999"},
        scope="candidates:read",
    ),
    Call("stewards.get_actions", "GET", "/v1/actions", scope="candidates:read"),
    Call("proposals.get_proposals", "GET", "/v1/proposals", scope="candidates:read"),
    Call(
        "lookups.look_up_profile",
        "POST",
        "/v1/profiles/lookup",
        {"type": "email", "value": "{email}"},
        unknown={"email": "nobody@example.com"},
        scope="profiles:lookup",
    ),
    Call(
        "searches.search",
        "POST",
        "/v1/profiles/search",
        {"emails": ["{email}"]},
        unknown={"email": "nobody@example.com"},
        scope="profiles:search",
    ),
]
WRITES = [
    Call(
        "records.write_record",
        "POST",
        "/v1/records",
        BRUNO | {"emails": ["b@example.com"]},
        scope="records:write",
    ),
    Call(
        "records.write_records",
        "POST",
        "/v1/records/batch",
        {"records": [BRUNO | {"emails": ["b@example.com"]}]},
        scope="records:write",
    ),
    Call(
        "records.delete_record",
        "DELETE",
        "/v1/records/crm/{record_key}",
        unknown={"record_key": "c-999"},
        scope="records:write",
    ),
    Call(
        "identifier_reports.post_report",
        "POST",
        "/v1/identifiers/reports",
        {"type": "email", "value": "{email}", "outcome": "bounced"},
        unknown={"email": "nobody@example.com"},
        status=201,
        scope="records:write",
    ),
    Call(
        "identifier_reports.post_withdrawal",
        "POST",
        "/v1/identifiers/reports/{report}/withdrawal",
        {},
        unknown={"report": "999"},
        scope="records:write",
    ),
    Call(
        "candidates.decide_candidate",
        "POST",
        "/v1/candidates/{candidate}/decision",
        {"decision": "unsure", **WHY},
        KEY | {"If-Match": "{etag}"},
        unknown={"candidate": "999"},
        scope="candidates:decide",
    ),
    Call(
        "bulk_decisions.decide_candidates",
        "POST",
        "/v1/candidates/decisions",
        {"decision": "different", "candidates": [{"candidate_id": "{one}", "etag": "{bare_etag}"}], **WHY},
        KEY,
        scope="candidates:decide",
    ),
    *(
        Call(
            f"desk.{endpoint}",
            "POST",
            f"/v1/candidates/{{candidate}}/{path}",
            body,
            unknown={"candidate": "999"},
            status=status,
            scope="candidates:decide",
            first="/v1/candidates/{candidate}/claim" if path == "release" else None,
        )
        for endpoint, path, body, status in (
            ("claim_candidate", "claim", None, 200),
            ("release_candidate", "release", None, 200),
            ("skip_candidate", "skip", None, 200),
            ("comment_on_a_candidate", "comments", {"body": "asked the branch"}, 201),
        )
    ),
    Call(
        "stewards.join_profiles",
        "POST",
        "/v1/profiles/join",
        {"profile_ids": ["{ana}", "{clara}"], **WHY},
        KEY,
        unknown=NOBODY,
        scope="profiles:join",
    ),
    Call(
        "stewards.split_profile",
        "POST",
        "/v1/profiles/{clara}/split",
        {"record_ids": ["{record}"], **WHY},
        KEY,
        unknown=NOBODY,
        scope="profiles:join",
    ),
    Call(
        "stewards.take_profile_apart",
        "POST",
        "/v1/profiles/{clara}/take-apart",
        {"into": "records", **WHY},
        KEY,
        unknown=NOBODY,
        scope="profiles:join",
    ),
    Call(
        "stewards.pin_value",
        "POST",
        "/v1/profiles/{ana}/pins",
        {"attribute": "full_name", "record_id": "{first_record}", **WHY},
        KEY,
        unknown=NOBODY,
        scope="profiles:join",
    ),
    *(
        Call(
            f"stewards.{verb}_profile",
            "POST",
            f"/v1/profiles/{{{whose}}}/{verb}",
            WHY,
            KEY,
            unknown=NOBODY,
            scope="profiles:join",
        )
        for verb, whose in (("freeze", "ana"), ("unfreeze", "fabio"))
    ),
    Call(
        "proposals.post_confirmation",
        "POST",
        "/v1/proposals/{proposal}/confirmation",
        WHY,
        KEY,
        unknown={"proposal": "999"},
        scope="profiles:join",
    ),
    Call(
        "proposals.post_refusal",
        "POST",
        "/v1/proposals/{proposal}/refusal",
        WHY,
        unknown={"proposal": "999"},
        scope="profiles:join",
    ),
    Call(
        "stewards.undo_ledger_entry",
        "POST",
        "/v1/ledger/{entry}/undo",
        WHY,
        KEY,
        unknown={"entry": "999"},
        scope="profiles:join",
    ),
    Call(
        "stewards.undo_steward_action",
        "POST",
        "/v1/actions/{action}/undo",
        WHY,
        KEY,
        unknown={"action": "999"},
        scope="profiles:join",
    ),
]
OF_A_USER = {"userId": "u-1", "messageId": "m-1"}
WRITES += [
    Call(f"segment.{name}", "POST", path, body, scope="segment:write", sources=("crm",))
    for name, path, body in (
        ("identify", "/v1/identify", {**OF_A_USER, "traits": {"email": "b@example.com"}}),
        ("track", "/v1/track", {**OF_A_USER, "event": "Signed Up"}),
        ("page", "/v1/page", OF_A_USER),
        ("screen", "/v1/screen", OF_A_USER),
        ("group", "/v1/group", {**OF_A_USER, "groupId": "g-1"}),
        ("alias", "/v1/alias", {**OF_A_USER, "previousId": "u-0"}),
        ("batch", "/v1/batch", {"batch": [{"type": "page", **OF_A_USER}]}),
        ("import_batch", "/v1/import", {"batch": [{"type": "page", **OF_A_USER}]}),
    )
]
CALLS = [*READS, *WRITES]
each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.endpoint)
each_read = pytest.mark.parametrize("call", READS, ids=lambda call: call.endpoint)
each_write = pytest.mark.parametrize("call", WRITES, ids=lambda call: call.endpoint)
each_about = pytest.mark.parametrize(
    "call", [each for each in CALLS if each.unknown], ids=lambda call: call.endpoint
)

# What may be wrong with any call. Each is what it changes: path, body, headers.
MISTAKES: dict[str, dict[str, Any]] = {
    "half a body": {"data": b'{"reason": '},
    "a list for a body": {"data": b"[]"},
    "an unknown field": {"data": b'{"shoe_size": 41}'},
    "a body as text": {"content_type": "text/plain"},
    "an unknown parameter value": {"query": "?limit=many&view=none&unmask=perhaps&dry_run=perhaps&lang=xx"},
    "another list's cursor": {"query": "?cursor=bm9uZQ"},
    "whole values for no purpose": {"query": "?unmask=true"},
    "a purpose that is a sentence": {"headers": {"CDP-Purpose": "because I want to"}},
    "no key of its own": {"headers": {"Idempotency-Key": None}},
    "a key of its own that is none": {"headers": {"Idempotency-Key": "k 1"}},
    "no version": {"headers": {"If-Match": None}},
    "a version that was": {"headers": {"If-Match": '"0"'}},
    "too large a body": {"data": b'"' + b"x" * BODY_LIMIT + b'"'},
}


@dataclass(frozen=True)
class World:
    """A store with somebody under every id that a call may name."""

    admin: Caller
    people: StoreBuilder
    service: Service
    names: Mapping[str, str]

    @property
    def app(self) -> Flask:
        return self.admin.client.application

    def caller(self, *scopes: str, **bounds: Any) -> Caller:
        return Caller(self.admin.client, self.people.add_key(*scopes, **bounds))

    def make(
        self, call: Call, caller: Caller | None, *, query: str = "", known: bool = True, **changes: Any
    ) -> TestResponse:
        names = {**self.names, **({} if known else call.unknown)}
        headers = {
            name: value
            for name, value in {**call.headers, **changes.pop("headers", {})}.items()
            if value is not None
        }
        if caller is not None:
            headers["Authorization"] = f"Bearer {caller.secret}"
        if call.body is not None:
            changes = {
                "data": filled(json.dumps(call.body), names),
                "content_type": "application/json",
                **changes,
            }
        else:
            changes = {}
        headers = {name: filled(value, names) for name, value in headers.items()}
        return self.admin.client.open(
            filled(call.path, names) + query, method=call.method, headers=headers, **changes
        )

    def audited(self, caller: Caller) -> list[Any]:
        """What the audit tells of the caller."""
        self.service.read_audit.flush()
        entries = schema.audit_entries
        by_caller = entries.c.actor == f"key:{parse_key(caller.secret)}"
        with self.people.engine.connect() as connection:
            return list(connection.execute(select(entries).where(by_caller)).mappings())


def filled(text: str | bytes, names: Mapping[str, str]) -> Any:
    """The text with the names in braces replaced; a number stands without quotes."""
    if isinstance(text, bytes):
        return text
    for name in ("record", "first_record", "one"):
        text = text.replace(f'"{{{name}}}"', names[name])
    return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], text)


@contextmanager
def a_world(migrated_file: Path, home: Path, **settings: Any) -> Iterator[World]:
    url = f"sqlite:///{shutil.copyfile(migrated_file, home / 'cdp.db')}"
    people = StoreBuilder(open_store(url))
    people.add_sources("crm", "whatsapp")
    app = create_app(Settings(home, url, 1.0, body_limit_bytes=BODY_LIMIT, **settings), clock=lambda: NOW)
    service: Service = app.extensions["cdp"]
    writer = Caller(app.test_client(), people.add_key())
    yield World(writer, people, service, fill(writer))
    service.read_audit.close()
    service.store.close()
    people.engine.dispose()


def fill(writer: Caller) -> dict[str, str]:
    """A candidate, a steward's action, a report; returns what the calls name."""
    ana, _, clara, bruno, eva, fabio = written(writer, a_record(**CPF), RUI | CPF, CLARA, BRUNO, EVA, FABIO)
    told(writer.write(CLARA | {"source_record_id": "c-7"}), 201)
    [candidate] = told(writer.get("/v1/candidates"))["data"]
    action = told(rule(writer, "/v1/profiles/join", {"profile_ids": [bruno, eva]}))
    told(rule(writer, f"/v1/profiles/{fabio}/freeze", {}))
    report = told(writer.post("/v1/identifiers/reports", REPORT), 201)
    proposal = told(rule(writer, f"/v1/profiles/{bruno}/split", {"record_ids": [5]}), 202)
    return {
        "ana": ana,
        "clara": clara,
        "fabio": fabio,
        "email": "ana@example.com",
        "record_key": "c-1",
        "record": "7",
        "first_record": "1",
        "candidate": str(candidate["candidate_id"]),
        "one": str(candidate["candidate_id"]),
        "etag": etag_of(writer, candidate["candidate_id"]),
        "bare_etag": candidate["etag"],
        "entry": str(action["ledger_entry_ids"][0]),
        "action": str(action["action_id"]),
        "report": str(report["report_id"]),
        "proposal": str(proposal["proposal_id"]),
    }


@pytest.fixture
def world(migrated_file: Path, tmp_path: Path) -> Iterator[World]:
    """One for a call that changes it."""
    with a_world(migrated_file, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def still_world(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all calls that change nothing."""
    with a_world(migrated_file, tmp_path_factory.mktemp("still")) as made:
        yield made


@pytest.fixture(scope="module")
def worn_world(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One that mistaken calls may change when they are none to the service."""
    with a_world(migrated_file, tmp_path_factory.mktemp("worn")) as made:
        yield made


@pytest.fixture(scope="module")
def limited_world(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One where a key may call as often as it takes to fill the store, and a stranger twice."""
    home = tmp_path_factory.mktemp("limited")
    with a_world(migrated_file, home, rate_limit=LIMIT, address_rate_limit=RateLimit(2, 60)) as made:
        yield made


@pytest.fixture(scope="module")
def description(still_world: World) -> Any:
    return still_world.admin.client.get("/openapi.json").json


def operation_of(description: Any, world: World, call: Call) -> Any:
    [route] = [each.rule for each in world.app.url_map.iter_rules(call.endpoint)]
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    return description["paths"][path][call.method.lower()]


def is_documented(description: Any, operation: Any, answer: TestResponse) -> bool:
    """Whether the operation names the status, as a problem of this shape."""
    documented = operation["responses"].get(str(answer.status_code), {})
    if "$ref" in documented:
        documented = description["components"]["responses"][documented["$ref"].rpartition("/")[2]]
    content = documented.get("content", {}).get(PROBLEM_TYPE)
    if content is None or answer.mimetype != PROBLEM_TYPE:
        return False
    described = {**content["schema"], "components": description["components"]}
    return Draft202012Validator(described).is_valid(answer.json)


def told_of_nothing(answer: TestResponse) -> tuple[int, Any]:
    """The answer without the id of the request, and without the number that was asked for."""
    document = dict(answer.json or {}, request_id="")
    return answer.status_code, re.sub(r"\b\d+\b", "N", str(document.pop("detail", ""))) + str(document)


def test_the_walk_meets_every_route(still_world: World) -> None:
    """But those of the console, which has a walk of its own: tests/console/test_routes.py."""
    routes = sorted(
        (rule.endpoint, method)
        for rule in still_world.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in PUBLIC_ENDPOINTS and not rule.endpoint.startswith(f"{CONSOLE}.")
    )

    assert sorted((call.endpoint, call.method) for call in CALLS) == routes


@each_call
def test_it_requires_a_key(still_world: World, call: Call, description: Any) -> None:
    answer = still_world.make(call, None)

    assert answer.status_code == 401
    assert is_documented(description, operation_of(description, still_world, call), answer)


@each_call
def test_it_requires_its_scope(still_world: World, call: Call, description: Any) -> None:
    other = "contacts:write" if call.scope == "segment:write" else "segment:write"
    answer = still_world.make(call, still_world.caller(other))

    assert answer.status_code == (404 if call.scope is None else 403)
    assert is_documented(description, operation_of(description, still_world, call), answer)


@each_call
def test_it_is_counted_and_refused_beyond_the_limit(
    limited_world: World, call: Call, description: Any
) -> None:
    caller = limited_world.caller("segment:write")
    counted = limited_world.make(call, caller)
    for _ in range(LIMIT.requests - 1):
        limited_world.make(call, caller)

    refused = limited_world.make(call, caller)

    assert counted.headers["RateLimit"] == '"key";r=15;t=60'
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert is_documented(description, operation_of(description, limited_world, call), refused)


@pytest.mark.parametrize("endpoint", sorted(PUBLIC_ENDPOINTS - UNLIMITED_ENDPOINTS))
def test_a_public_address_is_counted_by_who_calls(limited_world: World, endpoint: str) -> None:
    [rule] = limited_world.app.url_map.iter_rules(endpoint)
    path, address = rule.rule.replace("<file_name>", "start.js"), {"REMOTE_ADDR": f"192.0.2.{len(endpoint)}"}

    found = [limited_world.admin.client.get(path, environ_base=address).status_code for _ in range(3)]

    assert found == [200, 200, 429]


@each_about
def test_what_is_not_the_callers_looks_as_if_it_were_not(still_world: World, call: Call) -> None:
    stranger = still_world.caller("admin", sources=["whatsapp"])

    forbidden, unknown = (still_world.make(call, stranger, known=known) for known in (True, False))

    assert told_of_nothing(forbidden) == told_of_nothing(unknown)


@pytest.mark.parametrize(
    "call",
    [each for each in CALLS if "{ana}" in each.path or "{clara}" in each.path or "{fabio}" in each.path],
    ids=lambda call: call.endpoint,
)
def test_a_call_about_somebody_erased_is_told_so(world: World, call: Call, description: Any) -> None:
    for name in ("ana", "clara", "fabio"):
        world.people.set_state(world.names[name], "erased")

    answer = world.make(call, world.admin)

    assert answer.status_code == 410
    assert is_documented(description, operation_of(description, world, call), answer)


@each_read
def test_the_read_is_answered_by_its_scope_alone_and_audited(still_world: World, call: Call) -> None:
    reader = still_world.caller(call.scope or "profiles:read:agent")

    answer = still_world.make(call, reader, headers={"CDP-Purpose": "ticket:4711"})

    assert answer.status_code == call.status, answer.get_data(as_text=True)
    entries = still_world.audited(reader)
    assert {json.loads(each["details"])["purpose"] for each in entries} == {"ticket:4711"}
    assert {each["action"].partition(".")[0] for each in entries} == {"profile"}


@each_write
def test_the_write_is_taken_by_its_scope_alone_and_audited(world: World, call: Call) -> None:
    assert call.scope is not None
    author = world.caller(call.scope, sources=call.sources)
    if call.first is not None:
        author.post(filled(call.first, world.names), None)
    before = len(world.audited(author))

    answer = world.make(call, author)

    assert answer.status_code == call.status, answer.get_data(as_text=True)
    assert [each for each in world.audited(author)[before:] if not each["action"].startswith("profile.read")]


@each_call
def test_every_refusal_is_documented(worn_world: World, call: Call, description: Any) -> None:
    operation = operation_of(description, worn_world, call)
    masked = worn_world.caller(call.scope or "profiles:read:agent")
    anybody = worn_world.caller("admin", sources=call.sources)
    answers = {name: worn_world.make(call, anybody, **change) for name, change in MISTAKES.items()}
    answers["nothing of the kind"] = worn_world.make(call, anybody, known=False)
    answers["whole values without the right"] = worn_world.make(call, masked, query="?unmask=true")

    refused = {name: answer for name, answer in answers.items() if answer.status_code >= 400}

    assert refused
    assert {
        name: answer.get_data(as_text=True)
        for name, answer in refused.items()
        if answer.status_code >= 500 or not is_documented(description, operation, answer)
    } == {}
