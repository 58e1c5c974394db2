"""The queue and its items with plain forms: answers, claims, undo, and what an unlucky reader is told."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from api.console import pins
from api.service import Service
from cdp.staff import roles
from cdp.stewardship.actions import select_actions
from cdp.stewardship.candidates import close_candidate, require_candidate
from cdp.store import read, write
from cdp.store.schema import audit_entries, profiles
from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA, CPF
from tests.api.test_stewards import RUI, written
from tests.builders import NOW, StoreBuilder, a_record
from tests.console.conftest import Visitor, signed_in

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """On both databases: a ruling reads and writes nearly everything."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def item(app: Flask, people: StoreBuilder) -> str:
    """The address of an item: two profiles that may be one person, by the way the API writes records."""
    writer = Caller(app.test_client(), people.add_key())
    written(writer, a_record(**CPF, social_name=SCRIPT), RUI | CPF, CLARA)
    [candidate] = writer.get("/v1/candidates").get_json()["data"]
    return f"/console/review/{candidate['candidate_id']}"


def page(answer: object) -> str:
    return str(answer.get_data(as_text=True))  # type: ignore[attr-defined]


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', text)
    assert found is not None, text
    return found[1]


def take(visitor: Visitor, item: str) -> str:
    """Claim the item; what its page says of it."""
    visitor.get(item)
    return hidden(page(visitor.post(f"{item}/claim")), "seen")


def answer(visitor: Visitor, item: str, decision: str, seen: str, **fields: str) -> object:
    given = {"decision": decision, "seen": seen, "why": "what the records say", **fields}
    return visitor.post(f"{item}/decide", **given)


def state_of(people: StoreBuilder, item: str) -> str:
    with read(people.engine) as connection:
        return require_candidate(connection, int(item.rpartition("/")[2])).state


@pytest.mark.parametrize("decision", ["same", "different"])
def test_an_answer_is_kept_told_and_undone(
    steward: Visitor, people: StoreBuilder, item: str, decision: str
) -> None:
    told = page(answer(steward, item, decision, take(steward, item), words="seen at the till"))

    assert state_of(people, item) == decision
    with read(people.engine) as connection:
        [action] = select_actions(connection, limit=5)
    assert action.reason == "what the records say: seen at the till"
    assert "Nothing is left for you in this queue." in told
    undone = page(steward.post(f"/console/actions/{action.action_id}/undo"))
    assert "was taken back" in undone
    assert state_of(people, item) == "open"


def test_what_is_taken_back_at_once_is_told_in_the_language_of_who_reads(
    steward: Visitor, people: StoreBuilder, item: str
) -> None:
    answer(steward, item, "different", take(steward, item))
    steward.post("/console/preferences", language="pt-BR", next="/console/")

    steward.post("/console/actions/1/undo")

    with read(people.engine) as connection:
        assert select_actions(connection, limit=5)[0].reason == "taken back at once"
    assert "desfeito em seguida" in page(steward.get("/console/actions"))


def test_unsure_leaves_the_item_to_another_reader(app: Flask, steward: Visitor, item: str) -> None:
    answer(steward, item, "unsure", take(steward, item))

    again = page(steward.post(f"{item}/claim"))
    other = page(signed_in(app, "lead").get(item))

    assert "You left this item as unsure." in again
    assert "second reader" in other


def test_skip_puts_it_back_unseen_by_me(
    app: Flask, steward: Visitor, people: StoreBuilder, item: str
) -> None:
    told = page(answer(steward, item, "skip", take(steward, item)))

    assert "Nothing is left for you" in told
    assert state_of(people, item) == "open"
    assert signed_in(app, "lead").get(item).status_code == 200


def test_the_second_of_two_sees_who_holds_it(app: Flask, steward: Visitor, item: str) -> None:
    seen = take(steward, item)
    other = signed_in(app, "lead")

    shown = page(other.get(item))
    claimed = other.post(f"{item}/claim")
    decided = answer(other, item, "same", seen)

    assert "steward works on this item until" in shown
    assert 'value="same"' not in shown
    for refused in (claimed, decided):
        assert refused.status_code == 409  # type: ignore[attr-defined]
        assert "steward has it until" in page(refused)


