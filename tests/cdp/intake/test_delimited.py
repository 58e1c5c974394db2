"""Delimited text, with everything spreadsheets do to it."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cdp.intake.delimited import DelimitedFile, Dialect
from cdp.intake.files import read_rows
from cdp.intake.rows import BadRow, Row


def rows_of(content: bytes, tmp_path: Path, dialect: Dialect | None = None) -> list[Row | BadRow]:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    return list(read_rows(path, dialect))


def outcome(row: Row | BadRow) -> tuple[int, object]:
    return (row.line, row.reason if isinstance(row, BadRow) else list(row.values.values()))


JOAO = {"id": "1", "nome": "João; Silva"}
READABLE = {
    "utf8": 'id,nome\n1,"João; Silva"\n'.encode(),
    "utf8_bom_crlf": '\ufeffid,nome\r\n1,"João; Silva"\r\n'.encode(),
    "semicolon_latin1": 'id;nome\n1;"João; Silva"\n'.encode("latin-1"),
    "tab": 'id\tnome\n1\t"João; Silva"\n'.encode(),
    "pipe": "id|nome\n1|João; Silva\n".encode(),
    "utf16_with_bom": 'id\tnome\r\n1\t"João; Silva"\r\n'.encode("utf-16"),
    "utf16_le_without_bom": 'id;nome\n1;"João; Silva"\n'.encode("utf-16-le"),
    "utf16_be_without_bom": 'id;nome\n1;"João; Silva"\n'.encode("utf-16-be"),
    "old_mac_line_ends": 'id,nome\r1,"João; Silva"\r'.encode(),
    "separator_line": 'sep=;\r\nid;nome\r\n1;"João; Silva"\r\n'.encode(),
    "blank_lines": '\n\nid,nome\n\n1,"João; Silva"\n,\n\n'.encode(),
    "no_newline_at_end": 'id,nome\n1,"João; Silva"'.encode(),
    "spare_delimiters": 'id;nome;;\n1;"João; Silva";;\n'.encode(),
    "trailing_delimiter_in_rows": 'id;nome\n1;"João; Silva";\n'.encode(),
}


@pytest.mark.parametrize("name", READABLE)
def test_every_habit_of_writing_reads_the_same(name: str, tmp_path: Path) -> None:
    rows = rows_of(READABLE[name], tmp_path)

    assert [row.values for row in rows if isinstance(row, Row)] == [JOAO]
    assert len(rows) == 1


DAMAGED = {
    "ragged": (
        "id,nome\n1,a\n2\n3,c,d\n4,e\n",
        [(2, ["1", "a"]), (3, "ragged"), (4, "ragged"), (5, ["4", "e"])],
    ),
    "newline_in_quotes": ('id,nome\n1,"a\nb"\n2,c\n', [(2, ["1", "a\nb"]), (4, ["2", "c"])]),
    "quote_never_closed": ('id,nome\n1,"a\n2,b\n3,c\n', [(2, "malformed"), (3, ["2", "b"]), (4, ["3", "c"])]),
    "quote_closed_by_another_row": (
        'id,nome\n1,"a\n2,b\n3,"c"\n4,d\n',
        [(2, "malformed"), (3, ["2", "b"]), (4, ["3", "c"]), (5, ["4", "d"])],
    ),
    "two_rows_that_fit_as_one": (
        'id,nome,cidade\n1,"a,x\n2,b,"\n3,c,y\n',
        [(2, "ragged"), (3, "malformed"), (4, ["3", "c", "y"])],
    ),
    "text_after_quote": ('id,nome\n1,"a" b\n2,c\n', [(2, "malformed"), (3, ["2", "c"])]),
    "quote_within_text": ('id,nome\n1,5" pipe\n', [(2, ["1", '5" pipe'])]),
    "nul": ("id,nome\n1,a\0b\n2,c\n", [(2, "nul"), (3, ["2", "c"])]),
    "cell_too_large": (f"id,nome\n1,{'x' * 200_000}\n2,c\n", [(2, "too_large"), (3, ["2", "c"])]),
    "line_too_large": (f"id,nome\n1,{'x' * 1_500_000}\n2,c\n", [(2, "too_large"), (3, ["2", "c"])]),
    "value_without_header": ("id,nome,\n1,a,\n2,b,x\n", [(2, ["1", "a"]), (3, "nameless_column")]),
    "carriage_return_within": ("id,nome\n1,a\rb\n2,c\n", [(2, "malformed"), (3, ["2", "c"])]),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_costs_its_own_row(name: str, tmp_path: Path) -> None:
    text, expected = DAMAGED[name]

    assert [outcome(row) for row in rows_of(text.encode(), tmp_path)] == expected


def test_a_stray_byte_marks_its_row_only(tmp_path: Path) -> None:
    good = "".join(f"{number},João\n" for number in range(50)).encode()

    rows = rows_of(b"id,nome\n" + good + b"99,Jo\xe3o\n", tmp_path)

    names = [row.values["nome"] for row in rows if isinstance(row, Row)]
    assert names[:50] == ["João"] * 50
    assert names[50] == "Jo\udce3o"  # Refused by the check of the record: not Unicode text.


def test_windows_quotes_and_euro_are_cp1252(tmp_path: Path) -> None:
    rows = rows_of("id;nome\n1;“50 €”\n".encode("cp1252"), tmp_path)

    assert rows == [Row(2, {"id": "1", "nome": "“50 €”"})]


def test_letters_far_down_the_file_decide_the_encoding(tmp_path: Path) -> None:
    ascii_rows = b"1;Maria\n" * 100_000

    rows = rows_of(b"id;nome\n" + ascii_rows + "2;João\n".encode("latin-1"), tmp_path)

    assert rows[-1] == Row(100_002, {"id": "2", "nome": "João"})


def test_a_decimal_comma_does_not_pass_for_a_delimiter(tmp_path: Path) -> None:
    rows = rows_of(b"id;valor;taxa\n1;10,50;3,2\n2;7,25;1,1\n", tmp_path)

    assert rows[0] == Row(2, {"id": "1", "valor": "10,50", "taxa": "3,2"})


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('"=""00123"""', "00123"),
        ("'00123", "00123"),
        ("'+5511", "+5511"),
        ("'tis", "'tis"),
        ("#N/D", ""),
        ("#REF!", ""),
        ("#1", "#1"),
        ("=A1", "=A1"),
    ],
)
def test_spreadsheet_marks_are_taken_off(cell: str, value: str, tmp_path: Path) -> None:
    rows = rows_of(f"id,codigo\n1,{cell}\n".encode(), tmp_path)

    assert rows == [Row(2, {"id": "1", "codigo": value})]


