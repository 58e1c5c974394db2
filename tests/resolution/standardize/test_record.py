"""Whole records: the example, parts that stand in for each other, refusals, absurd input, the memory."""

import gzip
import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolution.standardize import (
    Identifier,
    Refusal,
    SourceSettings,
    Standardizer,
    standardize_identifier,
    standardize_record,
)

BRAZIL = SourceSettings()
DATA = Path(__file__).parents[4] / "shared" / "data"
EXAMPLE: dict[str, Any] = {
    "source": "whatsapp",
    "source_record_id": "5511987654321",
    "occurred_at": "2026-11-20T12:00:00Z",
    "full_name": "João da Silva Filho",
    "given_name": None,
    "family_name": None,
    "social_name": None,
    "birth_date": "1980-02-29",
    "gender": "m",
    "phones": ["+55 11 98765-4321"],
    "emails": ["joao@example.com"],
    "handles": [{"network": "instagram", "handle": "@joao.silva"}],
    "loyalty_ids": [{"program": "clube", "number": "998877"}],
    "documents": [{"type": "cpf", "number": "390.533.447-05"}],
    "device_ids": ["a1b2"],
    "address": {
        "street": "Rua A, 10",
        "city": "São Paulo",
        "region": "SP",
        "postal_code": "01310-100",
        "country": "BR",
    },
    "attributes": {"occupation": "dentist", "nome_da_mae": "Maria da Silva"},
    "verified": ["phones"],
}


def linkage(**record: object) -> dict[str, str | list[str]]:
    return standardize_record(record, BRAZIL).linkage


def refusals(**record: object) -> tuple[Refusal, ...]:
    return standardize_record(record, BRAZIL).refusals


def test_the_example_of_the_contract_gives_these_linkage_columns() -> None:
    assert standardize_record(EXAMPLE, BRAZIL).linkage == {
        "given_name": "joao",
        "given_forms": ["joao"],
        "given_sound": "juau",
        "family_name": "silva",
        "family_sound": "silva",
        "surname_sounds": ["silva"],
        "name_folded": "joao silva",
        "name_words": ["joaofilho", "joaos", "joaosilva", "jsilva", "silvajoao"],
        "agnomen": "filho",
        "birth_year": "1980",
        "birth_date": "1980-02-29",
        "birth_day": "02-29",
        "gender": "m",
        "mother_name": "maria silva",
        "phones": ["+5511987654321"],
        "phone_variants": ["551187654321"],
        "phone_locals": ["87654321"],
        "emails": ["joao@example.com"],
        "email_locals": ["joao"],
        "handles": ["instagram:joao.silva"],
        "handle_locals": ["joaosilva"],
        "handle_words": ["joaosilva"],
        "loyalty_ids": ["clube:998877"],
        "documents": ["cpf:39053344705"],
        "device_ids": ["a1b2"],
        "street": "a",
        "house_number": "10",
        "city": "sao paulo",
        "region": "sp",
        "postal_code": "01310100",
        "postal_area": "01310",
        "country": "BR",
        "attributes": ["occupation=dentist"],
    }


def test_the_example_gives_these_values() -> None:
    assert standardize_record(EXAMPLE, BRAZIL).values == {
        "full_name": "João da Silva Filho",
        "given_name": "João",
        "family_name": "da Silva",
        "agnomen": "filho",
        "birth_date": "1980-02-29",
        "gender": "m",
        "address": {
            "street": "Rua A",
            "number": "10",
            "city": "São Paulo",
            "region": "SP",
            "postal_code": "01310-100",
            "country": "BR",
        },
        "attributes": {"occupation": "dentist", "nome_da_mae": "Maria da Silva"},
    }


def test_the_example_gives_these_identifiers() -> None:
    assert standardize_record(EXAMPLE, BRAZIL).identifiers == (
        Identifier("phone", "+5511987654321", "551187654321", True),
        Identifier("email", "joao@example.com", None, False),
        Identifier("handle", "instagram:joao.silva", None, False),
        Identifier("loyalty_id", "clube:998877", None, False),
        Identifier("document", "cpf:39053344705", None, False),
        Identifier("device_id", "a1b2", None, False),
    )


def test_the_example_is_refused_nothing() -> None:
    assert standardize_record(EXAMPLE, BRAZIL).refusals == ()


def test_an_empty_record_gives_nothing() -> None:
    empty = standardize_record({}, BRAZIL)

    assert (empty.values, empty.identifiers, empty.linkage, empty.refusals) == ({}, (), {}, ())


def test_given_and_family_name_make_a_whole_name() -> None:
    columns = linkage(given_name="Ana Maria", family_name="de Souza Lima")

    assert columns["name_folded"] == "ana maria souza lima"
    assert columns["middle_names"] == ["maria", "souza"]
    assert columns["family_name"] == "lima"


