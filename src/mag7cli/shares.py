"""The share ledger's arithmetic: a company's shares outstanding on every date, in that day's own share units.

Pure: it is given what the vendor said and the list of splits, and says what it made of them. The vendor's faults that
it knows (docs/methodology.md has the evidence for each):

- a count already in post-split shares before the execution date, or not yet in them on it and for days after;
- a history frozen at a later count, in later share units, for all dates before about autumn 2021;
- a missing count; a count that jumps for some days and returns.

How units are found: expressed in *neutral* units (those before the first known split) a company's count hardly moves
from one answer to the next. Each answer is read in the units of the epoch between two splits that makes the whole
history move least; where that is not the epoch of its own date, the answer is corrected, with that as evidence.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, Literal

from mag7cli.vendor import Split

Basis = Literal["weighted", "share_class", "last_known", "none"]

# The windows in which the vendor was seen to be ahead of, or behind, a split: FACTS in docs/methodology.md.
_AHEAD: Final = timedelta(days=7)
_BEHIND: Final = timedelta(days=14)
# What it costs, on the scale of log steps, to believe that a count is in another day's units outside these windows:
# more with each day that it would have to last, so that a real doubling is not taken for a split a year away.
_OUT_OF_WINDOW: Final = 0.05
_OUT_OF_WINDOW_A_DAY: Final = 0.01
_BACKED: Final = math.log(1.03)
_TIE_BREAK: Final = 1e-6
# A count that stands still for longer than a quarter before it first moves does not honour the date asked for.
_FROZEN: Final = timedelta(days=100)
_ONE_CLASS: Final = 0.002
_GLITCH: Final = math.log(1.3)
_GLITCH_DAYS: Final = timedelta(days=10)
_UNCONFIRMED: Final = math.log(1.9)
_RETURNED: Final = math.log(1.1)


@dataclass(frozen=True, slots=True)
class ShareObservation:
    """What the vendor said of a line for one date: counts of the whole company and of the line's own class."""

    on: date
    weighted: float | None
    share_class: float | None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why a count is not the vendor's: `doubtful` if no rule explains it, so that the date is suspect."""

    reason: str
    evidence: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class ShareCount:
    """Shares outstanding of the whole company in the units of the day asked for.

    `observed_on` is the date of the vendor's answer behind it, `vendor` that answer's own figure.
    """

    shares: float
    basis: Basis
    observed_on: date
    vendor: float | None
    share_class: float | None
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True)
class _Point:
    """One answer, read: `neutral` shares (units before the first split), and what had to be done to it."""

    on: date
    neutral: float
    basis: Basis
    vendor: float | None
    share_class: float | None
    adjustments: tuple[Adjustment, ...] = ()


class SplitUnits:
    """Converts counts between the share units of the epochs that a company's splits separate."""

    def __init__(self, splits: Iterable[Split]) -> None:
        self.splits: tuple[Split, ...] = tuple(sorted(splits, key=lambda split: split.execution_date))
        self._days = [split.execution_date for split in self.splits]
        self._ratios = [1.0]
        for split in self.splits:
            self._ratios.append(self._ratios[-1] * split.split_to / split.split_from)

    @property
    def epochs(self) -> int:
        """How many there are: one more than splits."""
        return len(self._ratios)

    def epoch(self, on: date) -> int:
        """The epoch of a date: the number of splits executed by then."""
        return bisect_right(self._days, on)

    def neutral(self, shares: float, epoch: int) -> float:
        """A count in the units of an epoch, in the units before the first split."""
        return shares / self._ratios[epoch]

    def on(self, neutral: float, on: date) -> float:
        """A neutral count in the units of a date; whole shares, as counts are."""
        return float(round(neutral * self._ratios[self.epoch(on)]))

    def between(self, first: date, last: date) -> bool:
        """True if a split was executed after `first` and by `last`."""
        return self.epoch(first) != self.epoch(last)

    def days_ahead(self, on: date, epoch: int) -> timedelta:
        """How long before its execution a date's answer would be in the units of a later epoch."""
        return self._days[epoch - 1] - on

    def days_behind(self, on: date, epoch: int) -> timedelta:
        """How long after its execution a date's answer would still be in the units of an earlier epoch."""
        return on - self._days[epoch]


def settle_splits(
    rows: Iterable[Split], step_of: Callable[[Split], float | None]
) -> tuple[list[Split], dict[Split, str]]:
    """The splits that stand, oldest first, and the rows that do not, each with the reason.

    Identical rows count once. Of rows that contradict each other, or the price, those stand that the unadjusted close
    confirms: `step_of(split)` is the log step of the close over the execution date, None where it is not known.
    """
    stand: dict[tuple[str, date], Split] = {}
    refused: dict[Split, str] = {}
    for split in sorted(set(rows), key=lambda one: (one.execution_date, one.symbol, one.ratio)):
        step = step_of(split)
        first = stand.get((split.symbol, split.execution_date))
        if step is not None and abs(step + math.log(split.ratio)) > max(0.25, abs(step) / 2):
            refused[split] = f"the close moved by x{math.exp(step):.4g} that day"
        elif first is not None:
            refused[split] = f"{first.split_to:g} for {first.split_from:g} is listed on the same day"
        else:
            stand[split.symbol, split.execution_date] = split
    return list(stand.values()), refused


