"""What the answers got so far tell of one line: where its count stepped, and by how much it may be off on each date.

Pure. A company's fiscal calendar says on which dates its count is to be expected to step. Of the calendars that there
are, those are possible on which every located step lies and which explain every change; a calendar is believed once
a located step proved it, and then the count may be off only where the possible ones disagree.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, pairwise
from typing import Final, Literal

from mag7cli.shares.fiscal_calendar import CALENDARS, FiscalCalendar
from mag7cli.shares.history import LineFacts, ShareHistory
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.split_evidence import SPLIT_SIZED

_LARGE_STEP: Final = 0.05

Side = Literal[0, 1]
"""In which direction a value may be off: above the truth, or below it."""
TOO_HIGH: Final = 0
TOO_LOW: Final = 1
SIDES: Final[tuple[Side, Side]] = (TOO_HIGH, TOO_LOW)

Doubt = tuple[float, float]
"""The part of a change by which a count may be ahead of it, and behind it."""

StepsOf = Callable[[FiscalCalendar], Sequence[date]]
"""The dates of a range on which a count may step by a calendar."""


@dataclass(frozen=True, slots=True)
class LineToSample:
    """One line: the trading dates on which it has a close (sorted), and its closes (USD).

    `facts` are what the share counts are held against.
    """

    ticker: str
    sessions: Sequence[date]
    closes: Mapping[date, float]
    facts: LineFacts
    calendar: FiscalCalendar
    exact: bool
    counted: bool

    @property
    def jumps(self) -> list[date]:
        """The dates inside of the range on which the close moved as in a split although none is listed."""
        listed = {split.execution_date for split in self.facts.splits}
        moves = (move.on for move in self.facts.closes.large if abs(move.step) >= SPLIT_SIZED)
        return [day for day in moves if day not in listed and self.sessions[0] < day <= self.sessions[-1]]


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Two neighbouring answers that differ: the count stepped after `first` and by `last`, `expected` on these dates.

    `errors` (USD) are by how much the line's market cap may be above the truth and below it, on each side one for each
    date of the range from the index `start` on, provided that between the two answers the count stays between them.
    """

    line: "SampledLine"
    first: date
    last: date
    neutral: float
    expected: Sequence[date]
    is_settled: bool
    start: int
    errors: tuple[Sequence[float], Sequence[float]]

    def error(self, index: int, side: Side) -> float:
        """By how much (USD) the line may be off to one side on a date of the range, given by its index."""
        errors = self.errors[side]
        return errors[index - self.start] if self.start <= index < self.start + len(errors) else 0.0


