"""Why a line has no price on a date: asked of the vendor's details where the answer can be "not listed then"."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from mag7cli.collection.details_cache import Ledger
from mag7cli.collection.price_cache import Prices


class Absences:
    """Why a line has no price on a date: it was not listed yet, or any more, or it is a failure."""

    def __init__(self, prices: Prices, ledger: Ledger, members: Mapping[str, Sequence[date]]) -> None:
        """Asks, for each line without a price on its first or last dates, whether it was listed on the nearest one.

        What was not listed then was not listed before its first price, or after its last.
        """
        self._prices = prices
        self._ledger = ledger
        dated = ((ticker, day) for ticker, days in members.items() for day in days)
        self._unpriced = [(ticker, day) for ticker, day in dated if not prices.bar(ticker, day)]
        self._edges = {
            (ticker, day): edge
            for ticker, days in members.items()
            if ticker not in prices.failures
            for day, edge in _unpriced_edges(prices, ticker, days)
        }
        ledger.ask(sorted({(ticker, edge) for (ticker, _), edge in self._edges.items()}, key=lambda one: one[::-1]))

    @property
    def are_explained(self) -> bool:
        """True if every line was not listed where it has no price."""
        return all(self.is_not_listed(ticker, day) for ticker, day in self._unpriced)

    def is_not_listed(self, ticker: str, day: date) -> bool:
        """True if the vendor said that the line was not listed around that date."""
        edge = self._edges.get((ticker, day))
        answer = self._ledger.answer(ticker, edge) if edge else None
        return answer is not None and answer.status == "not_listed"

    def reason(self, ticker: str, day: date) -> str:
        """Why a line that should have a price has none."""
        edge = self._edges.get((ticker, day))
        answer = self._ledger.answer(ticker, edge) if edge else None
        failure = (
            self._prices.refused.get((ticker, day))
            or self._prices.failures.get(day)
            or self._prices.failures.get(ticker)
            or (self._ledger.failures.get((ticker, edge)) if edge else None)
            or (answer.reason if answer else None)
        )
        return f"no price: {failure}" if failure else "no price on a trading date on which it is listed"


def _unpriced_edges(prices: Prices, ticker: str, days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """The dates before the first price and after the last, each with the one of them that is nearest to a price."""
    asked = [day for day in days if day not in prices.failures]
    priced = [day for day in asked if prices.bar(ticker, day)]
    before = [day for day in asked if not priced or day < priced[0]]
    after = [day for day in asked if priced and day > priced[-1]]
    yield from ((day, before[-1]) for day in before)
    yield from ((day, after[0]) for day in after)
