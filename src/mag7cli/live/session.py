"""Sessions, one after the other: what is followed, from where, what is kept, and what happens between them.

The lake gives the share counts and the last closes, the vendor the splits that execute meanwhile and the prices. Under
the zone's own lock: a run that collects is never held up, nor does it hold up this.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from mag7cli.analytics.date_statuses import events_of
from mag7cli.collection.split_cache import read_splits
from mag7cli.core.clock import SystemClock
from mag7cli.core.errors import AuthenticationError, Mag7Error, MarketDataError, PlanError, UsageError
from mag7cli.lake import failed_checks
from mag7cli.lake.document import Document, company_caps
from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.layout import Lake
from mag7cli.lake.lock import locked
from mag7cli.live.baseline import CloseBound, LiveConstituent
from mag7cli.live.follow import Follower, LiveUpdate, MarketClosed, Question
from mag7cli.live.points import LivePoints
from mag7cli.live.records import record
from mag7cli.market import groups, symbology
from mag7cli.market.calendar import previous_session
from mag7cli.market.date_quality import DateQuality
from mag7cli.market.groups import CompanyGroup
from mag7cli.market.membership import members_on
from mag7cli.market.records import Split
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.market.trading_hours import TradingHours, trading_hours_at
from mag7cli.vendors.base import MarketDataSource, MinuteStream, SnapshotSource
from mag7cli.vendors.snapshots import SnapshotStream
from mag7cli.vendors.subscription import Feed, plan

_log = logging.getLogger(__name__)

_NAP: Final = timedelta(seconds=30)
_PATIENCE: Final = timedelta(seconds=90)
_NOTHING: Final = "the plan has neither a stream nor snapshots: during the session it serves nothing"


class LiveSource(MarketDataSource, SnapshotSource, Protocol):
    """A vendor that can be asked for splits, and for where securities stand."""


OpenStream = Callable[[Feed, Sequence[str]], MinuteStream]
"""Opens the stream of a feed for some symbols; nothing is sent yet."""


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What to follow and how.

    `group` are tickers of companies, or a rule by which the last close decides who belongs to it; `feed` is the
    stream, None for the plan's. `once` is one point and no record;
    `until_close` ends with the official closes of the day. `interval` is the time from point to point.
    """

    plan: str = "basic"
    group: tuple[str, ...] | CompanyGroup = MAGNIFICENT_7
    feed: Feed | None = None
    interval: timedelta = timedelta(minutes=1)
    once: bool = False
    until_close: bool = False


def follow_sessions(
    lake: Lake, source: LiveSource, open_stream: OpenStream, *, request: LiveRequest, clock: SystemClock
) -> Iterator[LiveUpdate | MarketClosed]:
    """Points of the session, and of the ones after it until somebody has had enough.

    Args:
        lake: Share counts and closes; the minutes are kept in its live zone, under that zone's lock.
        source: Asked for splits and snapshots, at the plan's rate.
        open_stream: Opens the stream.
        request: What to follow, and until when.
        clock: The time.

    Raises:
        LockedError: Another process keeps the minutes of this lake.
        Mag7Error: The lake has no document with share counts.
        PlanError: The plan has neither stream nor snapshots.
        UsageError: The interval is too short, or there is no company of the group.
    """
    if request.interval < timedelta(seconds=1):
        raise UsageError(f"an interval of {request.interval.total_seconds():g} s is too short", hint="--interval 60s")
    points = None if request.once else LivePoints(lake)
    with locked(points.lake, "mag7 live") if points else nullcontext():
        if points:
            points.merge_before(clock.now().date())
        while True:
            now = clock.now()
            hours = trading_hours_at(now)
            if now >= hours.pre_market_open:
                yield from _follow(lake, source, open_stream, request=request, clock=clock, points=points, hours=hours)
                if request.once or request.until_close:
                    return
            else:
                yield MarketClosed(now, hours.pre_market_open, hours.open)
                if request.once or (request.until_close and hours.trading_date != now.date()):
                    return
                _wait_until(hours.pre_market_open, clock)


def _follow(
    lake: Lake,
    source: LiveSource,
    open_stream: OpenStream,
    *,
    request: LiveRequest,
    clock: SystemClock,
    points: LivePoints | None,
    hours: TradingHours,
) -> Iterator[LiveUpdate]:
    """One date, kept minute by minute and merged at its end."""
    question = prepare(lake, source, hours, request.group)
    try:
        for update in _updates(question, source, open_stream, request, clock):
            if points:
                points.append(record(update))
            yield update
    finally:
        if points:
            points.merge(hours.trading_date)


