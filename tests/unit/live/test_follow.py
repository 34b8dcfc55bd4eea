"""Following a session on a clock that only the test moves: silence, sleep, clocks set back, gaps, and the next day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.raw_documents import document

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import (
    AuthenticationError,
    PlanError,
    StoppedEarlyError,
    TickerNotFoundError,
    VendorUnavailableError,
)
from mag7cli.lake import failed_checks
from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.failed_checks import FailedCheck
from mag7cli.lake.layout import Lake
from mag7cli.live.baseline import CloseBound
from mag7cli.live.follow import Follower, LiveUpdate, MarketClosed, Question
from mag7cli.live.points import LivePoints
from mag7cli.live.session import LiveRequest, follow_sessions, prepare
from mag7cli.market.intraday import MinuteBar, Snapshot
from mag7cli.market.records import Split, TickerDetails
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.market.trading_hours import TradingPhase, trading_hours
from mag7cli.vendors.base import Received, StreamNotice
from mag7cli.vendors.snapshots import SnapshotStream

YESTERDAY, TODAY = date(2024, 6, 7), date(2024, 6, 10)
HOURS = trading_hours(TODAY)
CLOSES = {row["symbol"]: row["close_price"] for row in document(YESTERDAY)["sp500_details"]["constituents"]}
SYMBOLS = tuple(CLOSES)


class Clock:
    """A wall clock and a stopwatch that go together, unless a test moves the wall clock alone."""

    speed = 1.0

    def __init__(self, start: datetime) -> None:
        self.wall = start
        self.stopwatch = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.stopwatch

    def sleep(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.stopwatch += seconds


@dataclass
class Stream:
    """A stream that gives what the test says for each moment, and takes its time for it."""

    clock: Clock
    says: Callable[[datetime], Received]
    simulated: bool = True
    restarts: list[str] = field(default_factory=list)
    is_new: bool = True

    def receive(self, timeout_s: float) -> Received:
        self.clock.sleep(max(timeout_s, 0.01))
        if self.is_new:
            self.is_new = False
            return Received(notices=(StreamNotice("connected", "here"),))
        return self.says(self.clock.now())

    def restart(self, reason: str) -> None:
        self.restarts.append(reason)
        self.is_new = True

    def close(self) -> None:
        pass


@dataclass
class Source:
    """A vendor with snapshots and splits; `fails` is raised by its snapshots."""

    rows: Sequence[Snapshot] = ()
    fails: Exception | None = None
    simulated: bool = True
    asked: int = 0

    def snapshots(self, symbols: Sequence[str]) -> list[Snapshot]:
        self.asked += 1
        if self.fails:
            raise self.fails
        return list(self.rows)

    def splits(self, start: date, end: date) -> list[Split]:
        return []

    splits_with_factors = splits

    def details(self, symbol: str, on: date) -> TickerDetails:
        if symbol == "GDDY":
            raise TickerNotFoundError("404")
        shares = None if symbol == "KKR" else 1_000_000
        return TickerDetails(
            symbol=symbol,
            on=on,
            name="CrowdStrike",
            cik=None,
            composite_figi=None,
            security_type="CS",
            currency="usd",
            market_cap_usd=5e8,
            weighted_shares=shares,
            share_class_shares=shares,
            description=None,
            list_date=None,
        )


def at(text: str, day: date = TODAY) -> datetime:
    return datetime.fromisoformat(f"{day} {text}").replace(tzinfo=NEW_YORK)


def bars(moment: datetime, scale: float = 1.0) -> tuple[MinuteBar, ...]:
    """A bar of every company, of the minute that is over."""
    start = round((moment - timedelta(minutes=1)).replace(second=0, microsecond=0).timestamp() * 1000)
    return tuple(MinuteBar(symbol, start, close * scale, 1.0) for symbol, close in CLOSES.items())


def always(moment: datetime) -> Received:
    return Received(bars(moment))


def nothing(moment: datetime) -> Received:
    return Received()


def follower(clock: Clock, stream: Stream, source: Source | None = None, **options: Any) -> Follower:
    question = Question(document(YESTERDAY), HOURS)
    chosen = {"snapshots": source, "feed": "realtime", "until_close": True} | options
    return Follower(question, stream, clock=clock, **chosen)  # type: ignore[arg-type]


def test_a_minute_after_the_other_it_gives_a_point_some_seconds_after_each() -> None:
    clock = Clock(at("10:00:30"))

    updates = follower(clock, Stream(clock, always)).updates()
    points = [next(updates).point for _ in range(3)]

    assert [f"{point.taken_at:%H:%M:%S}"[:7] for point in points] == ["10:01:0", "10:02:0", "10:03:0"]
    assert [point.minute for point in points] == [at("10:01"), at("10:02"), at("10:03")]


def test_silence_in_an_open_market_has_the_connection_made_again_and_is_said() -> None:
    clock = Clock(at("10:00"))
    stream = Stream(clock, lambda moment: always(moment) if moment < at("10:05") else Received())

    updates = follower(clock, stream).updates()
    seen = [next(updates) for _ in range(14)]

    assert stream.restarts[0] == "no bar for 150 s"
    assert 2 <= len(stream.restarts) <= 4
    assert seen[-1].point.minute == at("10:04")
    assert seen[-1].point.oldest_age_s is not None
    assert seen[-1].point.oldest_age_s > 8 * 60


def test_a_fast_simulated_session_leaves_the_machine_time_to_be_busy() -> None:
    clock = Clock(at("10:00"))
    clock.speed = 600.0
    stream = Stream(clock, nothing)
    following = follower(clock, stream)

    while clock.now() < at("10:07"):
        following.step(timedelta(seconds=1))
    assert stream.restarts == []
    while clock.now() < at("10:09"):
        following.step(timedelta(seconds=1))
    assert stream.restarts == ["no bar for 450 s"]


@pytest.mark.parametrize("start", ["08:00", "16:01"])
def test_silence_outside_the_session_is_none(start: str) -> None:
    clock = Clock(at(start))
    stream = Stream(clock, nothing)
    following = follower(clock, stream, until_close=False)

    for _ in range(4_000):
        following.step(timedelta(seconds=1))

    assert stream.restarts == []


def test_a_machine_that_slept_connects_again_and_asks_where_everything_stands() -> None:
    clock = Clock(at("10:00"))
    source = Source()
    stream = Stream(clock, always)
    updates = follower(clock, stream, source).updates()
    next(updates)
    before = source.asked

    clock.wall = at("11:30")  # the stopwatch stood still
    points = [next(updates).point for _ in range(2)]

    assert stream.restarts == ["the clock jumped: it was set, or this machine slept"]
    assert source.asked == before + 1
    assert points[-1].minute >= at("11:30")


def test_a_clock_that_is_set_back_does_not_stop_the_points() -> None:
    clock = Clock(at("12:00"))
    stream = Stream(clock, always)
    updates = follower(clock, stream).updates()
    next(updates)

    clock.wall = at("11:00")
    points = [next(updates).point for _ in range(2)]

    assert [point.taken_at < at("11:05") for point in points] == [True, True]


def test_a_gap_is_filled_by_one_snapshot_an_interval_however_often_the_connection_comes_back() -> None:
    clock = Clock(at("10:00"))
    source = Source()
    stream = Stream(clock, lambda _: Received(notices=(StreamNotice("lost", "x"), StreamNotice("connected", "y"))))
    following = follower(clock, stream, source, interval=timedelta(minutes=1))

    for _ in range(480):  # four minutes, a quarter of a second each
        following.step(timedelta(seconds=1))

    assert source.asked <= 3


def test_the_official_closes_are_those_of_the_snapshot_after_the_close() -> None:
    clock = Clock(at("15:58"))
    last = dict(zip(SYMBOLS, bars(at("16:00")), strict=True))
    rows = [Snapshot(symbol, last[symbol], None, close * 1.01, None) for symbol, close in CLOSES.items()]

    *_, final = follower(clock, Stream(clock, always), Source(rows)).updates()

    assert final.is_last
    assert final.point.has_closes
    assert (final.point.phase, final.point.minute) == (TradingPhase.REGULAR, at("16:00"))
    assert final.point.share_pct == pytest.approx(final.baseline.share_pct)
    assert final.point.companies[0].price_usd == pytest.approx(CLOSES[final.point.companies[0].ticker] * 1.01)


def test_a_delayed_feed_waits_a_quarter_of_an_hour_longer_for_them() -> None:
    clock = Clock(at("15:58"))

    *_, final = follower(clock, Stream(clock, always), feed="delayed").updates()

    assert final.point.taken_at >= at("16:17")


@pytest.mark.parametrize("error", [PlanError("403"), VendorUnavailableError("503")])
def test_without_a_snapshot_the_stream_goes_on_alone(error: Exception) -> None:
    clock = Clock(at("15:58"))

    *_, final = follower(clock, Stream(clock, always), Source(fails=error)).updates()

    assert not final.point.has_closes


def test_a_key_that_is_refused_by_a_snapshot_is_refused() -> None:
    clock = Clock(at("10:00"))

    with pytest.raises(AuthenticationError):
        next(follower(clock, Stream(clock, always), Source(fails=AuthenticationError("401"))).updates())


def test_one_point_is_given_as_soon_as_the_companies_of_the_group_have_a_price() -> None:
    clock = Clock(at("10:00"))

    update = follower(clock, Stream(clock, always)).first_update(timedelta(seconds=90))

    assert clock.now() < at("10:00:02")
    assert update.point.traded_count == 8


def test_one_point_that_does_not_come_ends_later() -> None:
    clock = Clock(at("10:00"))

    with pytest.raises(StoppedEarlyError, match="no price came within 90 s"):
        follower(clock, Stream(clock, nothing)).first_update(timedelta(seconds=90))


def test_snapshots_in_the_place_of_a_stream_are_asked_for_once_an_interval() -> None:
    clock = Clock(at("10:00"))
    source = Source([Snapshot(bar.symbol, bar, None, None, None) for bar in bars(at("10:00"))])
    stream = SnapshotStream(source, SYMBOLS, every_s=60, monotonic=clock.monotonic, sleep=clock.sleep)

    received = [stream.receive(0.25) for _ in range(4 * 60 * 3)]

    assert source.asked == 3
    assert [len(step.bars) for step in received if step.bars] == [len(SYMBOLS)] * 3
    assert [notice.kind for step in received for notice in step.notices] == ["connected"]


def test_a_snapshot_that_fails_is_a_lost_connection_until_the_next_one() -> None:
    clock = Clock(at("10:00"))
    source = Source(fails=VendorUnavailableError("503"))
    stream = SnapshotStream(source, SYMBOLS, every_s=1, monotonic=clock.monotonic, sleep=clock.sleep)

    lost = stream.receive(0.25)
    source.fails = None
    found = [stream.receive(0.5) for _ in range(4)]

    assert [notice.kind for notice in lost.notices] == ["lost"]
    assert [notice.kind for step in found for notice in step.notices] == ["connected"]


def test_over_midnight_and_the_weekend_the_next_session_begins_with_the_next_document(tmp_path: Path) -> None:
    lake = Lake.at(str(tmp_path))
    lake.write_document(date(2024, 6, 6), document(date(2024, 6, 6)))
    clock = Clock(at("19:58", YESTERDAY))  # a Friday
    events: list[LiveUpdate | MarketClosed] = []

    def open_stream(_: str, __: Sequence[str]) -> Stream:
        return Stream(clock, always)

    request = LiveRequest(plan="advanced", interval=timedelta(minutes=1))
    for event in follow_sessions(lake, Source(), open_stream, request=request, clock=clock):  # type: ignore[arg-type]
        events.append(event)
        if isinstance(event, MarketClosed):
            lake.write_document(YESTERDAY, document(YESTERDAY))  # the run of that night
        if isinstance(event, LiveUpdate) and event.point.trading_date == TODAY:
            break

    closed = [event for event in events if isinstance(event, MarketClosed)]
    first, last = events[0], events[-1]
    assert isinstance(first, LiveUpdate)
    assert isinstance(last, LiveUpdate)
    assert [event.pre_market_open for event in closed] == [at("04:00")]
    assert (first.baseline.close_date, last.baseline.close_date) == (date(2024, 6, 6), YESTERDAY)
    assert last.point.phase is TradingPhase.PRE_MARKET
    assert LivePoints(lake).dates() == [YESTERDAY, TODAY]


def test_lines_that_join_and_leave_this_morning_are_known_from_the_history_of_the_index(tmp_path: Path) -> None:
    """CrowdStrike, GoDaddy and KKR joined on 2024-06-24 for Comerica, Illumina and Robert Half."""
    before = document(date(2024, 6, 21))
    rows = before["sp500_details"]["constituents"]
    leaving = {**rows[-1], "ticker": "ILMN", "symbol": "ILMN", "cik": "0001110803", "counted": True}
    rows.append(leaving)
    lake = Lake.at(str(tmp_path))
    lake.write_document(date(2024, 6, 21), before)

    question = prepare(lake, Source(), trading_hours(date(2024, 6, 24)), ("AAPL",))  # type: ignore[arg-type]
    base = question.baseline()

    assert "ILMN" not in base.symbols
    assert "XOM" in base.symbols
    assert {ticker for ticker, _ in base.left_out} == {"GDDY", "KKR"}
    joined = {entry.ticker: entry for entry in base.constituents}["CRWD"]
    assert (joined.shares, joined.close_usd) == (1_000_000, 500)


def test_a_close_without_a_figure_is_no_base_and_a_doubtful_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake.at(str(tmp_path))
    doubtful = document(date(2024, 6, 20))
    doubtful["doubts"] = [{"ticker": "AAPL", "kind": "step", "used": 1.0, "other": 1.1, "reason": "a step of 10 %"}]
    partial = document(date(2024, 6, 21))
    partial["concentration_metrics"]["mag7_companies_count"] = 6
    lake.write_document(date(2024, 6, 20), doubtful)
    lake.write_document(date(2024, 6, 21), partial)
    failed_checks.write(lake, [FailedCheck("caps", "caps are off", 1, (date(2024, 6, 20),))])

    question = prepare(lake, Source(), trading_hours(date(2024, 6, 24)), ("AAPL",))  # type: ignore[arg-type]

    assert question.document["trading_date"] == "2024-06-20"
    assert "the close of 2024-06-20, which the share rests upon, is suspect: AAPL: a step of 10 %" in caplog.text
    assert "fails a check: caps: caps are off" in caplog.text


def test_the_bound_of_the_close_is_that_of_its_date(tmp_path: Path) -> None:
    lake = Lake.at(str(tmp_path))
    known = document(date(2024, 6, 20))
    total = float(known["concentration_metrics"]["sp500_total_market_cap"])
    known["uncertainty"] = [{"source": "sampling", "reason": "counts were sampled", "mag7": 0.0, "rest": total / 100}]
    lake.write_document(date(2024, 6, 20), known)
    step = document(date(2024, 6, 21), shares={"XOM": 13_000_000_000})
    step["uncertainty"] = []

    def bound() -> CloseBound | None:
        return prepare(lake, Source(), trading_hours(date(2024, 6, 24)), MAGNIFICENT_7).close_bound  # type: ignore[arg-type]

    quality = date_quality(known)
    assert quality.bound is not None
    share = known["concentration_metrics"]["mag7_pct_of_sp500"]
    assert bound() == CloseBound(quality.bound.low_pct - share, quality.bound.high_pct - share)

    # A step that only the guard sees, between the last two documents, is as much in doubt here as elsewhere.
    lake.write_document(date(2024, 6, 21), step)
    doubtful = bound()
    assert doubtful is not None
    assert doubtful.high_points > 1

    lake.write_document(date(2024, 6, 21), document(date(2024, 6, 21)))
    assert bound() is None
