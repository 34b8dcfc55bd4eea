"""The simulated market: its truth is consistent, it looks like the real one, and its faults are where it says."""

import os
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from tests.simulators.invented_market import invented_market

from mag7cli.core import packaged_data
from mag7cli.core.errors import TickerNotFoundError, UsageError
from mag7cli.market import index_history
from mag7cli.market.calendar import previous_session
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.vendors.sandbox.market import LAST, Market
from mag7cli.vendors.sandbox.quarters import QuarterRule
from mag7cli.vendors.sandbox.reporting import Faults, InjectedFault
from mag7cli.vendors.sandbox.timeline import ratio

SHARED = Path(__file__).parents[3].parent / "shared"
# The latest 10-Q or 10-K cover page on that day.
SHARES_OF_2024_12_13 = {
    "AAPL": 15_115_823_000,
    "MSFT": 7_434_880_776,
    "GOOGL": 12_241_000_000,
    "AMZN": 10_515_011_008,
    "NVDA": 24_490_000_000,
    "META": 2_524_488_533,
    "TSLA": 3_210_059_659,
}


@pytest.fixture(scope="module")
def market() -> Market:
    return Market()


@pytest.fixture(scope="module")
def honest() -> Market:
    return Market(faults=Faults.none())


def of_kind(market: Market, kind: str, ticker: str) -> list[InjectedFault]:
    return [fault for fault in market.injected_faults() if (fault.kind, fault.ticker) == (kind, ticker)]


# The tables


def test_503_lines_are_500_companies() -> None:
    rows = packaged_data.read("constituents")

    assert len({row["ticker"] for row in rows}) == 503
    assert len({row["cik"] for row in rows}) == 500
    assert all(len(row["cik"]) == 10 and row["cik"].isdigit() for row in rows)
    assert {"BRK.B", "BF.B"} <= {row["ticker"] for row in rows}


def test_every_company_with_two_lines_is_in_the_share_class_table() -> None:
    rows = packaged_data.read("constituents")
    counted = {row["counted_ticker"]: row["other_tickers"] for row in packaged_data.read("share_classes")}

    ciks = [row["cik"] for row in rows]
    twice = {row["ticker"] for row in rows if ciks.count(row["cik"]) > 1}
    assert twice == {"GOOGL", "GOOG", "FOXA", "FOX", "NWSA", "NWS"}
    assert [counted[ticker] for ticker in ("GOOGL", "FOXA", "NWSA")] == ["GOOG", "FOX", "NWS"]


def test_the_order_is_that_of_the_weights_in_the_holdings_of_the_same_day() -> None:
    holdings = SHARED / "data" / "IVV_holdings_2024-12-06.csv"
    if not holdings.exists():
        pytest.skip("needs the holdings file, which is not part of the project")
    lines = [line for line in holdings.read_text("utf-8-sig").splitlines() if '"Equity"' in line]
    spelled = {"BRKB": "BRK.B", "BFB": "BF.B"}
    theirs = [line.split('"')[1] for line in lines]

    assert [spelled.get(ticker, ticker) for ticker in theirs] == [
        row["ticker"] for row in packaged_data.read("constituents")
    ]


def test_every_sandbox_table_speaks_of_known_lines() -> None:
    tickers = {row["ticker"] for table in ("constituents", "index_lines") for row in packaged_data.read(table)}

    assert {row["ticker"] for row in packaged_data.read("sandbox_market")} == tickers
    assert {row["ticker"] for row in packaged_data.read("sandbox_splits")} <= tickers
    assert {row["ticker"] for row in packaged_data.read("sandbox_events")} <= tickers


# The truth


@pytest.fixture(scope="module")
def long() -> Market:
    return Market(start=date(2024, 12, 2), end=LAST, faults=Faults.none())


def test_a_market_that_is_asked_for_further_is_the_same_as_far_as_both_go(honest: Market, long: Market) -> None:
    for day in (date(2024, 12, 2), date(2024, 12, 31)):
        assert long.truth.members(day) == honest.truth.members(day)
        assert long.truth.total(day) == honest.truth.total(day)


