"""What sampling is about: the lines and days to ask for, and how close the total came to the truth. Pure.

Apart from the sampler itself, which an evening and an estimate have no use for.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from mag7cli.market.calendar import next_session, session_on_or_before
from mag7cli.shares.fiscal_calendar import FiscalCalendar
from mag7cli.shares.history import SecurityFacts, ShareHistory
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.split_evidence import SPLIT_SIZED, SplitQuestion

Request = tuple[str, date]
"""A line's ticker and the date to ask for."""

Ask = Callable[[Sequence[Request]], None]
"""Gets answers; what could not be had is simply not there afterwards."""

Lookup = Callable[[str, date], ShareObservation | None]


@dataclass(frozen=True)
class SecurityToSample:
    """One line: the trading dates on which it has a close (sorted), and its closes (USD) on them.

    `facts` are what the share counts are held against.
    """

    ticker: str
    sessions: Sequence[date]
    closes: Sequence[float]
    facts: SecurityFacts
    calendar: FiscalCalendar
    exact: bool
    counted: bool

    @cached_property
    def jumps(self) -> list[date]:
        """The dates inside of the range on which the close moved as in a split although none is listed."""
        listed = {split.execution_date for split in self.facts.splits}
        moves = (move.on for move in self.facts.closes.large if abs(move.step) >= SPLIT_SIZED)
        return [day for day in moves if day not in listed and self.sessions[0] < day <= self.sessions[-1]]


@dataclass(frozen=True, slots=True)
class Precision:
    """What the sampler reached: the worst-case error of the total, as a fraction of it, and how it was come by."""

    tolerance: float
    worst_error: float
    worst_date: date | None
    securities: int
    answers: int
    steps_proven: int
    steps_expected: int
    calendars_disproved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountErrors:
    """By how much (USD) market caps may be above the truth, and below it: those of the Mag 7, and those of the rest."""

    mag7_above: float = 0.0
    mag7_below: float = 0.0
    rest_above: float = 0.0
    rest_below: float = 0.0


def worst_of(reached: Sequence[Precision | None]) -> Precision | None:
    """What holds for all of several batches: the largest error of any, the answers and steps of all.

    None if a batch has no bound: then there is none that holds on every date.
    """
    known = [precision for precision in reached if precision]
    if not known or len(known) < len(reached):
        return None
    worst = max(known, key=lambda precision: precision.worst_error)
    return replace(
        worst,
        securities=max(precision.securities for precision in known),
        answers=sum(precision.answers for precision in known),
        steps_proven=sum(precision.steps_proven for precision in known),
        steps_expected=sum(precision.steps_expected for precision in known),
        calendars_disproved=sum(precision.calendars_disproved for precision in known),
    )


def deciding_sessions(history: ShareHistory, reach: tuple[date, date]) -> Iterator[date]:
    """The sessions within `reach` whose counts decide what a history leaves open: a split, or a jump at its end."""
    sessions = [session for question in history.questions for session in _around(question)]
    sessions += [confirming] if (confirming := history.confirming_session) else []
    return (session for session in sessions if reach[0] <= session <= reach[1])


def _around(question: SplitQuestion) -> tuple[date, date]:
    before, after = question.deciding_dates
    return session_on_or_before(before), next_session(after - timedelta(days=1))


def both_sides(sessions: Sequence[date], step: date) -> tuple[date, date]:
    """The last of the sorted `sessions` before a step, and the first from it on; the step is inside of them."""
    index = bisect_left(sessions, step)
    return sessions[index - 1], sessions[index]


def within(steps: Sequence[date], first: date, last: date) -> Sequence[date]:
    """Those of the steps after `first` and until `last`."""
    return steps[bisect_right(steps, first) : bisect_right(steps, last)]
