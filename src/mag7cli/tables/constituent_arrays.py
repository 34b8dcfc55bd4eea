"""The lines of the index in one raw document, by column, as arrays: what is computed over five hundred of them at once.

Prices and market caps are in USD, percentages 0-100. In an array NaN stands for an absent value. Market caps are floats
that stand for decimals of two digits, which loses nothing below `money.FLOAT_LIMIT_USD`; those of a date with a larger
one are decimals.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mag7cli.core.errors import DocumentError
from mag7cli.lake import document_money
from mag7cli.lake.document import Document
from mag7cli.lake.document_money import CAP_BY_CLASS, LineSums
from mag7cli.market.money import FLOAT_LIMIT_USD, cents
from mag7cli.shares.anomalies import DaySnapshot

Floats = npt.NDArray[np.float64]
Amounts = npt.NDArray[np.float64] | npt.NDArray[np.object_]

_WHERE: Final = "sp500_details.constituents"
_NUMBERS: Final = frozenset({int, float})
_NAN: Final = float("nan")


@dataclass(frozen=True)
class LineNames:
    """What the lines of a date are called, in their order: mostly what they were called on the date before."""

    tickers: tuple[str, ...]
    symbols: tuple[Any, ...] = ()
    ciks: tuple[Any, ...] = ()

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each ticker is."""
        return {ticker: place for place, ticker in enumerate(self.tickers)}

    def places_of(self, tickers: Collection[str]) -> list[int]:
        """Where those of these tickers are that are here, in the order of the lines."""
        return sorted(self.places[ticker] for ticker in tickers if ticker in self.places)


NO_NAMES: Final = LineNames(())


@dataclass(frozen=True, slots=True)
class ConstituentArrays:
    """What the guard compares between two dates: the close and the share count of the line in the same place."""

    trading_date: date
    names: LineNames
    closes: Floats
    shares: Floats
    closes_judged: bool = False

    def stepped_since(self, before: "ConstituentArrays") -> list[str]:
        """The lines that moved more than most do in a day; whatever is not here, the guard would pass over."""
        closes_before, shares_before = before._in_order_of(self.names)
        # Tighter than the guard's own bounds of an ordinary day. What was zero, or was not there, is never inside.
        close, shares = self.closes, self.shares
        ordinary = (0.6 * closes_before < close) & (close < 1.7 * closes_before)
        ordinary &= (0.8 * shares_before < shares) & (shares < 1.25 * shares_before)
        return [self.names.tickers[index] for index in np.flatnonzero(~ordinary).tolist()]

    def view(self, tickers: Collection[str]) -> DaySnapshot:
        """These lines, as the guard takes them."""
        places = self.names.places_of(tickers)
        values = zip(self.closes[places].tolist(), self.shares[places].tolist(), strict=True)
        view = dict(zip([self.names.tickers[place] for place in places], values, strict=True))
        return DaySnapshot(self.trading_date, view, self.closes_judged)

    def _in_order_of(self, names: LineNames) -> tuple[Floats, Floats]:
        if names is self.names:
            return self.closes, self.shares
        # One place more than there are lines holds the zeros of those that are not here.
        order = [self.names.places.get(ticker, len(self.closes)) for ticker in names.tickers]
        return np.append(self.closes, 0)[order], np.append(self.shares, 0)[order]


@dataclass(frozen=True, slots=True)
class Constituents:
    """The lines of a date, by column. `counted` lines enter the total; `market_caps` are of the whole company.

    `caps_by_class` value each listed class at its own close; NaN where a company has one, or its counts are not known.
    """

    names: LineNames
    closes: Floats
    shares: Floats
    market_caps: Amounts
    counted: npt.NDArray[np.bool_]
    caps_by_class: Amounts

    def sums(self) -> LineSums:
        """What the market caps of the lines add up to, exactly."""
        caps = _cents(self.market_caps)
        by_class = np.flatnonzero(self.caps_by_class == self.caps_by_class)
        gains = _cents(self.caps_by_class[by_class]) - caps[by_class]
        tickers = [self.names.tickers[index] for index in by_class.tolist()]
        return LineSums(
            int(caps.sum()), int(caps[self.counted].sum()), dict(zip(tickers, map(int, gains.tolist()), strict=True))
        )

    def pct_of(self, total: Decimal | None) -> Floats:
        """Each counted line as a share of the index's total; NaN for the others, and for all if there is none."""
        if total is None:
            return np.full(len(self.closes), np.nan)
        return np.where(self.counted, 100 * self.market_caps.astype(np.float64) / float(total), np.nan)

    def largest(self, count: int) -> list[float]:
        """The market caps of the largest companies, largest first, as the nearest floats."""
        caps: list[float] = np.sort(self.market_caps[self.counted].astype(np.float64))[: -count - 1 : -1].tolist()
        return caps


