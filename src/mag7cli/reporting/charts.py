"""What is drawn: each chart a Vega-Lite specification without data, so that the page and the PNG draw the same.

Whoever shows a chart sets its parameters: `lo` and `hi` are the visible time in epoch milliseconds, `then` and `now`
two dates, `company` a ticker. How a named style looks is the theme's business.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from mag7cli.reporting import marks
from mag7cli.reporting.marks import END_LABEL, HEIGHT, TIME, Dates, Spec, number, timed
from mag7cli.reporting.whose import SEVEN, Whose

_ROW: Final = 34
_TRILLION: Final = "1e12"


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure of a date that the page shows where the pointer is: a column of the chart's data set.

    `ticker` picks the row where a date has several. Text has no `digits`.
    """

    title: str
    field: str
    digits: int | None = 2
    unit: str = ""
    sign: bool = False
    ticker: str | None = None


@dataclass(frozen=True, slots=True)
class LiveMark:
    """A minute of the session `on` a date after the last `close`; `when` it was, in words."""

    on: date
    close: date
    when: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A specification, what is written around it, and which controls of the page it follows.

    `follows` are of: `time` (the visible time), `dates` (then and now), `company`. A chart that `reads` has dates along
    its horizontal axis: the pointer reads them, and dragging narrows the visible time.
    """

    name: str
    title: str
    caption: str
    spec: Spec
    follows: frozenset[str] = frozenset({"time"})
    reads: tuple[Reading, ...] = ()


def each_company(chart: Chart, tickers: Iterable[str]) -> tuple[Chart, ...]:
    """A chart that shows one company as one chart for each, named `gain_series_NVDA`; any other as it is."""
    if "company" not in chart.follows:
        return (chart,)
    return tuple(
        replace(chart, name=f"{chart.name}_{ticker}", spec={**chart.spec, "params": _of_company(chart, ticker)})
        for ticker in tickers
    )


def _of_company(chart: Chart, ticker: str) -> list[Spec]:
    return [{**each, "value": ticker} if each["name"] == "company" else each for each in chart.spec["params"]]


def _daily(whose: Whose) -> tuple[Reading, ...]:
    return (
        Reading(whose.short, "mag7_pct_of_sp500", 2, " %"),
        Reading(f"{whose.short}, $", "total_mag7_market_cap", 0),
        Reading("S&P 500, $", "sp500_total_market_cap", 0),
        Reading("Date is", "status", None),
    )


_IN_THE_FUND: Final = Reading("In the fund", "fund_weight_pct", 2, " %")


def share(
    dates: Dates, whose: Whose = SEVEN, *, has_bounds: bool = False, fund: str = "", live: LiveMark | None = None
) -> Chart:
    """The share, with what it may be off by, beside a `fund`'s own weight of the same companies: one scale for all.

    A minute of a session after the last close is a mark behind the end of the curve.
    """
    title = "% of the S&P 500"
    band = {
        "mark": {"type": "area", "style": "band"},
        "encoding": {"y": marks.y("mag7_pct_low", title, zero=False), "y2": {"field": "mag7_pct_high"}},
    }
    weight = {
        "mark": {"type": "line", "style": "fund"},
        "encoding": {"y": marks.y("fund_weight_pct", title, zero=False)},
    }
    curve = {
        "mark": {"type": "line", "style": "mag7"},
        "encoding": {"y": marks.y("mag7_pct_of_sp500", title, zero=False)},
    }
    ring = marks.suspect({"field": "mag7_pct_of_sp500", "type": "quantitative"})
    layers = [*([band] if has_bounds else []), *([weight] if fund else []), curve, ring, marks.partial()]
    layers += [*([_names_at_the_end(whose, fund)] if fund else []), *([_during_the_session(live)] if live else [])]
    caption = f"{whose.title} in percent of the S&P 500's full market value; the scale does not begin at zero."
    caption += " Band: what the figure may be off by." if has_bounds else ""
    caption += f" Thin line: the float-adjusted weight of them in {fund}, by prices between its files." if fund else ""
    caption += f" Diamond: {live.when}, intraday and unofficial." if live else ""
    return Chart(
        "share",
        f"The share of {whose.them}",
        f"{caption} Ring: a suspect date. Dashed: a partial date, without a figure.",
        timed("daily", dates, layers, right=END_LABEL if fund else 8, domain=_with_the_session(dates, live)),
        reads=(*_daily(whose)[:1], *([_IN_THE_FUND] if fund else []), *_daily(whose)[1:]),
    )


def _names_at_the_end(whose: Whose, fund: str) -> Spec:
    """What each of the two curves is, behind its end."""
    names = marks.end_labels("end_pct", [], HEIGHT, zero=False)
    names["transform"] = [
        {"fold": ["mag7_pct_of_sp500", "fund_weight_pct"], "as": ["series", "end_pct"]},
        {"filter": "isValid(datum.end_pct)"},
        {"calculate": f"datum.series == 'fund_weight_pct' ? '{fund}' : '{whose.short}'", "as": "ticker"},
        *names["transform"],
    ]
    names["encoding"]["color"] = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": ["mag7_pct_of_sp500", "fund_weight_pct"], "range": "shares"},
        "legend": None,
    }
    return names


def _with_the_session(dates: Dates, live: LiveMark | None) -> str:
    """The ends of the axis: where the last close is visible, so is the session after it."""
    return f"[lo, hi >= {marks.epoch_ms(dates.last)} ? {marks.epoch_ms(live.on)} : hi]" if live else "[lo, hi]"


def _during_the_session(live: LiveMark) -> Spec:
    y = {"field": "share_pct", "type": "quantitative"}
    bound = {"y": {"field": "low_pct", "type": "quantitative"}, "y2": {"field": "high_pct"}}
    return {
        "data": {"name": "live"},
        "transform": [TIME, {"filter": f"hi >= {marks.epoch_ms(live.close)}"}],
        "layer": [
            {"mark": {"type": "rule", "style": "live_bound"}, "encoding": bound},
            {
                "mark": {"type": "point", "filled": True, "style": "live", "shape": "diamond"},
                "encoding": {"y": y, "tooltip": [marks.DATE, number("share_pct", "During the session, %")]},
            },
        ],
    }


def stacked(dates: Dates, how_many: str, whose: Whose = SEVEN) -> Chart:
    """The market cap of the other companies on that of those in question. `how_many` says how many they are."""
    caps = [
        {"filter": "isValid(datum.total_mag7_market_cap)"},
        {"calculate": f"datum.total_mag7_market_cap / {_TRILLION}", "as": "mag7"},
        {"calculate": f"datum.sp500_total_market_cap / {_TRILLION}", "as": "index"},
    ]
    seven = {"mark": {"type": "area", "style": "mag7"}, "encoding": {"y": marks.y("mag7", "$ trillion")}}
    others = {
        "mark": {"type": "area", "style": "rest"},
        "encoding": {"y": {"field": "mag7", "type": "quantitative"}, "y2": {"field": "index"}},
    }
    areas = {"transform": caps, "layer": [others, seven, *_area_labels(whose)]}
    return Chart(
        "stacked",
        f"{whose.title} and all others",
        f"Full market capitalisation, each company counted once{how_many}.",
        timed("daily", dates, [areas, marks.partial()], right=END_LABEL),
        reads=(*_daily(whose), Reading("Companies", "companies_count", 0)),
    )


def _area_labels(whose: Whose) -> list[Spec]:
    """What each area is, behind its right edge."""
    at_the_end = [
        {"joinaggregate": [{"op": "max", "field": "time", "as": "last_time"}]},
        {"filter": "datum.time == datum.last_time"},
        {"calculate": "datum.mag7 / 2", "as": "seven_middle"},
        {"calculate": "(datum.mag7 + datum.index) / 2", "as": "others_middle"},
    ]
    labels = (("seven_middle", whose.short, "mag7_label"), ("others_middle", "all others", "faint_label"))
    return [
        {
            "transform": at_the_end,
            "mark": {"type": "text", "align": "left", "dx": 6, "style": style, "text": label},
            "encoding": {"y": {"field": field, "type": "quantitative"}},
        }
        for field, label, style in labels
    ]


def then_and_now(dates: Dates, companies: int, whose: Whose = SEVEN) -> Chart:
    """How so many companies divide their own total, on two dates."""
    spec = _two_dates(dates, "pct_of_mag7", companies, right=END_LABEL)
    spec["transform"] += [
        {"calculate": "format(datum.then, '.1f') + ' → ' + format(datum.now, '.1f') + ' %'", "as": "label"},
        {"calculate": "max(datum.then, datum.now)", "as": "label_x"},
    ]
    x = {"type": "quantitative", "axis": {"title": f"% of {whose.them} together", "tickCount": 5}}
    spec["encoding"] = {
        "y": marks.category("ticker", "now"),
        "tooltip": [{"field": "ticker", "title": "Company"}, number("then", "Then, %"), number("now", "Now, %")],
    }
    label = {"type": "text", "style": "label", "dx": 11, "align": "left"}
    at_then, at_now = {**x, "field": "then"}, {**x, "field": "now"}
    spec["layer"] = [
        {"mark": {"type": "rule", "style": "between"}, "encoding": {"x": at_then, "x2": {"field": "now"}}},
        {"mark": {"type": "point", "filled": True, "style": "then"}, "encoding": {"x": at_then}},
        {"mark": {"type": "circle", "style": "now"}, "encoding": {"x": at_now}},
        {"mark": label, "encoding": {"x": {**x, "field": "label_x"}, "text": {"field": "label"}}},
    ]
    return Chart(
        "then_and_now",
        f"How {whose.them} divides, then and now" if not whose.is_the_seven else "How the Mag 7 divide, then and now",
        f"Ring: then. Dot: now. Each company in percent of {whose.them} together{_largest(companies, whose)}.",
        spec,
        frozenset({"dates"}),
    )


def contribution(dates: Dates, companies: int, whose: Whose = SEVEN) -> Chart:
    """What each of so many companies added to the share, in percentage points."""
    spec = _two_dates(dates, "pct_of_sp500", companies, right=12)
    spec["transform"] += [
        {"calculate": "datum.now - datum.then", "as": "points"},
        {"calculate": "datum.points >= 0", "as": "gained"},
        {"calculate": "datum.cap_now - datum.cap_then", "as": "cap_change"},
        {"calculate": "100 * datum.cap_change / (datum.index_now - datum.index_then)", "as": "gain_pct"},
        {"calculate": "format(datum.points, '+.2f')", "as": "label"},
    ]
    axis = {"title": "percentage points of the S&P 500", "tickCount": 5}
    spec["encoding"] = {
        "x": {"field": "points", "type": "quantitative", "stack": None, "axis": axis, "scale": {"padding": 44}},
        "y": marks.category("ticker", "points"),
        "tooltip": [
            {"field": "ticker", "title": "Company"},
            number("points", "Points of the share", "+.2f"),
            number("cap_change", "Market cap, $", "+,.0f"),
            number("gain_pct", "% of the index's change", ".1f"),
        ],
    }
    label = {
        "type": "text",
        "style": "label",
        "dx": {"expr": "datum.gained ? 6 : -6"},
        "align": {"expr": "datum.gained ? 'left' : 'right'"},
    }
    spec["layer"] = [
        {"mark": {"type": "bar", "size": 18}, "encoding": {"color": marks.SIGN}},
        {"mark": label, "encoding": {"text": {"field": "label"}}},
    ]
    return Chart(
        "contribution",
        "Who moved the share",
        "What each company added to the share of the Mag 7 between the two dates; the bars sum to its change."
        if whose.is_the_seven
        else f"How the share of each company in the index changed{_largest(companies, whose)}.",
        spec,
        frozenset({"dates"}),
    )


def _largest(companies: int, whose: Whose) -> str:
    """That of another group only the largest are drawn, also for times when they did not belong to it."""
    return "" if whose.is_the_seven else f", the {companies} largest of now, in it or not at the time"


def _two_dates(dates: Dates, field: str, companies: int, *, right: int) -> Spec:
    """One row per company with `field`, market cap and index on both dates: `then`, `now`, `cap_then`, …"""
    picks: list[Spec] = [
        {"calculate": f"datum.trading_date == {when} ? datum.{source} : 0", "as": f"{target}{when}"}
        for when in ("then", "now")
        for source, target in ((field, ""), ("market_cap", "cap_"), ("sp500_total_market_cap", "index_"))
    ]
    index = {"data": {"name": "daily"}, "key": "trading_date", "fields": ["sp500_total_market_cap"]}
    return {
        "width": "container",
        "height": companies * _ROW,
        "autosize": marks.AUTOSIZE,
        "padding": {"left": 2, "top": 6, "right": right, "bottom": 2},
        "data": {"name": "company"},
        "params": dates.compared(),
        "transform": [
            {"filter": "datum.trading_date == then || datum.trading_date == now"},
            {"lookup": "trading_date", "from": index},
            *picks,
            {"aggregate": [{"op": "sum", "field": p["as"], "as": p["as"]} for p in picks], "groupby": ["ticker"]},
        ],
    }


def company_share(dates: Dates, tickers: Sequence[str], key: str) -> Chart:
    """Each company in percent of the index over time. `key` says what the letters of the events mean."""
    spec = _companies(dates, tickers, "datum.pct_of_sp500", "% of the S&P 500")
    reads = tuple(Reading(ticker, "pct_of_sp500", 2, " %", ticker=ticker) for ticker in tickers)
    return Chart("company_share", "Each company's share of the index", key, spec, reads=reads)


def company_cap(dates: Dates, tickers: Sequence[str], key: str) -> Chart:
    """Each company in trillions of dollars over time. `key` says what the letters of the events mean."""
    spec = _companies(dates, tickers, f"datum.market_cap / {_TRILLION}", "$ trillion")
    reads = tuple(Reading(f"{ticker}, $", "market_cap", 0, ticker=ticker) for ticker in tickers)
    return Chart("company_cap", "Each company's market value", key, spec, reads=reads)


def _companies(dates: Dates, tickers: Sequence[str], value: str, unit: str) -> Spec:
    curves = {
        "mark": {"type": "line", "strokeWidth": 1.8},
        "encoding": {"y": marks.y("value", unit), "color": marks.by_ticker(tickers)},
    }
    layers = [marks.events(), curves, marks.end_labels("value", tickers, HEIGHT)]
    spec = timed("company", dates, layers, right=END_LABEL)
    spec["transform"].append({"calculate": value, "as": "value"})
    return spec


def effective(dates: Dates) -> Chart:
    """The effective number of companies."""
    curve = {
        "mark": {"type": "line", "style": "mag7"},
        "encoding": {"y": marks.y("effective_n", "effective number of companies")},
    }
    layers = [curve, marks.last_label("effective_n", ".0f"), marks.partial()]
    return Chart(
        "effective",
        "As concentrated as how many equal companies?",
        "10,000 / HHI over all companies of the index. If all 500 were equal, it would be 500.",
        timed("daily", dates, layers, height=220, right=END_LABEL),
        reads=(
            Reading("Effective number", "effective_n", 1),
            Reading("HHI", "hhi", 1),
            Reading("Ten largest", "top10_pct", 2, " %"),
        ),
    )


def failures(dates: Dates, most: int) -> Chart:
    """How many tickers could not be valued, at `most` on a date, and which days are suspect or partial."""
    count = marks.y("failed_count", "tickers that failed", domain=(0, max(1, most)))
    count["axis"] |= {"labelExpr": marks.WHOLE, "grid": False}
    bars = {"mark": {"type": "bar", "style": "neutral", "width": marks.DAY_WIDTH}, "encoding": {"y": count}}
    ring = marks.suspect({"datum": 0})
    return Chart(
        "failures",
        "What could not be collected",
        "Tickers without a market value, by date.",
        timed("daily", dates, [bars, marks.partial(), ring], height=180, bars=True),
        reads=(
            Reading("Failed tickers", "failed_count", 0),
            Reading("Date is", "status", None),
            Reading("Why", "reason", None),
        ),
    )
