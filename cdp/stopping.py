"""TERM and INT as a question that work asks between its steps, and that ends its pauses at once."""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Waits for so many seconds and tells whether to stop; 0 only asks.
Wait = Callable[[float], bool]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals() -> Iterator[Wait]:
    """Gives a function that waits for so many seconds, or until a signal came, and tells whether one did.

    Only in the main thread. What the signals did before is put back at the end.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    waking, woken = socket.socketpair()
    with waking, woken:
        waking.setblocking(False)
        before_fd = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, note) for number in _SIGNALS}

        def wait(seconds: float) -> bool:
            # A signal writes a byte: one that comes just before the pause ends it too.
            if not came and seconds > 0:
                select.select([woken], [], [], seconds)
            return bool(came)

        try:
            yield wait
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before_fd)
