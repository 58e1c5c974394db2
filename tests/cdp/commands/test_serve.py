"""`cdp serve` hands over to gunicorn, and only over a store that can be served."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdp.commands import main

Arguments = list[str]


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[Arguments]:
    """What would have taken the place of this process."""
    commands: list[Arguments] = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: commands.append(arguments))
    return commands


@pytest.fixture(autouse=True)
def supervisors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been started beside it."""
    started: list[str] = []
    monkeypatch.setattr("cdp.commands.serve.start_supervisor", lambda: started.append("supervisor"))
    return started


def test_gunicorn_takes_over_with_the_settings_of_the_api(
    executed: list[Arguments], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", sqlite_url)

    result = CliRunner().invoke(main, ["serve", "--bind", "127.0.0.1:0", "--workers", "2"])

    assert result.exit_code == 0
    assert executed == [
        [
            sys.executable,
            *("-P", "-m", "api.launch", "--config", "python:api.serving"),
            *("--bind", "127.0.0.1:0", "--workers", "2", "wsgi:app"),
        ]
    ]


@pytest.mark.parametrize(("option", "count"), [("--with-worker", 1), ("--no-worker", 0), (None, 1)])
def test_a_worker_runs_beside_it_unless_told_otherwise(
    executed: list[Arguments],
    supervisors: list[str],
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    option: str | None,
    count: int,
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", sqlite_url)

    CliRunner().invoke(main, ["serve", "--bind", "127.0.0.1:0", *([option] if option else [])])

    assert (len(executed), len(supervisors)) == (1, count)


def test_without_a_store_nothing_is_served(
    executed: list[Arguments], supervisors: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")

    result = CliRunner().invoke(main, ["serve", "--bind", "127.0.0.1:0"])

    assert result.exit_code == 1
    assert "cdp migrate" in result.stderr
    assert executed == supervisors == []


def test_a_database_that_is_away_is_waited_for(
    executed: list[Arguments], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", "postgresql://127.0.0.1:1/cdp")

    result = CliRunner().invoke(main, ["serve", "--bind", "127.0.0.1:0"])

    assert result.exit_code == 0
    assert "/readyz" in result.stderr
    assert len(executed) == 1


@pytest.fixture
def taken() -> Iterator[str]:
    """An address where something listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_a_port_that_is_taken_is_told_at_once(
    executed: list[Arguments], taken: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", sqlite_url)

    result = CliRunner().invoke(main, ["serve", "--bind", taken])

    assert (result.exit_code, result.stdout, executed) == (1, "", [])
    assert result.stderr == (
        f"Cannot listen on {taken}: another program does; end it, or choose another port with PORT or --bind.\n"
    )


def test_the_demo_is_not_loaded_where_it_cannot_be_served(
    executed: list[Arguments], taken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CDP_DATABASE_URL", raising=False)

    result = CliRunner().invoke(main, ["demo", "serve", "--bind", taken])

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"Cannot listen on {taken}" in result.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "nowhere.invalid:80", "192.0.2.1:80"])
def test_an_address_that_cannot_be_is_one_line(executed: list[Arguments], address: str) -> None:
    result = CliRunner().invoke(main, ["serve", "--bind", address])

    assert (result.exit_code, result.stderr.count("\n"), executed) == (1, 1, [])
    assert address in result.stderr


@pytest.mark.parametrize("address", ["unix:/run/cdp.sock", "fd://3", "[::1]"])
def test_other_addresses_are_for_gunicorn_to_judge(
    executed: list[Arguments], address: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", sqlite_url)

    result = CliRunner().invoke(main, ["serve", "--bind", address])

    assert (result.exit_code, len(executed)) == (0, 1)


def test_rules_that_cannot_be_used_are_told_before_anything_is_served(
    executed: list[Arguments], sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[rules]\ndefault = ['longest']\nfullname = ['longest']\n", "utf-8")
    monkeypatch.setenv("CDP_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CDP_SURVIVORSHIP_FILE", str(rules))

    result = CliRunner().invoke(main, ["serve", "--bind", "127.0.0.1:0"])

    assert (result.exit_code, result.stderr.count("\n"), executed) == (1, 1, [])
    assert "fullname" in result.stderr
