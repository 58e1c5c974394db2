"""Search, model and settings with plain forms."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from cdp.staff.users import require_user
from cdp.store import read
from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA, CPF, OTHER_CPF, decide
from tests.api.test_routes import BRUNO
from tests.api.test_stewards import RUI, told, written
from tests.builders import NOW, StoreBuilder, a_record
from tests.console.conftest import PASSWORD, Visitor
from tests.console.test_profiles import ana as ana
from tests.console.test_profiles import writer as writer
from tests.console.test_review import page


@pytest.mark.parametrize(
    "asked",
    [
        {"phones": "11 98765-4321"},
        {"emails": "ana@example.com"},
        {"full_name": "Ana Reis", "birth_date": "29/02/1980"},
    ],
)
def test_a_person_is_found_by_what_is_known(steward: Visitor, ana: str, asked: dict[str, str]) -> None:
    steward.get("/console/search")

    found = page(steward.post("/console/search", **asked))

    assert f'href="{ana}"' in found


def test_a_search_is_sent_in_a_form_and_audited_without_its_values(
    steward: Visitor, ana: str, people: StoreBuilder
) -> None:
    form = page(steward.get("/console/search"))
    steward.post("/console/search", emails="ana@example.com")
    steward.client.application.extensions["cdp"].read_audit.flush()

    [told] = [each for each in people.audited() if each["action"] == "profile.search"]

    assert 'method="post" action="/console/search"' in form
    assert told["actor"] == "user:1"
    assert told["details"]["purpose"] == "console"
    assert "ana@example.com" not in str(told)


def test_an_id_leads_to_its_profile(steward: Visitor, ana: str) -> None:
    steward.get("/console/search")

    answer = steward.post("/console/search", reference=ana.rpartition("/")[2])

    assert answer.request.path == ana


def test_a_key_of_a_record_leads_to_its_profile(steward: Visitor, ana: str) -> None:
    steward.get("/console/search")

    assert steward.post("/console/search", reference="crm/c-1").request.path == ana


def test_a_number_leads_to_all_that_have_it(steward: Visitor, ana: str) -> None:
    steward.get(ana)
    steward.post(f"{ana}/take-apart", into="records", reason="x")
    steward.get("/console/search")

    several = page(steward.post("/console/search", reference="#1"))
    one = steward.post("/console/search", reference="2")

    assert "Several have this number:" in several
    for address in ("/console/actions?before=2", f"{ana}/ledger?before=2", ana):
        assert f'href="{address}"' in several
    assert one.status_code == 200


def test_a_search_is_gone_back_to_without_its_form(steward: Visitor, ana: str, app: Flask) -> None:
    steward.get("/console/search")
    sent = steward.post_raw("/console/search", emails="ana@example.com")
    steward.post("/console/search", full_name="Zoraide Quintanilha")
    steward.get(ana)

    back = steward.get(sent.location)
    cookie = steward.client.get_cookie("cdp_console")

    assert (sent.status_code, sent.location) == (303, "/console/search/1")
    assert f'href="{ana}"' in page(back)
    assert 'value="ana@example.com"' in page(back)
    assert cookie is not None
    opened = app.session_interface.get_signing_serializer(app).loads(cookie.value)
    assert "ana@" not in str(opened)


def test_a_search_is_kept_for_the_one_who_searched_and_not_for_long(
    steward: Visitor, lead: Visitor, ana: str, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    steward.get("/console/search")
    address = steward.post_raw("/console/search", emails="ana@example.com").location

    of_others = lead.get(address)
    answers = []
    for minutes in (20, 40):
        later = replace(app.extensions["cdp"], clock=lambda now=NOW + timedelta(minutes=minutes): now)
        monkeypatch.setitem(app.extensions, "cdp", later)
        answers.append(steward.get(address))

    assert (of_others.status_code, of_others.location) == (303, "/console/search")
    assert answers[0].status_code == 200
    assert (answers[1].status_code, answers[1].location) == (303, "/console/search")


def test_the_oldest_searches_make_room(steward: Visitor, ana: str) -> None:
    steward.get("/console/search")
    addresses = [
        steward.post_raw("/console/search", full_name=f"Ana {'Reis ' * 30}{number}").location
        for number in range(8)
    ]

    kept = [steward.client.get(address).status_code == 200 for address in addresses]
    too_long = steward.post_raw("/console/search", full_name="x" * 2_000)

    assert kept == sorted(kept)
    assert (kept[0], kept[-2:]) == (False, [True, True])
    assert too_long.status_code == 422


@pytest.mark.parametrize("reference", ["crm/nobody", "elsewhere/c-1", "999999999", "/"])
def test_what_nothing_is_called_is_told(steward: Visitor, ana: str, reference: str) -> None:
    steward.get("/console/search")

    assert "Nothing is called so." in page(steward.post("/console/search", reference=reference))


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({}, 422, "Nothing of this can be searched by"),
        ({"phones": "00000"}, 422, "Nothing of this can be searched by"),
        ({"full_name": "Zoraide Quintanilha"}, 200, "Nobody is found by this."),
    ],
)
def test_a_search_for_nobody_says_so(
    steward: Visitor, ana: str, asked: dict[str, str], status: int, told: str
) -> None:
    steward.get("/console/search")

    answer = steward.post("/console/search", **asked)

    assert answer.status_code == status
    assert told in page(answer)


def test_the_model_is_drawn_in_the_colors_of_the_page(steward: Visitor) -> None:
    shown = page(steward.get("/console/models/0"))

    assert shown.count("<svg") == 2
    assert " style=" not in shown
    assert not re.findall(r'(?:fill|stroke)="', shown)
    assert len(re.findall(r'<rect class="(?:for|against)"', shown)) == shown.count('class="m"') > 0


def test_too_few_labels_estimate_nothing(steward: Visitor) -> None:
    shown = page(steward.get("/console/models/0"))

    assert "Of 0 decided pairs that this version weighed, 0 are one person." in shown
    assert "it takes 30 pairs" in shown


def test_thresholds_are_drawn_and_told_from_the_labels(
    steward: Visitor, writer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.models.LABELS_AT_LEAST", 2)
    written(writer, a_record(**CPF), RUI | CPF, CLARA | OTHER_CPF, BRUNO | OTHER_CPF)
    for candidate, decision in zip(
        told(writer.get("/v1/candidates"))["data"], ("same", "different"), strict=True
    ):
        found = writer.get(f"/v1/candidates/{candidate['candidate_id']}")
        told(decide(writer, candidate["candidate_id"], decision, found.headers["ETag"]))

    shown = page(steward.get("/console/models/0"))

    rows = re.findall(r'<tr><th scope="row" class="n">([^<]+)</th>(.*?)</tr>', shown)
    numbers = {threshold: re.findall(r'<td class="n">([^<]*)</td>', rest) for threshold, rest in rows}
    lines = re.findall(r'<polyline class="line (\w+)" points="([^"]+)"', shown)
    drawn = {kind: points.split() for kind, points in lines}
    assert "Of 2 decided pairs that this version weighed, 1 are one person." in shown
    assert drawn["recall"][0].endswith(",8.0")
    assert drawn["precision"][0].endswith(",83.0")
    assert len(drawn["recall"]) == len(numbers)
    assert numbers["−4.0"] == ["2", "50.0%", "9.5%–90.5%", "100.0%", "20.7%–100.0%"]


def test_a_version_that_is_not_there_says_so(steward: Visitor) -> None:
    assert steward.get("/console/models/7").status_code == 404
    assert steward.get("/console/models").location == "/console/models/0"


def test_putting_a_version_in_force_needs_an_administrator(admin: Visitor, lead: Visitor) -> None:
    for visitor in (admin, lead):
        visitor.get("/console/models/0")

    refused = lead.post("/console/models/0/activate", reason="x")
    done = admin.post("/console/models/0/activate", reason="x")

    assert refused.status_code == 403
    assert "Version 0 was in force already." in page(done)


def test_a_dry_run_tells_what_would_change(admin: Visitor, ana: str) -> None:
    admin.get("/console/models/0")

    told = page(admin.post("/console/models/0/dry-run"))

    assert "What version 0 would change" in told


def test_an_administrator_makes_a_user_who_can_sign_in(admin: Visitor, visitor: Visitor) -> None:
    admin.get("/console/settings")

    made = page(admin.post("/console/settings/users", name="rui", role="lead"))
    [password] = re.findall(r"<pre><code>([a-z0-9-]+)</code></pre>", made)

    assert visitor.sign_in("rui", password).status_code == 200
    assert password not in page(admin.get("/console/settings"))


@pytest.mark.parametrize(
    ("name", "told"), [("lead", "There is a user of this name"), ("joão", "without accents")]
)
def test_a_user_that_cannot_be_made_says_why(admin: Visitor, name: str, told: str) -> None:
    admin.get("/console/settings")

    answer = admin.post("/console/settings/users", name=name, role="lead")

    assert answer.status_code == 422
    assert told in page(answer)


def test_an_administrator_changes_others_and_not_themselves(
    admin: Visitor, visitor: Visitor, people: StoreBuilder
) -> None:
    admin.get("/console/settings")

    admin.post("/console/settings/users/steward", change="role", role="lead")
    admin.post("/console/settings/users/lead", change="close", role="lead")
    own = admin.post("/console/settings/users/admin", change="role", role="steward")
    nobody = admin.post("/console/settings/users/nobody", change="close", role="lead")

    with read(people.engine) as connection:
        assert require_user(connection, "steward").role == "lead"
    assert visitor.sign_in("lead", PASSWORD).status_code == 422
    assert (own.status_code, nobody.status_code) == (422, 404)


def test_settings_show_no_whole_value(lead: Visitor, people: StoreBuilder) -> None:
    people.share("phone", "+5511987654321", "shared")
    people.add_key("profiles:lookup")

    shown = page(lead.get("/console/settings"))

    assert "+55***4321" in shown
    assert "987654321" not in shown
    assert "profiles:lookup" in shown
    assert "A new user" not in shown
