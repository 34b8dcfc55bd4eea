"""Time: the wall clock, a stopwatch and waiting, behind one interface so that a test can stand in for all three.

Knows no calendar: which days are trading dates is `trading_calendar`'s.
"""

import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from mag7cli.core.errors import ConfigError

NEW_YORK: Final = ZoneInfo("America/New_York")

NOW_VARIABLE: Final = "MAG7_NOW"

_RUNNING: Final = re.compile(r"(?P<start>\S+)@(?P<anchor>\d{1,12}(\.\d+)?)x(?P<speed>\d{1,5}(\.\d+)?)")


class Clock(Protocol):
    """The wall clock, a stopwatch that never goes backwards, and a way to wait.

    `speed` is how many of its seconds pass in one of the machine's: whoever waits without `sleep` divides by it.
    """

    speed: float

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
    """The machine's clock. With `MAG7_NOW` set, the wall clock stands still there, so that a build can be repeated.

    `MAG7_NOW=2024-12-13T09:30:00-05:00@1734100000x60` lets it run on from there, since the epoch second behind the @
    and so many times as fast: every process that has it in its environment, a simulated vendor's among them, agrees.
    """

    def __init__(self, now: str | None = None) -> None:
        """Take the time from `now`, written as `MAG7_NOW`, else from that variable. Raises ConfigError."""
        self._now, self.speed = _wall_clock(now or os.environ.get(NOW_VARIABLE))

    def now(self) -> datetime:
        """The time in New York, or that of `MAG7_NOW`."""
        return self._now()

    def monotonic(self) -> float:
        """Seconds that go on even while the wall clock is frozen."""
        return time.monotonic() * self.speed

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds of this clock."""
        time.sleep(seconds / self.speed)


def running_now(start: datetime, anchor_s: float, speed: float) -> str:
    """The value of `MAG7_NOW` for a clock that showed `start` at an epoch second and runs at a speed."""
    return f"{start.isoformat()}@{anchor_s:.3f}x{speed:g}"


def _wall_clock(value: str | None) -> tuple[Callable[[], datetime], float]:
    """What tells the time, and how fast it runs. Raises ConfigError."""
    if not value:
        return lambda: datetime.now(NEW_YORK), 1.0
    running = _RUNNING.fullmatch(value)
    if running is None:
        frozen = _moment(value)
        return lambda: frozen, 1.0
    start, anchor, speed = _moment(running["start"]), float(running["anchor"]), float(running["speed"])
    if not speed:
        raise ConfigError(f"{NOW_VARIABLE}={value!r} does not run", hint=f"leave the @ out, or unset {NOW_VARIABLE}")
    return lambda: _later(start, (time.time() - anchor) * speed), speed


def _later(start: datetime, seconds: float) -> datetime:
    """So many seconds later in New York, across a change of clocks, too."""
    return (start.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(NEW_YORK)


def _moment(value: str) -> datetime:
    """A time in New York; one without an offset is New York time already. Raises ConfigError."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ConfigError(
            f"{NOW_VARIABLE}={value!r} is not a time", hint=f"unset {NOW_VARIABLE}, or write 2024-12-13T18:00:00-05:00"
        ) from error
    return moment.astimezone(NEW_YORK) if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)
