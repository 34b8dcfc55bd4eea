"""Whether an answer can be true, judged before it is kept: by itself, by its neighbours, by its size. Pure.

What cannot be true is a failed answer with a reason, to be asked for again; it is not what the vendor may correct later
nor what a split may explain.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from operator import truediv
from typing import Final

from mag7cli.market.bar_series import CLOSE, HIGH, LOW, OPEN, SIZE, BarSeries
from mag7cli.market.records import Bar, Split
from mag7cli.shares.close_moves import ROUND_STEPS

# No constituent moves by more in a session; a split may, but not in any ratio.
_ORDER_OF_MAGNITUDE: Final = math.log(11)
_ORDINARY_FALL: Final = 0.5
_ORDINARY_RISE: Final = 2.0
_NEAR_RATIO: Final = 0.06
_NEAR_LISTED: Final = 0.25
# Over a longer gap a line may have become another one.
COMPARABLE: Final = timedelta(days=45)
"""Bars that are further apart are not held against each other."""
# Prices are written with four decimals, and a close may be another venue's than the high.
_PRICE_SLACK: Final = 0.005
_HAIR: Final = 1e-9
# In an index of fewer lines one may well be larger than all others.
_INDEX_OF: Final = 100


def bar_problem(bar: Bar) -> str | None:
    """Why a bar cannot be true by itself; None if nothing denies it."""
    if not (bar.close_usd > 0 and bar.low_usd > 0 and bar.open_usd > 0 and bar.high_usd < math.inf):
        return "a price that is not above zero, or not a number"
    if not bar.low_usd * (1 - _PRICE_SLACK) <= bar.close_usd <= bar.high_usd * (1 + _PRICE_SLACK):
        return f"the close {bar.close_usd:.6g} is outside of low {bar.low_usd:.6g} to high {bar.high_usd:.6g}"
    return None


def are_sound(bars: BarSeries) -> bool:
    """True if `bar_problem` denies none of these bars; of one that is within a hair's breadth of it, False."""
    if not bars.days:
        return True
    opens, highs, lows, closes = (bars.numbers[place::SIZE] for place in (OPEN, HIGH, LOW, CLOSE))
    if not (min(map(min, opens, lows, closes)) > 0 and max(highs) < math.inf):
        return False
    lowest: float = min(map(truediv, closes, lows))
    highest: float = max(map(truediv, closes, highs))
    return lowest > 1 - _PRICE_SLACK + _HAIR and highest < 1 + _PRICE_SLACK - _HAIR


def are_ordinary_moves(closes: Sequence[float]) -> bool:
    """True if each of these closes (USD) may simply follow the one before."""
    ratios = list(map(truediv, closes[1:], closes))
    return not ratios or _ORDINARY_FALL < min(ratios) <= max(ratios) < _ORDINARY_RISE


def price_problems(bars: Iterable[Bar], splits: Collection[Split] = ()) -> dict[date, str]:
    """Which of a line's bars cannot be true, by date, and why: by themselves, or against those around them.

    Where the close moves by more than an order of magnitude, in no ratio of a split and by none of `splits` (the
    listed ones), the bars that fit the most others are right.
    """
    ordered = sorted(bars, key=lambda bar: bar.trading_date)
    problems = {bar.trading_date: why for bar in ordered if (why := bar_problem(bar))}
    runs = list(_runs([bar for bar in ordered if bar.trading_date not in problems], splits))
    if len(runs) > 1:
        problems.update(_against_neighbours(runs, splits))
    return problems


def correction_problem(old: float, new: float) -> str | None:
    """Why a later answer to the same question (a close, a count) cannot be a correction; None if nothing denies it.

    A vendor corrects by little; what halves or doubles a value is of other units, of a split put elsewhere, or broken.
    """
    if not new > 0 or not math.isfinite(new):
        return f"{new:.6g} in place of {old:.6g}"
    if old > 0 and not _ORDINARY_FALL < new / old < _ORDINARY_RISE:
        return f"{new:.10g} in place of {old:.10g}, x{new / old:.4g}: no correction is so large"
    return None


def impossible_caps(caps_usd: Mapping[str, float]) -> dict[str, str]:
    """The lines whose market cap (USD) is above that of all others of the index together, with the reason."""
    if len(caps_usd) < _INDEX_OF:
        return {}
    total = math.fsum(caps_usd.values())
    return {
        ticker: f"a market cap of {cap:.4g} USD is more than all others of the index have together"
        for ticker, cap in caps_usd.items()
        if cap > total - cap
    }


def _runs(bars: Sequence[Bar], splits: Collection[Split]) -> Iterator[list[Bar]]:
    run: list[Bar] = []
    for bar in bars:
        if run and not _can_follow(run[-1], bar, splits):
            yield run
            run = []
        run.append(bar)
    if run:
        yield run


def _against_neighbours(runs: Sequence[Sequence[Bar]], splits: Collection[Split]) -> Iterator[tuple[date, str]]:
    """From the longest run outwards: a run stands if it can follow, or be followed by, the nearest that does."""
    longest = max(range(len(runs)), key=lambda index: len(runs[index]))
    last = runs[longest][-1]
    for run in runs[longest + 1 :]:
        if _can_follow(last, run[0], splits):
            last = run[-1]
        else:
            yield from ((bar.trading_date, _moved(last, bar)) for bar in run)
    first = runs[longest][0]
    for run in reversed(runs[:longest]):
        if _can_follow(run[-1], first, splits):
            first = run[0]
        else:
            yield from ((bar.trading_date, _moved(first, bar)) for bar in run)


def _can_follow(before: Bar, after: Bar, splits: Collection[Split]) -> bool:
    if after.trading_date - before.trading_date > COMPARABLE:
        return True
    ratio = after.close_usd / before.close_usd
    if _ORDINARY_FALL < ratio < _ORDINARY_RISE:
        return True
    step = math.log(ratio)
    if abs(step) <= _ORDER_OF_MAGNITUDE or any(abs(step + ratio_step) <= _NEAR_RATIO for ratio_step in ROUND_STEPS):
        return True
    return any(
        before.trading_date < split.execution_date <= after.trading_date
        and abs(step + math.log(split.ratio)) <= _NEAR_LISTED
        for split in splits
    )


def _moved(stands: Bar, bar: Bar) -> str:
    return (
        f"the close {bar.close_usd:.6g} is x{bar.close_usd / stands.close_usd:.4g} that of {stands.trading_date}, "
        "and no split explains it"
    )