def test_a_decision_needs_a_claim(steward: Visitor, people: StoreBuilder, item: str) -> None:
    seen = take(steward, item)
    steward.post(f"{item}/release")

    told = answer(steward, item, "same", seen)

    assert "Your claim of this item ran out." in page(told)
    assert state_of(people, item) == "open"


def test_a_claim_that_runs_out_says_so_and_leaves_the_item_to_anybody(
    app: Flask, steward: Visitor, people: StoreBuilder, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, service = take(steward, item), app.extensions["cdp"]
    later = NOW + timedelta(seconds=service.settings.lease_seconds)
    monkeypatch.setitem(app.extensions, "cdp", replace(service, clock=lambda: later))

    shown, told = page(steward.get(item)), answer(steward, item, "same", seen)
    other = page(signed_in(app, "lead").post(f"{item}/claim"))

    assert "Take this item to decide" in shown
    assert told.status_code == 409  # type: ignore[attr-defined]
    assert "Your claim of this item ran out." in page(told)
    assert "Nothing was decided. Take the item again, look at it, and decide." in page(told)
    assert f'<a class="button main" href="{item}">Look at the item again</a>' in page(told)
    assert state_of(people, item) == "open"
    assert 'value="same"' in other


def test_an_item_about_somebody_erased_says_so_and_leads_on(
    steward: Visitor, people: StoreBuilder, item: str
) -> None:
    with read(people.engine) as connection:
        profile_id = require_candidate(connection, int(item.rpartition("/")[2])).profile_id_l
    people.set_state(profile_id, "erased")

    told = steward.get(item)

    people.set_state(profile_id, "live")
    assert told.status_code == 410
    assert "This profile was erased." in page(told)
    assert "Nothing is left to decide." in page(told)
    assert 'action="/console/queue/next"' in page(told)


def test_a_stale_decision_is_not_made(steward: Visitor, people: StoreBuilder, item: str) -> None:
    take(steward, item)

    told = answer(steward, item, "same", "0" * 32)

    assert told.status_code == 412  # type: ignore[attr-defined]
    assert "This item changed while you looked at it." in page(told)
    assert f'href="{item}"' in page(told)
    assert state_of(people, item) == "open"


def test_a_closed_item_says_so(app: Flask, steward: Visitor, item: str) -> None:
    answer(steward, item, "different", take(steward, item))

    other = signed_in(app, "lead")

    assert "This item is closed: different people." in page(other.get(item))
    assert other.post(f"{item}/claim").status_code == 409


def test_what_was_decided_meanwhile_is_told_with_who_and_when(
    app: Flask, steward: Visitor, people: StoreBuilder, item: str
) -> None:
    seen = take(steward, item)
    steward.post(f"{item}/release")
    lead = signed_in(app, "lead")
    answer(lead, item, "different", take(lead, item), words="asked both")

    told = answer(steward, item, "same", seen)
    shown = page(steward.get(item))

    assert told.status_code == 409  # type: ignore[attr-defined]
    assert "Somebody decided this item already." in page(told)
    for each in (page(told), shown):
        assert "lead answered on 11/22/26" in each
        assert "different people, because of: what the records say: asked both" in each
        assert re.search(r'href="/console/actions/\d+/undo"', each)
    assert 'action="/console/queue/next"' in page(told)


def test_an_item_that_was_withdrawn_says_so(steward: Visitor, people: StoreBuilder, item: str) -> None:
    seen = take(steward, item)
    with write(people.engine) as connection:
        candidate_id = int(item.rpartition("/")[2])
        close_candidate(connection, candidate_id, "withdrawn", author="machine", now=NOW)

    told = answer(steward, item, "same", seen)

    assert told.status_code == 409  # type: ignore[attr-defined]
    assert "This item is not asked any more." in page(told)
    assert "It was withdrawn on" in page(steward.get(item))


def test_what_one_profile_says_twice_is_no_agreement(
    app: Flask, steward: Visitor, people: StoreBuilder
) -> None:
    writer = Caller(app.test_client(), people.add_key())
    again = {"source_record_id": "c-9", **CPF}
    written(writer, a_record(**CPF), a_record(**again), {**RUI, **CPF, "emails": []})
    [candidate] = writer.get("/v1/candidates").get_json()["data"]

    shown = page(steward.get(f"/console/review/{candidate['candidate_id']}"))

    rows = re.findall(r'<tr class="(\w+)">\s*<th scope="row">(E-mail|Document)</th>', shown)
    assert rows == [("equal", "Document"), ("missing", "E-mail")]


def test_why_names_the_document_that_the_profiles_share(steward: Visitor, item: str) -> None:
    assert "have the same number of a document that a person has one of: CPF." in page(steward.get(item))


def test_why_names_the_document_in_which_the_profiles_differ(steward: Visitor, risky_item: str) -> None:
    shown = page(steward.get(risky_item))

    assert "have different numbers of a document that a person has one of: CPF." in shown


def test_how_names_who_joined(steward: Visitor, people: StoreBuilder, item: str) -> None:
    with read(people.engine) as connection:
        candidate = require_candidate(connection, int(item.rpartition("/")[2]))
        live = connection.scalars(select(profiles.c.profile_id).where(profiles.c.state == "live")).all()
    third = next(each for each in live if each not in candidate.profile_ids)
    steward.get(item)
    steward.post("/console/profiles/join", profile_id=[candidate.profile_id_r, third], reason="same card")

    shown = page(steward.get(item))

    assert re.search(r'<ol class="joins">.*<span class="quiet">steward, ', shown)


def test_a_pasted_script_is_only_text(steward: Visitor, item: str) -> None:
    steward.get(item)

    shown = page(steward.post("/console/reveal", reason="check", next=item))

    assert SCRIPT not in shown
    assert "&lt;script&gt;" in shown


def test_values_are_masked_until_somebody_says_why(steward: Visitor, people: StoreBuilder, item: str) -> None:
    masked = page(steward.get(item))
    whole = page(steward.post("/console/reveal", reason="decide", reference="T-1", next=item))
    again = page(steward.post("/console/mask", next=item))

    for text, is_masked in ((masked, True), (whole, False), (again, True)):
        assert ("39053344705" not in text) is is_masked
    service: Service = steward.client.application.extensions["cdp"]
    service.read_audit.flush()
    with read(people.engine) as connection:
        told = connection.scalars(
            select(audit_entries.c.details).where(audit_entries.c.action == "profile.read_candidate")
        ).all()
    assert sum('"purpose":"console:decide:T-1"' in each and '"unmasked":true' in each for each in told) == 2


@pytest.mark.parametrize("wrong", [{"reason": "curiosity"}, {"reason": "decide", "reference": "Ana Reis"}])
def test_a_reveal_needs_a_reason_that_names_nobody(
    steward: Visitor, item: str, wrong: dict[str, str]
) -> None:
    steward.get(item)

    assert steward.post("/console/reveal", next=item, **wrong).status_code == 422


def test_the_preview_is_what_comes_of_it(steward: Visitor, people: StoreBuilder, item: str) -> None:
    seen = take(steward, item)
    preview = page(steward.get(f"{item}/effect"))
    before = state_of(people, item)

    answer(steward, item, "same", seen)

    survivor = re.findall(r"/console/profiles/(pf_\w+)", preview)[-1]
    shown = page(steward.get(f"/console/profiles/{survivor}"))
    golden = re.compile(r'<th scope="row">[^<]+</th><td>[^<]*</td>')
    assert before == "open"
    assert set(golden.findall(preview)) <= set(golden.findall(shown))
    assert "Profile that takes in others:" in preview
    assert "Systems with records of these people: crm (2)." in preview


def test_only_differences_is_remembered(steward: Visitor, item: str) -> None:
    steward.get(item)

    fewer = page(steward.post(f"{item}/rows", only="differences"))
    later = page(steward.get(item))

    assert '<tr class="equal">' not in fewer
    assert '<tr class="equal">' not in later


def test_one_answer_for_several_tells_each(steward: Visitor, people: StoreBuilder, item: str) -> None:
    number = item.rpartition("/")[2]
    listed = page(steward.get("/console/queue"))
    seen = hidden(listed, f"seen-{number}")

    told = page(
        steward.post(
            "/console/queue/bulk",
            candidate_id=[number, "999"],
            decision="different",
            reason="seen",
            **{f"seen-{number}": seen},
        )
    )

    assert "1 of 2 items were decided." in told
    assert state_of(people, item) == "different"


@pytest.mark.parametrize(
    "query",
    ["sort=name", "order=up", "reason=x", "whose=all", "least=heavy", "least=nan", "records=-1", "cursor=x"],
)
def test_an_odd_question_is_answered_as_one(steward: Visitor, query: str) -> None:
    assert steward.get(f"/console/queue?{query}").status_code == 422


@pytest.mark.parametrize(
    ("query", "is_there"), [("", True), ("least=100", False), ("reason=size_limit", False)]
)
def test_the_queue_is_narrowed(steward: Visitor, item: str, query: str, is_there: bool) -> None:
    assert (f'href="{item}"' in page(steward.get(f"/console/queue?{query}"))) is is_there


def test_a_lead_assigns_and_a_steward_does_not(
    app: Flask, steward: Visitor, lead: Visitor, item: str
) -> None:
    lead.get(item)
    steward.get(item)

    kept = page(lead.post(f"{item}/assign", assignee="user:1", due="2026-12-24"))
    refused = steward.post(f"{item}/assign", assignee="user:1", due="")
    queues = [page(lead.get(f"/console/queue?assignee=user:{number}")) for number in (1, 2)]

    assert "The assignment is kept." in kept
    assert 'value="2026-12-24"' in kept
    assert [f'href="{item}"' in each for each in queues] == [True, False]
    assert refused.status_code == 403
    assert lead.post(f"{item}/assign", assignee="user:99", due="").status_code == 422


def test_an_item_that_is_not_there_says_so(steward: Visitor) -> None:
    told = steward.get("/console/review/999")

    assert told.status_code == 404
    assert "There is no such item in the queue." in page(told)


@pytest.fixture
def risky_item(app: Flask, people: StoreBuilder) -> str:
    """The address of an item whose two profiles hold two CPFs."""
    writer = Caller(app.test_client(), people.add_key())
    number = {"type": "cpf", "number": "529.982.247-25"}
    other = {"documents": [number], "source_record_id": "c-9", "gender": "f"}
    written(writer, a_record(**CPF, gender="m"), a_record(**other))
    [candidate] = writer.get("/v1/candidates").get_json()["data"]
    assert candidate["reason"] == "exclusive_conflict"
    return f"/console/review/{candidate['candidate_id']}"


def test_a_risky_yes_takes_two_people(
    app: Flask, steward: Visitor, people: StoreBuilder, risky_item: str
) -> None:
    first = page(answer(steward, risky_item, "same", take(steward, risky_item)))
    again = answer(steward, risky_item, "same", take(steward, risky_item))
    steward.post(f"{risky_item}/release")
    lead = signed_in(app, "lead")
    shown = page(lead.get(risky_item))
    state_before = state_of(people, risky_item)
    answer(lead, risky_item, "same", take(lead, risky_item))

    assert "waits for a second person" in first
    assert again.status_code == 409  # type: ignore[attr-defined]
    assert "steward answered: same person." in shown
    assert (state_before, state_of(people, risky_item)) == ("open", "same")


def test_an_answer_that_waits_is_taken_back_by_who_gave_it(
    app: Flask, steward: Visitor, risky_item: str
) -> None:
    waits = page(answer(steward, risky_item, "same", take(steward, risky_item)))
    lead = signed_in(app, "lead")
    lead.get(risky_item)

    refused = lead.post(f"{risky_item}/withdraw")
    done = page(steward.post(f"{risky_item}/withdraw"))

    assert f'<form method="post" action="{risky_item}/withdraw">' in waits
    assert refused.status_code == 409
    assert "Your answer does not wait any more." in done


def test_a_comment_is_shown_with_its_author_as_text(steward: Visitor, item: str) -> None:
    steward.get(item)

    shown = page(steward.post(f"{item}/comments", body=f"asked the shop {SCRIPT}"))
    empty = steward.post(f"{item}/comments", body=" ")

    assert "<strong>steward</strong>" in shown
    assert "asked the shop &lt;script&gt;" in shown
    assert empty.status_code == 422


def test_a_chosen_value_is_previewed_pinned_by_the_answer_and_gone_with_it(
    steward: Visitor, people: StoreBuilder, item: str
) -> None:
    """By plain forms: each is a link or a button of the page before."""
    seen, first = take(steward, item), page(steward.get(f"{item}/effect"))
    offered = re.findall(r'<option value="(full_name:\d+)">', first)
    [look] = re.findall(r'<button form="answers" formaction="([^"]+)"', first)
    before = golden(people)

    looked = page(steward.post(look, pin=pins_sent(first, "answers", offered[0]), seen=seen))
    chosen = pins_sent(looked, "answers")
    done = page(answer(steward, item, "same", seen, pin=chosen))
    joined = golden(people)
    undo = re.findall(r"/console/actions/(\d+)/undo", done)[0]
    steward.post(f"/console/actions/{undo}/undo")

    assert len(offered) == 2
    assert "pinned by a steward" in looked
    assert list(filter(None, chosen)) == [offered[0]]
    assert ("pinned", offered[0]) in [(rule, f"full_name:{record_id}") for _, rule, record_id in joined]
    assert golden(people) == before


def pins_sent(text: str, form: str, change: str | None = None) -> list[str]:
    """What a browser sends of the choices of a form; change: an option taken in its select, nothing pressed."""
    sent = re.findall(rf'<input type="hidden" name="pin" value="([^"]*)" form="{form}">', text)
    for options in re.findall(rf'<select name="pin" form="{form}"[^>]*>(.*?)</select>', text, re.DOTALL):
        values = dict(re.findall(r'<option value="([^"]*)"( selected)?>', options))
        chosen = next((value for value, is_selected in values.items() if is_selected), "")
        sent.append(change if change and change in values else chosen)
    return sent


def test_a_chosen_value_that_was_not_looked_at_is_pinned_by_the_answer(
    steward: Visitor, people: StoreBuilder, item: str
) -> None:
    seen, shown = take(steward, item), page(steward.get(f"{item}/effect"))
    choice = re.findall(r'<option value="(full_name:\d+)">', shown)[0]

    answer(steward, item, "same", seen, pin=pins_sent(shown, "answers", choice))

    assert "what stands here is pinned, looked at before or not" in shown
    assert ("pinned", choice) in [(rule, f"full_name:{number}") for _, rule, number in golden(people)]


def test_what_a_decision_pinned_is_told_masked_in_audit_decisions_and_ledger(
    steward: Visitor, lead: Visitor, people: StoreBuilder, item: str
) -> None:
    seen, shown = take(steward, item), page(steward.get(f"{item}/effect"))
    choice = re.findall(r'<option value="(birth_date:\d+)">', shown)[0]
    answer(steward, item, "same", seen, pin=["", choice])
    [(value, record_id)] = [
        (value, record_id) for value, rule, record_id in golden(people, "birth_date") if rule == "pinned"
    ]
    [survivor] = re.findall(r'/console/profiles/(pf_\w+)"', page(lead.get(item)))[:1]

    places = (f"{item}/audit", "/console/actions", f"/console/profiles/{survivor}/ledger")
    told = [page(lead.get(place)) for place in places]
    # The record may be of other people by then than those whose values are asked for.
    revealed = [page(lead.post("/console/reveal", reason="check", next=place)) for place in places]

    pinned = re.compile(rf"Pinned: Birth date: ([^(]+) \(as record #{record_id}\)")
    assert choice == f"birth_date:{record_id}"
    assert [pinned.findall(each) for each in told] == [[f"{value[:4]}-**-**"]] * 3
    assert [pinned.findall(each) for each in revealed] == [[f"{value[:4]}-**-**"]] * 3


def test_values_are_offered_to_who_has_taken_the_item(steward: Visitor, lead: Visitor, item: str) -> None:
    take(steward, item)

    held, looked_on = page(steward.get(f"{item}/effect")), page(lead.get(f"{item}/effect"))

    assert ['name="pin"' in each for each in (held, looked_on)] == [True, False]
    assert "Who has taken the item may choose other values of its records." in looked_on


def test_an_item_of_many_records_says_of_how_many_it_offers_values(
    steward: Visitor, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(steward, item)
    whole = page(steward.get(f"{item}/effect"))

    monkeypatch.setattr(pins, "RECORDS_OFFERED", 1)
    cut = page(steward.get(f"{item}/effect"))

    told = "Other values are offered from 1 of the 2 records"
    assert [told in each for each in (whole, cut)] == [False, True]


def test_a_reveal_on_an_item_is_of_its_effect_too(steward: Visitor, item: str) -> None:
    take(steward, item)
    masked = page(steward.get(f"{item}/effect"))

    steward.post("/console/reveal", reason="decide", next=item)
    whole = page(steward.get(f"{item}/effect"))
    masked_again = page(steward.post("/console/mask", next=f"{item}/effect"))
    from_effect = page(steward.post("/console/reveal", reason="decide", next=f"{item}/effect?pin="))

    assert "Values are masked. Show them whole" in masked
    told = ["-**-**" in each for each in (masked, whole, masked_again, from_effect)]
    assert told == [True, False, True, False]


def test_who_may_not_see_whole_values_is_offered_masked_ones(
    steward: Visitor, people: StoreBuilder, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = {**roles.PERMISSIONS, "values.reveal": frozenset({"admin"})}
    monkeypatch.setattr(roles, "PERMISSIONS", allowed)
    take(steward, item)
    values = {value for value, _, _ in golden(people, "birth_date")}

    shown = page(steward.get(f"{item}/effect"))
    refused = steward.post("/console/reveal", reason="decide", next=f"{item}/effect")
    still = page(steward.get(f"{item}/effect"))

    for each in (shown, still):
        offered = re.findall(r'<option value="birth_date:\d+">([^<]+) · crm', each)
        assert len(offered) == 2
        assert all("-**-**" in choice for choice in offered)
        assert [value for value in values if value in each] == []
    assert "Show them whole" not in shown
    assert refused.status_code == 403


def golden(people: StoreBuilder, attribute: str = "full_name") -> list[tuple[str, str, int]]:
    """Of living profiles, with why and from which record."""
    with read(people.engine) as connection:
        texts = connection.scalars(select(profiles.c.golden).where(profiles.c.state == "live")).all()
    values = [json.loads(each)["attributes"][attribute] for each in texts]
    return sorted((each["value"], each["rule"], each["record_id"]) for each in values)


UNREADABLE = "What was chosen cannot be read as one value an attribute."


@pytest.mark.parametrize(
    ("pin", "told"),
    [
        ("shoe_size:1", UNREADABLE),
        ("full_name", UNREADABLE),
        ("full_name:x", UNREADABLE),
        ("full_name:99999999999999999999", UNREADABLE),
        ("full_name:999", "This value cannot be pinned."),
    ],
)
def test_a_value_that_cannot_be_chosen_says_so(steward: Visitor, item: str, pin: str, told: str) -> None:
    steward.get(item)

    looked, answered = (
        steward.get(f"{item}/effect?pin={pin}"),
        answer(steward, item, "same", take(steward, item), pin=pin),
    )

    for refused in (looked, answered):
        assert refused.status_code == 422  # type: ignore[attr-defined]
        assert told in page(refused)


def choose_and_say_yes(steward: Visitor, item: str) -> str:
    """A yes with another gender than the rules choose; returns the choice."""
    seen = take(steward, item)
    offered = re.findall(r'<option value="(gender:\d+)">', page(steward.get(f"{item}/effect")))
    answer(steward, item, "same", seen, pin=["", offered[1]])
    return str(offered[1])


def test_what_is_pinned_with_a_yes_waits_with_it_for_the_second_person(
    steward: Visitor, lead: Visitor, people: StoreBuilder, risky_item: str
) -> None:
    choice = choose_and_say_yes(steward, risky_item)

    listed, seen = page(lead.get("/console/proposals")), take(lead, risky_item)
    told, looked = page(lead.get(risky_item)), page(lead.get(f"{risky_item}/effect"))
    answer(lead, risky_item, "same", seen)

    record_id = choice.partition(":")[2]
    assert f"Pinned with it: Gender (as record #{record_id})" in told
    assert f"Gender (as record #{record_id})" in listed
    assert f"Pinned with it: Gender (as record #{record_id})" in page(lead.get(f"{risky_item}/audit"))
    assert f'<option value="{choice}" selected>' in looked
    assert ("pinned", int(record_id)) in [each[1:] for each in golden(people, "gender")]


def test_what_was_shown_is_pinned_though_the_first_answer_is_withdrawn_meanwhile(
    steward: Visitor, lead: Visitor, people: StoreBuilder, risky_item: str
) -> None:
    choice = choose_and_say_yes(steward, risky_item)
    seen = take(lead, risky_item)
    looked = page(lead.get(f"{risky_item}/effect"))

    steward.post(f"{risky_item}/withdraw")
    answer(lead, risky_item, "same", seen, pin=pins_sent(looked, "answers"))

    record_id = choice.partition(":")[2]
    told = page(lead.get(risky_item))
    assert "lead answered: same person." in told
    assert f"Pinned with it: Gender (as record #{record_id})" in told
