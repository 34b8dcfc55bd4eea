"""What the answers got so far tell of one line: where its count stepped, and by how much it may be off on each date.

Pure. A company's fiscal calendar says on which dates its count is to be expected to step. Of the calendars that there
are, those are possible on which every located step lies and which explain every change; a calendar is believed once
a located step proved it, and then the count may be off only where the possible ones disagree.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, pairwise, repeat
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from mag7cli.shares.fiscal_calendar import FiscalCalendar
from mag7cli.shares.history import ShareHistory
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.sampling import SecurityToSample, within

_LARGE_STEP: Final = 0.05
# By how much less likely a calendar is for each of its steps on which nothing changed: some quarters bring no change.
_QUIET: Final = 0.2

Side = Literal[0, 1]
"""In which direction a value may be off: above the truth, or below it."""
TOO_HIGH: Final = 0
TOO_LOW: Final = 1
SIDES: Final[tuple[Side, Side]] = (TOO_HIGH, TOO_LOW)

Amounts = npt.NDArray[np.float64]
"""One for each of some dates."""

NO_AMOUNTS: Final[Amounts] = np.zeros(0)

Doubts = tuple[Amounts, Amounts]
"""The parts of a change by which a count may be ahead of it, and behind it, one for each date."""

StepsOf = Callable[[FiscalCalendar], Sequence[date]]
"""The dates of a range on which a count may step by a calendar."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Interval:
    """Two neighbouring answers that differ: the count stepped after `first` and by `last`, `expected` on these dates.

    `errors` (USD) are by how much the line's market cap may be above the truth and below it, on each side one for each
    date of the range from the index `start` on, provided that between the two answers the count stays between them.
    """

    sampled: "SampledSecurity"
    first: date
    last: date
    base_shares: float
    expected: Sequence[date]
    is_settled: bool
    is_exceptional: bool
    start: int
    errors: tuple[Amounts, Amounts]


