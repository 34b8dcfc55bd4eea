"""Share units: what splits do to counts, which rows of the splits list stand, and in which units a count was given.

Pure. Expressed in *base* units (those before the first known split) a company's count hardly moves from one answer
to the next. So each answer is read in the units of the epoch between two splits that makes the whole history move
least; that this need not be the epoch of its own date is the vendor's fault (docs/methodology.md has the evidence).
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import Final

from mag7cli.market.records import Split

# The windows in which the vendor was seen to be ahead of, or behind, a split: docs/methodology.md.
_AHEAD: Final = timedelta(days=7)
_BEHIND: Final = timedelta(days=14)
# What it costs, on the scale of log steps, to believe that a count is in another day's units outside these windows:
# more with each day that it would have to last, so that a real doubling is not taken for a split a year away.
_OUT_OF_WINDOW: Final = 0.05
_OUT_OF_WINDOW_A_DAY: Final = 0.01
_BEFORE_THE_FIRST: Final = 1000
_TIE_BREAK: Final = 1e-6
# The close also moves with the market on the day of a split.
_CLOSE_MOVES: Final = 0.25
_FINEST_FACTOR: Final = 0.001
_FACTOR_DIFFERS: Final = 0.01


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

    def ratio(self, on: date) -> float:
        """How many shares of a date one base share has become."""
        return self._ratios[self.epoch(on)]

    def to_base(self, shares: float, epoch: int) -> float:
        """A count in the units of an epoch, in the units before the first split."""
        return shares / self._ratios[epoch]

    def in_units(self, base_shares: float, epoch: int) -> float:
        """A count of base shares in the units of an epoch, fractions and all."""
        return base_shares * self._ratios[epoch]

    def on(self, base_shares: float, on: date) -> float:
        """A count of base shares in the units of a date; whole shares, as counts are."""
        return float(round(base_shares * self.ratio(on)))

    def between(self, first: date, last: date) -> bool:
        """True if a split was executed after `first` and by `last`."""
        return self.epoch(first) != self.epoch(last)

    def is_near_split(self, on: date, epoch: int) -> bool:
        """True if a count of a date may well be in the units of a neighbouring epoch: the split is some days away."""
        own = self.epoch(on)
        ahead = epoch == own + 1 and self._days[own] - on <= _AHEAD
        behind = epoch == own - 1 and on - self._days[epoch] <= _BEHIND
        return ahead or behind


def settle_splits(
    rows: Iterable[Split], step_of: Callable[[Split], float | None]
) -> tuple[list[Split], dict[Split, str]]:
    """The splits that stand, oldest first, and the rows that do not, each with the reason.

    Identical rows count once. Of rows that contradict each other the one stands that comes nearest to the unadjusted
    close, unless the close contradicts it too: `step_of(split)` is the log step of the close over the execution date,
    None where it is not known.
    """
    stand: list[Split] = []
    refused: dict[Split, str] = {}
    ordered = sorted(set(rows), key=lambda split: (split.execution_date, split.symbol, split.ratio))
    for _, same_day in groupby(ordered, key=lambda split: (split.execution_date, split.symbol)):
        candidates = list(same_day)
        step = step_of(candidates[0])
        best = min(candidates, key=partial(_unexplained, step))
        for split in candidates:
            if step is not None and _unexplained(step, split) > max(_CLOSE_MOVES, abs(step) / 2):
                refused[split] = f"the close moved by x{math.exp(step):.4g} that day"
            elif split is not best:
                refused[split] = f"{best.split_to:g} for {best.split_from:g} is listed on the same day"
            else:
                stand.append(split)
    return stand, refused


def splits_of_factors(rows: Iterable[Split], until: date) -> list[Split]:
    """What the adjustment factors say where they contradict the ratio of their own row.

    A factor is the product over a split and all later ones, so the next later one of the same symbol tells the ratio
    between. Factors are rounded to six decimals: below a thousandth they tell no ratio.

    Args:
        rows: All splits of some symbols from a day on, with factors.
        until: The day that factors lead to; splits announced for later are in none.

    Returns:
        A split for each factor that contradicts its row, of the same symbol and day.
    """
    told = []
    known = sorted({split for split in rows if split.execution_date <= until}, key=_by_symbol_and_day, reverse=True)
    for _, splits in groupby(known, key=lambda split: split.symbol):
        later = 1.0
        for split in splits:
            if split.factor is None or split.factor < _FINEST_FACTOR:
                break
            ratio, later = later / split.factor, split.factor
            if abs(math.log(ratio / split.ratio)) > _FACTOR_DIFFERS:
                told.append(Split(split.symbol, split.execution_date, *_whole_terms(ratio)))
    return told


def _by_symbol_and_day(split: Split) -> tuple[str, date, float]:
    return split.symbol, split.execution_date, split.ratio


def _whole_terms(ratio: float) -> tuple[float, float]:
    """Old shares and new ones in a ratio, one of them being one."""
    return (1.0, float(f"{ratio:.4g}")) if ratio >= 1 else (float(f"{1 / ratio:.4g}"), 1.0)


def _unexplained(step: float | None, split: Split) -> float:
    """What a split leaves over of the step of the close."""
    return abs(step + math.log(split.ratio)) if step is not None else 0.0


def read_epochs(
    series: Sequence[tuple[date, float]],
    units: SplitUnits,
    frozen: int = 0,
    backed: Collection[tuple[date, int]] = (),
    *,
    may_be_frozen: bool = False,
) -> dict[date, int]:
    """The epoch in whose units each count of the series is, so that the history in base units moves least (Viterbi).

    The first `frozen` counts are one figure and so in one epoch's units, whatever their dates: those of what follows,
    and if nothing does, of the last of them. `backed` are the pairs of date and epoch that other evidence confirms;
    for the first count of all it does so only if that `may_be_frozen`.
    """
    if units.epochs == 1 or not series:
        return {on: 0 for on, _ in series}
    states = range(units.epochs)
    first, backed_first = series[0][0], backed if may_be_frozen else ()
    costs = [
        0.0 if frozen > 1 else _TIE_BREAK if (first, state) in backed_first else _first_cost(first, state, units)
        for state in states
    ]
    choices: list[list[int]] = []
    for index in range(1, len(series)):
        (day, before), (on, count) = series[index - 1], series[index]
        choice = [_cheapest(costs, before, count, new, units, stays=index < frozen) for new in states]
        weights = [_weight(index, frozen, is_backed=(on, new) in backed) for new in states]
        costs = [
            costs[old] + _move(before, count, old, new, units) + weight * _unit_cost(on, new, units, (on - day).days)
            for (new, old), weight in zip(enumerate(choice), weights, strict=True)
        ]
        choices.append(choice)
    path = _way_back(choices, costs.index(min(costs)))
    return {on: epoch for (on, _), epoch in zip(series, path, strict=True)}


def _weight(index: int, frozen: int, *, is_backed: bool) -> float:
    """How much it matters in whose units a count would be by its own date."""
    if index < frozen - 1:
        return 0.0
    return _TIE_BREAK if is_backed or index < frozen else 1.0


def _cheapest(costs: Sequence[float], before: float, count: float, new: int, units: SplitUnits, *, stays: bool) -> int:
    """The epoch of the count before from which it costs least to be in `new` now."""
    if stays:
        return new
    return min(range(units.epochs), key=lambda old: costs[old] + _move(before, count, old, new, units))


def _way_back(choices: Sequence[Sequence[int]], last: int) -> list[int]:
    path = [last]
    for choice in reversed(choices):
        path.append(choice[path[-1]])
    return path[::-1]


def _move(before: float, count: float, old: int, new: int, units: SplitUnits) -> float:
    return abs(math.log(units.to_base(count, new) / units.to_base(before, old)))


def _first_cost(on: date, state: int, units: SplitUnits) -> float:
    """The same for the first count, of which it is not known how long it has been."""
    return _unit_cost(on, state, units, _BEFORE_THE_FIRST)


def _unit_cost(on: date, state: int, units: SplitUnits, days: int) -> float:
    """What it costs to believe that a count, `days` after the one before, is in the units of `state`."""
    if state == units.epoch(on):
        return 0.0
    return _TIE_BREAK if units.is_near_split(on, state) else _OUT_OF_WINDOW + _OUT_OF_WINDOW_A_DAY * days
