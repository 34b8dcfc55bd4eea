"""Spreads independent tasks over the cores, each process a fresh interpreter; knows nothing of the tasks.

Nothing is forked: this process may have threads, and a fork copies their locks but not them. Run as a module, this is
the other process: it takes its share from stdin and gives its results to stdout, both files without a name.

Not `concurrent.futures`, whose pool was tried (CPython 3.11, spawn): it runs the user's script once more in every
process, hence breaks one that has no main guard or comes from stdin, and its processes outlive a parent that is killed.
"""

import gc
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from mag7cli.core.errors import Mag7Error

Task = TypeVar("Task")
Result = TypeVar("Result")

_PR_SET_PDEATHSIG: Final = 1
_FAILED: Final = 1
_OBJECTS_BETWEEN_COLLECTIONS: Final = 250_000


def cores() -> int:
    """How many processes this machine can run at once."""
    return os.cpu_count() or 1


@contextmanager
def spread(
    work: Callable[[Sequence[Task]], Iterable[Result]], shares: Sequence[Sequence[Task]]
) -> Iterator[Iterator[Result]]:
    """The results of `work` on every share of the tasks, in no order, from a process for each, of which this is one.

    `work` and the tasks can be pickled, and done twice: the share of a process that failed is done again in this one,
    where its error can be told.
    """
    own, *rest = shares or [()]
    others: list[_Other[Task, Result]] = []
    try:
        others += [_Other(work, share) for share in rest if share]
        yield _results(work, own, others)
    finally:
        for other in others:
            other.stop()


def _results(
    work: Callable[[Sequence[Task]], Iterable[Result]], own: Sequence[Task], others: "Sequence[_Other[Task, Result]]"
) -> Iterator[Result]:
    yield from work(own)
    for other in others:
        yield from other.results()


class _Other(Generic[Task, Result]):
    """Another process with its share of the tasks."""

    def __init__(self, work: Callable[[Sequence[Task]], Iterable[Result]], share: Sequence[Task]) -> None:
        self._work = work
        self._share = share
        self._answer = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        with tempfile.TemporaryFile() as order:
            pickle.dump((work, share), order)
            order.seek(0)
            # A process group of its own, because Ctrl-C is this process's business; and no modules out of the folder
            # that happens to be the current one.
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter
                [sys.executable, "-P", "-m", __name__, str(os.getpid())],
                stdin=order,
                stdout=self._answer,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )

    def results(self) -> Iterator[Result]:
        """What the process found, or, if it failed, what this one finds."""
        if self._process.wait():
            yield from self._work(self._share)
        else:
            self._answer.seek(0)
            yield from pickle.load(self._answer)  # noqa: S301 - written by the process that this one started

    def stop(self) -> None:
        """End the process if it is still at work."""
        self._process.kill()
        self._process.wait()
        self._answer.close()


def _serve(parent: int) -> int:
    """The life of another process: it ends with its parent, which must not leave it writing."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return _FAILED
    work, share = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the process that started this one
    try:
        results = list(work(share))
    except Mag7Error:
        return _FAILED
    pickle.dump(results, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    # As the program itself does: to look through what is imported for garbage, now and once more at the end, takes a
    # tenth of what it takes to start.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    os._exit(_serve(int(sys.argv[1])))
