"""How fast, how many and how long: the pace of calls, the budget of a run, and its cancellation.

Knows nothing of HTTP or of the vendor: a call is a `with limiter.slot():` block, whatever happens in it.

What the limiter holds: with a rate of N calls in a period, no window of that length, at any place and as the server
sees it, contains more than N calls of this process. It does not know of calls made by another process with the same
key: a run started within a period of the last one's end can be one call over, which the vendor answers with a 429
that is waited for. Two runs side by side are kept apart by the lock on the lake, not here.
"""

import logging
import re
import threading
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Self

from mag7cli.core.clock import Clock
from mag7cli.core.errors import InterruptedRunError, StoppedEarlyError, UsageError

logger = logging.getLogger(__name__)

MAX_HOLD_S: Final = 600.0
"""The longest wait for a vendor that said 429, whatever it asked for."""

_PACE_MARGIN: Final = 1.01
_WINDOW_MARGIN: Final = 1.001
_CATCH_UP: Final = 0.1  # of a period
_MIN_SHARE: Final = 1 / 32
_RECOVERY: Final = 0.1  # of the rate, for a period's worth of answers
_POLL_S: Final = 0.05
_WAY_KNOWN_AFTER: Final = 20  # answers

_AGAIN: Final = "run the same command again later: what was collected is kept"

