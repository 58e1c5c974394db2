"""Reports about identifiers over HTTP: filed, told in explanations, withdrawn, and refused without telling values."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from tests.api.conftest import Caller
from tests.api.test_stewards import is_described, told, written
from tests.builders import StoreBuilder, a_record

PATH = "/v1/identifiers/reports"
PHONE = "11 98765-4321"
REPORT = {"type": "phone", "value": PHONE, "outcome": "wrong_person"}
# What only the phone makes Ana's.
STRANGER = {
    "source": "whatsapp",
    "source_record_id": "w-1",
    "occurred_at": "2026-11-20T12:00:00Z",
    "phones": [PHONE],
}


def ana_and_a_stranger(writer: Caller) -> str:
    """Both in one profile, which is returned."""
    ana, stranger = written(writer, a_record(phones=[PHONE]), STRANGER)
    assert ana == stranger
    return ana


def profile_of(caller: Caller, record: dict[str, Any]) -> str:
    return str(told(caller.write(record))["profile_id"])


def a_key(people: StoreBuilder, caller: Caller, *scopes: str, sources: list[str] | None = None) -> Caller:
    return Caller(caller.client, people.add_key(*scopes, sources=sources))


def test_a_report_parts_who_only_the_value_joined(writer: Caller) -> None:
    ana = ana_and_a_stranger(writer)

    answer = told(writer.post(PATH, {**REPORT, "profile_id": ana, "reason": "ticket:4711"}), 201)

    assert (answer["report_id"], answer["state"], answer["withdrawn_at"]) == (1, "open", None)
    assert (answer["type"], answer["outcome"], answer["profile_id"]) == ("phone", "wrong_person", ana)
    assert (answer["is_waiting"], answer["model_version"], answer["source"]) == (False, 0, None)
    stranger = profile_of(writer, STRANGER)
    assert stranger != ana
    assert answer["profiles_touched"] == sorted([ana, stranger])
    assert "4321" not in str(answer)
    assert is_described(writer.client, "Report", answer)


def test_withdrawn_it_is_as_if_it_had_not_been(writer: Caller) -> None:
    ana = ana_and_a_stranger(writer)
    before = told(writer.get(f"/v1/profiles/{ana}?view=steward"))
    told(writer.post(PATH, REPORT), 201)

    answer = told(writer.post(f"{PATH}/1/withdrawal", {"reason": "wrong number dialled"}))

    after = told(writer.get(f"/v1/profiles/{ana}?view=steward"))
    assert (answer["state"], answer["profiles_touched"][0]) == ("withdrawn", ana)
    assert profile_of(writer, STRANGER) == ana
    assert after["golden"] == before["golden"]
    assert after["identifiers"] == before["identifiers"]


def test_the_same_report_and_the_same_withdrawal_change_nothing(writer: Caller) -> None:
    ana_and_a_stranger(writer)
    first = told(writer.post(PATH, REPORT), 201)

    again = told(writer.post(PATH, {**REPORT, "value": "+55 (11) 98765-4321"}))
    told(writer.post(f"{PATH}/1/withdrawal", {}))
    withdrawn_again = told(writer.post(f"{PATH}/1/withdrawal", {}))

    assert (again["report_id"], again["profiles_touched"]) == (first["report_id"], [])
    assert (withdrawn_again["state"], withdrawn_again["profiles_touched"]) == ("withdrawn", [])


def test_a_value_that_nobody_holds_is_kept_for_who_comes(writer: Caller) -> None:
    answer = told(writer.post(PATH, REPORT), 201)

    [ana, stranger] = written(writer, a_record(phones=[PHONE]), STRANGER)

    assert answer["profiles_touched"] == []
    assert ana != stranger


@pytest.mark.parametrize(
    ("change", "pointer", "said"),
    [
        ({"type": "telex"}, "/type", "unknown_kind"),
        ({"value": "00000000000"}, "/value", "junk"),
        ({"type": "email", "value": "nobody"}, "/value", "invalid"),
        ({"value": 11987654321}, "/value", "text"),
        ({"outcome": "rude"}, "/outcome", "Must be one of"),
        ({"outcome": None}, "/outcome", "null"),
        ({"source": "fax"}, "/source", "no such source"),
        ({"reason": "x" * 1001}, "/reason", "Longer"),
        ({"region": "br"}, "/region", "match"),
        ({"name": "Ana"}, "/name", "Unknown"),
    ],
    ids=lambda each: str(each)[:30],
)
def test_what_cannot_be_reported(
    lite_writer: Caller, change: dict[str, Any], pointer: str, said: str
) -> None:
    answer = told(lite_writer.post(PATH, {**REPORT, **change}), 422)

    [error] = answer["errors"]
    assert error["pointer"] == pointer
    assert said in error["detail"]
    assert "98765" not in str(answer)


@pytest.mark.parametrize("missing", ["type", "value", "outcome"])
def test_what_is_missing_is_named(lite_writer: Caller, missing: str) -> None:
    body = {name: value for name, value in REPORT.items() if name != missing}

    [error] = told(lite_writer.post(PATH, body), 422)["errors"]

    assert error["pointer"] == f"/{missing}"


@pytest.mark.parametrize("profile_id", ["pf_01jdcb4v9w8z6y5x4t3s2r1q0p", "no id / at all"])
def test_an_unknown_profile(lite_writer: Caller, profile_id: str) -> None:
    answer = told(lite_writer.post(PATH, {**REPORT, "profile_id": profile_id}), 404)

    assert answer["code"] == "profile_not_found"


@pytest.mark.parametrize("report_id", ["7", "seven", "9" * 30])
def test_an_unknown_report(lite_writer: Caller, report_id: str) -> None:
    answer = told(lite_writer.post(f"{PATH}/{report_id}/withdrawal", {}), 404)

    assert answer["code"] == "report_not_found"


def test_it_needs_the_scope_to_write_records(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    reader = a_key(lite_people, lite_writer, "profiles:lookup", "candidates:read")
    channel = a_key(lite_people, lite_writer, "records:write")

    refused = [
        told(reader.post(path, body), 403) for path, body in ((PATH, REPORT), (f"{PATH}/1/withdrawal", {}))
    ]
    told(channel.post(PATH, REPORT), 201)

    assert {each["code"] for each in refused} == {"scope_missing"}
    assert "records:write" in refused[0]["detail"]


def test_a_key_of_a_source_reports_what_that_holds(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    bound = a_key(lite_people, lite_writer, "records:write", sources=["whatsapp"])
    ana_and_a_stranger(lite_writer)

    elsewhere = told(
        bound.post(PATH, {"type": "email", "value": "ana@example.com", "outcome": "bounced"}), 404
    )
    others = told(bound.post(PATH, {**REPORT, "source": "crm"}), 422)
    answer = told(bound.post(PATH, REPORT), 201)

    assert elsewhere["code"] == "identifier_not_found"
    assert others["errors"][0]["pointer"] == "/source"
    assert answer["source"] == "whatsapp"
    # The profile that stays with the CRM's record holds none of this key's any more.
    assert answer["profiles_touched"] == [profile_of(lite_writer, STRANGER)]


def test_a_key_of_several_sources_names_one(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    bound = a_key(lite_people, lite_writer, "records:write", sources=["crm", "whatsapp"])
    ana_and_a_stranger(lite_writer)

    unnamed = told(bound.post(PATH, REPORT), 422)
    named = told(bound.post(PATH, {**REPORT, "source": "crm"}), 201)

    assert unnamed["errors"][0]["pointer"] == "/source"
    assert named["source"] == "crm"


def test_a_key_of_a_source_withdraws_what_that_reported(
    lite_writer: Caller, lite_people: StoreBuilder
) -> None:
    bound = a_key(lite_people, lite_writer, "records:write", sources=["whatsapp"])
    ana_and_a_stranger(lite_writer)
    told(lite_writer.post(PATH, REPORT), 201)
    told(bound.post(PATH, REPORT), 201)

    assert told(bound.post(f"{PATH}/1/withdrawal", {}), 404)["code"] == "report_not_found"
    assert told(bound.post(f"{PATH}/2/withdrawal", {}))["state"] == "withdrawn"


def test_no_value_reaches_the_log(lite_writer: Caller) -> None:
    with structlog.testing.capture_logs() as logs:
        told(lite_writer.post(PATH, REPORT), 201)
        told(lite_writer.post(PATH, {**REPORT, "value": "1198765"}), 422)

    assert logs
    assert "98765" not in str(logs)


# ---------------------------------------------------------------------------------------------------- explanations

SENTENCE = {
    "pt": "O telefone +55***4321 foi informado em 2026-11-22 como de outra pessoa e pesa pouco.",
    "en": "The phone +55***4321 was reported on 2026-11-22 as somebody else's and weighs little.",
}


def two_of_ana(writer: Caller) -> str:
    """One profile whatever becomes of the phone that both its records hold."""
    again = a_record(source="whatsapp", source_record_id="w-1", phones=[PHONE])
    ana, same = written(writer, a_record(phones=[PHONE]), again)
    assert ana == same
    return ana


@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_profile_is_explained_with_the_report(writer: Caller, language: str) -> None:
    ana = two_of_ana(writer)
    told(writer.post(PATH, REPORT), 201)

    answer = told(writer.get(f"/v1/profiles/{ana}/explanation?lang={language}"))

    [line] = answer["reports"]
    assert line["text"] == SENTENCE[language]
    assert (line["report_id"], line["type"], line["value"]) == (1, "phone", "+55***4321")
    [join] = answer["joins"]
    assert join["reports"] == [line]
    assert join["text"].endswith(SENTENCE[language])
    assert answer["text"].endswith(SENTENCE[language])
    assert "98765" not in str(answer)
    [phone] = [each for each in join["pair"]["comparisons"] if each["comparison"] == "phone"]
    assert phone["level"] in ("a shared number", "um número compartilhado")
    assert phone["match_weight"] < 7
    assert is_described(writer.client, "Explanation", answer)


def test_withdrawn_it_is_told_no_more(lite_writer: Caller) -> None:
    ana = two_of_ana(lite_writer)
    told(lite_writer.post(PATH, REPORT), 201)
    told(lite_writer.post(f"{PATH}/1/withdrawal", {}))

    answer = told(lite_writer.get(f"/v1/profiles/{ana}/explanation"))

    assert answer["reports"] == answer["joins"][0]["reports"] == []
    assert "reported" not in answer["text"]


def test_a_value_that_one_record_holds_is_told_of_the_profile_alone(lite_writer: Caller) -> None:
    ana = two_of_ana(lite_writer)
    told(
        lite_writer.write(a_record(source_record_id="c-9", emails=["ana@example.com", "a@example.com"])), 201
    )
    told(lite_writer.post(PATH, {"type": "email", "value": "a@example.com", "outcome": "bounced"}), 201)

    answer = told(lite_writer.get(f"/v1/profiles/{ana}/explanation?lang=en"))

    [line] = answer["reports"]
    assert line["text"] == (
        "The e-mail address a***@example.com was reported on 2026-11-22 as bouncing and weighs little."
    )
    assert [join["reports"] for join in answer["joins"]] == [[], []]


@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_candidate_is_explained_with_the_report(writer: Caller, language: str) -> None:
    cpf = {"documents": [{"type": "cpf", "number": "390.533.447-05"}], "phones": [PHONE]}
    rui = a_record(
        source_record_id="c-2", full_name="Rui Barbosa", birth_date="1971-11-05", emails=["r@example.com"]
    )
    written(writer, a_record(**cpf), rui | cpf)
    told(writer.post(PATH, REPORT), 201)
    [candidate] = told(writer.get("/v1/candidates"))["data"]

    answer = told(writer.get(f"/v1/candidates/{candidate['candidate_id']}?lang={language}"))

    assert [line["text"] for line in answer["reports"]] == [SENTENCE[language]]
    assert answer["text"].endswith(SENTENCE[language])
    assert is_described(writer.client, "WholeMergeCandidate", answer)


@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_search_is_explained_with_the_report(writer: Caller, language: str) -> None:
    two_of_ana(writer)
    told(writer.post(PATH, REPORT), 201)
    told(writer.post(PATH, {"type": "email", "value": "ana@example.com", "outcome": "bounced"}), 201)

    sought = {"full_name": "Ana Reis", "birth_date": "1980-02-29", "phones": ["11 8765-4321"]}
    answer = told(writer.search(sought, f"?lang={language}"))

    [found] = answer["data"]
    explanation = found["explanation"]
    assert [line["text"] for line in explanation["reports"]] == [SENTENCE[language]]
    assert explanation["text"].endswith(SENTENCE[language])
    assert is_described(writer.client, "FoundProfiles", answer)


def test_a_search_by_what_nobody_reported_tells_of_no_report(lite_writer: Caller) -> None:
    two_of_ana(lite_writer)
    told(lite_writer.post(PATH, REPORT), 201)

    [found] = told(lite_writer.search({"full_name": "Ana Reis", "birth_date": "1980-02-29"}))["data"]

    assert found["explanation"]["reports"] == []
