"""A fund's own weight of the Mag 7 from day to day, from the files of the simulated funds."""

import csv
import io
import math
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import pytest
from tests.simulators import true_tables

from mag7cli.lake.layout import Lake
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.portfolio import fund_drift, fund_weights, kept_funds
from mag7cli.portfolio.fund_lines import counted_lines
from mag7cli.portfolio.fund_weights import FundWeightDay
from mag7cli.vendors.sandbox.fund_files import FUND_OF_FUNDS, GROWTH_FUND, INDEX_FUND, FundFile, file_days, fund_files
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

LINES = {*MAGNIFICENT_7, "GOOG"}
DAYS = [date(2023, 12, 1), date(2024, 2, 29), date(2024, 5, 31)]
# Weights are printed with two digits.
ROUNDING = 0.005


@pytest.fixture(scope="module")
def files() -> list[FundFile]:
    sessions = [d for d in true_tables.market().sessions if true_tables.FIRST <= d <= true_tables.LAST]
    return list(fund_files(true_tables.market(), sessions))


@pytest.fixture(scope="module")
def lake(files: list[FundFile], tmp_path_factory: pytest.TempPathFactory) -> Lake:
    place = Lake.at(str(tmp_path_factory.mktemp("funds")))
    for file in files:
        kept_funds.keep(place, file.symbol, file.data, name=f"{file.symbol}.csv", today=file.as_of)
    return place


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDbEngine]:
    tables = true_tables.engine()
    yield tables
    tables.close()


@pytest.fixture(scope="module")
def by_fund(lake: Lake, engine: DuckDbEngine) -> dict[str, dict[date, FundWeightDay]]:
    found: dict[str, dict[date, FundWeightDay]] = {}
    for day in fund_weights.daily(lake, engine):
        found.setdefault(day.fund, {})[day.on] = day
    return found


def printed(file: FundFile) -> dict[str, float]:
    rows = csv.DictReader(io.StringIO(file.data.decode().split("\n\n", 1)[1]))
    return {row["Ticker"]: float(row["Weight (%)"]) for row in rows}


def test_the_funds_have_files_at_the_start_and_at_each_quarters_middle(files: list[FundFile]) -> None:
    assert sorted({file.as_of for file in files}) == DAYS
    assert {file.symbol for file in files} == {INDEX_FUND, GROWTH_FUND, FUND_OF_FUNDS}
    assert file_days([date(2024, 6, 3)]) == [date(2024, 6, 3)]
    assert file_days([]) == []
    assert all(b"Simulated" in file.data for file in files)


def test_on_the_day_of_a_file_the_weights_are_the_printed_ones(files: list[FundFile], by_fund) -> None:
    for file in files:
        if file.symbol == FUND_OF_FUNDS:
            continue
        day = by_fund[file.symbol][file.as_of]
        expected = printed(file)
        assert day.basis == "file"
        assert day.weights_pct.keys() == LINES
        for line, weight in day.weights_pct.items():
            assert weight == pytest.approx(expected[line], abs=ROUNDING + 1e-9), (file.symbol, file.as_of, line)


def test_a_fund_of_funds_is_opened(by_fund) -> None:
    for day in DAYS:
        whole = by_fund[FUND_OF_FUNDS][day].mag7_pct
        parts = 0.70 * by_fund[INDEX_FUND][day].mag7_pct + 0.29 * by_fund[GROWTH_FUND][day].mag7_pct
        assert whole == pytest.approx(parts, abs=0.02)


def test_every_date_from_the_first_file_on_has_a_weight_and_says_how_it_is_known(by_fund) -> None:
    days = by_fund[INDEX_FUND]
    sessions = sorted(set(true_tables.constituents()["trading_date"]))

    assert sorted(days) == sessions
    assert {day.basis for on, day in days.items() if on > DAYS[-1]} == {"carried"}
    assert {day.basis for on, day in days.items() if on < DAYS[-1] and on not in DAYS} == {"interpolated"}
    assert days[date(2024, 4, 15)].as_of == DAYS[1]


def test_between_files_the_weight_is_near_the_true_one_and_without_a_step_at_the_file(by_fund) -> None:
    """The true one is what the fund would have printed on that day; of steps of share counts prices do not know."""
    days = by_fund[INDEX_FUND]
    for on in (date(2024, 1, 16), date(2024, 4, 15), date(2024, 7, 5)):
        truth = next(iter(fund_files(true_tables.market(), [on])))
        weights = printed(truth)
        assert days[on].mag7_pct == pytest.approx(sum(weights[line] for line in LINES), abs=0.25)
    ordered = [days[on].mag7_pct for on in sorted(days)]
    assert max(abs(after - before) for before, after in pairwise(ordered)) < 1.0


