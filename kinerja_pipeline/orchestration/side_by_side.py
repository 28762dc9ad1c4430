"""Regions side by side: each in a process of its own, as many at a time as this machine has cores.

Here: processes, what they tell while they work, and that none outlives the command. Not here: what is done for a region
(launch). Regions share no lock but the warehouse's, which one publication at a time holds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing.context import BaseContext
from multiprocessing.queues import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")
Tell = Callable[[str, str, int, int | None], None]
"""tell(region, what it is at, months done, months in all or None): how far a region is."""

KILLED = (
    "A region's process was killed, perhaps for want of memory. What was published so far stays, whole; run again for "
    "the rest, or name one region at a time with --region."
)

Work = Callable[[str, Tell], Result]
"""What is done for a region."""

_told: SimpleQueue[Any]
_begun: Callable[[], Work[Any]]
_is_asked_to_stop = threading.Event()


class SideBySideError(Exception):
    """A region's process ended without a result; the message is for people."""


def side_by_side(begin: Callable[[], Work[Result]], regions: Sequence[str], tell: Tell) -> Iterator[tuple[str, Result]]:
    """Each region with what its work gave, in the order in which they are done. Every process begins once and then
    works on one region after the other; `begin` and the results are sent between processes. One region, or one core,
    is worked on in this process.

    Raises what `begin` or the work raises, once the regions already begun have ended; SideBySideError when a process
    was killed.
    """
    count = min(len(regions), _cores())
    if count < 2:
        work = begin()
        yield from ((region, work(region, tell)) for region in regions)
        return
    context = processes()
    told: SimpleQueue[Any] = context.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(told, tell), daemon=True)
    listener.start()
    try:
        with ProcessPoolExecutor(count, context, _begin, (begin, told, dict(os.environ))) as pool:
            begun = {pool.submit(_work, region): region for region in regions}
            try:
                for done in as_completed(begun):
                    yield begun[done], done.result()
            except BrokenProcessPool as error:
                raise SideBySideError(KILLED) from error
            except KeyboardInterrupt:
                for process in multiprocessing.active_children():
                    os.kill(process.pid or 0, signal.SIGINT)
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    finally:
        told.put(None)
        listener.join()


def processes() -> BaseContext:
    """Processes that begin without a thread or lock of this one. On Linux they are forked from a process that has only
    imported what a region's work needs: loading Dagster and Great Expectations takes longer than a small region."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kinerja_pipeline.definitions", "kinerja_pipeline.contracts.engines"])
    return context


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _listen(told: SimpleQueue[Any], tell: Tell) -> None:
    while (message := told.get()) is not None:
        tell(*message)


def _begin(begin: Callable[[], Work[Any]], told: SimpleQueue[Any], environment: dict[str, str]) -> None:
    """What a process does first."""
    global _told, _begun
    # Not yet: what it raises here would only break the pool.
    _told, _begun = told, cache(begin)
    threading.Thread(target=_end_with_the_command, daemon=True).start()
    # As it is now: the process that this one was forked from may have begun under another.
    os.environ.clear()
    os.environ.update(environment)
    # Ctrl-C in a terminal reaches every process of its group; it is the command's to pass on, once.
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, lambda *_: _is_asked_to_stop.set())


def _end_with_the_command() -> None:
    """A killed command passes nothing on: its end is waited for."""
    if command := multiprocessing.parent_process():
        command.join()
    os._exit(1)


def _work(region: str) -> Any:
    try:
        return _begun()(region, _tell)
    except BaseException:
        # The pool has handed out the next region already; the command is over.
        _is_asked_to_stop.set()
        raise


def _tell(*message: object) -> None:
    # Dagster stops a run by itself; between two runs it is here that a process hears of it.
    if _is_asked_to_stop.is_set():
        raise KeyboardInterrupt
    _told.put(message)
