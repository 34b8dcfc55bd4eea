"""Which share counts to ask for: few enough for a free key, enough for a total within a stated tolerance. Pure.

Every line is asked on a coarse grid. Where two neighbouring answers differ the count stepped somewhere between them,
and until that is settled the total may be off by up to the difference. The sampler adds these errors up per date and
asks where they are largest, until on every date they come to less than the tolerance. A company's fiscal calendar says
where a step is to be expected; it is believed once an answer on each side of an expected day proved it.
Nothing but its own answers steers it, so a run that was cut off asks, when repeated, for just what is missing.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from mag7cli.fiscal import FiscalCalendar, learn
from mag7cli.shares import ShareHistory, ShareObservation
from mag7cli.vendor import Split

Request = tuple[str, date]
"""A line's ticker and the date to ask for."""

Ask = Callable[[Sequence[Request]], None]
"""Gets answers; what could not be had is simply not there afterwards."""

Lookup = Callable[[str, date], ShareObservation | None]

_MOST_ROUNDS: Final = 40
_LARGE_STEP: Final = 0.05


@dataclass(frozen=True, slots=True)
class LineToSample:
    """One line: the trading dates on which it has a close (sorted), its closes (USD) and its splits.

    `jumps` are dates on which the close moved as in a split that is not listed: the count may step there.
    """

    ticker: str
    sessions: Sequence[date]
    closes: Mapping[date, float]
    splits: Sequence[Split]
    calendar: FiscalCalendar
    exact: bool
    counted: bool
    jumps: Sequence[date] = ()


@dataclass(frozen=True, slots=True)
class Precision:
    """What the sampler reached: the worst-case error of the total, as a fraction of it, and how it was come by."""

    tolerance: float
    worst_error: float
    worst_date: date | None
    lines: int
    answers: int
    steps_proven: int
    steps_expected: int
    calendars_disproved: int


@dataclass(slots=True)
class _State:
    """What the sampler knows of one line."""

    line: LineToSample
    asked: set[date] = field(default_factory=set)
    answers: dict[date, ShareObservation] = field(default_factory=dict)
    calendar: FiscalCalendar | None = None
    is_proven: bool = False
    is_disproved: bool = False
    history: ShareHistory = field(init=False)
    steps: list[date] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.calendar = self.line.calendar
        self.steps = self.line.calendar.steps(self.line.sessions)
        self.history = ShareHistory((), ())


@dataclass(frozen=True, slots=True)
class _Interval:
    """Two neighbouring answers that differ: the count stepped after `first` and by `last`."""

    state: _State
    first: date
    last: date
    neutral: float
    expected: tuple[date, ...]

    @property
    def is_settled(self) -> bool:
        """True if the step can only have been on one trading date."""
        sessions = self.state.line.sessions
        return bisect_left(sessions, self.last) - bisect_left(sessions, self.first) <= 1

    @property
    def share(self) -> float:
        """The part of the difference by which the count may be off between the two answers.

        A large step is not left to the calendar, however well that is proven.
        """
        if self.is_settled:
            return 0.0
        if not self.state.is_proven or not self.expected or self.is_large:
            return 1.0
        return (len(self.expected) - 1) / len(self.expected)

    @property
    def is_large(self) -> bool:
        """True if the count changed by more than the filings of a quarter or two change it: a merger, say."""
        before = self.state.history.neutral(self.first)
        return self.neutral > _LARGE_STEP * before