class ShareHistory:
    """Shares outstanding of one line's company, read from what the vendor said. Immutable once made."""

    def __init__(self, observations: Iterable[ShareObservation], splits: Iterable[Split]) -> None:
        self.units = SplitUnits(splits)
        ordered = sorted(observations, key=lambda one: one.on)
        self.one_class = _is_one_class(ordered, self.units)
        self._points = _hold_glitches(_read(ordered, self.units, one_class=self.one_class))
        self._days = [point.on for point in self._points]

    def on(self, day: date, steps: Sequence[date] = ()) -> ShareCount | None:
        """The count on a date; None if the vendor never gave one.

        Between two answers that differ the count is taken to step on the one day of `steps` (sorted) that lies between
        them, in equal parts if there are several, and midway if there is none.
        """
        if not self._points:
            return None
        after = bisect_right(self._days, day)
        if after == 0:
            return self._count(self._points[0], self._points[0].neutral, day)
        before = self._points[after - 1]
        if after == len(self._points) or before.on == day:
            return self._count(before, before.neutral, day)
        upcoming = self._points[after]
        passed = _progress(before.on, upcoming.on, day, steps)
        if passed >= 1:
            return self._count(upcoming, upcoming.neutral, day)
        return self._count(before, before.neutral + (upcoming.neutral - before.neutral) * passed, day)

    def spread(self, day: date) -> float:
        """How far apart (shares, units of the day) the two answers around a date are: the most the count can be off."""
        after = bisect_right(self._days, day)
        if after in (0, len(self._points)) or self._days[after - 1] == day:
            return 0.0
        before, upcoming = self._points[after - 1], self._points[after]
        return abs(self.units.on(upcoming.neutral, day) - self.units.on(before.neutral, day))

    @property
    def observed(self) -> Sequence[date]:
        """The dates of the answers, oldest first."""
        return self._days

    def neutral(self, day: date) -> float:
        """The count of the last answer on or before a date, in the units before the first split; of the first, else."""
        return self._points[max(0, bisect_right(self._days, day) - 1)].neutral

    def changes(self) -> list[tuple[date, date, float]]:
        """The pairs of neighbouring answers that differ: (earlier, later, neutral shares apart)."""
        return [
            (one.on, two.on, abs(two.neutral - one.neutral))
            for one, two in pairwise(self._points)
            if not math.isclose(one.neutral, two.neutral, rel_tol=1e-9)
        ]

    def _count(self, point: _Point, neutral: float, day: date) -> ShareCount:
        return ShareCount(
            self.units.on(neutral, day), point.basis, point.on, point.vendor, point.share_class, point.adjustments
        )


def _progress(first: date, last: date, day: date, steps: Sequence[date]) -> float:
    """Which part of the way from the count of `first` to that of `last` is done by `day`."""
    between = steps[bisect_right(steps, first) : bisect_right(steps, last)]
    if not between:
        return 1.0 if day - first > last - day else 0.0
    return bisect_right(between, day) / len(between)


def _is_one_class(ordered: Sequence[ShareObservation], units: SplitUnits) -> bool:
    """True if the line's class is the whole company: where both counts are given and fresh they agree.

    Frozen answers say nothing, so only the ones after the first change count; if all are frozen, all of them.
    """
    both = [one for one in ordered if one.weighted and one.share_class]
    fresh = both[_frozen_prefix(both, units) :] or both[-1:]
    agreeing = sum(abs(math.log(one.weighted / one.share_class)) < _ONE_CLASS for one in fresh)  # type: ignore[operator]
    return bool(fresh) and agreeing * 2 > len(fresh)


def _frozen_prefix(ordered: Sequence[ShareObservation], units: SplitUnits) -> int:
    """How many of the first answers are one and the same frozen count: 0 if the history honours the date.

    A count is frozen if it stands still over a split, or for longer than a quarter while the class count moves.
    """
    if not ordered:
        return 0
    count = next((index for index, one in enumerate(ordered) if one.weighted != ordered[0].weighted), len(ordered))
    run = ordered[:count]
    over_a_split = units.between(run[0].on, run[-1].on) and not _within_split_window(run, units)
    classes = {units.neutral(one.share_class, units.epoch(one.on)) for one in run if one.share_class}
    stands_still = run[-1].on - run[0].on > _FROZEN and len(classes) > 1
    return count if over_a_split or stands_still else 0


