"""Which of the intervals in which a count may be off to ask about, so that the total is within its tolerance. Pure.

A covering problem: on every date, and to either side, errors have to go until the rest is small enough. An interval
that is too large on many dates is worth more than one that is so on few; it is taken first.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace

import numpy as np

from mag7cli.shares.uncertainty import SIDES, Amounts, Interval, IntervalErrors, Side


def excessive(intervals: Sequence[Interval], errors: IntervalErrors, allowed: Amounts) -> list[Interval]:
    """As many intervals as must go for the errors of the rest to be within what is `allowed` (USD) on each date.

    `errors` are those of the intervals. None goes in vain: with all of them settled the total would be just within the
    bound.
    """
    over = _Excess(errors, allowed)
    heap = [(-worth, place) for place, worth in enumerate(over.worths(intervals, errors)) if worth > 0]
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


class _Excess:
    """By how much the errors are above what is allowed, and how much of that an interval would take away."""

    def __init__(self, errors: IntervalErrors, allowed: Amounts) -> None:
        self._over = [amounts - allowed for amounts in errors.sums(len(allowed))]
        self._weights = [np.where(over > 0, 1 / allowed, 0.0) for over in self._over]

    def worth(self, interval: Interval) -> float:
        """The errors of an interval on the dates that have too much, in parts of what is allowed, for one question."""
        errors = sum(float((interval.errors[side] * self._weights_of(interval, side)).sum()) for side in SIDES)
        return errors * _questions_for_one(interval)

    def worths(self, intervals: Sequence[Interval], errors: IntervalErrors) -> list[float]:
        """The worth of each interval, up to the last digits: of thousands it takes a hundredth of the time."""
        weighted = sum(errors.sides[side] * self._weights[side][errors.dates] for side in SIDES)
        owners = np.repeat(np.arange(len(intervals)), errors.lengths)
        worths: list[float] = (
            np.bincount(owners, weighted, len(intervals)) * [*map(_questions_for_one, intervals)]
        ).tolist()
        return worths

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