def read(document: Document, where: str, before: LineNames = NO_NAMES) -> Constituents | None:
    """The constituents of a document, None if it lists none. Raises DocumentError with `where`, its address.

    Names that are those of the date `before` are the same objects.
    """
    entries: Any = document["sp500_details"].get("constituents")
    if not entries:
        return None
    try:
        columns = dict(zip(_KEYS, zip(*map(_values, entries), strict=True), strict=True))
        by_class = {place: row[CAP_BY_CLASS] for place, row in enumerate(entries) if CAP_BY_CLASS in row}
    except KeyError as error:
        raise DocumentError(where, f"an entry of {_WHERE} has no {error}") from error
    except (TypeError, AttributeError) as error:
        raise DocumentError(where, f"{_WHERE} is not a list of objects") from error
    for name, values in (*columns.items(), (CAP_BY_CLASS, by_class.values())):
        if name in _TYPES and not _TYPES[name].issuperset(map(type, values)):
            raise DocumentError(where, f"{name} of {_WHERE} has a value of another type")
    caps_by_class = [_NAN] * len(entries)
    for place, cap in by_class.items():
        caps_by_class[place] = cap
    return Constituents(
        _names((columns["ticker"], columns["symbol"], columns["cik"]), before),
        np.array(columns["close_price"], np.float64),
        np.array(columns["shares_outstanding"], np.float64),
        _amounts(columns["market_cap"]),
        np.array(columns["counted"], bool),
        _amounts(caps_by_class),
    )


def _names(columns: tuple[tuple[Any, ...], ...], before: LineNames) -> LineNames:
    return before if columns == (before.tickers, before.symbols, before.ciks) else LineNames(*columns)


_KEYS: Final = ("ticker", "symbol", "cik", "close_price", "shares_outstanding", "market_cap", "counted")
_values: Final = itemgetter(*_KEYS)


def _cents(amounts: Amounts) -> npt.NDArray[Any]:
    """Whole cents: 64-bit integers, which hold the sum of all lines, or Python's where one is too large for floats."""
    if amounts.dtype == object:
        return np.array([cents(amount) for amount in amounts.tolist()], object)
    return np.rint(amounts * 100).astype(np.int64)


def _amounts(values: Sequence[Any]) -> Amounts:
    """Floats where they lose nothing; else what the digit by digit parser made: see `document_money`."""
    floats = np.array(values, np.float64)
    return np.array(values, object) if (np.abs(floats) >= FLOAT_LIMIT_USD).any() else floats


# Tickers are looked up, and what becomes an array would be converted: their types are checked before.
_TYPES: Final[Mapping[str, frozenset[type]]] = {
    "ticker": frozenset({str}),
    "close_price": _NUMBERS,
    "shares_outstanding": _NUMBERS,
    "market_cap": document_money.NUMBERS,
    CAP_BY_CLASS: document_money.NUMBERS,
    "counted": frozenset({bool}),
}


def arrays_of(document: Document, constituents: Constituents | None) -> ConstituentArrays:
    """What the guard compares: every constituent; of the console pipeline's documents, which list none, the Mag 7."""
    day = date.fromisoformat(document["trading_date"])
    if constituents is not None:
        return ConstituentArrays(
            day, constituents.names, constituents.closes, constituents.shares, closes_judged="judged_by" in document
        )
    priced = [
        (ticker, bar.get("close_price"), company.get("shares_outstanding"))
        for ticker, company in document["companies"].items()
        if isinstance(bar := company.get("trading_data"), dict)
    ]
    known: list[Sequence[Any]] = [row for row in priced if _NUMBERS.issuperset(map(type, row[1:]))]
    closes, shares = (np.array([row[column] for row in known], np.float64) for column in (1, 2))
    return ConstituentArrays(day, LineNames(tuple(row[0] for row in known)), closes, shares)
