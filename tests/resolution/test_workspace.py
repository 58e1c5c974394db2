"""Loading records, and parting values that many people hold."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from resolution import (
    FailedConditionError,
    load_records,
    open_workspace,
    parse_specification,
    part_shared_values,
)
from resolution.columns import LINKAGE_COLUMNS
from resolution.workspace import ROW_GROUP
from tests.resolution.builders import (
    SHIPPED,
    SMALL,
    SMALL_TEXT,
    Linkage,
    a_person,
    a_record,
    people_records,
    records_of,
    rows,
    workspace_of,
)

NAMES = ["ana", "bia", "caio", "davi", "eva", "fabio"]
CLASSES = "SELECT column_name, value, holder_count, sharing FROM value_classes ORDER BY ALL"
EMAILS = "SELECT record_id, emails, shared_emails FROM records ORDER BY record_id"


def holders_of(email: str, names: Sequence[str | None]) -> list[Linkage]:
    return [a_person(given_sound=name, emails=[email]) for name in names]


def test_every_linkage_column_arrives_as_it_was_sent() -> None:
    sent = a_person("josé", "d'ávila", phones=["1", "2"], city='são "x"', attributes=["a=\t", "b=\U0001f600"])

    with workspace_of(records_of([sent])) as connection:
        [found] = rows(connection, "SELECT * EXCLUDE (record_key_rank, record_id, linkage_hash) FROM loaded")

    assert {name: value for name, value in zip(LINKAGE_COLUMNS, found, strict=True) if value} == sent


def test_chunks_may_be_empty_and_of_any_size() -> None:
    first, second, third = records_of([a_person(), a_person(), a_person()])

    with open_workspace() as connection:
        count = load_records(connection, [[], [first], [second, third], []])

        assert count == 3
        assert rows(connection, "SELECT record_id FROM loaded ORDER BY 1") == [(1,), (2,), (3,)]


def test_more_records_than_a_row_group_holds_arrive_with_their_ranks() -> None:
    count = ROW_GROUP + 20_000
    records = [a_record(record_id, {"city": f"c{record_id % 7}"}) for record_id in range(1, count + 1)]
    chunks = [records[start : start + 50_000] for start in range(0, count, 50_000)]

    with open_workspace() as connection:
        loaded = load_records(connection, chunks)
        found = rows(
            connection,
            "SELECT count(*), count(DISTINCT record_id), count(city), bool_and(record_key_rank = record_id) "
            "FROM loaded",
        )

    assert loaded == count
    assert found == [(count, count, count, True)]


def test_records_that_say_the_same_have_one_hash_and_others_another() -> None:
    said = [a_person(phones=["1", "2"]), a_person(phones=["1", "2"]), a_person(phones=["1"]), a_person(), {}]

    with open_workspace() as connection:
        load_records(connection, [records_of(said)])
        hashes = rows(connection, "SELECT linkage_hash FROM loaded ORDER BY record_id")

    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 4


def test_a_record_without_linkage_columns_is_a_record() -> None:
    with workspace_of([a_record(1, {})]) as connection:
        assert rows(connection, "SELECT record_id, given_name, phones FROM records") == [(1, None, None)]


def test_what_else_the_standardized_record_holds_is_left_alone() -> None:
    text = '{"values":{"full_name":"Ana"},"linkage":{"given_name":"ana","new_column":["x"]},"refusals":[]}'

    with open_workspace() as connection:
        load_records(connection, [[(1, "crm", "1", text)]])

        assert rows(connection, "SELECT given_name FROM loaded") == [("ana",)]


def test_the_rank_is_the_order_of_source_and_record_key_by_code_point() -> None:
    keys = [
        ("b", "1"),
        ("a", "é"),
        ("a", "z"),
        ("a", "Z"),
        ("a", "10"),
        ("a", "9"),
        ("B", "1"),
        ("a", "\U0001f600"),
    ]
    records = [a_record(n, {}, source=source, key=key) for n, (source, key) in enumerate(keys, start=1)]

    with open_workspace() as connection:
        load_records(connection, [records])
        ranked = rows(connection, "SELECT record_id FROM loaded ORDER BY record_key_rank")
        ranks = rows(connection, "SELECT record_key_rank FROM loaded ORDER BY 1")

    assert [keys[record_id - 1] for (record_id,) in ranked] == sorted(keys)
    assert ranks == [(number,) for number in range(1, len(keys) + 1)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["ana", "bia"], []),
        (["ana", "bia", "ana", "bia", "ana"], []),
        (["ana", "bia", None, None, None], []),
        (["ana", "bia", "caio"], [("emails", "x@example.com", 3, "shared")]),
        (["ana", "bia", "caio", "davi"], [("emails", "x@example.com", 4, "shared")]),
        (["ana", "bia", "caio", "davi", "eva"], [("emails", "x@example.com", 5, "generic")]),
    ],
    ids=[
        "at the limit",
        "names repeat",
        "records without names",
        "over the limit",
        "at generic",
        "over generic",
    ],
)
def test_a_value_is_classed_by_the_first_names_that_hold_it(
    names: list[str | None], expected: list[tuple[str, str, int, str]]
) -> None:
    with workspace_of(records_of(holders_of("x@example.com", names)), SMALL) as connection:
        assert rows(connection, CLASSES) == expected


def test_a_shared_value_moves_to_its_own_column_and_the_others_stay() -> None:
    household = holders_of("casa@example.com", NAMES[:3])
    household[0]["emails"] = ["ana@example.com", "casa@example.com"]

    with workspace_of(records_of(household), SMALL) as connection:
        assert rows(connection, EMAILS) == [
            (1, ["ana@example.com"], ["casa@example.com"]),
            (2, None, ["casa@example.com"]),
            (3, None, ["casa@example.com"]),
        ]


def test_a_generic_value_vanishes_and_the_others_stay() -> None:
    shop = holders_of("loja@example.com", NAMES[:5])
    shop[0]["emails"] = ["ana@example.com", "loja@example.com"]

    with workspace_of(records_of(shop), SMALL) as connection:
        assert rows(connection, EMAILS) == [(1, ["ana@example.com"], None)] + [
            (n, None, None) for n in range(2, 6)
        ]


@pytest.mark.parametrize(
    ("holder_count", "classes"),
    [
        (0, [("emails", "x@example.com", 0, "shared", True)]),
        (1, [("emails", "x@example.com", 1, "shared", True)]),
        (3, [("emails", "x@example.com", 3, "shared", True)]),
        (5, [("emails", "x@example.com", 5, "generic", True)]),
    ],
)
def test_a_held_value_is_shared_at_least(holder_count: int, classes: list[tuple[object, ...]]) -> None:
    records = records_of(holders_of("x@example.com", NAMES[:holder_count]))
    held = {("emails", "x@example.com"), ("phones", "x@example.com")}

    with open_workspace() as connection:
        load_records(connection, [records])
        part_shared_values(connection, SMALL, held)

        assert rows(connection, "SELECT * FROM value_classes") == classes
        assert rows(connection, "SELECT count(*) FROM records WHERE emails IS NOT NULL") == [(0,)]


def test_the_same_text_in_another_column_is_another_value() -> None:
    people = [a_person(given_sound=name, documents=["x"], phones=["x"]) for name in NAMES[:4]]

    with workspace_of(records_of(people), SHIPPED) as connection:
        assert rows(connection, CLASSES) == [("documents", "x", 4, "shared")]
        assert rows(connection, "SELECT DISTINCT phones, documents, shared_documents FROM records") == [
            (["x"], None, ["x"])
        ]


@pytest.mark.parametrize(
    "table", ["", "[sharing.device_ids]\nshared = 1\ngeneric = 2\n"], ids=["none", "another"]
)
def test_without_limits_values_stay_and_the_columns_of_shared_ones_are_there(table: str) -> None:
    text = SMALL_TEXT.replace("[sharing.emails]\nshared = 2\ngeneric = 4\n", table)

    with workspace_of(
        records_of(holders_of("x@example.com", NAMES)), parse_specification(text)
    ) as connection:
        assert rows(connection, CLASSES) == []
        assert rows(connection, EMAILS) == [(n, ["x@example.com"], None) for n in range(1, 7)]


def test_the_order_of_the_records_changes_nothing() -> None:
    records = people_records(40, seed=5) + [
        a_record(1000 + n, linkage) for n, linkage in enumerate(holders_of("x@example.com", NAMES))
    ]
    shuffled = random.Random(1).sample(records, len(records))

    with open_workspace() as one, open_workspace() as other:
        load_records(one, [records])
        part_shared_values(one, SHIPPED)
        load_records(other, [shuffled[:7], shuffled[7:]])
        part_shared_values(other, SHIPPED)

        for statement in ("SELECT * FROM records ORDER BY record_id", CLASSES):
            assert rows(one, statement) == rows(other, statement)


def test_an_empty_workspace_has_all_tables() -> None:
    with workspace_of([]) as connection:
        assert rows(connection, "SHOW TABLES") == [("loaded",), ("records",), ("value_classes",)]


def test_the_spill_directory_is_gone_afterwards() -> None:
    with open_workspace() as connection:
        [(spill,)] = rows(connection, "SELECT current_setting('temp_directory')")
        assert Path(spill).is_dir()

    assert not Path(spill).exists()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT CAST(name AS INTEGER) FROM (SELECT 'ana' AS name)",
        "SELECT 1 // length(name[5:]) FROM (SELECT 'ana' AS name)",
        "SELECT hamming(name, 'a') FROM (SELECT 'ana' AS name)",
        "SELECT strptime(name, '%Y') FROM (SELECT 'ana' AS name)",
    ],
    ids=["cast", "division", "distance", "date"],
)
def test_what_fails_on_a_value_is_told_without_it(statement: str) -> None:
    with pytest.raises(FailedConditionError) as told, open_workspace() as connection:
        connection.execute(statement).fetchall()

    assert "TRY_CAST" in str(told.value)
    assert "ana" not in str(told.value)
