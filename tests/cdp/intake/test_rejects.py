"""The rejects file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdp.intake.errors import InputFileError
from cdp.intake.rejects import EXAMPLES_SHOWN, RejectsFile
from cdp.intake.rows import BadRow

ROW = BadRow(3, "ragged", "2 cells where the header has 3", "", "João;1")


def test_rejects_are_written_as_json_lines_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "rejects" / "a.jsonl"

    with RejectsFile(path) as rejects:
        rejects.add("a.csv", [ROW])
        rejects.add("b.csv", [ROW])

    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert lines[0] == {
        "file": "a.csv",
        "line": 3,
        "reason": "ragged",
        "message": "2 cells where the header has 3",
        "pointer": "",
        "raw": "João;1",
    }
    assert [line["file"] for line in lines] == ["a.csv", "b.csv"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_rejects_there_is_no_file(tmp_path: Path) -> None:
    with RejectsFile(tmp_path / "rejects" / "a.jsonl") as rejects:
        rejects.add("a.csv", [])

    assert list(tmp_path.iterdir()) == []


def test_rejects_are_counted_without_a_path() -> None:
    with RejectsFile(None) as rejects:
        rejects.add("a.csv", [ROW] * 10)

    assert rejects.reasons == {"ragged": 10}
    assert rejects.examples == ["a.csv, line 3: 2 cells where the header has 3 (ragged)"] * EXAMPLES_SHOWN


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        RejectsFile(tmp_path / "file" / "a.jsonl") as rejects,
        pytest.raises(InputFileError, match="cannot be written"),
    ):
        rejects.add("a.csv", [ROW])
