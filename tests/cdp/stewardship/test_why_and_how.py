"""Why and how, to be shown to stewards: the parts of a weight add up to it, the ledger replayed gives the people."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cdp.identity.explain import LANGUAGES, explain_edge
from cdp.identity.profile_reads import select_ledger_entries
from cdp.store import open_store, read
from cdp.store.schema import edges
from tests.cdp.realtime.feeding import random_records
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, MAYBE_ANA, Desk

FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(seed=st.integers(0, 10_000))
def test_the_parts_of_every_pair_add_up_to_its_weight(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    path = shutil.copyfile(migrated_file, tmp_path_factory.mktemp("why") / "cdp.db")
    engine = open_store(f"sqlite:///{path}")
    Desk(engine).feed.ingest(*random_records(seed, 25))
    with read(engine) as connection:
        stored = connection.execute(
            select(edges.c.record_id_l, edges.c.record_id_r, edges.c.match_weight)
        ).all()

        for left, right, weight in stored:
            told = explain_edge(connection, (left, right), language="en").pair
            assert told is not None
            parts = [each.match_weight for each in told.comparisons]
            assert told.match_weight == weight
            assert told.prior_match_weight + sum(parts) == pytest.approx(weight, abs=1e-9)
            assert all(
                each.match_weight == pytest.approx(each.level_weight + each.frequency_weight)
                for each in told.comparisons
            )
    engine.dispose()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_names_what_weighs_most(lite_desk: Desk, language: str) -> None:
    lite_desk.take(ANA, MAYBE_ANA)

    with read(lite_desk.engine) as connection:
        explained = explain_edge(connection, (1, 2), language=language)

    assert explained.pair is not None
    heaviest = max(explained.pair.comparisons, key=lambda each: abs(each.match_weight))
    assert heaviest.label.casefold() in explained.text.casefold()


def test_the_ledger_replayed_gives_the_people_with_who_did_what(desk: Desk) -> None:
    desk.take(ANA, BIA, CAIO, ANA)
    joined = desk.join("1", "2", author="eva")
    desk.undo(desk.split("4", author="rui"), author="ana")
    desk.undo(joined, author="lia")

    for profile_id, record_ids in members_of(desk).items():
        with read(desk.engine) as connection:
            entries = select_ledger_entries(connection, profile_id, limit=1000)
        held: set[int] = set()
        for entry in reversed(entries):
            for move in entry.moves:
                (held.add if move["to_profile_id"] == profile_id else held.discard)(move["record_id"])
        assert held == record_ids
        assert [entry.recorded_at for entry in entries] == sorted(
            (entry.recorded_at for entry in entries), reverse=True
        )
    with read(desk.engine) as connection:
        told = select_ledger_entries(connection, desk.profile_of("1"), limit=1000)
    assert [entry.author for entry in reversed(told)] == ["test", "test", "eva", "rui", "ana", "lia"]


def members_of(desk: Desk) -> dict[str, set[int]]:
    return {
        profile_id: {desk.record_id(key) for key in keys}
        for profile_id, keys in desk.people().members.items()
    }