class Sampler:
    """Asks for the share counts of lines over a range of trading dates."""

    def __init__(
        self,
        lines: Iterable[LineToSample],
        sessions: Sequence[date],
        lookup: Lookup,
        tolerance: float,
        anchors: Sequence[date] = (),
    ) -> None:
        """`sessions` are the trading dates of the range, sorted; `lookup` finds an answer that `ask` got.

        `anchors` are dates outside the range that were asked before, to tell what the answers inside are worth.
        """
        self._states = {line.ticker: _State(line) for line in lines if line.sessions}
        self._sessions = sessions
        self._lookup = lookup
        self._tolerance = tolerance
        self._watched = _watched(sessions)
        for ticker, state in self._states.items():
            found = ((day, lookup(ticker, day)) for day in anchors)
            state.answers.update({day: answer for day, answer in found if answer})

    def run(self, ask: Ask) -> Precision:
        """Ask until the tolerance is reached, or nothing more can be asked that would help."""
        self._ask(ask, self.coarse())
        self._ask(ask, self._expected_steps())
        for _ in range(_MOST_ROUNDS):
            requests = self._refinements()
            if not requests:
                break
            self._ask(ask, requests)
        return self._precision()

    def coarse(self) -> list[Request]:
        """The first round: each line on its first and last trading date and once a year between."""
        return sorted(
            [
                (one.line.ticker, day)
                for one in self._states.values()
                for day in first_days(one.line.sessions, one.steps)
            ],
            key=lambda request: (request[1], request[0]),
        )

    def _expected_steps(self) -> list[Request]:
        """Both sides of every jump of a close, and of every step that is expected of an exact line.

        So not even a count that comes back to what it was is missed there.
        """
        return [
            (ticker, day)
            for ticker, state in self._states.items()
            for step in (*state.line.jumps, *(state.steps if state.line.exact else ()))
            for day in _both_sides(state.line.sessions, step)
            if day not in state.asked
        ]

    def history(self, ticker: str) -> ShareHistory | None:
        """What the answers make of a line; None for a line that never traded."""
        state = self._states.get(ticker)
        return state.history if state else None

    def steps(self, ticker: str) -> Sequence[date]:
        """The trading dates on which a line's count is expected to step."""
        state = self._states.get(ticker)
        return state.steps if state else ()

    def unanswered(self, ticker: str) -> Collection[date]:
        """The dates that were asked for a line and got no answer."""
        state = self._states[ticker]
        return state.asked - state.answers.keys()

    def _ask(self, ask: Ask, requests: Sequence[Request]) -> None:
        ask(requests)
        touched = {ticker for ticker, _ in requests}
        for ticker, day in requests:
            state = self._states[ticker]
            state.asked.add(day)
            answer = self._lookup(ticker, day)
            if answer:
                state.answers[day] = answer
        for ticker in touched:
            _update(self._states[ticker])

    def _refinements(self) -> list[Request]:
        """What to ask next: nothing once every exact line is settled and the total is within the tolerance."""
        intervals = [interval for state in self._states.values() for interval in _intervals(state)]
        urgent = [one for one in intervals if one.state.line.exact and not one.is_settled]
        urgent += _proof_first(self._over_tolerance([one for one in intervals if not one.state.line.exact]))
        requests = {
            (one.state.line.ticker, day) for one in urgent for day in _next_days(one) if day not in one.state.asked
        }
        return sorted(requests, key=lambda request: (request[1], request[0]))

    def _over_tolerance(self, intervals: Sequence[_Interval]) -> list[_Interval]:
        """On each watched date the largest errors, as many as must go for the rest to be within the tolerance."""
        chosen: dict[int, _Interval] = {}
        for day in self._watched:
            total = self._total(day)
            errors = [(self._error(one, day), one) for one in intervals if one.first < day < one.last and one.share]
            errors.sort(key=lambda item: (item[0], item[1].state.line.ticker))
            budget = self._tolerance * total
            for error, interval in errors:
                budget -= error
                if budget < 0:
                    chosen[id(interval)] = interval
        return list(chosen.values())

    def _error(self, interval: _Interval, day: date) -> float:
        line = interval.state.line
        if not line.counted:
            return 0.0
        shares = interval.state.history.units.on(interval.neutral, day)
        return shares * interval.share * _close(line, day)

    def _total(self, day: date) -> float:
        """The index as far as it is known (USD); never 0, so that it can be divided by."""
        caps = (_cap(state, day) for state in self._states.values() if state.line.counted)
        return math.fsum(caps) or 1.0

    def _precision(self) -> Precision:
        intervals = [one for state in self._states.values() for one in _intervals(state)]
        worst, worst_day = 0.0, None
        for day in self._watched:
            open_errors = math.fsum(self._error(one, day) for one in intervals if one.first < day < one.last)
            if open_errors / self._total(day) > worst:
                worst, worst_day = open_errors / self._total(day), day
        settled = sum(one.is_settled for one in intervals)
        return Precision(
            self._tolerance,
            worst,
            worst_day,
            len(self._states),
            sum(len(state.answers) for state in self._states.values()),
            settled,
            sum(max(1, len(one.expected)) for one in intervals) - settled,
            sum(state.is_disproved for state in self._states.values()),
        )


def _proof_first(intervals: Iterable[_Interval]) -> list[_Interval]:
    """The intervals, but only the widest of a line whose calendar is not proven yet: a proof may settle the others."""
    chosen: list[_Interval] = []
    unproven: dict[str, _Interval] = {}
    for one in intervals:
        if one.state.is_proven or not one.expected:
            chosen.append(one)
        else:
            ticker = one.state.line.ticker
            unproven[ticker] = max(unproven.get(ticker, one), one, key=lambda interval: interval.neutral)
    return [*chosen, *unproven.values()]


