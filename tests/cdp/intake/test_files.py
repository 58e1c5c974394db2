"""Files that cannot be read at all: one clear line each."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp.intake.errors import InputFileError
from cdp.intake.files import hash_file, open_input, read_rows

RECORD_LINE = b'{"source": "crm", "source_record_id": "1"}\n'


def parquet_bytes(tmp_path: Path) -> bytes:
    path = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"id": list(range(20_000))}), path, row_group_size=1000)
    return path.read_bytes()


DAMAGED = {
    "empty_csv": ("a.csv", b"", "is empty"),
    "empty_jsonl": ("a.jsonl", b"", "is empty"),
    "empty_gzip_content": ("a.jsonl.gz", gzip.compress(b""), "is empty"),
    "blank_csv": ("a.csv", b"\n\n  \n", "no header"),
    "binary_jsonl": ("a.jsonl", bytes(range(256)) * 40, "is binary"),
    "binary_csv": ("a.csv", random.Random(1).randbytes(4000), "is binary"),
    "zip_named_csv": ("a.csv", b"PK\x03\x04" + bytes(100), "Excel workbook"),
    "gzip_named_jsonl": ("a.jsonl", gzip.compress(RECORD_LINE), "suffix .gz"),
    "parquet_named_csv": ("a.csv", b"PAR1" + bytes(100), "suffix .parquet"),
    "text_named_gzip": ("a.jsonl.gz", RECORD_LINE, "not a readable gzip"),
    "truncated_gzip": (
        "a.jsonl.gz",
        gzip.compress(random.Random(1).randbytes(9000).hex().encode())[:-2000],
        "cut short",
    ),
    "gzip_with_bad_checksum": (
        "a.jsonl.gz",
        gzip.compress(RECORD_LINE)[:-8] + bytes(8),
        "not a readable gzip",
    ),
    "text_named_parquet": ("a.parquet", RECORD_LINE, "not a readable Parquet"),
    "utf16_jsonl": ("a.jsonl", RECORD_LINE.decode().encode("utf-16"), "is UTF-16"),
    "odd_utf16_csv": ("a.csv", "id;nome\n1;João\n".encode("utf-16")[:-1], "not utf-16"),
    "unknown_suffix": ("a.xlsx", b"whatever", "must end in"),
    "no_suffix": ("records", RECORD_LINE, "must end in"),
    "json_array": ("a.json", b"[]", "must end in"),
    "header_only": ("a.csv", b"id,nome\n", "has a header and no rows"),
    "header_and_blank_lines": ("a.csv", b"id,nome\n\n,\n", "has a header and no rows"),
    "header_twice": ("a.csv", b"id,nome,id\n1,2,3\n", "two columns are named id"),
    "header_unclosed": ("a.csv", b'"id,nome\n1,2\n', "header line is unreadable"),
    "header_too_wide": ("a.csv", b",".join(b"c%d" % i for i in range(3000)) + b"\n", "columns"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_is_none_gives_one_clear_line(name: str, tmp_path: Path) -> None:
    file_name, content, complaint = DAMAGED[name]
    path = tmp_path / file_name
    path.write_bytes(content)

    with pytest.raises(InputFileError, match=complaint) as caught:
        list(read_rows(path))

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.99])
def test_a_cut_parquet_file_is_refused(keep: float, tmp_path: Path) -> None:
    content = parquet_bytes(tmp_path)
    path = tmp_path / "cut.parquet"
    path.write_bytes(content[: int(len(content) * keep)])

    with pytest.raises(InputFileError, match="not a readable Parquet"):
        list(read_rows(path))


def test_a_parquet_file_with_a_broken_page_is_refused(tmp_path: Path) -> None:
    content = bytearray(parquet_bytes(tmp_path))
    content[len(content) // 3 : len(content) // 3 + 400] = b"\xff" * 400
    path = tmp_path / "broken.parquet"
    path.write_bytes(content)

    with pytest.raises(InputFileError, match="not a readable Parquet"):
        list(read_rows(path))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "jsonl.gz", "parquet", "xlsx"])
def test_a_missing_file_is_named(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="there is no such file"):
        open_input(tmp_path / f"missing.{suffix}")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_directory_is_no_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"folder.{suffix}"
    path.mkdir()

    with pytest.raises(InputFileError, match="is a directory"):
        open_input(path)


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)

    with pytest.raises(InputFileError, match="not a regular file"):
        open_input(path)


def test_a_file_name_with_nul_is_refused() -> None:
    with pytest.raises(InputFileError, match="not a file name"):
        open_input(Path("a\0.csv"))


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.csv"
    path.write_bytes(b"id\n1\n")
    path.chmod(0)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # Root may read everything.

    with pytest.raises(InputFileError, match="cannot be opened"):
        open_input(path)


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id\n1\n")

    assert hash_file(path) == hashlib.sha256(b"id\n1\n").hexdigest()
