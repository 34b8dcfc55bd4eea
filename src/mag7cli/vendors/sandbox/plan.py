"""What a key of the simulated vendor may ask: how often, how far back, how soon. Time is an argument.

These are the vendor's rules as its server keeps them; `vendors.subscription` is what the client believes of them.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final

from mag7cli.core.clock import NEW_YORK
from mag7cli.market import calendar
from mag7cli.vendors.subscription import Feed

_WINDOW_S: Final = 60.0
_DELAY: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription. `calls_per_minute` None is unlimited; `end_of_day` plans get a session after midnight only.

    `retry_after` says whether a 429 carries that header; `status` is the word in the bodies of good answers; `stream`
    is the stream of minute bars that the plan has.
    """

    name: str
    calls_per_minute: int | None
    history_years: int
    end_of_day: bool = False
    snapshots: bool = True
    stream: Feed | None = "delayed"
    retry_after: bool = False
    status: str = "OK"

    def first_day(self, now: datetime) -> date:
        """The oldest date that the plan serves."""
        return calendar.years_before(_today(now), self.history_years)

    def last_day(self, now: datetime) -> date:
        """The last session that the plan serves: midnight after it, or a quarter of an hour after its close."""
        today = _today(now)
        if self.end_of_day:
            return calendar.previous_session(today)
        return calendar.last_completed_session(now - _DELAY)


PLANS: Final[Mapping[str, Plan]] = MappingProxyType(
    {
        plan.name: plan
        for plan in (
            Plan("basic", 5, 2, end_of_day=True, snapshots=False, stream=None),
            Plan("starter", None, 5, status="DELAYED"),
            Plan("developer", None, 10, status="DELAYED"),
            Plan("advanced", None, 20, stream="realtime"),
        )
    }
)
"""The vendor's plans for stocks, as published in 2026."""


class CallWindow:
    """Counts the calls of the last minute. Safe to share between threads."""

    def __init__(self, calls_per_minute: int | None, monotonic: Callable[[], float]) -> None:
        self._most = calls_per_minute
        self._monotonic = monotonic
        self._calls: deque[float] = deque()
        self._lock = threading.Lock()

    def refused_for(self) -> float | None:
        """None, and one call more, if the plan allows it now; else the seconds until it will."""
        if self._most is None:
            return None
        with self._lock:
            now = self._monotonic()
            while self._calls and now - self._calls[0] >= _WINDOW_S:
                self._calls.popleft()
            if len(self._calls) < self._most:
                self._calls.append(now)
                return None
            return self._calls[0] + _WINDOW_S - now


def _today(now: datetime) -> date:
    return now.astimezone(NEW_YORK).date()


def noon_after(day: date) -> datetime:
    """Noon in New York on the day after: every plan serves `day` then."""
    return datetime.combine(day + timedelta(days=1), time(12), tzinfo=NEW_YORK)
