"""Collects raw documents: what is missing, what that costs, and the way of each trading date into the lake."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from mag7cli.collection import batches, known_lake, share_counts
from mag7cli.collection.batches import BatchRecord
from mag7cli.collection.constituent_value import ValuedLines, at_closes
from mag7cli.collection.counted_lines import Companies, CountedLines
from mag7cli.collection.date_range import Unserved
from mag7cli.collection.document_builder import DayInputs, Profile, build
from mag7cli.collection.document_changes import DateChange, Recheck, changes, differs
from mag7cli.collection.known_lake import LOOKED_AT_AROUND, KnownLake
from mag7cli.collection.missing_prices import MissingPrices
from mag7cli.collection.price_cache import PriceRequest
from mag7cli.collection.security_facts import FactsOfSecurities, known_awards, known_cover_pages, price_request
from mag7cli.collection.share_counts import Counts
from mag7cli.collection.source_marker import SourceMarker
from mag7cli.collection.split_cache import log_step, update_splits
from mag7cli.collection.worklist import CollectOptions, DateBatch, Worklist
from mag7cli.core.clock import Clock
from mag7cli.core.errors import DocumentError, KeyNotFoundError, StoreError
from mag7cli.core.garbage import rarely_collected
from mag7cli.core.parallel import Stop
from mag7cli.core.progress import NoProgress, Note, Progress
from mag7cli.lake import write_record
from mag7cli.lake.document import Document, FailedTicker, MembershipDocument, SourceDocument
from mag7cli.lake.document_index import Collected, WrittenDocument, note_written, summary
from mag7cli.lake.holdings import acceptance
from mag7cli.lake.layout import Lake
from mag7cli.market import index_history, symbology
from mag7cli.market.calendar import previous_session
from mag7cli.market.membership import Constituent, Membership
from mag7cli.market.money import CENTS
from mag7cli.shares.plausibility import impossible_caps
from mag7cli.shares.sampling import Precision, worst_of
from mag7cli.shares.split_evidence import NEIGHBOURHOOD
from mag7cli.vendors.base import MarketDataSource
from mag7cli.vendors.calls import VendorCalls
from mag7cli.vendors.rate_limit import Cancel


@dataclass(frozen=True, slots=True)
class CollectResult:
    """What a run did. `partial` has the dates without concentration, `failed` the lines that failed on each date.

    `unserved` is what was asked for and lies before what the plan serves, `changes` what is different on dates that
    were valued again. `rechecked` is what asking again about the sessions before came to, where that was asked for.
    `stale_series` are the series beside the index that are not up to date, each with the reason.
    """

    written: tuple[date, ...] = ()
    present: int = 0
    partial: Mapping[date, str] = field(default_factory=dict)
    failed: Mapping[date, Sequence[FailedTicker]] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    precision: Precision | None = None
    unserved: Unserved | None = None
    changes: tuple[DateChange, ...] = ()
    rechecked: Recheck | None = None
    stale_series: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """True if nothing of the dates written is left to retry, and nothing that was asked for is missing."""
        return not (self.partial or self.failed or self.unserved or self.stale_series)


def collect(
    lake: Lake,
    source: MarketDataSource,
    options: CollectOptions,
    clock: Clock,
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
    expected_calls: int = 0,
    known: KnownLake | None = None,
) -> CollectResult:
    """Collect what `worklist` says, oldest first; each document is written whole or not at all.

    `stop` ends the run from outside. `expected_calls`, as planned, are for the progress to tell when the run will end.
    `known` is what the lake has, if it was read with these options already.
    Raises MarketDataError and its kin when the run cannot go on; what was collected by then is kept.
    """
    known = known or known_lake.read(lake, options, clock)
    work = known.work
    if not work.dates:
        # A run that died after its last document has left nothing else to do.
        write_record.complete(lake, {})
        return CollectResult(present=work.present, unserved=options.unserved)
    watcher = progress or NoProgress()
    watcher.start(len(work.dates))
    teller = _Teller(watcher, source, clock, len(work.dates), expected_calls)
    try:
        with rarely_collected():
            return _Run(known, source, options, clock, teller, stop or Cancel()).collect(work)
    finally:
        watcher.finish()


class _Run:
    """One run: prices first, then the splits that they confirm, then share counts, then the documents."""

    def __init__(
        self,
        known: KnownLake,
        source: MarketDataSource,
        options: CollectOptions,
        clock: Clock,
        teller: "_Teller",
        stop: Stop,
    ) -> None:
        self._lake = lake = known.lake
        self._source = source
        self._options = options
        self._clock = clock
        self._teller = teller
        self._stop = stop
        self._origin = SourceMarker(lake, source)
        self._acceptances: dict[date, tuple[str, ...]] = {}
        self._known_companies: dict[tuple[date | None, date], Companies] = {}
        self._prices, self._details = known.prices, known.details
        self._prices.ask_by(self._calls("prices", self._askers_of_prices(known.work)))
        self._details.ask_by(self._calls("share counts"))

    def _calls(self, what: str, workers: int | None = None) -> VendorCalls:
        on_call = partial(self._teller.call, what)
        return VendorCalls(self._source, self._stop, workers or self._options.workers, on_call, self._origin.answered)

    def _askers_of_prices(self, work: Worklist) -> int:
        """How many answers of prices may be under way at once: the longer each is, the fewer, for their memory."""
        workers = self._options.workers
        return max(1, workers * self._options.block_dates // len(work.valued)) if self._is_long(work) else workers

    def collect(self, work: Worklist) -> CollectResult:
        """Collect every date of the list."""
        today = self._clock.now().date()
        reach = self._options.reach(today)
        prices = price_request(work, reach)
        if self._is_long(work):
            self._look_at(work.parts[0])
        self._prices.get(prices)
        splits = update_splits(
            self._lake,
            self._calls("splits"),
            work.tickers,
            start=work.valued[0] - NEIGHBOURHOOD,
            today=today,
            step_of=self._close_step,
        )
        if not self._is_long(work):
            self._prices.refuse_implausible(prices, splits.rows)
        simulated = self._origin.simulated
        covers = known_cover_pages(self._lake, simulated=simulated)
        facts = FactsOfSecurities(self._prices, splits, covers, known_awards(simulated=simulated), reach)
        result = CollectResult(present=work.present, unserved=self._options.unserved)
        reached: list[Precision | None] = []
        with _recorded(self._lake, work.valued) as note:
            for part in work.parts:
                if self._is_long(work):
                    self._look_at(part)
                    self._prices.refuse_implausible(PriceRequest(prices.tickers, part.dates), splits.rows)
                result, precision = self._collect_part(part, facts, note, result)
                reached.append(precision)
        return replace(result, precision=worst_of(reached), calls=dict(self._source.calls()))

    def _is_long(self, work: Worklist) -> bool:
        """True for several blocks, of each of which the bars are looked at in turn."""
        return self._options.method == "grouped" and work.is_longer_than(self._options.block_dates)

    def _look_at(self, part: DateBatch) -> None:
        self._prices.look_at(part.dates[0] - LOOKED_AT_AROUND, part.dates[-1] + LOOKED_AT_AROUND)

    def _collect_part(
        self, part: DateBatch, facts: FactsOfSecurities, note: Callable[[WrittenDocument], None], result: CollectResult
    ) -> tuple[CollectResult, Precision | None]:
        """The result with the documents of a part, and its bound; nothing of its counts outlives it."""
        counts = self._counts(part, facts)
        for day, document in self._documents(part, counts, facts):
            self._stop.check()
            before = self._present(day) if self._options.again else None
            data = self._lake.write_document(day, document)
            outcome = summary(document)
            note(WrittenDocument(day, len(data), write_record.digest(data), outcome))
            self._teller.date(day)
            result = _with(result, day, outcome, document["sp500_details"]["failed_tickers"])
            if before:
                result = replace(result, changes=(*result.changes, changes(before, document)))
        self._known_companies.clear()
        return result, counts.precision

    def _documents(self, part: DateBatch, counts: Counts, facts: FactsOfSecurities) -> Iterator[tuple[date, Document]]:
        """The documents to write: those wanted, but first those that were valued without some answer that is there now.

        The batch is noted before the first of them, so that a run that dies among them is gone on with.
        """
        absences = MissingPrices(self._prices, self._details, part.member_dates())
        document_of = partial(self._document, part, counts, CountedLines(counts, self._details), facts, absences)
        if part.begun and not part.begun.is_final:
            for day in part.others:
                document = document_of(day)
                if self._differs(day, document):
                    yield day, document
        if not part.begun or not part.begun.is_final:
            settled = not self._prices.failures and not self._details.failures and absences.are_explained
            batches.remember(self._lake, BatchRecord(part.dates, self._options.terms, settled))
        for day in part.to_collect:
            document = document_of(day)
            if self._options.again is None or self._present(day) is None or self._differs(day, document):
                yield day, document

    def _differs(self, day: date, document: Document) -> bool:
        """True if there is a document that says something else."""
        present = self._present(day)
        return present is not None and differs(present, document)

    def _present(self, day: date) -> Document | None:
        try:
            return self._lake.read_document(day)
        except (KeyNotFoundError, DocumentError):
            return None

    def _close_step(self, ticker: str, day: date) -> float | None:
        after = self._prices.close(ticker, day)
        before = self._prices.close(ticker, previous_session(day)) if after else None
        return log_step(before, after)

    def _counts(self, part: DateBatch, facts: FactsOfSecurities) -> Counts:
        members = part.member_dates()
        if self._options.method == "details":
            return share_counts.ask_each(self._details, facts, members)
        if part.is_evening:
            requests = share_counts.rolling_requests(self._details, part.tickers, part.dates, self._options.refresh)
            return share_counts.refresh(self._details, facts, requests, members)
        lists = {(membership.file, membership.as_of): membership.constituents for membership in part.members.values()}
        counted = {company.counted for constituents in lists.values() for company in symbology.companies(constituents)}
        return share_counts.sample(self._details, facts, members, counted, self._options.tolerance)

    def _document(
        self,
        part: DateBatch,
        counts: Counts,
        counted: CountedLines,
        facts: FactsOfSecurities,
        absences: MissingPrices,
        day: date,
    ) -> Document:
        membership = part.members[day]
        companies = self._companies(membership)
        closes = self._prices.closes_on(day, companies.by_ticker)
        roster, uncounted = counted.on(day, companies, closes)
        failed: list[FailedTicker] = []
        not_listed: list[str] = []
        for ticker, constituent in companies.by_ticker.items():
            if ticker in uncounted:
                failed.append(self._failed(constituent, f"no share count: {uncounted[ticker]}", counts, companies, day))
            elif ticker not in closes and absences.is_not_listed(ticker, day):
                not_listed.append(ticker)
            elif ticker not in closes:
                failed.append(self._failed(constituent, absences.reason(ticker, day), counts, companies, day))
        valued = at_closes(roster, [close for ticker, close in closes.items() if ticker not in uncounted])
        valued, impossible = self._without_impossible(valued, day)
        failed += impossible
        return build(
            DayInputs(
                trading_date=day,
                collected_at=self._clock.now(),
                source=self._source_document(),
                membership=self._membership_document(membership),
                valued=valued,
                failed=failed,
                not_listed=not_listed,
                judged_by=facts.judges,
                bars={ticker: bar for ticker in symbology.MAGNIFICENT_7 if (bar := self._prices.bar(ticker, day))},
                profiles={ticker: self._profile(counts, ticker, day) for ticker in symbology.MAGNIFICENT_7},
                errors=counts.errors.get(day),
            )
        )

    def _failed(
        self, constituent: Constituent, reason: str, counts: Counts, companies: Companies, day: date
    ) -> FailedTicker:
        """A line that failed, with what the total lacks by it, as far as that is known."""
        if constituent.ticker not in companies.counted:
            return {"ticker": constituent.ticker, "reason": reason, "last_known_market_cap": 0.0}
        close, history = self._prices.nearest_close(constituent.ticker, day), counts.histories.get(constituent.ticker)
        count = history.on(close[0]) if close and history else None
        if not close or not count:
            return {"ticker": constituent.ticker, "reason": reason}
        return {
            "ticker": constituent.ticker,
            "reason": reason,
            "last_known_market_cap": round(close[1] * count.shares, 2),
        }

    def _without_impossible(self, valued: ValuedLines, day: date) -> tuple[ValuedLines, list[FailedTicker]]:
        """What is valued but for lines whose market cap cannot be true; what made these up is asked for again."""
        # Nearly always so, no line being above all others together: then no tickers are looked up.
        if 2 * max(valued.caps, default=0) < sum(valued.caps):
            return valued, []
        caps = dict(zip(valued.roster.places, (cap / CENTS for cap in valued.caps), strict=True))
        reasons = impossible_caps(caps)
        if not reasons:
            return valued, []
        for ticker, reason in reasons.items():
            self._prices.refuse(ticker, day, reason)
            count = valued.roster.lines[valued.roster.places[ticker]].count
            self._details.refuse(ticker, count.observed_on, reason)
        return valued.without(reasons), [{"ticker": ticker, "reason": why} for ticker, why in reasons.items()]

    def _membership_document(self, membership: Membership) -> MembershipDocument:
        content: MembershipDocument = {
            "kind": membership.kind,
            "as_of": membership.as_of.isoformat(),
            "confirmed_until": index_history.confirmed_until().isoformat(),
        }
        if membership.file:
            content["holdings"] = membership.file.isoformat()
            if membership.file not in self._acceptances:
                self._acceptances[membership.file] = acceptance(self._lake, membership.file)
            if reasons := self._acceptances[membership.file]:
                content["accepted"] = "; ".join(reasons)
        return content

    def _companies(self, membership: Membership) -> Companies:
        """The lines with what is known of their CIKs, and which of them are counted."""
        index = membership.file, membership.as_of
        if index not in self._known_companies:
            constituents = tuple(
                constituent if constituent.cik == cik else replace(constituent, cik=cik)
                for constituent in membership.constituents
                for cik in (self._cik(constituent, membership.as_of),)
            )
            companies = symbology.companies(constituents)
            self._known_companies[index] = Companies(
                constituents,
                frozenset(company.counted for company in companies),
                frozenset(
                    ticker for company in companies if company.others for ticker in (company.counted, *company.others)
                ),
            )
        return self._known_companies[index]

    def _cik(self, constituent: Constituent, day: date) -> str | None:
        known = constituent.cik or symbology.company_cik(constituent.ticker)
        latest = None if known else self._details.latest(constituent.ticker, day)
        return latest[1].cik if latest else known

    def _profile(self, counts: Counts, ticker: str, day: date) -> Profile:
        """Names and words from the last answer on or before the date; the vendor's own cap only from that very date.

        Of the answers behind the counts: what was asked for besides would make a repeated run another one.
        """
        history = counts.histories.get(ticker)
        if not history or not history.observed:
            return Profile(ticker, None, None, None)
        observed_on = history.observed[max(0, bisect_right(history.observed, day) - 1)]
        answer = self._details.answer(ticker, observed_on)
        assert answer, "what was observed was answered"
        return Profile(
            answer.name or ticker,
            answer.currency,
            answer.description,
            answer.market_cap if observed_on == day else None,
        )

    def _source_document(self) -> SourceDocument:
        return {
            "vendor": self._source.name,
            "method": self._options.method,
            "version": self._source.version,
            "simulated": self._origin.simulated,
        }


@contextmanager
def _recorded(lake: Lake, days: Sequence[date]) -> Iterator[Callable[[WrittenDocument], None]]:
    """Whom to tell of the documents of these days as they are written: at the end they are recorded."""
    written: list[WrittenDocument] = []
    write_record.forget(lake, [lake.document_key(day) for day in days])
    try:
        yield written.append
    finally:
        # Whatever ended the run matters more; the next run completes the record.
        with suppress(StoreError):
            write_record.complete(lake, {lake.document_key(entry.trading_date): entry.digest for entry in written})
            note_written(lake, written)


class _Teller:
    """Turns calls and documents into progress: first all calls are made, then the documents are written."""

    def __init__(
        self, progress: Progress, source: MarketDataSource, clock: Clock, dates: int, expected_calls: int
    ) -> None:
        self._progress = progress
        self._source = source
        self._clock = clock
        self._expected = expected_calls
        self._started = clock.monotonic()
        self._dates = dates
        self._first_written: float | None = None
        self._written = 0

    def call(self, doing: str) -> None:
        """A call has ended."""
        calls = sum(self._source.calls().values())
        seconds = self._clock.monotonic() - self._started
        # Beyond the estimate nobody knows how many are left.
        left = (self._expected - calls) * seconds / calls if 0 < calls < self._expected else None
        rate = 60 * calls / seconds if seconds > 1 else None
        self._progress.note(Note(doing=doing, calls=calls, calls_per_minute=rate, eta_s=left))

    def date(self, day: date) -> None:
        """A document was written; the time left is told by the pace of writing, which is not that of the calls."""
        now = self._clock.monotonic()
        self._first_written = now if self._first_written is None else self._first_written
        pace = (now - self._first_written) / max(1, self._written)
        self._written += 1
        self._progress.note(Note(doing=day.isoformat(), eta_s=pace * max(0, self._dates - self._written)))
        self._progress.advance()


def _with(result: CollectResult, day: date, outcome: Collected, failed: Sequence[FailedTicker]) -> CollectResult:
    return replace(
        result,
        written=(*result.written, day),
        partial={**result.partial, day: outcome.partial} if outcome.partial else result.partial,
        failed={**result.failed, day: failed} if failed else result.failed,
    )
