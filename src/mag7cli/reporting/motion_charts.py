"""The charts of daily gains, of co-movement with the index, and of the projection."""

from collections.abc import Sequence
from typing import Final

from mag7cli.analytics.indicators import IndicatorAnswer
from mag7cli.reporting import marks
from mag7cli.reporting.charts import Chart, Reading
from mag7cli.reporting.marks import END_LABEL, TIME, Dates, Spec, number, timed
from mag7cli.reporting.story import long_date
from mag7cli.reporting.whose import SEVEN, Whose

_ROW: Final = 34
_BACKGROUND_DAYS: Final = 730
_MOVEMENT: Final = (Reading("Correlation", "correlation"), Reading("Beta", "beta"))


def gains(dates: Dates) -> Chart:
    """How far each company moves between open and close."""
    quantiles = [
        {"quantile": "gain_pct", "probs": [0.05, 0.25, 0.5, 0.75, 0.95], "groupby": ["ticker"], "as": ["p", "gain"]},
        {"calculate": "'q' + format(100 * datum.p, '.0f')", "as": "quantile"},
        {"pivot": "quantile", "value": "gain", "groupby": ["ticker"]},
        {"calculate": "datum.q95 - datum.q5", "as": "spread"},
    ]
    x = {"type": "quantitative", "axis": {"title": "open to close, %", "tickCount": 7}}
    tooltip = [
        {"field": "ticker", "title": "Company"},
        number("q5", "1 day of 20 below, %", "+.2f"),
        number("q25", "1 of 4 below, %", "+.2f"),
        number("q50", "Median, %", "+.2f"),
        number("q75", "1 of 4 above, %", "+.2f"),
        number("q95", "1 of 20 above, %", "+.2f"),
    ]
    whisker = {"x": {**x, "field": "q5"}, "x2": {"field": "q95"}}
    spec = timed("session", dates, [], height=7 * _ROW, right=12)
    spec["transform"] += quantiles
    spec["encoding"] = {"y": marks.category("ticker", "spread"), "tooltip": tooltip}
    spec["layer"] = [
        {"mark": {"type": "rule", "style": "zero"}, "encoding": {"x": {"datum": 0}, "y": None, "tooltip": None}},
        {"mark": {"type": "rule", "style": "whisker"}, "encoding": whisker},
        {
            "mark": {"type": "bar", "style": "box", "size": 14},
            "encoding": {"x": {**x, "field": "q25"}, "x2": {"field": "q75"}},
        },
        {"mark": {"type": "tick", "style": "median", "size": 14}, "encoding": {"x": {**x, "field": "q50"}}},
    ]
    return Chart(
        "gains",
        "An ordinary day of each",
        "Gain or loss from open to close. Thick: the middle half of the days. Thin: nine days of ten. Gap: the median.",
        spec,
    )


def gain_distribution(dates: Dates, company: str) -> Chart:
    """How often a company gained or lost how much in a session."""
    spec = timed("session", dates, [], height=220)
    del spec["encoding"]
    spec["params"] += [{"name": "company", "value": company}]
    spec["transform"] += [
        {"filter": "datum.ticker == company"},
        {"calculate": "floor(clamp(datum.gain_pct, -7.99, 7.99) / 0.5) * 0.5", "as": "from_pct"},
        {"aggregate": [{"op": "count", "as": "count"}], "groupby": ["from_pct"]},
        {"calculate": "datum.from_pct + 0.5", "as": "to_pct"},
        {"calculate": "datum.from_pct >= 0", "as": "gained"},
    ]
    days = marks.y("count", "days")
    days["axis"] |= {"labelExpr": marks.WHOLE}
    encoding = {
        "x": {"field": "from_pct", "type": "quantitative", "axis": {"title": "open to close, %", "tickCount": 9}},
        "x2": {"field": "to_pct"},
        "y": days,
        "y2": {"datum": 0},
        "color": marks.SIGN,
        "tooltip": [
            number("from_pct", "From, %", ".1f"),
            number("to_pct", "To, %", ".1f"),
            number("count", "Days", "d"),
        ],
    }
    spec["layer"] = [{"mark": {"type": "bar", "x2Offset": -1}, "encoding": encoding}]
    return Chart(
        "gain_distribution",
        "How often, how much",
        "Days by gain or loss from open to close, in steps of half a percent; the outermost bars hold what is beyond.",
        spec,
        frozenset({"time", "company"}),
    )


def gain_series(dates: Dates, company: str) -> Chart:
    """A company's gain or loss from open to close, day by day."""
    bars = {
        "mark": {"type": "bar", "width": marks.DAY_WIDTH},
        "encoding": {"y": marks.y("gain_pct", "open to close, %"), "color": marks.SIGN},
    }
    spec = timed("session", dates, [bars], height=220, bars=True)
    spec["params"] += [{"name": "company", "value": company}]
    spec["transform"] += [
        {"filter": "datum.ticker == company"},
        {"calculate": "datum.gain_pct >= 0", "as": "gained"},
    ]
    return Chart(
        "gain_series",
        "Day by day",
        "The same gains and losses in time. Prices as they were on the day; no split falls inside a session.",
        spec,
        frozenset({"time", "company"}),
        (
            Reading("Company", "ticker", None),
            Reading("Open to close", "gain_pct", 2, " %", sign=True),
            Reading("Open, $", "open_price"),
            Reading("Close, $", "close_price"),
        ),
    )


