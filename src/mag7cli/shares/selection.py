"""Which of the intervals in which a count may be off to ask about, so that the total is within its tolerance. Pure.

A covering problem: on every date, and to either side, errors have to go until the rest is small enough. An interval
that is too large on many dates is worth more than one that is so on few; it is taken first.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace

import numpy as np
import numpy.typing as npt

from mag7cli.shares.uncertainty import NO_AMOUNTS, SIDES, TOO_HIGH, Amounts, Interval, Side

Places = npt.NDArray[np.intp]
"""Where something is among the dates of the range, or among the intervals."""


def excessive(intervals: Sequence[Interval], allowed: Amounts) -> list[Interval]:
    """As many intervals as must go for the errors of the rest to be within what is `allowed` (USD) on each date.

    None goes in vain: with all of them settled the total would be just within the bound.
    """
    over = _Excess(intervals, allowed)
    heap = [(-worth, place) for place, worth in enumerate(over.worths) if worth > 0]
    heapify(heap)
    chosen: list[Interval] = []
    while heap:
        _, place = heap[0]
        worth = over.worth(intervals[place])
        if worth <= 0:
            heappop(heap)
        elif len(heap) > 1 and worth < -min(heap[1:3])[0]:
            heapreplace(heap, (-worth, place))
        else:
            heappop(heap)
            over.remove(intervals[place])
            chosen.append(intervals[place])
    return chosen


def sums(intervals: Sequence[Interval], dates: int) -> tuple[Amounts, Amounts]:
    """By how much (USD) the total may be above the truth, and below it, on each of the dates."""
    places = _places(intervals, _lengths(intervals))
    above, below = (_sum(_joined(intervals, side), places, dates) for side in SIDES)
    return above, below


class _Excess:
    """By how much the errors are above what is allowed, and how much of that an interval would take away.

    `worths` are those of the intervals at first, as `worth` has them up to the last digits: of thousands together it
    takes a hundredth of the time.
    """

    def __init__(self, intervals: Sequence[Interval], allowed: Amounts) -> None:
        lengths = _lengths(intervals)
        places, owners = _places(intervals, lengths), np.repeat(np.arange(len(intervals)), lengths)
        self._over: list[Amounts] = []
        self._weights: list[Amounts] = []
        worths = np.zeros(len(intervals))
        for side in SIDES:
            errors = _joined(intervals, side)
            self._over.append(_sum(errors, places, len(allowed)) - allowed)
            self._weights.append(np.where(self._over[side] > 0, 1 / allowed, 0.0))
            errors *= self._weights[side][places]
            worths += _sum(errors, owners, len(intervals))
        self.worths: list[float] = (worths * [*map(_questions_for_one, intervals)]).tolist()

    def worth(self, interval: Interval) -> float:
        """The errors of an interval on the dates that have too much, in parts of what is allowed, for one question."""
        errors = sum(float((interval.errors[side] * self._weights_of(interval, side)).sum()) for side in SIDES)
        return errors * _questions_for_one(interval)

    def _weights_of(self, interval: Interval, side: Side) -> Amounts:
        return self._weights[side][interval.start : interval.start + len(interval.errors[side])]

    def remove(self, interval: Interval) -> None:
        """Take the errors of an interval away."""
        for side in SIDES:
            errors = interval.errors[side]
            dates = slice(interval.start, interval.start + len(errors))
            self._over[side][dates] -= errors
            self._weights[side][dates][self._over[side][dates] <= 0] = 0.0


def _questions_for_one(interval: Interval) -> float:
    """A single step is asked about on both sides; an answer from between two steps tells of both."""
    return 1.0 if len(interval.expected) > 1 else 0.5


def _joined(intervals: Sequence[Interval], side: Side) -> Amounts:
    """The errors of all intervals, one after the other."""
    return np.concatenate([NO_AMOUNTS, *(interval.errors[side] for interval in intervals)])


def _lengths(intervals: Sequence[Interval]) -> Places:
    return np.array([len(interval.errors[TOO_HIGH]) for interval in intervals], np.intp)


def _places(intervals: Sequence[Interval], lengths: Places) -> Places:
    """On which date each of the joined errors is."""
    starts = np.array([interval.start for interval in intervals], np.intp)
    # The place of each in its interval is that among all but for those of the intervals before.
    return np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)


def _sum(amounts: Amounts, places: Places, count: int) -> Amounts:
    """The amounts of each place, added up."""
    return np.bincount(places, amounts, count).astype(np.float64, copy=False)
