"""`cdp train`, `resolve`, `model` and `verify` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, update

from cdp.commands import main
from cdp.store import schema, write
from tests.cdp.identity.resolving import (
    ANA,
    ANA_AGAIN,
    BRUNO,
    CLARA,
    a_record,
    add_records,
    rows,
    use_small_model,
)

SMALL = str(Path(__file__).parent.parent / "identity" / "small.toml")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def run_json(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def people(sqlite_store: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The store that the environment names: Ana twice, Bruno and Clara, not resolved."""
    use_small_model(sqlite_store)
    add_records(
        sqlite_store,
        a_record("a1", ANA),
        a_record("a2", ANA_AGAIN),
        a_record("b1", BRUNO),
        a_record("c1", CLARA),
    )
    monkeypatch.setenv("CDP_DATABASE_URL", sqlite_url)
    return sqlite_store


def test_resolve_tells_what_it_changed(people: Engine) -> None:
    told = run_json("resolve")

    assert told["counts"]["clusters"] == 3
    assert told["changes"]["create"] == 3
    assert told["preview"] is None
    assert "4 records, 3 profiles" in run("resolve").stdout


NAMES = "Ana Reis,Bia Lima,Caio Prado,Davi Moura,Eva Tavares,Fabio Nunes,Gil Campos,Helio Pires,Iris Lopes,Joca Melo"
MANY = [*NAMES.split(","), "Kika Bastos", "Luiz Otero"]


def test_a_dry_run_tells_people_ten_of_each_kind_and_programs_all(people: Engine) -> None:
    run("resolve")
    values = [{"full_name": name, "phones": [f"31 9{n}76-12{n}"]} for n, name in enumerate(MANY, start=10)]
    add_records(people, *[a_record(f"first-{place}", each) for place, each in enumerate(values)])
    run("resolve")
    add_records(people, *[a_record(f"again-{place}", each) for place, each in enumerate(values)])

    told = run("resolve", "--dry-run").stdout.splitlines()
    listed = run_json("resolve", "--dry-run")["preview"]["examples"]["attach"]

    assert len([line for line in told if line.startswith("  attach pf_")]) == 10
    assert "  attach: 2 more; --json tells all" in told
    assert len({example["profile_id"] for example in listed}) == len(MANY)


