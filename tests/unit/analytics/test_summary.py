"""The answer of one date, from the tables of a made-up market."""

from collections.abc import Iterator
from datetime import date

import pytest
from tests.simulators import market_tables

from mag7cli.analytics.summary import FundWeight, answer, plain_name, sparkline
from mag7cli.core.errors import Mag7Error, UsageError
from mag7cli.warehouse.engines.duckdb import DuckDbEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDbEngine]:
    tables = market_tables.engine(320, partial=(310,), suspect=(300,))
    yield tables
    tables.close()


def column(engine: DuckDbEngine, sql: str) -> list[object]:
    return [row[0] for row in engine.query(sql).values]


def test_the_answer_is_the_last_row_of_the_table(engine: DuckDbEngine) -> None:
    day, mag7, index, share = engine.query(
        "SELECT trading_date, total_mag7_market_cap, sp500_total_market_cap, mag7_pct_of_sp500 "
        "FROM market_data.concentration_metrics ORDER BY trading_date DESC LIMIT 1"
    ).values[0]

    found = answer(engine)

    assert (found.on, found.share_pct) == (day, share)
    assert found.mag7_cap_usd == mag7
    assert found.sp500_cap_usd == index
    assert found.kind == "full market capitalisation, each company counted once"
    assert found.quality.status == "complete"


def test_the_seven_are_the_tables_largest_first(engine: DuckDbEngine) -> None:
    found = answer(engine)

    rows = engine.query(
        "SELECT ticker, market_cap, pct_of_mag7, pct_of_sp500 FROM market_data.magnificent7_metrics "
        "WHERE trading_date = CAST(:on AS DATE) ORDER BY ranking",
        {"on": found.on},
    ).values
    shown = [(c.ticker, c.market_cap_usd, c.pct_of_mag7, c.pct_of_sp500) for c in found.companies]
    assert shown == [(ticker, cap, of_mag7, of_index) for ticker, cap, of_mag7, of_index in rows]
    assert {c.ticker: c.name for c in found.companies}["GOOGL"] == "Alphabet"


def test_changes_are_against_the_date_before_the_month_and_the_year(engine: DuckDbEngine) -> None:
    found = answer(engine)
    dates = column(engine, "SELECT trading_date FROM market_data.concentration_metrics ORDER BY 1")

    day, month, year = found.changes.day, found.changes.month, found.changes.year

    assert found.on == date(2022, 3, 25)
    assert day is not None
    assert day.since.on == dates[-2]
    assert month is not None
    assert month.since.on == date(2022, 2, 25)
    assert year is not None
    assert year.since.on == date(2021, 3, 25)
    assert day.difference == pytest.approx(found.share_pct - day.since.value)


def test_no_change_in_a_day_is_told_across_a_date_without_a_figure(engine: DuckDbEngine) -> None:
    found = answer(engine, market_tables.weekday(311))

    assert found.changes.day is None
    assert {company.changes.day for company in found.companies} == {None}
    assert found.changes.month is not None
    assert answer(engine, market_tables.weekday(312)).changes.day is not None


def test_a_date_that_is_asked_for_is_answered_as_of_that_date(engine: DuckDbEngine) -> None:
    found = answer(engine, date(2021, 6, 1))

    assert found.on == date(2021, 6, 1)
    assert found.changes.year is None
    assert found.quality.partial_since == ()
    assert len(found.trend) == 63
    assert found.trend[-1] == found.share_pct


def test_a_suspect_date_says_why(engine: DuckDbEngine) -> None:
    suspect = market_tables.weekday(300)

    quality = answer(engine, suspect).quality

    assert quality.status == "suspect"
    assert quality.reasons == ("ETR: the share count doubles and no split is listed",)


def test_a_partial_date_has_no_answer_and_says_what_to_do(engine: DuckDbEngine) -> None:
    with pytest.raises(Mag7Error, match="MSFT has no market cap") as refused:
        answer(engine, market_tables.weekday(310))

    assert refused.value.hint == "mag7 collect --retry-failed"


def test_a_date_that_was_never_collected_names_the_one_before(engine: DuckDbEngine) -> None:
    with pytest.raises(UsageError, match="2021-06-05 is not in the lake; the last date before it is 2021-06-04"):
        answer(engine, date(2021, 6, 5))


def test_later_partial_dates_are_counted_against_the_answer() -> None:
    tables = market_tables.engine(30, partial=(28, 29), suspect=())

    found = answer(tables)

    assert found.on == market_tables.weekday(27)
    assert found.quality.partial_since == (market_tables.weekday(28), market_tables.weekday(29))

    assert [(group.reason, group.dates) for group in found.quality.partial_reasons] == [("MSFT has no market cap", 2)]


def test_an_empty_lake_has_no_answer() -> None:
    with pytest.raises(Mag7Error, match="no trading date with a figure"):
        answer(market_tables.engine(0))


def test_a_lake_of_partial_dates_says_why_it_has_no_answer() -> None:
    with pytest.raises(Mag7Error, match="no figure on any trading date, 2 dates; on 2: MSFT has no market cap"):
        answer(market_tables.engine(2, partial=(0, 1), suspect=()))


def test_the_funds_own_weight_stays_beside_the_number_with_its_own_date(engine: DuckDbEngine) -> None:
    fund = FundWeight("IVV", date(2024, 12, 6), {"AAPL": 7.15, "NVDA": 6.79})

    found = answer(engine, fund=fund)

    assert found.fund == fund
    assert fund.mag7_pct == pytest.approx(13.94)


def test_simulated_figures_say_so() -> None:
    assert answer(market_tables.engine(5, simulated=True, partial=(), suspect=())).quality.simulated


@pytest.mark.parametrize(
    ("values", "line"),
    [([], ""), ([5.0], "▄"), ([1.0, 1.0], "▄▄"), ([0.0, 7.0], "▁█"), ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█")],
)
def test_a_sparkline_goes_from_the_lowest_to_the_highest(values: list[float], line: str) -> None:
    assert sparkline(values) == line


@pytest.mark.parametrize(
    ("full", "plain"),
    [
        ("Apple Inc.", "Apple"),
        ("Alphabet Inc. Class A Common Stock", "Alphabet"),
        ("Meta Platforms, Inc. Class A Common Stock", "Meta Platforms"),
        ("Tesla, Inc. Common Stock", "Tesla"),
        ("Microsoft Corp", "Microsoft"),
        ("Alphabet (Class A)", "Alphabet"),
        ("Incyte", "Incyte"),
    ],
)
def test_a_company_is_called_by_its_plain_name(full: str, plain: str) -> None:
    assert plain_name(full) == plain
