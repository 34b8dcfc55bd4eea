"""When a company's fiscal quarters end: the days on which the vendor's share counts may step. Pure.

The vendor compares the date asked for with a filing's period of report, so a count steps on the first trading date on
or after a fiscal period end. The calendars are priors: the sampler proves or disproves each before it relies on it.
"""

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final, Literal, cast

from mag7cli.core import packaged_data

Rule = Literal["end", "last", "near"]

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """How a company's quarters end.

    `cycle` is the month number modulo 3 of the quarter ends (0: March, June, ...; 1: January, April, ...).
    `rule` says on which day: the `end` of the month, its `last` weekday so named, or the one `near`est to its end.
    """

    cycle: int = 0
    rule: Rule = "end"
    weekday: str = ""

    def period_ends(self, first: date, last: date) -> Iterator[date]:
        """The period ends from `first` to `last`."""
        # A period of December may end with the first days of January.
        for year in range(first.year - 1, last.year + 1):
            yield from (day for day in _ends_of(self, year) if first <= day <= last)

    def ending(self, year: int, month: int) -> date:
        """The period end that belongs to a month, which may lie in the next."""
        end = date(year, month, monthrange(year, month)[1])
        if self.rule == "end":
            return end
        latest = end if self.rule == "last" else end + timedelta(days=3)
        return latest - timedelta(days=(latest.weekday() - _WEEKDAYS.index(self.weekday)) % 7)

    def steps(self, sessions: Sequence[date]) -> list[date]:
        """The trading dates, out of sorted `sessions`, on which a count may step: none is the first of them."""
        if not sessions:
            return []
        indices = (bisect_left(sessions, end) for end in self.period_ends(sessions[0], sessions[-1]))
        return [sessions[index] for index in dict.fromkeys(indices) if 0 < index < len(sessions)]


@cache
def _ends_of(calendar: FiscalCalendar, year: int) -> tuple[date, ...]:
    return tuple(calendar.ending(year, month) for month in range(calendar.cycle or 3, 13, 3))


_RULES: Final[tuple[tuple[Rule, str], ...]] = (
    ("end", ""),
    ("last", "sat"),
    ("last", "sun"),
    ("last", "fri"),
    ("near", "sat"),
    ("near", "sun"),
    ("near", "fri"),
    ("near", "thu"),
)
CALENDARS: Final = tuple(FiscalCalendar(cycle, rule, weekday) for rule, weekday in _RULES for cycle in (0, 1, 2))
"""The calendars that companies have, the commonest first."""


@cache
def known_calendars() -> dict[str, FiscalCalendar]:
    """The companies whose quarters are known not to end with March, June, September and December, by ticker.

    Source: data/fiscal_calendars.csv, a row each.
    """
    return {
        row["ticker"]: FiscalCalendar(int(row["cycle"]), cast(Rule, row["rule"]), row["weekday"])
        for row in packaged_data.read("fiscal_calendars")
    }
