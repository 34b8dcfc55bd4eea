"""The page without a browser: its figures are the tables', nothing in it can call out, nothing in it can break out."""

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.simulators import market_tables
from tests.simulators.fake_clock import FakeClock

from mag7cli.analytics.statistics import Projection
from mag7cli.core.errors import ExtraMissingError, Mag7Error, StoreError
from mag7cli.core.formatting import pct
from mag7cli.portfolio.kept_weights import KeptWeights
from mag7cli.reporting import charts, datasets, library, motion_charts, png, write
from mag7cli.reporting.catalogue import all_charts
from mag7cli.reporting.charts import Chart
from mag7cli.reporting.datasets import Dataset
from mag7cli.reporting.page import Page, render
from mag7cli.reporting.story import long_date
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

FUND = KeptWeights("iShares Core S&P 500 ETF", {date(2024, 12, 6): {"AAPL": 7.15, "NVDA": 6.79}}, {})
LIBRARY = "window.vegaEmbed = () => {};"


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDbEngine]:
    tables = market_tables.engine(420, partial=(310,), suspect=(140,))
    yield tables
    tables.close()


@pytest.fixture(scope="module")
def page(engine: DuckDbEngine) -> Page:
    return write.compose(engine, FakeClock(datetime(2024, 12, 16, 22, 0, tzinfo=UTC)), FUND)


@pytest.fixture(scope="module")
def source(page: Page) -> str:
    return render(page, LIBRARY)


def script(source: str, which: str) -> str:
    found = re.search(rf"<script{which}>(.*?)</script>", source, re.DOTALL)
    assert found
    return found[1]


def embedded(source: str, number: Callable[[str], Any] = float) -> Any:
    return json.loads(script(source, ' type="application/json" id="page-data"'), parse_float=number)


