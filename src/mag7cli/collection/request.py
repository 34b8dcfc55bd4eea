"""A collection as somebody asks for it, and what follows from that: the range, the pace, how many calls at once.

`collect` here holds no lock: `mag7cli.collect` and `pipeline.run` do.
"""

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mag7cli.collection import benchmarks, collector, known_lake
from mag7cli.collection import estimate as estimates
from mag7cli.collection.collector import CollectResult
from mag7cli.collection.date_range import resolve
from mag7cli.collection.document_changes import Recheck
from mag7cli.collection.estimate import CollectPlan
from mag7cli.collection.source_marker import SourceMarker
from mag7cli.collection.tolerance import DEFAULT_TOLERANCE_PCT
from mag7cli.collection.worklist import CollectOptions, Method
from mag7cli.core.errors import MarketDataError, StoppedEarlyError, UsageError
from mag7cli.core.formatting import counted, duration
from mag7cli.lake import write_record
from mag7cli.vendors import subscription
from mag7cli.vendors.calls import VendorCalls
from mag7cli.vendors.rate_limit import Budget, Cancel, Rate

if TYPE_CHECKING:
    from mag7cli.collection.known_lake import KnownLake
    from mag7cli.collection.price_cache import PriceCache
    from mag7cli.collection.refresh import RefreshResult
    from mag7cli.core.clock import Clock
    from mag7cli.core.progress import Listener
    from mag7cli.lake.layout import Lake
    from mag7cli.vendors.base import MarketDataSource

# Beside the Mag 7, an evening on a slow plan refreshes so many of the 503 share counts: all of them within five weeks.
_EVENING_REFRESH: Final = 20
# Below a call a second the rate is what takes the time; above, the round trip is, and calls overlap.
_PACED_WORKERS: Final = 2
_UNPACED_WORKERS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectRequest:
    """What to collect, by which plan, and when to stop.

    Args:
        start: First trading date; by default the lake's first, or four years back, as far as the plan serves.
        end: Last trading date; by default the last session whose data the plan serves.
        method: `grouped` samples share counts, `details` asks each constituent on each date.
        plan: The vendor's plan: `basic`, `starter`, `developer` or `advanced` (`data/plans.csv`).
        rate: Calls allowed, such as `5/min` or `unlimited`; by default the plan's.
        max_calls: Stop after so many calls.
        max_duration_s: Stop after so many seconds.
        holdings: A holdings file to keep in the lake first.
        accept: Keep that file although it is doubtful, or another one of its day is kept; the documents say so.
        tolerance_pct: Error allowed to the index's total, in percent.
        workers: Calls under way at once; by default few on a slow plan, many on a fast one.
        force: Collect again what is complete.
        retry_failed: Only dates that are there but incomplete.
        recheck: Ask again for the prices of so many sessions before those that are new, a call a session.
        benchmarks: Symbols of series to keep the bars of beside the index, from the lake's first date on, a call each.
        api_key_command: The command that prints the API key, where the environment has none.
    """

    start: date | None = None
    end: date | None = None
    method: Method = "grouped"
    plan: str = subscription.DEFAULT_PLAN
    rate: str | None = None
    max_calls: int | None = None
    max_duration_s: float | None = None
    holdings: Path | None = None
    accept: bool = False
    tolerance_pct: float = DEFAULT_TOLERANCE_PCT
    workers: int | None = None
    force: bool = False
    retry_failed: bool = False
    recheck: int = 0
    benchmarks: tuple[str, ...] = ()
    api_key_command: str | None = None

    @property
    def pace(self) -> Rate:
        """The rate to hold. Raises UsageError for one that cannot be read, or a plan that there is not."""
        return Rate.parse(self.rate) if self.rate else subscription.plan(self.plan).rate

    @property
    def is_paced(self) -> bool:
        """True if the rate, not the round trip, is what a run waits for."""
        per_second = self.pace.per_second
        return per_second is not None and per_second < 1


def options_of(request: CollectRequest, lake: "Lake", clock: "Clock", listener: "Listener") -> CollectOptions:
    """What to collect, of what the plan serves; says so if a default was cut to that.

    Raises:
        PlanError: the plan does not serve the range; NotYetAvailableError: not yet; UsageError: no such range or plan.
    """
    plan = subscription.plan(request.plan)
    dates = resolve(lake, plan, clock.now(), request.start, request.end)
    if dates.notice:
        listener.warn(dates.notice)
    return CollectOptions(
        start=dates.start,
        end=dates.end,
        method=request.method,
        force=request.force,
        retry_failed=request.retry_failed,
        tolerance=request.tolerance_pct / 100,
        workers=request.workers or (_PACED_WORKERS if request.is_paced else _UNPACED_WORKERS),
        refresh=_EVENING_REFRESH if request.is_paced else None,
        served_from=plan.first_date(clock.now().date()),
        unserved=dates.unserved,
    )


