"""The share of any group, and what happened between two closes, against pandas over the simulated market's truth."""

from collections.abc import Iterator
from datetime import date

import pandas as pd
import pytest
from tests.simulators import true_tables

from mag7cli.analytics import groups as group_shares
from mag7cli.analytics.period import compare, read_returns
from mag7cli.analytics.series import first_of_latest, read_series
from mag7cli.analytics.summary import answer
from mag7cli.core.errors import UsageError
from mag7cli.market.groups import parse
from mag7cli.market.sectors import sector_on
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

BASE, LAST = date(2023, 12, 29), date(2024, 6, 28)


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDbEngine]:
    tables = true_tables.engine()
    yield tables
    tables.close()


@pytest.fixture(scope="module")
def companies() -> pd.DataFrame:
    lines = true_tables.constituents()
    return lines[lines["counted"]].set_index("trading_date")


def share(on: pd.DataFrame, tickers: set[str], without: frozenset[str] = frozenset()) -> float:
    index = on[~on["ticker"].isin(without)]
    return float(100 * index[index["ticker"].isin(tickers)]["market_cap"].sum() / index["market_cap"].sum())


@pytest.mark.parametrize("day", [BASE, LAST])
@pytest.mark.parametrize("without", ["", "NVDA"])
def test_the_ten_largest_are_those_of_the_day(
    engine: DuckDbEngine, companies: pd.DataFrame, day: date, without: str
) -> None:
    on = companies.loc[day]
    left = on[on["ticker"] != without]
    largest = set(left.nlargest(10, "market_cap")["ticker"])

    found = answer(engine, day, group=parse("top10", without))

    assert {company.ticker for company in found.companies} == largest
    assert found.share_pct == pytest.approx(share(on, largest, frozenset({without})), abs=1e-9)


def test_a_sector_and_a_list_of_tickers(engine: DuckDbEngine, companies: pd.DataFrame) -> None:
    on = companies.loc[LAST]
    energy = {ticker for ticker in on["ticker"] if sector_on(ticker, LAST) == "Energy"}

    assert answer(engine, LAST, group=parse("sector:Energy")).share_pct == pytest.approx(share(on, energy), abs=1e-9)
    assert answer(engine, LAST, group=parse("FB,GOOG")).share_pct == pytest.approx(
        share(on, {"META", "GOOGL"}), abs=1e-9
    )


def test_the_seven_by_their_tickers_are_the_seven_of_the_table(engine: DuckDbEngine) -> None:
    by_name = group_shares.read_concentration(engine, parse(",".join(MAGNIFICENT_7)))
    by_table = group_shares.read_concentration(engine, parse("mag7"))

    assert [day.figure.share_pct for day in by_name.days if day.figure] == pytest.approx(
        [day.figure.share_pct for day in by_table.days if day.figure], abs=1e-9
    )


def test_a_group_that_was_never_in_the_index_is_refused(engine: DuckDbEngine) -> None:
    with pytest.raises(UsageError, match="nobody of TWTR"):
        answer(engine, group=parse("TWTR"))


def test_a_period_adds_up(engine: DuckDbEngine) -> None:
    everybody = parse("top500")

    found, whole = compare(engine, BASE, LAST), compare(engine, BASE, LAST, everybody)

    assert sum(company.share_points for company in found.companies) == pytest.approx(found.share_points, abs=1e-9)
    contributions = [company.contribution_pct for company in whole.companies]
    assert sum(contributions) == pytest.approx(found.returns.index_pct, abs=0.02)  # leavers are in no close at the ends
    company = next(company for company in found.companies if company.ticker == "NVDA")
    nvda = true_tables.constituents().query("ticker == 'NVDA'").set_index("trading_date")["close_price"]
    assert company.return_pct == pytest.approx(100 * (10 * nvda[LAST] / nvda[BASE] - 1))
    assert (found.dates, found.suspect, found.partial, found.simulated) == (124, 0, 0, True)


def test_any_group_and_its_rest_recombine_to_the_index(engine: DuckDbEngine) -> None:
    """For groups whose members change by the day, too: who belongs is decided at the close before."""
    sql = group_shares.share_sql(parse("top10"))
    weights = {on: pct / 100 for on, _, _, pct, _ in engine.query(sql).values}  # type: ignore[operator]
    group, seven = read_returns(engine, group=parse("top10")), read_returns(engine)

    assert [each.index_pct for each in group] == pytest.approx([each.index_pct for each in seven], abs=1e-9)
    recombined = [weights[each.base] * each.group_pct + (1 - weights[each.base]) * each.rest_pct for each in group]  # type: ignore[operator]
    # A leaver and a spin-off's parent are in the share of the day before, and have no return.
    off = [abs(a - each.index_pct) for a, each in zip(recombined, group, strict=True)]
    assert sorted(off)[len(off) // 2] < 1e-9
    assert max(off) < 0.01


def test_a_period_whose_close_is_not_collected_names_what_is(engine: DuckDbEngine) -> None:
    with pytest.raises(UsageError, match="2023-11-30 is not in the lake") as refused:
        compare(engine, date(2023, 11, 30), LAST)

    assert refused.value.hint == f"mag7 show 2023-12-01 {LAST}"


def test_the_series_has_a_row_for_each_date_with_all_that_marks_it(engine: DuckDbEngine) -> None:
    rows = read_series(engine, since=first_of_latest(engine, 30))

    assert len(rows) == 30
    assert {(row.status, row.kind.partition(",")[0], row.simulated) for row in rows} == {
        ("complete", "full market capitalisation", True)
    }
    assert rows[-1].on == true_tables.LAST
    assert rows[-1].share_pct == answer(engine).share_pct