def words(source: str) -> str:
    """The text of the page as it is read, scripts and styles left out."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", source, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ").split())


def test_the_answer_comes_first_with_its_date_its_kind_and_its_quality(engine: DuckDbEngine, source: str) -> None:
    share = engine.query(
        "SELECT mag7_pct_of_sp500 FROM market_data.concentration_metrics ORDER BY trading_date DESC LIMIT 1"
    ).values[0][0]

    told = words(source)
    first_screen = told[told.index("Close of") : told.index("The Mag 7 Company")]
    assert first_screen.index("Close of Friday 12 August 2022") < first_screen.index(pct(share)) < 50
    assert "full market capitalisation, each company counted once" in first_screen
    assert "13.94 % the fund's own float-adjusted weight, as of 6 December 2024" in first_screen
    assert "This date is complete." in first_screen
    assert f"The share is {pct(share)} ± 0.03 in the worst case" in first_screen
    assert "joins and leaves known until" in first_screen
    assert "420 dates: 418 complete, 1 suspect, 1 partial" in first_screen


def test_every_embedded_figure_is_the_tables(engine: DuckDbEngine, source: str) -> None:
    data = embedded(source)["datasets"]

    table = engine.query(
        "SELECT CAST(s.trading_date AS VARCHAR), s.status, s.partial_reason, m.mag7_pct_of_sp500, "
        "s.mag7_pct_low, s.mag7_pct_high, CAST(m.total_mag7_market_cap AS DOUBLE), "
        "CAST(m.sp500_total_market_cap AS DOUBLE), s.failed_count, "
        "s.top10_pct, s.hhi, s.effective_n FROM market_data.daily_summary s "
        "LEFT JOIN market_data.concentration_metrics m USING (trading_date) ORDER BY 1"
    ).values
    # What stands beside the share comes last: the fund's weight, of which these tables have none.
    assert [tuple(row[:12]) for row in data["daily"]["rows"]] == list(table)
    assert data["daily"]["columns"][12:] == ["companies_count", "fund_weight_pct"]
    companies = engine.query(
        "SELECT CAST(trading_date AS VARCHAR), ticker, CAST(market_cap AS DOUBLE), pct_of_mag7, pct_of_sp500 "
        "FROM market_data.magnificent7_metrics ORDER BY trading_date, ranking"
    ).values
    assert [tuple(row) for row in data["company"]["rows"]] == list(companies)


def test_embedded_money_has_every_digit_of_the_tables(engine: DuckDbEngine, source: str) -> None:
    columns, rows = embedded(source, Decimal)["datasets"]["daily"].values()
    totals = {row[0]: row[columns.index("sp500_total_market_cap")] for row in rows}

    table = engine.query(
        "SELECT CAST(trading_date AS VARCHAR), sp500_total_market_cap FROM market_data.concentration_metrics"
    )
    assert {day: total for day, total in totals.items() if total is not None} == dict(table.values)


def test_growth_and_sectors_are_the_views(engine: DuckDbEngine, source: str) -> None:
    data = embedded(source)["datasets"]

    returns = engine.query("SELECT mag7_return_pct FROM market_data.daily_returns ORDER BY trading_date").values
    level = math.prod(1 + pct / 100 for (pct,) in returns)
    columns = data["growth"]["columns"]
    first, last = data["growth"]["rows"][0], data["growth"]["rows"][-1]
    assert first[columns.index("mag7")] == 100
    assert last[columns.index("mag7")] == pytest.approx(100 * level, abs=1e-5)
    assert len(data["growth"]["rows"]) == len(returns) + 1
    over_a_year = engine.query(
        "SELECT CAST(trading_date AS VARCHAR), mag7_return_pct FROM market_data.rolling_returns "
        "WHERE sessions = 252 ORDER BY trading_date"
    ).values
    assert [row[0] for row in data["rolling"]["rows"]] == [day for day, _ in over_a_year]
    assert [row[1] for row in data["rolling"]["rows"]] == pytest.approx([pct for _, pct in over_a_year], abs=1e-5)
    total = engine.query(
        "SELECT SUM(pct_of_sp500) FROM market_data.sp500_constituents GROUP BY trading_date ORDER BY trading_date DESC"
    ).values[0][0]
    newest = data["sector"]["rows"][-1][0]
    assert sum(row[2] for row in data["sector"]["rows"] if row[0] == newest) == pytest.approx(total, abs=1e-3)


def test_figures_of_others_are_marked_as_theirs_and_of_another_kind(source: str) -> None:
    told = words(source)
    scale = told[told.index("For scale: figures of others") : told.index("Can I trust it?", told.index("For scale"))]

    assert "published by others of the real market, and is of another kind" in scale
    assert "2024 38 % Visual Capitalist" in scale
    assert "1980 25.54 % Janney" in scale


def test_the_data_is_embedded_once(source: str) -> None:
    assert source.count('"sp500_total_market_cap","failed_count"') == 1
    assert source.count("2021-06-01") < 40


def test_the_policy_allows_nothing_but_the_pages_own_scripts(source: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', source)

    assert policy
    assert policy[1].startswith("default-src 'none'; ")
    allowed = set(re.findall(r"'sha256-[^']+'", policy[1]))
    own = {script(source, ""), script(source, ' type="text/plain" id="library"')}
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in own}
    assert allowed == hashes
    assert "unsafe-eval" not in policy[1]


def test_nothing_in_the_page_names_another_place(source: str) -> None:
    assert re.findall(r"""(?:src|href|action)\s*=\s*["'](?!#)[^"']*""", source) == []
    assert re.findall(r"@import|url\(", source) == []
    assert re.findall(r"https?://[^\s\"'<]*", source) == []


def test_text_from_the_tables_cannot_become_markup(page: Page) -> None:
    evil = '</script><img src=x onerror="alert(1)">'
    company = replace(page.answer.companies[0], name=evil)
    day = replace(page.data.concentration.days[310], reason=evil)
    days = (*page.data.concentration.days[:310], day, *page.data.concentration.days[311:])
    concentration = replace(page.data.concentration, days=days, doubts=())
    data = replace(page.data, concentration=concentration)
    answer = replace(page.answer, companies=(company, *page.answer.companies[1:]))
    columns = datasets.build(data)

    source = render(replace(page, data=data, answer=answer, datasets=columns, story=(evil,)), LIBRARY)

    assert "<img" not in source
    assert source.count("</script>") == 3
    assert evil in {row[2] for row in embedded(source)["datasets"]["daily"]["rows"]}


def test_a_library_cannot_end_its_own_element(page: Page) -> None:
    source = render(page, 'const a = "</script><!--";')

    assert source.count("</script>") == 3
    assert "<!--" not in source


def test_a_real_market_is_not_marked_as_simulated(source: str) -> None:
    assert "simulated" not in words(source).lower()


def test_a_simulated_market_is_marked_in_the_title_the_banner_and_at_every_chart() -> None:
    tables = market_tables.engine(30, simulated=True, partial=(), suspect=())
    page = write.compose(tables, FakeClock())

    source = render(page, LIBRARY)

    assert "<title>SIMULATED: " in source
    assert words(source).split("Skip to the charts ")[1].startswith("SIMULATED MARKET: no figure here is real")
    assert source.count('<span class="tag">SIMULATED</span>') == len(page.charts)
    picture = png.standalone(page.charts[0], page.datasets, page.answer)
    assert picture["title"]["text"] == "SIMULATED: The share of the Mag 7"


def test_without_a_holdings_file_the_funds_weight_is_unknown(page: Page) -> None:
    source = render(replace(page, answer=replace(page.answer, fund=None)), LIBRARY)

    assert "In a fund you can buy unknown" in words(source)


def test_all_that_the_issue_asked_for_is_drawn(page: Page) -> None:
    assert [chart.name for chart in page.charts] == [
        "share", "growth", "rolling", "stacked", "then_and_now", "contribution", "company_share", "company_cap",
        "effective", "sectors", "gains", "gain_distribution", "gain_series", "correlation", "beta", "failures",
    ]  # fmt: skip


def test_a_projection_is_drawn_where_its_record_is_what_its_label_says(page: Page) -> None:
    days = [day for day in page.data.concentration.days if day.figure]
    projection = Projection((), 1_005, 18, 23, 63)

    charts = {chart.name: chart for chart in all_charts(days, ["NVDA"], page.datasets["event"], projection)}

    assert "of 23 such intervals of the past, each from what was known then, 18 held" in charts["projection"].caption


def test_no_chart_has_two_scales_and_a_bar_is_as_wide_as_its_day(page: Page) -> None:
    days = [day for day in page.data.concentration.days if day.figure]
    specs = [chart.spec for chart in all_charts(days, ["NVDA"], page.datasets["event"], None)]
    bars = [mark for mark in re.findall(r'\{"type": "bar"[^}]*\}', json.dumps(specs)) if '"width"' in mark]

    assert '"independent"' not in json.dumps(specs)
    assert all("86400000" in mark for mark in bars)
    assert bars


def test_two_dates_are_enough_for_a_page() -> None:
    page = write.compose(market_tables.engine(2, partial=(), suspect=()), FakeClock())

    assert "projection" not in {chart.name for chart in page.charts}
    assert "2 dates: 2 complete" in words(render(page, LIBRARY))


def test_a_young_lake_says_what_a_chart_needs_in_place_of_an_empty_frame() -> None:
    page = write.compose(market_tables.engine(1, partial=(), suspect=()), FakeClock())
    source = render(page, LIBRARY)

    assert words(source).count("This needs 2 trading dates with a figure; the lake has 1.") == 10
    assert words(source).count("This needs 64 trading dates with a figure; the lake has 1.") == 2
    assert re.findall(r'data-chart="(\w+)"', source) == ["failures"]


def test_one_date_is_enough_for_a_page() -> None:
    page = write.compose(market_tables.engine(1, partial=(), suspect=()), FakeClock())

    assert "1 date: 1 complete" in words(render(page, LIBRARY))


def test_a_lake_without_a_figure_has_no_report(tmp_path: Path) -> None:
    tables = market_tables.engine(1, partial=(0,), suspect=())

    with pytest.raises(Mag7Error, match="no figure on any trading date, 1 date"):
        write.write_report(tables, tmp_path / "report.html", None, FakeClock())

    assert list(tmp_path.iterdir()) == []


def test_without_the_renderer_the_optional_part_is_named(
    engine: DuckDbEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)

    with pytest.raises(ExtraMissingError) as refused:
        write.write_report(engine, tmp_path / "report.html", None, FakeClock())

    assert re.fullmatch(r"pip install 'vl-convert-python\S+'", refused.value.hint)


class Renderer:
    """Counts how often the library is made."""

    made = 0

    def javascript_bundle(self, names: str) -> str:
        self.made += 1
        return f"/* {self.made} */ {names}"

    def get_vega_version(self) -> str:
        return "6.2.0"

    def get_vegalite_versions(self) -> list[str]:
        return ["5.8", "6.4"]

    def get_vega_embed_version(self) -> str:
        return "7.0.2"


def test_the_library_is_made_once_and_kept(tmp_path: Path) -> None:
    renderer = Renderer()

    first, second = library.script(renderer, tmp_path), library.script(renderer, tmp_path)

    assert first == second
    assert renderer.made == 1
    assert [path.name for path in tmp_path.iterdir()] == ["vega-6.2.0-6.4-7.0.2.js"]


def test_without_a_home_the_library_is_made_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    renderer = Renderer()

    assert library.script(renderer) != library.script(renderer)


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"cut short"])
def test_a_kept_library_that_was_damaged_is_made_again(tmp_path: Path, damage: bytes) -> None:
    renderer = Renderer()
    library.script(renderer, tmp_path)
    (tmp_path / "vega-6.2.0-6.4-7.0.2.js").write_bytes(damage)

    assert "2" in library.script(renderer, tmp_path)
    assert library.script(renderer, tmp_path) == "/* 2 */ window.vegaEmbed = vegaEmbed;"