def _both_sides(sessions: Sequence[date], step: date) -> tuple[date, date]:
    index = bisect_left(sessions, step)
    return sessions[index - 1], step


def _watched(sessions: Sequence[date]) -> list[date]:
    """The dates at which errors are added up: a few each month, since an interval of doubt lasts weeks."""
    return list(sessions[:: max(1, min(5, len(sessions) // 20))]) if sessions else []


def first_days(sessions: Sequence[date], steps: Sequence[date]) -> list[date]:
    """The first round of a line: first, last, and each summer the day of an expected step, sorted.

    One more answer, of the day before, proves such a step.
    """
    summer = {step.year: step for step in steps if 6 <= step.month <= 8}
    return sorted({sessions[0], sessions[-1], *summer.values()})


def _update(state: _State) -> None:
    """Read the answers again and hold the calendar against them.

    It is proven by steps that were located on its days, and no longer believed once a step was located elsewhere, or
    was looked for on one of its days and was not there.
    """
    state.history = ShareHistory(state.answers.values(), state.line.splits)
    sessions = state.line.sessions
    changes = state.history.changes()
    located = [last for first, last, _ in changes if _adjacent(state, first, last)]
    ordinary = [day for day in located if day not in state.line.jumps]
    if not set(ordinary) <= set(state.steps):
        state.is_disproved = True
        state.calendar = learn(ordinary, sessions)
        state.steps = state.calendar.steps(sessions) if state.calendar else []
    absent = any(_is_absent(state, step, located) for step in state.steps)
    if absent and changes and not ordinary:
        state.is_disproved = True
        state.calendar, state.steps = None, []
    state.is_proven = bool(ordinary) and not absent and state.calendar is not None


def _is_absent(state: _State, step: date, located: Collection[date]) -> bool:
    """True if a step was looked for on its day and was not there."""
    return step not in located and all(day in state.answers for day in _both_sides(state.line.sessions, step))


def _adjacent(state: _State, first: date, last: date) -> bool:
    sessions = state.line.sessions
    index = bisect_left(sessions, first)
    return index + 1 < len(sessions) and sessions[index + 1] == last


def _intervals(state: _State) -> Iterator[_Interval]:
    for first, last, neutral in state.history.changes():
        expected = state.steps[bisect_right(state.steps, first) : bisect_right(state.steps, last)]
        yield _Interval(state, first, last, neutral, tuple(expected))


def _next_days(interval: _Interval) -> list[date]:
    """Where to ask next inside an interval: both sides of the expected step nearest its middle, else the middle.

    With two expected steps on a calendar that was proven, the one quarter between them is all that is unknown.
    """
    sessions = interval.state.line.sessions
    low, high = bisect_left(sessions, interval.first), bisect_left(sessions, interval.last)
    if high - low <= 1:
        return []
    if interval.expected and not interval.state.is_proven and interval.last in interval.expected:
        return [sessions[high - 1]]
    if interval.expected:
        step = bisect_left(sessions, interval.expected[len(interval.expected) // 2])
        sides = (step - 1,) if len(interval.expected) == 2 and interval.state.is_proven else (step - 1, step)
        days = [sessions[index] for index in sides if low < index < high]
        fresh = [day for day in days if day not in interval.state.asked]
        if fresh:
            return fresh
    middle = (low + high) // 2
    return [sessions[_month_start(sessions, low, high, middle)]]


def _month_start(sessions: Sequence[date], low: int, high: int, middle: int) -> int:
    """The index nearest `middle` at which a month begins, or ends: most fiscal periods end there. Else `middle`."""
    turns = [
        index
        for start in range(low + 1, high)
        if sessions[start].month != sessions[start - 1].month
        for index in (start, start - 1)
        if low < index < high
    ]
    return min(turns, key=lambda index: (abs(index - middle), index)) if turns else middle


def _close(line: LineToSample, day: date) -> float:
    """The close of a date, or the last one before it."""
    close = line.closes.get(day)
    if close is not None:
        return close
    index = bisect_right(line.sessions, day)
    return line.closes.get(line.sessions[index - 1], 0.0) if index else 0.0


def _cap(state: _State, day: date) -> float:
    line = state.line
    if not line.sessions[0] <= day <= line.sessions[-1]:
        return 0.0
    count = state.history.on(day, state.steps)
    return count.shares * _close(line, day) if count else 0.0
