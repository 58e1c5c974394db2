"""A value reported as not its holder's joins nobody by itself, in one transaction, until the report is withdrawn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, update

import resolution.incremental
from cdp.identity.identifier_reports import UnknownReportError
from cdp.identity.models import insert_model, replace_activation
from cdp.identity.profile_reads import UnknownProfileError
from cdp.identity.resolve import resolve_all
from cdp.identity.snapshot import find_changes, select_snapshot
from cdp.identity.sources import NewSource, insert_sources
from cdp.identity.verify import verify_store
from cdp.privacy.audit import seal_audit
from cdp.realtime.report_identifier import Reporter, UnheldIdentifierError, UnknownReportSourceError
from cdp.store import read, schema, write
from resolution.standardize import SourceSettings
from tests.cdp.identity.resolving import counts, members, people, profile_of, rows
from tests.cdp.realtime.feeding import NOW, SOURCES, Feed, a_record, findings, random_records
from tests.cdp.realtime.reporting import held, report, withdraw
from tests.resolution.builders import prior_model

LATER = NOW + timedelta(days=1)
EMAIL = "casa@example.com"
APART = {frozenset({"ana"}), frozenset({"nobody"})}
TOGETHER = {frozenset({"ana", "nobody"})}


@pytest.fixture
def feed(store: Engine) -> Feed:
    return Feed(store)


def two_by_email(feed: Feed) -> None:
    """A named record and one that only the address makes hers, of another source."""
    feed.ingest(a_record("ana", full_name="Ana Reis", emails=[EMAIL]))
    feed.ingest(a_record("nobody", source="web", emails=[EMAIL], address={"city": "Lisboa"}))


def shipped(store: Engine) -> Feed:
    """With the shipped model, which knows phones."""
    with write(store) as connection:
        insert_model(connection, prior_model(), label="people", report={}, seed=0, record_count=0, now=NOW)
        replace_activation(connection, 0, author="test", reason="shipped", now=NOW)
        insert_sources(connection, [NewSource(name, SourceSettings()) for name in SOURCES], now=NOW)
    return Feed(store, fresh=False)


def breaches(feed: Feed) -> list[tuple[str, str]]:
    return [(each.check, each.message) for each in verify_store(feed.engine).breaches]


def test_a_reported_value_joins_nobody_by_itself(feed: Feed) -> None:
    two_by_email(feed)
    assert people(feed.engine) == TOGETHER
    profile_id = profile_of(feed.engine, "ana")

    answer = report(feed, "email", EMAIL, profile_id=profile_id, reason="somebody else answered")

    assert people(feed.engine) == APART
    assert (answer.has_changed, answer.is_waiting, answer.model_version) == (True, False, 0)
    assert profile_id in answer.profiles_touched
    assert len(answer.profiles_touched) == 2
    assert (answer.report.profile_id, answer.report.closed_at) == (profile_id, None)
    assert breaches(feed) == []


def test_withdrawn_the_people_are_as_they_were(feed: Feed) -> None:
    two_by_email(feed)
    before, everything = members(feed.engine), findings(feed.engine)
    golden = {row["profile_id"]: row["golden"] for row in rows(feed.engine, "profiles")}
    filed = report(feed, "email", EMAIL)

    answer = withdraw(feed, filed.report.report_id, now=LATER)

    assert members(feed.engine) == before
    assert findings(feed.engine) == everything
    [live] = [row for row in rows(feed.engine, "profiles") if row["state"] == "live"]
    assert live["golden"] == golden[live["profile_id"]]
    assert (answer.has_changed, answer.report.closed_at) == (True, LATER)
    assert breaches(feed) == []


def test_history_is_added(feed: Feed) -> None:
    filed = report(feed, "email", EMAIL, reason="bounced twice", outcome="bounced")
    withdraw(feed, filed.report.report_id, now=LATER)
    again = report(feed, "email", EMAIL, outcome="bounced", now=LATER)

    first, second = rows(feed.engine, "identifier_reports")
    assert (first["valid_from"], first["valid_to"], first["closed_by"]) == (NOW, LATER, "key:test")
    assert (first["value"], first["reason"], first["reported_by"]) == (EMAIL, "bounced twice", "key:test")
    assert (second["report_id"], second["valid_to"]) == (again.report.report_id, None)


@pytest.mark.parametrize("verb", ["report", "withdraw"])
def test_the_same_again_changes_nothing(feed: Feed, verb: str) -> None:
    two_by_email(feed)
    first = report(feed, "email", EMAIL)
    if verb == "withdraw":
        withdraw(feed, first.report.report_id)
    before = counts(feed.engine, schema.metadata.tables)

    again = (
        report(feed, "email", "CASA@example.com")
        if verb == "report"
        else withdraw(feed, first.report.report_id)
    )

    assert counts(feed.engine, schema.metadata.tables) == before
    assert (again.has_changed, again.report.report_id) == (False, first.report.report_id)
    assert again.profiles_touched == []


def test_a_report_comes_before_the_records(feed: Feed) -> None:
    answer = report(feed, "email", EMAIL)
    assert (answer.profiles_touched, answer.is_waiting) == ([], False)

    two_by_email(feed)

    assert people(feed.engine) == APART
    withdraw(feed, answer.report.report_id)
    assert people(feed.engine) == TOGETHER
    assert breaches(feed) == []


def test_the_batch_finds_the_same(feed: Feed) -> None:
    two_by_email(feed)
    report(feed, "email", EMAIL)
    online = findings(feed.engine)

    done = resolve_all(feed.engine, clock=lambda: NOW)

    assert findings(feed.engine) == online
    assert ("emails", EMAIL, 1, "shared") in online.shared
    assert done["changes"] is not None
    assert done["changes"]["profiles_changed"] == 0
    assert breaches(feed) == []


def test_more_holders_make_it_generic_and_fewer_shared_again(feed: Feed) -> None:
    report(feed, "email", EMAIL)
    names = ("Ana", "Bia", "Caio", "Davi", "Eva")

    seen = []
    for name in names:
        feed.ingest(a_record(name, full_name=f"{name} Reis", emails=[EMAIL]))
        seen += [(count, kind) for _, _, count, kind in findings(feed.engine).shared]
    for name in names:
        feed.delete("shop", name, now=LATER)

    assert seen == [(1, "shared"), (2, "shared"), (3, "shared"), (4, "shared"), (5, "generic")]
    assert findings(feed.engine).shared == {("emails", EMAIL, 0, "shared")}


def test_what_several_report_holds_until_the_last_withdraws(feed: Feed) -> None:
    two_by_email(feed)
    reports = [
        report(feed, "email", EMAIL),
        report(feed, "email", EMAIL, outcome="bounced"),
        report(feed, "email", EMAIL, source="web"),
    ]

    seen = []
    for each in reports:
        seen.append(people(feed.engine))
        withdraw(feed, each.report.report_id)

    assert seen == [APART, APART, APART]
    assert people(feed.engine) == TOGETHER
    assert len({each.report.report_id for each in reports}) == 3


def test_many_holders_wait_for_the_queue(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", 1)
    two_by_email(feed)

    answer = report(feed, "email", EMAIL)

    assert (answer.is_waiting, answer.profiles_touched, people(feed.engine)) == (True, [], TOGETHER)
    assert breaches(feed) == []
    assert feed.drain() == 2
    assert people(feed.engine) == APART


def test_everything_is_told_in_the_same_moment_and_no_value(feed: Feed) -> None:
    two_by_email(feed)
    before = {
        name: len(rows(feed.engine, name)) for name in ("ledger_entries", "audit_entries", "outbox_events")
    }

    filed = report(feed, "email", EMAIL, outcome="recycled", source="web", reason="new owner", now=LATER)

    new = {name: rows(feed.engine, name)[count:] for name, count in before.items()}
    [entry], [audited] = new["ledger_entries"], new["audit_entries"]
    assert (entry["kind"], entry["report_id"]) == ("split", filed.report.report_id)
    assert (entry["reason"], entry["author"]) == ("identifier report 1: recycled", "key:test")
    assert (audited["action"], audited["object_id"]) == ("identifiers.report", "1")
    event = next(each for each in new["outbox_events"] if each["kind"] == "identifier.reported")
    assert event["payload"] == audited["details"]
    assert event["payload"] == {
        "report_id": 1,
        "type": "email",
        "outcome": "recycled",
        "source": "web",
        "model_version": 0,
        "profile_ids": filed.profiles_touched,
        "ledger_entry_ids": [entry["ledger_entry_id"]],
    }
    assert EMAIL not in str([entry, audited, event])
    assert {each["created_at"] for each in new["outbox_events"]} == {LATER}


def test_a_phone_is_reported_as_a_line(store: Engine) -> None:
    """Two records that hold the line each in another form, and two in the form that was not reported."""
    feed = shipped(store)
    feed.ingest(a_record("ana", full_name="Ana Reis", phones=["+55 11 98765-4321"]))
    feed.ingest(a_record("old", phones=["+55 11 98765-4321"], address={"city": "Lisboa"}))
    feed.ingest(a_record("other", phones=["+55 11 98765-4321"], emails=["x@example.com"]))
    together = members(store)
    assert len(together) == 1

    filed = report(feed, "phone", "(11) 98765-4321")

    assert len(members(store)) == 3
    assert ("phone_variants", "551187654321") in held(feed)
    assert {value for column, value in held(feed) if column == "phones"} == {
        "+5511987654321",
        "+551187654321",
    }
    assert breaches(feed) == []
    withdraw(feed, filed.report.report_id)
    assert members(store) == together


def test_an_address_is_reported_as_it_was_typed(feed: Feed) -> None:
    """Of a slip in the domain, the address that was meant may well be the person's."""
    filed = report(feed, "email", "ana.reis@gmial.com", outcome="bounced")

    assert filed.report.value == "ana.reis@gmial.com"
    assert held(feed) == {("emails", "ana.reis@gmial.com")}


