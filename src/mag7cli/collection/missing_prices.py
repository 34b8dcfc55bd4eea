"""Why a line has no price on a date: known from the tables, or asked of the vendor where it can be "not listed"."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property

from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.price_cache import PriceCache
from mag7cli.market import index_history, symbology


class MissingPrices:
    """Why a line has no price on a date: it was not listed yet, or any more, or it is a failure."""

    def __init__(self, prices: PriceCache, details: DetailsCache, members: Mapping[str, Sequence[date]]) -> None:
        """Asks, for each line without a price on its first or last dates, whether it was listed on the nearest one.

        What was not listed then was not listed before its first price, or after its last. Nothing is asked where the
        tables know on which day a line began or ceased to trade.
        """
        self._prices = prices
        self._details = details
        self._members = members
        incomplete = {
            ticker: unpriced for ticker, days in members.items() if (unpriced := _unpriced(prices, ticker, days))
        }
        self._lives = {ticker: _life(ticker) for ticker in incomplete}
        self._unpriced = {
            ticker: [day for day in days if self._lives[ticker][0] <= day <= self._lives[ticker][1]]
            for ticker, days in incomplete.items()
        }
        self._edges = {
            ticker: _unpriced_edges(prices, ticker, members[ticker])
            for ticker, days in self._unpriced.items()
            if days and ticker not in prices.failures
        }
        edges = {(t, edge) for t, days in self._unpriced.items() for day in days if (edge := self._edge(t, day))}
        details.ask(sorted(edges, key=lambda request: request[::-1]))

    @property
    def are_explained(self) -> bool:
        """True if every line was not listed where it has no price."""
        return all(self.is_not_listed(ticker, day) for ticker, days in self._unpriced.items() for day in days)

    def is_not_listed(self, ticker: str, day: date) -> bool:
        """True if the line was not listed around that date: so the tables, else so the vendor.

        The vendor's word is not enough where the same company has a price under another name: then ours is wrong.
        """
        first, last = self._lives.get(ticker) or _life(ticker)
        if day < first or day > last:
            return True
        edge = self._edge(ticker, day)
        answer = self._details.answer(ticker, edge) if edge else None
        return answer is not None and answer.status == "not_listed" and not self._priced_relative(ticker, day)

    def _edge(self, ticker: str, day: date) -> date | None:
        """The unpriced date nearest to a price of the line, on the side of its prices on which this one is."""
        before, after = self._edges.get(ticker, (None, None))
        if day in self._prices.failures:
            return None
        if before and day <= before:
            return before
        return after if after and day >= after else None

    def reason(self, ticker: str, day: date) -> str:
        """Why a line that should have a price has none."""
        edge = self._edge(ticker, day)
        answer = self._details.answer(ticker, edge) if edge else None
        failure = (
            self._prices.refused.get((ticker, day))
            or self._prices.failures.get(day)
            or self._prices.failures.get(ticker)
            or (self._details.failures.get((ticker, edge)) if edge else None)
            or (answer.reason if answer else None)
        )
        if failure:
            return f"no price: {failure}"
        relative = self._priced_relative(ticker, day)
        if relative:
            return f"no price under this name; {relative}, which is or was called so or has the same CIK, has one"
        return "no price on a trading date on which it is listed"

    def _priced_relative(self, ticker: str, day: date) -> str | None:
        """Another line of the same company, or one that had the ticker as its symbol, with a price on the date."""
        return next((other for other in self._relatives.get(ticker, ()) if self._prices.close(other, day)), None)

    @cached_property
    def _relatives(self) -> Mapping[str, Sequence[str]]:
        """The relatives among the members of every line that lacks a price."""
        return {ticker: _relatives(ticker, self._members) for ticker, days in self._unpriced.items() if days}


def _relatives(ticker: str, members: Mapping[str, Sequence[date]]) -> list[str]:
    cik, called_so = symbology.company_cik(ticker), symbology.tickers_called(ticker)
    return [
        other
        for other in dict.fromkeys([*members, *called_so])
        if other != ticker and (other in called_so or (cik and symbology.company_cik(other) == cik))
    ]


def _life(ticker: str) -> tuple[date, date]:
    """The first and the last day on which a line traded, as far as the tables know it."""
    return index_history.listed_from(ticker) or date.min, index_history.last_trading_day(ticker) or date.max


def _unpriced(prices: PriceCache, ticker: str, days: Sequence[date]) -> list[date]:
    """The dates on which a line has no price."""
    closes = prices.closes(ticker, days)
    return [] if len(closes) == len(days) else [day for day in days if day not in closes]


def _unpriced_edges(prices: PriceCache, ticker: str, days: Sequence[date]) -> tuple[date | None, date | None]:
    """The last date before the first price of a line, and the first one after its last; the last date without any."""
    answered = [day for day in days if day not in prices.failures]
    priced = list(prices.closes(ticker, answered))
    before = [day for day in answered if not priced or day < priced[0]]
    after = [day for day in answered if priced and day > priced[-1]]
    return (before[-1] if before else None), (after[0] if after else None)