_UNITS: Final = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_RATE: Final = re.compile(rf"(?P<calls>[0-9]{{1,6}})\s*/\s*(?P<many>[0-9]{{0,4}})\s*(?P<unit>{'|'.join(_UNITS)})")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any `period_s` seconds; `calls` is None where nothing limits them."""

    calls: int | None
    period_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what would never let a call through."""
        if (self.calls is not None and self.calls < 1) or self.period_s <= 0:
            raise UsageError(
                f"a rate of {self} lets nothing through", hint="use a rate such as 5/min, 100/s or unlimited"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """`5/min`, `100/s`, `10/30s`, `unlimited`. Raises UsageError."""
        rate = text.strip().lower()
        if rate == "unlimited":
            return cls(None)
        match = _RATE.fullmatch(rate)
        if match is None:
            raise UsageError(f"{text!r} is not a rate", hint="use a rate such as 5/min, 100/s or unlimited")
        return cls(int(match["calls"]), float(int(match["many"] or 1) * _UNITS[match["unit"]]))

    @property
    def per_second(self) -> float | None:
        """Calls per second in the long run, None where nothing limits them."""
        return None if self.calls is None else self.calls / self.period_s

    def seconds_for(self, calls: int) -> float:
        """How long so many calls take at this rate, paced as the limiter paces them; 0 where nothing limits them."""
        return 0.0 if self.calls is None else max(calls - 1, 0) * self.period_s * _PACE_MARGIN / self.calls

    def __str__(self) -> str:
        """As `parse` reads it."""
        if self.calls is None:
            return "unlimited"
        names = {1.0: "s", 60.0: "min", 3600.0: "h"}
        return f"{self.calls}/{names.get(self.period_s, f'{self.period_s:g}s')}"


class Cancel:
    """Ends every wait of a run at once: Ctrl-C must not sit out a minute of waiting for the plan.

    `request` may be called from a signal handler, which is why this is not a threading.Event: its lock would
    deadlock if the signal came while the same thread was inside `wait`.
    """

    def __init__(self) -> None:
        self.requested = False
        self._gate = threading.Lock()
        self._gate.acquire()

    def request(self) -> None:
        """Ask the run to end."""
        self.requested = True
        with suppress(RuntimeError):  # released already: asked twice
            self._gate.release()

    def check(self) -> None:
        """Raise InterruptedRunError if the run was asked to end."""
        if self.requested:
            raise InterruptedRunError("interrupted", hint="run the same command again: it goes on where it stopped")

    def wait(self, seconds: float) -> None:
        """Wait, or raise InterruptedRunError as soon as the run is asked to end."""
        if self._gate.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
            self._gate.release()  # the next one who waits passes through it too
        self.check()


class Budget:
    """What a run may spend: `max_calls` requests and `max_duration_s` seconds from its making; None is no limit."""

    def __init__(self, clock: Clock, *, max_calls: int | None = None, max_duration_s: float | None = None) -> None:
        self._clock = clock
        self._max_calls = max_calls
        self._max_duration_s = max_duration_s
        self._deadline = None if max_duration_s is None else clock.monotonic() + max_duration_s
        self._spent = 0
        self._lock = threading.Lock()

    def spend(self) -> None:
        """Take one call from the budget. Raises StoppedEarlyError before the first one that it does not hold."""
        self.check()
        with self._lock:
            if self._max_calls is not None and self._spent >= self._max_calls:
                raise StoppedEarlyError(f"--max-calls {self._max_calls} is used up", hint=_AGAIN)
            self._spent += 1

    def check(self, ahead_s: float = 0.0) -> None:
        """Raise StoppedEarlyError if the time will be up `ahead_s` seconds from now: no use in waiting for it."""
        if self.left_s() <= ahead_s:
            raise StoppedEarlyError(f"--max-duration of {self._max_duration_s:g} s is used up", hint=_AGAIN)

    def left_s(self) -> float:
        """Seconds until the time is up; infinite if nothing limits it."""
        return float("inf") if self._deadline is None else self._deadline - self._clock.monotonic()


@dataclass(slots=True, eq=False)
class Slot:
    """Permission for one call: when it was granted, and whether the vendor has answered it."""

    started: float = 0.0
    answered: bool = False


class Pacer:
    """When the next call may start; pure arithmetic over the times it is given, for one thread at a time.

    Two rules. The pace: starts are a period / N apart, with one percent to spare; what a late thread lost is caught
    up if it was less than a tenth of a period. The window, which is the hard one: a call counts from its start until
    a period after the server has surely seen it, and never more than N count at once. The server sees a call at some
    moment between start and answer. Of that time the shortest seen is the way that every call has to go, so only what
    a call took longer than that is added; until twenty answers have shown the shortest, all of it is.
    """

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._share = 1.0  # of the allowed rate: halved by a 429, won back by answers
        self._strikes = 0  # 429 since the last answer
        self._next = float("-inf")
        self._hold = float("-inf")
        self._slowed = float("-inf")
        self._in_flight = 0
        self._ended: list[float] = []  # in order: when each call ended that still counts
        self._answers = 0
        self._shortest = float("inf")

    @property
    def spacing_s(self) -> float:
        """Seconds between two starts at the present pace."""
        return 0.0 if self.rate.calls is None else self.rate.period_s * _PACE_MARGIN / self.rate.calls / self._share

    def ready_in(self, now: float, place: int = 0) -> float:
        """Seconds until the caller in `place` of the queue (0 is its head) may start; 0 or less: at once."""
        paced = max(self._next, self._hold) + place * self.spacing_s
        return max(paced, self._window(now, place)) - now

    def _window(self, now: float, place: int) -> float:
        """When fewer than N calls count, with those of the queue before this place."""
        if self.rate.calls is None:
            return now
        way = self._shortest if self._answers >= _WAY_KNOWN_AFTER else 0.0
        period = self.rate.period_s * _WINDOW_MARGIN - way
        del self._ended[: bisect_right(self._ended, now - period)]
        too_many = self._in_flight + len(self._ended) + place + 1 - self.rate.calls
        if too_many <= 0:
            return now
        if too_many <= len(self._ended):
            return self._ended[too_many - 1] + period
        # It depends on calls under way, and when those end nobody knows: look again in a while.
        return now + max(self.spacing_s, _POLL_S)

    def start(self, slot: Slot, now: float) -> None:
        """A call starts."""
        slot.started = now
        self._in_flight += 1
        late = now - self._next > self.rate.period_s * _CATCH_UP
        self._next = (now if late else self._next) + self.spacing_s

    def finish(self, slot: Slot, now: float) -> None:
        """A call has ended, well or badly."""
        self._in_flight -= 1
        if self.rate.calls is None:
            return
        if slot.answered:
            self._answers += 1
            self._shortest = min(self._shortest, now - slot.started)
            insort(self._ended, now)
        else:  # the way back is on no account: this one may have been seen at the last moment
            insort(self._ended, now + (self._shortest if self._answers else 0.0))

    def accepted(self, slot: Slot) -> None:
        """The vendor answered: win back a tenth of the rate for each period's worth of answers."""
        slot.answered = True
        self._strikes = 0
        self._share = min(1.0, self._share + _RECOVERY / (self.rate.calls or 1))

    def refused(self, slot: Slot, now: float, retry_after_s: float | None) -> float:
        """The vendor said 429. How long all calls wait, in seconds.

        Calls that were under way together are refused together: that is one refusal, and halves the rate once.
        Without a Retry-After the wait is the plan's period, twice that the next time, and so on.
        """
        slot.answered = True
        if slot.started > self._slowed:
            self._slowed = now
            self._strikes += 1
            self._share = max(self._share / 2, _MIN_SHARE)
        growing = self.rate.period_s * 2 ** (self._strikes - 1)
        wait_s = min(growing if retry_after_s is None else retry_after_s, MAX_HOLD_S)
        self.hold(now + wait_s)
        return wait_s

    def hold(self, until: float) -> None:
        """No call starts before then."""
        self._hold = max(self._hold, until)


class RateLimiter:
    """One for all threads of a run: the pace, the budget and the cancellation that every call passes.

    Nobody sleeps with the lock held: who waits knows from its place in the queue how long, and looks again then.
    """

    def __init__(self, rate: Rate, clock: Clock, *, cancel: Cancel | None = None, budget: Budget | None = None) -> None:
        self.rate = rate
        self._clock = clock
        self._cancel = cancel or Cancel()
        self._budget = budget or Budget(clock)
        self._pacer = Pacer(rate)
        self._queue: deque[Slot] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Permission for one call, which is made inside the block.

        Raises StoppedEarlyError if the budget does not hold the call or the wait, InterruptedRunError if cancelled.
        """
        self._cancel.check()
        self._budget.spend()
        slot = self._turn()
        try:
            yield slot
        finally:
            with self._lock:
                self._pacer.finish(slot, self._clock.monotonic())

    def _turn(self) -> Slot:
        """Queue up for a slot and take it."""
        slot = Slot()
        with self._lock:
            self._queue.append(slot)
        try:
            while (wait_s := self._take(slot)) > 0:
                self._wait(min(wait_s, self._budget.left_s()))
        finally:
            with self._lock, suppress(ValueError):  # not in the queue any more: taken
                self._queue.remove(slot)
        return slot

    def _take(self, slot: Slot) -> float:
        """Take the slot if its time has come; else say how many seconds to wait. Raises StoppedEarlyError."""
        with self._lock:
            now = self._clock.monotonic()
            wait_s = self._pacer.ready_in(now, self._queue.index(slot))
            if wait_s > 0:
                self._budget.check(self._pacer.ready_in(now))
                return wait_s
            self._pacer.start(slot, now)
            self._queue.remove(slot)
            return 0.0

    def wait(self, seconds: float) -> None:
        """Wait within the run's limits. Raises StoppedEarlyError at once if they end before the wait would."""
        self._budget.check(seconds)
        self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        """Wait so many seconds of the clock, or raise InterruptedRunError as soon as the run is asked to end."""
        self._cancel.wait(seconds / self._clock.speed)

    def check(self) -> None:
        """Raise InterruptedRunError if the run was asked to end."""
        self._cancel.check()

    def accepted(self, slot: Slot) -> None:
        """The vendor answered this call, with anything but 429."""
        with self._lock:
            self._pacer.accepted(slot)

    def penalise(self, slot: Slot, retry_after_s: float | None = None) -> None:
        """The vendor answered this call with 429: all threads wait, then go on at half the rate."""
        with self._lock:
            wait_s = self._pacer.refused(slot, self._clock.monotonic(), retry_after_s)
        logger.info("the vendor said 429: no call for %.0f s, then a slower pace", wait_s)

    def hold(self, seconds: float) -> None:
        """The vendor asked for a pause without saying 429: all threads wait, at most ten minutes."""
        with self._lock:
            self._pacer.hold(self._clock.monotonic() + min(seconds, MAX_HOLD_S))
