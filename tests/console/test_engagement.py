"""What a person did and allows, on the pages of stewards: on the profile, in order, and before a ruling changes it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from api.console.engagement import EVENTS_A_PAGE
from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA
from tests.api.test_stewards import told, written
from tests.builders import StoreBuilder, a_record
from tests.console.conftest import Visitor
from tests.console.test_review import page

ORDER = {
    "order_id": "o-7",
    "total": 250,
    "currency": "BRL",
    "gift_note": "Happy birthday",
    "products": [{"product_id": "p-1", "name": "Keyboard", "price": 250, "quantity": 1}],
}


@pytest.fixture
def writer(app: Flask, people: StoreBuilder) -> Caller:
    return Caller(app.test_client(), people.add_key())


@pytest.fixture
def track(app: Flask, people: StoreBuilder) -> Any:
    """Sends an event of a record of crm."""
    sender = Caller(app.test_client(), people.add_key("segment:write", sources=["crm"]))

    def send(
        user_id: str, message_id: str, event: str, *, allows: bool | None = None, **properties: Any
    ) -> None:
        consent = {} if allows is None else {"consent": {"categoryPreferences": {"Advertising": allows}}}
        message = {"userId": user_id, "messageId": message_id, "event": event, "properties": properties}
        told(sender.post("/v1/track", {**message, "context": consent, "timestamp": "2026-11-01T12:00:00Z"}))

    return send


def test_a_profile_tells_what_they_did_and_allow(steward: Visitor, writer: Caller, track: Any) -> None:
    [ana] = written(writer, a_record(source_record_id="c-1"))
    track("c-1", "m-1", "Order Completed", allows=False, **ORDER)

    shown = page(steward.get(f"/console/profiles/{ana}"))
    timeline = page(steward.get(f"/console/profiles/{ana}/timeline"))
    steward.post("/console/reveal", reason="contact", next=f"/console/profiles/{ana}/timeline")
    whole = page(steward.get(f"/console/profiles/{ana}/timeline"))

    assert re.search(r'<th scope="row">Advertising</th><td>✗ no</td>', shown)
    assert re.search(r"o-7</th>.*completed</td><td class=\"n\">250.00 BRL</td><td>Keyboard</td>", shown)
    assert "Order Completed" in shown
    assert "Happy birthday" not in shown + timeline
    assert "H***" in timeline
    assert "Happy birthday" in whole


def test_a_profile_of_whom_nothing_else_is_known_says_so(steward: Visitor, writer: Caller) -> None:
    [ana] = written(writer, a_record())

    shown = page(steward.get(f"/console/profiles/{ana}"))

    assert "They said nothing of what they allow." in shown
    assert "No event of theirs is known." in shown
    assert "Orders, carts and lists" not in shown


def test_the_timeline_goes_on_by_key(steward: Visitor, writer: Caller, track: Any) -> None:
    [ana] = written(writer, a_record(source_record_id="c-1"))
    for number in range(EVENTS_A_PAGE + 1):
        track("c-1", f"m-{number}", f"Step {number}")

    first = page(steward.get(f"/console/profiles/{ana}/timeline"))
    [older] = re.findall(r'href="([^"]+cursor=[^"]+)"', first)
    second = page(steward.get(older))

    assert (f"Step {EVENTS_A_PAGE} " in first, "Step 0 " in first) == (True, False)
    assert (f"Step {EVENTS_A_PAGE} " in second, "Step 0 " in second) == (False, True)
    assert steward.get(f"/console/profiles/{ana}/timeline?cursor=x").status_code == 422


def test_a_ruling_tells_before_which_consents_change_and_whether_it_takes_two(
    steward: Visitor, writer: Caller, track: Any
) -> None:
    ana, clara = written(writer, a_record(source_record_id="c-1"), CLARA)
    track("c-1", "m-1", "Signed Up", allows=True)
    track(CLARA["source_record_id"], "m-2", "Signed Up", allows=False)
    steward.get("/console/")

    seen = page(steward.post("/console/profiles/join/preview", profile_id=[ana, clara]))
    steward.post("/console/profiles/join", profile_id=[ana, clara], reason="same card")
    shown = page(steward.get(f"/console/profiles/{ana}"))
    [chosen, *_] = re.findall(r'name="record_id" value="(\d+)"', shown)
    parted = page(steward.post(f"/console/profiles/{ana}/split/preview", record_id=chosen))

    assert f'profiles/{ana}">{ana}</a></td><td>✓ yes</td><td>✗ no</td>' in seen
    assert seen.count('<th scope="row">Advertising</th>') == 1
    assert "This takes two people" not in seen
    assert re.search(r'<th scope="row">Advertising</th><td>✗ no</td>', shown)
    assert "<td>✗ no</td><td>✓ yes</td>" in parted
    assert "people that a steward has confirmed" in parted
