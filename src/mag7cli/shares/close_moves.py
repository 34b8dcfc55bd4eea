"""A line's unadjusted closes, and their moves that are as large as a split's. Pure.

On the day of a split the close moves by the inverse of its ratio, give or take what the market does that day.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from operator import truediv
from typing import Final

from mag7cli.shares.records import ShareObservation

_RATIOS: Final = (1.25, 4 / 3, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
ROUND_STEPS: Final = tuple(sign * math.log(ratio) for ratio in _RATIOS for sign in (1, -1))
"""The log steps of a count in the ratios that companies choose, and in their inverses."""

SMALLEST_MOVE: Final = math.log(1.19)
"""Below this log step a close has not moved as in a split."""

_SMALLEST_RISE: Final = 1.19
_SMALLEST_FALL: Final = 1 / 1.19
# What the market moves a close by on the day of a split, as a rule; over a gap the more the longer it is, and beyond
# the longest nothing can be told.
_MARKET_MOVES: Final = 0.06
_MOVES_A_ROOT_DAY: Final = 0.02
MARKET_MOVES_AT_MOST: Final = 0.25
"""By how much (log step) the market moves a close on the day of a split at most."""
_LONGEST_GAP: Final = timedelta(days=45)
_CONSECUTIVE: Final = timedelta(days=5)
_CALENDARS: Final = 16


@dataclass(frozen=True, slots=True)
class CloseMove:
    """The log step of the unadjusted close from one known close to the next."""

    before: date
    on: date
    step: float

    @property
    def is_consecutive(self) -> bool:
        """True if no session can lie between."""
        return self.on - self.before <= _CONSECUTIVE

    @property
    def is_told(self) -> bool:
        """False if so much time lies between that the step says nothing."""
        return self.on - self.before <= _LONGEST_GAP

    @property
    def slack(self) -> float:
        """By how much the market may have moved besides a split."""
        if self.is_consecutive:
            return _MARKET_MOVES
        return min(MARKET_MOVES_AT_MOST, _MARKET_MOVES + _MOVES_A_ROOT_DAY * math.sqrt((self.on - self.before).days))

    def leaves(self, count_step: float) -> float:
        """What a split with this log step of the count leaves over of the step of the close."""
        return abs(self.step + count_step)


@dataclass(frozen=True, slots=True)
class CloseHistory:
    """The unadjusted closes (USD) of a line, oldest first; `large` are their moves that are as large as a split's."""

    days: Sequence[date] = ()
    closes: Sequence[float] = ()
    large: tuple[CloseMove, ...] = ()

    @classmethod
    def of(cls, closes: Mapping[date, float]) -> "CloseHistory":
        """Of closes by date."""
        days, values = tuple(sorted(closes)), array("d", map(closes.__getitem__, sorted(closes)))
        if values and min(values) <= 0:
            return cls.of({day: close for day, close in closes.items() if close > 0})
        return cls(_shared(days), values, tuple(_large_moves(days, values)))

    def and_of(self, answers: Iterable[ShareObservation]) -> "CloseHistory":
        """With the closes that answers imply for dates before the first and after the last that are known."""
        known = [(answer.on, answer.close) for answer in answers if answer.close]
        before = [entry for entry in known if not self.days or entry[0] < self.days[0]]
        after = [entry for entry in known if self.days and entry[0] > self.days[-1]]
        if not before and not after:
            return self
        ends = [*zip(self.days, self.closes, strict=True)]
        edges = [*_moves_among([*before, *ends[:1]]), *self.large, *_moves_among([*ends[-1:], *after])]
        whole = [*before, *ends, *after]
        return CloseHistory([day for day, _ in whole], [close for _, close in whole], tuple(edges))

    def move_over(self, day: date) -> CloseMove | None:
        """The move from the last close before a day to the first from it on; None if it is not known well enough."""
        index = bisect_left(self.days, day)
        if not 0 < index < len(self.days):
            return None
        step = math.log(self.closes[index] / self.closes[index - 1])
        move = CloseMove(self.days[index - 1], self.days[index], step)
        return move if move.is_told else None


@lru_cache(_CALENDARS)
def _shared(days: tuple[date, ...]) -> tuple[date, ...]:
    """The same days as one object: most lines of twenty years trade on the same five thousand."""
    return days


def _moves_among(known: Sequence[tuple[date, float]]) -> Iterator[CloseMove]:
    return _large_moves([day for day, _ in known], [close for _, close in known])


def _large_moves(days: Sequence[date], closes: Sequence[float]) -> Iterator[CloseMove]:
    # Nearly all moves are small, and a logarithm of each would take long.
    ratios = enumerate(map(truediv, closes[1:], closes), start=1)
    for place, ratio in [move for move in ratios if not _SMALLEST_FALL < move[1] < _SMALLEST_RISE]:
        move = CloseMove(days[place - 1], days[place], math.log(ratio))
        if move.is_told:
            yield move
