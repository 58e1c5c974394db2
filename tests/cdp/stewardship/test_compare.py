"""Records side by side: every character is told once, and what a mask hides still shows where it differs."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.stewardship.compare import (
    MASK,
    Cell,
    ComparedField,
    Side,
    compare_sides,
    mask_comparison,
    spans_of,
    verdict_of,
)
from cdp.stewardship.compare_reads import select_sides
from cdp.store import read
from cdp.store.schema import IDENTIFIER_KINDS
from tests.cdp.stewardship.desk import ANA, MAYBE_ANA, Desk


def a_side(record_id: int = 1, *identifiers: tuple[str, str], **values: Any) -> Side:
    raw = {name: f"raw {value}" for name, value in values.items()}
    return Side(record_id, "crm", f"c-{record_id}", raw, values, identifiers)


def row_of(field: str, *sides: Side) -> ComparedField:
    return next(row for row in compare_sides(sides) if row.field == field)


def marked(cell: Cell) -> list[str]:
    """Values with what differs in brackets."""
    return [
        "".join(f"[{span.text}]" if span.differs else span.text for span in value.spans)
        for value in cell.values
    ]


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        ({"full_name": "Ana Reis"}, {"full_name": "ANA REÍS"}, "equal"),
        ({"full_name": "Ana Reis"}, {"full_name": "Ana Reys"}, "similar"),
        ({"full_name": "Ana Reis"}, {"full_name": "Rui Barbosa"}, "different"),
        ({"full_name": "Ana Reis"}, {}, "missing"),
        ({"birth_date": "1980-02-29"}, {"birth_date": "1980-02-28"}, "similar"),
        ({"birth_date": "1980-02-29"}, {"birth_date": "1993-11-04"}, "different"),
        ({"address": {"city": "Porto"}}, {"address": {"city": "Porto"}}, "equal"),
        ({"attributes": {"job": "dentist"}}, {"attributes": {"job": "pilot"}}, "different"),
    ],
    ids=str,
)
def test_verdicts_of_single_values(left: dict[str, Any], right: dict[str, Any], verdict: str) -> None:
    [row] = compare_sides([a_side(1, **left), a_side(2, **right)])

    assert row.verdict == verdict


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        (("+5511987654321",), ("+5511987654321", "+5511900000000"), "equal"),
        (("+5511987654321",), ("+5511987654322",), "similar"),
        (("+5511987654321",), ("+351212345678",), "different"),
        ((), ("+351212345678",), "missing"),
    ],
)
def test_verdicts_of_lists(left: tuple[str, ...], right: tuple[str, ...], verdict: str) -> None:
    sides = [a_side(1, *(("phone", each) for each in left)), a_side(2, *(("phone", each) for each in right))]

    assert row_of("phone", *sides).verdict == verdict


def test_the_characters_that_differ_are_marked_on_both_sides() -> None:
    row = row_of("phone", a_side(1, ("phone", "+5511987654321")), a_side(2, ("phone", "+551187654329")))

    assert [marked(cell) for cell in row.cells] == [["+5511[9]8765432[1]"], ["+55118765432[9]"]]


def test_each_of_several_values_is_marked_against_the_one_most_like_it() -> None:
    left = a_side(1, ("email", "ana@example.com"), ("email", "reis@example.org"))
    right = a_side(2, ("email", "ana@example.com"), ("email", "reys@example.org"))

    row = row_of("email", left, right)

    assert [marked(cell) for cell in row.cells] == [
        ["ana@example.com", "re[i]s@example.org"],
        ["ana@example.com", "re[y]s@example.org"],
    ]


def test_several_records_are_compared_with_the_first_that_has_the_field() -> None:
    sides = [a_side(1), a_side(2, gender="f"), a_side(3, gender="f"), a_side(4, gender="m")]

    row = row_of("gender", *sides)

    assert [cell.verdict for cell in row.cells] == ["missing", "equal", "equal", "different"]
    assert row.verdict == "different"


def test_fields_come_in_the_order_people_read_them() -> None:
    side = a_side(
        1,
        ("email", "a@example.com"),
        ("document", "cpf:1"),
        full_name="Ana",
        birth_date="1980",
        address={"country": "BR", "street": "A"},
        attributes={"job": "pilot"},
    )

    assert [row.field for row in compare_sides([side])] == [
        "full_name",
        "birth_date",
        "document",
        "email",
        "address.street",
        "address.country",
        "attributes.job",
    ]


@pytest.mark.parametrize(
    ("field", "left", "right", "shown"),
    [
        ("phone", "+5511987654321", "+5511987654721", ["+55•••••••[4]321", "+55•••••••[4]721"]),
        ("email", "ana@example.com", "ane@example.com", ["a•[•]@example.com", "a•[•]@example.com"]),
        ("document", "cpf:39053344705", "cpf:39053344715", ["cpf:••••••••7[0]5", "cpf:••••••••7[1]5"]),
        ("handle", "instagram:ana", "instagram:ane", ["instagram:a•[•]", "instagram:a•[•]"]),
    ],
)
def test_a_mask_hides_the_characters_and_shows_where_they_differ(
    field: str, left: str, right: str, shown: list[str]
) -> None:
    rows = mask_comparison(compare_sides([a_side(1, (field, left)), a_side(2, (field, right))]))

    whole = ["".join(span.text for span in cell.values[0].spans) for cell in rows[0].cells]
    for masked, value in zip(whole, (left, right), strict=True):
        assert len(masked) == len(value)
        assert all(each in (MASK, original) for each, original in zip(masked, value, strict=True))
        assert MASK in masked
    assert any(span.differs for cell in rows[0].cells for span in cell.values[0].spans)
    assert all(cell.raw is None for cell in rows[0].cells)


def test_a_label_that_is_masked_too_shows_no_more_of_the_number() -> None:
    held = ("loyalty_id", "11987654321:4455667788")

    [row] = mask_comparison(compare_sides([a_side(1, held)]))

    assert row.cells[0].values[0].text == MASK * (len(held[1]) - 3) + "788"


def test_a_free_attribute_that_is_named_by_an_address_is_masked_with_its_name() -> None:
    named = {"ana@example.com": "sim", "plan": "gold"}

    rows = mask_comparison(compare_sides([a_side(1, attributes=named)]))

    assert [(row.field, row.cells[0].values[0].text) for row in rows] == [
        ("attributes.***", "s••"),
        ("attributes.plan", "g•••"),
    ]


def test_birth_dates_keep_their_year_and_names_are_whole_under_a_mask() -> None:
    rows = mask_comparison(compare_sides([a_side(1, full_name="Ana", birth_date="1980-02-29")]))

    assert [cell.values[0].text for row in rows for cell in row.cells] == ["Ana", "1980••••••"]


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        ("full_name", "Ana ana@example.com", ""),
        ("social_name", "11 98765-4321", ""),
        ("given_name", "Ana", "Ana"),
        ("gender", "f", "f"),
        ("birth_date", "1980-02-29", "1980"),
        ("birth_date", "1980", "1980"),
        ("birth_date", "--04-12", ""),
        ("address.city", "Faro", "Faro"),
        ("address.city", "Faro 289123456", ""),
        ("address.street", "Rua Nova", ""),
        ("address.postal_code", "8000-123", "800"),
        ("attributes.occupation", "nurse", "n"),
        ("phone", "+5511987654321", "+554321"),
        ("email", "ana@example.com", "a@example.com"),
        ("document", "cpf:39053344705", "cpf:705"),
    ],
)
def test_a_value_shows_no_more_than_where_it_stands_alone(field: str, text: str, shown: str) -> None:
    sides = [a_side(1, (field, text)), a_side(2, (field, text))]
    if field not in IDENTIFIER_KINDS:
        group, dot, part = field.partition(".")
        sides = [a_side(number, **{group: {part: text} if dot else text}) for number in (1, 2)]

    rows = mask_comparison(compare_sides(sides))

    [told] = {cell.values[0].text for row in rows if row.field == field for cell in row.cells}
    assert (told.replace(MASK, ""), len(told)) == (shown, len(text))


texts = st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)
near = st.text("anaéE0189@.", max_size=10)


@given(texts | near, texts | near)
def test_the_pieces_are_the_text_and_the_same_pieces_agree(one: str, other: str) -> None:
    left, right = spans_of(one, other), spans_of(other, one)

    assert "".join(span.text for span in left) == one
    assert "".join(span.text for span in right) == other
    assert all(span.text for span in (*left, *right))
    same = ["".join(_plain(span.text) for span in spans if not span.differs) for spans in (left, right)]
    assert same[0] == same[1]
    assert all(a.differs != b.differs for a, b in pairwise(left))


@given(st.lists(near, max_size=3), st.lists(near, max_size=3))
def test_a_verdict_is_the_same_from_both_sides(one: list[str], other: list[str]) -> None:
    assert verdict_of(one, other) == verdict_of(other, one)


@given(st.lists(st.dictionaries(st.sampled_from(("full_name", "gender")), near, max_size=2), min_size=1))
def test_every_record_has_a_cell_in_every_row(values: list[dict[str, str]]) -> None:
    sides = [a_side(number, **each) for number, each in enumerate(values)]

    for row in compare_sides(sides):
        assert [cell.record_id for cell in row.cells] == [side.record_id for side in sides]
        for side, cell in zip(sides, row.cells, strict=True):
            assert [value.text for value in cell.values] == [
                each for each in [side.values.get(row.field)] if each
            ]


def _plain(text: str) -> str:
    """Without accents and case, a character for each."""
    bare = [(each, unicodedata.normalize("NFD", each)[0].casefold()) for each in text]
    return "".join(folded if len(folded) == 1 else each for each, folded in bare)


def test_records_of_the_store_with_what_their_sources_sent(desk: Desk) -> None:
    document = {"documents": [{"type": "cpf", "number": "390.533.447-05"}]}
    desk.take(ANA | document, MAYBE_ANA)

    with read(desk.engine) as connection:
        left, right, *others = select_sides(connection, [2, 1, 99])
    rows = {row.field: row for row in compare_sides([left, right])}

    assert (left.record_id, right.record_id, others) == (2, 1, [])
    assert rows["full_name"].verdict == "equal"
    assert rows["address.city"].verdict == "different"
    assert rows["document"].cells[1].raw == ("cpf 390.533.447-05",)
    assert rows["email"].cells[1].raw == ("ana@example.com",)
    assert rows["email"].verdict == "missing"
