"""Which fiscal calendars the lines of a market turned out to have, so that the likely ones are tried first. Pure.

What is known of a company's calendar beforehand may be wrong, or be wrong for all companies alike. Each line whose
calendar was proven counts for or against it: how often it was right, how often it was a month or two early, and which
calendars are common. Nothing here proves anything; it only decides the order of the questions.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from mag7cli.shares.fiscal_calendar import CALENDARS, FiscalCalendar

_MONTHS_OF_A_CYCLE: Final = 3
# So much is a prior believed before any line was proven, in proven lines; and so much any calendar.
_TRUST: Final = 4
_DOUBT: Final = 0.002


@dataclass(slots=True)
class CalendarCensus:
    """The proven lines: their number, how many had their prior moved by so many months, and how many each calendar."""

    lines: int = 0
    moved: Counter[int] = field(default_factory=Counter)
    common: Counter[FiscalCalendar] = field(default_factory=Counter)

    def enter(self, prior: FiscalCalendar, possible: Collection[FiscalCalendar]) -> None:
        """Count a line that was proven to have one of the `possible` calendars."""
        self.lines += 1
        self.moved.update(months for months in range(_MONTHS_OF_A_CYCLE) if _later(prior, months) in possible)
        self.common.update(possible)

    def likely(self, prior: FiscalCalendar) -> Mapping[FiscalCalendar, float]:
        """How likely each calendar is for a line with this prior, the likeliest first; not scaled to a sum of 1."""
        among = self.lines + _TRUST
        weights = {calendar: _DOUBT + self.common[calendar] / (2 * among) for calendar in (prior, *CALENDARS)}
        for months in range(_MONTHS_OF_A_CYCLE):
            trust = 0 if months else _TRUST
            calendar = _later(prior, months)
            weights[calendar] = max(weights.get(calendar, 0.0), (self.moved[months] + trust) / among)
        return dict(sorted(weights.items(), key=lambda row: -row[1]))


def _later(calendar: FiscalCalendar, months: int) -> FiscalCalendar:
    return FiscalCalendar((calendar.cycle + months) % _MONTHS_OF_A_CYCLE, calendar.rule, calendar.weekday)
