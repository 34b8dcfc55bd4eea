"""Time: the wall clock, a stopwatch and waiting, behind one interface so that a test can stand in for all three.

Knows no calendar: which days are trading dates is `trading_calendar`'s.
"""

import os
import time
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from mag7cli.core.errors import ConfigError

NEW_YORK: Final = ZoneInfo("America/New_York")

NOW_VARIABLE: Final = "MAG7_NOW"


class Clock(Protocol):
    """The wall clock, a stopwatch that never goes backwards, and a way to wait."""

    def now(self) -> datetime:
        """The wall clock, with its offset."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes backwards; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock. With `MAG7_NOW` set, the wall clock stands still there, so that a build can be repeated."""

    def __init__(self) -> None:
        self._frozen = _frozen_now(os.environ.get(NOW_VARIABLE))

    def now(self) -> datetime:
        """The time in New York, or the frozen time of `MAG7_NOW`."""
        return self._frozen or datetime.now(NEW_YORK)

    def monotonic(self) -> float:
        """Seconds that go on even while the wall clock is frozen."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for real."""
        time.sleep(seconds)


def _frozen_now(value: str | None) -> datetime | None:
    """`MAG7_NOW` as a time in New York; one without an offset is New York time already. Raises ConfigError."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ConfigError(
            f"{NOW_VARIABLE}={value!r} is not a time", hint=f"unset {NOW_VARIABLE}, or write 2024-12-13T18:00:00-05:00"
        ) from error
    return moment.astimezone(NEW_YORK) if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)
