"""Each check of `cdp verify` finds the breach it is there for; a sound store has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Executable, delete, insert, select, update

from cdp.identity.activate import activate_model
from cdp.identity.verify import TOLD, verify_store
from cdp.identity.verify_people import clashing_type
from cdp.privacy.audit import seal_audit
from cdp.store import schema, write
from tests.cdp.identity.importing import run_import, write_lines
from tests.cdp.identity.resolving import (
    ANA,
    BRUNO,
    LATER,
    LATEST,
    NOW,
    a_record,
    add_records,
    constrain,
    counts,
    delete_record,
    lift_constraints,
    profile_of,
    resolve,
    rows,
)
from tests.cdp.identity.test_resolve import copy_model

profiles, memberships, moves = schema.profiles, schema.memberships, schema.ledger_moves
events = schema.outbox_events


def breaches(store: Engine, *, partition: bool = False) -> list[tuple[str, str]]:
    return [(each.check, each.message) for each in verify_store(store, partition=partition).breaches]


def checks_broken(store: Engine) -> set[str]:
    return {check for check, _ in breaches(store)}


def test_a_sound_store_has_no_breach(three_people: Engine) -> None:
    verification = verify_store(three_people)

    assert verification.breaches == []
    assert verification.checks["partition"] == 0


def test_a_store_without_records_is_sound(store: Engine) -> None:
    verification = verify_store(store)

    assert verification.breaches == []
    assert verification.skipped == {"partition": "nothing was resolved yet"}


def test_verifying_writes_nothing(three_people: Engine) -> None:
    before = counts(three_people, schema.metadata.tables)

    verify_store(three_people)

    assert counts(three_people, schema.metadata.tables) == before


def test_a_record_in_no_profile(three_people: Engine) -> None:
    add_records(three_people, a_record("d1", {"full_name": "Davi Moura"}))

    assert breaches(three_people) == [("memberships", "record 5 is in no profile: run `cdp resolve`")]


def test_breaches_beyond_a_number_are_counted(three_people: Engine) -> None:
    add_records(three_people, *(a_record(f"d{number}", {"full_name": "Davi"}) for number in range(TOLD + 3)))

    verification = verify_store(three_people, partition=False)

    assert verification.checks["memberships"] == TOLD + 3
    assert verification.breaches[-1].message == "... and 3 more of this kind"


def test_a_record_in_a_profile_that_is_not_live(three_people: Engine) -> None:
    bruno = profile_of(three_people, "b1")
    change(three_people, update(profiles).where(profiles.c.profile_id == bruno).values(state="empty"))

    assert ("memberships", f"record 3 is in profile {bruno}, which is empty") in breaches(three_people)


def test_a_deleted_record_in_a_profile(three_people: Engine) -> None:
    records = schema.source_records
    change(three_people, update(records).where(records.c.record_id == 3).values(deleted_at=LATER))

    assert checks_broken(three_people) == {"memberships"}


def test_a_wrong_record_count(three_people: Engine) -> None:
    bruno = profile_of(three_people, "b1")
    change(three_people, update(profiles).where(profiles.c.profile_id == bruno).values(record_count=7))

    assert breaches(three_people) == [
        ("record_counts", f"profile {bruno} is live, says 7 records, has 1"),
    ]


def test_absorbed_ids_in_a_circle(three_people: Engine) -> None:
    ana, bruno = profile_of(three_people, "a1"), profile_of(three_people, "b1")
    for profile_id, other in ((ana, bruno), (bruno, ana)):
        change(
            three_people,
            update(profiles)
            .where(profiles.c.profile_id == profile_id)
            .values(state="absorbed", absorbed_into=other),
        )

    assert ("ids", f"profile {ana} was absorbed in a circle") in breaches(three_people)


def test_a_membership_that_the_ledger_does_not_give(three_people: Engine) -> None:
    ana, bruno = profile_of(three_people, "a1"), profile_of(three_people, "b1")
    change(
        three_people,
        update(memberships).where(memberships.c.record_id == 2).values(profile_id=bruno),
        update(profiles).where(profiles.c.profile_id == ana).values(record_count=1),
        update(profiles).where(profiles.c.profile_id == bruno).values(record_count=2),
    )

    found = breaches(three_people)
    assert ("ledger", f"the ledger has record 2 in {ana}, it is in {bruno}") in found
    assert ("effects", f"record 2 entered profile {bruno} without a move in the ledger") in found


def test_a_move_from_where_the_record_was_not(three_people: Engine) -> None:
    bruno = profile_of(three_people, "b1")
    change(three_people, update(moves).where(moves.c.record_id == 4).values(from_profile_id=bruno))

    [(check, message)] = breaches(three_people)

    assert check == "ledger"
    assert message.endswith("moves record 4 from where it was not")


def test_a_ledger_entry_that_moved_nothing(three_people: Engine) -> None:
    entry = {"kind": "attach", "profile_id": profile_of(three_people, "b1"), "author": "x", "reason": "x"}
    change(three_people, insert(schema.ledger_entries).values(**entry, evidence="{}", recorded_at=NOW))

    assert checks_broken(three_people) == {"effects", "outbox"}


def test_a_ledger_entry_without_its_event(three_people: Engine) -> None:
    bruno = profile_of(three_people, "b1")
    [entry] = [each for each in rows(three_people, "ledger_entries") if each["profile_id"] == bruno]
    change(three_people, delete(events).where(events.c.subject_id == bruno))

    assert breaches(three_people) == [
        ("outbox", f"no event of profile {bruno} tells of ledger entry {entry['ledger_entry_id']}")
    ]


@pytest.mark.parametrize(
    "values",
    [{"payload": '{"ledger_entry_ids": [99]}'}, {"created_at": LATER}, {"subject_id": "pf_other"}],
    ids=["names another entry", "of another moment", "of another profile"],
)
def test_an_event_that_is_not_the_entrys_own(three_people: Engine, values: dict[str, Any]) -> None:
    bruno = profile_of(three_people, "b1")
    change(three_people, update(events).where(events.c.subject_id == bruno).values(values))

    assert checks_broken(three_people) == {"outbox"}


def test_every_kind_of_ledger_entry_has_its_event(three_people: Engine) -> None:
    constrain(three_people, "must", "b1", "c1")
    resolve(three_people, now=LATER)
    lift_constraints(three_people, now=LATER)
    delete_record(three_people, "a1", now=LATER)
    resolve(three_people, now=LATEST)

    kinds = {entry["kind"] for entry in rows(three_people, "ledger_entries")}
    assert kinds == {"create", "join", "split", "detach"}
    assert breaches(three_people) == []


def test_an_import_with_all_that_belongs_to_it(store: Engine, tmp_path: Path) -> None:
    import_two(store, tmp_path)

    assert checks_broken(store) == {"memberships"}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("audit_entries", "import 1 has no audit entry"),
        ("outbox_events", "import 1 changed records and has no event"),
    ],
)
def test_an_import_without_its_traces(store: Engine, tmp_path: Path, table: str, told: str) -> None:
    import_two(store, tmp_path)
    change(store, delete(schema.metadata.tables[table]))

    assert ("imports", told) in breaches(store)


def test_records_that_an_import_created_and_that_are_gone(store: Engine, tmp_path: Path) -> None:
    import_two(store, tmp_path)
    for table in (schema.identifiers, schema.blocking_keys, schema.source_records):
        change(store, delete(table).where(table.c.record_id == 2))

    assert ("imports", "imports created 2 records, the store holds 1") in breaches(store)


def test_a_published_run_without_its_audit_entry(three_people: Engine) -> None:
    with write(three_people) as connection:
        run = connection.execute(select(schema.resolution_runs)).mappings().one()
        connection.execute(insert(schema.resolution_runs).values({**run, "run_id": 9}))

    assert breaches(three_people) == [("effects", "run 9 was published without an audit entry")]


def test_a_golden_record_that_its_records_do_not_give(three_people: Engine) -> None:
    bruno = profile_of(three_people, "b1")
    golden = rows(three_people, "profiles")[-1]["golden"]
    change(
        three_people, update(profiles).where(profiles.c.profile_id == bruno).values(golden=json.dumps(golden))
    )

    assert breaches(three_people) == [
        ("golden", f"the golden record of profile {bruno} is not what its records give")
    ]


def test_a_candidate_that_names_other_profiles(three_people: Engine) -> None:
    candidate = {
        "record_id_l": 1,
        "record_id_r": 3,
        "profile_id_l": profile_of(three_people, "a1"),
        "profile_id_r": profile_of(three_people, "c1"),
        "match_weight": 1.0,
        "match_probability": 0.5,
        "reason": "review_band",
        "state": "open",
        "model_version_id": 0,
        "created_at": NOW,
    }
    change(three_people, insert(schema.merge_candidates).values(**candidate))

    assert checks_broken(three_people) == {"candidates"}


def test_a_cannot_link_inside_a_profile(three_people: Engine) -> None:
    constrain(three_people, "cannot", "a1", "a2")

    assert breaches(three_people) == [
        (
            "separation",
            f"records 1 and 2 are cannot-linked and both in profile {profile_of(three_people, 'a1')}",
        )
    ]


def test_two_values_of_an_exclusive_identifier_in_a_profile(three_people: Engine) -> None:
    ana = profile_of(three_people, "a1")
    for record_id, number in ((1, "39053344705"), (2, "52998224725")):
        plant_document(three_people, record_id, f"cpf:{number}")

    assert ("separation", f"profile {ana} holds several values of cpf") in breaches(three_people)


def test_two_values_that_a_steward_put_together_are_no_breach(three_people: Engine) -> None:
    for record_id, number in ((1, "39053344705"), (2, "52998224725")):
        plant_document(three_people, record_id, f"cpf:{number}")
    constrain(three_people, "must", "a1", "a2")

    assert "separation" not in checks_broken(three_people)


def test_an_altered_audit_entry(three_people: Engine) -> None:
    seal_audit(three_people)
    change(three_people, update(schema.audit_entries).values(actor="somebody else"))

    assert breaches(three_people) == [("audit_chain", "the audit chain is broken at position 1: altered")]


def test_profiles_that_a_new_computation_does_not_give(three_people: Engine) -> None:
    constrain(three_people, "must", "b1", "c1")

    found = breaches(three_people, partition=True)

    bruno, clara = sorted([profile_of(three_people, "b1"), profile_of(three_people, "c1")])
    assert found == [("partition", f"records 3, 4 are one person, but in profiles {bruno}, {clara}")]


def test_a_model_that_waits_to_be_applied_is_a_note(three_people: Engine) -> None:
    copy_model(three_people, 0, 1)
    activate_model(three_people, 1, author="lead", reason="better", now=LATER)

    verification = verify_store(three_people)

    assert verification.breaches == []
    assert verification.notes["model"].startswith("model version 1 is in force and waits for `cdp resolve`")


def test_disagreement_is_the_share_of_records_whose_people_differ(three_people: Engine) -> None:
    assert verify_store(three_people).disagreement == 0.0

    constrain(three_people, "must", "b1", "c1")

    assert verify_store(three_people).disagreement == 0.25
    assert verify_store(three_people, partition=False).disagreement is None


@pytest.mark.parametrize(
    ("documents", "must", "expected"),
    [
        ({1: ["cpf:1"], 2: ["cpf:1"]}, [], None),
        ({1: ["cpf:1"], 2: ["nif:1"]}, [], None),
        ({1: ["cpf:1"], 2: ["cpf:2"]}, [], "cpf"),
        ({1: ["cpf:1", "cpf:2"], 2: ["cpf:2"]}, [], None),
        ({1: ["cpf:1"], 2: ["cpf:2"], 3: ["cpf:1"]}, [(1, 2)], None),
        ({1: ["cpf:1"], 2: ["cpf:2"], 3: ["cpf:3"]}, [(1, 2)], "cpf"),
    ],
    ids=["one value", "two types", "two values", "one record says both", "must-linked", "a third value"],
)
def test_values_that_nobody_put_together_clash(
    documents: dict[int, list[str]], must: list[tuple[int, int]], expected: str | None
) -> None:
    assert clashing_type(documents, must) == expected


def change(store: Engine, *statements: Executable) -> None:
    with write(store) as connection:
        for statement in statements:
            connection.execute(statement)


def import_two(store: Engine, directory: Path) -> None:
    run_import(store, write_lines(directory / "a.jsonl", a_record("a1", ANA), a_record("b1", BRUNO)))


def plant_document(store: Engine, record_id: int, document: str) -> None:
    """Let a stored record carry a document, as if it had been joined by mistake."""
    row = {"kind": "document", "value": document, "record_id": record_id, "verified": False}
    records = schema.source_records
    [found] = [each for each in rows(store, "source_records") if each["record_id"] == record_id]
    standardized = found["standardized"]
    standardized["linkage"]["documents"] = [document]
    change(
        store,
        insert(schema.identifiers).values(**row),
        update(records).where(records.c.record_id == record_id).values(standardized=json.dumps(standardized)),
    )
