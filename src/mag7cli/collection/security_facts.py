"""What the share counts of each line are held against: its closes, the list of splits, cover pages and stock awards."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Final

from mag7cli.collection.price_cache import PriceCache, PriceRequest
from mag7cli.collection.split_cache import SplitCache
from mag7cli.collection.worklist import Worklist
from mag7cli.core.errors import DocumentError
from mag7cli.lake.layout import Lake
from mag7cli.market import symbology
from mag7cli.market.calendar import session_on_or_before, sessions
from mag7cli.shares.close_moves import CloseHistory
from mag7cli.shares.cover_pages import CoverPages, merge_cover_pages, read_cover_pages, shipped_cover_pages
from mag7cli.shares.history import SecurityFacts
from mag7cli.shares.split_evidence import NEIGHBOURHOOD, neighbours
from mag7cli.shares.stock_awards import AwardEvent, award_events

COVER_PAGES: Final = "cover_pages.csv"
"""The file of `raw/reference/` with further cover pages, in the form of `data/cover_pages.csv`."""

# For so few dates a split just before or after them would show in no close of theirs.
_FEW: Final = 20


@dataclass(frozen=True)
class FactsOfSecurities:
    """What is known besides the share counts. Answers can be had for the days of `reach`, first and last included."""

    prices: PriceCache
    splits: SplitCache
    covers: CoverPages
    awards: Sequence[AwardEvent]
    reach: tuple[date, date]

    @property
    def judges(self) -> list[str]:
        """What counts are held against, as documents name it."""
        return ["closes", "cover_pages"] if self.covers else ["closes"]

    def of(self, ticker: str, days: Collection[date]) -> SecurityFacts:
        """What a line's counts of these dates are held against."""
        company = self._company.get(ticker, ticker)
        return SecurityFacts(
            splits=self.splits.rows(ticker),
            closes=CloseHistory.of(self.prices.closes(ticker, self._around(min(days), max(days)))),
            covers=self.covers.get(company, ()),
            awards=[event for event in self.awards if event.company == company],
            is_watched=is_exact(ticker),
        )

    def neighbours(self, ticker: str, first: date, last: date) -> list[date]:
        """The sessions on both sides of a range on which to ask for a line's count besides.

        Those of the Mag 7 always; of another line if a split is listed near an end of the range.
        """
        if not is_exact(ticker) and not any(
            abs(split.execution_date - end) <= NEIGHBOURHOOD
            for split in self.splits.rows(ticker)
            for end in (first, last)
        ):
            return []
        days = _weekly_neighbours(first, last)
        return [day for day in days if self.reach[0] <= day <= self.reach[1]]

    def _around(self, first: date, last: date) -> list[date]:
        return sessions(first - 2 * NEIGHBOURHOOD, min(last + 2 * NEIGHBOURHOOD, self.reach[1]))

    @cached_property
    def _company(self) -> Mapping[str, str]:
        """Which company's cover pages count the class that a line is."""
        return {
            count.ticker: company
            for company, covers in self.covers.items()
            for cover in covers
            for count in cover.classes
            if count.ticker
        }


def is_exact(ticker: str) -> bool:
    """True for the lines of the Mag 7, Alphabet's second one included: their counts are located to the day."""
    return ticker in symbology.MAGNIFICENT_7 or symbology.company_cik(ticker) in _seven()


def price_request(work: Worklist, reach: tuple[date, date]) -> PriceRequest:
    """The prices of a worklist: of its dates, and where a part has few, of sessions some weeks before and after it.

    The closes there show whether a split lies near the part. They go by parts, not by the whole list: what a run that
    was cut off leaves to do are whole parts, for which it has to ask the same.
    """
    margins = (day for part in work.parts if len(part.dates) <= _FEW for day in _margins_of(part.dates, reach))
    return PriceRequest(work.priced_tickers, tuple(sorted({*work.valued, *margins})))


def _margins_of(dates: Sequence[date], reach: tuple[date, date]) -> list[date]:
    return [day for day in _weekly_neighbours(dates[0], dates[-1]) if reach[0] <= day <= reach[1]]


def known_cover_pages(lake: Lake, *, simulated: bool) -> CoverPages:
    """The cover pages of the lake's own file, and but for a simulated market those that are shipped.

    Raises DocumentError for a file that is no table of cover pages.
    """
    shipped = {} if simulated else shipped_cover_pages()
    data = lake.read_reference(COVER_PAGES)
    if data is None:
        return shipped
    try:
        return merge_cover_pages(shipped, read_cover_pages(data.decode()))
    except ValueError as error:
        raise DocumentError(lake.store.uri(f"raw/reference/{COVER_PAGES}"), str(error)) from error


def known_awards(*, simulated: bool) -> Sequence[AwardEvent]:
    """The awards of stock that are shipped; a simulated market has none."""
    return () if simulated else award_events()


def _weekly_neighbours(first: date, last: date) -> list[date]:
    """The sessions on both sides of a range, one a week, so that evenings of one week ask for the same ones.

    The calendar alone chooses them: what happens to be known already would make a repeated run another one.
    """
    return [session_on_or_before(day - timedelta(days=day.weekday())) for day in neighbours(first, last)]


@cache
def _seven() -> frozenset[str | None]:
    return frozenset(symbology.company_cik(ticker) for ticker in symbology.MAGNIFICENT_7)
