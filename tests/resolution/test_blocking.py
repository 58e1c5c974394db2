"""Blocking proposes the same pairs in SQL as in Python, each once, and nothing above a cap."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resolution.blocking import (
    add_block_keys,
    add_blocked_pairs,
    create_block_keys,
    drop_block_keys,
)
from resolution.columns import LIST_COLUMNS, SCALAR_COLUMNS
from resolution.keys import blocking_keys, names_somebody
from resolution.specification import BlockingRule
from resolution.workspace import find_nobodies
from tests.resolution.builders import (
    SHIPPED,
    Linkage,
    a_person,
    many_linkages,
    records_of,
    rows,
    whole_records_of,
    workspace_of,
)

EVERY_SHAPE = (
    BlockingRule("text", (("city",),), 60, False),
    BlockingRule("list", (("phones",),), 60, False),
    BlockingRule("text and list", (("city",), ("phones",)), 60, False),
    BlockingRule("list and text", (("phones",), ("city",)), 60, False),
    BlockingRule("list and list", (("phones",), ("emails",)), 60, False),
    BlockingRule("a list with itself", (("phones",), ("phones",)), 60, False),
    BlockingRule("pool of texts", (("city", "street"),), 60, False),
    BlockingRule("pool of lists and a text", (("phones", "city", "emails"), ("street",)), 60, False),
    BlockingRule("pool and pool", (("phones", "city"), ("emails", "street")), 60, False),
)

_values = st.one_of(
    st.sampled_from(["", "a", "b", "\x1f", "a\x1fb", "b\x1fa", "São João", "\U0001f600", "'; DROP", '"']),
    st.text(max_size=4),
)
_lists = st.lists(_values, max_size=3, unique=True).map(sorted)


@st.composite
def blockable(draw: st.DrawFn) -> Linkage:
    """Any value may be missing, empty, or full of separators."""
    columns = {"city": _values, "street": _values, "phones": _lists, "emails": _lists}
    drawn = {column: draw(st.none() | values) for column, values in columns.items()}
    return {column: value for column, value in drawn.items() if value is not None}


def block(connection: duckdb.DuckDBPyConnection, *steps: Sequence[BlockingRule]) -> None:
    create_block_keys(connection)
    for rules in steps:
        for rule in rules:
            add_block_keys(connection, rule)
        add_blocked_pairs(connection, rules)


def proposed(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    return sorted(rows(connection, "SELECT join_key_l, join_key_r FROM blocked_pairs"))


def expected_pairs(linkages: Sequence[Linkage], rules: Sequence[BlockingRule]) -> list[tuple[int, int]]:
    """The definition: two records with a key in common, unless too many others have it too."""
    found = set()
    for rule in rules:
        holders: dict[int, set[int]] = {}
        for record_id, linkage in enumerate(linkages, start=1):
            for key in blocking_keys(linkage, [rule]):
                holders.setdefault(key, set()).add(record_id)
        for members in holders.values():
            if len(members) <= rule.cap:
                found.update(combinations(sorted(members), 2))
    return sorted(found)


@settings(max_examples=15, deadline=None)
@given(st.lists(blockable(), min_size=1, max_size=4))
@example([{"city": "x\x1fy", "phones": ["x", "y"]}, {"city": "x", "phones": ["y\x1fx", "é", "\ud7ff"]}])
def test_python_and_sql_give_the_same_keys(linkages: list[Linkage]) -> None:
    with whole_records_of(linkages) as connection:
        block(connection, EVERY_SHAPE)

        in_sql = rows(connection, "SELECT record_id, blocking_key FROM block_keys")

    in_python = {
        (record_id, key)
        for record_id, linkage in enumerate(linkages, start=1)
        for key in blocking_keys(linkage, EVERY_SHAPE)
    }
    assert set(in_sql) == in_python


@settings(max_examples=2, deadline=None)
@given(many_linkages(size=20))
def test_python_and_sql_give_the_same_keys_under_the_shipped_rules(linkages: list[Linkage]) -> None:
    with whole_records_of(linkages) as connection:
        block(connection, SHIPPED.blocking_rules)

        in_sql = rows(connection, "SELECT record_id, blocking_key FROM block_keys")

    in_python = {
        (record_id, key)
        for record_id, linkage in enumerate(linkages, start=1)
        for key in blocking_keys(linkage, SHIPPED.blocking_rules)
    }
    assert set(in_sql) == in_python


@settings(max_examples=2, deadline=None)
@given(many_linkages(size=20))
def test_the_pairs_of_all_rules_are_proposed_once(linkages: list[Linkage]) -> None:
    with whole_records_of(linkages) as connection:
        block(connection, SHIPPED.blocking_rules)

        found = proposed(connection)

    assert found == expected_pairs(linkages, SHIPPED.blocking_rules)


@settings(max_examples=2, deadline=None)
@given(many_linkages(size=20))
def test_keys_that_need_not_last_propose_the_same_pairs(linkages: list[Linkage]) -> None:
    with whole_records_of(linkages) as connection:
        create_block_keys(connection)
        for rule in SHIPPED.blocking_rules:
            add_block_keys(connection, rule, lasting=False)
        add_blocked_pairs(connection, SHIPPED.blocking_rules)

        found = proposed(connection)

    assert found == expected_pairs(linkages, SHIPPED.blocking_rules)


def test_a_key_is_a_number_of_63_bits_that_never_changes() -> None:
    rule = BlockingRule("names_and_year", (("given_sound",), ("birth_year",)), 60, False)

    keys = list(blocking_keys({"given_sound": "iuão", "birth_year": "1980"}, [rule]))

    assert keys == [7027416774398009756]


def test_a_record_that_lacks_a_part_of_the_key_has_none() -> None:
    rule = BlockingRule("names_and_year", (("given_sound",), ("birth_year",)), 60, False)

    assert list(blocking_keys({"given_sound": "ana"}, [rule])) == []


@pytest.mark.parametrize(("holders", "pair_count"), [(1, 0), (2, 1), (3, 3), (4, 0)])
def test_a_key_above_its_cap_proposes_nothing(holders: int, pair_count: int) -> None:
    rule = BlockingRule("email", (("emails",),), 3, False)

    with whole_records_of([a_person(emails=["a@example.com"])] * holders) as connection:
        block(connection, [rule])

        assert len(proposed(connection)) == pair_count


def test_the_cap_of_one_rule_says_nothing_of_another() -> None:
    people = [a_person(emails=["a@example.com"], phones=["1"])] * 3
    rules = [
        BlockingRule("email", (("emails",),), 2, False),
        BlockingRule("phone", (("phones",),), 3, False),
    ]

    with whole_records_of(people) as connection:
        block(connection, rules)

        assert proposed(connection) == [(1, 2), (1, 3), (2, 3)]


@settings(max_examples=2, deadline=None)
@given(many_linkages(size=15), st.randoms(use_true_random=False))
def test_rules_added_one_after_the_other_propose_what_all_propose_at_once(
    linkages: list[Linkage], shuffled: random.Random
) -> None:
    one_by_one = [[rule] for rule in SHIPPED.blocking_rules]
    shuffled.shuffle(one_by_one)

    with whole_records_of(linkages) as connection:
        block(connection, SHIPPED.blocking_rules)
        at_once = proposed(connection)
        drop_block_keys(connection)
        block(connection, *one_by_one)

        assert proposed(connection) == at_once


def test_the_tables_of_blocking_can_be_dropped_without_a_trace() -> None:
    with whole_records_of([a_person(), a_person()]) as connection:
        before = rows(connection, "SHOW TABLES")

        block(connection, EVERY_SHAPE)
        drop_block_keys(connection)

        assert rows(connection, "SHOW TABLES") == before


def test_python_and_sql_tell_alike_who_names_nobody() -> None:
    linkages = [
        {},
        *({column: "x"} for column in SCALAR_COLUMNS),
        *({column: ["x"]} for column in LIST_COLUMNS),
    ]

    with workspace_of(records_of(linkages)) as connection:
        find_nobodies(connection)
        nobodies = {record_id for (record_id,) in rows(connection, "FROM nobodies")}

    expected = {number for number, linkage in enumerate(linkages, start=1) if not names_somebody(linkage)}
    assert nobodies == expected
    assert 1 in nobodies
