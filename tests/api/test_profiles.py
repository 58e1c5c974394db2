"""GET /v1/profiles/{id}: views, masks, versions, survivors; its records, history and explanation."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.profile_views import of_author
from cdp.privacy.keys import VIEWS
from tests.api.conftest import Caller, admin
from tests.api.test_stewards import told
from tests.builders import BuiltProfile, StoreBuilder, a_record

SECTIONS = ("consents", "open_requests", "recent_contacts", "commerce", "alerts")
ADDRESS = {"street": "Rua Augusta, 10", "city": "São Paulo", "postal_code": "01310-100", "country": "BR"}


@pytest.fixture
def ana(people: StoreBuilder) -> BuiltProfile:
    return people.add_profile(
        a_record(address=ADDRESS, attributes={"occupation": "dentist"}),
        a_record(source="whatsapp", source_record_id="5511987654321", occurred_at="2026-02-01T00:00:00Z"),
    )


@pytest.fixture
def caller(client: FlaskClient, people: StoreBuilder) -> Caller:
    return admin(client, people)


def document(caller: Caller, path: str, **options: Any) -> Any:
    answer = caller.get(path, **options)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def test_the_agents_view_has_every_section(caller: Caller, ana: BuiltProfile) -> None:
    view = document(caller, f"/v1/profiles/{ana.profile_id}?view=agent")

    assert (view["profile_id"], view["version"], view["model_version"]) == (ana.profile_id, 1, 0)
    assert view["record_count"] == 2
    assert {name: view[name] for name in SECTIONS} == {
        "consents": [],
        "open_requests": [],
        "recent_contacts": [],
        "commerce": {"carts": [], "orders": [], "wish_lists": []},
        "alerts": [],
    }


def test_golden_values_tell_where_they_come_from(caller: Caller, ana: BuiltProfile) -> None:
    view = document(caller, f"/v1/profiles/{ana.profile_id}")

    assert view["golden"]["full_name"] == {
        "value": "Ana Reis",
        "rule": "only_value",
        "record_id": ana.record_ids[1],
        "source": "whatsapp",
        "source_record_id": "***321",
        "occurred_at": "2026-02-01T00:00:00.000000Z",
        "record_count": 2,
    }


def test_values_are_masked_unless_asked_for_with_right_and_purpose(caller: Caller, ana: BuiltProfile) -> None:
    path = f"/v1/profiles/{ana.profile_id}?view=agent"
    masked = document(caller, path)
    whole = document(caller, path + "&unmask=true", headers={"CDP-Purpose": "ticket:4711"})

    assert masked["masked"] is True
    assert masked["golden"]["birth_date"]["value"] == "1980-**-**"
    assert masked["golden"]["address"]["value"]["street"] == "***"
    assert masked["golden"]["attributes"]["occupation"]["value"] == "d***"
    assert {each["value"] for each in masked["identifiers"]} == {"+55***4321", "a***@example.com"}
    assert whole["masked"] is False
    assert whole["golden"]["birth_date"]["value"] == "1980-02-29"
    assert whole["golden"]["attributes"]["occupation"]["value"] == "dentist"
    assert {each["value"] for each in whole["identifiers"]} == {"+5511987654321", "ana@example.com"}


@pytest.mark.parametrize("view", ["ivr", "agent"])
def test_the_phone_to_dial_stands_before_its_other_form(
    caller: Caller, people: StoreBuilder, view: str
) -> None:
    profile = people.add_profile(
        a_record(phones=["45 93278-2153"], emails=None, verified=["phones"]),
        a_record(source_record_id="c-2", phones=["45 3278-2153"], emails=None),
    )

    path = f"/v1/profiles/{profile.profile_id}?view={view}&unmask=true"
    [first, second] = document(caller, path, headers={"CDP-Purpose": "ticket:4711"})["identifiers"]

    assert (first["value"], first.get("superseded")) == ("+554532782153", None)
    assert (second["value"], second["superseded"]) == ("+5545932782153", True)


def test_unmasking_needs_scope_and_purpose(
    client: FlaskClient, people: StoreBuilder, caller: Caller, ana: BuiltProfile
) -> None:
    path = f"/v1/profiles/{ana.profile_id}?unmask=true"
    lesser = Caller(client, people.add_key("profiles:read:agent"))

    answers = [
        caller.get(path),
        caller.get(path, headers={"CDP-Purpose": "a whole sentence about Ana"}),
        lesser.get(path, headers={"CDP-Purpose": "ticket:4711"}),
    ]

    assert [(answer.status_code, (answer.json or {})["code"]) for answer in answers] == [
        (422, "purpose_required"),
        (422, "validation_failed"),
        (403, "scope_missing"),
    ]


FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "ivr": ({"given_name"}, {"consents", "open_requests", "alerts"}),
    "bot": (
        {"given_name", "display_name"},
        {"consents", "open_requests", "alerts", "recent_contacts"},
    ),
    "pos": ({"full_name", "display_name"}, {"consents", "commerce", "alerts"}),
    "agent": (
        {"display_name", "full_name", "given_name", "family_name", "birth_date", "address", "attributes"},
        {*SECTIONS, "record_count"},
    ),
    "self": (
        {"display_name", "full_name", "birth_date", "address", "attributes"},
        {"consents", "open_requests", "recent_contacts", "commerce"},
    ),
    "steward": (
        {"display_name", "full_name", "given_name", "family_name", "birth_date", "address", "attributes"},
        {*SECTIONS, "record_count", "state", "created_at", "updated_at"},
    ),
}


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_shows_its_own_fields(
    lite_client: FlaskClient, lite_people: StoreBuilder, view: str
) -> None:
    ana = lite_people.add_profile(a_record(address=ADDRESS, attributes={"occupation": "dentist"}))

    shown = document(admin(lite_client, lite_people), f"/v1/profiles/{ana.profile_id}?view={view}")

    golden, others = FIELDS[view]
    always = {"profile_id", "version", "model_version", "view", "masked", "golden", "identifiers"}
    assert set(shown["golden"]) == golden
    assert set(shown) == always | others


def test_only_agents_and_stewards_see_provenance(caller: Caller, ana: BuiltProfile) -> None:
    view = document(caller, f"/v1/profiles/{ana.profile_id}?view=self")

    assert view["golden"]["full_name"] == {"value": "Ana Reis"}


def test_a_key_with_one_view_gets_it_unasked(
    client: FlaskClient, people: StoreBuilder, ana: BuiltProfile
) -> None:
    bot = Caller(client, people.add_key("profiles:read:bot"))

    assert document(bot, f"/v1/profiles/{ana.profile_id}")["view"] == "bot"


def test_a_key_with_views_but_not_the_agents_must_name_one(
    client: FlaskClient, people: StoreBuilder, ana: BuiltProfile
) -> None:
    caller = Caller(client, people.add_key("admin", views=["bot", "ivr"]))

    answer = caller.get(f"/v1/profiles/{ana.profile_id}")

    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["pointer"] == "/query/view"


def test_unknown_and_forbidden_look_the_same(
    client: FlaskClient, people: StoreBuilder, caller: Caller, ana: BuiltProfile
) -> None:
    bot = Caller(client, people.add_key("profiles:read:bot"))
    shop = Caller(client, people.add_key("profiles:read:agent", sources=["shop"]))
    lookup_only = Caller(client, people.add_key("profiles:lookup"))
    bound = Caller(client, people.add_key("admin", views=["ivr"]))

    answers = [
        caller.get("/v1/profiles/pf_01jdcb4v9w8z6y5x4t3s2r1q0p"),
        caller.get("/v1/profiles/%01'"),
        caller.get("/v1/profiles/lookup"),
        bot.get(f"/v1/profiles/{ana.profile_id}?view=agent"),
        bot.get(f"/v1/profiles/{ana.profile_id}/records"),
        bot.get(f"/v1/profiles/{ana.profile_id}/history"),
        bot.get(f"/v1/profiles/{ana.profile_id}/explanation"),
        shop.get(f"/v1/profiles/{ana.profile_id}"),
        shop.get(f"/v1/profiles/{ana.profile_id}/records"),
        lookup_only.get(f"/v1/profiles/{ana.profile_id}"),
        bound.get(f"/v1/profiles/{ana.profile_id}?view=agent"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({_without_request_id(answer.json) for answer in answers}) == 1


@pytest.mark.parametrize(
    ("author", "told"),
    [
        ("source:web", "source"),
        ("source:crm", "source:crm"),
        ("key:k1", "key:k1"),
        ("source", "source"),
    ],
)
def test_an_author_that_is_another_source_has_no_name(author: str, told: str) -> None:
    assert of_author(author, {"crm"}) == told
    assert of_author(author, None) == author


def test_a_key_bound_to_a_source_is_not_told_of_others(
    client: FlaskClient, people: StoreBuilder, ana: BuiltProfile
) -> None:
    crm = Caller(client, people.add_key("profiles:read:agent", sources=["crm"]))

    view = document(crm, f"/v1/profiles/{ana.profile_id}")
    records = document(crm, f"/v1/profiles/{ana.profile_id}/records")

    assert view["golden"]["full_name"]["source"] is None
    assert view["golden"]["full_name"]["source_record_id"] is None
    assert view["golden"]["address"]["source"] == "crm"
    assert [record["source"] for record in records["data"]] == ["crm"]


def test_what_the_caller_has_is_not_sent_again(
    people: StoreBuilder, caller: Caller, ana: BuiltProfile
) -> None:
    path = f"/v1/profiles/{ana.profile_id}"
    etag = caller.get(path).headers["ETag"]

    same = caller.get(path, headers={"If-None-Match": etag})
    head = caller.client.head(
        path, headers={"If-None-Match": etag, "Authorization": f"Bearer {caller.secret}"}
    )
    other_view = caller.get(path + "?view=steward", headers={"If-None-Match": etag})
    people.set_version(ana.profile_id, 2)
    changed = caller.get(path, headers={"If-None-Match": etag})

    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    assert (head.status_code, head.headers["ETag"]) == (304, etag)
    assert other_view.status_code == 200
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


def test_what_another_key_has_is_not_what_this_one_gets(
    client: FlaskClient, people: StoreBuilder, caller: Caller, ana: BuiltProfile
) -> None:
    path = f"/v1/profiles/{ana.profile_id}?view=agent"
    crm = Caller(client, people.add_key("profiles:read:agent", sources=["crm"]))
    both = Caller(client, people.add_key("profiles:read:agent", sources=["crm", "whatsapp"]))
    etag = caller.get(path).headers["ETag"]

    of_all, of_crm, of_both = (
        each.get(path, headers={"If-None-Match": etag}) for each in (caller, crm, both)
    )
    unmasked = caller.get(
        path + "&unmask=true", headers={"If-None-Match": etag, "CDP-Purpose": "ticket:4711"}
    )

    assert (of_all.status_code, of_both.status_code) == (304, 304)
    assert (of_crm.status_code, unmasked.status_code) == (200, 200)
    assert len({etag, of_crm.headers["ETag"], unmasked.headers["ETag"]}) == 3


def test_an_absorbed_id_answers_with_its_survivor(
    people: StoreBuilder, caller: Caller, ana: BuiltProfile
) -> None:
    first = people.add_profile()
    second = people.add_profile()
    people.set_state(first.profile_id, "absorbed", absorbed_into=second.profile_id)
    people.set_state(second.profile_id, "absorbed", absorbed_into=ana.profile_id)

    answer = caller.get(f"/v1/profiles/{first.profile_id}?view=bot")

    assert answer.json is not None
    assert answer.json["profile_id"] == ana.profile_id
    assert answer.headers["Content-Location"] == f"/v1/profiles/{ana.profile_id}?view=bot"
    assert "Content-Location" not in caller.get(f"/v1/profiles/{ana.profile_id}").headers


@pytest.mark.parametrize("part", ["", "/records", "/history", "/explanation"])
def test_an_erased_profile_is_gone(lite_client: FlaskClient, lite_people: StoreBuilder, part: str) -> None:
    erased = lite_people.add_profile()
    lite_people.set_state(erased.profile_id, "erased")

    answer = admin(lite_client, lite_people).get(f"/v1/profiles/{erased.profile_id}{part}")

    assert answer.status_code == 410
    assert answer.json is not None
    assert answer.json["code"] == "profile_erased"


def test_a_profile_without_records_still_answers(people: StoreBuilder, caller: Caller) -> None:
    empty = people.add_profile()
    people.set_state(empty.profile_id, "empty")

    view = document(caller, f"/v1/profiles/{empty.profile_id}?view=steward")

    assert (view["state"], view["golden"], view["identifiers"]) == ("empty", {}, [])


def test_a_wrong_file_of_survivorship_rules_keeps_no_reader_out(
    caller: Caller, ana: BuiltProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_SURVIVORSHIP_FILE", "nowhere.toml")

    answers = [
        caller.get(f"/v1/profiles/{ana.profile_id}"),
        caller.look_up("phone", "11 98765-4321"),
        caller.get("/readyz"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_answers_about_people_are_not_stored(caller: Caller, ana: BuiltProfile) -> None:
    headers = caller.get(f"/v1/profiles/{ana.profile_id}").headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_records_come_in_pages(caller: Caller, ana: BuiltProfile) -> None:
    path = f"/v1/profiles/{ana.profile_id}/records?limit=1"

    first = document(caller, path)
    second = document(caller, f"{path}&cursor={first['next_cursor']}")

    assert [record["record_id"] for record in first["data"] + second["data"]] == ana.record_ids
    assert second["next_cursor"] is None


def test_a_record_is_shown_as_it_was_standardized_and_masked(caller: Caller, ana: BuiltProfile) -> None:
    path = f"/v1/profiles/{ana.profile_id}/records"

    masked = document(caller, path)["data"][1]
    whole = document(caller, path + "?unmask=true", headers={"CDP-Purpose": "ticket:4711"})["data"][1]

    assert (masked["source"], masked["source_record_id"]) == ("whatsapp", "***321")
    assert masked["values"]["birth_date"] == "1980-**-**"
    assert {each["value"] for each in masked["identifiers"]} == {"+55***4321", "a***@example.com"}
    assert whole["source_record_id"] == "5511987654321"
    assert whole["values"]["birth_date"] == "1980-02-29"


@pytest.mark.parametrize("cursor", ["x", "MTo", "Mjox", "%01", "MTotMQ", "é"])
@pytest.mark.parametrize("name", ["records", "history", "timeline"])
def test_a_made_up_cursor_is_refused(caller: Caller, ana: BuiltProfile, name: str, cursor: str) -> None:
    answer = caller.get(f"/v1/profiles/{ana.profile_id}/{name}", query_string={"cursor": cursor})

    assert told(answer, 400)["code"] == "invalid_cursor"


@pytest.mark.parametrize("name", ["records", "history", "timeline"])
def test_a_cursor_is_of_one_list_of_one_person(
    caller: Caller, ana: BuiltProfile, people: StoreBuilder, name: str
) -> None:
    other = people.add_profile(a_record(source_record_id="c-8"), a_record(source_record_id="c-9"))
    cursor = document(caller, f"/v1/profiles/{ana.profile_id}/records?limit=1")["next_cursor"]
    asked = [f"/v1/profiles/{other.profile_id}/{name}", "/v1/actions"]
    if name != "records":
        asked.append(f"/v1/profiles/{ana.profile_id}/{name}")

    answers = [caller.get(f"{path}?cursor={cursor}") for path in asked]

    assert {told(answer, 400)["code"] for answer in answers} == {"invalid_cursor"}


@pytest.mark.parametrize("limit", ["0", "201", "x", "9" * 5000])
def test_a_page_has_bounds(lite_client: FlaskClient, lite_people: StoreBuilder, limit: str) -> None:
    answer = admin(lite_client, lite_people).get(f"/v1/profiles/P1/records?limit={limit}")

    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["pointer"] == "/query/limit"


def test_history_is_the_ledger_newest_first(caller: Caller, ana: BuiltProfile) -> None:
    path = f"/v1/profiles/{ana.profile_id}/history?limit=1"

    first = document(caller, path)
    second = document(caller, f"{path}&cursor={first['next_cursor']}")

    [attached], [created] = first["data"], second["data"]
    assert (attached["kind"], created["kind"]) == ("attach", "create")
    assert attached["author"] == "machine"
    assert attached["moves"] == [
        {"record_id": ana.record_ids[1], "from_profile_id": None, "to_profile_id": ana.profile_id}
    ]
    assert second["next_cursor"] is None


def test_an_explanation_adds_up(people: StoreBuilder, caller: Caller) -> None:
    profile = people.add_profile(
        a_record(), a_record(source_record_id="c-2"), frequency_weights={"given_name": 2.5}
    )

    [join] = document(caller, f"/v1/profiles/{profile.profile_id}/explanation")["joins"]

    pair = join["pair"]
    parts = [each["level_weight"] + each["frequency_weight"] for each in pair["comparisons"]]
    assert pair["prior_match_weight"] + sum(parts) == pytest.approx(pair["match_weight"], abs=1e-9)
    assert (join["record_id_l"], join["record_id_r"]) == tuple(profile.record_ids)
    given_name = next(each for each in pair["comparisons"] if each["comparison"] == "given_name")
    assert (given_name["level"], given_name["frequency_weight"]) == ("equal", 2.5)


def test_an_explanation_tells_the_joins_in_order(people: StoreBuilder, caller: Caller) -> None:
    profile = people.add_profile(*[a_record(source_record_id=f"c-{number}") for number in range(4)])

    explanation = document(caller, f"/v1/profiles/{profile.profile_id}/explanation")

    ids = profile.record_ids
    pairs = [(join["record_id_l"], join["record_id_r"]) for join in explanation["joins"]]
    assert pairs == [(ids[0], ids[1]), (ids[1], ids[2]), (ids[2], ids[3])]
    assert "4 records, brought together by 3 joins" in explanation["text"]


def test_an_explanation_counts_the_joins_that_the_ledger_does_not_tell(
    people: StoreBuilder, caller: Caller
) -> None:
    profile = people.add_profile(*[a_record(source_record_id=f"c-{number}") for number in range(4)])
    path = f"/v1/profiles/{profile.profile_id}/explanation?lang=en"
    whole = document(caller, path)
    people.forget_joins(profile.record_ids[2])

    partial = document(caller, path)

    assert (len(whole["joins"]), whole["joins_left_out"]) == (3, 0)
    assert (len(partial["joins"]), partial["joins_left_out"]) == (2, 1)
    assert "One join is not listed" in partial["text"]


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("?lang=pt", "en", "pt"),
        ("", "pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("", "de", "en"),
        ("?lang=en", "pt", "en"),
    ],
    ids=["asked", "browser", "other", "asked-en"],
)
def test_an_explanation_speaks_the_readers_language(
    lite_client: FlaskClient, lite_people: StoreBuilder, query: str, accepted: str, language: str
) -> None:
    profile = lite_people.add_profile(a_record(), a_record(source_record_id="c-2"))
    caller = admin(lite_client, lite_people)

    answer = caller.get(
        f"/v1/profiles/{profile.profile_id}/explanation{query}", headers={"Accept-Language": accepted}
    )

    begins = {"pt": "Probabilidade de serem a mesma pessoa: 99,9", "en": "One person with 99.9"}
    assert answer.json is not None
    assert answer.json["joins"][0]["text"].startswith(begins[language])
    assert answer.headers["Content-Language"] == language


def test_joins_without_weights_say_why(people: StoreBuilder, caller: Caller) -> None:
    ruled = people.add_profile(
        a_record(), a_record(source_record_id="c-2"), join_kind="must_link", keep_edges=False
    )
    forgotten = people.add_profile(
        a_record(source_record_id="c-3"), a_record(source_record_id="c-4"), keep_edges=False
    )

    [by_steward] = document(caller, f"/v1/profiles/{ruled.profile_id}/explanation")["joins"]
    [lost] = document(caller, f"/v1/profiles/{forgotten.profile_id}/explanation")["joins"]

    assert (by_steward["kind"], by_steward["pair"]) == ("must_link", None)
    assert "steward" in by_steward["text"]
    assert "no longer kept" in lost["text"]


def test_every_read_is_audited(app: Flask, people: StoreBuilder, caller: Caller, ana: BuiltProfile) -> None:
    path = f"/v1/profiles/{ana.profile_id}"
    caller.get(path + "?view=bot")
    caller.get(path + "?unmask=true", headers={"CDP-Purpose": "ticket:4711"})
    for part in ("/records", "/history", "/explanation"):
        caller.get(path + part)
    app.extensions["cdp"].read_audit.flush()

    audited = people.audited()

    assert [each["action"] for each in audited] == [
        "profile.read",
        "profile.read",
        "profile.read_records",
        "profile.read_history",
        "profile.read_explanation",
    ]
    assert {each["object_id"] for each in audited} == {ana.profile_id}
    assert [each["details"]["view"] for each in audited[:2]] == ["bot", "agent"]
    assert (audited[1]["details"]["unmasked"], audited[1]["details"]["purpose"]) == (True, "ticket:4711")


def _without_request_id(found: Any) -> str:
    return str({name: value for name, value in found.items() if name != "request_id"})
