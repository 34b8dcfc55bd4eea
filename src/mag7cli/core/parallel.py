"""Many vendor calls at once, answers in order. Knows nothing of what is called."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Final, Generic, Protocol, TypeVar

from mag7cli.core.errors import (
    AuthenticationError,
    InterruptedRunError,
    MarketDataError,
    NotYetAvailableError,
    PlanError,
    RateLimitError,
    StoppedEarlyError,
    VendorUnavailableError,
)

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

_ENDS_THE_RUN: Final = (AuthenticationError, PlanError, NotYetAvailableError, StoppedEarlyError, InterruptedRunError)
_OUTAGE: Final = (VendorUnavailableError, RateLimitError)
# One call that failed for good is bad luck; after as many in a row, none answered between, it is time to ask why.
_FAILURES_IN_A_ROW: Final = 8
_LOOKS_EVERY_S: Final = 0.2


class Stop(Protocol):
    """Tells that the run is to end, as `rate.Cancel` does, which also wakes the calls that wait for their turn."""

    def check(self) -> None:
        """Raise InterruptedRunError if the run is to end."""
        ...

    def request(self) -> None:
        """Ask the run to end."""
        ...


def each(
    work: Callable[[_Item], _Answer],
    items: Iterable[_Item],
    *,
    workers: int,
    stop: Stop,
    is_outage: Callable[[], bool] = lambda: True,
) -> Iterator[tuple[_Item, _Answer | MarketDataError]]:
    """Each item with its answer or the error that is its own, in the order of `items`.

    An error that concerns the whole run is raised: a refused key or plan, a limit reached, an interrupt, an outage,
    for which many failures in a row are taken if `is_outage` says so too. `stop` is then requested. Calls that are
    under way at that moment are not waited for.
    """
    failures = 0
    crew = _Crew(work, workers)
    try:
        for item, future in _ahead(crew, items, workers * 2, stop):
            answer = _result(future, stop)
            failures = failures % _FAILURES_IN_A_ROW + 1 if isinstance(answer, _OUTAGE) else 0
            if failures == _FAILURES_IN_A_ROW:
                _check_outage(answer, is_outage)
            yield item, answer
    except GeneratorExit:
        raise
    except BaseException:
        stop.request()
        raise
    finally:
        crew.dismiss()


class _Crew(Generic[_Item, _Answer]):
    """Threads that nobody waits for: one that is stuck in a name lookup must not hold up an interrupted program.

    Those of an executor would, since the interpreter joins them at its end.
    """

    def __init__(self, work: Callable[[_Item], _Answer], size: int) -> None:
        self._work = work
        self._size = size
        self._started = 0
        self._tasks: SimpleQueue[tuple[_Item, Future[_Answer]] | None] = SimpleQueue()

    def submit(self, item: _Item) -> "Future[_Answer]":
        """Let the next free thread do the work on an item."""
        future: Future[_Answer] = Future()
        self._tasks.put((item, future))
        if self._started < self._size:
            self._started += 1
            threading.Thread(target=self._serve, daemon=True, name=f"mag7-call-{self._started}").start()
        return future

    def dismiss(self) -> None:
        """Drop what was not begun, and let the threads go."""
        while True:
            try:
                self._tasks.get_nowait()
            except Empty:
                break
        for _ in range(self._started):
            self._tasks.put(None)

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            item, future = task
            try:
                future.set_result(self._work(item))
            except BaseException as error:  # noqa: BLE001  raised again where the answer is wanted
                future.set_exception(error)


def _ahead(
    crew: _Crew[_Item, _Answer], items: Iterable[_Item], most: int, stop: Stop
) -> Iterator[tuple[_Item, Future[_Answer]]]:
    waiting: deque[tuple[_Item, Future[_Answer]]] = deque()
    for item in items:
        stop.check()
        waiting.append((item, crew.submit(item)))
        if len(waiting) >= most:
            yield waiting.popleft()
    yield from waiting


def _check_outage(answer: object, is_outage: Callable[[], bool]) -> None:
    if isinstance(answer, MarketDataError) and is_outage():
        raise answer


def _result(future: "Future[_Answer]", stop: Stop) -> _Answer | MarketDataError:
    """The answer, or the error of this call alone. A call may take minutes; an interrupt does not wait for it."""
    error = _outcome(future, stop)
    if error is None:
        return future.result()
    if isinstance(error, MarketDataError) and not isinstance(error, _ENDS_THE_RUN):
        return error
    raise error


def _outcome(future: "Future[_Answer]", stop: Stop) -> BaseException | None:
    while True:
        try:
            return future.exception(timeout=_LOOKS_EVERY_S)
        except TimeoutError:
            stop.check()
