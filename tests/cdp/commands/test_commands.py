"""The command line: what it does to the store, and one clear line when it cannot."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, make_url

from cdp.commands import COMMANDS, main
from cdp.identity.verify import Verification
from cdp.privacy.audit import count_unsealed, select_head
from cdp.privacy.issue import issue_key
from cdp.privacy.keys import KeyRights, authenticate, make_key
from cdp.store import migrate, open_store, read, schema, write
from cdp.store.schema import SCHEMA_REVISION
from tests.cdp.store.rows import ROWS


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def run_json(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a store."""
    monkeypatch.delenv("CDP_DATABASE_URL", raising=False)
    monkeypatch.setenv("CDP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def configured(store_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A migrated store that the environment names."""
    monkeypatch.setenv("CDP_DATABASE_URL", store_url)
    return store_url


def test_migrate_makes_a_store_in_the_home(home: Path) -> None:
    told = run_json("migrate")

    assert told == {"store": str(home / "cdp.db"), "schema": SCHEMA_REVISION, "previous": None}
    assert run_json("migrate")["previous"] == SCHEMA_REVISION


def test_a_home_of_any_name_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "a b%40?c#ção"
    monkeypatch.delenv("CDP_DATABASE_URL", raising=False)
    monkeypatch.setenv("CDP_HOME", str(home))

    assert run_json("migrate")["store"] == str(home / "cdp.db")
    assert run_json("key", "list") == []

    assert (home / "cdp.db").exists()


def test_without_a_store_a_command_says_what_to_do_on_one_line(home: Path) -> None:
    result = run("key", "list")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "cdp migrate" in result.stderr
    assert not home.exists()


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["text", "json"])
def test_an_unforeseen_database_error_is_one_line_without_values(
    store: Engine, store_url: str, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def insert_twice(**_: object) -> None:
        with write(store) as connection:
            for number in (1, 2):
                row = {**ROWS["sources"][0], "source_id": number, "name": "ana@example.com"}
                connection.execute(schema.sources.insert(), row)

    monkeypatch.setattr("cdp.commands.migrate.migrate.callback", insert_twice)

    result = run("migrate", *flags)

    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "UniqueViolation (23505)" in result.stderr or "SQLITE_CONSTRAINT_UNIQUE" in result.stderr
    assert "ana@example.com" not in result.stderr


def test_an_error_is_json_when_json_is_asked_for(home: Path) -> None:
    result = run("key", "list", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stderr)["reason"] == "store_missing"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "No such command 'nonsense'. See `cdp --help`."),
        (
            ["key", "create", "--name", "a"],
            "Give --scope, one or more of records:write, profiles:lookup, profiles:search,",
        ),
        (["key", "create", "--colour", "red"], "No such option"),
    ],
    ids=["command", "missing", "option"],
)
def test_wrong_use_is_one_line(arguments: list[str], told: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert told in result.stderr


@pytest.mark.parametrize("arguments", [[], ["key"], ["demo"]], ids=["cdp", "key", "demo"])
def test_a_group_without_its_command_shows_its_help(arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stderr == run(*arguments, "--help").stdout


def test_what_a_command_audits_is_sealed_on_its_way_out(
    configured: str, open_engine: Callable[[str], Engine]
) -> None:
    run_json("key", "create", "--name", "ivr", "--scope", "profiles:lookup")

    with read(open_engine(configured)) as connection:
        assert (count_unsealed(connection), select_head(connection)[0]) == (0, 1)


def test_verify_seals_before_it_checks(
    postgresql_url: str, open_engine: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", postgresql_url)
    engine = open_engine(postgresql_url)
    key = make_key()
    issue_key(engine, key, KeyRights("ivr", ("profiles:lookup",)), actor="test", now=datetime.now(UTC))
    seen: list[int] = []

    def count_before_checks(verified: Engine, **_: object) -> Verification:
        with read(verified) as connection:
            seen.append(count_unsealed(connection))
        return Verification({}, [], {})

    monkeypatch.setattr("cdp.commands.verify.verify_store", count_before_checks)
    assert run("verify").exit_code == 0

    assert seen == [0]


def test_a_store_that_is_read_only_lets_a_command_end(
    postgresql_url: str, open_engine: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key()
    rights = KeyRights("ivr", ("profiles:lookup",))
    issue_key(open_engine(postgresql_url), key, rights, actor="test", now=datetime.now(UTC))
    url = make_url(postgresql_url).update_query_dict({"options": "-c default_transaction_read_only=on"})
    monkeypatch.setenv("CDP_DATABASE_URL", url.render_as_string(hide_password=False))

    assert len(run_json("key", "list")) == 1


def test_a_created_key_opens_the_door(configured: str) -> None:
    made = run_json(
        "key", "create", "--name", "ivr", "--scope", "profiles:lookup", "--scope", "profiles:read:ivr",
        "--view", "ivr", "--source", "crm", "--expires-days", "30",
    )  # fmt: skip

    engine = open_store(configured)
    with read(engine) as connection:
        caller = authenticate(connection, made["secret"], datetime.now(UTC))
    engine.dispose()
    assert caller is not None
    assert caller.key_id == made["key_id"]
    assert caller.sources == frozenset({"crm"})
    assert caller.views == frozenset({"ivr"})


def test_only_the_secret_is_on_standard_output(configured: str) -> None:
    result = run("key", "create", "--name", "ivr", "--scope", "admin")

    assert result.stdout.startswith("cdp_")
    assert result.stdout.count("\n") == 1


def test_a_key_for_a_source_that_there_is_not_says_how_to_make_it(configured: str) -> None:
    result = run("key", "create", "--name", "shop", "--scope", "segment:write", "--source", "web")

    assert result.exit_code == 0
    assert "There is no source web yet: `cdp source create web` makes it." in result.stderr


def test_a_refused_scope_makes_no_key(configured: str) -> None:
    result = run("key", "create", "--name", "ivr", "--scope", "everything")

    assert result.exit_code == 1
    assert "everything" in result.stderr
    assert run_json("key", "list") == []


def test_a_revoked_key_is_listed_as_revoked(configured: str) -> None:
    key_id = run_json("key", "create", "--name", "ivr", "--scope", "admin")["key_id"]

    assert run_json("key", "revoke", key_id) == {"key_id": key_id, "revoked": True}

    assert "revoked" in run("key", "list").stdout
    assert run("key", "revoke", "nobody").exit_code == 1


def test_a_rotated_key_has_a_second_secret_and_the_list_tells_until_when(configured: str) -> None:
    made = run_json(
        "key", "create", "--name", "ivr", "--scope", "admin", "--view", "ivr", "--expires-days", "30"
    )

    rotated = run_json("key", "rotate", made["key_id"], "--overlap-hours", "3", "--expires-days", "90")

    engine = open_store(configured)
    with read(engine) as connection:
        callers = [authenticate(connection, each["secret"], datetime.now(UTC)) for each in (made, rotated)]
    engine.dispose()
    [listed] = run_json("key", "list")
    line = run("key", "list").stdout
    assert callers[0] == callers[1] is not None
    assert listed["former_expires_at"] == rotated["former_expires_at"]
    assert listed["expires_at"] > made["expires_at"]
    assert all(
        told in line for told in ("views: ivr", f"expires {listed['expires_at'][:10]}", "former secret until")
    )


def test_a_rotation_prints_the_secret_once_and_what_becomes_of_the_former(configured: str) -> None:
    key_id = run_json("key", "create", "--name", "ivr", "--scope", "admin")["key_id"]

    result = run("key", "rotate", key_id, "--overlap-hours", "0")

    assert result.stdout.startswith(f"cdp_{key_id}_")
    assert "the former secret opens no more" in result.stderr
    assert run("key", "rotate", "nobody").exit_code == 1


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_is_found_and_tells_its_help(name: str) -> None:
    result = run(name, "--help")

    assert result.exit_code == 0, result.exception
    assert result.stdout.startswith(f"Usage: cdp {name}")


@pytest.mark.parametrize("arguments", ["--help", "migrate --help", "key --help"])
def test_light_commands_load_nothing_heavy(arguments: str) -> None:
    script = (
        "import sys\nfrom cdp.commands import main\n"
        f"main({arguments.split()!r}, standalone_mode=False)\n"
        "print(sorted({'splink', 'duckdb', 'pandas', 'flask', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert told.stdout.endswith("[]\n")


NEEDING_A_STORE = [
    ["evaluate", "--truth", "truth.csv"],
    ["export", "memberships", "--out", "a.csv"],
    ["export", "profiles", "--out", "a.csv"],
    ["export", "candidates", "--out", "a.parquet"],
    ["verify"],
    ["model", "list"],
    ["model", "activate", "1"],
    ["key", "list"],
    ["source", "list"],
    ["source", "create", "crm"],
    ["resolve"],
    ["train"],
]


@pytest.fixture
def with_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a truth file in it."""
    directory = tmp_path / "work"
    directory.mkdir()
    (directory / "truth.csv").write_text("source,source_record_id,entity_id\ncrm,1,A\n", "utf-8")
    monkeypatch.chdir(directory)
    return directory


@pytest.mark.parametrize("arguments", NEEDING_A_STORE, ids=" ".join)
@pytest.mark.parametrize(
    ("revision", "told"),
    [(None, "There is no store at"), ("0000", "has schema 0000"), ("9999", "newer than")],
    ids=["no store", "older", "newer"],
)
def test_a_store_that_cannot_be_used_is_one_clear_line(
    home: Path, with_truth: Path, arguments: list[str], revision: str | None, told: str
) -> None:
    if revision is not None:
        migrate(f"sqlite:///{home / 'cdp.db'}")
        with closing(sqlite3.connect(home / "cdp.db")) as connection, connection:
            connection.execute("UPDATE cdp_schema_version SET version_num = ?", [revision])

    result = run(*arguments)

    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert told in result.stderr
    assert list(with_truth.iterdir()) == [with_truth / "truth.csv"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["evaluate", "--truth", "truth.csv"], 1, "No record is in a profile: `cdp import`"),
        (["export", "memberships", "--out", "a.csv"], 0, "0 memberships in a.csv."),
        (["export", "profiles", "--out", "a.parquet"], 0, "0 profiles in a.parquet."),
        (["model", "list"], 0, "There is no model version yet: `cdp migrate`"),
        (["key", "list"], 0, "There is no key yet: `cdp key create`"),
        (["source", "list"], 0, "There is no source yet: `cdp source create`"),
        (["train"], 1, "The store holds 0 source records"),
    ],
    ids=lambda given: " ".join(given[:2]) if isinstance(given, list) else None,
)
def test_an_empty_store_is_one_clear_line(
    sqlite_url: str,
    with_truth: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    told: str,
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", sqlite_url)

    result = run(*arguments)

    assert (result.exit_code, result.output.count("\n")) == (code, 1)
    assert told in result.output
