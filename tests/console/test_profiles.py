"""Profiles with plain forms: read, taken apart, put together, as they were."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask

from api.console import pins
from api.service import Service
from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA
from tests.api.test_routes import BRUNO
from tests.api.test_stewards import written
from tests.builders import StoreBuilder, a_record
from tests.console.conftest import Visitor
from tests.console.test_review import page, pins_sent
from tests.console.test_states import ways_out


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


def test_a_whole_profile_comes_apart_after_a_look_and_back(steward: Visitor, ana: str) -> None:
    steward.get(ana)

    seen = page(steward.post(f"{ana}/take-apart/preview", into="records"))
    done = page(steward.post(f"{ana}/take-apart", into="records", reason="two people"))
    undo = re.findall(r"/console/actions/(\d+)/undo", done)[0]
    back = page(steward.post(f"/console/actions/{undo}/undo", next=ana))

    assert "Take the whole profile apart?" in seen
    assert seen.count("1 record:") == 2
    assert "The profile was taken apart." in done
    assert "2 records" in back


@pytest.mark.parametrize(
    ("into", "told"),
    [("evidence", "does not come apart this way"), ("halves", "out of bounds"), ("", "out of bounds")],
)
def test_a_profile_that_cannot_come_apart_so_says_so(
    steward: Visitor, ana: str, into: str, told: str
) -> None:
    steward.get(ana)

    answer = steward.post(f"{ana}/take-apart/preview", into=into)

    assert answer.status_code == 422
    assert told in page(answer)
    assert ways_out(page(answer))["Back to the profile"] == ana


def test_only_ways_that_work_are_offered(steward: Visitor, writer: Caller, ana: str) -> None:
    [clara] = written(writer, CLARA)
    by_evidence = page(steward.get(ana))
    alone = page(steward.get(f"/console/profiles/{clara}"))

    joined = [ana.rpartition("/")[2], clara]
    by_ruling = page(steward.post("/console/profiles/join", profile_id=joined, reason="same card"))

    offered = [re.findall(r'name="into" value="(\w+)"', each) for each in (alone, by_evidence, by_ruling)]
    assert offered == [[], ["records"], ["records", "evidence"]]


def test_the_audit_tells_leads_who_looked_decided_and_took_back(
    lead: Visitor, steward: Visitor, ana: str
) -> None:
    steward.get(ana)
    steward.post("/console/reveal", reason="contact", reference="T-7", next=ana)
    steward.post(f"{ana}/comments", body="called them")
    done = page(steward.post(f"{ana}/take-apart", into="records", reason="two people"))
    undo = re.findall(r"/console/actions/(\d+)/undo", done)[0]
    steward.post(f"/console/actions/{undo}/undo", next=ana, reason="one person after all")
    steward.client.application.extensions["cdp"].read_audit.flush()

    shown = page(lead.get(f"{ana}/audit"))
    told = re.findall(r"<tr><td>.*?</td><td>(.*?)</td>\s*<td>(.*?)</td>", shown, re.S)

    what = [re.sub(r"<.*", "", each).strip() for _, each in told]
    assert {who for who, _ in told} == {"steward"}
    assert what.index("took back") < what.index("took records out") < what.index("commented")
    assert "whole values" in shown
    assert "The person is in contact with us T-7" in shown
    assert "one person after all" in shown
    assert "98765" not in shown
    assert steward.get(f"{ana}/audit").status_code == 403
    assert "/audit" not in page(steward.get(ana))


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


@pytest.mark.parametrize(
    "moment",
    ["9999-12-31T23:59", "0001-01-01T00:00", "0001-01-01T00:00%2B23:59", "9999-12-31T23:59-23:59"],
)
@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Pacific/Kiritimati"])
def test_a_moment_beyond_the_calendar_is_a_page_that_says_so(
    steward: Visitor, ana: str, moment: str, zone: str
) -> None:
    service: Service = steward.client.application.extensions["cdp"]
    object.__setattr__(service, "settings", replace(service.settings, time_zone=zone))

    answer = steward.get(f"{ana}/as-of?at={moment}")

    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert "Give a day and a time" in page(answer)


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


def test_a_join_pins_what_was_chosen_and_seen(steward: Visitor, writer: Caller) -> None:
    kept, gone = written(writer, CLARA, BRUNO)
    steward.get("/console/")
    address, both = "/console/profiles/join", [kept, gone]
    choices = re.findall(
        r'<option value="(full_name:\d+)">', page(steward.post(f"{address}/preview", profile_id=both))
    )

    looked = [page(steward.post(f"{address}/preview", profile_id=both, pin=each)) for each in choices]
    carried = [list(filter(None, pins_sent(each, "ruling"))) for each in looked]
    done = page(steward.post(address, profile_id=both, pin=carried[1], reason="same card"))

    assert carried == [[choices[0]], [choices[1]]]
    assert "pinned by a steward" in done
    assert f"#{choices[1].partition(':')[2]}</span>" in done


def test_a_join_pins_what_was_chosen_and_not_looked_at(steward: Visitor, writer: Caller) -> None:
    both = written(writer, CLARA, BRUNO)
    steward.get("/console/")
    seen = page(steward.post("/console/profiles/join/preview", profile_id=both))
    choice = re.findall(r'<option value="(full_name:\d+)">', seen)[1]

    chosen = pins_sent(seen, "ruling", choice)
    done = page(steward.post("/console/profiles/join", profile_id=both, pin=chosen, reason="same card"))

    assert "pinned with the ruling, looked at before or not" in seen
    assert "pinned by a steward" in done


def test_a_join_of_many_records_says_of_how_many_it_offers_values(
    steward: Visitor, writer: Caller, ana: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [clara] = written(writer, CLARA)
    both = [ana.rpartition("/")[2], clara]
    steward.get(ana)
    whole = page(steward.post("/console/profiles/join/preview", profile_id=both))

    monkeypatch.setattr(pins, "RECORDS_OFFERED", 2)
    cut = page(steward.post("/console/profiles/join/preview", profile_id=both))

    told = "Other values are offered from 2 of the 3 records"
    assert [told in each for each in (whole, cut)] == [False, True]


def test_whole_values_of_a_join_to_be_are_of_its_profiles_alone(
    steward: Visitor, writer: Caller, ana: str
) -> None:
    clara, bruno = written(writer, CLARA, BRUNO)
    steward.get("/console/")
    looked = [
        steward.post("/console/profiles/join/preview", profile_id=[ana.rpartition("/")[2], each])
        for each in (clara, bruno)
    ]
    places = [each.request.full_path for each in looked]

    whole = page(steward.post("/console/reveal", reason="decide", next=places[0]))
    other = page(steward.get(places[1]))

    assert "Values are masked. Show them whole" in page(looked[0])
    assert "Join these profiles?" in whole
    assert "Values are shown whole for a few minutes" in whole
    assert "Values are masked. Show them whole" in other


def test_a_join_that_is_refused_leads_back_to_where_it_was_asked(steward: Visitor, ana: str) -> None:
    steward.get(ana)

    refused = steward.post(
        "/console/profiles/join", profile_id=ana.rpartition("/")[2], reason="same card", next=ana
    )

    assert ways_out(page(refused))["Go back"] == ana


def test_a_profile_is_joined_with_another_that_is_named(steward: Visitor, writer: Caller, ana: str) -> None:
    [clara] = written(writer, CLARA)
    form = re.findall(r'action="(/console/profiles/join/preview)"', page(steward.get(ana)))
    [own] = re.findall(r'<input type="hidden" name="profile_id" value="([^"]+)">', page(steward.get(ana)))

    seen = page(steward.post(form[0], profile_id=[own, f" {clara} "]))
    unknown = steward.post(form[0], profile_id=[own, "pf_00000000000000000000000000"])

    assert own == ana.rpartition("/")[2]
    assert "Join these profiles?" in seen
    # One form: to look again with other values, and to do it.
    assert re.findall(r'name="profile_id" value="([^"]+)"', seen) == [own, clara]
    assert unknown.status_code == 404


def test_profiles_that_a_search_found_are_joined(steward: Visitor, writer: Caller, ana: str) -> None:
    [clara] = written(writer, CLARA)
    steward.get("/console/search")

    found = page(steward.post("/console/search", emails="ana@example.com, clara@example.com"))
    chosen = re.findall(r'type="checkbox" name="profile_id" value="([^"]+)"', found)
    seen = page(steward.post("/console/profiles/join/preview", profile_id=chosen))

    assert set(chosen) == {ana.rpartition("/")[2], clara}
    assert "Join these profiles?" in seen


@pytest.mark.parametrize("count", [0, 1])
def test_a_join_takes_two_profiles(steward: Visitor, ana: str, count: int) -> None:
    steward.get(ana)

    answer = steward.post("/console/profiles/join/preview", profile_id=[ana.rpartition("/")[2]] * count)

    assert answer.status_code == 422
    assert "Choose two profiles or more." in page(answer)


@pytest.mark.parametrize("part", ["", "/timeline", "/ledger", "/audit", "/as-of?at=2026-11-20T12:00"])
def test_an_erased_profile_says_so_and_leads_on(lead: Visitor, people: StoreBuilder, part: str) -> None:
    erased = people.add_profile()
    people.set_state(erased.profile_id, "erased")

    answer = lead.get(f"/console/profiles/{erased.profile_id}{part}")

    assert answer.status_code == 410
    assert "This profile was erased." in page(answer)
    assert "Its values are gone for good" in page(answer)
    assert ways_out(page(answer)) == {"Go to the start": "/console/"}


@pytest.mark.parametrize("profile_id", ["pf_00000000000000000000000000", "x", "pf_<script>"])
def test_an_unknown_profile_says_so(steward: Visitor, profile_id: str) -> None:
    answer = steward.get(f"/console/profiles/{profile_id}")

    assert answer.status_code == 404
    assert "There is no such profile." in page(answer)


def test_a_golden_value_is_pinned_and_the_rules_choose_again(
    steward: Visitor, writer: Caller, ana: str
) -> None:
    written(writer, a_record(source_record_id="c-3", full_name="Ana R. Reis"))
    rows = re.findall(r'<option value="(\d+)">#', page(steward.get(ana)))
    golden = re.compile(r'<th scope="row">Full name</th><td>([^<]*)</td>')
    before = golden.findall(page(steward.get(ana)))[0]

    pinned = page(
        steward.post(f"{ana}/pin", attribute="full_name", record_id=rows[2], reason="asked the customer")
    )
    undo = re.findall(r"/console/actions/(\d+)/undo", pinned)[0]
    undone = page(steward.post(f"/console/actions/{undo}/undo", next=ana))

    assert "The value is pinned." in pinned
    assert "pinned by a steward" in pinned
    assert golden.findall(undone)[0] == before


@pytest.mark.parametrize("wrong", [{"record_id": "x"}, {"attribute": "x"}, {"record_id": "999"}])
def test_what_cannot_be_pinned_says_so(steward: Visitor, ana: str, wrong: dict[str, str]) -> None:
    [record_id, *_] = re.findall(r'<option value="(\d+)">#', page(steward.get(ana)))

    answer = steward.post(
        f"{ana}/pin", **{"attribute": "full_name", "record_id": record_id, "reason": "x", **wrong}
    )

    assert answer.status_code == 422
    assert "This value cannot be pinned." in page(answer)


def test_a_comment_on_a_profile_is_kept(steward: Visitor, ana: str) -> None:
    steward.get(ana)

    assert "asked the shop" in page(steward.post(f"{ana}/comments", body="asked the shop"))


def test_a_risky_ruling_waits_for_somebody_else(
    steward: Visitor, lead: Visitor, writer: Caller, ana: str
) -> None:
    [clara] = written(writer, CLARA)
    steward.get(ana)
    joined = [ana.rpartition("/")[2], clara]
    steward.post("/console/profiles/join", profile_id=joined, reason="same card")
    [chosen, *_] = re.findall(r'name="record_id" value="(\d+)"', page(steward.get(ana)))

    waits = page(steward.post(f"{ana}/split", record_id=chosen, reason="two people"))
    own = steward.post("/console/proposals/1/confirm", reason="me again")
    home = page(lead.get("/console/"))
    seen = page(lead.get("/console/proposals/1"))
    done = page(lead.post("/console/proposals/1/confirm", reason="I looked too"))

    assert "This takes two people" in waits
    assert "people that a steward has confirmed" in waits
    assert (own.status_code, "waits for a second person" in page(own)) == (409, True)
    assert re.search(r"For a second person</a></th><td class=\"n\">1<", home)
    assert "Take these records out?" in seen
    assert "The ruling is confirmed and has its effect." in done
    assert "No ruling waits." in done


def test_a_risky_join_takes_two_different_people(
    steward: Visitor, lead: Visitor, writer: Caller, ana: str
) -> None:
    kept = ana.rpartition("/")[2]
    clara, bruno = written(writer, CLARA, BRUNO)
    steward.get(ana)
    steward.post("/console/profiles/join", profile_id=[kept, clara], reason="same card")

    waits = page(steward.post("/console/profiles/join", profile_id=[kept, bruno], reason="same card"))
    own = steward.post("/console/proposals/1/confirm", reason="me again")
    meanwhile = steward.get(f"/console/profiles/{bruno}")
    seen = page(lead.get("/console/proposals/1"))
    done = page(lead.post("/console/proposals/1/confirm", reason="I looked too"))
    afterwards = lead.get(f"/console/profiles/{bruno}")

    assert "This takes two people" in waits
    assert own.status_code == 409
    assert meanwhile.status_code == 200
    assert "Join these profiles?" in seen
    assert "The ruling is confirmed and has its effect." in done
    assert (afterwards.status_code, kept in afterwards.location) == (303, True)


def test_a_ruling_that_waits_is_refused(steward: Visitor, lead: Visitor, writer: Caller) -> None:
    kept, other = written(writer, CLARA, BRUNO)
    steward.get("/console/")
    steward.post("/console/profiles/join", profile_id=[kept, other], reason="same card")
    [record_id, *_] = re.findall(
        r'name="record_id" value="(\d+)"', page(steward.get(f"/console/profiles/{kept}"))
    )
    steward.post(f"/console/profiles/{kept}/split", record_id=record_id, reason="two people")
    lead.get("/console/proposals")

    refused = page(lead.post("/console/proposals/1/refuse"))
    again = steward.get("/console/proposals/1")
    audit = page(lead.get(f"/console/profiles/{kept}/audit"))

    assert audit.index("refused what waited") < audit.index("asked for what takes a second person")
    assert "two people" in audit
    assert "The ruling was refused and came to nothing." in refused
    assert again.status_code == 409
    assert "This ruling does not wait any more." in page(again)


def test_a_profile_is_frozen_and_let_go(steward: Visitor, writer: Caller, ana: str) -> None:
    steward.get(ana)

    frozen = page(steward.post(f"{ana}/freeze", reason="a court order"))
    [other] = written(writer, a_record(source_record_id="c-3"))
    queue = page(steward.get("/console/queue?reason=frozen"))
    let_go = page(steward.post(f"{ana}/unfreeze", reason="it is over"))

    assert "The profile is frozen." in frozen
    assert "Frozen by steward" in frozen
    assert "a steward froze one of the profiles" in queue
    assert not ana.endswith(other)
    assert "The profile is not frozen any more." in let_go
    assert "3 records" in let_go
