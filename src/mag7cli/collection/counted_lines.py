"""The lines of a batch with their share counts: made anew only where a count, or what is said of it, is another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from mag7cli.collection.constituent_value import CountedShares
from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.share_counts import Counts
from mag7cli.market import symbology
from mag7cli.market.membership import Constituent
from mag7cli.shares.history import ShareCount
from mag7cli.shares.records import HONOURED_FROM


@dataclass(frozen=True, slots=True)
class Companies:
    """The lines of a list, those of them that are counted, and those whose company has several."""

    constituents: tuple[Constituent, ...]
    counted: frozenset[str]
    of_several: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Date:
    """What of a date decides about the shares of its lines, besides their counts."""

    companies: Companies
    is_honoured: bool


class CountedLines:
    """The shares of lines on the dates of one batch."""

    def __init__(self, counts: Counts, details: DetailsCache) -> None:
        self._counts = counts
        self._details = details
        self._made: dict[str, tuple[CountedShares, _Date]] = {}
        self._date: _Date | None = None

    def on(self, day: date, companies: Companies, closes: Mapping[str, float]) -> dict[str, CountedShares | str]:
        """The shares of the lines that have a close on a date, or the reason why there is no count."""
        if self._date is None or self._date.companies is not companies or self._date.is_honoured != _is_honoured(day):
            self._date = _Date(companies, _is_honoured(day))
        if day not in self._counts.errors:  # what such a count leaves open is another thing each day
            self._made.clear()
        return {
            constituent.ticker: self._of(constituent, day, self._date)
            for constituent in companies.constituents
            if constituent.ticker in closes
        }

    def _of(self, constituent: Constituent, day: date, of_day: _Date) -> CountedShares | str:
        ticker = constituent.ticker
        count = self._counts.on(ticker, day)
        if isinstance(count, str):
            return count
        known = self._made.get(ticker)
        if known and known[0].count is count and known[1] is of_day and _is_lasting(ticker, of_day.companies):
            return known[0]
        shares = self._make(constituent, day, of_day.companies, count)
        self._made[ticker] = shares, of_day
        return shares

    def _make(self, constituent: Constituent, day: date, companies: Companies, count: ShareCount) -> CountedShares:
        ticker = constituent.ticker
        return CountedShares(
            ticker,
            constituent.cik,
            counted=ticker in companies.counted,
            symbol=symbology.symbol_on(ticker, day),
            count=count,
            class_shares=self._counts.class_on(ticker, day) if ticker in companies.of_several else None,
            new_registrant=self._details.registrant_doubt(ticker, count.observed_on),
            leeways=self._counts.leeways(ticker, count, day),
        )


def _is_honoured(day: date) -> bool:
    return day >= HONOURED_FROM


def _is_lasting(ticker: str, companies: Companies) -> bool:
    """True if nothing of a line changes but with its count: neither its symbol nor the shares of its class."""
    return ticker not in companies.of_several and len(symbology.history(ticker)) == 1
