"""What stands beside the share in the charts: a fund that holds the index, and a session that is not over."""

import json
import math
import re
from collections.abc import Iterator
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from tests.simulators import true_tables
from tests.simulators.fake_clock import FakeClock

from mag7cli.analytics.indicators import beside
from mag7cli.analytics.period import read_returns
from mag7cli.collection import benchmarks
from mag7cli.collection.bar_files import BarFiles, LineFile
from mag7cli.lake.layout import Lake
from mag7cli.live.points import LivePoints
from mag7cli.market.bar_series import BarSeries
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.portfolio import fund_weights, kept_funds
from mag7cli.reporting import png, theme, write
from mag7cli.reporting.page import Page, render, written
from mag7cli.reporting.story import long_date
from mag7cli.vendors.sandbox.fund_files import INDEX_FUND, fund_files
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

SESSION = date(2024, 7, 8)


@pytest.fixture(scope="module")
def market() -> Iterator[DuckDbEngine]:
    tables = true_tables.engine()
    yield tables
    tables.close()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two files of the index fund, the first of a day within the range, and a minute of the session after it."""
    place = Lake.at(str(tmp_path_factory.mktemp("beside")))
    for file in fund_files(true_tables.market(), [date(2024, 2, 1), date(2024, 5, 31)]):
        if file.symbol == INDEX_FUND:
            kept_funds.keep(place, file.symbol, file.data, name="fund.csv", today=file.as_of)
    LivePoints(place).append(minute())
    return place


@pytest.fixture(scope="module")
def page(market: DuckDbEngine, lake: Lake) -> Page:
    return write.compose(market, FakeClock(), fund_weights.of_index_fund(lake, market), lake)


def minute() -> dict[str, Any]:
    return {
        "kind": "intraday, unofficial", "trading_date": f"{SESSION}", "minute": f"{SESSION}T11:04:00-04:00",
        "group": ",".join(MAGNIFICENT_7), "share_pct": 31.5, "low_pct": 31.4, "high_pct": 31.6, "since_close": 0.1,
        "close_date": f"{true_tables.LAST}",
    }  # fmt: skip


def chart(page: Page, name: str) -> Any:
    return next(chart for chart in page.charts if chart.name == name)


def test_the_funds_growth_begins_with_its_first_file_at_the_level_of_the_index(
    page: Page, market: DuckDbEngine, lake: Lake
) -> None:
    days = fund_weights.of_index_fund(lake, market).days
    begins = min(days)
    rows = {row["trading_date"]: row for row in page.datasets["growth"].records()}

    drawn = [row for row in rows.values() if row["fund"] is not None]
    assert [drawn[0]["trading_date"], drawn[-1]["trading_date"]] == [f"{begins}", f"{max(days)}"]
    assert drawn[0]["fund"] == drawn[0]["index"] != 100
    gained = math.prod(1 + day.return_pct / 100 for day in days.values() if day.return_pct is not None)
    assert drawn[-1]["fund"] / drawn[0]["fund"] == pytest.approx(gained, abs=1e-6)
    caption = chart(page, "growth").caption
    assert f"{INDEX_FUND}: by the prices of what its last holdings file lists, without dividends and costs" in caption
    assert "it begins on 1 February 2024, at the level of the index" in caption


def test_share_and_weight_are_told_apart_where_they_end(page: Page) -> None:
    renderer = pytest.importorskip("vl_convert", reason="the report is an optional part of mag7")
    specification = png.standalone(chart(page, "share"), page.datasets, page.answer)
    drawing = renderer.vegalite_to_svg({**specification, "config": theme.config(theme.LIGHT)})

    assert f">{INDEX_FUND}</text>" in drawing
    assert ">Mag 7</text>" in drawing


def test_a_session_after_the_last_close_is_a_mark_behind_the_end_of_the_curve(page: Page) -> None:
    share = chart(page, "share")
    (mark,) = page.datasets["live"].records()

    assert (mark["trading_date"], mark["share_pct"], mark["kind"]) == (f"{SESSION}", 31.5, "intraday, unofficial")
    assert "Diamond: the session of 8 July 2024 at 11:04 New York, intraday and unofficial." in share.caption
    assert mark["trading_date"] > page.datasets["daily"].records()[-1]["trading_date"], "it is never among the closes"
    assert 'id="intraday"' in render(page, "")


def test_the_page_is_written_in_pieces_and_its_data_are_the_data_sets(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = render(page, "")
    monkeypatch.setattr("mag7cli.reporting.page._ROWS_AT_ONCE", 7)
    pieces = list(written(page, ""))

    assert b"".join(pieces).decode() == at_once
    assert max(map(len, pieces)) < len(at_once) / 5, "no piece has all of a large data set"
    data = json.loads(at_once.partition('id="page-data">')[2].partition("</script>")[0])
    assert list(data) == ["simulated", "group", "dates", "company", "datasets", "charts", "themes"]
    for name, dataset in page.datasets.items():
        assert data["datasets"][name]["columns"] == list(dataset.columns)
        assert len(data["datasets"][name]["rows"]) == len(dataset.rows)
        drawn = [list(record.values()) for record in dataset.records()]
        assert data["datasets"][name]["rows"][-2:] == [pytest.approx(row) for row in drawn[-2:]]


def test_without_fund_and_session_nothing_is_said_of_them(market: DuckDbEngine) -> None:
    page = write.compose(market, FakeClock())

    assert page.datasets["live"].rows == ()
    assert {row["fund"] for row in page.datasets["growth"].records()} == {None}
    assert "Diamond" not in chart(page, "share").caption
    assert INDEX_FUND not in chart(page, "growth").caption


def test_series_that_the_lake_keeps_are_drawn_and_a_fund_of_the_index_by_its_own_closes(
    market: DuckDbEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fund that is the index, and one that moves twice as far: what there is to say of them is known.

    XOM stands for a line that joined the index after this version: its bars lie there, too, and are no series.
    """
    monkeypatch.setattr(benchmarks, "_lines", lambda: frozenset(MAGNIFICENT_7))
    place = Lake.at(str(tmp_path))
    returns = read_returns(market)
    for symbol, times in (("IVV", 1), ("SSO", 2), ("XOM", 3)):
        levels = accumulate(returns, lambda level, day, by=times: level * (1 + by * day.index_pct / 100), initial=500.0)
        closes = dict(zip([returns[0].base, *(day.on for day in returns)], levels, strict=True))
        rows = {day.toordinal(): [close] * 4 + [1.0, None] for day, close in closes.items()}
        file = LineFile((min(closes), max(closes)), BarSeries.of_rows(symbol, rows))
        BarFiles(place).keep_line(symbol, file)

    page = write.compose(market, FakeClock(), lake=place)

    growth = page.datasets["growth"].records()
    assert growth[0]["fund"] == 100
    assert [row["fund"] for row in growth] == pytest.approx([row["index"] for row in growth], abs=1e-4)
    assert "IVV: by its own closes, without dividends." in chart(page, "growth").caption
    others = chart(page, "benchmarks")
    assert [reading.ticker for reading in others.reads] == ["IVV", "SSO"]
    moved = re.search(r"IVV (\S+), beta (\S+); SSO (\S+), beta (\S+)\.", others.caption)
    assert moved
    correlation, beta, same, half = map(float, moved.groups())
    assert (correlation, beta / 2) == pytest.approx((same, half), abs=0.01)
    rows_of_one = [row for row in page.datasets["benchmark"].records() if row["ticker"] == "IVV"]
    answer = beside(
        market, {date.fromisoformat(str(row["trading_date"])): float(str(row["fund"])) for row in growth}, "IVV"
    )
    assert [row["return_correlation"] for row in rows_of_one] == pytest.approx(
        [row.return_correlation for row in answer.rows], abs=1e-5
    )
    assert "And with others" in render(page, "")


def test_what_is_guessed_of_a_series_and_where_it_ends_stand_beside_its_figures(
    market: DuckDbEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks, "_lines", lambda: frozenset(MAGNIFICENT_7))
    days = [day.on for day in read_returns(market)]
    halved, last = days[40], days[-20]
    levels = {day: 100 + place % 7 for place, day in enumerate(days) if day <= last}
    rows = {day.toordinal(): [level / (1 + (day >= halved))] * 4 + [1.0, None] for day, level in levels.items()}
    place = Lake.at(str(tmp_path))
    BarFiles(place).keep_line("IVV", LineFile((days[0], last), BarSeries.of_rows("IVV", rows)))

    page = write.compose(market, FakeClock(), lake=place)

    caption = chart(page, "benchmarks").caption
    assert re.search(rf"IVV \S+, beta \S+, until {long_date(last)}\.", caption)
    assert f"Steps taken for splits: IVV on {long_date(halved)}." in caption
