"""Collects raw documents: what is missing, what that costs, and the way of each trading date into the lake."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from itertools import groupby
from typing import Final, Literal

from mag7cli import counting, tickers
from mag7cli.clock import Clock
from mag7cli.collected import CollectedDates, summary
from mag7cli.counting import Counts
from mag7cli.documents import DayInputs, Profile, ValuedLine, build
from mag7cli.holdings import parse
from mag7cli.lake import Lake
from mag7cli.ledger import Ledger
from mag7cli.market_data import Document, FailedTicker, SourceDocument
from mag7cli.membership import Line, Membership, members_by_date
from mag7cli.prices import PriceRequest, Prices
from mag7cli.progress import NoProgress, Note, Progress
from mag7cli.reference import Splits, log_step, update_splits
from mag7cli.sampling import Precision
from mag7cli.trading_calendar import previous_session, sessions
from mag7cli.vendor import MarketDataSource

Method = Literal["grouped", "details"]

DEFAULT_TOLERANCE: Final = 0.0005
# For some evenings the counts are refreshed in turn; for a longer range they are sampled.
ROLLING_DATES: Final = 5


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """What to collect and how. `tolerance` is the error allowed to the total, as a fraction of it.

    `refresh` is how many share counts an evening's run may ask for besides the seven; None: every line's.
    """

    start: date
    end: date
    method: Method = "grouped"
    force: bool = False
    retry_failed: bool = False
    tolerance: float = DEFAULT_TOLERANCE
    workers: int = 1
    refresh: int | None = None


@dataclass(frozen=True, slots=True)
class Worklist:
    """The dates to collect, oldest first, who was in the index on each, and how many dates are there already."""

    dates: tuple[date, ...]
    present: int
    members: Mapping[date, Membership]

    @property
    def lines(self) -> tuple[str, ...]:
        """Every line of any of the dates, those of the newest list first, in its order."""
        newest_first = (line.ticker for day in reversed(self.dates) for line in self.members[day].lines)
        return tuple(dict.fromkeys(newest_first))

    def member_dates(self) -> dict[str, list[date]]:
        """On which of the dates each line was in the index."""
        found: dict[str, list[date]] = {ticker: [] for ticker in self.lines}
        for day in self.dates:
            for line in self.members[day].lines:
                found[line.ticker].append(day)
        return found

    def only(self, dates: Iterable[date]) -> "Worklist":
        """The part of the list for some of its dates."""
        return replace(self, dates=tuple(dates))


@dataclass(frozen=True, slots=True)
class CollectResult:
    """What a run did. `partial` has the dates without concentration, `failed` the lines that failed on each date."""

    written: tuple[date, ...] = ()
    present: int = 0
    partial: Mapping[date, str] = field(default_factory=dict)
    failed: Mapping[date, Sequence[FailedTicker]] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    precision: Precision | None = None

    @property
    def is_clean(self) -> bool:
        """True if nothing of the dates written is left to retry."""
        return not self.partial and not self.failed


def worklist(lake: Lake, options: CollectOptions) -> Worklist:
    """The dates of the range that are missing or incomplete, or all of them, or only the incomplete ones."""
    collected = CollectedDates(lake)
    wanted = sessions(options.start, options.end)
    if options.retry_failed:
        dates = [day for day in wanted if collected.is_incomplete(day)]
    else:
        dates = [day for day in wanted if options.force or not collected.is_complete(day)]
    files = {day: parse(lake.read_holdings(day), lake.holdings_key(day)) for day in lake.holdings_dates() if dates}
    return Worklist(tuple(dates), len(wanted) - len(dates), members_by_date(dates, files))


def collect(
    lake: Lake,
    source: MarketDataSource,
    options: CollectOptions,
    clock: Clock,
    *,
    progress: Progress | None = None,
    abort: Callable[[], None] = lambda: None,
    expected_calls: int = 0,
) -> CollectResult:
    """Collect what `worklist` says, oldest first; each document is written whole or not at all.

    `expected_calls`, as planned, are for the progress to tell when the run will end.
    Raises MarketDataError and its kin when the run cannot go on; what was collected by then is kept.
    """
    work = worklist(lake, options)
    if not work.dates:
        return CollectResult(present=work.present)
    watcher = progress or NoProgress()
    watcher.start(len(work.dates))
    try:
        return _Run(lake, source, options, clock, _Teller(watcher, source, clock, expected_calls), abort).collect(work)
    finally:
        watcher.finish()


class _Run:
    """One run: prices first, then the splits that they confirm, then share counts, then the documents."""

    def __init__(
        self,
        lake: Lake,
        source: MarketDataSource,
        options: CollectOptions,
        clock: Clock,
        teller: "_Teller",
        abort: Callable[[], None],
    ) -> None:
        self._lake = lake
        self._source = source
        self._options = options
        self._clock = clock
        self._teller = teller
        self._known_companies: dict[tuple[Line, ...], tuple[Sequence[Line], Collection[str]]] = {}
        common = {"workers": options.workers, "abort": abort}
        self._prices = Prices(lake, source, told=partial(teller.call, "prices"), **common)  # type: ignore[arg-type]
        self._ledger = Ledger(
            lake,
            clock,
            source,
            told=partial(teller.call, "share counts"),
            **common,  # type: ignore[arg-type]
        )

    def collect(self, work: Worklist) -> CollectResult:
        """Collect every date of the list."""
        self._prices.load()
        self._ledger.load()
        lines = work.lines
        self._prices.get(PriceRequest(lines, work.dates))
        splits = self._splits(work, lines)
        result = CollectResult(present=work.present)
        for part in _parts(work, self._options.method):
            counts = self._counts(part, splits)
            absent = _Absences(self._prices, self._ledger, part.member_dates())
            for day in part.dates:
                document = self._document(day, part.members[day], counts, absent)
                self._lake.write_document(day, document)
                self._teller.date(day)
                result = _with(result, day, document)
            result = replace(result, precision=counts.precision)
        return replace(result, calls=dict(self._source.calls()))

    def _splits(self, work: Worklist, lines: Sequence[str]) -> Splits:
        today = self._clock.now().date()
        return update_splits(
            self._lake, self._source, lines, start=work.dates[0], today=today, step_of=self._close_step
        )

    def _close_step(self, ticker: str, day: date) -> float | None:
        after = self._prices.bar(ticker, day)
        before = self._prices.bar(ticker, previous_session(day)) if after else None
        return log_step(before.close_usd if before else None, after.close_usd if after else None)

    def _counts(self, work: Worklist, splits: Splits) -> Counts:
        members = work.member_dates()
        if self._options.method == "details":
            return counting.ask_each(self._ledger, self._prices, splits, members)
        if len(work.dates) <= ROLLING_DATES:
            requests = counting.rolling_requests(self._ledger, work.lines, work.dates, self._options.refresh)
            return counting.refresh(self._ledger, splits, requests, work.lines)
        counted = {company.counted for one in work.members.values() for company in tickers.companies(one.lines)}
        return counting.sample(self._ledger, self._prices, splits, members, counted, self._options.tolerance)

    def _document(self, day: date, membership: Membership, counts: Counts, absent: "_Absences") -> Document:
        lines, counted = self._companies(membership)
        valued: list[ValuedLine] = []
        failed: list[FailedTicker] = []
        not_listed: list[str] = []
        for line in lines:
            bar = self._prices.bar(line.ticker, day)
            count = counts.on(line.ticker, day) if bar else None
            if bar is None and absent.is_not_listed(line.ticker, day):
                not_listed.append(line.ticker)
            elif bar is None:
                failed.append({"ticker": line.ticker, "reason": absent.reason(line.ticker, day)})
            elif count is None or isinstance(count, str):
                failed.append({"ticker": line.ticker, "reason": f"no share count: {count}"})
            else:
                valued.append(ValuedLine(line.ticker, line.cik, line.ticker in counted, bar, count))
        return build(
            DayInputs(
                day,
                self._now(),
                self._source_document(),
                {"kind": membership.kind, "as_of": membership.as_of.isoformat()},
                valued,
                failed,
                not_listed,
                {ticker: self._profile(ticker, day) for ticker in tickers.MAGNIFICENT_7},
            )
        )

    def _companies(self, membership: Membership) -> tuple[Sequence[Line], Collection[str]]:
        """The lines with what is known of their CIKs, and those of them that are counted."""
        if membership.lines not in self._known_companies:
            lines = [replace(line, cik=self._cik(line, membership.as_of)) for line in membership.lines]
            counted = {company.counted for company in tickers.companies(lines)}
            self._known_companies[membership.lines] = lines, counted
        return self._known_companies[membership.lines]

    def _now(self) -> datetime:
        return self._clock.now()

    def _cik(self, line: Line, day: date) -> str | None:
        known = line.cik or tickers.company_cik(line.ticker)
        latest = None if known else self._ledger.latest(line.ticker, day)
        return latest[1].cik if latest else known

    def _profile(self, ticker: str, day: date) -> Profile:
        """Names and words from the last answer on or before the date; the vendor's own cap only from that very date."""
        latest = self._ledger.latest(ticker, day)
        if latest is None:
            return Profile(ticker, None, None, None)
        asked, answer = latest
        return Profile(
            answer.name or ticker, answer.currency, answer.description, answer.market_cap if asked == day else None
        )

    def _source_document(self) -> SourceDocument:
        return {
            "vendor": self._source.name,
            "method": self._options.method,
            "version": self._source.version,
            "simulated": self._source.simulated,
        }


