"""A simulated stock market as its vendor shows it: symbols, bars, details, splits, with the faults that were asked for.

Deterministic: the same seed, dates and faults give the same market, to the last digit. Knows no HTTP.
"""

import math
import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Final

from mag7cli.core.errors import TickerNotFoundError
from mag7cli.market import index_history
from mag7cli.market.records import Bar, Split, TickerDetails
from mag7cli.market.symbology import KnownConstituent
from mag7cli.vendors.sandbox.blueprint import Blueprint, OtherSecurity, Security, first_days, from_tables, period_on
from mag7cli.vendors.sandbox.cover_pages import cover_page_rows
from mag7cli.vendors.sandbox.prices import Floats
from mag7cli.vendors.sandbox.reporting import MISSING, Faults, InjectedFault, report
from mag7cli.vendors.sandbox.truth import Truth, market_cap

START: Final = date(2021, 1, 4)
END: Final = date(2024, 12, 31)
LAST: Final = index_history.confirmed_until()
"""The last session on which it is known who is in the index, and so the last that a market is served for."""

DEFAULT_SEED: Final = 7

_TALKATIVE_SECTOR: Final = "Communication Services"
_AT_LENGTH: Final = (
    "It is told at length – “naïvely”, with café and façade – so that no column cuts it off unseen, byte for byte. "
)

_SPLITS_ELSEWHERE: Final = 150


@dataclass(frozen=True, slots=True)
class _Span:
    """Rows from `first` to before `stop` on which a symbol's bars are those of a line's column."""

    column: int
    first: int
    stop: int


