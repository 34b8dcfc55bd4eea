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


@dataclass(frozen=True, slots=True)
class Companies:
    """The lines of a list, those of them that are counted, and those whose company has several."""

    constituents: tuple[Constituent, ...]
    counted: frozenset[str]
    of_several: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Lasting:
    """The shares of a line from one date on, and the first date after it on which they may be others."""

    shares: CountedShares
    since: date
    until: date

    def hold_on(self, day: date) -> bool:
        """True if a date lies between the two: dates that are valued again come after later ones."""
        return self.since <= day < self.until


class CountedLines:
    """The shares of lines on the dates of one batch, cheapest if these are asked for by rising date."""

    def __init__(self, counts: Counts, details: DetailsCache) -> None:
        self._counts = counts
        self._details = details
        self._lasting: dict[str, _Lasting] = {}
        self._companies: Companies | None = None

    def on(self, day: date, companies: Companies, closes: Mapping[str, float]) -> dict[str, CountedShares | str]:
        """The shares of the lines that have a close on a date, or the reason why there is no count."""
        if companies is not self._companies:
            self._companies, self._lasting = companies, {}
        shares: dict[str, CountedShares | str] = {}
        for constituent in companies.constituents:
            if constituent.ticker in closes:
                lasting = self._lasting.get(constituent.ticker)
                shares[constituent.ticker] = (
                    lasting.shares if lasting and lasting.hold_on(day) else self._of(constituent, day, companies)
                )
        return shares

    def _of(self, constituent: Constituent, day: date, companies: Companies) -> CountedShares | str:
        ticker = constituent.ticker
        count = self._counts.on(ticker, day)
        if isinstance(count, str):
            return count
        shares = self._make(constituent, day, companies, count)
        if _changes_with_its_count(ticker, companies):
            self._lasting[ticker] = _Lasting(shares, day, self._counts.stands_until(ticker, day))
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


def _changes_with_its_count(ticker: str, companies: Companies) -> bool:
    """False for a line that was called otherwise, or of whose company there are several: these change besides."""
    return ticker not in companies.of_several and len(symbology.history(ticker)) == 1