def estimate(lake: "Lake", request: CollectRequest, clock: "Clock", listener: "Listener") -> CollectPlan:
    """What the request would do: dates, calls by kind, seconds at the rate. Asks the lake only."""
    options = options_of(request, lake, clock, listener)
    if options.unserved:
        listener.warn(str(options.unserved))
    intention = estimates.plan(lake, options, clock, request.pace)
    series = len(request.benchmarks if intention.dates else benchmarks.missing(lake, request.benchmarks))
    if not series:
        return intention
    calls = {**intention.calls, "bars": intention.calls.get("bars", 0) + series}
    return replace(intention, calls=calls, seconds=request.pace.seconds_for(sum(calls.values())))


def open_vendor(request: CollectRequest, clock: "Clock", cancel: Cancel) -> "MarketDataSource":
    """The vendor of a request, with the key and address of the environment. Raises AuthenticationError, ConfigError."""
    from mag7cli.vendors.polygon import open_source

    return open_source(
        os.environ,
        plan=request.plan,
        rate=request.pace,
        api_key_command=request.api_key_command,
        workers=request.workers or _UNPACED_WORKERS,
        clock=clock,
        cancel=cancel,
        budget=Budget(clock, max_calls=request.max_calls, max_duration_s=request.max_duration_s),
    )


def collect(
    lake: "Lake", request: CollectRequest, *, clock: "Clock", listener: "Listener", vendor: "MarketDataSource | None"
) -> CollectResult:
    """Collect what is missing; the caller holds the lake. `vendor`, if given, is asked in place of the request's."""
    cancel = Cancel()
    options = options_of(request, lake, clock, listener)
    if request.holdings:
        keep_holdings(lake, request.holdings, clock, listener, accept=request.accept)
    known = known_lake.read(lake, options, clock)
    intention = estimates.plan_of(known, options, clock, request.pace)
    if not intention.dates:
        write_record.complete(lake, {})
    if not intention.dates and not benchmarks.missing(lake, request.benchmarks):
        if vendor:
            vendor.close()
        return CollectResult(present=intention.present, unserved=options.unserved)
    with closing(vendor or open_vendor(request, clock, cancel)) as source:
        run = _Run(lake=lake, source=source, options=options, clock=clock, cancel=cancel, listener=listener)
        result = CollectResult(present=intention.present, unserved=options.unserved)
        if intention.dates:
            result = _collected(run, known, intention, request.recheck)
        if request.benchmarks:
            result = _with_benchmarks(run, request.benchmarks, result)
        cancel.check()
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run: what it collects, of whom, and who hears of it."""

    lake: "Lake"
    source: "MarketDataSource"
    options: CollectOptions
    clock: "Clock"
    cancel: Cancel
    listener: "Listener"


def _collected(run: _Run, known: "KnownLake", intention: CollectPlan, recheck: int) -> CollectResult:
    """What was missing, and what the vendor corrected on the sessions before it."""
    lake, source, options, listener = run.lake, run.source, run.options, run.listener
    _tell_unfinished(lake, listener)
    # A key comes first: without one nobody need hear of plans.
    if options.unserved:
        listener.warn(str(options.unserved))
    listener.notice(_sentence(intention))
    # Calls that are under way when the run ends early go on only until the source is closed.
    with listener.ends_early(run.cancel.request), listener.progress("Collecting", "date") as progress:
        result = collector.collect(
            lake,
            source,
            options,
            run.clock,
            progress=progress,
            stop=run.cancel,
            expected_calls=intention.total_calls,
            known=known,
        )
        if days := _sessions_before(known.work.collected, result, recheck):
            result = _rechecked(run, days, known.prices, result)
    return result


def _with_benchmarks(run: _Run, symbols: Sequence[str], result: CollectResult) -> CollectResult:
    """The result, with the calls for the series beside the index; what was collected stays if one cannot be had."""
    lake, source, listener = run.lake, run.source, run.listener
    spans = benchmarks.missing(lake, symbols)
    own = Cancel()

    def end() -> None:
        own.request()
        run.cancel.request()

    try:
        with listener.ends_early(end):
            calls = VendorCalls(source, own, run.options.workers, on_answer=SourceMarker(lake, source).answered)
            failures = benchmarks.collect(lake, calls, spans)
    except (MarketDataError, StoppedEarlyError) as error:
        failures = dict.fromkeys(spans, str(error))
    for symbol, reason in failures.items():
        listener.warn(f"{symbol}, a series beside the index, is not up to date: {reason}")
    return replace(result, calls=dict(source.calls()), stale_series=failures) if spans else result


def _sessions_before(collected: Sequence[date], result: CollectResult, sessions: int) -> Sequence[date]:
    """So many of the collected dates before those that are new, the last of them; none where nothing is new."""
    if not sessions or not result.written:
        return ()
    return [day for day in collected if day < result.written[0]][-sessions:]


def _rechecked(run: _Run, days: Sequence[date], prices: "PriceCache", result: CollectResult) -> CollectResult:
    """The result, with what the vendor corrected on some dates, beside the prices that the run knows.

    What was collected matters more: an error here is a warning.
    """
    from mag7cli.collection import refresh as refreshing

    # A limit that is reached here stops these calls, and is no end of the run.
    own = Cancel()

    def end() -> None:
        own.request()
        run.cancel.request()

    options = replace(run.options, start=days[0], end=days[-1], force=False, retry_failed=False, unserved=None)
    try:
        with run.listener.ends_early(end):
            again = refreshing.recheck(run.lake, run.source, options, run.clock, days=days, prices=prices, stop=own)
    except (MarketDataError, StoppedEarlyError) as error:
        run.listener.warn(f"the prices from {options.start} to {options.end} were not asked for again: {error}")
        return result
    return replace(result, rechecked=Recheck(again.dates, again.changes, again.refusals), calls=again.calls)


def refresh(
    lake: "Lake", request: CollectRequest, *, clock: "Clock", listener: "Listener", vendor: "MarketDataSource | None"
) -> "RefreshResult":
    """Ask again about the collected dates of the request's range; the caller holds the lake."""
    from mag7cli.collection import refresh as refreshing

    cancel = Cancel()
    options = options_of(request, lake, clock, listener)
    with closing(vendor or open_vendor(request, clock, cancel)) as source:
        with listener.ends_early(cancel.request), listener.progress("Refreshing", "date") as progress:
            result = refreshing.refresh(lake, source, options, clock, progress=progress, stop=cancel)
        cancel.check()
        return result


