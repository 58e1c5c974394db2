"""Training on the records of the store: a new version, the same for the same records and seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from cdp.identity.train import (
    InvalidSpecificationError,
    TooFewRecordsError,
    TrainedModel,
    TrainingFailedError,
    require_specification,
    train_model,
)
from tests.cdp.identity.resolving import (
    ANA,
    LATER,
    NOW,
    a_record,
    add_records,
    delete_record,
    rows,
    small_specification,
)

NAMES = ("Ana", "Bruno", "Clara", "Davi", "Elisa", "Fabio", "Gil", "Helena", "Ivo", "Julia")
SURNAMES = ("Reis", "Tavares", "Prado", "Moura", "Campos", "Lemos")


@pytest.fixture
def sixty_people(people_store: Engine) -> Engine:
    """Two records of each; a third of them changed the phone in between."""
    raws: list[dict[str, Any]] = []
    for number in range(60):
        name = f"{NAMES[number % 10]} {SURNAMES[number % 6]}"
        email = f"person{number}@example.com"
        for place in (1, 2):
            phone = f"11 9{8000 + number + (place * 1000 if number % 3 == 0 else 0)}-4321"
            raws.append(
                a_record(f"{number}-{place}", {"full_name": name, "emails": [email], "phones": [phone]})
            )
    add_records(people_store, *raws)
    return people_store


def train(store: Engine, **options: Any) -> TrainedModel:
    return train_model(store, small_specification(), **{"seed": 7, "author": "test", "now": NOW, **options})


def test_the_same_records_and_seed_give_the_same_model(sixty_people: Engine) -> None:
    first, second = train(sixty_people), train(sixty_people)

    stored = [
        (row["specification"], row["parameters"], bytes(row["term_frequencies"]))
        for row in rows(sixty_people, "model_versions")[1:]
    ]
    assert stored[0] == stored[1]
    assert (first.model.version, second.model.version) == (1, 2)
    assert first.report == second.report


def test_the_report_is_kept_with_the_version(sixty_people: Engine) -> None:
    trained = train(sixty_people, now=LATER)

    row = rows(sixty_people, "model_versions")[1]
    assert row["report"] == trained.report
    assert (row["record_count"], row["seed"], row["created_at"]) == (120, 7, LATER)
    assert row["report"]["versions"]["splink"] == "5.0.0"
    phone = next(each for each in row["report"]["comparisons"] if each["name"] == "phone")
    assert [level["label"] for level in phone["levels"]] == ["equal", "different"]
    assert phone["levels"][0]["weight"] > 0 > phone["levels"][1]["weight"]
    assert rows(sixty_people, "audit_entries")[-1]["action"] == "model.train"


def test_the_report_tells_how_many_labels_there_were(
    sixty_people: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdp.identity.train.select_matched_pairs", lambda _: [(1, 2), (3, 4)])

    told = train(sixty_people).report["labels"]
    without = train(sixty_people, use_labels=False).report["labels"]

    assert told["used"] + told["left_out"] == 2
    assert without == {"used": 0, "left_out": 0}


def test_a_trained_version_waits_to_be_activated(sixty_people: Engine) -> None:
    assert not train(sixty_people).is_active

    assert [row["model_version_id"] for row in rows(sixty_people, "model_activations")] == [0]


def test_training_can_activate_in_the_same_write(sixty_people: Engine) -> None:
    assert train(sixty_people, activate=True).is_active

    assert [row["model_version_id"] for row in rows(sixty_people, "model_activations")] == [0, 1]


def test_one_record_is_too_few_and_deleted_ones_do_not_count(people_store: Engine) -> None:
    add_records(people_store, a_record("a1", ANA), a_record("a2", ANA))
    delete_record(people_store, "a2")

    with pytest.raises(TooFewRecordsError, match="holds 1 source records"):
        train(people_store)
    assert len(rows(people_store, "model_versions")) == 1


def test_a_specification_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = 'mine'", "utf-8")

    with pytest.raises(InvalidSpecificationError, match=r"mine\.toml"):
        require_specification(path)


def test_without_a_file_the_shipped_specification_is_used() -> None:
    assert require_specification(None).name == "people"


def test_too_little_memory_ends_a_training_with_what_to_do(
    sixty_people: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_BATCH_MEMORY", "1MB")

    with pytest.raises(TrainingFailedError, match=r"1MB of memory .* Set CDP_BATCH_MEMORY to more"):
        train(sixty_people)
