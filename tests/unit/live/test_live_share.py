"""The share during a session: from a document and bars to a point, with age, coverage, bound and splits."""

import math
from datetime import date, datetime, timedelta

import pytest
from tests.simulators.raw_documents import document, partial_document

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import Mag7Error
from mag7cli.live.baseline import Baseline, CloseBound, baseline, share_pct
from mag7cli.live.prices import PriceBook
from mag7cli.live.share import LivePoint, live_point
from mag7cli.market.intraday import MinuteBar, Snapshot, TradingHalt
from mag7cli.market.records import Split
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.market.trading_hours import TradingPhase, trading_hours

YESTERDAY, TODAY = date(2024, 6, 7), date(2024, 6, 10)
HOURS = trading_hours(TODAY)
DOCUMENT = document(YESTERDAY)
BASELINE = baseline(DOCUMENT, TODAY)
CLOSES = {row["ticker"]: row["close_price"] for row in DOCUMENT["sp500_details"]["constituents"]}


def at(hour: int, minute: int) -> datetime:
    return datetime(2024, 6, 10, hour, minute, tzinfo=NEW_YORK)


ELEVEN = at(11, 0)


def bar(symbol: str, price: float, moment: datetime, day_open_usd: float | None = None) -> MinuteBar:
    return MinuteBar(symbol, round(moment.timestamp() * 1000), price, 100.0, day_open_usd=day_open_usd)


def point_of(
    *bars: MinuteBar,
    phase: TradingPhase = TradingPhase.REGULAR,
    now: datetime = ELEVEN,
    base: Baseline = BASELINE,
) -> LivePoint:
    book = PriceBook(HOURS, base.symbols)
    book.add_all(bars)
    point = live_point(base, book, phase, now)
    assert point is not None
    return point


def test_before_the_first_bar_there_is_no_point() -> None:
    assert live_point(BASELINE, PriceBook(HOURS, BASELINE.symbols), TradingPhase.REGULAR, at(11, 0)) is None


def test_the_baseline_has_the_share_of_the_document() -> None:
    assert BASELINE.share_pct == pytest.approx(DOCUMENT["concentration_metrics"]["mag7_pct_of_sp500"], abs=1e-9)
    assert "GOOG" not in BASELINE.symbols


def test_the_share_is_of_the_prices_times_the_counts() -> None:
    prices = {ticker: close * (1 + place / 100) for place, (ticker, close) in enumerate(CLOSES.items())}

    point = point_of(*(bar(symbol, price, at(10, 59)) for symbol, price in prices.items()))

    rows = [row for row in DOCUMENT["sp500_details"]["constituents"] if row["counted"]]
    caps = {row["ticker"]: prices[row["ticker"]] * row["shares_outstanding"] for row in rows}
    assert point.share_pct == pytest.approx(share_pct(caps, MAGNIFICENT_7), abs=1e-9)
    assert point.since_close == pytest.approx(point.share_pct - BASELINE.share_pct)
    assert point.low_pct == point.high_pct == point.share_pct
    assert point.traded_count == point.constituents_count == 8
    assert math.fsum(company.pct_of_sp500 for company in point.companies) == pytest.approx(point.share_pct)
    assert math.fsum(company.since_close for company in point.companies) == pytest.approx(point.since_close)


def test_a_company_without_a_trade_stands_at_its_close_and_widens_the_bound() -> None:
    point = point_of(
        *(bar(symbol, CLOSES[symbol] * 1.03, at(10, 59)) for symbol in BASELINE.symbols if symbol != "XOM")
    )

    assert point.untraded == ("XOM",)
    assert point.traded_count == 7
    assert point.low_pct < point.share_pct < point.high_pct
    # Had XOM moved as the others have, the share would be yesterday's: that lies within the bound.
    assert point.low_pct <= BASELINE.share_pct <= point.high_pct


def test_what_the_counts_of_the_last_close_leave_open_is_in_the_bound() -> None:
    bound = CloseBound(-0.05, 0.02)
    bars = [bar(symbol, CLOSES[symbol] * (1.1 if symbol == "XOM" else 1), at(10, 59)) for symbol in BASELINE.symbols]

    point = point_of(*bars, base=baseline(DOCUMENT, TODAY, close_bound=bound))
    of_another_group = point_of(*bars, base=baseline(DOCUMENT, TODAY, group=("AAPL", "XOM"), close_bound=bound))
    without = point_of(*bars)

    # At prices that moved by up to a tenth, a share count that is off costs up to a tenth more.
    assert point.low_pct == pytest.approx(point.share_pct - 0.055)
    assert point.high_pct == pytest.approx(point.share_pct + 0.022)
    assert (point.is_close_bounded, " to " in point.share_text) == (True, True)
    assert (without.is_close_bounded, without.share_text) == (False, f"{without.share_pct:.2f} %")
    assert (of_another_group.is_close_bounded, of_another_group.low_pct) == (False, of_another_group.share_pct)


def test_the_age_is_that_of_the_oldest_last_trade() -> None:
    bars = [bar(symbol, CLOSES[symbol], at(10, 59)) for symbol in BASELINE.symbols if symbol != "TSLA"]

    point = point_of(bar("TSLA", 200.0, at(9, 41)), *bars, now=at(11, 0) + timedelta(seconds=5))

    assert (point.oldest_ticker, point.oldest_at) == ("TSLA", at(9, 42))
    assert point.oldest_age_s == 78 * 60 + 5


