"""Price returns in SQL against the same arithmetic in pandas, over splits, spin-offs, joiners and leavers."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.simulators import true_tables

from mag7cli.core import packaged_data
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

SPIN_OFFS = {("MMM", date(2024, 4, 1)), ("GE", date(2024, 4, 2))}
REBALANCED = (date(2023, 12, 15), date(2024, 3, 15), date(2024, 6, 21))


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDbEngine]:
    tables = true_tables.engine()
    yield tables
    tables.close()


@pytest.fixture(scope="module")
def daily(engine: DuckDbEngine) -> pd.DataFrame:
    return pd.DataFrame(engine.query("SELECT * FROM market_data.daily_returns ORDER BY trading_date").records())


def wide(value: str) -> pd.DataFrame:
    lines = true_tables.constituents()
    return lines[lines["counted"]].pivot_table(index="trading_date", columns="ticker", values=value)


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    """The return of each company, a row a date: splits undone by the truth, no return on the day of a spin-off."""
    closes = wide("close_price")
    moves = closes / closes.shift()
    for split in true_tables.market().truth.splits():
        if split.execution_date in moves.index and split.symbol in moves.columns:
            moves.loc[split.execution_date, split.symbol] *= split.ratio
    for ticker, day in SPIN_OFFS:
        moves.loc[day, ticker] = np.nan
    return moves - 1


def test_the_spring_has_all_that_can_go_wrong(returns: pd.DataFrame) -> None:
    closes = wide("close_price")
    splits = {s.symbol for s in true_tables.market().truth.splits() if s.execution_date in closes.index}

    assert {"NVDA", "CMG"} <= splits
    assert closes.iloc[-1].isna().sum() > 3  # leavers
    assert closes.iloc[0].isna().sum() > 3  # joiners
    known = {(row["ticker"], date.fromisoformat(row["ex_date"])) for row in packaged_data.read("spin_offs")}
    assert known >= SPIN_OFFS


def test_weighted_by_yesterdays_value_the_index_is_that_of_pandas(daily: pd.DataFrame, returns: pd.DataFrame) -> None:
    caps = wide("market_cap").shift()

    expected = (caps * returns).sum(axis=1) / caps.where(returns.notna()).sum(axis=1) * 100

    assert np.allclose(daily["sp500_return_pct"], expected.iloc[1:], rtol=0, atol=1e-9)


def test_the_index_moves_as_its_value_at_unchanged_counts_and_members(daily: pd.DataFrame) -> None:
    """The level of the market itself: the same companies at both closes, at the share counts of the day before."""
    closes, shares = wide("close_price"), wide("shares_outstanding")
    for split in true_tables.market().truth.splits():
        if split.symbol in closes.columns:
            closes.loc[closes.index < split.execution_date, split.symbol] /= split.ratio
            shares.loc[shares.index < split.execution_date, split.symbol] *= split.ratio
    both = closes.notna() & closes.shift().notna()
    for ticker, day in SPIN_OFFS:
        both.loc[day, ticker] = False
    before, after = (closes.shift() * shares.shift()).where(both), (closes * shares.shift()).where(both)

    expected = 100 * (after.sum(axis=1) / before.sum(axis=1) - 1)

    assert np.allclose(daily["sp500_return_pct"], expected.iloc[1:], rtol=0, atol=1e-9)


def test_the_seven_and_the_rest_recombine_to_the_index(daily: pd.DataFrame) -> None:
    weight = daily["mag7_weight_pct"] / 100

    recombined = weight * daily["mag7_return_pct"] + (1 - weight) * daily["rest_return_pct"]

    assert len(daily) > 140
    assert (recombined - daily["sp500_return_pct"]).abs().max() < 1e-9


def test_the_seven_are_weighted_by_yesterdays_value_too(daily: pd.DataFrame, returns: pd.DataFrame) -> None:
    seven = list(MAGNIFICENT_7)
    caps = wide("market_cap").shift()[seven]

    expected = 100 * (caps * returns[seven]).sum(axis=1) / caps.sum(axis=1)

    assert np.allclose(daily["mag7_return_pct"], expected.iloc[1:], rtol=0, atol=1e-9)


def test_equal_weight_is_that_of_an_account_that_is_kept_by_hand(daily: pd.DataFrame, returns: pd.DataFrame) -> None:
    """Money in each company: the same sum on the evening of a rebalancing, a joiner's on the evening it joins."""
    account: dict[str, float] = {}
    expected = []
    for day, moves in returns.iterrows():
        today = moves.dropna()
        for ticker in wide_members(day):
            account.setdefault(ticker, 1.0)
        held = {ticker: account[ticker] for ticker in today.index}
        gain = sum(held[ticker] * move for ticker, move in today.items())
        expected.append(100 * gain / sum(held.values()) if held else np.nan)
        account = {ticker: value * (1 + today.get(ticker, 0.0)) for ticker, value in account.items()}
        if day in REBALANCED:
            account = dict.fromkeys(account, 1.0)

    assert np.allclose(daily["equal_weight_return_pct"], expected[1:], rtol=0, atol=1e-9)