def test_a_market_goes_on_where_its_first_era_ends(long: Market) -> None:
    before, after = date(2024, 12, 31), date(2025, 1, 2)

    assert len(long.sessions) == 465
    for ticker in MAGNIFICENT_7:
        assert long.truth.close(ticker, after) == pytest.approx(long.truth.close(ticker, before), rel=0.15)
        assert long.truth.shares(ticker, after) == long.truth.shares(ticker, before)


def test_a_split_of_the_second_era_moves_price_and_count(long: Market) -> None:
    before, on = date(2025, 11, 14), date(2025, 11, 17)

    assert long.truth.shares("NFLX", on) == 10 * long.truth.shares("NFLX", before)
    assert long.truth.close("NFLX", on) == pytest.approx(long.truth.close("NFLX", before) / 10, rel=0.15)


@pytest.mark.parametrize(
    ("day", "joiner", "leaver"),
    [
        (date(2025, 9, 22), "APP", "MKTX"),  # both trade before and after
        (date(2025, 11, 28), "SNDK", "IPG"),
        (date(2026, 10, 6), "TWLO", "WBD"),
    ],
)
def test_joiners_trade_before_they_join_and_leavers_until_their_last_day(
    long: Market, day: date, joiner: str, leaver: str
) -> None:
    before = previous_session(day)

    assert leaver in long.truth.members(before)
    assert joiner not in long.truth.members(before)
    assert joiner in long.grouped_bars(before)
    assert joiner in long.truth.members(day)
    assert leaver not in long.truth.members(day)


def test_a_line_that_was_merged_away_has_neither_bars_nor_details(long: Market) -> None:
    last, left = date(2025, 11, 26), date(2025, 11, 28)

    assert "IPG" in long.grouped_bars(last)
    assert "IPG" not in long.grouped_bars(left)
    assert long.bars("IPG", last, left) == long.bars("IPG", last, last)
    assert long.details("IPG", last).name
    with pytest.raises(TickerNotFoundError):
        long.details("IPG", left)


def test_every_member_trades_on_every_session_but_the_last_of_some_mergers(long: Market) -> None:
    missing = {
        (day, ticker)
        for day in long.sessions
        for ticker in set(index_history.constituents_on(day)) - set(long.truth.members(day))
    }

    assert {ticker for _, ticker in missing} == {"ANSS", "CTLT", "DAY", "HES", "HOLX", "JNPR"}


def test_the_same_seed_gives_the_same_market_and_another_seed_another(market: Market) -> None:
    day = date(2023, 3, 1)

    assert Market().truth.total(day) == market.truth.total(day)
    assert Market(seed=8).truth.total(day) != market.truth.total(day)


def test_a_part_of_the_market_has_the_prices_and_counts_of_the_whole(market: Market) -> None:
    part = Market(start=date(2024, 11, 1), end=date(2024, 11, 29))
    day = date(2024, 11, 15)

    assert part.sessions[0] == date(2024, 11, 1)
    assert len(part.sessions) == 20
    assert part.truth.total(day) == market.truth.total(day)


def test_the_anchor_date_has_the_closes_of_the_table(market: Market) -> None:
    anchor = date(2024, 12, 6)

    assert market.truth.close("AAPL", anchor) == 242.84
    assert market.truth.close("NVR", anchor) == 8946.33
    assert len(market.truth.members(anchor)) == 503


def test_the_seven_have_the_share_counts_of_their_cover_pages(market: Market) -> None:
    ours = {ticker: market.truth.shares(ticker, date(2024, 12, 13)) for ticker in MAGNIFICENT_7}

    assert ours == SHARES_OF_2024_12_13


def test_the_seven_grow_dip_in_2022_and_end_near_a_third(market: Market) -> None:
    days = (date(2021, 1, 4), date(2021, 12, 31), date(2022, 12, 30), date(2023, 12, 29), date(2024, 12, 6))

    start, first, dip, recovery, end = (market.truth.mag7_pct(day) for day in days)

    assert 20 < start < first < 30
    assert dip < first - 4
    assert dip < recovery < end
    assert 32 < end < 34


