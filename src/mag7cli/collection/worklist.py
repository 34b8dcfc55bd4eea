"""Which trading dates a collection is about: the missing and incomplete ones of a range, and those valued with them.

Asks the lake only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain, groupby
from typing import Final, Literal

from mag7cli.collection import batches
from mag7cli.collection.batches import BatchRecord, ValuationTerms
from mag7cli.collection.date_range import Unserved
from mag7cli.collection.tolerance import DEFAULT_TOLERANCE_PCT
from mag7cli.core.errors import DocumentError
from mag7cli.lake.document_index import CollectedDates
from mag7cli.lake.holdings import read_all_kept
from mag7cli.lake.layout import Lake
from mag7cli.market import symbology
from mag7cli.market.calendar import previous_session, sessions
from mag7cli.market.membership import Membership, members_by_date

Method = Literal["grouped", "details"]

DEFAULT_TOLERANCE: Final = DEFAULT_TOLERANCE_PCT / 100
# For some evenings the counts are refreshed in turn; for a longer range they are sampled.
ROLLING_DATES: Final = 5
# About four years: what a range holds in memory while its counts are sampled grows with it, so that of a longer one
# so many are valued and written before the next. What is less than two of them is one block still: where a range is
# cut, every line is asked for at both ends of the cut, a thousand calls.
BLOCK_DATES: Final = 1_000


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """What to collect and how. `tolerance` is the error allowed to the total, as a fraction of it.

    `refresh` is how many share counts an evening's run may ask for besides the Mag 7; None: every line's.
    `served_from` is the first day that the plan serves, if it is known to be before `start`. `unserved` is what was
    asked for besides and the plan does not serve. `again` are dates to be valued anew, in place of all others; of their
    documents those are written that differ. `block_dates` is how many new dates are sampled together, about.
    """

    start: date
    end: date
    method: Method = "grouped"
    force: bool = False
    retry_failed: bool = False
    tolerance: float = DEFAULT_TOLERANCE
    workers: int = 1
    refresh: int | None = None
    served_from: date | None = None
    unserved: Unserved | None = None
    again: frozenset[date] | None = None
    block_dates: int = BLOCK_DATES

    def reach(self, today: date) -> tuple[date, date]:
        """The first and the last day for which the vendor can be asked."""
        first = min(self.served_from or self.start, self.start)
        return first, max(previous_session(today), self.end)

    @property
    def terms(self) -> ValuationTerms:
        """How the share counts are found."""
        return ValuationTerms(self.method, self.tolerance)


@dataclass(frozen=True)
class DateBatch:
    """Dates that are valued together, sorted: `to_collect` are those of them to collect now.

    `begun` is the batch that they were valued in before, None if they are new.
    """

    dates: tuple[date, ...]
    to_collect: tuple[date, ...]
    members: Mapping[date, Membership]
    begun: BatchRecord | None = None

    @property
    def others(self) -> tuple[date, ...]:
        """The dates that are only valued along."""
        return tuple(day for day in self.dates if day not in self.to_collect)

    @cached_property
    def tickers(self) -> tuple[str, ...]:
        """Every line of any of the dates, those of the newest list first, in its order."""
        return _lines(self.dates, self.members)

    @property
    def is_evening(self) -> bool:
        """True for the few dates of an evening's run, for which counts are refreshed in turn."""
        return len(self.dates) <= ROLLING_DATES

    def member_dates(self) -> dict[str, list[date]]:
        """On which of the dates each line was in the index."""
        every = list(self.dates)
        dates: dict[str, list[date]] = {ticker: [] for ticker in self.tickers}
        # Dates that follow each other mostly have the same list.
        for _, days in groupby(self.dates, key=lambda day: id(self.members[day].constituents)):
            together = list(days)
            for constituent in self.members[together[0]].constituents:
                dates[constituent.ticker] += together
        # Most lines are in the index on all of them: one list will do for these.
        return {ticker: every if len(days) == len(every) else days for ticker, days in dates.items()}


