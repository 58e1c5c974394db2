"""Truth files: what is taken, and one clear line for what is not."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from cdp.intake.errors import InputFileError
from cdp.intake.truth import Truth, read_truth

HEADER = "source,source_record_id,entity_id,flags\n"


def a_truth(tmp_path: Path, text: str, name: str = "truth.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def test_entities_and_flags_are_read_by_record(tmp_path: Path) -> None:
    path = a_truth(tmp_path, HEADER + "crm,1,P1,typo_name|old_phone\ncrm,2,P1,\n")

    assert read_truth(path) == Truth(
        {("crm", "1"): "P1", ("crm", "2"): "P1"}, {("crm", "1"): ("typo_name", "old_phone")}
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("truth.csv", "entity_id;source_record_id;source\nP1;1;crm\n"),
        ("truth.csv.gz", "source,source_record_id,entity_id\ncrm,1,P1\n"),
        ("truth.jsonl", '{"source": "crm", "source_record_id": "1", "entity_id": "P1"}\n'),
    ],
    ids=["spreadsheet", "gzip", "json-lines"],
)
def test_other_kinds_of_file_say_the_same(name: str, text: str, tmp_path: Path) -> None:
    assert read_truth(a_truth(tmp_path, text, name)).entities == {("crm", "1"): "P1"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        (HEADER, "a header and no rows"),
        ("source,record,entity_id\ncrm,1,P1\n", "has no column source_record_id"),
        ("a,b\n1,2\n", "has no column source and no column source_record_id and no column entity_id"),
        (HEADER + "crm,1,P1,\ncrm,1,P2,\n", "line 3: record crm:1 stands twice"),
        (HEADER + "crm,1,,\n", "line 2: needs source, source_record_id and entity_id"),
        (HEADER + "crm,1,P1,,,x\n", "line 2: 6 cells where the header has 4"),
    ],
    ids=["empty", "header-only", "no-column", "no-columns", "twice", "no-entity", "ragged"],
)
def test_a_bad_file_is_refused_in_one_line(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputFileError) as refused:
        read_truth(a_truth(tmp_path, text))

    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError):
        read_truth(tmp_path / "none.csv")