def test_market_cap_is_exact_to_the_cent(honest: Market) -> None:
    day = date(2024, 12, 6)

    assert honest.truth.market_cap("AAPL", day) == Decimal("242.84") * 15_115_823_000
    assert honest.details("AAPL", day).market_cap_usd == 3670726457320.0


def test_the_total_counts_each_company_once(market: Market) -> None:
    day = date(2024, 12, 6)
    truth = market.truth

    assert truth.total(day, ["GOOGL", "GOOG", "AAPL"]) == truth.market_cap("GOOGL", day) + truth.market_cap("AAPL", day)
    assert truth.total(day, ["GOOG", "AAPL"]) == truth.market_cap("GOOG", day) + truth.market_cap("AAPL", day)
    assert len(truth.counted(truth.members(day))) == 500


@pytest.mark.parametrize(
    ("ticker", "execution"),
    [
        ("NVDA", date(2021, 7, 20)),
        ("NVDA", date(2024, 6, 10)),
        ("GE", date(2021, 8, 2)),
        ("WRB", date(2024, 7, 11)),
        ("GOOG", date(2022, 7, 18)),
        ("ETR", date(2024, 12, 13)),
    ],
)
def test_shares_and_closes_step_by_the_ratio_on_the_execution_date(
    market: Market, ticker: str, execution: date
) -> None:
    truth = market.truth
    split = next(s for s in truth.splits() if (s.symbol, s.execution_date) == (ticker, execution))
    before = truth.sessions[truth.sessions.index(execution) - 1]

    assert truth.shares(ticker, execution) == truth.shares(ticker, before) * ratio(split)
    assert truth.close(ticker, execution) * split.ratio == pytest.approx(truth.close(ticker, before), rel=0.15)


def test_counts_step_only_at_quarter_ends_and_splits(market: Market) -> None:
    truth = market.truth
    steps = [b for a, b in pairwise(truth.sessions) if truth.shares("AAPL", a) != truth.shares("AAPL", b)]

    assert len(steps) == 16
    ends = QuarterRule.parse("last-sat:3").period_ends(date(2021, 1, 1), date(2024, 12, 31))
    assert [step - end for step, end in zip(steps, ends, strict=True)] <= [timedelta(days=4)] * 16


def test_bars_are_consistent(market: Market) -> None:
    for bar in [
        *market.bars("AMZN", date(2022, 1, 1), date(2022, 12, 31)),
        *market.bars("AMTM", *market.sessions[::1004]),
    ]:
        assert 0 < bar.low_usd <= min(bar.open_usd, bar.close_usd)
        assert max(bar.open_usd, bar.close_usd) <= bar.high_usd
        assert bar.vwap_usd is not None
        assert bar.low_usd <= bar.vwap_usd <= bar.high_usd
        assert bar.close_usd == round(bar.close_usd, 4)
        assert bar.volume > 0


def test_a_line_is_not_there_before_it_was_listed(market: Market) -> None:
    assert "GEV" not in market.truth.listed(date(2024, 4, 1))
    assert market.bars("GEV", date(2024, 1, 2), date(2024, 4, 3))[0].trading_date == date(2024, 4, 2)
    with pytest.raises(TickerNotFoundError):
        market.details("GEV", date(2024, 4, 1))
    assert market.details("GEV", date(2024, 4, 2)).list_date == date(2024, 4, 2)


def test_truth_is_asked_for_sessions_and_lines_only(market: Market) -> None:
    with pytest.raises(UsageError, match="2024-12-07 is not a session"):
        market.truth.close("AAPL", date(2024, 12, 7))
    with pytest.raises(UsageError, match="FB is not a line"):
        market.truth.close("FB", date(2024, 12, 6))
    with pytest.raises(UsageError, match="starts on 2021-01-04"):
        Market(start=date(2020, 1, 2))


# The vendor


def test_an_honest_vendor_reports_the_truth(honest: Market) -> None:
    for day in (date(2021, 1, 4), date(2021, 7, 19), date(2022, 8, 25), date(2024, 6, 7), date(2024, 11, 15)):
        for ticker in ("AAPL", "NVDA", "GOOG", "MSFT", "TSLA", "ETR"):
            told = honest.details(ticker, day)
            assert told.weighted_shares == honest.truth.shares(ticker, day)
            assert told.share_class_shares == honest.truth.class_shares(ticker, day)
            assert told.market_cap_usd == float(honest.truth.market_cap(ticker, day))
    assert honest.injected_faults() == ()