class _Teller:
    """Turns calls and documents into progress: first all calls are made, then the documents are written."""

    def __init__(self, progress: Progress, source: MarketDataSource, clock: Clock, expected_calls: int) -> None:
        self._progress = progress
        self._source = source
        self._clock = clock
        self._expected = expected_calls
        self._started = clock.monotonic()

    def call(self, doing: str, _: int) -> None:
        """A call was answered."""
        calls = sum(self._source.calls().values())
        seconds = self._clock.monotonic() - self._started
        left = max(0, self._expected - calls) * seconds / calls if calls and self._expected else None
        rate = 60 * calls / seconds if seconds > 1 else None
        self._progress.note(Note(doing=doing, calls=calls, calls_per_minute=rate, eta_s=left))

    def date(self, day: date) -> None:
        """A document was written."""
        self._progress.note(Note(doing=day.isoformat()))
        self._progress.advance()


class _Absences:
    """Why a line has no price on a date: it was not listed yet, or any more, or it is a failure."""

    def __init__(self, prices: Prices, ledger: Ledger, members: Mapping[str, Sequence[date]]) -> None:
        """Asks, for each line without a price on its first or last dates, whether it was listed on the nearest one.

        What was not listed then was not listed before its first price, or after its last.
        """
        self._prices = prices
        self._ledger = ledger
        self._edges = {
            (ticker, day): edge
            for ticker, days in members.items()
            if ticker not in prices.failures
            for day, edge in _unpriced_edges(prices, ticker, days)
        }
        ledger.ask(sorted({(ticker, edge) for (ticker, _), edge in self._edges.items()}, key=lambda one: one[::-1]))

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
            self._prices.failures.get(day)
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


def _parts(work: Worklist, method: Method) -> Iterator[Worklist]:
    """Month by month where every line is asked on every date, so that documents appear as it goes; else at once."""
    if method == "grouped":
        yield work
        return
    for _, days in groupby(work.dates, key=lambda day: (day.year, day.month)):
        yield work.only(days)


def _with(result: CollectResult, day: date, document: Document) -> CollectResult:
    found = summary(document)
    failed = document["sp500_details"]["failed_tickers"]
    return replace(
        result,
        written=(*result.written, day),
        partial={**result.partial, day: found.partial} if found.partial else result.partial,
        failed={**result.failed, day: failed} if failed else result.failed,
    )
