"""What a contact begins with: a few rows of each, of one moment, and what is unsettled about who it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cdp.identity.profile_reads import require_profile
from cdp.stewardship.profile_state import RECENT, select_profile_state
from cdp.store import read
from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA, CPF, asked, decide, etag_of
from tests.api.test_stewards import RUI, is_described, joined, rule, told, written
from tests.builders import NOW, StoreBuilder, a_record


def context(caller: Caller, profile_id: str, query: str = "") -> Any:
    return told(caller.get(f"/v1/profiles/{profile_id}/context{query}"))


def test_of_somebody_who_did_nothing_it_is_a_name(writer: Caller) -> None:
    [ana] = written(writer, a_record())

    found = context(writer, ana)

    assert found["display_name"] == "Ana Reis"
    assert (found["open_candidate_count"], found["alerts"]) == (0, [])
    assert [found[name] for name in ("carts", "orders", "consents", "recent_events")] == [[]] * 4
    assert is_described(writer.client, "Context", found)


def test_what_changed_longer_ago_is_no_alert(writer: Caller, people: StoreBuilder) -> None:
    ana, *_ = joined(writer)
    with read(people.engine) as connection:
        profile = require_profile(connection, ana)
        codes = [
            [each.code for each in select_profile_state(connection, profile, sources=None, now=now).alerts]
            for now in (NOW + RECENT - timedelta(seconds=1), NOW + RECENT)
        ]

    assert codes == [["recently_joined"], []]


def test_it_has_the_newest_of_what_they_did_and_no_more(writer: Caller, people: StoreBuilder) -> None:
    [ana] = written(writer, a_record())
    tracker = Caller(writer.client, people.add_key("segment:write", sources=["crm"]))
    for number in range(7):
        properties = {"order_id": f"o-{number}", "total": 10, "products": [{"product_id": "p"}] * 9}
        message = {"userId": "c-1", "messageId": f"m-{number}", "event": "Order Completed"}
        moment = f"2026-11-0{number + 1}T12:00:00Z"
        told(tracker.post("/v1/track", {**message, "properties": properties, "timestamp": moment}))

    found = context(writer, ana)

    assert [each["order_id"] for each in found["orders"]] == ["o-6", "o-5", "o-4"]
    assert max(len(each["items"]) for each in found["orders"]) <= 5
    assert [each["name"] for each in found["recent_events"]] == ["Order Completed"] * 5
    assert "properties" not in found["recent_events"][0]
    assert is_described(writer.client, "Context", found)


def test_a_join_is_told_for_a_few_days_unless_it_is_undone(writer: Caller, people: StoreBuilder) -> None:
    ana, rui, answer = joined(writer)
    told_of = context(writer, rui)

    told(rule(writer, f"/v1/actions/{answer['action_id']}/undo", {}))
    undone = context(writer, ana)

    assert told_of["profile_id"] == ana
    [alert] = told_of["alerts"]
    assert (alert["code"], alert["since"]) == ("recently_joined", told_time(NOW))
    assert "recently_joined" not in [each["code"] for each in undone["alerts"]]


def told_time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


def test_candidates_are_counted_for_who_may_know_of_them(writer: Caller, people: StoreBuilder) -> None:
    asked(writer)
    ana = told(writer.look_up("email", "ana@example.com"))["profile_id"]
    bound = Caller(writer.client, people.add_key("admin", sources=["crm"]))
    written(writer, a_record(source="whatsapp", source_record_id="w-1"))
    other = Caller(writer.client, people.add_key("admin", sources=["whatsapp"]))

    counts = [context(each, ana)["open_candidate_count"] for each in (writer, bound, other)]

    assert counts == [1, 1, 0]


def test_what_waits_for_a_second_person_is_told(writer: Caller, people: StoreBuilder) -> None:
    ana, rui, clara = written(writer, a_record(**CPF), RUI | CPF, CLARA)
    told(rule(writer, "/v1/profiles/join", {"profile_ids": [rui, clara]}))
    [candidate] = told(writer.get("/v1/candidates"))["data"]
    candidate_id = candidate["candidate_id"]
    told(decide(writer, candidate_id, "same", etag_of(writer, candidate_id)), 202)

    assert [each["code"] for each in context(writer, ana)["alerts"]] == ["awaiting_second_person"]


def test_what_a_steward_pinned_is_told(writer: Caller) -> None:
    [ana] = written(writer, a_record())
    [record] = told(writer.get(f"/v1/profiles/{ana}/records"))["data"]
    pin = {"attribute": "full_name", "record_id": record["record_id"]}
    told(rule(writer, f"/v1/profiles/{ana}/pins", pin))

    [alert] = context(writer, ana)["alerts"]

    assert (alert["code"], alert["attributes"]) == ("pinned_values", ["full_name"])
