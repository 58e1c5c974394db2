"""`cdp import` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdp.commands import main
from tests.cdp.identity.importing import a_record, write_lines

CDP = "from cdp.commands import main; main()"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["import", "--no-resolve", *map(str, arguments)])


def run_json(*arguments: str | Path) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def home(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of an installation with a migrated store."""
    monkeypatch.setenv("CDP_DATABASE_URL", store_url)
    monkeypatch.setenv("CDP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_report_tells_counts_and_reasons(home: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", a_record(emails=["nao@tem.com"]), "broken")

    result = run(path)

    assert result.exit_code == 0
    assert "a.jsonl: 2 read, 1 created, 0 updated, 0 unchanged, 0 superseded, 1 rejected." in result.stdout
    assert "not_json 1" in result.stdout
    assert "a.jsonl, line 2: not JSON" in result.stdout
    assert "emails: junk 1" in result.stdout
    assert result.stderr == ""


def test_a_header_alone_is_an_error(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("source,source_record_id\n")

    result = run(path)

    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "has a header and no rows" in result.stderr


def test_rejects_go_beside_the_store(home: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", a_record(), "broken")

    told = run_json(path)

    (rejects,) = (home / "rejects").iterdir()
    assert told["rejects_file"] == str(rejects)
    assert rejects.name.startswith("a.jsonl-")
    assert told["rejected"] == told["files"][0]["rejected"] == 1


def test_rejects_can_go_elsewhere(home: Path, tmp_path: Path) -> None:
    run(write_lines(tmp_path / "a.jsonl", a_record(), "broken"), "--rejects", tmp_path / "bad.jsonl")

    assert json.loads((tmp_path / "bad.jsonl").read_text("utf-8"))["line"] == 2
    assert not (home / "rejects").exists()


def test_a_dry_run_says_that_nothing_was_stored(home: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", a_record(), "broken")

    result = run(path, "--dry-run")

    assert result.stdout.startswith("Dry run: nothing was stored.")
    assert "1 created" in result.stdout
    assert not (home / "rejects").exists()
    assert run_json(path)["created"] == 1


def test_options_reach_the_import(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("chave;nome\n1;Ana\n")
    mapping = tmp_path / "m.toml"
    mapping.write_text('unmapped = "attributes"\n[record]\nsource_record_id = "{chave}"')

    told = run_json(
        path, "--source", "crm", "--mapping", mapping, "--default-region", "pt",
        "--occurred-at", "2026-11-20", "--workers", "0",
    )  # fmt: skip

    assert told["files"][0]["sources"] == ["crm"]
    assert told["created"] == 1
    assert told["notes"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "Missing argument 'FILE...'"),
        (["missing.csv"], 1, "missing.csv: there is no such file."),
        (["missing.csv", "--mapping", "missing.toml"], 1, "missing.toml: the mapping file cannot be read"),
        (["missing.csv", "--default-region", "Brasil"], 1, "a code of two letters"),
        (["missing.csv", "--occurred-at", "soon"], 2, "a time in ISO form"),
        (["missing.csv", "--workers", "-1"], 2, "--workers"),
    ],
    ids=["no_file", "missing_file", "missing_mapping", "region", "time", "workers"],
)
def test_bad_input_is_one_clear_line(arguments: list[str], code: int, told: str, home: Path) -> None:
    result = run(*arguments)

    assert result.exit_code == code
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_file_of_refused_rows_only_fails(home: Path, tmp_path: Path) -> None:
    result = run(write_lines(tmp_path / "a.jsonl", "[1]"))

    assert result.exit_code == 1
    assert "Nothing was imported: all 1 rows were refused (not_an_object 1)" in result.stderr


def test_a_large_file_goes_through_worker_processes(sqlite_url: str, tmp_path: Path) -> None:
    lines = [a_record(source_record_id=str(number), attributes={"x": "y" * 400}) for number in range(2200)]
    path = write_lines(tmp_path / "a.jsonl", *lines)
    command = [sys.executable, "-c", CDP, "import", str(path), "--no-resolve", "--json"]

    done = subprocess.run(
        command,
        env={"CDP_DATABASE_URL": sqlite_url, "CDP_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )

    assert path.stat().st_size > 1 << 20
    assert json.loads(done.stdout)["created"] == 2200
    assert done.stderr == b""


def test_an_import_ends_in_profiles(home: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", a_record(), a_record(source="web", full_name="Ana Reis"))

    result = CliRunner().invoke(main, ["import", str(path), "--json"])

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["resolution"]["counts"]["records"] == 2
    assert json.loads(result.stdout)["created"] == 2