def test_a_dry_run_shows_examples_by_profile(people: Engine) -> None:
    run("resolve")
    add_records(people, a_record("a3", ANA_AGAIN, full_name="Ana Lúcia Reis"))

    result = run("resolve", "--dry-run")

    assert result.exit_code == 0
    assert "attach 1" in result.stdout
    assert f"attach {rows(people, 'profiles')[0]['profile_id']}: records 5" in result.stdout
    assert len(rows(people, "resolution_runs")) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["resolve", "--engine", "spark"], "not part of this release"),
        (["resolve", "--model", "7"], "There is no model version 7"),
        (["model", "activate", "7"], "There is no model version 7"),
        (["train", "--spec", "nowhere.toml"], "nowhere.toml"),
    ],
    ids=["spark", "unknown model", "unknown activation", "no specification"],
)
def test_what_cannot_be_done_is_one_clear_line(people: Engine, arguments: list[str], told: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 1
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_training_prints_a_table_and_the_next_step(people: Engine) -> None:
    result = run("train", "--spec", SMALL, "--seed", "3")

    assert result.exit_code == 0, result.stderr
    assert "Model version 1, from 4 records with seed 3." in result.stdout
    assert "phone: equal" in result.stdout
    assert "cdp resolve --model 1 --dry-run" in result.stdout
    assert result.stderr.splitlines() == [
        "Training: loading records ...",
        "Training: counting terms ...",
        "Training: estimating u from random pairs ...",
        "Training: choosing blocking rules ...",
        "Training: estimating m from blocked pairs ...",
    ]


def test_a_trained_model_can_come_into_force_at_once(people: Engine) -> None:
    told = run_json("train", "--spec", SMALL, "--activate")

    assert (told["model_version"], told["active"]) == (1, True)
    listed = run_json("model", "list")
    assert [each["active_since"] is not None for each in listed] == [False, True]
    header, _, in_force, meaning = run("model", "list").stdout.splitlines()
    assert header.split() == ["version", "name", "from", "records", "made", "at", "(UTC)"]
    assert in_force.startswith("*       1  ")
    assert meaning.startswith("* in force")


def test_activating_a_model_twice_says_so(people: Engine) -> None:
    run("train", "--spec", SMALL)

    assert run_json("model", "activate", "1", "--reason", "better") == {
        "model_version": 1,
        "changed": True,
        "resolution": None,
    }
    assert "in force already" in run("model", "activate", "1").stdout


def test_activating_a_model_resolves_what_another_made(people: Engine) -> None:
    run("resolve")
    run("train", "--spec", SMALL)

    shown = run("model", "activate", "1", "--dry-run")
    assert "Dry run, nothing was changed." in shown.stdout
    assert [each["active_since"] is not None for each in run_json("model", "list")] == [True, False]
    told = run_json("model", "activate", "1", "--reason", "better")

    assert told["resolution"]["model_version"] == 1
    assert {row["model_version_id"] for row in rows(people, "edges")} == {1}
    assert "in force already" in run("model", "activate", "1").stdout


def test_a_dry_run_without_profiles_says_that_none_would_change(people: Engine) -> None:
    run("train", "--spec", SMALL)

    result = run("model", "activate", "1", "--dry-run")

    assert "No profile would change" in result.stdout
    assert [each["active_since"] is not None for each in run_json("model", "list")] == [True, False]


def test_golden_records_follow_the_rules_of_a_file(
    people: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[rules]\ndefault = ["most_recent"]\n', "utf-8")
    add_records(people, a_record("a3", ANA_AGAIN, occurred_at="2026-03-01T00:00:00Z"))
    run_json("resolve")
    shipped = full_names(people)

    monkeypatch.setenv("CDP_SURVIVORSHIP_FILE", str(rules))
    before, told = run("verify").stdout, run_json("resolve")

    assert (shipped[0], full_names(people)[0]) == ("Ana Lúcia Reis", "Ana L. Reis")
    assert "golden: the golden record of profile" in before
    assert told["changes"]["profiles_changed"] == 1
    assert run_json("verify")["ok"]


@pytest.mark.parametrize("command", ["resolve", "verify"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        ("[rules", "is not TOML"),
        ("[rules]\ngender = ['most_recent']", "lacks the line default"),
        ("[rules]\ndefault = ['best']", "names the rules best"),
    ],
    ids=["missing", "no TOML", "no default", "unknown rule"],
)
def test_a_wrong_file_of_rules_is_one_clear_line(
    people: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    content: str | None,
    told: str,
) -> None:
    rules = tmp_path / "rules.toml"
    if content is not None:
        rules.write_text(content, "utf-8")
    monkeypatch.setenv("CDP_SURVIVORSHIP_FILE", str(rules))

    result = run(command)

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert str(rules) in result.stderr
    assert told in result.stderr


def test_verify_is_content_with_a_sound_store(people: Engine) -> None:
    run("resolve")

    told = run_json("verify")

    assert (told["ok"], told["breaches"]) == (True, [])
    assert told["checks"]["partition"] == 0
    assert told["skipped"] == {}


def test_verify_ends_with_one_line_for_each_breach(people: Engine) -> None:
    run("resolve")
    with write(people) as connection:
        connection.execute(update(schema.profiles).values(record_count=7))

    result = run("verify", "--no-partition")

    assert result.exit_code == 1
    assert result.stdout.count("record_counts: profile pf_") == 3
    assert "partition: not checked, it was not asked for." in result.stdout


def test_verify_says_that_it_leaves_the_partition_of_many_records_out(
    people: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("resolve")
    monkeypatch.setattr("cdp.identity.verify.PARTITION_AT_MOST", 3)

    told, lines, full = run_json("verify"), run("verify").stdout, run_json("verify", "--full")

    assert "partition" not in told["checks"]
    assert told["skipped"] == {"partition": "4 records are more than 3; `cdp verify --full` does it"}
    assert "partition: not checked, 4 records are more than 3; `cdp verify --full` does it." in lines
    assert (full["checks"]["partition"], full["skipped"]) == (0, {})


def test_a_new_store_has_the_shipped_model_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDP_DATABASE_URL", raising=False)
    monkeypatch.setenv("CDP_HOME", str(tmp_path))

    run("migrate")

    [prior] = run_json("model", "list")
    assert (prior["model_version"], prior["label"]) == (0, "shipped prior")
    assert prior["active_since"] is not None


def full_names(store: Engine) -> list[str]:
    """Of every profile, in the order of their ids."""
    return [each["golden"]["attributes"]["full_name"]["value"] for each in rows(store, "profiles")]


def test_a_sample_stands_in_for_resolving_everything(people: Engine) -> None:
    run("resolve")

    told = run_json("verify", "--sample", "3", "--seed", "7")

    assert told["sample"] == {"seed": 7, "records": 3, "waiting": 0, "differing": 0}
    assert (told["disagreement"], told["checks"]["partition"], told["skipped"]) == (0.0, 0, {})
    assert "0.0000% of 3 sampled records" in run("verify", "--sample", "3").stdout
    assert run("verify", "--sample", "3", "--full").exit_code == 2


def test_before_anything_is_resolved_a_sample_has_nothing_to_compare(people: Engine) -> None:
    result = run("verify", "--sample", "3", "--json")

    told = json.loads(result.stdout)
    assert (told["sample"], told["disagreement"]) == (None, None)


def test_verify_tells_the_disagreement(people: Engine) -> None:
    run("resolve")

    told = run_json("verify")

    assert (told["disagreement"], told["notes"], told["sample"]) == (0.0, {}, None)


def test_standardize_tells_what_it_changed(people: Engine) -> None:
    run("resolve")
    with write(people) as connection:
        connection.execute(update(schema.source_records).values(standardizer_version=0))

    dry, done, again = (
        run_json("standardize", "--dry-run"),
        run_json("standardize"),
        run_json("standardize"),
    )

    assert (dry["examined"], dry["changed"], dry["dry_run"]) == (4, 0, True)
    assert (done["examined"], done["refused"], again["examined"]) == (4, 0, 0)
    assert run("standardize").stdout == "0 records of an earlier standardizer, 0 of them changed.\n"
    assert run("verify").exit_code == 0
