"""What is really true of a simulated market, in each day's own share units; knows nothing of what is reported."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Final

from mag7cli.core.errors import UsageError
from mag7cli.market import index_history
from mag7cli.market.records import Split
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.vendors.sandbox import eras
from mag7cli.vendors.sandbox.blueprint import Blueprint, Security, period_on
from mag7cli.vendors.sandbox.counts import CountTable
from mag7cli.vendors.sandbox.eras import COUNT_COLUMNS, PRICE_COLUMNS, Block
from mag7cli.vendors.sandbox.prices import PriceTable
from mag7cli.vendors.sandbox.timeline import Timeline

_PRICE_UNIT: Final = 10_000
_CENT: Final = Decimal("0.01")


class Truth:
    """The drawn market. Tickers are those of the index on the anchor date; dates must be sessions, else UsageError.

    `timeline`, `prices` and `counts` are the drawn tables themselves, `blocks` what they are made of, for whoever
    reports on them.
    """

    def __init__(self, blueprint: Blueprint, start: date, end: date, seed: int) -> None:
        self.blueprint, self.start, self.end = blueprint, start, end
        _check_range(blueprint, start, end)
        self.blocks = eras.draw(blueprint, end, seed)
        self.timeline = _timeline(self.blocks, blueprint.anchor)
        self._columns = {security.ticker: column for column, security in enumerate(blueprint.securities)}
        self.prices = PriceTable(*(eras.stacked(self.blocks, name) for name in PRICE_COLUMNS))
        self.counts = CountTable(*(eras.stacked(self.blocks, name) for name in COUNT_COLUMNS))

    @cached_property
    def sessions(self) -> tuple[date, ...]:
        """The trading dates from the market's start to its end, oldest first."""
        first, last = self.timeline.row_from(self.start), self.timeline.row_until(self.end)
        return tuple(self.timeline.sessions[first : last + 1])

    @cached_property
    def listed_rows(self) -> list[int]:
        """The row of each line's first session."""
        rows = self.timeline.row_from
        return [rows(security.listed_from) if security.listed_from else 0 for security in self.blueprint.securities]

    @cached_property
    def delisted_rows(self) -> list[int]:
        """The row after each line's last session."""
        rows = self.timeline
        days = (security.last_trading_day for security in self.blueprint.securities)
        return [rows.row_until(day) + 1 if day else len(rows) for day in days]

    def listed(self, on: date) -> tuple[str, ...]:
        """The tickers that trade on a session, in order of weight, members of the index or not."""
        row = self._row(on)
        spans = zip(self.blueprint.securities, self.listed_rows, self.delisted_rows, strict=True)
        return tuple(security.ticker for security, first, stop in spans if first <= row < stop)

    def members(self, on: date) -> tuple[str, ...]:
        """The lines of the index that trade on a session, in order of weight."""
        if not self.blueprint.dated:
            return self.listed(on)
        index = set(index_history.constituents_on(on))
        return tuple(ticker for ticker in self.listed(on) if ticker in index)

    def shares(self, ticker: str, on: date) -> int:
        """Shares of the whole company."""
        return int(self.counts.company[self._row(on), self.column(ticker)])

    def class_shares(self, ticker: str, on: date) -> int:
        """Shares of the line's own class."""
        return int(self.counts.share_class[self._row(on), self.column(ticker)])

    def close(self, ticker: str, on: date) -> float:
        """The unadjusted close in USD."""
        return float(self.prices.close[self._row(on), self.column(ticker)])

    def market_cap(self, ticker: str, on: date) -> Decimal:
        """Close times the shares of the whole company, to the cent; a company's own is that of its counted line."""
        return market_cap(self.close(ticker, on), self.shares(ticker, on))

    def counted(self, tickers: Iterable[str]) -> list[str]:
        """One line for each company of these: the one that the share class table names, else the first."""
        chosen: dict[str, str] = {}
        for ticker in tickers:
            cik = self.line(ticker).cik
            if cik not in chosen or self.blueprint.counted.get(cik) == ticker:
                chosen[cik] = ticker
        return list(chosen.values())

    def total(self, on: date, tickers: Iterable[str] | None = None) -> Decimal:
        """The market cap of these lines as far as they trade, or of the index, each company once."""
        chosen = set(self.members(on) if tickers is None else tickers)
        counted = self.counted(ticker for ticker in self.listed(on) if ticker in chosen)
        return sum((self.market_cap(ticker, on) for ticker in counted), Decimal(0))

    def mag7_pct(self, on: date, tickers: Iterable[str] | None = None) -> float:
        """The Mag 7's part of the total, 0-100."""
        seven = sum((self.market_cap(ticker, on) for ticker in MAGNIFICENT_7), Decimal(0))
        return float(100 * seven / self.total(on, tickers))

    def splits(self) -> tuple[Split, ...]:
        """The splits that really happened, under the tickers of the index."""
        last = self.timeline.sessions[-1]
        return tuple(split for split in self.blueprint.splits if split.execution_date <= last)

    def symbol(self, ticker: str, on: date, *, details: bool = False) -> str:
        """How the vendor spells a line on a date, in bars or in details."""
        return period_on(self.line(ticker).symbols, on, details=details).symbol

    def line(self, ticker: str) -> Security:
        """The line of this ticker. Raises UsageError."""
        return self.blueprint.securities[self.column(ticker)]

    def column(self, ticker: str) -> int:
        """The column of a line in the drawn tables. Raises UsageError."""
        try:
            return self._columns[ticker]
        except KeyError:
            raise UsageError(f"{ticker} is not a line of this market") from None

    def is_session(self, on: date) -> bool:
        """Whether the market trades that day."""
        row = self.timeline.row_until(on)
        return self.start <= on <= self.end and row >= 0 and self.timeline.sessions[row] == on

    def _row(self, on: date) -> int:
        if not self.is_session(on):
            raise UsageError(f"{on} is not a session of this market")
        return self.timeline.row_from(on)


def market_cap(close_usd: float, shares: int) -> Decimal:
    """Their product to the cent (half even), as if the close were written in decimal, which on the tape it is."""
    return (Decimal(round(close_usd * _PRICE_UNIT)) * shares / _PRICE_UNIT).quantize(_CENT, ROUND_HALF_EVEN)


def _check_range(blueprint: Blueprint, start: date, end: date) -> None:
    first = blueprint.anchors.dates[0]
    if not first <= start <= end:
        raise UsageError(f"this simulated market starts on {first}; {start} to {end} is outside it")


def _timeline(blocks: Sequence[Sequence[Block]], anchor: date) -> Timeline:
    """All sessions between the anchors and on, so that prices do not depend on the part of them that is asked for."""
    sessions = [day for era in blocks for day in era[0].timeline.sessions[era[0].continues :]]
    return Timeline.of(sessions, anchor)