def test_a_dialect_can_be_told(tmp_path: Path) -> None:
    dialect = Dialect(encoding="cp850", delimiter="^", quote="'", skip_lines=1, columns=("id", "nome"))

    rows = rows_of("report of today\n1^'a^ção'\n".encode("cp850"), tmp_path, dialect)

    assert rows == [Row(2, {"id": "1", "nome": "a^ção"})]


cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cc"]) | st.just("\n")
)
tables = st.integers(2, 5).flatmap(
    lambda width: st.lists(
        st.lists(cells, min_size=width, max_size=width).filter(any), min_size=1, max_size=6
    )
)


@given(
    rows=tables,
    delimiter=st.sampled_from(";,\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@example(rows=[["a", 'b"c\nd']], delimiter=";", newline="\r\n", encoding="utf-16")
def test_what_a_csv_writer_wrote_is_read_back(
    rows: list[list[str]], delimiter: str, newline: str, encoding: str
) -> None:
    rows = [[cell if cell[:1] not in ("=", "'", "#") else f"x{cell}" for cell in row] for row in rows]
    columns = [f"column{index}" for index in range(len(rows[0]))]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerows([columns, *rows])

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        file = DelimitedFile(path)
        read = [row for chunk in file.chunks() for row in chunk.rows()]

    assert file.columns == columns
    assert [list(row.values.values()) for row in read if isinstance(row, Row)] == rows
    assert len(read) == len(rows)
