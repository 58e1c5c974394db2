"""What is asked of a store, by whichever road."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from cdp.store.quick import QuickStatement


@contextmanager
def recorded_statements(engine: Engine | type[Engine]) -> Iterator[list[str]]:
    """The texts of the statements run inside the block, but bulk inserts and what begins and ends transactions.

    Hot statements (cdp.store.quick) are those of any engine of this process.
    """
    texts: list[str] = []
    execute = QuickStatement._execute

    def note_quick(self: QuickStatement, connection: Any, compiled: Any, bound: Any) -> Any:
        texts.append(compiled.text)
        return execute(self, connection, compiled, bound)

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        texts.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    with patch.object(QuickStatement, "_execute", note_quick):
        yield texts
    event.remove(engine, "before_cursor_execute", note)
