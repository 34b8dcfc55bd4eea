"""Many vendor calls at once, answers in order. Knows nothing of what is called."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from mag7cli.errors import (
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
# One call that failed for good is bad luck; as many in a row, none answered between, are an outage.
_FAILURES_IN_A_ROW: Final = 8


def each(
    work: Callable[[_Item], _Answer], items: Iterable[_Item], *, workers: int, abort: Callable[[], None]
) -> Iterator[tuple[_Item, _Answer | MarketDataError]]:
    """Each item with its answer or the error that is its own, in the order of `items`.

    An error that concerns the whole run is raised: a refused key or plan, a limit reached, an interrupt, an outage.
    `abort` then tells the calls that wait for their turn to give up.
    """
    failures = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="mag7") as pool:
        try:
            for item, future in _ahead(pool, work, items, workers * 2):
                answer = _result(future)
                failures = failures + 1 if isinstance(answer, _OUTAGE) else 0
                _check_outage(answer, failures)
                yield item, answer
        except BaseException:
            abort()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[_Item], _Answer], items: Iterable[_Item], most: int
) -> Iterator[tuple[_Item, Future[_Answer]]]:
    waiting: deque[tuple[_Item, Future[_Answer]]] = deque()
    for item in items:
        waiting.append((item, pool.submit(work, item)))
        if len(waiting) >= most:
            yield waiting.popleft()
    yield from waiting


def _check_outage(answer: object, failures: int) -> None:
    if failures >= _FAILURES_IN_A_ROW and isinstance(answer, MarketDataError):
        raise answer


def _result(future: "Future[_Answer]") -> _Answer | MarketDataError:
    try:
        return future.result()
    except _ENDS_THE_RUN:
        raise
    except MarketDataError as error:
        return error
