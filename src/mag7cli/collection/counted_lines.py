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


class CountedLines:
    """The shares of lines on the dates of one batch."""

    def __init__(self, counts: Counts, details: DetailsCache) -> None:
        self._counts = counts
        self._details = details
        self._lasting: dict[str, CountedShares] = {}

    def on(self, day: date, companies: Companies, closes: Mapping[str, float]) -> dict[str, CountedShares | str]:
        """The shares of the lines that have a close on a date, or the reason why there is no count."""
        is_settled = self._counts.is_settled(day)
        return {
            constituent.ticker: self._of(constituent, day, companies, is_settled=is_settled)
            for constituent in companies.constituents
            if constituent.ticker in closes
        }

    def _of(
        self, constituent: Constituent, day: date, companies: Companies, *, is_settled: bool
    ) -> CountedShares | str:
        count = self._counts.on(constituent.ticker, day)
        if isinstance(count, str):
            return count
        if not is_settled:
            return self._made(constituent, day, companies, count)
        lasting = self._lasting.get(constituent.ticker)
        if lasting and lasting.count is count and _is_of(lasting, constituent, companies):
            return lasting
        made = self._made(constituent, day, companies, count)
        if count.is_plain and _is_lasting(constituent.ticker, companies):
            self._lasting[constituent.ticker] = made
        return made

    def _made(self, constituent: Constituent, day: date, companies: Companies, count: ShareCount) -> CountedShares:
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


def _is_of(shares: CountedShares, constituent: Constituent, companies: Companies) -> bool:
    is_counted = constituent.ticker in companies.counted
    return (
        shares.cik == constituent.cik
        and shares.counted == is_counted
        and constituent.ticker not in companies.of_several
    )


def _is_lasting(ticker: str, companies: Companies) -> bool:
    """True if nothing of a line changes but with its count: neither its symbol nor the shares of its class."""
    return len(symbology.history(ticker)) == 1 and ticker not in companies.of_several