def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert library.script(Renderer(), tmp_path / "file" / "cache").startswith("/* 1 */")


def test_a_chart_of_one_company_is_a_picture_of_each(page: Page) -> None:
    tickers = [company.ticker for company in page.answer.companies]
    pictures = charts.each_company(charts_by_name(page)["gain_series"], tickers)

    assert [each.name for each in pictures] == [f"gain_series_{ticker}" for ticker in tickers]
    for each, ticker in zip(pictures, tickers, strict=True):
        picture = png.standalone(each, page.datasets, page.answer)
        assert {"name": "company", "value": ticker} in picture["params"]
        assert picture["title"]["subtitle"][0].startswith(f"{ticker}. ")
    assert charts.each_company(charts_by_name(page)["share"], tickers) == (charts_by_name(page)["share"],)


def test_letters_that_a_phone_has_no_room_for_stand_below_each_other(page: Page) -> None:
    events = page.datasets["event"].records()

    places = [(each["letter"], each["level"], each["gap_days"]) for each in events]
    assert places == [("a", 0, 180), ("b", 0, 42), ("c", 1, 42)]


def test_the_others_are_counted(page: Page) -> None:
    newest = next(day for day in reversed(page.data.concentration.days) if day.figure and day.companies_count)

    assert newest.companies_count is not None
    assert (
        f"492 others on 4 January 2021, {newest.companies_count - 7} on {long_date(newest.on)}"
        in charts_by_name(page)["stacked"].caption
    )