def calls_to_refresh(lake: "Lake", request: CollectRequest, *, clock: "Clock", listener: "Listener") -> dict[str, int]:
    """How many calls `refresh` makes at most, by kind. Asks the lake only."""
    from mag7cli.collection import refresh as refreshing

    return refreshing.calls_to_refresh(lake, options_of(request, lake, clock, listener), clock)


def keep_holdings(lake: "Lake", path: Path, clock: "Clock", listener: "Listener", *, accept: bool = False) -> None:
    """Put a holdings file into the lake under its as-of date. Raises HoldingsFormatError, UsageError."""
    from mag7cli.lake.holdings import keep
    from mag7cli.market import holdings_file

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--holdings {path} cannot be read: {error.strerror}") from error
    holdings = holdings_file.parse(data, str(path))
    verdict = keep(lake, holdings, data, today=clock.now().date(), accept=accept)
    if not verdict.is_kept:
        hint = "--accept keeps it all the same" if holdings.as_of else "mag7 tickers FILE --as-of YYYY-MM-DD keeps it"
        raise UsageError(f"--holdings {path}: {'; '.join(verdict.reasons)}", hint=hint)
    for reason in verdict.reasons:
        listener.warn(f"accepted although {reason}")
    for row in verdict.differences:
        listener.warn(str(row))
    listener.notice(f"kept the holdings of {holdings.as_of}: {len(holdings.equities)} lines")


def _tell_unfinished(lake: "Lake", listener: "Listener") -> None:
    from mag7cli.collection.refresh import unfinished

    span = unfinished(lake)
    if span:
        listener.warn(f"a refresh was cut off: mag7 collect --refresh {span[0]}..{span[1]} goes on with it")


def _sentence(intention: CollectPlan) -> str:
    about = "about " if intention.is_estimate else ""
    return (
        f"{counted(len(intention.dates), 'date')} to collect, {intention.dates[0]} to {intention.dates[-1]}: {about}"
        f"{counted(intention.total_calls, 'call')}, {about}{duration(intention.seconds)} at the rate allowed."
    )
