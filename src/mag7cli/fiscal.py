"""When a company's fiscal quarters end: the days on which the vendor's share counts may step. Pure.

The vendor compares the date asked for with a filing's period of report, so a count steps on the first trading date on
or after a fiscal period end. The calendars are priors: the sampler proves or disproves each before it relies on it.
"""

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from mag7cli import facts

_QUARTER: Final = timedelta(days=91)


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """Quarters that end with a month, or every 13 weeks.

    `phase` is the month number modulo 3 of the month-ends (0: March, June, ...; 1: January, April, ...);
    `anchor`, where it is given, is one period end of a 52/53-week year instead.
    """

    phase: int = 0
    anchor: date | None = None

    def period_ends(self, first: date, last: date) -> Iterator[date]:
        """The period ends from `first` to `last`."""
        if self.anchor is not None:
            day = self.anchor + _QUARTER * ((first - self.anchor) // _QUARTER)
            while day <= last:
                if day >= first:
                    yield day
                day += _QUARTER
            return
        for year in range(first.year, last.year + 1):
            for month in range(self.phase or 3, 13, 3):
                day = date(year, month, monthrange(year, month)[1])
                if first <= day <= last:
                    yield day

    def steps(self, sessions: Sequence[date]) -> list[date]:
        """The trading dates, out of sorted `sessions`, on which a count may step: none is the first of them."""
        if not sessions:
            return []
        indices = (bisect_left(sessions, end) for end in self.period_ends(sessions[0], sessions[-1]))
        return [sessions[index] for index in dict.fromkeys(indices) if 0 < index < len(sessions)]


def known_calendars() -> dict[str, FiscalCalendar]:
    """The companies whose quarters are known not to end in March, June, September and December, by ticker.

    Source: data/fiscal_calendars.csv, a row each.
    """
    return {
        row["ticker"]: FiscalCalendar(
            int(row["phase"]), date.fromisoformat(row["period_end"]) if row["period_end"] else None
        )
        for row in facts.read("fiscal_calendars")
    }


def learn(step: date, sessions: Sequence[date]) -> FiscalCalendar:
    """The calendar of a company whose count stepped on the session `step`, in sorted `sessions`."""
    index = bisect_left(sessions, step)
    before = sessions[index - 1] if index else step - timedelta(days=4)
    for phase in range(3):
        if any(before < end <= step for end in FiscalCalendar(phase).period_ends(before, step)):
            return FiscalCalendar(phase)
    return FiscalCalendar(anchor=before + timedelta(days=1))
