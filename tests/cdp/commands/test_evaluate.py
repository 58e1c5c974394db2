"""`cdp evaluate`: the profiles of the store against a truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdp.commands import main

pytestmark = pytest.mark.usefixtures("resolved")


def run(truth: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["evaluate", "--truth", str(truth), *arguments])


def run_json(truth: Path, *arguments: str) -> Any:
    result = run(truth, "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def a_truth(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "truth.csv"
    path.write_text("\n".join(("source,source_record_id,entity_id,flags", *rows, "")))
    return path


def test_memberships_are_scored_against_the_truth(tmp_path: Path) -> None:
    told = run_json(a_truth(tmp_path, "crm,c1,A,", "crm,c2,A,", "crm,c3,A,typo"))

    assert (told["true_pairs"], told["predicted_pairs"], told["correct_pairs"]) == (3, 1, 1)
    assert (told["precision"]["value"], told["recall"]["value"]) == (1.0, pytest.approx(1 / 3))
    assert told["most_split_entities"][0]["clusters"] == [
        {"label": "p1", "record_count": 2},
        {"label": "p2", "record_count": 1},
    ]
    assert told["errors_by_flag"][0]["missed_pairs"] == 2


def test_unknown_records_stand_alone_and_untold_ones_are_ignored(tmp_path: Path) -> None:
    told = run_json(a_truth(tmp_path, "crm,c1,A,", "shop,9,A,"))

    assert (told["unpredicted_count"], told["ignored_count"], told["cluster_count"]) == (1, 2, 2)


def test_tables_show_measures_with_intervals_and_the_worst(tmp_path: Path) -> None:
    shown = run(a_truth(tmp_path, "crm,c1,A,", "crm,c2,B,old_phone", "crm,c3,B,")).stdout

    for expected in ("pair F1", "B-cubed recall", "95 % interval", "Profiles that mix most", "old_phone"):
        assert expected in shown


def test_shown_limits_the_lists(tmp_path: Path) -> None:
    told = run_json(a_truth(tmp_path, "crm,c1,A,", "crm,c2,B,"), "--shown", "0")

    assert (told["worst_clusters"], told["biggest_clusters"]) == ([], [])


def test_a_truth_about_other_records_scores_nothing(tmp_path: Path) -> None:
    result = run(a_truth(tmp_path, "shop,1,A,", "shop,2,A,"))

    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "None of the 2 records of the truth is in a profile" in result.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"source,id,entity_id\ncrm,1,A\n", "has no column source_record_id"),
        (bytes(range(256)), "is binary"),
    ],
    ids=["empty", "column", "unreadable"],
)
def test_a_bad_truth_is_one_line_and_a_failure(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_bytes(content)

    result = run(path)

    assert result.exit_code == 1
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
