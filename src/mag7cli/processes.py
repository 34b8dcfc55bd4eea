"""Spreads independent tasks over the cores by forking, where that is safe; knows nothing of the tasks."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Final, Generic, TypeVar

from mag7cli.errors import Mag7Error

Task = TypeVar("Task")
Result = TypeVar("Result")

_PR_SET_PDEATHSIG: Final = 1


@contextmanager
def spread(work: Callable[[Task], Result], tasks: Sequence[Task], *, alone: bool = False) -> Iterator[Iterator[Result]]:
    """The results of `work` on every task, in no order; this process takes its share of them, or, if it is
    to be `alone`, all.

    The others are forked on entry, so that threads may be started inside. Work that fails in another process is done
    again in this one, where its error can be told: it must be safe to repeat.
    """
    workers = min(len(tasks), os.cpu_count() or 1) if not alone and may_fork() else 1
    shares = [tasks[first::workers] for first in range(workers)]
    children = [_Child(work, share) for share in shares[1:]]
    try:
        yield _results(work, shares[0] if shares else (), children)
    finally:
        for child in children:
            child.stop()


def may_fork() -> bool:
    """True on Linux while no other thread runs: a fork copies their locks but not them."""
    return sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) == 1


def _results(
    work: Callable[[Task], Result], own: Sequence[Task], children: "Sequence[_Child[Task, Result]]"
) -> Iterator[Result]:
    yield from map(work, own)
    for child in children:
        yield from child.results()


class _Child(Generic[Task, Result]):
    """A forked process with its share of the tasks."""

    def __init__(self, work: Callable[[Task], Result], share: Sequence[Task]) -> None:
        self._work = work
        self._share = share
        self._receiver, sender = multiprocessing.Pipe(duplex=False)
        self._process = ForkProcess(target=_run, args=(work, share, sender, os.getpid()), daemon=True)
        self._process.start()
        sender.close()

    def results(self) -> Iterator[Result]:
        """What the process found, or, if it died, what this one finds."""
        try:
            results: list[Result] = self._receiver.recv()
        except EOFError:
            yield from map(self._work, self._share)
        else:
            yield from results

    def stop(self) -> None:
        """End the process if it is still at work."""
        self._process.terminate()
        self._process.join()
        self._receiver.close()


def _run(work: Callable[[Task], Result], share: Sequence[Task], sender: Connection, parent: int) -> None:
    """The life of a child. Ctrl-C is the parent's business; a killed parent must not leave it writing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with(parent)
    try:
        sender.send([work(task) for task in share])
    except Mag7Error:
        sender.close()


def _die_with(parent: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
