"""Profiles with plain forms: read, taken apart, put together, as they were."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA
from tests.api.test_routes import BRUNO
from tests.api.test_stewards import written
from tests.builders import StoreBuilder, a_record
from tests.console.conftest import Visitor
from tests.console.test_review import page


@pytest.fixture
def writer(app: Flask, people: StoreBuilder) -> Caller:
    """Writes records as the API does."""
    return Caller(app.test_client(), people.add_key())


@pytest.fixture
def ana(writer: Caller) -> str:
    """The address of a profile of two records."""
    written(writer, a_record(source_record_id="c-1"))
    [profile_id] = written(writer, a_record(source_record_id="c-2"))
    return f"/console/profiles/{profile_id}"


def test_a_profile_tells_what_it_is_made_of(steward: Visitor, ana: str) -> None:
    shown = page(steward.get(ana))

    assert "Ana Reis" in shown
    assert "98765-4321" not in shown
    assert "+55***4321" in shown
    assert "c-1" in shown
    assert 'class="graph"' in shown


def test_records_are_taken_out_after_a_look_and_come_back(steward: Visitor, ana: str) -> None:
    chosen = re.findall(r'name="record_id" value="(\d+)"', page(steward.get(ana)))[:1]

    seen = page(steward.post(f"{ana}/split/preview", record_id=chosen))
    unchanged = page(steward.get(ana))
    done = page(steward.post(f"{ana}/split", record_id=chosen, reason="two people"))
    undo = re.findall(r"/console/actions/(\d+)/undo", done)[0]
    back = page(steward.post(f"/console/actions/{undo}/undo", next=ana))

    assert "A new profile" in seen
    assert "2 records" in unchanged
    assert "The records were taken out." in done
    assert "1 record " in done
    assert "2 records" in back


@pytest.mark.parametrize(
    ("fields", "told"), [({}, "cannot be taken out"), ({"record_id": "x"}, "out of bounds")]
)
def test_a_split_of_nothing_says_so(steward: Visitor, ana: str, fields: dict[str, str], told: str) -> None:
    steward.get(ana)

    answer = steward.post(f"{ana}/split/preview", **fields)

    assert answer.status_code == 422
    assert told in page(answer)


def test_a_ruling_needs_a_reason(steward: Visitor, ana: str) -> None:
    chosen = re.findall(r'name="record_id" value="(\d+)"', page(steward.get(ana)))[:1]

    answer = steward.post(f"{ana}/split", record_id=chosen, reason="  ")

    assert answer.status_code == 422
    assert "Say why" in page(answer)


def test_an_entry_of_the_ledger_is_taken_back_after_a_look(steward: Visitor, ana: str) -> None:
    entry = re.findall(r"/console/ledger/(\d+)/undo", page(steward.get(ana)))[0]

    seen = page(steward.get(f"/console/ledger/{entry}/undo"))
    done = page(steward.post(f"/console/ledger/{entry}/undo", reason="not the same"))

    assert "Nothing has changed yet." in seen
    assert "The entry was taken back." in done
    assert "Decisions" in page(steward.get("/console/actions"))


def test_a_profile_as_it_was_has_the_records_of_then(steward: Visitor, ana: str) -> None:
    before = page(steward.get(f"{ana}/as-of?at=2026-01-01T00:00"))
    now = page(steward.get(f"{ana}/as-of?at=2027-01-01T00:00"))

    assert "It held no record then." in before
    assert "It held 2 records:" in now
    assert steward.get(f"{ana}/as-of?at=yesterday").status_code == 422


def test_profiles_are_joined_after_a_look_and_the_absorbed_one_leads_on(
    steward: Visitor, writer: Caller
) -> None:
    kept, gone = written(writer, CLARA, BRUNO)
    steward.get("/console/")

    seen = page(steward.post("/console/profiles/join/preview", profile_id=[kept, gone]))
    done = page(steward.post("/console/profiles/join", profile_id=[kept, gone], reason="same card"))
    led = steward.get(f"/console/profiles/{gone}")

    assert "Join these profiles?" in seen
    assert "The profiles are one now." in done
    assert led.location == f"/console/profiles/{kept}?was={gone}"
    assert "was absorbed by this profile" in page(steward.get(led.location))


@pytest.mark.parametrize("profile_id", ["pf_00000000000000000000000000", "x", "pf_<script>"])
def test_an_unknown_profile_says_so(steward: Visitor, profile_id: str) -> None:
    answer = steward.get(f"/console/profiles/{profile_id}")

    assert answer.status_code == 404
    assert "There is no such profile." in page(answer)
