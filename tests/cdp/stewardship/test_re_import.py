"""What a steward ruled holds when the records come again, changed or not, and when another model is in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdp.identity.activate import activate_model
from cdp.identity.resolve import resolve_all
from tests.cdp.identity.importing import run_import, write_lines
from tests.cdp.realtime.feeding import NOW, a_record, keep_model
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, Desk
from tests.resolution.builders import SMALL

RULED = [["1", "3"], ["2"], ["4"]]
# So high that the evidence joins nobody, and so low that any evidence does.
STRICT = replace(SMALL.thresholds, link=900.0, join=900.0, review=900.0, ceiling=999.0)
LENIENT = replace(SMALL.thresholds, link=-50.0, join=-50.0, review=-50.0)
# Bia moves and has another address; both Anas say even more alike what they said.
CHANGED = [
    {**ANA, "gender": "f"},
    {**ANA, "gender": "f"},
    {**BIA, "emails": ["bia.prado@example.com"], "address": {"city": "Braga"}},
    CAIO,
]

Again = Callable[[Desk, Path], None]


def imported(desk: Desk, folder: Path, people: list[dict[str, Any]], *, day: int) -> dict[str, int]:
    """The people as records 1, 2, ... of one file, imported and resolved; what the import counted."""
    records = [a_record(str(number), day=day, **values) for number, values in enumerate(people, start=1)]
    report = run_import(
        desk.engine,
        write_lines(folder / f"day-{day}.jsonl", *records),
        clock=lambda: NOW + timedelta(days=day),
    )
    resolve_all(desk.engine, clock=lambda: NOW + timedelta(days=day))
    return report.totals()


def with_another_model(desk: Desk, **changes: Any) -> None:
    keep_model(desk.engine, 1, **changes)
    activate_model(desk.engine, 1, author="lead", reason="after training", now=NOW)
    resolve_all(desk.engine, clock=lambda: NOW)


def same_file(desk: Desk, folder: Path) -> None:
    assert imported(desk, folder, [ANA, ANA, BIA, CAIO], day=0)["unchanged"] == 4


def newer_versions(desk: Desk, folder: Path) -> None:
    assert imported(desk, folder, CHANGED, day=1)["updated"] == 4


def deleted_between(desk: Desk, folder: Path) -> None:
    """The version that brings it back is younger than its deletion."""
    desk.feed.delete("shop", "3", now=NOW + timedelta(days=1))
    assert ["1"] in desk.groups()
    imported(desk, folder, CHANGED, day=102)


AGAIN: dict[str, Again] = {
    "the same file": same_file,
    "newer versions": newer_versions,
    "a deletion and newer versions": deleted_between,
    "a stricter model": lambda desk, folder: with_another_model(desk, thresholds=STRICT),
    "a laxer model": lambda desk, folder: with_another_model(desk, thresholds=LENIENT),
}


@pytest.fixture
def ruled(desk: Desk, tmp_path: Path) -> Desk:
    """Of a file the machine found Ana in records 1 and 2; a steward says that 3 is 1, and that 2 is another."""
    imported(desk, tmp_path, [ANA, ANA, BIA, CAIO], day=0)
    assert desk.groups() == [["1", "2"], ["3"], ["4"]]
    desk.split("2")
    desk.join("1", "3")
    assert desk.groups() == RULED
    return desk


@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN)
def test_rulings_outlast(ruled: Desk, tmp_path: Path, again: Again) -> None:
    before = ruled.people().members

    again(ruled, tmp_path)

    assert ruled.people().members == before
    assert ruled.breaches() == []


def test_rulings_outlast_all_of_it_one_after_the_other(ruled: Desk, tmp_path: Path) -> None:
    before = ruled.people().members

    same_file(ruled, tmp_path)
    newer_versions(ruled, tmp_path)
    with_another_model(ruled, thresholds=STRICT)
    [answer] = ruled.feed.ingest(a_record("2", day=3, **ANA, gender="m"))

    assert answer.model_version == 1
    assert ruled.people().members == before
    assert ruled.breaches() == []