def wide_members(day: date) -> list[str]:
    """The companies of the session before: they can have a return on this one."""
    dates = sorted(set(true_tables.constituents()["trading_date"]))
    before = [other for other in dates if other < day]
    if not before:
        return []
    lines = true_tables.constituents()
    return list(lines[lines["counted"] & (lines["trading_date"] == before[-1])]["ticker"])


def test_a_split_that_the_list_lacks_or_has_wrong_is_no_loss() -> None:
    tables = true_tables.engine()
    moved = (
        "SELECT price_return_pct FROM market_data.company_returns WHERE ticker = 'NVDA' AND trading_date = '2024-06-10'"
    )
    right = tables.query(moved).values[0][0]

    tables.execute(["DELETE FROM market_data.stock_splits WHERE ticker = 'NVDA'"])
    unlisted = tables.query(moved).values[0][0]
    tables.execute(["INSERT INTO market_data.stock_splits VALUES ('2024-06-10', 'NVDA', 10, 1, 0.1)"])
    inverted = tables.query(moved).values[0][0]
    tables.close()

    assert (unlisted, inverted) == (pytest.approx(right), pytest.approx(right))
    assert abs(right) < 10  # type: ignore[arg-type, operator]


def test_a_line_that_failed_for_a_day_has_its_return_over_both(engine: DuckDbEngine) -> None:
    days = [
        day for (day,) in engine.query("SELECT trading_date FROM market_data.concentration_metrics ORDER BY 1").values
    ]
    failed = days[30]
    tables = true_tables.engine()
    tables.execute([f"DELETE FROM market_data.sp500_constituents WHERE ticker = 'XOM' AND trading_date = '{failed}'"])
    sql = "SELECT trading_date, base_date, price_return_pct FROM market_data.company_returns WHERE ticker = 'XOM'"
    after = {row[0]: row[1:] for row in tables.query(sql).values}
    before = {row[0]: row[1:] for row in engine.query(sql).values}
    tables.close()

    assert failed not in after
    base, move = after[days[31]]
    assert base == days[29]
    both = (1 + before[failed][1] / 100) * (1 + before[days[31]][1] / 100)  # type: ignore[operator]
    assert move == pytest.approx(100 * (both - 1))


def test_a_line_that_was_away_for_long_starts_anew() -> None:
    tables = true_tables.engine()
    tables.execute(
        [
            "DELETE FROM market_data.sp500_constituents "
            "WHERE ticker = 'XOM' AND trading_date BETWEEN '2024-01-08' AND '2024-01-31'"
        ]
    )
    rows = tables.query(
        "SELECT trading_date FROM market_data.company_returns WHERE ticker = 'XOM' AND trading_date > '2024-01-05'"
    ).values
    tables.close()

    assert min(row[0] for row in rows) == date(2024, 2, 2)  # the second day after it came back


def test_dates_that_are_not_collected_are_bridged_and_say_from_where(engine: DuckDbEngine) -> None:
    days = [
        day for (day,) in engine.query("SELECT trading_date FROM market_data.concentration_metrics ORDER BY 1").values
    ]
    tables = true_tables.engine([days[0], days[20], days[21]])  # type: ignore[list-item]
    rows = tables.query("SELECT trading_date, base_date FROM market_data.daily_returns ORDER BY 1").values
    tables.close()

    assert rows == ((days[20], days[0]), (days[21], days[20]))


@pytest.mark.parametrize("sessions", [21, 63])
def test_rolling_returns_are_those_of_pandas_and_the_first_is_of_a_full_window(
    engine: DuckDbEngine, daily: pd.DataFrame, sessions: int
) -> None:
    rows = engine.query(f"SELECT * FROM market_data.rolling_returns WHERE sessions = {sessions} ORDER BY trading_date")
    rolling = pd.DataFrame(rows.records())

    assert len(rolling) == len(daily) - sessions + 1
    assert list(rolling["base_date"]) == list(daily["base_date"].iloc[: len(rolling)])
    for column in ("sp500_return_pct", "mag7_return_pct", "rest_return_pct", "equal_weight_return_pct"):
        expected = (1 + daily[column] / 100).rolling(sessions).apply(np.prod).dropna() * 100 - 100
        assert np.allclose(rolling[column], expected, rtol=0, atol=1e-9)
