"""What the engine raises."""

from __future__ import annotations


class ResolutionError(Exception):
    """The root of the engine's errors; the message says what, which and what to do next."""


class WorkspaceFullError(ResolutionError):
    """A batch did not fit into the memory it may take and the disk for the rest."""


class SpecificationError(ResolutionError):
    """A model specification that cannot be used."""


class TrainingError(ResolutionError):
    """A training that cannot be done on these records."""


class UncompilableConditionError(ResolutionError):
    """A condition of a specification that cannot be computed without DuckDB, one record at a time."""


class FailedConditionError(ResolutionError):
    """A condition that cannot be computed on the values of a pair; DuckDB fails there too."""