def correlation(dates: Dates) -> Chart:
    """Rolling correlation of the share to the index."""
    y = marks.y("correlation", "correlation", domain=(-1, 1))
    return Chart(
        "correlation",
        "Does the share rise with the index?",
        "Correlation of the daily changes of the share and of the index, over 63 sessions.",
        _movement(dates, "correlation", y),
        reads=_MOVEMENT,
    )


def beta(dates: Dates) -> Chart:
    """Rolling beta of the share to the index."""
    return Chart(
        "beta",
        "And how strongly?",
        "Beta: the relative change of the share that went with one percent of the index, over 63 sessions.",
        _movement(dates, "beta", marks.y("beta", "beta")),
        reads=_MOVEMENT,
    )


def benchmarks(dates: Dates, answers: Sequence[IndicatorAnswer], whose: Whose = SEVEN) -> Chart:
    """Rolling correlation of the price return to that of each kept series."""
    names = [answer.series for answer in answers]
    curve = {
        "mark": {"type": "line", "strokeWidth": 1.5},
        "encoding": {
            "y": marks.y("return_correlation", "correlation", domain=(-1, 1)),
            "color": marks.by_ticker(names),
        },
    }
    zero = {"mark": {"type": "rule", "style": "zero"}, "encoding": {"x": None, "y": {"datum": 0}}}
    labels = marks.end_labels("return_correlation", names, _BENCHMARK_HEIGHT, zero=False)
    spec = timed("benchmark", dates, [zero, curve, labels], height=_BENCHMARK_HEIGHT, right=END_LABEL)
    spec["transform"].append({"filter": "isValid(datum.return_correlation)"})
    whole = "; ".join(_over_all(answer, dates) for answer in answers)
    suspect = max(answer.suspect_returns for answer in answers)
    doubt = f" Suspect dates are in the returns: {suspect}." if suspect else ""
    guesses = [f"{answer.series} on {long_date(day)}" for answer in answers for day in answer.assumed_splits]
    doubt += f" Steps taken for splits: {', '.join(guesses)}." if guesses else ""
    return Chart(
        "benchmarks",
        "And with others",
        f"Correlation of the daily price returns of {whose.them} and of each series, over {answers[0].sessions} "
        f"sessions, without dividends. Over all dates in common: {whole}.{doubt}",
        spec,
        reads=tuple(Reading(name, "return_correlation", 2, ticker=name) for name in names),
    )


_BENCHMARK_HEIGHT: Final = 220


def _over_all(answer: IndicatorAnswer, dates: Dates) -> str:
    correlation, beta = answer.whole.return_correlation, answer.whole.return_beta
    if correlation is None or beta is None:
        return f"{answer.series} unknown"
    until = f", until {long_date(answer.last)}" if answer.last < dates.last else ""
    return f"{answer.series} {correlation:.2f}, beta {beta:.2f}{until}"


def _movement(dates: Dates, field: str, y: Spec) -> Spec:
    curve = {"mark": {"type": "line", "style": "mag7"}, "encoding": {"y": y}}
    zero = {"mark": {"type": "rule", "style": "zero"}, "encoding": {"x": None, "y": {"datum": 0}}}
    layers = [zero, curve, marks.last_label(field, ".2f")]
    return timed("movement", dates, layers, height=200, right=END_LABEL)


def projection(caption: str, whose: Whose = SEVEN) -> Chart:
    """The share of the last two years, and how far a quarter may take it."""
    return Chart(
        "projection",
        "If the past were a guide",
        caption,
        {
            "width": "container",
            "height": 260,
            "autosize": marks.AUTOSIZE,
            "padding": {"left": 2, "top": 6, "right": END_LABEL, "bottom": 2},
            "data": {"name": "daily"},
            "layer": [_past(whose), _ahead()],
        },
        frozenset(),
    )


def _past(whose: Whose) -> Spec:
    return {
        "transform": [
            TIME,
            {"joinaggregate": [{"op": "max", "field": "time", "as": "end"}]},
            {"filter": f"datum.time > datum.end - {_BACKGROUND_DAYS} * 86400000"},
        ],
        "mark": {"type": "line", "style": "mag7"},
        "encoding": {
            "x": marks.x_time(),
            "y": marks.y("mag7_pct_of_sp500", f"{whose.short}, % of the S&P 500", zero=False),
            "tooltip": [marks.DATE, number("mag7_pct_of_sp500", "Share, %")],
        },
    }


def _ahead() -> Spec:
    tooltip = [
        number("sessions", "Sessions ahead", "d"),
        number("high_pct", "High, %", ".1f"),
        number("middle_pct", "Middle, %", ".1f"),
        number("low_pct", "Low, %", ".1f"),
    ]
    middle = {"y": {"field": "middle_pct", "type": "quantitative"}}
    band = {"y": {"field": "low_pct", "type": "quantitative"}, "y2": {"field": "high_pct"}}
    return {
        "data": {"name": "projection"},
        "transform": [TIME],
        "encoding": {"x": marks.x_time(), "tooltip": tooltip},
        "layer": [
            {"mark": {"type": "area", "style": "band"}, "encoding": band},
            {"mark": {"type": "line", "style": "mag7", "strokeDash": [5, 4]}, "encoding": middle},
            {"mark": {"type": "point", "filled": True, "style": "then", "size": 24}, "encoding": middle},
            *(marks.last_label(field, ".1f", "faint_label") for field in ("low_pct", "middle_pct", "high_pct")),
        ],
    }
