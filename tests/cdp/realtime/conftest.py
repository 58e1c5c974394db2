"""Fixtures of stores that are compared with each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine


@pytest.fixture
def open_copy(
    migrated_file: Path, tmp_path: Path, open_engine: Callable[[str], Engine]
) -> Callable[[], Engine]:
    """Opens a fresh migrated store at every call."""
    made: list[Path] = []

    def open_one() -> Engine:
        made.append(tmp_path / f"copy{len(made)}.db")
        made[-1].write_bytes(migrated_file.read_bytes())
        return open_engine(f"sqlite:///{made[-1]}")

    return open_one