def _within_split_window(run: Sequence[ShareObservation], units: SplitUnits) -> bool:
    """True if the run reaches over a split only by the few days in which the vendor lags or leads."""
    first, last = units.epoch(run[0].on), units.epoch(run[-1].on)
    lead = units.days_ahead(run[0].on, first + 1) <= _AHEAD
    lag = units.days_behind(run[-1].on, last - 1) <= _BEHIND
    return last == first + 1 and (lead or lag)


def _read(ordered: Sequence[ShareObservation], units: SplitUnits, *, one_class: bool) -> list[_Point]:
    """The answers as points: the right figure of each, in the right units."""
    given = [one for one in ordered if one.weighted]
    run = _frozen_prefix(given, units)
    frozen_days = _stale_days(given[:run], units)
    weighted = _epochs([(one.on, one.weighted) for one in given if one.weighted], units, run, _backed(given, units))
    by_class = _epochs([(one.on, one.share_class) for one in ordered if one.share_class], units, 0, set())
    points: list[_Point] = []
    for one in ordered:
        is_frozen = one.on in frozen_days
        if one.weighted and not (is_frozen and one_class and one.share_class):
            points.append(_weighted_point(one, one.weighted, units, weighted[one.on], is_frozen))
        elif one.share_class and one_class:
            points.append(_class_point(one, one.share_class, units, by_class[one.on], is_frozen))
        elif points:
            points.append(_last_known(one, points[-1]))
        elif one.share_class:
            points.append(_class_point(one, one.share_class, units, by_class[one.on], is_frozen))
    return points


def _stale_days(run: Sequence[ShareObservation], units: SplitUnits) -> set[date]:
    """The dates of a frozen run at which its count was not yet true: all but the end, where the class count stands."""
    if not run:
        return set()
    epoch = units.epoch(run[-1].on)
    return {one.on for one in run if units.epoch(one.on) != epoch or one.share_class != run[-1].share_class}


def _weighted_point(one: ShareObservation, shares: float, units: SplitUnits, epoch: int, is_frozen: bool) -> _Point:
    neutral = units.neutral(shares, epoch)
    adjustments: tuple[Adjustment, ...] = ()
    if epoch != units.epoch(one.on):
        adjustments = (_wrong_units(one.on, shares, neutral, units, epoch, is_frozen),)
    elif is_frozen:
        adjustments = (
            Adjustment(
                "share history frozen by the vendor",
                "the count does not honour the date; this company has several classes, so no other count tells more",
            ),
        )
    return _Point(one.on, neutral, "weighted", shares, one.share_class, adjustments)


def _wrong_units(on: date, shares: float, neutral: float, units: SplitUnits, epoch: int, is_frozen: bool) -> Adjustment:
    split = units.splits[epoch - 1] if epoch > units.epoch(on) else units.splits[epoch]
    ahead = "already in the units after" if epoch > units.epoch(on) else "still in the units before"
    reason = "frozen count un-split" if is_frozen else "share count in the units of another day"
    return Adjustment(
        reason,
        f"{shares:.0f} is {ahead} the split {split.split_to:g} for {split.split_from:g} of {split.execution_date}: "
        f"only so does it continue its neighbours ({units.on(neutral, on):.0f} in the units of {on})",
    )


def _class_point(one: ShareObservation, shares: float, units: SplitUnits, epoch: int, is_frozen: bool) -> _Point:
    neutral = units.neutral(shares, epoch)
    if is_frozen:
        why = Adjustment(
            "share history frozen by the vendor: share class count used",
            f"the whole-company count {one.weighted:.0f} does not honour the date; the company has one class, "
            "whose count does",
        )
    else:
        why = Adjustment(
            "whole-company count missing: share class count used", "the vendor gave share_class_shares_outstanding only"
        )
    extra = () if epoch == units.epoch(one.on) else (_wrong_units(one.on, shares, neutral, units, epoch, False),)
    return _Point(one.on, neutral, "share_class", one.weighted, one.share_class, (why, *extra))


def _last_known(one: ShareObservation, previous: _Point) -> _Point:
    why = Adjustment("share count missing: last known count used", f"the last known count is of {previous.on}")
    return _Point(one.on, previous.neutral, "last_known", None, one.share_class, (why,))


def _backed(given: Sequence[ShareObservation], units: SplitUnits) -> set[tuple[date, int]]:
    """The readings of the whole-company counts that the class count confirms, as pairs of date and epoch."""
    return {
        (one.on, epoch)
        for one in given
        if one.weighted and one.share_class
        for epoch in range(units.epochs)
        if abs(math.log(units.on(units.neutral(one.weighted, epoch), one.on) / one.share_class)) < _BACKED
    }


