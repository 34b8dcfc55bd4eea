"""When a simulated company's fiscal quarters end, from the short codes of `data/sandbox_market.csv`.

The sandbox keeps its own rules: the code under test guesses calendars, and a guess must not be checked by itself.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

Rule = Literal["end", "last", "near"]

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class QuarterRule:
    """Quarters end around the last day of every third month, those whose number modulo 3 is `cycle` modulo 3.

    `end`: on that day; `last`: on its month's last `weekday`; `near`: on the `weekday` nearest to that day.
    """

    rule: Rule
    cycle: int
    weekday: int = 0

    @classmethod
    def parse(cls, code: str) -> "QuarterRule":
        """`end:3`, `last-sat:3`, `near-sun:1`: the rule, its weekday and the first month of the cycle."""
        rule, _, cycle = code.partition(":")
        kind, _, weekday = rule.partition("-")
        if kind == "end":
            return cls("end", int(cycle))
        return cls("last" if kind == "last" else "near", int(cycle), _WEEKDAYS.index(weekday))

    def period_ends(self, first: date, last: date) -> list[date]:
        """The quarter ends from `first` to `last`, both included, oldest first."""
        return [end for end in map(self._ending, _month_ends(first, last, self.cycle)) if first <= end <= last]

    def _ending(self, month_end: date) -> date:
        if self.rule == "end":
            return month_end
        back = month_end - timedelta(days=(month_end.weekday() - self.weekday) % 7)
        nearer_ahead = (month_end - back).days > _WEEK.days // 2
        return back + _WEEK if self.rule == "near" and nearer_ahead else back


def _month_ends(first: date, last: date, cycle: int) -> Iterator[date]:
    for year in range(first.year - 1, last.year + 1):
        for month in range(cycle, 13, 3):
            yield date(year, month, monthrange(year, month)[1])
