"""One session from the vendor's stream to points: seeded by a snapshot, followed through every interruption.

The prices are the book's, whose order does not matter; here is decided when to look at them, when to distrust the
connection, and when the date is over. Times are the clock's, so that a simulated session may run faster than a real
one.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from mag7cli.core.clock import SystemClock
from mag7cli.core.errors import AuthenticationError, MarketDataError, PlanError, StoppedEarlyError
from mag7cli.lake.document import Document
from mag7cli.live.baseline import Baseline, CloseBound, LiveConstituent, baseline
from mag7cli.live.prices import PriceBook
from mag7cli.live.share import LivePoint, live_point
from mag7cli.market.records import Split
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.market.trading_hours import TradingHours, TradingPhase
from mag7cli.vendors.base import MinuteStream, Received, SnapshotSource
from mag7cli.vendors.subscription import Feed

_log = logging.getLogger(__name__)

DELAY: Final[dict[Feed, timedelta]] = {"delayed": timedelta(minutes=15), "realtime": timedelta(0)}

# The bars of a minute arrive within some seconds of its end.
_SETTLE: Final = timedelta(seconds=5)
# Of five hundred large companies one trades every few seconds. However fast a simulated session runs, the machine that
# follows it may be busy for a moment.
_SILENCE: Final = timedelta(seconds=150)
_BUSY: Final = timedelta(seconds=0.75)
# A wall clock that gains this much on the stopwatch was set, or the machine was asleep.
_JUMP: Final = timedelta(seconds=30)
# The closing auction and its late trades, before the official closes are asked for.
_AFTER_CLOSE: Final = timedelta(minutes=2)
_STEP_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """Where prices come from, and how the connection is: `since` the last change of `is_connected`.

    `reason` says why it is not, empty before the first try; `rejected` is how many messages could not be true.
    """

    kind: Literal["stream", "snapshots"]
    feed: Feed
    is_connected: bool
    since: datetime
    reason: str
    reconnects: int
    rejected: int


@dataclass(frozen=True, slots=True)
class LiveUpdate:
    """A point, with what it was computed from; `is_last` after which nothing more comes of the date."""

    point: LivePoint
    baseline: Baseline
    status: FeedStatus
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class MarketClosed:
    """Nothing trades at `now`; the pre-market opens at `pre_market_open`, the session at `open`."""

    now: datetime
    pre_market_open: datetime
    open: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What is followed: a document of the last close, a date, a group, the companies that are left out of group and
    index, the lines of the index that day, with counts for those that joined since, the splits that may execute
    meanwhile, and the bound of the share at that close.
    """

    document: Document
    hours: TradingHours
    group: Sequence[str] = MAGNIFICENT_7
    without: tuple[str, ...] = ()
    members: frozenset[str] | None = None
    newcomers: Sequence[LiveConstituent] = ()
    splits: Sequence[Split] = ()
    close_bound: CloseBound | None = None

    def baseline(self, first_prices: dict[str, float] | None = None) -> Baseline:
        """The index before the session, as far as the first prices confirm it. Raises Mag7Error."""
        return baseline(
            self.document,
            self.hours.trading_date,
            group=self.group,
            without=self.without,
            members=self.members,
            newcomers=self.newcomers,
            splits=self.splits,
            first_prices=first_prices,
            close_bound=self.close_bound,
        )


