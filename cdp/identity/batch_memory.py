"""The memory that the engine may take for a batch, and what to say when that is not enough."""

from __future__ import annotations

from cdp.settings import read_settings
from resolution import ResolutionError, WorkspaceFullError


def batch_memory() -> str:
    return read_settings().batch_memory


def describe_failure(error: ResolutionError) -> str:
    """What the engine says, and what to do where a setting helps."""
    if isinstance(error, WorkspaceFullError):
        return f"{error} Set CDP_BATCH_MEMORY to more, or TMPDIR to a directory on a larger disk."
    return str(error)