@dataclass(slots=True)
class SampledLine:
    """One line over the trading dates of a range (`sessions`, sorted); `steps_of` knows the calendars' steps in it."""

    line: LineToSample
    sessions: Sequence[date]
    steps_of: StepsOf
    asked: set[date] = field(default_factory=set)
    answers: dict[date, ShareObservation] = field(default_factory=dict)
    is_proven: bool = False
    is_disproved: bool = False
    steps: Sequence[date] = ()
    history: ShareHistory = field(init=False)
    caps: Sequence[float] = ()
    intervals: Sequence[Interval] = ()
    _possible: Sequence[Sequence[date]] = ()
    _values: Sequence[float] = ()

    def __post_init__(self) -> None:
        self.steps = self._steps(self.line.calendar)
        self.history = ShareHistory(())

    def learn(self) -> None:
        """Read the answers again, and hold the calendars against them."""
        line = self.line
        self.history = ShareHistory(self.answers.values(), line.facts)
        changes = [change for change in self.history.changes() if self._is_inside(*change[:2])]
        located = [last for first, last, _ in changes if self._are_neighbours(first, last)]
        self._judge_calendars(changes, [day for day in located if day not in line.jumps])
        self.history = self.history.stepping_on(self.steps)
        if not self._values:
            self._values = [line.closes.get(day, 0.0) * self.history.units.ratio(day) for day in self.sessions]
        self.caps = list(self._caps()) if line.counted else ()
        self.intervals = list(self._intervals())

    def _judge_calendars(self, changes: Sequence[tuple[date, date, float]], located: Sequence[date]) -> None:
        """Go by the prior unless the answers deny it, then by the commonest calendar that they allow, if any."""
        ordinary = [(first, last) for first, last, neutral in changes if not self._is_exceptional(first, last, neutral)]
        prior = self._steps(self.line.calendar)
        others = [self._steps(calendar) for calendar in CALENDARS] if located else []
        allowed = [steps for steps in [prior, *others] if _allows(steps, located, ordinary)]
        present = [steps for steps in allowed if not any(map(self._is_absent, steps))]
        self._possible = present + [steps for steps in allowed if steps not in present and located]
        self.steps = self._possible[0] if self._possible else []
        self.is_proven = bool(located and present)
        self.is_disproved = prior not in self._possible

    def _is_exceptional(self, first: date, last: date, neutral: float) -> bool:
        """True for a change that no filing of a quarter explains: a merger, say, or a split that is not listed."""
        jumped = any(first < jump <= last for jump in self.line.jumps)
        return jumped or abs(neutral) > _LARGE_STEP * self.history.neutral(first)

    def _is_absent(self, step: date) -> bool:
        """True if a step was looked for on its day and was not there."""
        before, after = both_sides(self.line.sessions, step)
        told = self.history.observed
        return before in told and after in told and self.history.neutral(before) == self.history.neutral(after)

    def _caps(self) -> Iterator[float]:
        """The market cap (USD) on each date of the range, as far as it is known; 0 where the line has no close."""
        runs = list(self.history.runs())
        if not runs:
            yield from (0.0 for _ in self.sessions)
            return
        ends = [bisect_left(self.sessions, day) for day, _ in runs[1:]]
        start = 0
        for (_, neutral), end in zip(runs, [*ends, len(self.sessions)], strict=True):
            yield from (neutral * value for value in self._values[start:end])
            start = max(start, end)

    def _intervals(self) -> Iterator[Interval]:
        for first, last, neutral in self.history.changes():
            expected = _within(self.steps, first, last)
            lines = self.line.sessions
            is_settled = bisect_left(lines, last) - bisect_left(lines, first) <= 1
            start, stop = bisect_right(self.sessions, first), bisect_left(self.sessions, last)
            errors: tuple[Sequence[float], Sequence[float]] = ((), ())
            if not is_settled and self.line.counted:
                days, values = self.sessions[start:stop], self._values[start:stop]
                doubts_ = zip(self._doubts(first, last, neutral, days), values, strict=True)
                parts = [
                    (abs(neutral) * value * ahead, abs(neutral) * value * behind) for (ahead, behind), value in doubts_
                ]
                ahead_of_it, behind_it = [ahead for ahead, _ in parts], [behind for _, behind in parts]
                # Who is ahead of a rise is above the truth; who is ahead of a fall is below it.
                errors = (ahead_of_it, behind_it) if neutral > 0 else (behind_it, ahead_of_it)
            yield Interval(self, first, last, abs(neutral), expected, is_settled, start, errors)

    def _doubts(self, first: date, last: date, neutral: float, days: Sequence[date]) -> Sequence[Doubt]:
        """How far the count may be ahead of a change and behind it on each of these dates between its two answers.

        An unproven calendar bounds nothing. A large step, and one that no calendar expects, has to be found.
        """
        expected = _within(self.steps, first, last)
        if self._is_exceptional(first, last, neutral) or not expected:
            return [(1.0, 1.0)] * len(days)
        if not self.is_proven:
            return [(taken, 1 - taken) for taken in (bisect_right(expected, day) / len(expected) for day in days)]
        return doubts(days, [_within(steps, first, last) for steps in self._possible])

    def _steps(self, calendar: FiscalCalendar) -> Sequence[date]:
        """The steps of a calendar on which both sides can be asked for."""
        return _within(self.steps_of(calendar), self.line.sessions[0], self.line.sessions[-1])

    def _is_inside(self, first: date, last: date) -> bool:
        return self.line.sessions[0] <= first and last <= self.line.sessions[-1]

    def _are_neighbours(self, first: date, last: date) -> bool:
        return bisect_left(self.sessions, last) - bisect_left(self.sessions, first) == 1


def doubts(days: Sequence[date], possible: Sequence[Sequence[date]]) -> list[Doubt]:
    """How far a count may be ahead of a change, and behind it, on each of these dates, all of them between two answers.

    It is taken to have stepped in equal parts on the dates of `possible[0]`, and did step on some of the dates of one
    of `possible`, each of which has at least one.
    """
    edges = [bisect_left(days, step) for step in sorted(set(chain.from_iterable(possible)))]
    found: list[Doubt] = []
    for start, stop in pairwise([0, *edges, len(days)]):
        if start < stop:
            found += [_doubt(days[start], possible)] * (stop - start)
    return found


def _doubt(day: date, possible: Sequence[Sequence[date]]) -> Doubt:
    done = [(bisect_right(steps, day), len(steps)) for steps in possible]
    taken = done[0][0] / done[0][1]
    least = min(1.0 if passed == count else 0.0 for passed, count in done)
    most = max(1.0 if passed else 0.0 for passed, _ in done)
    return taken - least, most - taken


def both_sides(sessions: Sequence[date], step: date) -> tuple[date, date]:
    """The last of the sorted `sessions` before a step, and the first from it on; the step is inside of them."""
    index = bisect_left(sessions, step)
    return sessions[index - 1], sessions[index]


def _within(steps: Sequence[date], first: date, last: date) -> Sequence[date]:
    """Those of the steps after `first` and until `last`."""
    return steps[bisect_right(steps, first) : bisect_right(steps, last)]


def _allows(steps: Sequence[date], located: Collection[date], changes: Sequence[tuple[date, date]]) -> bool:
    """True if a calendar has every located step, and one in every change."""
    return set(located) <= set(steps) and all(_within(steps, first, last) for first, last in changes)
