"""Settings come from the environment, once, with defaults that need none."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdp.settings import InvalidSettingError, Settings, read_settings


def test_without_an_environment_the_store_is_a_file_in_var() -> None:
    assert read_settings({}) == Settings(Path("var"), "sqlite:///var/cdp.db", 5.0)


def test_the_home_moves_the_file() -> None:
    assert read_settings({"CDP_HOME": "/srv/cdp"}).database_url == "sqlite:////srv/cdp/cdp.db"


def test_a_database_of_its_own_is_taken() -> None:
    settings = read_settings({"CDP_DATABASE_URL": "postgresql://db/cdp", "CDP_STORE_TIMEOUT_SECONDS": "0.5"})

    assert settings == Settings(Path("var"), "postgresql://db/cdp", 0.5)


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "inf"])
def test_a_time_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidSettingError, match="CDP_STORE_TIMEOUT_SECONDS"):
        read_settings({"CDP_STORE_TIMEOUT_SECONDS": value})
