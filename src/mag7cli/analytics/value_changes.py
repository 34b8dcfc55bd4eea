"""Values on dates, and how they changed since a day, a month or a year before: arithmetic over plain sequences."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Generic, TypeVar

# The last session before a holiday is no further away; what is, makes a month of two.
_A_WEEK: Final = timedelta(days=7)

Value = TypeVar("Value", float, Decimal)
"""A percentage, or money."""


@dataclass(frozen=True, slots=True)
class Point(Generic[Value]):
    """A value on a date."""

    on: date
    value: Value


@dataclass(frozen=True, slots=True)
class Change(Generic[Value]):
    """From one date to another; `difference` is in the unit of the values, `pct` relative to the first."""

    since: Point[Value]
    until: Point[Value]

    @property
    def difference(self) -> Value:
        """How much was added."""
        return self.until.value - self.since.value

    @property
    def pct(self) -> float | None:
        """How much was added, in percent of where it began; None where it began at zero."""
        return float(100 * self.difference / self.since.value) if self.since.value else None


def change_since(series: Sequence[Point[Value]], day: date) -> Change[Value] | None:
    """The change to the last point from the last one of the week until `day`; None if there is none.

    `series` is sorted by date.
    """
    index = bisect_right(series, day, key=lambda point: point.on) - 1
    is_near = index >= 0 and day - series[index].on <= _A_WEEK
    return Change(series[index], series[-1]) if is_near else None


def month_before(day: date) -> date:
    """The same day of the month before, or the last day of it."""
    last_of_previous = day.replace(day=1) - timedelta(days=1)
    return last_of_previous.replace(day=min(day.day, last_of_previous.day))


def year_before(day: date) -> date:
    """The same day a year before; 28 February for a leap day."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