def _updates(
    question: Question, source: LiveSource, open_stream: OpenStream, request: LiveRequest, clock: SystemClock
) -> Iterator[LiveUpdate]:
    """By the stream if the plan has one, else by snapshots. Raises PlanError if it has neither."""
    subscription = plan(request.plan)
    feed = request.feed or subscription.stream or "delayed"
    symbols = question.baseline().symbols
    if subscription.stream or request.feed:
        try:
            yield from _through(open_stream(feed, symbols), question, source, feed, request, clock)
            return
        except PlanError as error:
            if not subscription.has_snapshots:
                raise
            _log.warning("%s; following by snapshots instead", error)
    elif not subscription.has_snapshots:
        raise PlanError(
            f"plan {subscription.name}: {_NOTHING}",
            hint="Starter and Developer have a stream that is 15 minutes late, Advanced one at once; set --plan",
        )
    every_s = max(request.interval.total_seconds(), subscription.rate.seconds_for(2))
    polled = SnapshotStream(source, symbols, every_s=every_s, monotonic=clock.monotonic, sleep=clock.sleep)
    yield from _through(polled, question, source, feed, request, clock)


def _through(
    stream: MinuteStream,
    question: Question,
    source: LiveSource,
    feed: Feed,
    request: LiveRequest,
    clock: SystemClock,
) -> Iterator[LiveUpdate]:
    with closing(stream):
        follower = Follower(
            question,
            stream,
            snapshots=source if plan(request.plan).has_snapshots else None,
            feed=feed,
            kind="snapshots" if isinstance(stream, SnapshotStream) else "stream",
            clock=clock,
            interval=request.interval,
            until_close=request.until_close,
        )
        updates = iter([follower.first_update(_PATIENCE)]) if request.once else follower.updates()
        for update in updates:
            _refuse_another_market(update, is_simulated=stream.simulated or source.simulated)
            yield update


def _refuse_another_market(update: LiveUpdate, *, is_simulated: bool) -> None:
    """Raise UsageError if the counts are of a simulated market and the prices are not, or the other way round."""
    if update.baseline.is_simulated != is_simulated:
        lake, vendor = ("simulated", "real") if update.baseline.is_simulated else ("real", "simulated")
        raise UsageError(f"the lake is of a {lake} market, the vendor is a {vendor} one", hint="choose another --lake")


def prepare(lake: Lake, source: MarketDataSource, hours: TradingHours, group: Sequence[str] | CompanyGroup) -> Question:
    """What is followed on a date: the document of the last close, the splits since, the lines that joined and left.

    Args:
        lake: Has the documents.
        source: Asked once for the splits since the document, and for each company that joined since.
        hours: The date.
        group: Tickers of companies, or the rule of a group.

    Raises:
        Mag7Error: No document before the date has a figure.
        UsageError: A ticker of the group is none of the index.
    """
    today = hours.trading_date
    document, quality = _last_document(lake, today)
    close_date = date.fromisoformat(document["trading_date"])
    without = group.without if isinstance(group, CompanyGroup) else ()
    tickers = _tickers(group, document) if isinstance(group, CompanyGroup) else tuple(group)
    _check_group(document, tickers)
    if close_date < (previous := previous_session(today)):
        _log.warning(
            "the last close in the lake is of %s, not of %s: mag7 run collects what is missing", close_date, previous
        )
    members = _members(document, close_date, today)
    return Question(
        document=document,
        hours=hours,
        group=tickers,
        without=without,
        members=members,
        newcomers=_newcomers(source, document, members or (), close_date, today),
        splits=_splits(lake, source, close_date, today),
        close_bound=_close_bound(document, quality),
    )


def _close_bound(document: Document, quality: DateQuality) -> CloseBound | None:
    """How far the share at the close may be off; None where its document leaves that unknown."""
    metrics, bound = document["concentration_metrics"], quality.bound
    if metrics is None or bound is None:
        return None
    share = float(metrics["mag7_pct_of_sp500"])
    return CloseBound(min(0.0, bound.low_pct - share), max(0.0, bound.high_pct - share))


