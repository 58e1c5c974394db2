"""Decisions become labels of pairs: the last one that stands, in the columns that Splink reads."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from cdp.commands import main
from cdp.stewardship.labels import LABEL_COLUMNS, select_labelled_weights, select_matched_pairs, stream_labels
from cdp.store import read, write
from cdp.store.schema import model_versions
from tests.cdp.realtime.feeding import NOW
from tests.cdp.stewardship.desk import ANA, BIA, MAYBE_ANA, Desk

TWO_QUESTIONS = (ANA, MAYBE_ANA, BIA | {"address": {"city": "Faro"}}, MAYBE_ANA | {"full_name": "Bia Prado"})


def labels(desk: Desk) -> list[dict[str, object]]:
    with read(desk.engine) as connection:
        return [
            dict(zip(LABEL_COLUMNS, row, strict=True)) for rows in stream_labels(connection) for row in rows
        ]


def test_every_decision_that_stands_is_a_label(desk: Desk) -> None:
    desk.take(*TWO_QUESTIONS)
    first, second = desk.open_candidates()
    desk.decide(first, "same", author="ana")
    desk.decide(second, "different", author="rui")

    told = labels(desk)

    assert [(each["unique_id_l"], each["unique_id_r"], each["clerical_match_score"]) for each in told] == [
        ("1", "2", 1.0),
        ("3", "4", 0.0),
    ]
    assert {each["source_dataset_l"] for each in told} == {"shop"}
    assert [each["author"] for each in told] == ["ana", "rui"]
    with read(desk.engine) as connection:
        assert sorted(select_labelled_weights(connection)) == sorted(
            [(first.match_weight, True), (second.match_weight, False)]
        )
        of_version = [
            len(select_labelled_weights(connection, model_version=version))
            for version in (first.model_version, first.model_version + 1)
        ]
    assert of_version == [2, 0]


def test_unsure_and_what_was_undone_are_none(desk: Desk) -> None:
    desk.take(*TWO_QUESTIONS)
    first, second = desk.open_candidates()
    desk.undo(desk.decide(first, "different"))
    desk.decide(second, "unsure")

    assert labels(desk) == []


def test_the_last_decision_about_a_pair_counts(desk: Desk) -> None:
    desk.take(ANA, MAYBE_ANA)
    [candidate] = desk.open_candidates()
    desk.undo(desk.decide(candidate, "different"))
    desk.decide(desk.candidate(candidate.candidate_id), "same", now=NOW + timedelta(days=1))

    assert [each["clerical_match_score"] for each in labels(desk)] == [1.0]


def test_training_takes_pairs_decided_to_be_one_person_while_the_decision_stands(desk: Desk) -> None:
    desk.take(*TWO_QUESTIONS)
    first, second = desk.open_candidates()
    decided = desk.decide(first, "same")
    desk.decide(second, "different")

    with read(desk.engine) as connection:
        standing = select_matched_pairs(connection)
    desk.undo(decided)
    with read(desk.engine) as connection:
        undone = select_matched_pairs(connection)

    assert standing == [(first.record_id_l, first.record_id_r)]
    assert undone == []


def test_labels_are_written_to_a_file(
    lite_desk: Desk, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite_desk.take(ANA, MAYBE_ANA)
    lite_desk.decide(lite_desk.open_candidates()[0], "same")
    monkeypatch.setenv("CDP_DATABASE_URL", sqlite_url)
    path = tmp_path / "labels.csv"

    result = CliRunner().invoke(main, ["export", "labels", "--out", str(path)])

    assert result.exit_code == 0, result.output
    with path.open() as file:
        [row] = csv.DictReader(file)
    assert (row["source_dataset_l"], row["unique_id_l"], row["unique_id_r"]) == ("shop", "1", "2")
    assert float(row["clerical_match_score"]) == 1.0


def test_a_version_is_not_measured_by_what_it_may_have_learnt_from(lite_desk: Desk) -> None:
    lite_desk.take(*TWO_QUESTIONS)
    first, second = lite_desk.open_candidates()
    before = {"now": NOW - timedelta(days=1)}
    lite_desk.undo(lite_desk.decide(first, "same", **before), **before)
    with write(lite_desk.engine) as connection:
        connection.execute(update(model_versions).values(created_at=NOW + timedelta(days=1)))
    for each in (first, second):
        later = NOW + timedelta(days=2)
        lite_desk.decide(lite_desk.candidate(each.candidate_id), "same", now=later)

    with read(lite_desk.engine) as connection:
        measured = select_labelled_weights(connection, model_version=first.model_version)

    assert len(labels(lite_desk)) == 2
    assert measured == [(second.match_weight, True)]