def test_what_the_fund_gained_is_what_its_lines_gained(lake: Lake, by_fund) -> None:
    """Bought at the close of a file's day and held to that of the next: pandas, over closes and splits alone."""
    first, last = DAYS[0], DAYS[1]
    weights = fund_weights.weights_in_files(lake)[INDEX_FUND][first]
    lines = true_tables.constituents()
    closes = lines.pivot(index="trading_date", columns="ticker", values="close_price").loc[first:last].ffill()
    for split in true_tables.market().truth.splits():
        if first < split.execution_date <= last and split.symbol in closes:
            closes.loc[closes.index >= split.execution_date, split.symbol] *= split.ratio
    grown = closes.iloc[-1] / closes.iloc[0]
    gain = sum(weight * (grown[counted_lines()[line]] - 1) for line, weight in weights.items())

    days = by_fund[INDEX_FUND]
    level = math.prod(1 + days[on].return_pct / 100 for on in days if first < on <= last)
    assert 100 * (level - 1) == pytest.approx(gain, abs=1e-6)
    assert days[first].return_pct is None
    assert all(days[on].return_pct is not None for on in days if on > first)


def test_a_period_has_the_weight_at_both_closes_and_what_was_gained_between(
    lake: Lake, engine: DuckDbEngine, by_fund
) -> None:
    days = by_fund[INDEX_FUND]
    for base, last in (
        (DAYS[0], DAYS[1]),
        (date(2024, 3, 15), date(2024, 7, 5)),
        (date(2024, 3, 15), date(2024, 4, 12)),
    ):
        found = fund_weights.over_period(lake, engine, base, last)

        assert found is not None
        assert found.then is not None
        assert found.now is not None
        assert (found.then.on, found.now.on, found.fund) == (base, last, INDEX_FUND)
        assert (found.then.mag7_pct, found.now.mag7_pct) == pytest.approx((days[base].mag7_pct, days[last].mag7_pct))
        assert found.then.weights_pct.keys() == set(MAGNIFICENT_7), "both lines of Alphabet are one company"
        level = math.prod(1 + days[on].return_pct / 100 for on in days if base < on <= last)
        assert found.return_pct == pytest.approx(100 * (level - 1))


def test_a_period_before_every_file_has_no_weight(lake: Lake, engine: DuckDbEngine) -> None:
    late = [file for file in kept_funds.kept_files(lake) if file.as_of == DAYS[2]]
    assert late
    assert fund_weights.over_period(lake, engine, date(2023, 1, 3), date(2023, 11, 30)) is None


def test_a_fund_of_which_little_is_priced_has_no_growth_of_its_own(engine: DuckDbEngine) -> None:
    prices = fund_drift.read_prices(engine, DAYS[0], DAYS[1])
    assert prices is not None
    least = fund_drift.LEAST_PRICED_PCT

    def returns(apple: float) -> set[float | None]:
        return {day.return_pct for day in fund_drift.fund_days("X", {DAYS[0]: {"AAPL": apple}}, prices)}

    assert returns(least - 1) == {None}
    assert len(returns(least)) > 50


def test_a_split_moves_no_weight(by_fund) -> None:
    days = by_fund[INDEX_FUND]
    before, after = days[date(2024, 6, 7)].weights_pct["NVDA"], days[date(2024, 6, 10)].weights_pct["NVDA"]

    assert after == pytest.approx(before, rel=0.1)


def test_the_last_file_is_carried_for_half_a_year_and_no_longer(engine: DuckDbEngine, lake: Lake) -> None:
    first = [file for file in kept_funds.kept_files(lake) if file.symbol == INDEX_FUND][:1]

    days = fund_weights.daily(lake, engine, first)

    assert len(days) == fund_drift.LONGEST_CARRY + 1
    assert days[-1].on < true_tables.LAST


def test_three_numbers_of_one_date_are_told_apart(engine: DuckDbEngine, lake: Lake, by_fund) -> None:
    found = fund_weights.weight_on(lake, engine, true_tables.LAST)
    on_file_day = fund_weights.weight_on(lake, engine, DAYS[1])

    assert found is not None
    assert on_file_day is not None
    assert (found.fund, found.as_of, found.on, found.basis) == (INDEX_FUND, DAYS[-1], true_tables.LAST, "carried")
    assert found.mag7_pct == pytest.approx(by_fund[INDEX_FUND][DAYS[-1]].mag7_pct)
    assert found.on_pct == pytest.approx(by_fund[INDEX_FUND][true_tables.LAST].mag7_pct)
    assert found.weights_pct.keys() == set(MAGNIFICENT_7)
    assert (on_file_day.as_of, on_file_day.on_pct) == (DAYS[1], None)
    assert fund_weights.weight_on(lake, engine, DAYS[0] - timedelta(days=1)) is None


def test_without_files_there_is_no_weight(engine: DuckDbEngine, tmp_path) -> None:
    empty = Lake.at(str(tmp_path))

    assert fund_weights.daily(empty, engine) == ()
    assert fund_weights.weight_on(empty, engine, None) is None


def test_the_table_has_the_declared_columns(engine: DuckDbEngine, lake: Lake) -> None:
    tables = true_tables.engine()
    fund_weights.add_table(tables, lake)

    rows = tables.query(
        "SELECT fund, SUM(weight_pct) FROM market_data.fund_weights "
        "WHERE trading_date = '2024-05-31' GROUP BY 1 ORDER BY 1"
    ).values
    tables.close()

    assert [fund for fund, _ in rows] == [FUND_OF_FUNDS, GROWTH_FUND, INDEX_FUND]
    assert all(20 < pct < 70 for _, pct in rows)
