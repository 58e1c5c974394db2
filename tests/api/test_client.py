"""The Python client against the service over HTTP: what it answers, raises, and does again."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from flask import Flask
from structlog.testing import capture_logs
from werkzeug.serving import make_server

from cdp.client import (
    Client,
    Patience,
    PendingDecision,
    ProblemError,
    Profile,
    Proposal,
    Ruling,
    SeveralProfilesError,
    UnreachableError,
    WrittenRecord,
)
from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA, CPF
from tests.api.test_stewards import RUI
from tests.builders import StoreBuilder, a_record

QUICKLY = Patience(connect_seconds=2, answer_seconds=5, retries=3, backoff_seconds=0.001)
BRUNO = a_record(
    source_record_id="c-4", full_name="Bruno Costa", birth_date="1955-07-12", phones=[], emails=[]
)
WHY = "ticket:4711"


@dataclass
class Line:
    """Between client and service: does to each request what the test wrote down for it, and notes it."""

    app: Flask
    faults: list[str] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.requests.append(
            {
                "path": environ["PATH_INFO"],
                "method": environ["REQUEST_METHOD"],
                "key": environ.get("HTTP_IDEMPOTENCY_KEY", ""),
            }
        )
        fault = self.faults.pop(0) if self.faults else None
        if fault == "busy":
            return self._refused(start_response, "503 BUSY", [("Retry-After", "0")])
        if fault == "no page":
            return self._refused(start_response, "500 FAILED", [])
        answer = self.app.wsgi_app(environ, start_response if fault is None else lambda *_: lambda _: None)
        if fault is None:
            return answer
        b"".join(answer)
        return self._refused(start_response, "502 BAD GATEWAY", [])

    def _refused(
        self, start_response: Callable[..., Any], status: str, headers: list[tuple[str, str]]
    ) -> Iterable[bytes]:
        start_response(status, [*headers, ("Content-Type", "text/html"), ("Content-Length", "9")])
        return [b"<p>no</p>"]


@dataclass(frozen=True)
class Served:
    line: Line
    url: str
    people: StoreBuilder

    def client(self, *scopes: str, **options: Any) -> Client:
        return Client(self.url, self.people.add_key(*scopes), **{"patience": QUICKLY, **options})


@pytest.fixture
def served(lite_app: Flask, lite_writer: Caller, lite_people: StoreBuilder) -> Iterator[Served]:
    """The service on a port of its own; lite_writer verifies its store in the end."""
    assert lite_writer.client.application is lite_app
    line = Line(lite_app)
    server = make_server("127.0.0.1", 0, line, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with capture_logs():
        yield Served(line, f"http://127.0.0.1:{server.port}/", lite_people)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with served.client(purpose=WHY) as made:
        yield made


def test_a_record_comes_in_and_is_found(client: Client) -> None:
    written = client.write_record(a_record())

    found = client.look_up(("phone", "11 98765-4321"), ("email", "ana@example.com"), view="agent")

    assert (written.outcome, written.refusals) == ("created", [])
    assert found is not None
    assert (found.profile_id, found.view, found.masked) == (written.profile_id, "agent", True)
    assert found.value("full_name") == "Ana Reis"
    assert found.value("social_name") is None
    assert {each["type"] for each in found.identifiers} == {"phone", "email"}


def test_nobody_is_none_and_several_are_told(client: Client) -> None:
    client.write_records([a_record(), RUI])

    with pytest.raises(SeveralProfilesError) as caught:
        client.look_up(("email", "ana@example.com"), ("email", "rui@example.com"))

    assert client.look_up(("email", "nobody@example.com")) is None
    assert len(caught.value.candidates) == 2


def test_a_batch_tells_of_each_record(client: Client) -> None:
    good, bad = client.write_records([a_record(), a_record(source_record_id="c-2", source="nowhere")])

    assert isinstance(good, WrittenRecord)
    assert isinstance(bad, ProblemError)
    assert (bad.code, bad.errors[0]["pointer"]) == ("record_refused", "/records/1/source")


def test_what_is_unchanged_is_not_sent_again(client: Client, served: Served) -> None:
    profile_id = client.write_record(a_record()).profile_id
    assert profile_id is not None
    first = client.profile(profile_id, view="steward")

    again = client.profile(profile_id, view="steward", known=first)
    client.write_record(a_record(full_name="Ana Maria Reis", occurred_at="2026-02-01T00:00:00Z"))
    changed = client.profile(profile_id, view="steward", known=first)

    assert again is first
    assert (first.version, changed.version) == (1, 2)


def test_values_are_whole_for_who_may_and_says_why(client: Client, served: Served) -> None:
    profile_id = str(client.write_record(a_record()).profile_id)

    whole = client.profile(profile_id, view="agent", unmask=True)
    with served.client() as silent, pytest.raises(ProblemError) as caught:
        silent.profile(profile_id, view="agent", unmask=True)

    assert whole.value("birth_date") == "1980-02-29"
    assert not whole.masked
    assert caught.value.code == "purpose_required"


def test_the_inside_of_a_profile_is_read_page_by_page(client: Client, served: Served) -> None:
    for number in range(5):
        written = client.write_record(a_record(source_record_id=f"c-{number}"))
    profile_id = str(written.profile_id)
    served.line.requests.clear()

    records = list(client.records(profile_id, limit=2))

    assert [each.source for each in records] == ["crm"] * 5
    assert len(served.line.requests) == 3
    assert len(list(client.history(profile_id))) == 5
    explained = client.explanation(profile_id, lang="pt")
    assert (client.context(profile_id).profile_id, client.context(profile_id).alerts) == (profile_id, [])
    assert (explained.language, len(explained.joins)) == ("pt", 4)


def test_a_timeline_is_read_page_by_page(client: Client, served: Served) -> None:
    profile_id = str(client.write_record(a_record(source_record_id="ana-1")).profile_id)
    tracker = Caller(served.line.app.test_client(), served.people.add_key("segment:write", sources=["crm"]))
    for number in range(3):
        sent = {"userId": "ana-1", "event": f"Step {number}", "messageId": f"m-{number}"}
        assert tracker.post("/v1/track", sent).status_code == 200

    events = list(client.timeline(profile_id, limit=2))

    assert [each.name for each in events] == ["Step 2", "Step 1", "Step 0"]
    assert {(each.kind, each.source) for each in events} == {("track", "crm")}


def test_a_search_ranks_people(client: Client) -> None:
    written = client.write_record(a_record())

    page = client.search({"full_name": "Ana Reis", "emails": ["ana@example.com"]}, limit=5)

    assert [each.profile_id for each in page.data] == [written.profile_id]
    assert page.data[0].match_weight > 0
    assert page.next_cursor is None


def test_a_steward_decides_and_takes_back(client: Client) -> None:
    client.write_records([a_record(**CPF), RUI | CPF])
    [proposed] = client.candidates()
    candidate = client.candidate(proposed.candidate_id)

    preview = client.decide(candidate, "same", WHY, dry_run=True)
    ruling = client.decide(candidate, "same", WHY)
    assert ruling.action_id is not None
    undone = client.undo_action(ruling.action_id, WHY)

    assert len(candidate.profiles) == 2
    assert (preview.dry_run, preview.action_id) == (True, None)
    assert sum(each["state"] == "live" for each in ruling.profiles_after) == 1
    assert undone.kind == "undo"
    assert [each.kind for each in client.actions()] == ["undo", "decision"]
    with pytest.raises(ProblemError) as caught:
        client.decide(candidate, "same", WHY)
    assert caught.value.code == "candidate_changed"


def test_a_decision_that_waits_for_a_second_person_is_told_so(client: Client) -> None:
    _, rui, bruno = client.write_records([a_record(**CPF), RUI | CPF, BRUNO])
    client.join([each.profile_id for each in (rui, bruno) if isinstance(each, WrittenRecord)], WHY)
    [proposed] = client.candidates()

    pending = client.decide(client.candidate(proposed.candidate_id), "same", WHY)

    assert isinstance(pending, PendingDecision)
    assert list(pending.why) == ["confirmed"]
    assert [each.kind for each in client.actions()] == ["join"]


def test_profiles_are_joined_split_by_two_people_and_restored(client: Client, served: Served) -> None:
    clara, bruno = (client.write_record(each) for each in (CLARA, BRUNO))
    ids = [str(each.profile_id) for each in (clara, bruno)]

    joined = client.join(ids, WHY)
    waiting = client.split(ids[0], [bruno.record_id], WHY)
    assert isinstance(joined, Ruling)
    assert isinstance(waiting, Proposal)
    listed = list(client.proposals())
    with served.client() as second:
        split = second.confirm_proposal(waiting.proposal_id, WHY)
    restored = client.undo_entry(split.ledger_entry_ids[0], WHY)

    assert [(each.proposal_id, list(each.why)) for each in listed] == [(waiting.proposal_id, ["confirmed"])]
    assert [ruling.kind for ruling in (joined, split, restored)] == ["join", "split", "undo"]
    assert client.profile(ids[1], view="steward").profile_id == ids[0]


def test_a_profile_is_taken_apart(client: Client) -> None:
    ids = [str(client.write_record(each).profile_id) for each in (CLARA, BRUNO)]
    client.join(ids, WHY)

    preview = client.take_apart(ids[0], "records", WHY, dry_run=True)
    waiting = client.take_apart(ids[0], "records", WHY)
    assert isinstance(preview, Ruling)
    assert isinstance(waiting, Proposal)
    ended = client.refuse_proposal(waiting.proposal_id, WHY)

    assert [len(each["record_ids"]) for each in preview.profiles_after] == [1, 1]
    assert (waiting.kind, ended.outcome) == ("take_apart", "withdrawn")
    assert client.profile(ids[1], view="steward").profile_id == ids[0]


def test_several_are_decided_at_once_and_a_profile_is_frozen(client: Client) -> None:
    ana, *_ = client.write_records([a_record(**CPF), RUI | CPF, CLARA | CPF])
    assert isinstance(ana, WrittenRecord)
    chosen = list(client.candidates())

    frozen, let_go = (verb(str(ana.profile_id), WHY) for verb in (client.freeze, client.unfreeze))
    results = client.decide_all(chosen, "different", WHY)

    assert [frozen.kind, let_go.kind] == ["freeze", "undo"]
    assert [each.outcome for each in results] == ["decided"] * len(chosen)


def test_a_value_is_pinned_until_the_pin_is_undone(client: Client) -> None:
    client.write_record(a_record(full_name="Ana Maria Reis"))
    chosen = client.write_record(a_record(source_record_id="c-9"))
    profile_id = str(chosen.profile_id)

    def shown() -> object:
        return client.profile(profile_id, view="steward").value("full_name")

    before = shown()
    pinned = client.pin(profile_id, "full_name", chosen.record_id, WHY)
    while_pinned = shown()
    assert pinned.action_id is not None
    client.undo_action(pinned.action_id, WHY)

    assert (pinned.kind, while_pinned) == ("pin", "Ana Reis")
    assert (before, shown()) == ("Ana Maria Reis", "Ana Maria Reis")


def test_who_works_on_a_candidate_claims_it_comments_and_gives_it_back(
    client: Client, served: Served
) -> None:
    client.write_records([a_record(**CPF), RUI | CPF])
    [candidate] = client.candidates(sort="priority", source="crm", max_records=2)
    chosen = candidate.candidate_id

    claim = client.claim(chosen)
    with served.client() as other, pytest.raises(ProblemError) as caught:
        other.claim(chosen)
    written = client.comment(chosen, "asked the branch", idempotency_key="once")
    again = client.comment(chosen, "asked the branch", idempotency_key="once")
    released = [client.release(chosen).released for _ in range(2)]
    skipped = client.skip(chosen)

    assert (candidate.claim, client.candidate(chosen).claim) == (None, None)
    assert (caught.value.code, caught.value.document["held_by"]) == ("candidate_claimed", claim.owner)
    assert [(each.comment_id, each.body) for each in client.comments(chosen)] == [
        (written.comment_id, "asked the branch")
    ]
    assert again == written
    assert released == [True, False]
    assert skipped.hidden_until > claim.claimed_at


def test_a_claim_whose_answer_is_lost_is_asked_for_again(client: Client, served: Served) -> None:
    client.write_records([a_record(**CPF), RUI | CPF])
    [candidate] = client.candidates()
    served.line.faults = ["lost"]

    assert client.claim(candidate.candidate_id).candidate_id == candidate.candidate_id


def test_what_was_given_back_is_told_though_the_answer_is_lost(client: Client, served: Served) -> None:
    client.write_records([a_record(**CPF), RUI | CPF])
    [candidate] = client.candidates()
    client.claim(candidate.candidate_id)
    served.line.faults = ["lost"]

    assert client.release(candidate.candidate_id).released is True


def test_a_report_stands_until_it_is_withdrawn(client: Client) -> None:
    client.write_record(a_record())

    report = client.report_identifier("phone", "11 98765-4321", "bounced", reason=WHY)
    withdrawn = client.withdraw_report(report.report_id)

    assert (report.state, withdrawn.state) == ("open", "withdrawn")


@pytest.mark.parametrize("key", ["ana/1 ?#", ".."])
def test_a_deleted_record_is_told_by_whom_it_touched(client: Client, key: str) -> None:
    written = client.write_record(a_record(source_record_id=key))

    assert client.delete_record("crm", key).profiles_touched == [written.profile_id]


def test_a_problem_says_what_is_wrong_and_finds_the_log(client: Client) -> None:
    with pytest.raises(ProblemError) as caught:
        client.write_record({"source": "crm"})

    problem = caught.value
    assert (problem.status, problem.code) == (422, "record_refused")
    assert problem.errors
    assert problem.request_id
    assert problem.request_id in str(problem)


def test_a_deletion_whose_answer_is_lost_is_told_all_the_same(client: Client, served: Served) -> None:
    written = client.write_record(CLARA)
    served.line.faults = ["lost"]

    deleted = client.delete_record("crm", "c-3")

    assert deleted.profiles_touched == [written.profile_id]


@pytest.mark.parametrize("faults", [["lost"], ["busy"], ["busy", "lost", "busy"]], ids="+".join)
def test_a_call_that_is_made_again_has_one_effect_and_its_answer(
    client: Client, served: Served, faults: list[str]
) -> None:
    ids = [str(client.write_record(each).profile_id) for each in (CLARA, BRUNO)]
    served.line.requests.clear()
    served.line.faults = list(faults)

    joined = client.join(ids, WHY)
    assert isinstance(joined, Ruling)

    sent = served.line.requests
    assert len(sent) == len(faults) + 1
    assert len({each["key"] for each in sent}) == 1
    assert len(sent[0]["key"]) == 36
    assert [each.action_id for each in client.actions()] == [joined.action_id]


def test_each_call_has_a_key_of_its_own_unless_it_is_given_one(client: Client, served: Served) -> None:
    served.line.requests.clear()

    client.write_record(a_record())
    client.write_record(a_record())
    client.write_record(a_record(), idempotency_key="mine")

    keys = [each["key"] for each in served.line.requests]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_it_does_not_ask_for_ever(client: Client, served: Served) -> None:
    served.line.faults = ["busy"] * 10

    with pytest.raises(ProblemError) as caught:
        client.look_up(("phone", "11 98765-4321"))

    assert caught.value.status == 503
    assert len(served.line.requests) == 1 + QUICKLY.retries


@pytest.mark.parametrize("fault", ["no page"])
def test_a_failure_is_not_asked_for_again(client: Client, served: Served, fault: str) -> None:
    served.line.faults = [fault]

    with pytest.raises(ProblemError) as caught:
        client.look_up(("phone", "11 98765-4321"))

    assert (caught.value.status, caught.value.code) == (500, "http_error")
    assert len(served.line.requests) == 1


def test_a_wrong_key_is_told_at_once(served: Served) -> None:
    with Client(served.url, "cdp_wrong", patience=QUICKLY) as stranger, pytest.raises(ProblemError) as caught:
        stranger.look_up(("phone", "11 98765-4321"))

    assert caught.value.code == "unauthorized"
    assert len(served.line.requests) == 1


def test_a_service_that_is_not_there_is_unreachable() -> None:
    patience = Patience(connect_seconds=0.2, retries=1, backoff_seconds=0.001)

    with (
        Client("http://127.0.0.1:9", "cdp_any", patience=patience) as client,
        pytest.raises(UnreachableError),
    ):
        client.look_up(("phone", "11 98765-4321"))


def test_threads_share_a_client(client: Client) -> None:
    profile_id = str(client.write_record(a_record()).profile_id)
    read: list[Profile] = []

    threads = [
        threading.Thread(target=lambda: read.append(client.profile(profile_id, view="pos"))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {each.profile_id for each in read} == {profile_id}
    assert len(read) == 6


@pytest.mark.parametrize("name", ["README.md", "docs/client.md"])
def test_what_the_documents_say_runs_as_it_stands(
    served: Served, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with served.client() as client:
        client.write_records([a_record(**CPF), RUI | CPF])
    text = (Path(__file__).parents[2] / name).read_text("utf-8")
    [block] = re.findall(r"(?:^    (?:from cdp.client|with Client).*\n)(?:^    .*\n|\n)+", text, re.MULTILINE)
    told = re.sub(
        r'"http://[^"]+", "cdp_[^"]*"', f'"{served.url}", "{served.people.add_key()}"', dedent(block)
    )

    names: dict[str, Any] = {"Client": Client}
    exec(compile(told, name, "exec"), names)

    assert isinstance(names["person"], Profile)
    assert ("Ana Reis" in capsys.readouterr().out) == ("print" in told)


def test_the_page_names_every_call_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "client.md").read_text("utf-8")
    [table] = re.findall(r"^\| method \|.*\n(?:\|.*\n)+", page, re.MULTILINE)
    named = {
        name for row in re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE) for name in re.findall(r"\w+", row)
    }

    assert named == {name for name in dir(Client) if not name.startswith("_")} - {"close"}


def test_it_loads_nothing_of_the_service() -> None:
    script = (
        "import sys, cdp.client\n"
        "ours = {name for name in sys.modules if name.split('.')[0] in ('cdp', 'api', 'resolution')}\n"
        "print(sorted(ours - {'cdp'} - {name for name in ours if name.startswith('cdp.client')}))\n"
        "print(sorted({'sqlalchemy', 'flask', 'duckdb', 'structlog'} & set(sys.modules)))"
    )

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert told.stdout.splitlines() == ["[]", "[]"]
