"""The root of the domain's errors: each has a stable reason and names the ids concerned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class CdpError(Exception):
    """The message says what, which and what to do next; it carries ids, never a person's values."""

    reason: ClassVar[str] = "error"

    def __init__(self, message: str, *, ids: Iterable[str | int] = ()) -> None:
        super().__init__(message)
        self.ids: tuple[str | int, ...] = tuple(ids)
