"""`cdp serve` hands over to gunicorn, and only over a store that can be served."""

from __future__ import annotations

import os
import sys
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


def test_gunicorn_takes_over_with_the_settings_of_the_api(
    executed: list[Arguments], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", sqlite_url)

    result = CliRunner().invoke(main, ["serve", "--bind", "127.0.0.1:9000", "--workers", "2"])

    assert result.exit_code == 0
    assert executed == [
        [
            sys.executable,
            *("-P", "-m", "api.launch", "--config", "python:api.serving"),
            *("--bind", "127.0.0.1:9000", "--workers", "2", "wsgi:app"),
        ]
    ]


def test_without_a_store_nothing_is_served(
    executed: list[Arguments], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")

    result = CliRunner().invoke(main, ["serve"])

    assert result.exit_code == 1
    assert "cdp migrate" in result.stderr
    assert executed == []


def test_a_database_that_is_away_is_waited_for(
    executed: list[Arguments], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DATABASE_URL", "postgresql://127.0.0.1:1/cdp")

    result = CliRunner().invoke(main, ["serve"])

    assert result.exit_code == 0
    assert "/readyz" in result.stderr
    assert len(executed) == 1
