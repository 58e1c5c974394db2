"""What a call raises: the service refused it, or could not be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ClientError(Exception):
    """The root of what calls raise."""


class UnreachableError(ClientError):
    """No answer came, also not to the calls that were made again."""


class ProblemError(ClientError):
    """The service answered with a problem; programs decide by `code` (docs/api.md)."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.code = str(document.get("code", "http_error"))
        self.detail: str | None = document.get("detail")
        self.errors: Sequence[Mapping[str, str]] = document.get("errors", [])
        # Finds the request in the service's log.
        self.request_id: str | None = document.get("request_id")
        told = [f"{status} {self.code}", self.detail or str(document.get("title", ""))]
        told += [f"{each.get('pointer', '')}: {each.get('detail', '')}" for each in self.errors]
        super().__init__(" - ".join(filter(None, told)) + f" (request {self.request_id})")


class SeveralProfilesError(ProblemError):
    """The identifiers of a lookup belong to several profiles."""

    @property
    def candidates(self) -> Sequence[Mapping[str, Any]]:
        """Each with its profile_id and the identifiers of the request that it holds."""
        found: Sequence[Mapping[str, Any]] = self.document.get("candidates", [])
        return found


def problem(status: int, document: Mapping[str, Any]) -> ProblemError:
    kind = SeveralProfilesError if document.get("code") == "several_profiles" else ProblemError
    return kind(status, document)
