"""Which of the intervals in which a count may be off to ask about, so that the total is within its tolerance. Pure.

A covering problem: on every date, and to either side, errors have to go until the rest is small enough. An interval
that is too large on many dates is worth more than one that is so on few; it is taken first.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heapreplace
from operator import add, mul

from mag7cli.shares.uncertainty import SIDES, Interval, Side

Amounts = list[float]
"""One for each date of the range."""


def excessive(intervals: Sequence[Interval], allowed: Sequence[float]) -> list[Interval]:
    """As many intervals as must go for the errors of the rest to be within what is `allowed` (USD) on each date.

    None goes in vain: with all of them settled the total would be just within the bound.
    """
    over = _Excess(intervals, allowed)
    heap = [(-worth, place) for place, interval in enumerate(intervals) if (worth := over.worth(interval)) > 0]
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


def sums(intervals: Iterable[Interval], dates: int) -> tuple[Amounts, Amounts]:
    """By how much (USD) the total may be above the truth, and below it, on each of the dates."""
    above, below = [0.0] * dates, [0.0] * dates
    for interval in intervals:
        for side, amounts in zip(SIDES, (above, below), strict=True):
            errors = interval.errors[side]
            stop = interval.start + len(errors)
            amounts[interval.start : stop] = map(add, amounts[interval.start : stop], errors)
    return above, below


class _Excess:
    """By how much the errors are above what is allowed, and how much of that an interval would take away."""

    def __init__(self, intervals: Sequence[Interval], allowed: Sequence[float]) -> None:
        self._over = [
            [error - most for error, most in zip(amounts, allowed, strict=True)]
            for amounts in sums(intervals, len(allowed))
        ]
        self._each = [1 / most for most in allowed]
        self._weights = [
            [each if over > 0 else 0.0 for over, each in zip(amounts, self._each, strict=True)]
            for amounts in self._over
        ]
        self._places = [[place for place, weight in enumerate(weights) if weight] for weights in self._weights]

    def worth(self, interval: Interval) -> float:
        """The errors of an interval on the dates that have too much, in parts of what is allowed, for one question.

        A single step is asked about on both sides; an answer from between two steps tells of both.
        """
        errors = sum(self._excess(interval, side) for side in SIDES)
        return errors if len(interval.expected) > 1 else errors / 2

    def _excess(self, interval: Interval, side: Side) -> float:
        errors, places = interval.errors[side], self._places[side]
        first, stop = bisect_left(places, interval.start), bisect_left(places, interval.start + len(errors))
        if first == stop:
            return 0.0
        # Outside of the first and last date that has too much there is nothing to add up.
        start, end = places[first], places[stop - 1] + 1
        products: Iterable[float] = map(mul, errors[start - interval.start :], self._weights[side][start:end])
        return sum(products)

    def remove(self, interval: Interval) -> None:
        """Take the errors of an interval away."""
        for side in SIDES:
            over, weights = self._over[side], self._weights[side]
            for place, error in enumerate(interval.errors[side], interval.start):
                over[place] -= error
                if over[place] <= 0:
                    weights[place] = 0.0