def test_both_lines_of_a_company_report_the_whole_company(market: Market) -> None:
    day = date(2024, 12, 6)
    a, c = market.details("GOOGL", day), market.details("GOOG", day)

    assert a.weighted_shares == c.weighted_shares == 12_241_000_000
    assert a.cik == c.cik == "0001652044"
    assert a.share_class_shares is not None
    assert a.share_class_shares < 12_241_000_000


def test_a_closed_day_answers_with_the_session_before(market: Market) -> None:
    friday, saturday = market.details("AAPL", date(2024, 12, 6)), market.details("AAPL", date(2024, 12, 7))

    assert saturday.market_cap_usd == friday.market_cap_usd
    assert market.grouped_bars(date(2024, 12, 7)) == {}


def test_meta_is_fb_until_its_day_and_a_fund_before(market: Market) -> None:
    assert [bar.symbol for bar in market.bars("FB", date(2022, 6, 7), date(2022, 6, 10))] == ["FB", "FB"]
    assert market.bars("META", date(2022, 6, 1), date(2022, 6, 9))[0].trading_date == date(2022, 6, 9)
    assert market.details("FB", date(2022, 6, 9)).cik == "0001326801"
    assert market.details("META", date(2022, 6, 10)).cik == "0001326801"
    with pytest.raises(TickerNotFoundError):
        market.details("META", date(2022, 6, 9))
    fund = market.details("META", date(2022, 1, 14))
    assert (fund.security_type, fund.market_cap_usd) == ("ETF", None)
    assert fund.cik != "0001326801"
    assert market.bars("META", date(2021, 1, 4), date(2022, 6, 8))[-1].trading_date == date(2022, 1, 28)


def test_a_new_registrant_keeps_the_symbol(market: Market) -> None:
    assert market.details("BLK", date(2024, 9, 30)).cik == "0001364742"
    assert market.details("BLK", date(2024, 10, 1)).cik == "0002012383"


def test_nvidia_has_ten_times_its_shares_on_the_session_before_its_split(market: Market) -> None:
    friday = date(2024, 6, 7)
    fault = of_kind(market, "split_early", "NVDA")[0]

    assert (fault.first_date, fault.last_date, fault.factor) == (friday, friday, 10.0)
    told = market.details("NVDA", friday)
    assert told.weighted_shares == 10 * market.truth.shares("NVDA", friday)
    assert told.market_cap_usd == float(10 * market.truth.market_cap("NVDA", friday))
    assert market.details("NVDA", date(2024, 6, 6)).weighted_shares == market.truth.shares("NVDA", date(2024, 6, 6))
    assert market.details("NVDA", date(2024, 6, 10)).weighted_shares == market.truth.shares("NVDA", date(2024, 6, 10))


def test_teslas_old_count_lasts_for_three_sessions(market: Market) -> None:
    days = (date(2022, 8, 24), date(2022, 8, 25), date(2022, 8, 26), date(2022, 8, 29), date(2022, 8, 30))

    told = [market.details("TSLA", day).weighted_shares or 0 for day in days]

    assert told[0] == told[1] == told[2] == told[3]
    assert told[4] == 3 * told[0]


def test_history_before_autumn_2021_is_frozen_in_later_share_units(market: Market) -> None:
    early = date(2021, 3, 15)
    told = market.details("NVDA", early)

    assert told.weighted_shares == market.truth.shares("NVDA", date(2021, 10, 1))
    assert told.weighted_shares == pytest.approx(4 * market.truth.shares("NVDA", early), rel=0.02)
    assert told.share_class_shares == market.truth.class_shares("NVDA", early)
    assert told.market_cap_usd == pytest.approx(market.truth.close("NVDA", early) * told.weighted_shares)


