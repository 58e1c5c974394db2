"""What a record of a source of claims merely claims."""

from __future__ import annotations

from typing import Any

import pytest

from resolution.standardize import SourceSettings, standardize_record

CLAIMS = SourceSettings(claims=True)
FULL: dict[str, Any] = {
    "full_name": "João da Silva",
    "phones": ["11 8765-4321"],
    "emails": ["joao@example.com"],
    "handles": [{"network": "instagram", "handle": "@joao.silva", "scoped_id": "178414000"}],
    "loyalty_ids": [{"program": "clube", "number": "998877"}],
    "documents": [{"type": "cpf", "number": "390.533.447-05"}, {"type": "passport", "number": "AB123456"}],
    "device_ids": ["a1b2"],
    "whatsapp_bsuids": ["BR.1a2B3c"],
}


def claimed(**record: Any) -> list[str] | None:
    found = standardize_record(record, CLAIMS).linkage.get("claimed")
    assert not isinstance(found, str)
    return found


def digest(**record: Any) -> str | None:
    found = standardize_record(record, CLAIMS).linkage.get("claim_digest")
    assert not isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param({"full_name": "João da Silva"}, None, id="no identifier"),
        pytest.param({"emails": ["nao@tem.com"]}, None, id="junk"),
        pytest.param({"emails": ["Joao@Example.com"]}, ["email:joao@example.com"], id="standardized"),
        pytest.param({"phones": ["11 8765-4321"]}, ["phone:551187654321"], id="a phone by its variant key"),
        pytest.param(
            {"emails": ["joao@gmial.com"]},
            ["email:joao@gmail.com", "email:joao@gmial.com"],
            id="an address mended and as typed",
        ),
        pytest.param(
            {"phones": ["11 98765-4321"], "emails": ["a@example.com"], "verified": ["phones"]},
            ["email:a@example.com"],
            id="less what is verified",
        ),
        pytest.param(
            {"phones": ["11 98765-4321", "21 99876-1234"], "verified": ["/phones/1"]},
            ["phone:551187654321"],
            id="less the one that is verified",
        ),
        pytest.param(
            {"phones": ["11 98765-4321", "11 8765-4321"], "verified": ["/phones/1"]},
            None,
            id="one line, verified once",
        ),
        pytest.param({"emails": ["a@example.com"], "verified": ["emails"]}, None, id="all is verified"),
    ],
)
def test_what_nobody_verified_is_claimed(record: dict[str, Any], expected: list[str] | None) -> None:
    assert claimed(**record) == expected


def test_identifiers_of_every_kind_are_claimed() -> None:
    assert claimed(**FULL) == [
        "device_id:a1b2",
        "document:cpf:39053344705",
        "document:passport:ab123456",
        "email:joao@example.com",
        "handle:instagram:id:178414000",
        "handle:instagram:joao.silva",
        "loyalty_id:clube:998877",
        "phone:551187654321",
        "whatsapp_bsuid:BR.1a2B3c",
    ]


def test_other_sources_claim_nothing() -> None:
    columns = standardize_record(FULL, SourceSettings()).linkage

    assert not {"claimed", "claim_digest"} & columns.keys()


def test_claims_change_no_other_column() -> None:
    without = standardize_record(FULL, SourceSettings())

    record = standardize_record(FULL, CLAIMS)

    added = {"claimed", "claim_digest"}
    assert {name: value for name, value in record.linkage.items() if name not in added} == without.linkage
    assert (record.values, record.identifiers) == (without.values, without.identifiers)


def test_records_that_say_the_same_have_one_digest() -> None:
    assert digest(emails=["joao@example.com"]) == digest(emails=[" JOAO@example.com"], source_record_id="2")


@pytest.mark.parametrize(
    "more",
    [
        {"full_name": "João"},
        {"phones": ["11 98765-4321"]},
        {"attributes": {"interest": "golf"}},
        {"address": {"city": "Recife"}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_record_that_says_more_has_another_digest(more: dict[str, Any]) -> None:
    assert digest(emails=["joao@example.com"], **more) not in (None, digest(emails=["joao@example.com"]))


def test_a_record_with_something_verified_has_no_digest() -> None:
    assert digest(emails=["joao@example.com"], phones=["11 98765-4321"], verified=["phones"]) is None