@dataclass(frozen=True)
class Worklist:
    """The dates to collect in parts, and how many of the range are there already.

    `failed` are the lines that failed on the dates that are there and are to be collected again, `collected` all dates
    that have a document, whatever the range, oldest first.
    """

    parts: tuple[DateBatch, ...]
    present: int
    failed: tuple[tuple[str, date], ...] = ()
    collected: tuple[date, ...] = ()

    @property
    def dates(self) -> tuple[date, ...]:
        """The dates to collect, oldest first."""
        return tuple(sorted(chain.from_iterable(part.to_collect for part in self.parts)))

    def is_longer_than(self, block_dates: int) -> bool:
        """True if the dates are more than one block."""
        return len(self.valued) > _most(block_dates)

    @cached_property
    def valued(self) -> tuple[date, ...]:
        """The dates to collect and those that are valued with them, oldest first."""
        return tuple(sorted(set(chain.from_iterable(part.dates for part in self.parts))))

    @cached_property
    def tickers(self) -> tuple[str, ...]:
        """Every line of any of the dates, those of the newest list first, in its order."""
        members = {day: part.members[day] for part in self.parts for day in part.dates}
        return _lines(self.valued, members)

    @cached_property
    def priced_tickers(self) -> tuple[str, ...]:
        """The lines to get prices of: those of the dates, and whatever a name that nobody knows was a symbol of."""
        known = {constituent.ticker for constituent in symbology.known_constituents()}
        namesakes = (sorted(symbology.tickers_called(ticker)) for ticker in self.tickers if ticker not in known)
        return tuple(dict.fromkeys([*self.tickers, *chain.from_iterable(namesakes)]))


def worklist(lake: Lake, options: CollectOptions) -> Worklist:
    """The dates of the range that are missing or incomplete, or all of them, or only the incomplete ones."""
    collected = CollectedDates(lake)
    trading_dates = sessions(options.start, options.end) if options.again is None else sorted(options.again)
    if options.again is not None:
        dates = trading_dates
    elif options.retry_failed:
        dates = [day for day in trading_dates if collected.is_incomplete(day)]
    else:
        dates = [day for day in trading_dates if options.force or not collected.is_complete(day)]
    known = batches.read(lake) if dates and not options.force else []
    groups = list(_groups(dates, known, options))
    files = read_all_kept(lake) if dates else {}
    members = members_by_date(chain.from_iterable(together for together, _ in groups), files)
    parts = (
        DateBatch(together, own, {day: members[day] for day in together}, batches.find(known, together, options.terms))
        for together, own in groups
    )
    failed = tuple((ticker, day) for day in dates if collected.is_incomplete(day) for ticker in _failed(lake, day))
    return Worklist(
        tuple(sorted(parts, key=lambda part: part.to_collect)),
        _present(collected, trading_dates, dates),
        failed,
        tuple(collected.days()),
    )


def _present(collected: CollectedDates, trading_dates: Sequence[date], dates: Sequence[date]) -> int:
    """How many dates of the range are there and need nothing; missing ones are no such dates, whatever was asked."""
    to_collect = set(dates)
    return sum(day not in to_collect and collected.is_complete(day) for day in trading_dates)


def members_of(lake: Lake, days: Sequence[date]) -> tuple[str, ...]:
    """Every line that was in the index on any of these dates, those of the newest list first."""
    return _lines(days, members_by_date(days, read_all_kept(lake)))


def _failed(lake: Lake, day: date) -> list[str]:
    try:
        return [failure["ticker"] for failure in lake.read_document(day)["sp500_details"]["failed_tickers"]]
    except (DocumentError, KeyError, TypeError):
        return []  # its being damaged is why it is collected again


def _groups(
    dates: Sequence[date], known: Sequence[BatchRecord], options: CollectOptions
) -> Iterator[tuple[tuple[date, ...], tuple[date, ...]]]:
    """The dates by what is valued together: in the batch that they were begun in, else those that are new.

    Each group has all of its dates, and those of them that are among `dates`.
    """
    left = dict.fromkeys(dates)
    for batch in reversed(known):
        own = tuple(day for day in batch.dates if day in left)
        if own and batch.terms == options.terms:
            yield batch.dates, own
            left = dict.fromkeys(day for day in left if day not in own)
    for fresh in _fresh(tuple(left), options):
        yield fresh, fresh


def _fresh(dates: tuple[date, ...], options: CollectOptions) -> Iterator[tuple[date, ...]]:
    """Month by month where every line is asked on every date, so that documents appear as it goes; else in blocks."""
    if options.method == "details":
        for _, days in groupby(dates, key=lambda day: (day.year, day.month)):
            yield tuple(days)
    elif dates:
        yield from _blocks(dates, options.block_dates)


def _blocks(dates: tuple[date, ...], size: int) -> Iterator[tuple[date, ...]]:
    """Blocks of `size` dates, the last of them of less than twice as many.

    They are cut off from the first date on: what a run that ended between two blocks leaves is cut as it was.
    """
    while len(dates) > _most(size):
        yield dates[:size]
        dates = dates[size:]
    yield dates


def _most(size: int) -> int:
    """How many dates are one block still."""
    return 2 * size - 1


def _lines(dates: Sequence[date], members: Mapping[date, Membership]) -> tuple[str, ...]:
    newest_first = (members[day].constituents for day in reversed(dates))
    lists = {id(constituents): constituents for constituents in newest_first}
    return tuple(dict.fromkeys(constituent.ticker for constituent in chain.from_iterable(lists.values())))
