"""JSON lines: poison on one line costs that line and no other."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from cdp.intake.files import open_input, read_rows
from cdp.intake.rows import BadRow, Row

GOOD = b'{"source": "crm", "source_record_id": "1"}'

POISON = {
    "not_json": (b"hello", "not_json"),
    "half_an_object": (b'{"source": "crm"', "not_json"),
    "nan": (b'{"attributes": {"x": NaN}}', "not_json"),
    "infinity": (b'{"attributes": {"x": -Infinity}}', "not_json"),
    "integer_of_5000_digits": (b'{"attributes": {"x": ' + b"9" * 5000 + b"}}", "not_json"),
    "brackets_100_000": (b'{"attributes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not_json"),
    "brackets_300": (b'{"attributes": ' + b"[" * 300 + b"]" * 300 + b"}", "too_deep"),
    "objects_300": (b'{"a":' * 300 + b"1" + b"}" * 300, "too_deep"),
    "lone_surrogate": (rb'{"full_name": "\ud800"}', "not_json"),
    "surrogate_in_utf8": (b'{"full_name": "\xed\xa0\x80"}', "encoding"),
    "latin1": ('{"full_name": "João"}'.encode("latin-1"), "encoding"),
    "raw_nul": (b'{"full_name": "a\0b"}', "not_json"),
    "duplicate_key": (b'{"source": "a", "source": "b"}', "duplicate_key"),
    "duplicate_key_within": (b'{"address": {"city": "a", "city": "b"}}', "duplicate_key"),
    "duplicate_key_with_blank": (b'{"source" : "a", "source": "b"}', "duplicate_key"),
    "duplicate_key_escaped": (rb'{"source": "a", "sourc\u0065": "b"}', "duplicate_key"),
    "list": (b"[1, 2]", "not_an_object"),
    "text": (b'"hello"', "not_an_object"),
    "million_characters": (b'{"full_name": "' + b"x" * 1_100_000 + b'"}', "too_large"),
}


@pytest.mark.parametrize("name", POISON)
def test_a_poisoned_line_is_refused_alone(name: str, tmp_path: Path) -> None:
    line, reason = POISON[name]
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"\n" + line + b"\n" + GOOD + b"\n")

    rows = list(read_rows(path))

    assert [type(row) for row in rows] == [Row, BadRow, Row]
    assert isinstance(rows[1], BadRow)
    assert (rows[1].line, rows[1].reason) == (2, reason)
    assert len(rows[1].raw) <= 200


def test_text_that_only_looks_like_a_key_is_no_duplicate(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"full_name": "say \\"a\\": and \\"a\\":", "gender" : "m"}')

    assert list(read_rows(path)) == [Row(1, {"full_name": 'say "a": and "a":', "gender": "m"})]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(GOOD, [1], id="no_newline_at_end"),
        pytest.param(b"\xef\xbb\xbf" + GOOD + b"\n", [1], id="byte_order_mark"),
        pytest.param(GOOD + b"\r\n" + GOOD + b"\r\n", [1, 2], id="crlf"),
        pytest.param(b"\n\n" + GOOD + b"\n  \n" + GOOD, [3, 5], id="blank_lines"),
    ],
)
def test_lines_are_counted_as_an_editor_counts_them(content: bytes, lines: list[int], tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(content)

    assert [row.line for row in read_rows(path)] == lines


def test_a_gzip_file_reads_as_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD + b"\n") + gzip.compress(GOOD + b"\n"))

    assert [row.line for row in read_rows(path)] == [1, 2]


def test_the_position_reaches_the_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes((GOOD + b"\n") * 2000)
    file = open_input(path)

    positions = [file.position for _ in file.chunks()]

    assert positions == sorted(positions)
    assert positions[-1] == file.size


@pytest.mark.parametrize(
    "name", ["one_long_line.jsonl", "many_lines.jsonl", "many_lines.csv", "open_quote.csv"]
)
def test_memory_does_not_grow_with_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(b'id,name\n"' if name == "open_quote.csv" else b"id,name\n" if "csv" in name else b"")
        for _ in range(120):
            file.write(
                b"x" * 100_000 if name == "one_long_line.jsonl" else (b"1," + b"x" * 600 + b"\n") * 100
            )

    tracemalloc.start()
    for _ in open_input(path).chunks():
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert path.stat().st_size > 4_000_000
    assert peak < 3_500_000