def test_the_full_name_decides_when_parts_are_swapped() -> None:
    columns = linkage(
        full_name="Bezerra da Silva, Rafael", given_name="Bezerra da Silva", family_name="Rafael"
    )

    assert (columns["given_name"], columns["family_name"]) == ("rafael", "silva")


def test_the_parts_decide_when_the_full_name_is_one_word() -> None:
    assert linkage(full_name="Ana", given_name="Ana", family_name="Lima")["name_folded"] == "ana lima"


def test_a_family_name_alone_gives_no_given_name() -> None:
    columns = linkage(family_name="Lima")

    assert columns == {"family_name": "lima", "family_sound": "lima", "surname_sounds": ["lima"]}


def test_a_single_word_has_no_folded_name() -> None:
    assert "name_folded" not in linkage(full_name="Cremilda")


def test_an_initial_at_the_end_is_no_family_name() -> None:
    columns = linkage(full_name="Maria R.")

    assert "family_name" not in columns
    assert columns["middle_names"] == ["r"]


def test_the_social_name_is_shown_and_is_one_more_form() -> None:
    record = standardize_record({"full_name": "João Lima", "social_name": "JOANA LIMA"}, BRAZIL)

    assert record.values["social_name"] == "Joana Lima"
    assert record.linkage["given_forms"] == ["joana", "joao"]


def test_a_cut_name_has_no_family_name_and_says_so() -> None:
    record = standardize_record({"full_name": "LORENA REGINALDA DE VISMARA SI"}, BRAZIL)

    assert "family_name" not in record.linkage
    assert record.refusals == (Refusal("/full_name", "truncated"),)


def test_a_mended_email_keeps_both_forms() -> None:
    record = standardize_record({"emails": ["ana.lima@gmial.com"]}, BRAZIL)

    assert record.linkage["emails"] == ["ana.lima@gmial.com", "analima@gmail.com"]
    assert [identifier.value for identifier in record.identifiers] == [
        "analima@gmail.com",
        "ana.lima@gmial.com",
    ]


def test_old_and_new_form_of_a_mobile_share_the_variant() -> None:
    columns = linkage(phones=["11 7654-3210", "11 97654-3210"])

    assert columns["phones"] == ["+551176543210", "+5511976543210"]
    assert columns["phone_variants"] == ["551176543210"]


def test_a_phone_without_area_code_leaves_its_last_digits() -> None:
    record = standardize_record({"phones": ["98765-4321"]}, BRAZIL)

    assert record.linkage == {"phone_locals": ["87654321"]}
    assert record.identifiers == ()
    assert record.refusals == (Refusal("/phones/0", "missing_area_code"),)


def test_settings_complete_a_local_phone() -> None:
    record = standardize_record({"phones": ["98765-4321"]}, SourceSettings(default_area_code="21"))

    assert record.linkage["phones"] == ["+5521987654321"]


def test_settings_tell_the_date_order_and_own_domains() -> None:
    american = SourceSettings("US", None, "mdy", frozenset(("Shop.example.com",)))

    record = standardize_record({"birth_date": "02/03/1980", "emails": ["x@shop.example.com"]}, american)

    assert record.linkage == {"birth_date": "1980-02-03", "birth_year": "1980", "birth_day": "02-03"}
    assert record.refusals == (Refusal("/emails/0", "own_domain"),)


def test_a_birth_after_the_record_spoke_is_refused() -> None:
    assert refusals(occurred_at="2020-01-01T00:00:00Z", birth_date="2021-01-02") == (
        Refusal("/birth_date", "future"),
    )


def test_a_record_without_a_time_is_bounded_by_today() -> None:
    record = Standardizer(BRAZIL, today=date(2026, 11, 22)).standardize({"birth_date": "2027-01-02"})

    assert record.refusals == (Refusal("/birth_date", "future"),)


def test_of_an_impossible_date_the_year_is_kept() -> None:
    record = standardize_record({"birth_date": "31/02/1980"}, BRAZIL)

    assert record.linkage == {"birth_year": "1980"}
    assert record.refusals == (Refusal("/birth_date", "invalid"),)


def test_documents_are_parted_by_how_sure_they_are() -> None:
    columns = linkage(
        documents=[
            {"type": "cpf", "number": "390.533.447-05"},
            {"type": "passport", "number": "AB123456"},
            {"type": "cnpj", "number": "12ABC34501DE35"},
        ]
    )

    assert columns == {"documents": ["cpf:39053344705"], "other_documents": ["passport:ab123456"]}