def _check_group(document: Document, tickers: Sequence[str]) -> None:
    """Raise UsageError for a ticker that is none of the index."""
    known = {row["ticker"] for row in document["sp500_details"].get("constituents", [])}
    if strangers := [ticker or "''" for ticker in tickers if ticker not in known]:
        raise UsageError(
            f"--group: {', '.join(strangers)} was not in the index at the close of {document['trading_date']}",
            hint="--group AAPL,MSFT, or mag7",
        )


def _tickers(group: CompanyGroup, document: Document) -> tuple[str, ...]:
    """Who belongs to a group by the document's market values, of the index without those that it leaves out."""
    caps = {ticker: cap for ticker, cap in company_caps(document).items() if ticker not in group.without}
    return groups.members(group, caps, date.fromisoformat(document["trading_date"]))


def _last_document(lake: Lake, before: date) -> tuple[Document, DateQuality]:
    """The last document before a date that has a figure, and how far that can be trusted; a doubt about it is told."""
    for day in sorted((day for day in lake.documents() if day < before), reverse=True):
        document = lake.read_document(day)
        quality = date_quality(document, events_of(lake, day, document))
        if quality.has_figure:
            _tell_doubts(lake, day, quality)
            return document, quality
    raise Mag7Error(
        f"the lake has no date with a figure before {before}", hint="mag7 run collects one; or try mag7 demo"
    )


def _tell_doubts(lake: Lake, day: date, quality: DateQuality) -> None:
    """The share of the session rests upon the counts of a close, and is no better than they are."""
    if quality.status == "suspect":
        _log.warning("the close of %s, which the share rests upon, is suspect: %s", day, "; ".join(quality.reasons))
    for check in failed_checks.read(lake):
        if check.concerns(day):
            _log.warning("the close of %s, which the share rests upon, fails a check: %s", day, check.sentence)


def _members(document: Document, close_date: date, today: date) -> frozenset[str] | None:
    """The lines of the index today, if some joined or left since the document; None if not."""
    before, now = (
        frozenset(member.ticker for member in members_on(day, {}).constituents) for day in (close_date, today)
    )
    if before == now:
        return None
    tickers = frozenset(row["ticker"] for row in document["sp500_details"].get("constituents", []))
    return (tickers - (before - now)) | (now - before)


def _newcomers(
    source: MarketDataSource, document: Document, members: Collection[str], close_date: date, today: date
) -> tuple[LiveConstituent, ...]:
    """The companies that joined since the document, valued as the vendor values them at its date.

    One that the vendor cannot value is left out; so is a further class of a company that is there.
    """
    tickers = {row["ticker"] for row in document["sp500_details"].get("constituents", [])}
    companies = {symbology.company_cik(ticker) for ticker in tickers} - {None}
    joined = [ticker for ticker in sorted(members) if ticker not in tickers]
    newcomers = (
        _newcomer(source, ticker, close_date, today)
        for ticker in joined
        if symbology.company_cik(ticker) not in companies
    )
    return tuple(newcomer for newcomer in newcomers if newcomer)


def _newcomer(source: MarketDataSource, ticker: str, close_date: date, today: date) -> LiveConstituent | None:
    try:
        details = source.details(symbology.details_symbols_on(ticker, close_date)[0], close_date)
    except AuthenticationError:
        raise
    except MarketDataError as error:
        _log.warning("no share count of %s, which joined: %s", ticker, error)
        return None
    if not details.weighted_shares or not details.market_cap_usd:
        return None
    return LiveConstituent(
        ticker=ticker,
        symbol=symbology.symbol_on(ticker, today),
        name=details.name,
        shares=float(details.weighted_shares),
        close_usd=details.market_cap_usd / details.weighted_shares,
    )


def _splits(lake: Lake, source: MarketDataSource, close_date: date, today: date) -> tuple[Split, ...]:
    """The splits that execute after the document and by today: what the vendor lists now, else what the lake knows."""
    try:
        listed: Sequence[Split] = source.splits(close_date + timedelta(days=1), today)
    except AuthenticationError:
        raise
    except MarketDataError as error:
        _log.warning("splits as of the last run: %s", error)
        listed = [split for splits in read_splits(lake).by_ticker.values() for split in splits]
    return tuple(split for split in listed if close_date < split.execution_date <= today)


def _wait_until(moment: datetime, clock: SystemClock) -> None:
    """Wait, in naps: a machine that slept meanwhile must not sleep on."""
    while (left := moment - clock.now()) > timedelta(0):
        clock.sleep(min(left, _NAP).total_seconds())
