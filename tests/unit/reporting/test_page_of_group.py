"""The page of another group than the Mag 7: its own words, its own figures."""

import html
import json
import re
from collections.abc import Iterator
from datetime import date

import pytest
from tests.simulators import true_tables
from tests.simulators.fake_clock import FakeClock

from mag7cli.analytics.summary import answer
from mag7cli.market.groups import parse
from mag7cli.portfolio.kept_weights import KeptWeights
from mag7cli.reporting import write
from mag7cli.reporting.page import render
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

FUND = KeptWeights("SIMIX", {date(2024, 5, 31): {"AAPL": 7.15}}, {})


def words(source: str) -> str:
    body = re.sub(r"<(script|style)\b.*?</\1>", "", source, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module")
def market() -> Iterator[DuckDbEngine]:
    tables = true_tables.engine()
    yield tables
    tables.close()


@pytest.mark.parametrize("name", ["top10", "sector:Energy", "AAPL,XOM,JPM"])
def test_the_page_of_another_group_speaks_of_it_and_never_of_the_seven(market: DuckDbEngine, name: str) -> None:
    group = parse(name)
    page = write.compose(market, FakeClock(), FUND, group=group)
    told = words(render(page, ""))

    assert f"of the S&P 500 is {group.subject}." in told
    assert not re.search(r"seven|Mag 7|float-adjusted weight, as of", told)
    assert not {"gains", "gain_series", "gain_distribution"} & {chart.name for chart in page.charts}
    specs = json.dumps([chart.spec for chart in page.charts])
    assert not re.search(r"seven|Mag 7", specs.replace("seven_middle", ""))
    assert page.answer.share_pct == answer(market, group=group).share_pct


def test_a_company_is_drawn_also_while_it_was_not_in_the_group(market: DuckDbEngine) -> None:
    page = write.compose(market, FakeClock(), group=parse("top3"))
    rows = page.datasets["company"].records()
    dates = [day.on.isoformat() for day in page.data.concentration.days if day.figure]

    tickers = {row["ticker"] for row in rows}
    assert len(tickers) == 3
    assert len(rows) == 3 * len(dates)
    newest = [row["pct_of_mag7"] for row in rows if row["trading_date"] == dates[-1]]
    assert sum(map(float, newest)) == pytest.approx(100)  # type: ignore[arg-type]
