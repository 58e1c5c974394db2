"""`cdp export`: what resolution made, as files that other programs read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from cdp.commands import main

pytestmark = pytest.mark.usefixtures("resolved")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments])


def export_rows(what: str, directory: Path) -> list[dict[str, str]]:
    path = directory / f"{what}.csv"
    result = run(what, "--out", str(path))
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_memberships_say_where_every_record_is_now(tmp_path: Path) -> None:
    assert export_rows("memberships", tmp_path) == [
        {"source": "crm", "source_record_id": "c1", "record_id": "1", "profile_id": "p1"},
        {"source": "crm", "source_record_id": "c2", "record_id": "2", "profile_id": "p1"},
        {"source": "crm", "source_record_id": "c3", "record_id": "3", "profile_id": "p2"},
    ]


def test_parquet_holds_the_same_with_numbers_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "memberships.parquet"

    run("memberships", "--out", str(path))

    rows = pq.read_table(path).to_pylist()
    assert rows[2] == {"source": "crm", "source_record_id": "c3", "record_id": 3, "profile_id": "p2"}


def test_profiles_are_the_live_ones_with_golden_values_and_identifiers(tmp_path: Path) -> None:
    rows = {row["profile_id"]: row for row in export_rows("profiles", tmp_path)}

    assert set(rows) == {"p1", "p2", "p4"}
    assert rows["p1"]["phones"] == "+5511900000000 | +5511911111111"
    assert (rows["p4"]["full_name"], rows["p4"]["city"]) == ("João da Silva", "São Paulo")
    assert json.loads(rows["p4"]["attributes"]) == {"shoe_size": "41"}


def test_candidates_carry_weights_and_both_records(tmp_path: Path) -> None:
    (row,) = export_rows("candidates", tmp_path)

    assert (row["source_record_id_l"], row["source_record_id_r"]) == ("c1", "c2")
    assert (row["match_weight"], row["state"], row["closed_at"]) == ("3.5", "open", "")
    assert row["created_at"] == "2026-11-20T12:00:00.000000Z"


@pytest.mark.parametrize("what", ["memberships", "profiles", "candidates"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_count_is_told_as_json(what: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{suffix}"

    told = json.loads(run(what, "--out", str(path), "--json").stdout)

    assert told == {"file": str(path), what: {"memberships": 3, "profiles": 3, "candidates": 1}[what]}
    assert path.is_file()


@pytest.mark.parametrize(
    ("name", "told"),
    [("rows.xlsx", "the name must end in .csv or .parquet"), ("none/rows.csv", "cannot be written")],
    ids=["kind", "place"],
)
def test_a_file_that_cannot_be_written_is_refused_in_one_line(name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    result = run("memberships", "--out", str(tmp_path / "out" / name))

    assert result.exit_code == 1
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []
