"""Keep `cdp worker` running beside a server: `python -P -m cdp.supervise`.

Standard input is a pipe that the processes of the server hold open: a byte asks to renew the worker, its end says that
they are gone, however they ended. A worker that ends by itself is started again, after a pause that grows while it does
not last.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cdp.stopping import Wait, stop_on_signals

# Names the descriptor of the pipe that the processes of the server hold.
_PIPE = "CDP_WORKER_PIPE"
# A worker that has lasted so long is started again at once.
LASTED_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 60.0
# How long a worker that was asked to end may take for the write it is in.
GRACE_SECONDS = 30.0
_LOOK_SECONDS = 1.0


def start_supervisor() -> subprocess.Popen[bytes]:
    """A supervisor that lives as long as this process, what it becomes, and those that it forks."""
    from_server, to_supervisor = os.pipe()
    supervisor = subprocess.Popen([sys.executable, "-P", "-m", "cdp.supervise"], stdin=from_server)
    os.close(from_server)
    os.set_inheritable(to_supervisor, True)
    os.environ[_PIPE] = str(to_supervisor)
    return supervisor


def renew_worker() -> None:
    """Ask the supervisor of this process, if there is one, to start its worker anew."""
    if descriptor := os.environ.get(_PIPE):
        with suppress(BrokenPipeError):
            os.write(int(descriptor), b".")


@dataclass
class Pauses:
    """Between the end of a worker and its next start: none after a good run, else 1, 2, 4, ... seconds."""

    failures: int = 0

    def after(self, lasted_seconds: float) -> float:
        self.failures = 0 if lasted_seconds >= LASTED_SECONDS else self.failures + 1
        return min(LONGEST_PAUSE_SECONDS, 2.0 ** (self.failures - 1)) if self.failures else 0.0


def supervise(
    command: Sequence[str],
    *,
    wait: Wait,
    asked: Callable[[float], str | None],
    tell: Callable[[str], None],
    pauses: Pauses,
) -> None:
    """Run the command until `wait` says that a signal came, or the server is gone.

    Asked: waits for so many seconds for the server: 'renew', 'gone', or None.
    """
    while not wait(0):
        begun = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr) as process:
            said = _watch(process, wait, asked)
            if said is not None:
                _end(process)
        if said == "gone":
            return
        if said == "renew":
            continue
        pause = pauses.after(time.monotonic() - begun)
        tell(f"The worker ended with {_told(process.returncode)}; it is started again in {pause:g} seconds.")
        if _rest(pause, wait, asked) == "gone":
            return


def _watch(process: subprocess.Popen[bytes], wait: Wait, asked: Callable[[float], str | None]) -> str | None:
    """'renew' or 'gone'; None when the command ended by itself."""
    while process.poll() is None:
        if wait(0):
            return "gone"
        if said := asked(_LOOK_SECONDS):
            return said
    return None


def _rest(seconds: float, wait: Wait, asked: Callable[[float], str | None]) -> str | None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if wait(0):
            return "gone"
        if said := asked(min(left, _LOOK_SECONDS)):
            return said
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _told(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"


def asked_by(descriptor: int) -> Callable[[float], str | None]:
    """What the server says on a pipe."""

    def asked(seconds: float) -> str | None:
        if not select.select([descriptor], [], [], seconds)[0]:
            return None
        return "renew" if os.read(descriptor, 4096) else "gone"

    return asked


def worker_command(parent: int) -> list[str]:
    """What the process of this id is to start."""
    begin = "from cdp.commands import main; main()"
    return [sys.executable, "-P", "-c", begin, "worker", "--json", "--parent", str(parent)]


def main() -> None:
    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201  there is no console but this

    # A terminal that closes tells the server too, which renews its processes and says so on the pipe.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stop_on_signals() as wait:
        command = worker_command(os.getpid())
        supervise(command, wait=wait, asked=asked_by(sys.stdin.fileno()), tell=tell, pauses=Pauses())


if __name__ == "__main__":
    main()
