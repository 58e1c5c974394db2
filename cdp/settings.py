"""What the environment says about this installation, read once by whoever starts the program."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cdp.errors import CdpError


class InvalidSettingError(CdpError):
    reason = "invalid_setting"


@dataclass(frozen=True)
class Settings:
    home: Path
    database_url: str
    store_timeout_seconds: float


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises InvalidSettingError, naming the variable."""
    given = os.environ if environment is None else environment
    home = Path(given.get("CDP_HOME") or "var")
    return Settings(
        home=home,
        database_url=given.get("CDP_DATABASE_URL") or f"sqlite:///{quote(str(home / 'cdp.db'))}",
        store_timeout_seconds=_positive_number(given, "CDP_STORE_TIMEOUT_SECONDS", 5.0),
    )


def _positive_number(given: Mapping[str, str], name: str, default: float) -> float:
    text = given.get(name)
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 86_400:
        raise InvalidSettingError(f"{name} is {text!r}: give a number of seconds above 0.")
    return number