def test_a_report_that_cannot_be_written_says_which(
    engine: DuckDbEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png, "load", Renderer)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"report\.html cannot be written"):
        write.write_report(engine, tmp_path / "file" / "report.html", None, FakeClock())


def test_a_picture_says_what_its_figures_are_and_of_when(page: Page) -> None:
    picture = png.standalone(charts_by_name(page)["company_cap"], page.datasets, page.answer)

    written = " ".join(picture["title"]["subtitle"])
    assert "As of 2022-08-12: full market capitalisation, each company counted once." in written
    assert "b AMZN 20:1 on 2022-06-06, FB → META on 2022-06-09" in written
    assert max(map(len, picture["title"]["subtitle"])) <= 130
    assert set(picture["datasets"]) == {"company", "event"}


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("contribution", "Then: 2021-01-04. Now: 2022-08-12."),
        ("gain_series", "AAPL. "),
        ("gain_distribution", "AAPL. "),
    ],
)
def test_a_picture_says_what_the_controls_of_the_page_would(page: Page, name: str, chosen: str) -> None:
    picture = png.standalone(charts_by_name(page)[name], page.datasets, page.answer)

    assert chosen in " ".join(picture["title"]["subtitle"])


def charts_by_name(page: Page) -> dict[str, Chart]:
    return {chart.name: chart for chart in page.charts}


@pytest.mark.parametrize("name", ["share", "contribution", "projection"])
def test_a_chart_is_drawn_as_a_picture_without_a_browser(page: Page, name: str) -> None:
    pytest.importorskip("vl_convert")

    ahead = Dataset(
        ("trading_date", "sessions", "low_pct", "middle_pct", "high_pct"),
        (("2022-08-12", 0, 27.0, 27.0, 27.0), ("2022-11-11", 63, 25.0, 27.0, 29.0)),
    )
    charts = {**charts_by_name(page), "projection": motion_charts.projection("18 of 23 held")}

    picture = png.draw(charts[name], {**page.datasets, "projection": ahead}, page.answer)

    assert picture.startswith(b"\x89PNG")
    width, height = int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])
    assert 2_000 <= width <= 2_600
    assert 400 <= height <= 1_400
    assert len(picture) > 20_000, "an empty plot compresses to next to nothing"


def test_labels_stand_at_the_ends_of_their_lines_also_where_the_axis_does_not_begin_at_zero(
    engine: DuckDbEngine,
) -> None:
    renderer = pytest.importorskip("vl_convert")
    young = write.compose(market_tables.engine(30, partial=(), suspect=()), FakeClock())
    growth = png.standalone(charts_by_name(young)["growth"], young.datasets, young.answer)

    svg = renderer.vegalite_to_svg(growth)
    labels = {name: float(level) for level, name in re.findall(r"label_y: ([\d.]+); ticker: ([^\"]+)", svg)}
    last = young.datasets["growth"].records()[-1]
    assert labels["Mag 7"] == pytest.approx(last["mag7"])
    assert labels["equal weight"] == pytest.approx(last["equal_weight"])
    assert 0.1 < labels["S&amp;P 500"] - labels["Mag 7"] < 1, "two lines that end together have labels side by side"
