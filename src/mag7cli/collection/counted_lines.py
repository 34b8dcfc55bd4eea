"""The lines of a batch with their share counts: made anew only where a count, or what is said of it, is another one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from heapq import heappop, heappush

from mag7cli.collection.constituent_value import CountedShares, Roster
from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.share_counts import Counts
from mag7cli.market import symbology
from mag7cli.market.membership import Constituent
from mag7cli.shares.history import ShareCount


@dataclass(frozen=True)
class Companies:
    """The lines of a list, those of them that are counted, and those whose company has several."""

    constituents: tuple[Constituent, ...]
    counted: frozenset[str]
    of_several: frozenset[str]

    @cached_property
    def by_ticker(self) -> Mapping[str, Constituent]:
        """The lines by their ticker, in the order of the list."""
        return {constituent.ticker: constituent for constituent in self.constituents}

    def role(self, ticker: str) -> tuple[str | None, bool, bool]:
        """What of a list enters the shares of one of its lines."""
        return self.by_ticker[ticker].cik, ticker in self.counted, ticker in self.of_several


class CountedLines:
    """The shares of lines on the dates of one batch, cheapest if these are asked for by rising date."""

    def __init__(self, counts: Counts, details: DetailsCache) -> None:
        self._counts = counts
        self._details = details
        self._companies: Companies | None = None
        self._day = date.min
        self._standing: dict[str, CountedShares | str] = {}
        self._ends: list[tuple[date, str]] = []
        self._every: list[CountedShares | str] = []
        self._roster = Roster(())

    def on(self, day: date, companies: Companies, priced: Collection[str]) -> tuple[Roster, Mapping[str, str]]:
        """The shares of those of the priced lines that have a count on a date, and why the others have none.

        `priced` are in the order of the list.
        """
        self._let_stand_until(day, companies)
        for ticker in [ticker for ticker in priced if ticker not in self._standing]:
            shares, until = self._of(companies.by_ticker[ticker], day, companies)
            self._standing[ticker] = shares
            heappush(self._ends, (until, ticker))
        every = list(map(self._standing.__getitem__, priced))
        if every != self._every:
            self._every = every
            lines = tuple(shares for shares in every if isinstance(shares, CountedShares))
            self._roster = self._roster if lines == self._roster.lines else Roster(lines)
        if len(self._roster.lines) == len(every):
            return self._roster, {}
        reasons = zip(priced, every, strict=True)
        return self._roster, {ticker: reason for ticker, reason in reasons if isinstance(reason, str)}

    def _let_stand_until(self, day: date, companies: Companies) -> None:
        """Forget what may be otherwise on a date than on the one before; on an earlier date all may be."""
        known, self._companies = self._companies, companies
        if known is None or day < self._day:
            self._standing, self._ends = {}, []
        elif known is not companies:
            # A list differs from the one before in a line or two.
            is_same = {ticker: known.role(ticker) == companies.role(ticker) for ticker in self._both(known, companies)}
            self._standing = {ticker: self._standing[ticker] for ticker, same in is_same.items() if same}
        self._day = day
        while self._ends and self._ends[0][0] <= day:
            _, ticker = heappop(self._ends)
            self._standing.pop(ticker, None)

    def _both(self, known: Companies, companies: Companies) -> Collection[str]:
        """The lines of both lists whose shares are known."""
        return self._standing.keys() & known.by_ticker.keys() & companies.by_ticker.keys()

    def _of(self, constituent: Constituent, day: date, companies: Companies) -> tuple[CountedShares | str, date]:
        """The shares of a line, or why there are none, and the first date on which that may be otherwise."""
        ticker = constituent.ticker
        count = self._counts.on(ticker, day)
        if isinstance(count, str):
            return count, day + timedelta(days=1)
        until = min(self._counts.stands_until(ticker, day), symbology.called_so_until(ticker, day))
        if ticker in companies.of_several:
            until = min(until, self._counts.class_stands_until(ticker, day))
        return self._make(constituent, day, companies, count), until

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
