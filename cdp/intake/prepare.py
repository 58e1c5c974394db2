"""Prepare the chunks of a file in several processes, or in this one.

Whoever only hands chunks out loads no rules: what prepares them is loaded where it works.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import islice

from cdp.intake.errors import InputFileError
from cdp.intake.preparation import PreparationPlan, PreparedChunk
from cdp.intake.rows import Chunk

CHUNKS_AHEAD = 3  # Per process, so that none waits for the reader.


def prepare_chunks(
    chunks: Iterable[Chunk], plan: PreparationPlan, *, worker_count: int
) -> Iterator[PreparedChunk]:
    """Prepared chunks in the order of the chunks. With no workers the work is done here."""
    if worker_count == 0:
        yield from map(_load_preparer(plan), chunks)
        return
    context = multiprocessing.get_context("spawn")
    pickled_plan = pickle.dumps(plan)
    waiting = iter(chunks)
    with ProcessPoolExecutor(worker_count, mp_context=context, initializer=_set_up_worker) as pool:
        running: deque[Future[PreparedChunk]] = deque()
        try:
            for chunk in islice(waiting, worker_count * CHUNKS_AHEAD):
                running.append(pool.submit(_prepare_in_worker, pickled_plan, chunk))
            while running:
                prepared = running.popleft().result()
                for chunk in islice(waiting, 1):
                    running.append(pool.submit(_prepare_in_worker, pickled_plan, chunk))
                yield prepared
        except BrokenProcessPool as error:
            message = "a worker process was ended from outside (out of memory?); try --workers 1."
            raise InputFileError(message) from error
        finally:
            for future in running:
                future.cancel()


def _set_up_worker() -> None:
    # Ctrl-C is for the parent, which ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Records make no cycles, and what standardizers remember need not be walked again and again.
    gc.set_threshold(50_000, 50, 50)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _prepare_in_worker(pickled_plan: bytes, chunk: Chunk) -> PreparedChunk:
    return _preparer(pickled_plan)(chunk)


@lru_cache(maxsize=1)
def _preparer(pickled_plan: bytes) -> Callable[[Chunk], PreparedChunk]:
    """One per process and file, so that its standardizers remember across chunks."""
    return _load_preparer(pickle.loads(pickled_plan))


def _load_preparer(plan: PreparationPlan) -> Callable[[Chunk], PreparedChunk]:
    from cdp.intake.preparer import Preparer  # Loaded here, see above.

    return Preparer(plan).prepare