def test_a_kind_that_the_model_does_not_count_is_kept_for_one_that_does(feed: Feed) -> None:
    filed = report(feed, "phone", "(11) 98765-4321")

    assert rows(feed.engine, "shared_values") == []
    assert held(feed) != frozenset()
    assert breaches(feed) == []
    withdraw(feed, filed.report.report_id)
    assert held(feed) == frozenset()


def test_unknown_profiles_and_sources_are_refused_and_nothing_is_kept(feed: Feed) -> None:
    with pytest.raises(UnknownProfileError):
        report(feed, "email", EMAIL, profile_id="pf_0")
    with pytest.raises(UnknownReportSourceError):
        report(feed, "email", EMAIL, source="fax")
    with pytest.raises(UnknownReportError):
        withdraw(feed, 7)

    assert rows(feed.engine, "identifier_reports") == []


WEB = Reporter("key:web", frozenset({"web"}))


def test_who_is_bound_to_sources_reports_what_their_records_hold(feed: Feed) -> None:
    two_by_email(feed)
    feed.ingest(a_record("bia", full_name="Bia Lima", emails=["bia@example.com"]))

    answer = report(feed, "email", EMAIL, source="web", reporter=WEB)
    with pytest.raises(UnheldIdentifierError):
        report(feed, "email", "bia@example.com", source="web", reporter=WEB)
    with pytest.raises(UnknownProfileError):
        report(feed, "email", EMAIL, source="web", profile_id=profile_of(feed.engine, "bia"), reporter=WEB)

    # Ana's own profile holds no record of theirs any more.
    assert answer.profiles_touched == [profile_of(feed.engine, "nobody")]
    assert people(feed.engine) == APART | {frozenset({"bia"})}