def test_pre_market_and_after_hours_prices_do_not_enter_the_regular_session() -> None:
    bars = [bar("NVDA", CLOSES["NVDA"] * 2, at(8, 0)), bar("NVDA", CLOSES["NVDA"] * 3, at(17, 0))]

    assert point_of(*bars).share_pct == BASELINE.share_pct
    before = point_of(*bars, phase=TradingPhase.PRE_MARKET)
    assert {c.ticker: c.price_usd for c in before.companies}["NVDA"] == CLOSES["NVDA"] * 2
    after = point_of(*bars, bar("AAPL", 7.0, at(15, 59)), phase=TradingPhase.AFTER_HOURS)
    prices = {company.ticker: company.price_usd for company in after.companies}
    assert (prices["NVDA"], prices["AAPL"]) == (CLOSES["NVDA"] * 3, 7.0)


def test_a_split_that_executes_this_morning_moves_nothing() -> None:
    splits = [Split("NVDA", TODAY, 1, 10), Split("NVDA", TODAY, 1, 10), Split("TSLA", date(2024, 6, 11), 1, 3)]

    base = baseline(DOCUMENT, TODAY, splits=splits)
    point = point_of(bar("NVDA", CLOSES["NVDA"] / 10, at(10, 59)), base=base)

    assert base.splits == (Split("NVDA", TODAY, 1, 10),)
    assert base.share_pct == pytest.approx(BASELINE.share_pct)
    assert point.since_close == pytest.approx(0, abs=1e-6)


def test_a_split_that_the_first_price_contradicts_is_not_applied() -> None:
    base = baseline(DOCUMENT, TODAY, splits=[Split("NVDA", TODAY, 1, 10)], first_prices={"NVDA": CLOSES["NVDA"] * 1.01})

    assert base.splits == ()
    assert base.constituents == BASELINE.constituents


def test_the_change_since_the_open_is_against_the_official_opens() -> None:
    opened = [bar(symbol, CLOSES[symbol] * 2, at(10, 0), CLOSES[symbol]) for symbol in BASELINE.symbols]
    later = bar("XOM", CLOSES["XOM"], at(10, 30), CLOSES["XOM"])

    point = point_of(*opened, later)

    assert point.since_open == pytest.approx(point.since_close)
    assert point_of(bar("XOM", 1.0, at(10, 0))).since_open is None


def test_a_company_is_halted_only_where_a_message_says_so() -> None:
    book = PriceBook(HOURS, BASELINE.symbols)
    book.add_all([bar("NVDA", 1.0, at(9, 31)), bar("XOM", 1.0, at(10, 30))])
    book.add_halt(TradingHalt("XOM", round(at(10, 31).timestamp() * 1000), is_halted=True))

    point = live_point(BASELINE, book, TradingPhase.REGULAR, at(11, 0))

    assert point is not None
    assert point.halted == ("XOM",)


def test_the_official_closes_of_a_snapshot_after_the_close_are_the_prices_of_the_session() -> None:
    book = PriceBook(HOURS, BASELINE.symbols)
    last = bar("NVDA", 100.0, at(15, 59))
    book.add(last)
    snapshot = Snapshot("NVDA", last, day_open_usd=99.0, day_close_usd=101.0, previous_close_usd=98.0)

    book.add_snapshot(snapshot, has_closed=False)
    assert book.prices(TradingPhase.REGULAR)["NVDA"].usd == 100.0
    book.add_snapshot(snapshot, has_closed=True)
    assert book.prices(TradingPhase.REGULAR)["NVDA"].usd == 101.0
    assert book.counts.again == 2


def test_another_group_is_a_question_of_its_companies() -> None:
    base = baseline(DOCUMENT, TODAY, group=("GOOG", "XOM", "NOSUCH"))

    assert base.group == ("GOOGL", "XOM")
    caps = {row["ticker"]: row["market_cap"] for row in DOCUMENT["sp500_details"]["constituents"] if row["counted"]}
    assert base.share_pct == pytest.approx(float(100 * (caps["GOOGL"] + caps["XOM"]) / sum(caps.values())))


def test_lines_that_left_or_joined_since_the_close_are_said() -> None:
    members = {*CLOSES, "NEWCO"} - {"XOM"}

    base = baseline(DOCUMENT, TODAY, members=members)

    assert "XOM" not in base.symbols
    assert base.left_out == (("NEWCO", "joined since the last close"),)


def test_a_line_that_failed_at_the_close_is_left_out_with_the_reason() -> None:
    assert baseline(partial_document(YESTERDAY), TODAY).left_out == (("NVDA", "no bar"),)


def test_a_document_without_constituents_cannot_be_followed() -> None:
    with pytest.raises(Mag7Error, match="no constituents"):
        baseline(document(YESTERDAY, sp500_details={"failed_tickers": []}), TODAY)


def test_a_company_renamed_since_the_close_is_followed_under_its_new_symbol() -> None:
    before = document(date(2022, 6, 8))
    for row in before["sp500_details"]["constituents"]:
        row["symbol"] = "FB" if row["ticker"] == "META" else row["symbol"]

    assert "FB" in baseline(before, date(2022, 6, 8)).symbols
    assert "META" in baseline(before, date(2022, 6, 9)).symbols


def test_a_company_that_is_quiet_for_long_is_named_with_its_last_trade() -> None:
    point = point_of(
        bar("TSLA", 200.0, at(10, 30)),
        bar("NVDA", 1.0, at(10, 45)),
        bar("AAPL", 1.0, at(10, 50)),
        bar("XOM", 1.0, at(10, 55)),
    )

    assert [(company.ticker, company.since) for company in point.quiet] == [("TSLA", at(10, 31)), ("NVDA", at(10, 46))]