def _epochs(
    series: Sequence[tuple[date, float]], units: SplitUnits, frozen: int, backed: Collection[tuple[date, int]]
) -> dict[date, int]:
    """The epoch in whose units each count of the series is, so that the neutral history moves least (Viterbi).

    The first `frozen` counts are one figure and so in one epoch's units, whatever their dates.
    """
    if units.epochs == 1 or not series:
        return {on: 0 for on, _ in series}
    states = range(units.epochs)
    costs = [0.0 if state == units.epoch(series[0][0]) or frozen else _TIE_BREAK for state in states]
    back: list[list[int]] = []
    for index in range(1, len(series)):
        (day, before), (on, count) = series[index - 1], series[index]
        still_frozen = index < frozen
        step = [
            [
                costs[old] + (math.inf if still_frozen and old != new else _move(before, count, old, new, units))
                for old in states
            ]
            for new in states
        ]
        choice = [row.index(min(row)) for row in step]
        costs = [
            step[new][choice[new]]
            + (_TIE_BREAK if still_frozen or (on, new) in backed else 1.0) * _unit_cost(on, new, units, (on - day).days)
            for new in states
        ]
        back.append(choice)
    state = costs.index(min(costs))
    path = [state]
    for choice in reversed(back):
        state = choice[state]
        path.append(state)
    return {on: epoch for (on, _), epoch in zip(series, reversed(path), strict=True)}


def _move(before: float, count: float, old: int, new: int, units: SplitUnits) -> float:
    return abs(math.log(units.neutral(count, new) / units.neutral(before, old)))


def _unit_cost(on: date, state: int, units: SplitUnits, days: int) -> float:
    """What it costs to believe that a count, `days` after the one before, is in the units of `state`."""
    own = units.epoch(on)
    if state == own:
        return 0.0
    ahead = state == own + 1 and units.days_ahead(on, state) <= _AHEAD
    behind = state == own - 1 and units.days_behind(on, state) <= _BEHIND
    return _TIE_BREAK if ahead or behind else _OUT_OF_WINDOW + _OUT_OF_WINDOW_A_DAY * days


def _hold_glitches(points: list[_Point]) -> list[_Point]:
    """Counts that jump and return within days, or have just jumped, are held: the last known one stands, flagged."""
    held: list[_Point] = []
    for index, point in enumerate(points):
        good = held[-1].neutral if held else None
        if good is not None and _is_glitch(points, index, good):
            held.append(_hold(point, good, held[-1].on))
        else:
            held.append(point)
    if len(held) > 1 and _first_is_glitch(points):
        held[0] = _hold(points[0], points[1].neutral, points[1].on)
    return held


def _is_glitch(points: Sequence[_Point], index: int, good: float) -> bool:
    """True if the count at `index` left the level `good` and no later answer confirms that it stays away."""
    point = points[index]
    jump = abs(math.log(point.neutral / good))
    if jump <= _GLITCH:
        return False
    later = points[index + 1 :]
    returned = next((one for one in later if abs(math.log(one.neutral / good)) <= _RETURNED), None)
    if returned is not None:
        stays = [one for one in later if one.on < returned.on]
        return all(abs(math.log(one.neutral / good)) > _GLITCH for one in stays) and _short(point, returned, stays)
    confirmed = any(one.on - point.on >= _GLITCH_DAYS for one in later)
    return not confirmed and jump > _UNCONFIRMED


def _short(point: _Point, returned: _Point, stays: Sequence[_Point]) -> bool:
    """True if what was seen of the jump lasted some days only; a single answer is as short as it gets."""
    last = stays[-1].on if stays else point.on
    return last - point.on <= _GLITCH_DAYS and (returned.on > point.on)


def _first_is_glitch(points: Sequence[_Point]) -> bool:
    """The first answer has no past; it is held if it is off and all that follow agree with each other."""
    first, *rest = points[:4]
    level = rest[0].neutral
    agree = all(abs(math.log(one.neutral / level)) <= _RETURNED for one in rest)
    near = rest[0].on - first.on <= _GLITCH_DAYS
    return len(rest) > 1 and agree and near and abs(math.log(first.neutral / level)) > _UNCONFIRMED


def _hold(point: _Point, neutral: float, known_on: date) -> _Point:
    why = Adjustment(
        "unexplained jump in the share count: last known count used",
        f"the vendor's count is x{point.neutral / neutral:.4g} that of {known_on}, with no split and no return to it "
        "that would confirm either",
        doubtful=True,
    )
    return replace(point, neutral=neutral, basis="last_known", adjustments=(*point.adjustments, why))


def first_on_or_after(days: Sequence[date], day: date) -> date | None:
    """The first of sorted `days` that is not before `day`, None if there is none."""
    index = bisect_left(days, day)
    return days[index] if index < len(days) else None