class Follower:
    """Follows one date.

    Args:
        question: What is followed.
        stream: Where bars come from.
        snapshots: Asked at the start, after a gap, and for the official closes; None if the plan has none.
        feed: Whether prices are late.
        kind: Whether `stream` is one, or snapshots in its place.
        clock: The time.
        interval: From one point to the next.
        until_close: End with the regular session and its official closes, not with after-hours.
    """

    def __init__(
        self,
        question: Question,
        stream: MinuteStream,
        *,
        snapshots: SnapshotSource | None,
        feed: Feed,
        kind: Literal["stream", "snapshots"] = "stream",
        clock: SystemClock,
        interval: timedelta = timedelta(minutes=1),
        until_close: bool = False,
    ) -> None:
        self._question, self._stream, self._snapshots = question, stream, snapshots
        self._feed, self._kind, self._clock, self._interval = feed, kind, clock, interval
        self.baseline = question.baseline()
        self.book = PriceBook(question.hours, self.baseline.symbols)
        hours = question.hours
        delay = DELAY[feed]
        self._closed_at = hours.close + delay + _AFTER_CLOSE
        self._end = hours.after_hours_close + delay + _AFTER_CLOSE
        self._is_until_close = until_close
        self._may_ask_at = clock.now()
        self._is_connected, self._since, self._reason = False, clock.now(), ""
        self._connections = self._rejected = 0
        self._last_bar = clock.now()
        self._silence = max(_SILENCE, _BUSY * clock.speed)
        self._offset_s = self._wall_minus_stopwatch()

    def updates(self) -> Iterator[LiveUpdate]:
        """A point every interval, until the date is over; the last one says so.

        Raises:
            AuthenticationError: The vendor does not know the key.
            PlanError: The plan has no such stream.
        """
        self._ask_snapshots("the start")
        yield from self._points_until(self._closed_at)
        self._ask_snapshots("the official closes", is_pressing=True)
        if at_close := self.update(self._clock.now(), phase=TradingPhase.REGULAR, is_last=self._is_until_close):
            yield at_close
        if not self._is_until_close:
            yield from self._points_until(self._end)

    def _points_until(self, end: datetime) -> Iterator[LiveUpdate]:
        due = self._next_due(self._clock.now())
        while (now := self._clock.now()) < end:
            self.step(min(due, end) - now)
            now = self._clock.now()
            if now >= due:
                due = self._next_due(now)
                if update := self.update(now):
                    yield update
            elif due - now > self._interval:  # the clock was set back
                due = self._next_due(now)

    def step(self, patience: timedelta) -> None:
        """Take in what comes within some time, and look after the connection."""
        longest_s = max(patience.total_seconds(), 0.0) / self._clock.speed
        self._take(self._stream.receive(min(longest_s, _STEP_S)))
        self._watch(self._clock.now())

    def first_update(self, patience: timedelta) -> LiveUpdate:
        """One point, as soon as all companies of the group have a price or the patience is over.

        Raises:
            StoppedEarlyError: Nothing came.
        """
        self._ask_snapshots("the start")
        deadline = self._clock.now() + patience
        while not self._is_priced() and self._clock.now() < deadline:
            self.step(deadline - self._clock.now())
        update = self.update(self._clock.now(), is_last=True)
        if update is None:
            raise StoppedEarlyError(
                f"no price came within {patience.total_seconds():.0f} s: {self._reason or 'not connected'}",
                hint="try again later",
            )
        return update

    def update(self, now: datetime, *, phase: TradingPhase | None = None, is_last: bool = False) -> LiveUpdate | None:
        """The point of this moment, in the phase of its newest minute unless another is asked for.

        Returns:
            None before the first price.
        """
        if self._question.splits:
            self.baseline = self._question.baseline(self._first_prices())
        if self.book.latest_ms is None:
            return None
        point = live_point(self.baseline, self.book, phase or self._phase(self.book.latest_ms), now)
        return LiveUpdate(point, self.baseline, self._status(), is_last) if point else None

    # What comes in

    def _take(self, received: Received) -> None:
        for halt in received.halts:
            self.book.add_halt(halt)
        self.book.add_all(received.bars)
        self._rejected += received.rejected
        if received.bars:
            self._last_bar = self._clock.now()
        for notice in received.notices:
            self._is_connected = notice.kind == "connected"
            self._since, self._reason = self._clock.now(), notice.reason
            if self._is_connected:
                self._connections += 1
                self._last_bar = self._since
                if self._connections > 1 and self._kind == "stream":
                    self._ask_snapshots("what was missed")

    def _ask_snapshots(self, purpose: str, *, is_pressing: bool = False) -> None:
        """One call for where everything stands, at most one an interval unless it is pressing.

        Without it the stream fills the gap by itself, as one company after the other trades.
        """
        now = self._clock.now()
        if self._snapshots is None or (now < self._may_ask_at and not is_pressing):
            return
        self._may_ask_at = now + self._interval
        has_closed = now >= self._closed_at
        try:
            snapshots = self._snapshots.snapshots(self.baseline.symbols)
        except PlanError as error:
            _log.info("no snapshots: %s", error)
            self._snapshots = None
            return
        except AuthenticationError:
            raise
        except MarketDataError as error:
            _log.warning("no snapshot for %s: %s", purpose, error)
            return
        for snapshot in snapshots:
            self.book.add_snapshot(snapshot, has_closed=has_closed)

    # The connection

    def _watch(self, now: datetime) -> None:
        """Start the stream again if it is silent while the market is open, or if the machine was asleep."""
        offset_s = self._wall_minus_stopwatch()
        if abs(offset_s - self._offset_s) > _JUMP.total_seconds() * self._clock.speed:
            self._offset_s, self._last_bar = offset_s, now
            self._restart(now, "the clock jumped: it was set, or this machine slept")
        elif self._is_connected and self._is_open(now) and now - self._last_bar > self._silence:
            self._last_bar = now
            self._restart(now, f"no bar for {self._silence.total_seconds():.0f} s")

    def _restart(self, now: datetime, reason: str) -> None:
        _log.warning("%s: connecting again", reason)
        self._is_connected, self._since, self._reason = False, now, reason
        self._stream.restart(reason)

    def _is_open(self, now: datetime) -> bool:
        """Whether bars of the regular session are to be expected, as late as the feed is."""
        hours, delay = self._question.hours, DELAY[self._feed]
        return hours.open + delay + self._silence <= now < hours.close + delay

    def _wall_minus_stopwatch(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    # What goes out

    def _next_due(self, now: datetime) -> datetime:
        """The next multiple of the interval since the pre-market opened, and a little for its bars to arrive."""
        start = self._question.hours.pre_market_open
        return start + ((now - start - _SETTLE) // self._interval + 1) * self._interval + _SETTLE

    def _phase(self, latest_ms: int) -> TradingPhase:
        """The phase of the newest minute."""
        newest = datetime.fromtimestamp(latest_ms / 1000, tz=self._question.hours.open.tzinfo)
        return self._question.hours.phase(newest - timedelta(milliseconds=1))

    def _first_prices(self) -> dict[str, float]:
        """The first known prices of the session, by which splits are confirmed."""
        prices = {
            symbol: price.usd
            for phase in (TradingPhase.PRE_MARKET, TradingPhase.REGULAR)
            for symbol, price in self.book.prices(phase).items()
        }
        return {**prices, **self.book.opens()}

    def _is_priced(self) -> bool:
        """Whether every company of the group has traded in the phase of the newest minute."""
        update = self.update(self._clock.now())
        return update is not None and all(company.traded_at for company in update.point.companies)

    def _status(self) -> FeedStatus:
        return FeedStatus(
            kind=self._kind,
            feed=self._feed,
            is_connected=self._is_connected,
            since=self._since,
            reason=self._reason,
            reconnects=max(self._connections - 1, 0),
            rejected=self._rejected,
        )
