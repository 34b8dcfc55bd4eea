"""A session followed over real WebSockets with everything going wrong: nothing is lost, and the last share is right."""

from collections.abc import Mapping

import pytest
from tests.simulators.live_market import DAY, LiveMarket, document, live_market

from mag7cli.live.baseline import baseline, share_pct
from mag7cli.live.follow import Follower, LiveUpdate, Question
from mag7cli.market.trading_hours import TradingPhase
from mag7cli.vendors.polygon import open_source, open_stream
from mag7cli.vendors.sandbox.intraday import Oddities
from mag7cli.vendors.sandbox.stream import StreamFault

OPEN = 330  # minutes after the pre-market's opening

EVERY_FAULT = (
    StreamFault(OPEN + 5, "duplicate"),
    StreamFault(OPEN + 8, "reverse"),
    StreamFault(OPEN + 11, "late", minutes=3),
    StreamFault(OPEN + 20, "corrected"),
    # More than once, for on a busy machine the connection may not stand yet when the first ones come.
    StreamFault(OPEN + 22, "malformed"),
    StreamFault(OPEN + 65, "malformed"),
    StreamFault(OPEN + 140, "malformed"),
    StreamFault(OPEN + 24, "not_json"),
    StreamFault(OPEN + 30, "abort", minutes=5),
    StreamFault(OPEN + 75, "going_away", minutes=5),
    StreamFault(OPEN + 110, "normal_close"),
    StreamFault(OPEN + 150, "silence", minutes=45),
    StreamFault(OPEN + 209, "corrected"),
)


def followed(vendor: LiveMarket, *, with_snapshots: bool) -> tuple[Follower, list[LiveUpdate]]:
    question = Question(document(), vendor.session.hours)
    source = open_source(vendor.environ, plan="advanced", clock=vendor.clock)
    symbols = question.baseline().symbols
    follower = Follower(
        question,
        open_stream(vendor.environ, "realtime", symbols),
        snapshots=source if with_snapshots else None,
        feed="realtime",
        clock=vendor.clock,
        until_close=True,
    )
    updates = list(follower.updates())
    source.close()
    return follower, updates


def closing_share(prices: Mapping[str, float]) -> float:
    """The share by closes, of the constituents before the session."""
    base = baseline(document(), DAY)
    return share_pct({one.ticker: one.shares * prices[one.symbol] for one in base.constituents}, base.group)


def test_with_every_fault_on_the_last_share_is_that_of_the_closes() -> None:
    with live_market(faults=EVERY_FAULT) as vendor:
        follower, updates = followed(vendor, with_snapshots=True)

    last = updates[-1]
    closes = {symbol: bar.close_usd for symbol, bar in vendor.session.bars.items()}
    assert last.is_last
    assert last.point.has_closes
    assert last.point.phase is TradingPhase.REGULAR
    assert last.point.traded_count == last.point.constituents_count
    assert last.point.share_pct == pytest.approx(closing_share(closes), abs=0.001)
    assert last.status.reconnects >= 4
    assert last.status.rejected >= 5
    assert follower.book.counts.of_others == follower.book.counts.of_another_day == 0


def test_by_the_stream_alone_the_last_share_is_that_of_the_last_minutes() -> None:
    # Slower, for there is no second way to what a busy machine is too late for.
    with live_market(faults=EVERY_FAULT, speed=1200) as vendor:
        _, updates = followed(vendor, with_snapshots=False)

    session = vendor.session
    minute = session.close_minute - 1
    prices = {symbol: message["c"] for symbol in session.bars if (message := session.message(symbol, minute))}
    assert not updates[-1].point.has_closes
    assert updates[-1].point.share_pct == pytest.approx(closing_share(prices), abs=1e-9)
    # The closing auction is not in it: that is what the official close adds.
    closes = {symbol: bar.close_usd for symbol, bar in session.bars.items()}
    assert abs(updates[-1].point.share_pct - closing_share(closes)) < 0.05


def test_a_company_that_does_not_trade_is_within_the_bound_and_a_halt_is_said() -> None:
    oddities = Oddities(untraded=("XOM",) if "XOM" in _symbols() else (_symbols()[-1],), halted={"NVDA": (30, 180)})
    with live_market(oddities=oddities, speed=3600) as vendor:
        _, updates = followed(vendor, with_snapshots=True)

    closes = {symbol: bar.close_usd for symbol, bar in vendor.session.bars.items()}
    last = updates[-1].point
    assert last.untraded == tuple(oddities.untraded)
    assert last.low_pct <= closing_share(closes) <= last.high_pct
    assert any(update.point.halted == ("NVDA",) for update in updates)
    assert last.halted == ()


def _symbols() -> tuple[str, ...]:
    return baseline(document(), DAY).symbols