class Market:
    """A market from `start` to `end`. `truth` is what really was; all else is what the vendor says.

    Raises UsageError if `start` is before the blueprint's first anchor.
    """

    def __init__(
        self,
        seed: int = DEFAULT_SEED,
        start: date = START,
        end: date = END,
        faults: Faults | None = None,
        blueprint: Blueprint | None = None,
    ) -> None:
        self.blueprint = blueprint or from_tables()
        self.seed, self.start, self.end = seed, start, end
        self.faults = faults if faults is not None else Faults.all()
        self.truth = Truth(self.blueprint, start, end, seed)
        self._timeline = self.truth.timeline
        self._report = report(self.truth.blocks, self.faults, seed)

    @property
    def sessions(self) -> tuple[date, ...]:
        """The trading dates, oldest first."""
        return self.truth.sessions

    @cached_property
    def constituents(self) -> tuple[KnownConstituent, ...]:
        """The lines of the index on the anchor date, in order of weight."""
        members = (security for security in self.blueprint.securities if not security.guest)
        return tuple(
            KnownConstituent(security.ticker, security.name, security.cik, security.sector) for security in members
        )

    def injected_faults(self) -> tuple[InjectedFault, ...]:
        """Where the vendor was made to say something else than the truth, between the market's start and end."""
        faults = self._report.faults
        return tuple(fault for fault in faults if fault.first_date <= self.end and self.start <= fault.last_date)

    def cover_pages(self) -> list[Mapping[str, str]]:
        """The cover pages that the Mag 7 filed, as rows in the form of `data/cover_pages.csv`; always the truth."""
        return cover_page_rows(self.blueprint, self._timeline, self.truth.counts)

    # What the vendor says

    def details(self, symbol: str, on: date, *, known_until: date | None = None) -> TickerDetails:
        """The vendor's details of a symbol for a date; a closed day answers with the session before.

        Dates before the market's first session answer with that one, dates after `known_until` (the market's end)
        with that one. Raises TickerNotFoundError if nothing is listed under the symbol on that date.
        """
        day = max(on, self.sessions[0])
        security = self._line_of(symbol, day)
        if security is None:
            return _other_details(self._other_of(symbol, on), on)
        row = self._timeline.row_until(min(day, self.end, known_until or self.end))
        column = self.truth.column(security.ticker)
        if not self.truth.listed_rows[column] <= row < self.truth.delisted_rows[column]:
            raise _not_found(symbol, on)
        registrant = period_on(security.symbols, day, details=True).cik or security.cik
        weighted = int(self._report.weighted[row, column])
        close = float(self.truth.prices.close[row, column])
        return TickerDetails(
            symbol=symbol,
            on=on,
            name=security.name,
            cik=None if self._report.no_cik[row, column] else registrant,
            composite_figi=security.composite_figi or None,
            security_type="CS",
            currency="usd",
            market_cap_usd=None if weighted == MISSING else float(market_cap(close, weighted)),
            weighted_shares=None if weighted == MISSING else weighted,
            share_class_shares=int(self._report.share_class[row, column]),
            description=_description(security),
            list_date=security.listed_from,
        )

    def exchange(self, symbol: str, on: date) -> str:
        """The market identifier code of the symbol's primary exchange. Raises TickerNotFoundError."""
        security = self._line_of(symbol, max(on, self.sessions[0]))
        return security.exchange if security else self._other_of(symbol, on).exchange

    def bars(self, symbol: str, start: date, end: date) -> list[Bar]:
        """The unadjusted bars of a symbol, oldest first; those of the same line under another symbol are not in it."""
        first = self._timeline.row_from(max(start, self.start))
        stop = self._timeline.row_until(min(end, self.end)) + 1
        series = list(self._other_bars(symbol, first, stop))
        for span in self._spans.get(symbol, ()):
            series.extend(self._line_bars(symbol, span.column, max(first, span.first), min(stop, span.stop)))
        return sorted(map(self._as_told, series), key=lambda bar: bar.trading_date)

    def grouped_bars(self, on: date) -> dict[str, Bar]:
        """The unadjusted bars of everything that traded on a date, by symbol; empty if the exchange was closed."""
        if not self.truth.is_session(on):
            return {}
        row = self._timeline.row_from(on)
        values = list(zip(*(table[row].tolist() for table in self._bar_columns), strict=True))
        by_symbol: dict[str, Bar] = {}
        for symbol, spans in self._spans.items():
            for span in spans:
                if span.first <= row < span.stop:
                    by_symbol[symbol] = self._as_told(Bar(symbol, on, *values[span.column]))
        for symbol in self._others_by_symbol:
            by_symbol.update((bar.symbol, bar) for bar in self._other_bars(symbol, row, row + 1))
        return by_symbol

    def ticker_of(self, symbol: str, on: date) -> str | None:
        """The line of the index that a symbol's bar of a session belongs to; None if it is none's."""
        row = self._timeline.row_from(on)
        for span in self._spans.get(symbol, ()):
            if span.first <= row < span.stop:
                return self.blueprint.securities[span.column].ticker
        return None

    def splits(self, start: date, end: date) -> list[Split]:
        """The vendor's splits of all companies, newest first, duplicates and wrong rows included."""
        rows = (*self._report.splits, *self._splits_elsewhere)
        in_range = [split for split in rows if start <= split.execution_date <= end]
        return sorted(in_range, key=lambda split: split.execution_date, reverse=True)

    def listed(self, on: date) -> list[str]:
        """Every symbol that has details on a date, in order of weight, other securities last."""
        row = self._timeline.row_until(max(on, self.sessions[0]))
        spans = zip(self.blueprint.securities, self.truth.listed_rows, self.truth.delisted_rows, strict=True)
        symbols = [
            period_on(security.symbols, on, details=True).symbol
            for security, first, stop in spans
            if first <= row < stop
        ]
        others = (other for sharing in self._others_by_symbol.values() for other in sharing)
        return symbols + [other.symbol for other in others if _is_listed(other, on)]

    # Ways in

    def _line_of(self, symbol: str, on: date) -> Security | None:
        """The line of the index whose details a symbol names on a date."""
        for security in self._lines_by_symbol.get(symbol, ()):
            if period_on(security.symbols, on, details=True).symbol == symbol:
                return security
        return None

    @cached_property
    def _lines_by_symbol(self) -> Mapping[str, list[Security]]:
        by_symbol: dict[str, list[Security]] = {}
        for security in self.blueprint.securities:
            for period in security.symbols:
                by_symbol.setdefault(period.symbol, []).append(security)
        return by_symbol

    @cached_property
    def _spans(self) -> Mapping[str, list[_Span]]:
        """Where the bars of each symbol of a line are, in order of weight."""
        by_symbol: dict[str, list[_Span]] = {}
        rows = self._timeline
        for column, security in enumerate(self.blueprint.securities):
            starts = [rows.row_from(day) for day in first_days(security.symbols)]
            listed, delisted = self.truth.listed_rows[column], self.truth.delisted_rows[column]
            for period, first, stop in zip(security.symbols, starts, [*starts[1:], len(rows)], strict=True):
                span = _Span(column, max(first, listed), min(stop, delisted))
                by_symbol.setdefault(period.symbol, []).append(span)
        return by_symbol

    @cached_property
    def _splits_elsewhere(self) -> tuple[Split, ...]:
        """Reverse splits of small companies that nobody here asks about; most of the vendor's list is such."""
        rng = random.Random(self.seed)
        symbols = ("".join(rng.choices(string.ascii_uppercase, k=3)) + "ZZ" for _ in range(_SPLITS_ELSEWHERE))
        return tuple(Split(s, rng.choice(self.sessions), float(rng.choice((5, 10, 20, 25))), 1.0) for s in symbols)

    def _line_bars(self, symbol: str, column: int, first: int, stop: int) -> list[Bar]:
        values = zip(*(table[first : max(first, stop), column].tolist() for table in self._bar_columns), strict=True)
        return [Bar(symbol, day, *row) for day, row in zip(self._timeline.sessions[first:stop], values, strict=True)]

    def _as_told(self, bar: Bar) -> Bar:
        """The bar, or what the vendor tells instead of its prices."""
        price = self._garbage_prices.get((bar.symbol, bar.trading_date))
        if price is None:
            return bar
        return replace(bar, open_usd=price, high_usd=price, low_usd=price, close_usd=price, vwap_usd=price)

    @cached_property
    def _garbage_prices(self) -> Mapping[tuple[str, date], float]:
        prices = self.blueprint.known_faults.prices
        return {(self.truth.symbol(ticker, day), day): price for ticker, day, price in prices}

    @cached_property
    def _bar_columns(self) -> tuple[Floats, ...]:
        """The tables behind a bar's fields, in their order."""
        table = self.truth.prices
        return (table.open, table.high, table.low, table.close, table.volume, table.vwap)

    @cached_property
    def _others_by_symbol(self) -> Mapping[str, list[OtherSecurity]]:
        """What is quoted beside the lines of the index."""
        by_symbol: dict[str, list[OtherSecurity]] = {}
        for other in self.blueprint.others:
            if self.faults.reused_symbols or not other.reused:
                by_symbol.setdefault(other.symbol, []).append(other)
        return by_symbol

    def _other_of(self, symbol: str, on: date) -> OtherSecurity:
        """The security outside the index that a symbol means on a date. Raises TickerNotFoundError."""
        for other in self._others_by_symbol.get(symbol, ()):
            if _is_listed(other, on):
                return other
        raise _not_found(symbol, on)

    def _other_bars(self, symbol: str, first: int, stop: int) -> Iterator[Bar]:
        for other in self._others_by_symbol.get(symbol, ()):
            for row in range(first, stop):
                day = self._timeline.sessions[row]
                if _is_listed(other, day):
                    yield _other_bar(other, day, row)