@dataclass(slots=True)
class SampledSecurity:
    """One line over the trading dates of a range (`sessions`, sorted); `steps_of` knows the calendars' steps in it."""

    security: SecurityToSample
    sessions: Sequence[date]
    steps_of: StepsOf
    requested: set[date] = field(default_factory=set)
    answers: dict[date, ShareObservation] = field(default_factory=dict)
    is_proven: bool = False
    is_disproved: bool = False
    steps: Sequence[date] = ()
    candidates: Mapping[FiscalCalendar, float] = field(default_factory=dict)
    history: ShareHistory = field(init=False)
    caps: Amounts = field(default_factory=lambda: NO_AMOUNTS)
    intervals: Sequence[Interval] = ()
    _possible: Sequence[Sequence[date]] = ()
    _values: Amounts = field(default_factory=lambda: NO_AMOUNTS)
    _judged: tuple[bool, Sequence[date], Sequence[Sequence[date]]] = (False, (), ())
    _known: dict[tuple[date, date, float, float], Interval] = field(default_factory=dict)
    _own_steps: dict[FiscalCalendar, Sequence[date]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = self._steps(self.security.calendar)
        self.history = ShareHistory(())

    def learn(self, likely: Mapping[FiscalCalendar, float]) -> None:
        """Read the answers again, and hold the calendars against them, the likely ones first."""
        security = self.security
        self.history = ShareHistory(self.answers.values(), security.facts)
        changes = [change for change in self.history.changes() if self._is_inside(*change[:2])]
        located = {last for first, last, _ in changes if self._are_neighbours(first, last)}
        self._judge_calendars(changes, located.difference(security.jumps), likely)
        self.history = self.history.stepping_on(self.steps)
        if not self._values.size:
            self._values = self._closes_in_base_units()
        self.caps = self._caps() if security.counted else NO_AMOUNTS
        self.intervals = list(self._intervals())

    def forget(self) -> None:
        """Let go of the intervals, which refer to this line."""
        self.intervals, self._known = (), {}

    def _closes_in_base_units(self) -> Amounts:
        """The closes (USD) on each date of the range in the units before the first split; 0 where there is none."""
        units = self.history.units
        closes = np.asarray(self.security.closes, dtype=np.float64)
        if len(closes) < len(self.sessions):
            known = dict(zip(self.security.sessions, closes.tolist(), strict=True))
            closes = np.fromiter(map(known.get, self.sessions, repeat(0.0)), np.float64, len(self.sessions))
        return closes * np.fromiter(map(units.ratio, self.sessions), np.float64) if units.splits else closes

    def _judge_calendars(
        self,
        changes: Sequence[tuple[date, date, float]],
        located: Collection[date],
        likely: Mapping[FiscalCalendar, float],
    ) -> None:
        """Keep the calendars that the answers allow: possible ones, as soon as a located step proves any."""
        ordinary = [
            (first, last) for first, last, base_shares in changes if not self._is_exceptional(first, last, base_shares)
        ]
        still = self._still()
        allowed: dict[FiscalCalendar, float] = {}
        denied: dict[FiscalCalendar, float] = {}
        for calendar, weight in likely.items():
            steps = self._steps(calendar)
            if _allows(steps, located, ordinary):
                expected = [(first, last) for first, last in still if _has_any(steps, first, last)]
                quiet = len(expected)
                absent = any(self._are_neighbours(first, last) for first, last in expected)
                (denied if absent else allowed)[calendar] = weight * _QUIET**quiet
        ranked = dict(sorted(allowed.items(), key=lambda row: -row[1]))
        self.is_proven = bool(located and allowed)
        self.candidates = ranked or denied
        self._possible = [self._steps(calendar) for calendar in (*ranked, *(denied if located else ()))]
        self.steps = self._possible[0] if self._possible else []
        self.is_disproved = self.security.calendar not in (*allowed, *(denied if located else ()))

    def _still(self) -> list[tuple[date, date]]:
        """The pairs of neighbouring answers that name the same count."""
        changed = {first for first, _, _ in self.history.changes()}
        return [(first, last) for first, last in pairwise(self.history.observed) if first not in changed]

    def _is_exceptional(self, first: date, last: date, base_shares: float) -> bool:
        """True for a change that no filing of a quarter explains: a merger, say, or a split that is not listed."""
        jumped = any(first < jump <= last for jump in self.security.jumps)
        return jumped or abs(base_shares) > _LARGE_STEP * self.history.base_shares(first)

    def _caps(self) -> Amounts:
        """The market cap (USD) on each date of the range, as far as it is known; 0 where the line has no close."""
        runs = list(self.history.runs())
        if not runs:
            return np.zeros(len(self.sessions))
        starts = [0, *(bisect_left(self.sessions, day) for day, _ in runs[1:]), len(self.sessions)]
        counts = np.array([base_shares for _, base_shares in runs], np.float64)
        return self._values * np.repeat(counts, np.diff(starts))

    def _intervals(self) -> Iterator[Interval]:
        """The changes between neighbouring answers; what is known of those that are as before stays as it is."""
        judged = self.is_proven, self.steps, self._possible
        known = self._known if judged == self._judged else {}
        self._judged, self._known = judged, {}
        for first, last, base_shares in self.history.changes():
            key = first, last, base_shares, self.history.base_shares(first)
            self._known[key] = interval = known.get(key) or self._interval(first, last, base_shares)
            yield interval

    def _interval(self, first: date, last: date, base_shares: float) -> Interval:
        own = self.security.sessions
        is_settled = bisect_left(own, last) - bisect_left(own, first) <= 1
        start, stop = bisect_right(self.sessions, first), bisect_left(self.sessions, last)
        is_open = self.security.counted and not is_settled
        return Interval(
            sampled=self,
            first=first,
            last=last,
            base_shares=abs(base_shares),
            expected=within(self.steps, first, last),
            is_settled=is_settled,
            is_exceptional=self._is_exceptional(first, last, base_shares),
            start=start,
            errors=self._errors(first, last, base_shares, start, stop) if is_open else (NO_AMOUNTS, NO_AMOUNTS),
        )

    def _errors(self, first: date, last: date, base_shares: float, start: int, stop: int) -> tuple[Amounts, Amounts]:
        """By how much (USD) a change may put the line above the truth and below it, on the dates with these indices."""
        aheads, behinds = self._doubts(first, last, base_shares, self.sessions[start:stop])
        values = abs(base_shares) * self._values[start:stop]
        ahead, behind = values * aheads, values * behinds
        # Who is ahead of a rise is above the truth; who is ahead of a fall is below it.
        return (ahead, behind) if base_shares > 0 else (behind, ahead)

    def _doubts(self, first: date, last: date, base_shares: float, days: Sequence[date]) -> Doubts:
        """How far the count may be ahead of a change and behind it on each of these dates between its two answers.

        An unproven calendar bounds nothing. A large step, and one that no calendar expects, has to be found.
        """
        expected = within(self.steps, first, last)
        if self._is_exceptional(first, last, base_shares) or not expected:
            return np.ones(len(days)), np.ones(len(days))
        if not self.is_proven:
            taken = np.repeat(np.arange(len(expected) + 1) / len(expected), _lengths(days, expected))
            return taken, 1 - taken
        return doubts(days, [within(steps, first, last) for steps in self._possible])

    def _steps(self, calendar: FiscalCalendar) -> Sequence[date]:
        """The steps of a calendar on which both sides can be asked for."""
        steps = self._own_steps.get(calendar)
        if steps is None:
            steps = within(self.steps_of(calendar), self.security.sessions[0], self.security.sessions[-1])
            self._own_steps[calendar] = steps
        return steps

    def _is_inside(self, first: date, last: date) -> bool:
        return self.security.sessions[0] <= first and last <= self.security.sessions[-1]

    def _are_neighbours(self, first: date, last: date) -> bool:
        return bisect_left(self.sessions, last) - bisect_left(self.sessions, first) == 1


def doubts(days: Sequence[date], possible: Sequence[Sequence[date]]) -> Doubts:
    """How far a count may be ahead of a change, and behind it, on each of these dates, all of them between two answers.

    It is taken to have stepped in equal parts on the dates of `possible[0]`, and did step on some of the dates of one
    of `possible`, each of which has at least one.
    """
    steps = sorted(set(chain.from_iterable(possible)))
    runs = np.array([_doubt(day, possible) for day in (date.min, *steps)])
    lengths = _lengths(days, steps)
    return np.repeat(runs[:, 0], lengths), np.repeat(runs[:, 1], lengths)


def _lengths(days: Sequence[date], steps: Sequence[date]) -> list[int]:
    """How many of the days are before the first step, between each two, and from the last on; all of them sorted."""
    edges = [bisect_left(days, step) for step in steps]
    return [stop - start for start, stop in pairwise([0, *edges, len(days)])]


def _doubt(day: date, possible: Sequence[Sequence[date]]) -> tuple[float, float]:
    done = [(bisect_right(steps, day), len(steps)) for steps in possible]
    taken = done[0][0] / done[0][1]
    least = min(1.0 if passed == count else 0.0 for passed, count in done)
    most = max(1.0 if passed else 0.0 for passed, _ in done)
    return taken - least, most - taken


def _allows(steps: Sequence[date], located: Collection[date], changes: Sequence[tuple[date, date]]) -> bool:
    """True if a calendar has every located step, and one in every change."""
    return all(day in steps for day in located) and all(_has_any(steps, first, last) for first, last in changes)


def _has_any(steps: Sequence[date], first: date, last: date) -> bool:
    """True if there is a step after `first` and until `last`."""
    return bisect_right(steps, first) < bisect_right(steps, last)
