"""Decisions and automatic joins come back blind to somebody else; estimates from them equal a reference."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import SecondPersonNeededError, UnknownSampleError
from cdp.stewardship.estimation import weighted_share, wilson
from cdp.stewardship.quality import (
    BlindSample,
    Quality,
    answer_sample,
    count_readable,
    draw_samples,
    draw_when_due,
    estimate_quality,
    is_drawn,
    select_next_sample,
)
from cdp.store import read, write
from cdp.store.schema import quality_samples
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import ANA, BIA, MAYBE_ANA, Desk

ALL = DeskRules(quality_decision_share=1.0, quality_join_share=1.0)
TWO_QUESTIONS = (ANA, MAYBE_ANA, BIA | {"address": {"city": "Faro"}}, MAYBE_ANA | {"full_name": "Bia Prado"})


def draw(desk: Desk, rules: DeskRules = ALL) -> int:
    return draw_samples(desk.engine, rules, author="worker", now=NOW)


def following(desk: Desk, author: str) -> BlindSample | None:
    with read(desk.engine) as connection:
        return select_next_sample(connection, author=author)


def quality(desk: Desk) -> Quality:
    with read(desk.engine) as connection:
        return estimate_quality(connection)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_of_many_their_share_is_drawn_and_always_the_same(share: float) -> None:
    drawn = [is_drawn("join", number, share) for number in range(20_000)]

    assert sum(drawn) / 20_000 == pytest.approx(share, abs=0.01)
    assert drawn == [is_drawn("join", number, share) for number in range(20_000)]


def test_decisions_and_joins_are_drawn_once(desk: Desk) -> None:
    desk.take(*TWO_QUESTIONS)
    desk.feed.ingest(a_record("5", **ANA))
    first, second = desk.open_candidates()
    desk.decide(desk.candidate(first.candidate_id), "different", author="ana")
    desk.undo(desk.decide(desk.candidate(second.candidate_id), "same", author="ana"), author="ana")

    counts = draw(desk), draw(desk)

    rows = desk.rows(quality_samples)
    assert counts == (2, 0)
    assert [(row["kind"], row["first_answer"], row["first_author"], row["chance"]) for row in rows] == [
        ("decision", "different", "ana", 1.0),
        ("join", "same", "machine", 1.0),
    ]
    assert desk.record_id("5") in (rows[1]["record_id_l"], rows[1]["record_id_r"])
    assert desk.breaches() == []


def test_it_is_drawn_when_it_is_time(desk: Desk) -> None:
    def draw_due(now: datetime) -> int:
        return draw_when_due(desk.engine, ALL, author="worker", now=now)

    desk.feed.ingest(*(a_record(key, **ANA) for key in "12"))
    first = draw_due(NOW)
    desk.feed.ingest(a_record("3", **ANA))

    assert (first, draw_due(NOW + timedelta(minutes=59)), draw_due(NOW + timedelta(hours=1))) == (1, 0, 1)


def test_of_an_entry_of_several_joins_one_is_drawn_with_its_chance(desk: Desk) -> None:
    desk.feed.ingest(*(a_record(key, **ANA) for key in "1234"))

    draw(desk, replace(ALL, quality_join_share=1.0))

    [row] = desk.rows(quality_samples)
    assert row["chance"] == pytest.approx(1 / 3)
    assert row["record_id_l"] < row["record_id_r"]


def test_a_sample_is_blind_and_not_its_authors(desk: Desk) -> None:
    desk.take(ANA, MAYBE_ANA)
    desk.decide(desk.open_candidates()[0], "same", author="ana")
    draw(desk)

    sample = following(desk, "rui")

    assert sample == BlindSample(1, 1, 2)
    assert following(desk, "ana") is None
    with pytest.raises(SecondPersonNeededError):
        answer_sample(desk.engine, 1, "same", author="ana", now=NOW)
    before = desk.people()
    answer_sample(desk.engine, 1, "different", author="rui", now=NOW)
    with pytest.raises(UnknownSampleError):
        answer_sample(desk.engine, 1, "same", author="eva", now=NOW)
    assert following(desk, "rui") is None
    assert desk.people() == before
    assert desk.breaches() == []


def test_what_a_source_took_back_is_not_read_again(lite_desk: Desk) -> None:
    lite_desk.take(*TWO_QUESTIONS)
    for candidate in lite_desk.open_candidates():
        lite_desk.decide(candidate, "different", author="ana")
    draw(lite_desk, replace(ALL, quality_join_share=0.0))

    lite_desk.feed.delete("shop", "1")

    with read(lite_desk.engine) as connection:
        assert count_readable(connection, author="rui") == 1
        assert count_readable(connection, author="ana") == 0
        assert select_next_sample(connection, author="rui") == BlindSample(2, 3, 4)


def test_the_estimates_are_those_of_a_reference(lite_desk: Desk) -> None:
    """Joins of two chances; decisions, of which the second reader agrees with three of four."""
    names = ["Ana", "Bia", "Caio", "Davi", "Eva", "Fabio"]
    for name in names:
        values = {
            "full_name": f"{name} Reis",
            "emails": [f"{name.lower()}@example.com"],
            "birth_date": "1980-01-02",
        }
        size = 3 if name in ("Ana", "Bia") else 2
        lite_desk.feed.ingest(*(a_record(f"{name}{number}", **values) for number in range(size)))
    draw(lite_desk)
    rows = lite_desk.rows(quality_samples)
    answers = ["same", "different", "same", "same", "unsure", "same"]
    for row, answer in zip(rows, answers, strict=True):
        answer_sample(lite_desk.engine, row["sample_id"], answer, author="rui", now=NOW)

    told = quality(lite_desk)

    weights = [1 / row["chance"] for row in rows]
    assert sorted({round(weight) for weight in weights}) == [1, 2]
    counted = [
        (answer == "same", weight)
        for answer, weight in zip(answers, weights, strict=True)
        if answer != "unsure"
    ]
    assert told.precision == weighted_share(counted)
    right = sum(weight for is_same, weight in counted if is_same)
    assert told.precision.value == pytest.approx(right / sum(weight for _, weight in counted))
    assert (told.waiting_count, told.unsure_count, told.kappa) == (0, 1, None)


def test_agreement_is_of_decisions_alone(lite_desk: Desk) -> None:
    lite_desk.take(*TWO_QUESTIONS)
    for candidate, decision in zip(lite_desk.open_candidates(), ("same", "different"), strict=True):
        lite_desk.decide(candidate, decision, author="ana")
    draw(lite_desk, replace(ALL, quality_join_share=0.0))
    for row in lite_desk.rows(quality_samples):
        answer_sample(lite_desk.engine, row["sample_id"], row["first_answer"], author="rui", now=NOW)

    told = quality(lite_desk)

    assert told.agreement == wilson(2, 2)
    assert (told.kappa, told.precision) == (1.0, wilson(0, 0))


def test_what_was_drawn_by_hand_is_not_in_the_way(lite_desk: Desk) -> None:
    lite_desk.take(ANA, MAYBE_ANA)
    lite_desk.decide(lite_desk.open_candidates()[0], "same", author="ana")
    draw(lite_desk)
    with write(lite_desk.engine) as connection:
        connection.execute(update(quality_samples).values(first_author="eva"))

    assert following(lite_desk, "ana") is not None
