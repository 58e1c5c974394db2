"""`cdp demo generate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cdp.commands import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["demo", "generate", *arguments])


def test_generate_writes_the_files_and_says_how_many(tmp_path: Path) -> None:
    result = run("--records", "20", "--seed", "4", "--out", str(tmp_path / "demo"), "--json")

    told = json.loads(result.stdout)
    assert (result.exit_code, told["records"], told["seed"]) == (0, 20, 4)
    assert (tmp_path / "demo" / "records.jsonl.gz").is_file()


def test_generate_tells_people_one_line(tmp_path: Path) -> None:
    result = run("--records", "20", "--out", str(tmp_path))

    assert result.stdout.startswith("20 records of ")
    assert result.stdout.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [["--records", "0"], ["--records", "many"], ["--records", "5", "--seed", "-1"]],
    ids=["none", "not-a-number", "negative-seed"],
)
def test_wrong_numbers_are_refused_on_one_line(arguments: list[str], tmp_path: Path) -> None:
    result = run(*arguments, "--out", str(tmp_path))

    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_a_place_that_cannot_be_written_is_refused_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here already")

    result = run("--records", "5", "--out", str(tmp_path / "file" / "demo"))

    assert result.exit_code != 0
    assert result.stderr.count("\n") == 1
    assert "Cannot write" in result.stderr