def test_whatsapp_user_ids_are_a_kind_of_their_own_wherever_they_come() -> None:
    columns = linkage(
        phones=["BR.1a2B3c"], handles=[{"network": "whatsapp", "handle": "BR.9z"}], whatsapp_bsuids=["PT.77"]
    )

    assert columns == {"whatsapp_bsuids": ["BR.1a2B3c", "BR.9z", "PT.77"]}


def test_a_scoped_id_is_kept_beside_the_handle() -> None:
    columns = linkage(handles=[{"network": "instagram", "handle": "ana_lima", "scoped_id": "178414"}])

    assert columns["handles"] == ["instagram:ana_lima", "instagram:id:178414"]


@pytest.mark.parametrize("verified", [["phones"], ["/phones/1"]])
def test_a_verified_mention_beats_an_unverified_one(verified: list[str]) -> None:
    record = standardize_record(
        {"phones": ["11987654321", "+55 11 98765-4321"], "verified": verified}, BRAZIL
    )

    assert record.identifiers == (Identifier("phone", "+5511987654321", "551187654321", True),)


ABSURD: dict[str, tuple[dict[str, object], list[tuple[str, str]]]] = {
    "not a number": ({"full_name": math.nan}, [("/full_name", "invalid")]),
    "infinity": ({"phones": [math.inf]}, [("/phones/0", "invalid")]),
    "truth value": ({"gender": True}, [("/gender", "invalid")]),
    "list for text": ({"full_name": ["Ana"]}, [("/full_name", "invalid")]),
    "nested list": ({"phones": [["11987654321"]]}, [("/phones/0", "invalid")]),
    "mapping for text": ({"emails": [{"address": "a"}]}, [("/emails/0", "invalid")]),
    "megabyte": ({"full_name": "a" * 1_000_000}, [("/full_name", "too_long")]),
    "megabyte of phone": ({"phones": ["1" * 1_000_000]}, [("/phones/0", "too_long")]),
    "surrogate": ({"full_name": "\ud800"}, []),
    "NUL": ({"emails": ["\x00"]}, []),
    "text for address": ({"address": "Rua A, 10"}, [("/address", "invalid")]),
    "list for attributes": ({"attributes": ["a"]}, [("/attributes", "invalid")]),
    "nested attribute": ({"attributes": {"a/b": {"c": 1}}}, [("/attributes/a~1b", "invalid")]),
    "handle without a network": ({"handles": ["joao.silva"]}, [("/handles/0", "unknown_network")]),
    "number for a list": ({"phones": 5}, [("/phones", "invalid")]),
    "verified is no list": ({"verified": {"phones": True}}, []),
}


