"""The vendor's later corrections: what was answered is asked again, and the documents that follow from it made anew.

An answer that cannot be had or cannot be true leaves the old one. `raw/reference/refresh.json` notes the range before
the first call and goes after the last document, so that a run that was cut off is gone on with by the same command, and
asks for no share count twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import orjson

from mag7cli.collection import collector
from mag7cli.collection.collector import CollectResult
from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.document_builder import trading_data
from mag7cli.collection.document_changes import DateChange, Refusal
from mag7cli.collection.price_cache import PriceCache, PriceRequest
from mag7cli.collection.source_marker import SourceMarker
from mag7cli.collection.split_cache import read_splits
from mag7cli.collection.worklist import CollectOptions, members_of
from mag7cli.core.clock import Clock
from mag7cli.core.errors import UsageError
from mag7cli.core.parallel import Stop
from mag7cli.core.progress import Progress
from mag7cli.lake.layout import REFERENCE, Lake
from mag7cli.market import symbology
from mag7cli.market.calendar import sessions
from mag7cli.shares.plausibility import COMPARABLE
from mag7cli.shares.sampling import Request
from mag7cli.vendors.base import MarketDataSource
from mag7cli.vendors.calls import VendorCalls

_FILE: Final = "refresh.json"


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """What a refresh did: the dates that were asked about, what changed on which, and the answers that were refused.

    `changes` may name dates outside of the range: those whose share count is the answer of one inside.
    """

    dates: tuple[date, ...]
    changes: tuple[DateChange, ...]
    refusals: tuple[Refusal, ...]
    calls: Mapping[str, int]
    collected: CollectResult


@dataclass(frozen=True, slots=True)
class _Note:
    """A refresh that has begun: of which days, and when."""

    start: date
    end: date
    since: str


def refresh(
    lake: Lake,
    source: MarketDataSource,
    options: CollectOptions,
    clock: Clock,
    *,
    progress: Progress | None = None,
    stop: Stop,
) -> RefreshResult:
    """Ask again about the collected dates from `options.start` to `options.end`, both included.

    Args:
        lake: The lake, held by the caller.
        source: Asked for a price of each line and date, by days or by lines, whichever is fewer calls, for every share
            count that was asked for on one of the dates, and for those of the Mag 7 that the dates rest upon.
        options: The range, and on which terms the dates are valued.
        clock: The time.
        progress: Hears of documents that change.
        stop: Ends the run from outside.

    Raises:
        UsageError: No date of the range was collected.
        MarketDataError: The run cannot go on; the same command goes on with it.
    """
    days = _collected_days(lake, options)
    begun = _begin(lake, options, clock)
    calls = _calls(lake, source, options, stop)
    prices = PriceCache(lake, calls, since=days[0] - COMPARABLE)
    details = DetailsCache(lake, clock, calls)
    details.load()
    requests = _questions(details, days)
    concerned = {*days, *_resting_on(details, requests, lake.documents() if requests else ())}
    refusals = [*_prices_again(lake, prices, days), *_counts_again(details, requests, begun)]
    again = replace(options, again=frozenset(concerned))
    result = collector.collect(lake, source, again, clock, progress=progress, stop=stop)
    lake.store.delete(REFERENCE + _FILE)
    return RefreshResult(tuple(days), result.changes, tuple(refusals), dict(source.calls()), result)


def recheck(
    lake: Lake,
    source: MarketDataSource,
    options: CollectOptions,
    clock: Clock,
    *,
    days: Sequence[date],
    prices: PriceCache,
    stop: Stop,
) -> RefreshResult:
    """Ask again for the prices of a few collected dates, a call a date, and for no share count.

    It leaves no note, since the next time costs as little.

    Args:
        lake: The lake, held by the caller.
        source: Asked for the prices.
        options: On which terms the dates are valued.
        clock: The time.
        days: The dates, oldest first.
        prices: What the lake has of them, as the run that comes before knows it.
        stop: Ends the run from outside.

    Raises:
        MarketDataError: The vendor cannot be asked.
    """
    prices.ask_by(_calls(lake, source, options, stop))
    refusals = tuple(_prices_again(lake, prices, days))
    if not any(_rests_on_other_prices(lake, prices, day) for day in days):
        return RefreshResult(tuple(days), (), refusals, dict(source.calls()), CollectResult(present=len(days)))
    result = collector.collect(lake, source, replace(options, again=frozenset(days)), clock, stop=stop)
    return RefreshResult(tuple(days), result.changes, refusals, dict(source.calls()), result)


def _calls(lake: Lake, source: MarketDataSource, options: CollectOptions, stop: Stop) -> VendorCalls:
    return VendorCalls(source, stop, options.workers, on_answer=SourceMarker(lake, source).answered)


def calls_to_refresh(lake: Lake, options: CollectOptions, clock: Clock) -> dict[str, int]:
    """How many calls `refresh` makes at most for this range, by kind. Asks the lake only."""
    days = _collected_days(lake, options)
    details = DetailsCache(lake, clock)
    details.load()
    tickers = len(members_of(lake, days))
    prices = {"grouped": len(days)} if len(days) <= tickers else {"bars": tickers}
    return prices | {"details": len(_questions(details, days)), "splits": 1}


def unfinished(lake: Lake) -> tuple[date, date] | None:
    """The range of a refresh that was cut off, None if there is none."""
    note = _read(lake)
    return (note.start, note.end) if note else None


def _collected_days(lake: Lake, options: CollectOptions) -> list[date]:
    """The dates to ask about. Raises UsageError if there are none."""
    present = lake.documents()
    days = [day for day in sessions(options.start, options.end) if day in present]
    if not days:
        raise UsageError(
            f"no date from {options.start} to {options.end} was collected, so that there is nothing to ask again",
            hint="mag7 collect --start DATE --end DATE collects what is missing",
        )
    return days


def _begin(lake: Lake, options: CollectOptions, clock: Clock) -> _Note | None:
    """Note this refresh; the note of the run that began it, None if it begins now."""
    known = _read(lake)
    if known and (known.start, known.end) == (options.start, options.end):
        return known
    note = _Note(options.start, options.end, clock.now().isoformat())
    content = {"start": note.start.isoformat(), "end": note.end.isoformat(), "since": note.since}
    lake.write_reference(_FILE, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
    return None


def _read(lake: Lake) -> _Note | None:
    with suppress(orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        row = orjson.loads(lake.read_reference(_FILE) or b"{}")
        since = datetime.fromisoformat(row["since"])
        return _Note(date.fromisoformat(row["start"]), date.fromisoformat(row["end"]), since.isoformat())
    return None


def _questions(details: DetailsCache, days: Sequence[date]) -> list[Request]:
    """The share counts that were asked for on the days, and those of the Mag 7 that the days rest upon."""
    asked = set(details.asked_between(days[0], days[-1]))
    latest = ((ticker, details.latest(ticker, day)) for ticker in symbology.MAGNIFICENT_7 for day in days)
    return sorted(asked | {(ticker, behind[0]) for ticker, behind in latest if behind}, key=lambda one: one[::-1])


def _prices_again(lake: Lake, prices: PriceCache, days: Sequence[date]) -> list[Refusal]:
    tickers = members_of(lake, days)
    refused = prices.ask_again(PriceRequest(tickers, days), read_splits(lake).rows)
    return [Refusal(ticker, day, "price", reason) for (ticker, day), reason in sorted(refused.items())]


def _rests_on_other_prices(lake: Lake, prices: PriceCache, day: date) -> bool:
    """True if a document has other closes than those that are kept, or of the Mag 7 other prices or volumes."""
    document = lake.read_document(day)
    closes = {row["ticker"]: row["close_price"] for row in document["sp500_details"].get("constituents", [])}
    traded = {ticker: company["trading_data"] for ticker, company in document["companies"].items()}
    known = prices.closes_on(day, list(closes))
    if any(known.get(ticker, close) != close for ticker, close in closes.items()):
        return True
    return any(
        (bar := prices.bar(ticker, day)) is not None and trading_data(bar) != row for ticker, row in traded.items()
    )


def _counts_again(details: DetailsCache, requests: Sequence[Request], begun: _Note | None) -> list[Refusal]:
    refused = details.ask_again(requests, since=datetime.fromisoformat(begun.since) if begun else None)
    return [Refusal(ticker, day, "share count", reason) for (ticker, day), reason in sorted(refused.items())]


def _resting_on(details: DetailsCache, requests: Iterable[Request], present: Iterable[date]) -> set[date]:
    """The collected dates whose count of some line may follow from these answers: those up to the next ones."""
    spans = {details.days_around(ticker, day) for ticker, day in requests}
    return {day for day in present if any((not low or low < day) and (not high or day < high) for low, high in spans)}
