"""The daily bars of one security as numbers in a row: what four years of an index take a few megabytes for. Pure.

A run looks at half a million bars, and of nearly all of them at the close alone: so they are kept as numbers, and a
`Bar` is made when somebody wants that one.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import chain
from typing import Any, Final, overload

from mag7cli.market.records import Bar

Values = Sequence[float | None]
"""Open, high, low, close (USD), volume (shares) and vwap (USD) of one bar; only the vwap may be missing."""

SIZE: Final = 6
"""How many numbers a bar has."""

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
"""Where the prices of a bar and its volume are among its numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class BarSeries(Sequence[Bar]):
    """The bars of a security by rising day: `days` as ordinals, six `numbers` for each; NaN for a vwap not given."""

    symbol: str
    days: "array[int]"
    numbers: "array[float]"

    @classmethod
    def of(cls, symbol: str, bars: Sequence[Bar]) -> "BarSeries":
        """Of bars by rising day; the same object if it is such a series."""
        if isinstance(bars, cls):
            return bars
        return cls.of_rows(symbol, {bar.trading_date.toordinal(): values_of(bar) for bar in bars})

    @classmethod
    def of_rows(cls, symbol: str, rows: Mapping[int, Values]) -> "BarSeries":
        """Of values by the ordinal of their day. Raises ValueError, TypeError for what are no bars."""
        days = sorted(rows)
        if any(len(values) != SIZE for values in rows.values()):
            raise ValueError(f"a bar of {symbol} has not {SIZE} values")
        in_order = (rows[day] for day in days)
        numbers: Any = chain.from_iterable(map(_numbers, in_order))
        return cls(symbol, array("i", days), array("d", numbers))

    @overload
    def __getitem__(self, index: int) -> Bar: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Bar]: ...
    def __getitem__(self, index: int | slice) -> Bar | Sequence[Bar]:
        """A bar, or some of them."""
        if isinstance(index, slice):
            return [self._bar(place) for place in range(len(self))[index]]
        return self._bar(range(len(self))[index])

    def __len__(self) -> int:
        """How many bars there are."""
        return len(self.days)

    def __eq__(self, other: object) -> bool:
        """True for the same bars, however they are kept."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    @property
    def closes(self) -> "array[float]":
        """The closes (USD) in the order of the days."""
        return self.numbers[CLOSE::SIZE]

    def between(self, first: date, last: date) -> "BarSeries":
        """The bars from `first` to `last`, both included."""
        start, stop = bisect_left(self.days, first.toordinal()), bisect_right(self.days, last.toordinal())
        return BarSeries(self.symbol, self.days[start:stop], self.numbers[SIZE * start : SIZE * stop])

    def values(self) -> Iterator[tuple[float, ...]]:
        """The six numbers of each bar in the order of the days; NaN for a vwap not given."""
        return zip(*[iter(self.numbers)] * SIZE, strict=True)

    def rows(self) -> Iterator[tuple[int, Values]]:
        """The values of each bar with the ordinal of its day; a vwap that was not given is None."""
        for day, values in zip(self.days, self.values(), strict=True):
            yield day, (*values[:-1], None) if values[-1] != values[-1] else values

    def _bar(self, place: int) -> Bar:
        ((day, values),) = self._at(place).rows()
        numbers: Any = values
        return Bar(self.symbol, date.fromordinal(day), *numbers)

    def _at(self, place: int) -> "BarSeries":
        return BarSeries(self.symbol, self.days[place : place + 1], self.numbers[SIZE * place : SIZE * (place + 1)])


def joined(series: Sequence[BarSeries]) -> BarSeries:
    """Series of the same security that follow each other as one."""
    first, *others = series
    for other in others:
        first = BarSeries(first.symbol, first.days + other.days, first.numbers + other.numbers)
    return first


def values_of(bar: Bar) -> Values:
    """The six values of a bar."""
    return (bar.open_usd, bar.high_usd, bar.low_usd, bar.close_usd, bar.volume, bar.vwap_usd)


@cache
def ordinal(iso: str) -> int:
    """The ordinal of a day that is written as in ISO 8601. Raises ValueError."""
    return date.fromisoformat(iso).toordinal()


@cache
def iso_day(day: int) -> str:
    """A day by its ordinal, as in ISO 8601."""
    return date.fromordinal(day).isoformat()


def _numbers(values: Values) -> Values:
    return values if values[-1] is not None else (*values[:-1], math.nan)
