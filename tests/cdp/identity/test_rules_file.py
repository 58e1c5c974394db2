"""Rules of survivorship follow their file while a program runs, and a broken file stops none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import structlog.testing

from cdp.identity.rules_file import RulesFile
from cdp.identity.survivorship import SurvivorshipError

LONGEST = "[rules]\ndefault = ['longest']\n"
NEWEST = "[rules]\ndefault = ['most_recent']\n"


def write_at(path: Path, text: str, second: int) -> None:
    """As it would be at that time: clocks of file systems tick slowly."""
    path.write_text(text, "utf-8")
    os.utime(path, (second, second))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    write_at(path, LONGEST, 1)
    return path


def test_an_unchanged_file_is_read_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RulesFile(path)
    first = file.rules()
    monkeypatch.setattr("cdp.identity.rules_file.read_rules", pytest.fail)

    assert file.rules() is first


def test_a_changed_file_is_read_again(path: Path) -> None:
    file = RulesFile(path)
    before = file.rules()

    write_at(path, NEWEST, 2)

    assert (before, file.rules()) == ({"default": ["longest"]}, {"default": ["most_recent"]})


@pytest.mark.parametrize("broken", ["[rules", None], ids=["no TOML", "gone"])
def test_a_file_that_breaks_is_logged_once_and_the_rules_stay(path: Path, broken: str | None) -> None:
    file = RulesFile(path)
    before = file.rules()
    if broken is None:
        path.unlink()
    else:
        write_at(path, broken, 2)

    with structlog.testing.capture_logs() as logs:
        kept = [file.rules(), file.rules()]

    assert kept == [before, before]
    assert [line["event"] for line in logs] == ["survivorship.invalid"]
    assert str(path) in logs[0]["detail"]


def test_a_file_that_is_mended_counts_again(path: Path) -> None:
    file = RulesFile(path)
    file.rules()
    write_at(path, "[rules", 2)
    file.rules()

    write_at(path, NEWEST, 3)

    assert file.rules() == {"default": ["most_recent"]}


def test_a_file_that_was_never_good_is_refused_each_time(path: Path) -> None:
    write_at(path, "[rules", 2)
    file = RulesFile(path)

    for _ in range(2):
        with pytest.raises(SurvivorshipError, match=r"rules\.toml"):
            file.rules()