def test_microsoft_has_no_market_cap_for_weeks(market: Market) -> None:
    told = market.details("MSFT", date(2024, 11, 15))

    assert (told.market_cap_usd, told.weighted_shares) == (None, None)
    assert told.share_class_shares == market.truth.shares("MSFT", date(2024, 11, 15))
    assert market.details("MSFT", date(2024, 12, 2)).market_cap_usd is not None


def test_a_cik_is_missing_on_the_dates_on_record(market: Market) -> None:
    fault = next(fault for fault in market.injected_faults() if fault.kind == "missing_cik")

    assert market.details(fault.ticker, fault.first_date).cik is None
    assert market.details(fault.ticker, date(2024, 10, 31)).cik is not None


def test_the_glitch_is_one_day_of_one_small_name(market: Market) -> None:
    (fault,) = [fault for fault in market.injected_faults() if fault.kind == "glitch"]

    assert fault.first_date == fault.last_date
    assert fault.ticker not in MAGNIFICENT_7
    told = market.details(fault.ticker, fault.first_date).weighted_shares
    assert told == 10 * market.truth.shares(fault.ticker, fault.first_date)


def test_the_splits_list_lacks_one_row_and_has_duplicates_and_wrong_ones(market: Market) -> None:
    everybody = market.splits(date(2021, 1, 1), date(2024, 12, 31))
    told = [split for split in everybody if not split.symbol.endswith("ZZ")]
    real = market.truth.splits()
    lost, wrong, twice = (
        [f for f in market.injected_faults() if f.kind == kind]
        for kind in ("missing_split", "wrong_split_row", "duplicate_split_row")
    )

    assert [split.symbol for split in real if split not in told] == [fault.ticker for fault in lost]
    assert sorted(split.symbol for split in told if split not in real) == sorted(fault.ticker for fault in wrong)
    assert len(told) == len(real) - len(lost) + len(wrong) + len(twice)
    days = [split.execution_date for split in everybody]
    assert days == sorted(days, reverse=True)
    assert len(everybody) > len(told) + 100


def test_each_fault_can_be_switched_off_alone(market: Market) -> None:
    kinds = {fault.kind for fault in market.injected_faults()}
    one_off = Market(faults=Faults(glitch=False))

    assert {fault.kind for fault in one_off.injected_faults()} == kinds - {"glitch"}


def test_a_part_of_the_market_has_the_faults_of_that_part_only(market: Market) -> None:
    part = Market(start=date(2024, 6, 3), end=date(2024, 6, 14))

    ours = {(fault.kind, fault.ticker) for fault in part.injected_faults()}

    assert ("split_early", "NVDA") in ours
    assert ("split_late", "TSLA") not in ours
    assert set(part.injected_faults()) < set(market.injected_faults())


# Other markets


def test_a_random_market_is_the_same_in_every_process() -> None:
    code = (
        "from datetime import date; from tests.simulators.invented_market import invented_market; "
        "m = invented_market(5, lines=20, end=date(2021, 6, 30)); "
        "print(m.truth.total(m.sessions[0]), m.injected_faults())"
    )
    root = Path(__file__).parents[3]
    source = os.pathsep.join([str(root / "src"), str(root)])

    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": source},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(told) == 1


@pytest.mark.parametrize("seed", range(8))
def test_a_random_market_has_other_names_and_a_consistent_truth(seed: int) -> None:
    market = invented_market(seed, lines=30, end=date(2021, 12, 31))
    truth = market.truth

    tickers = [constituent.ticker for constituent in market.constituents]
    assert set(MAGNIFICENT_7) < set(tickers)
    known = {row["ticker"] for row in packaged_data.read("constituents")}
    assert len(set(tickers) - known) > 15
    for split in truth.splits():
        row = truth.sessions.index(split.execution_date)
        before, on = truth.sessions[row - 1], truth.sessions[row]
        assert truth.shares(split.symbol, on) / truth.shares(split.symbol, before) == pytest.approx(
            split.ratio, rel=0.7
        )
    last = truth.sessions[-1]
    assert 0 < truth.mag7_pct(last) < 100
    assert {truth.symbol(ticker, last) for ticker in truth.listed(last)} <= set(market.grouped_bars(last))
