"""What a caller learns when a condition of the model fails on records, or the model or the rules cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from sqlalchemy import update

from api.records import RECORDS_AT_MOST
from cdp.store import schema, write
from tests.api.conftest import Caller
from tests.builders import StoreBuilder
from tests.cdp.realtime.feeding import activate_failing_model

FAILED = {"field": "", "reason": "condition_failed"}


def lone(place: int) -> dict[str, Any]:
    return {"source": "crm", "source_record_id": f"b-{place}", "emails": [f"b{place}@example.com"]}


def test_one_record_of_a_thousand_that_fails_is_stored_with_the_reason(
    lite_writer: Caller, lite_people: StoreBuilder
) -> None:
    activate_failing_model(lite_people.engine)
    records = [lone(place) for place in range(RECORDS_AT_MOST)]
    records[7] |= {"full_name": "Ana Reis", "emails": ["casa77@example.com"]}
    before = lite_writer.write(records[7])
    records[500] |= {"full_name": "Ze Reis", "emails": ["casa77@example.com"]}

    answer = lite_writer.write(*records)

    assert (before.status_code, answer.status_code) == (201, 200)
    results = answer.json["results"]  # type: ignore[index]
    assert [place for place, each in enumerate(results) if FAILED in each["refusals"]] == [500]
    assert len({each["profile_id"] for each in results}) == RECORDS_AT_MOST
    assert results[500]["outcome"] == "created"
    assert results[500]["match_weight"] is None


def test_a_steward_sees_which_records_of_a_profile_are_set_aside(
    lite_writer: Caller, lite_people: StoreBuilder
) -> None:
    activate_failing_model(lite_people.engine)
    for place, name in enumerate(("Ana", "Ze")):
        written = lite_writer.write(
            lone(place) | {"full_name": f"{name} Reis", "emails": ["casa77@example.com"]}
        )

    profile_id = written.json["profile_id"]  # type: ignore[index]
    shown = lite_writer.get(f"/v1/profiles/{profile_id}/records?view=steward")

    assert [FAILED in each["refusals"] for each in shown.json["data"]] == [True]  # type: ignore[index]


def test_the_log_names_the_record_and_no_value(lite_writer: Caller, lite_people: StoreBuilder) -> None:
    activate_failing_model(lite_people.engine)

    with structlog.testing.capture_logs() as logs:
        for place, name in enumerate(("Ana", "Ze")):
            lite_writer.write(lone(place) | {"full_name": f"{name} Reis", "emails": ["casa77@example.com"]})

    [line] = [line for line in logs if line["event"] == "record.set_aside"]
    assert (line["record_id"], line["model_version"]) == (2, 2)
    assert "casa77" not in str(logs)


def test_rules_that_were_never_good_are_the_services_fault(
    lite_writer: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_SURVIVORSHIP_FILE", str(tmp_path / "nowhere.toml"))

    answer = lite_writer.write(lone(1))

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "survivorship_invalid"
    assert "nowhere" not in answer.text


def test_rules_that_break_while_it_runs_stop_nobody(
    lite_writer: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[rules]\ndefault = ['longest']\n", "utf-8")
    monkeypatch.setenv("CDP_SURVIVORSHIP_FILE", str(rules))
    before = lite_writer.write(lone(1))

    rules.write_text("[rules", "utf-8")
    after = lite_writer.write(lone(2))

    assert (before.status_code, after.status_code) == (201, 201)


def test_a_model_that_this_release_cannot_use_is_the_services_fault(
    lite_writer: Caller, lite_people: StoreBuilder
) -> None:
    with write(lite_people.engine) as connection:
        connection.execute(update(schema.model_versions).values(specification="name = 7"))

    with structlog.testing.capture_logs() as logs:
        answer = lite_writer.write(lone(2))

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "model_unusable"
    assert answer.headers["Retry-After"] == "60"
    assert [line["reason"] for line in logs if line["event"] == "model.unusable"] == ["unreadable_model"]