def test_who_is_bound_to_sources_withdraws_what_those_reported(feed: Feed) -> None:
    two_by_email(feed)
    theirs = report(feed, "email", EMAIL, source="web", reporter=WEB)
    others = report(feed, "email", EMAIL, source="shop")
    nobodys = report(feed, "email", EMAIL)

    withdraw(feed, theirs.report.report_id, reporter=WEB)

    for each in (others, nobodys):
        with pytest.raises(UnknownReportError):
            withdraw(feed, each.report.report_id, reporter=WEB)


def test_what_is_reported_and_withdrawn_while_a_batch_runs_is_told(feed: Feed) -> None:
    two_by_email(feed)
    earlier = report(feed, "email", EMAIL)
    with read(feed.engine) as connection:
        snapshot = select_snapshot(connection)

    withdraw(feed, earlier.report.report_id)
    report(feed, "email", "bia@example.com")

    with read(feed.engine) as connection:
        changes = find_changes(connection, snapshot)
    assert changes is not None
    assert changes.holding == {("emails", EMAIL): False, ("emails", "bia@example.com"): True}


def test_of_the_same_report_at_the_same_time_one_is_kept(feed: Feed) -> None:
    two_by_email(feed)

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: report(feed, "email", EMAIL), range(6)))
        ids = {each.report.report_id for each in answers}
        withdrawn = list(threads.map(lambda _: withdraw(feed, min(ids)), range(6)))

    assert len(ids) == len(rows(feed.engine, "identifier_reports")) == 1
    assert [sum(each.has_changed for each in told) for told in (answers, withdrawn)] == [1, 1]
    assert people(feed.engine) == TOGETHER


