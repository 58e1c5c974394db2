"""What anybody can type into a form gains nobody's profile when records come one by one either."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from cdp.identity.models import insert_model, replace_activation
from cdp.identity.resolve import resolve_all
from cdp.identity.sources import NewSource, insert_sources
from cdp.identity.verify import verify_store
from cdp.realtime.incoming import take_record
from cdp.realtime.ingest import Resolver, ingest_records
from cdp.realtime.known_sources import select_known_sources
from cdp.realtime.online_models import OnlineModels
from cdp.store import read, write
from resolution.standardize import SourceSettings
from tests.cdp.realtime.feeding import NOW, a_record, findings
from tests.resolution.builders import prior_model

CPF = {"type": "cpf", "number": "390.533.447-05"}
JOAO: dict[str, Any] = {
    "full_name": "João Pereira da Silva",
    "emails": ["joao@example.com"],
    "documents": [CPF],
}
RECORDS = [
    a_record("crm", **JOAO, birth_date="1980-02-29"),
    a_record("till", **JOAO, phones=["11 98765-4321"]),
    a_record("mara", full_name="Mara Lopes", phones=["21 99876-1234"]),
    a_record("named", source="web", full_name="Joao Silva", emails=["joao@example.com"]),
    a_record("email", source="web", emails=["joao@example.com"]),
    a_record("email again", source="web", emails=["joao@example.com"]),
    a_record("cpf", source="web", documents=[CPF]),
    a_record("bot", source="web", phones=["21 99876-1234"], emails=["joao@example.com"], verified=["phones"]),
]
PEOPLE = [["bot", "mara"], ["cpf"], ["crm", "named", "till"], ["email", "email again"]]


@pytest.fixture
def resolver(store: Engine) -> Resolver:
    """The shipped model in force; `shop` knows, in `web` the public types."""
    with write(store) as connection:
        insert_model(connection, prior_model(), label="people", report={}, seed=0, record_count=0, now=NOW)
        replace_activation(connection, 0, author="test", reason="shipped", now=NOW)
        new = [NewSource("shop", SourceSettings()), NewSource("web", SourceSettings(claims=True))]
        insert_sources(connection, new, now=NOW)
    return Resolver(store, OnlineModels())


def ingest(resolver: Resolver, *raws: dict[str, Any]) -> None:
    with read(resolver.engine) as connection:
        sources = select_known_sources(connection, raws, allowed=None)
    for raw in raws:
        ingest_records(resolver, [take_record(raw, sources, now=NOW)], author="test", now=NOW)


def named_people(store: Engine) -> list[list[str]]:
    return sorted(sorted(key for _, key in keys) for keys in findings(store).people)


@pytest.mark.parametrize("step", [1, -1], ids=["owners first", "claims first"])
def test_claims_one_by_one_gain_nothing_and_ask_nobody(resolver: Resolver, step: int) -> None:
    ingest(resolver, *RECORDS[::step])

    assert named_people(resolver.engine) == PEOPLE
    assert findings(resolver.engine).candidates == []


def test_the_batch_finds_the_same(resolver: Resolver) -> None:
    ingest(resolver, *RECORDS)
    one_by_one = findings(resolver.engine)

    resolve_all(resolver.engine, clock=lambda: NOW)

    assert findings(resolver.engine) == one_by_one
    assert verify_store(resolver.engine).breaches == []