@pytest.mark.parametrize(("record", "expected"), ABSURD.values(), ids=ABSURD)
def test_absurd_input_is_refused_by_pointer(
    record: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    outcome = standardize_record(record, BRAZIL)

    assert [(refusal.field, refusal.reason) for refusal in outcome.refusals] == expected
    assert outcome.identifiers == ()


def test_phones_as_numbers_count() -> None:
    assert linkage(phones=[11987654321, 11987654322.0])["phones"] == ["+5511987654321", "+5511987654322"]


def test_a_lone_value_counts_as_a_list_of_one() -> None:
    assert linkage(phones="11987654321")["phones"] == ["+5511987654321"]


def test_ten_thousand_phones_are_capped() -> None:
    record = standardize_record({"phones": [f"119876{n:05}" for n in range(10_000)]}, BRAZIL)

    assert len(record.identifiers) == 50
    assert record.refusals == (Refusal("/phones/50", "too_many"),)


def test_a_thousand_attributes_are_capped() -> None:
    record = standardize_record({"attributes": {f"k{n}": "v" for n in range(1000)}}, BRAZIL)

    assert len(record.linkage["attributes"]) == 32
    assert record.refusals == (Refusal("/attributes", "too_many"),)


def test_a_record_that_is_no_mapping_is_refused() -> None:
    assert standardize_record(["Ana"], BRAZIL).refusals == (Refusal("", "invalid"),)  # type: ignore[arg-type]


LOOKUPS: dict[str, tuple[str, object, Identifier | Refusal]] = {
    "phone": ("phone", "11 98765-4321", Identifier("phone", "+5511987654321", "551187654321", False)),
    "email": ("email", "Ana@Example.com", Identifier("email", "ana@example.com", None, False)),
    "mended email": ("email", "ana@gmial.com", Identifier("email", "ana@gmail.com", None, False)),
    "handle": ("handle", "instagram:@Ana", Identifier("handle", "instagram:ana", None, False)),
    "handle by URL": (
        "handle",
        "https://instagram.com/ana/",
        Identifier("handle", "instagram:ana", None, False),
    ),
    "handle in parts": (
        "handle",
        {"network": "x", "handle": "ana"},
        Identifier("handle", "x:ana", None, False),
    ),
    "network as kind": ("instagram", "@ana", Identifier("handle", "instagram:ana", None, False)),
    "loyalty": ("loyalty_id", "clube:998877", Identifier("loyalty_id", "clube:998877", None, False)),
    "document": ("document", "cpf:390.533.447-05", Identifier("document", "cpf:39053344705", None, False)),
    "document type as kind": (
        "cpf",
        "390.533.447-05",
        Identifier("document", "cpf:39053344705", None, False),
    ),
    "device": ("device_id", "a1b2", Identifier("device_id", "a1b2", None, False)),
    "WhatsApp id": ("whatsapp_bsuid", "BR.1a", Identifier("whatsapp_bsuid", "BR.1a", None, False)),
    "junk": ("phone", "00000000000", Refusal("/value", "junk")),
    "unknown kind": ("fax", "11 98765-4321", Refusal("/value", "unknown_kind")),
    "nothing": ("email", None, Refusal("/value", "empty")),
    "nested": ("email", [["a"]], Refusal("/value", "invalid")),
}


@pytest.mark.parametrize(("kind", "raw", "expected"), LOOKUPS.values(), ids=LOOKUPS)
def test_lookup_is_standardized_as_a_record_would_be(
    kind: str, raw: object, expected: Identifier | Refusal
) -> None:
    assert standardize_identifier(kind, raw, BRAZIL) == expected


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.sampled_from(
        ["11 98765-4321", "ana@gmial.com", "SILVA, João", "31/02/1980", "cpf", "390.533.447-05"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    *("full_name", "given_name", "family_name", "social_name", "birth_date", "gender", "phones", "emails"),
    *("handles", "loyalty_ids", "documents", "device_ids", "whatsapp_bsuids", "address", "attributes"),
    *("verified", "occurred_at"),
]
TYPED_ITEMS = st.lists(
    st.dictionaries(
        st.sampled_from(["network", "handle", "program", "number", "type", "scoped_id"]), JSON, max_size=3
    ),
    max_size=3,
)
ADDRESSES = st.dictionaries(
    st.sampled_from(["street", "number", "district", "city", "region", "postal_code", "country"]),
    JSON,
    max_size=7,
)
RECORDS = st.dictionaries(st.sampled_from(FIELDS), JSON | TYPED_ITEMS | ADDRESSES, max_size=8)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS)
def test_no_record_raises_and_all_that_comes_out_is_plain_json(record: dict[str, object]) -> None:
    outcome = standardize_record(record, BRAZIL)

    assert json.dumps([outcome.values, outcome.linkage], allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert all(
        value and value == sorted(set(value)) for value in outcome.linkage.values() if isinstance(value, list)
    )
    assert all(value for value in outcome.linkage.values())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RECORDS, max_size=4))
def test_remembering_changes_nothing(records: list[dict[str, object]]) -> None:
    remembering = Standardizer(BRAZIL, cache_size=2)

    twice = [remembering.standardize(record) for record in records + records]

    assert twice == [standardize_record(record, BRAZIL) for record in records + records]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RECORDS, max_size=4))
def test_records_together_come_out_as_they_do_alone(records: list[dict[str, object]]) -> None:
    of_claims = SourceSettings(claims=True)

    together = Standardizer(of_claims).standardize_all(records)

    assert together == [standardize_record(record, of_claims) for record in records]


@pytest.mark.skipif(not DATA.is_dir(), reason="the labelled sets are not beside the project")
@pytest.mark.parametrize(
    "name", ["omni_share_10k", "splink_historical_50k", "febrl3", "splink_fake_1000", "rosas_br_silver"]
)
def test_of_the_labelled_sets_little_is_refused(name: str) -> None:
    standardizer = Standardizer(BRAZIL)
    with gzip.open(DATA / name / "records.jsonl.gz") as lines:
        records = [json.loads(line) for _, line in zip(range(2000), lines, strict=False)]

    outcomes = [standardizer.standardize(record) for record in records]

    assert sum(len(outcome.refusals) for outcome in outcomes) < 0.15 * len(records)
    assert sum("given_name" in outcome.linkage for outcome in outcomes) > 0.8 * len(records)


def test_a_birth_date_of_another_age_is_no_value_of_a_record_that_says_when_it_spoke() -> None:
    refused = (Refusal("/birth_date", "out_of_range"),)

    assert refusals(occurred_at="2026-01-01T00:00:00Z", birth_date="1700-01-01") == refused
    assert standardize_record({"birth_date": "1857-02-10"}, BRAZIL).values["birth_date"] == "1857-02-10"
    late = standardize_record({"occurred_at": "2026-01-01T00:00:00Z", "birth_date": "1861-02-79"}, BRAZIL)
    assert "birth_date" not in late.values
