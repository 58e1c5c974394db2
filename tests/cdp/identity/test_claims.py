"""What anybody can type into a form gains nobody's profile: from the file to the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from cdp.identity.verify import verify_store
from tests.cdp.identity.importing import run_import, write_lines
from tests.cdp.identity.resolving import people, resolve, rows

MAPPING = "[source]\nclaims = true\n"
JOAO = {"full_name": "João Pereira da Silva", "birth_date": "1980-02-29", "emails": ["joao@example.com"]}


def import_into(store: Engine, directory: Path, source: str, records: dict[str, Any], toml: str = "") -> None:
    """Records by their keys, dated by their place so that a later import replaces an earlier one."""
    path = write_lines(
        directory / f"{source}.jsonl",
        *(
            {"source": source, "source_record_id": key, "occurred_at": "2026-01-01T00:00:00Z", **values}
            for key, values in records.items()
        ),
    )
    report = run_import(store, path, toml=toml)
    assert report.totals()["rejected"] == 0


def test_a_newsletter_gains_nobodys_profile(store: Engine, tmp_path: Path) -> None:
    import_into(
        store, tmp_path, "crm", {"joao": JOAO, "joao at the till": {**JOAO, "phones": ["11 98765-4321"]}}
    )
    signups = {
        "a": {"emails": ["joao@example.com"]},
        "b": {"emails": ["Joao@example.com"]},
        "c": {"emails": ["joao@example.com"], "given_name": "João", "attributes": {"interest": "golf"}},
        "d": {"emails": ["joao@example.com"], "phones": ["11 98765-4321"], "gender": "m"},
        "named": {"emails": ["joao@example.com"], "full_name": "Joao Silva"},
    }
    import_into(store, tmp_path, "newsletter", signups, MAPPING)

    resolve(store)

    assert people(store) == {
        frozenset({"joao", "joao at the till", "named"}),
        frozenset({"a", "b"}),
        frozenset({"c"}),
        frozenset({"d"}),
    }
    assert rows(store, "merge_candidates") == []
    assert verify_store(store).breaches == []


def test_a_claim_joins_once_it_is_verified(store: Engine, tmp_path: Path) -> None:
    import_into(store, tmp_path, "crm", {"joao": JOAO})
    import_into(store, tmp_path, "newsletter", {"a": {"emails": ["joao@example.com"]}}, MAPPING)
    resolve(store)
    before = people(store)
    confirmed = {
        "emails": ["joao@example.com"],
        "verified": ["emails"],
        "occurred_at": "2026-02-01T00:00:00Z",
    }
    import_into(store, tmp_path, "newsletter", {"a": confirmed})

    resolve(store)

    assert before == {frozenset({"joao"}), frozenset({"a"})}
    assert people(store) == {frozenset({"joao", "a"})}


def test_a_bot_that_reads_the_number_claims_the_rest(store: Engine, tmp_path: Path) -> None:
    import_into(
        store,
        tmp_path,
        "crm",
        {"joao": JOAO, "mara": {"full_name": "Mara Lopes", "phones": ["21 99876-1234"]}},
    )
    asked = {"phones": ["5521998761234"], "emails": ["joao@example.com"], "verified": ["phones"]}
    import_into(store, tmp_path, "bot", {"call": asked}, MAPPING)

    resolve(store)

    assert people(store) == {frozenset({"joao"}), frozenset({"mara", "call"})}
