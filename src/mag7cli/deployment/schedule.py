"""When a machine of one's own should run: New York's half past midnight, in the words of each scheduler.

Debian's cron takes no account of `CRON_TZ`, and launchd knows the machine's time only: there the time is that of the
machine's zone which is late enough on both sides of every change of clocks, New York's and the machine's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mag7cli.core.clock import NEW_YORK

SERVED_AT: Final = time(0, 30)
"""Half an hour after every plan serves the session that is over, on New York's clock of the day after."""

# A session's night, Monday's to Friday's, counted from the session: the day after, Tuesday to Saturday.
_SESSION_WEEKDAYS: Final = range(5)
_WEEKDAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time of the machine's clock, and so many days after the session: `weekdays` are 0 for Monday to 6."""

    at: time
    days_after: int

    @property
    def weekdays(self) -> tuple[int, ...]:
        """On which days it comes."""
        return tuple((day + self.days_after) % 7 for day in _SESSION_WEEKDAYS)

    @property
    def weekday_names(self) -> str:
        """The days as cron and systemd write them: `Tue-Sat`."""
        return f"{_WEEKDAY_NAMES[self.weekdays[0]]}-{_WEEKDAY_NAMES[self.weekdays[-1]]}"


def local_time(zone: ZoneInfo, *, year: int) -> LocalTime:
    """The time of the machine's clock at which every session of a year and the next is served, summer and winter.

    It is the latest that half past midnight in New York ever is there, counted from the session's day.
    """
    latest = max(_after_session(zone, day) for day in _weekdays(year))
    midnight = datetime.combine(date(year, 1, 1), time())
    moment = midnight + latest
    return LocalTime(moment.time(), (moment.date() - midnight.date()).days)


def runs(zone: ZoneInfo, local: LocalTime, session: date) -> datetime:
    """When the run for a session starts."""
    return datetime.combine(session + timedelta(days=local.days_after), local.at, zone)


def _after_session(zone: ZoneInfo, session: date) -> timedelta:
    """How long after the session's midnight, on the machine's clock, New York has half past midnight the day after."""
    served = datetime.combine(session + timedelta(days=1), SERVED_AT, NEW_YORK).astimezone(zone).replace(tzinfo=None)
    return served - datetime.combine(session, time())


def _weekdays(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day < date(year + 2, 1, 1):
        if day.weekday() in _SESSION_WEEKDAYS:
            yield day
        day += timedelta(days=1)