def test_reports_and_records_that_come_at_the_same_time_find_the_people_of_the_batch(feed: Feed) -> None:
    raws = random_records(7, 36)
    emails = [f"x{number}@example.com" for number in range(6)]

    def bring(share: int) -> None:
        for raw in raws[share::3]:
            feed.ingest(raw)

    def file_and_withdraw(_: int) -> None:
        filed = [report(feed, "email", email).report.report_id for email in emails]
        for report_id in filed[::2]:
            withdraw(feed, report_id)

    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda task: task[0](task[1]), [*((bring, n) for n in range(3)), (file_and_withdraw, 0)]
            )
        )

    feed.drain()
    online = findings(feed.engine)
    resolve_all(feed.engine, clock=lambda: NOW)
    assert findings(feed.engine) == online
    assert {value for _, value in held(feed)} == set(emails[1::2])
    seal_audit(feed.engine)
    assert breaches(feed) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            delete(schema.shared_values),
            "report 1 stands, and its value in emails counts as its holder's own",
        ),
        (
            update(schema.identifier_reports).values(valid_to=NOW, closed_by="nobody"),
            "report 1 has no audit entry identifiers.withdraw_report",
        ),
        (
            update(schema.identifier_reports).values(value="other@example.com"),
            "report 1 stands, and its value in emails counts as its holder's own",
        ),
        (
            update(schema.audit_entries).values(object_id="9"),
            "report 1 has no audit entry identifiers.report",
        ),
    ],
    ids=["no effect", "closed by hand", "another value", "not audited"],
)
def test_verify_sees_a_report_that_is_not_whole(feed: Feed, change: Any, found: str) -> None:
    report(feed, "email", EMAIL)

    with write(feed.engine) as connection:
        connection.execute(change)

    assert found in [message for check, message in breaches(feed) if check == "reports"]


def test_verify_sees_a_value_held_without_a_report(feed: Feed) -> None:
    report(feed, "email", EMAIL)
    with write(feed.engine) as connection:
        connection.execute(delete(schema.identifier_reports))

    [message] = [message for check, message in breaches(feed) if check == "reports"]

    assert message.endswith("of emails is held as shared, and no report about it stands")
    assert EMAIL not in message
