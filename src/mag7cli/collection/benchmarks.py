"""Series beside the index that the vendor's plan gives: an index fund, equal weight, small caps, volatility.

Their bars are kept as those of the index's lines are, in a file each under `raw/reference/bars/`, by one call a series.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

from mag7cli.collection.bar_files import BarFiles, LineFile
from mag7cli.core.errors import MarketDataError, TickerNotFoundError, UsageError
from mag7cli.lake.layout import Lake
from mag7cli.market import symbology
from mag7cli.market.bar_series import BarSeries, joined
from mag7cli.vendors.calls import VendorCalls

HINT: Final = "--benchmark IVV,RSP,IWM"

_SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9]{0,5}(\.[A-Z]{1,2})?")
_BARS_NAME: Final = re.compile(r".*/ticker=(.+)\.json")
# A step that is so near to a whole ratio is a split: no fund moves so far in a day, and few shares.
_NEAR_A_RATIO: Final = 0.07

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A kept series: closes (USD) by date, in the units of the last one.

    `splits` are steps of the price that were taken for splits, by date: shares after for one before.
    """

    symbol: str
    closes_usd: Mapping[date, float]
    splits: Mapping[date, float]


def symbols_of(text: str) -> tuple[str, ...]:
    """The symbols in `IVV,RSP,IWM`, once each. Raises UsageError for what is none, or is a line of the index."""
    words = [word.strip().upper() for word in text.split(",") if word.strip()]
    for word in words:
        if not _SYMBOL.fullmatch(word):
            raise UsageError(f"{word!r} is no symbol of a series", hint=HINT)
        if word in _lines():
            raise UsageError(f"{word} is a line of the index, whose prices are kept anyhow", hint=HINT)
    return tuple(dict.fromkeys(words))


def is_symbol(text: str) -> bool:
    """Whether a text is written as a symbol is, in capitals."""
    return bool(_SYMBOL.fullmatch(text))


def missing(lake: Lake, symbols: Iterable[str]) -> dict[str, Span]:
    """What to ask for, so that each is known from the lake's first date to its last. Raises DocumentError."""
    dates = list(lake.documents())
    if not dates:
        return {}
    files, spans = BarFiles(lake), {}
    for symbol in symbols:
        covered = known.covers if (known := files.line(symbol)) else (dates[0], dates[-1])
        span = min(dates[0], covered[0]), max(dates[-1], covered[1])
        if known is None or span != known.covers:
            spans[symbol] = span
    return spans


def collect(lake: Lake, calls: VendorCalls, spans: Mapping[str, Span]) -> dict[str, str]:
    """Ask for these series and keep them.

    Args:
        lake: Where the bars are kept.
        calls: How the vendor is asked, a call a series.
        spans: The first and the last day of each.

    Returns:
        The series that could not be had, each with the reason; what was known of them stays.
    """
    files, failures = BarFiles(lake), {}

    def ask(symbol: str) -> BarSeries:
        try:
            return BarSeries.of(symbol, calls.source.bars(symbol, *spans[symbol]))
        except TickerNotFoundError:
            return BarSeries.of(symbol, [])

    for symbol, bars in calls.each(ask, spans):
        if isinstance(bars, MarketDataError):
            failures[symbol] = str(bars)
        elif not bars.days:
            failures[symbol] = "the vendor has no bars of it"
        else:
            files.keep_line(symbol, LineFile(spans[symbol], _with_earlier(files.line(symbol), bars)))
    return failures


def _with_earlier(known: LineFile | None, bars: BarSeries) -> BarSeries:
    """The bars after those that are kept of before them: a plan of some years serves the oldest no longer."""
    if known is None:
        return bars
    return joined([known.bars.between(date.min, bars[0].trading_date - timedelta(days=1)), bars])


def kept(lake: Lake) -> tuple[str, ...]:
    """The symbols of the series that a lake keeps. Raises StoreError."""
    names = (_BARS_NAME.fullmatch(info.key) for info in lake.reference_files("bars/"))
    return tuple(sorted(symbol for name in names if name and (symbol := unquote(name[1])) not in _lines()))


def read(lake: Lake, symbol: str) -> Benchmark | None:
    """A kept series; None if there is none of this symbol. Raises DocumentError for a file that is none of bars."""
    if symbol in _lines():
        return None
    file = BarFiles(lake).line(symbol)
    if file is None:
        return None
    closes = {bar.trading_date: bar.close_usd for bar in file.bars}
    splits = {after[0]: ratio for before, after in pairwise(closes.items()) if (ratio := _split(before[1], after[1]))}
    return Benchmark(symbol, _in_last_units(list(closes.items()), splits), splits)


def _in_last_units(closes: Sequence[tuple[date, float]], splits: Mapping[date, float]) -> dict[date, float]:
    factor, adjusted = 1.0, []
    for day, close in reversed(closes):
        adjusted.append((day, close / factor))
        factor *= splits.get(day, 1.0)
    return dict(reversed(adjusted))


def _split(before: float, after: float) -> float | None:
    """How many shares are one of before, if the step of the close looks like a split; None for an ordinary one."""
    for ratio, whole in ((before / after, round(before / after)), (after / before, round(after / before))):
        if whole >= 2 and abs(math.log(ratio / whole)) < _NEAR_A_RATIO:
            return float(whole) if before > after else 1 / whole
    return None


@cache
def _lines() -> frozenset[str]:
    return frozenset(constituent.ticker for constituent in symbology.known_constituents())
