"""How a client calls: with its purpose, a key of its own for each effect, and lists page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

from cdp.client.answers import Answer, read_page
from cdp.client.transport import Patience, Reply, Transport, segment

Item = TypeVar("Item", bound=Answer)


class Calling:
    """Calls of one key. Threads may share it; close it, or use it as a context manager.

    Calls raise ProblemError for what the service refuses and UnreachableError where it does not answer. Purpose: why
    people are read, a code such as ticket:4711 that the service's audit keeps; unmask needs one.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        purpose: str | None = None,
        patience: Patience | None = None,
        connections: int = 10,
        new_key: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._transport = Transport(base_url, key, patience or Patience(), connections=connections)
        self._purpose = purpose
        self._new_key = new_key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        *,
        body: object = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        purpose = {"CDP-Purpose": self._purpose}
        return self._transport.call(
            method, path, body=body, query=query, headers={**purpose, **(headers or {})}
        )

    def _act(self, path: str, body: object, idempotency_key: str | None) -> Reply:
        headers = {"Idempotency-Key": idempotency_key or self._new_key()}
        return self._transport.call("POST", path, body=body, headers=headers)

    def _each(self, kind: type[Item], path: str, query: Mapping[str, Any]) -> Iterator[Item]:
        cursor: str | None = None
        while True:
            page = read_page(kind, self._ask("GET", path, {**query, "cursor": cursor}).document)
            yield from page.data
            if page.next_cursor is None:
                return
            cursor = page.next_cursor


def profile_path(profile_id: str) -> str:
    return f"/v1/profiles/{segment(profile_id)}"
