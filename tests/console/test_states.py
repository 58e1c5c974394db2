"""What pages lead to that cannot show what was asked, and what is told in the reader's own words."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from api.console import words
from cdp.identity import resolve
from cdp.realtime import ingest, redo, standardize_anew
from tests.console.conftest import Visitor
from tests.console.test_review import page

HOST = "http://localhost"


def ways_out(text: str) -> dict[str, str]:
    """By their names, the addresses of a page's buttons."""
    return {
        name: place for place, name in re.findall(r'<a class="button[^"]*" href="([^"]+)">([^<]+)</a>', text)
    }


@pytest.mark.parametrize(
    ("address", "name", "place"),
    [
        ("profiles/pf_00000000000000000000000000", "Search", "/console/search"),
        ("nothing/here", "Search", "/console/search"),
        ("review/99", "Queue", "/console/queue"),
        ("proposals/99", "For a second person", "/console/proposals"),
    ],
)
def test_what_is_not_there_leads_to_where_to_look(
    steward: Visitor, address: str, name: str, place: str
) -> None:
    shown = page(steward.get(f"/console/{address}"))

    assert ways_out(shown) == {name: place, "Go to the start": "/console/"}


def test_a_filter_that_is_none_leads_back_to_the_queue(steward: Visitor) -> None:
    shown = page(steward.get("/console/queue?least=x", headers={"Referer": f"{HOST}/console/queue?sort=age"}))

    assert ways_out(shown)["Go back"] == "/console/queue?sort=age"


@pytest.mark.parametrize(
    "referrer",
    [
        "",
        "https://elsewhere.example/console/queue",
        f"{HOST}/v1/profiles",
        # Of forms: asked for again, there is nothing.
        f"{HOST}/console/profiles/x/split/preview",
        f"{HOST}/console/queue?least=x",
        f"{HOST}/console/..//elsewhere.example",
    ],
)
def test_nobody_is_led_back_where_there_is_no_page(steward: Visitor, referrer: str) -> None:
    shown = page(steward.get("/console/queue?least=x", headers={"Referer": referrer}))

    assert "Go back" not in ways_out(shown)


def test_a_page_that_fails_changed_nothing(
    app: Flask, steward: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setitem(app.view_functions, "console.home", fail)
    fail.required_permission = "account"  # type: ignore[attr-defined]

    shown = steward.get("/console/")

    assert shown.status_code == 500
    assert "Nothing was changed. Try again in a moment" in page(shown)


def test_every_reason_of_the_machine_is_told_in_the_readers_language(app: Flask) -> None:
    reasons = [
        resolve.REASON,
        ingest.REASON,
        ingest.REASON_OF_DELETION,
        redo.REASON,
        standardize_anew.REASON,
        f"{standardize_anew.REASON_WITHOUT_VERSION}1",
    ]

    with app.test_request_context("/console/", headers={"Accept-Language": "pt-BR"}):
        told = [words.told_reason(each) for each in reasons]

    assert [one for one, other in zip(reasons, told, strict=True) if one == other] == []