def _other_bar(other: OtherSecurity, day: date, row: int) -> Bar:
    """Other securities rise and fall smoothly: they are there to be told apart, not to be followed."""
    price = round(other.close_usd * (1 + 0.1 * math.sin(row / 40)), 2)
    high, low = round(price * 1.01, 4), round(price * 0.99, 4)
    return Bar(other.symbol, day, price, high, low, price, 1000.5 + row, price)


def _is_listed(other: OtherSecurity, on: date) -> bool:
    return other.first_day <= on <= (other.last_day or date.max)


def _other_details(other: OtherSecurity, on: date) -> TickerDetails:
    return TickerDetails(
        symbol=other.symbol,
        on=on,
        name=other.name,
        cik=other.cik or None,
        composite_figi=None,
        security_type=other.security_type,
        currency="usd",
        market_cap_usd=None,
        weighted_shares=None,
        share_class_shares=None,
        description=None,
        list_date=other.first_day if other.first_day > date.min else None,
    )


def _description(security: Security) -> str:
    """What the sandbox says of a company; long in one sector, as the vendor's texts pass 1,000 bytes now and then."""
    text = (
        f"{security.name} as the sandbox imagines it: a line of the index in the {security.sector} sector. "
        "Its prices and share counts are simulated and say nothing about the real company."
    )
    return f"{text} {_AT_LENGTH * 6}".strip() if security.sector == _TALKATIVE_SECTOR else text


def _not_found(symbol: str, on: date) -> TickerNotFoundError:
    return TickerNotFoundError(f"{symbol} is not listed on {on}", status=404)
