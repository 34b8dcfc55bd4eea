"""How those in question performed, and how the index divides: growth of 100, and the sectors over time."""

from collections.abc import Mapping
from typing import Final

from mag7cli.reporting import marks
from mag7cli.reporting.charts import Chart, Reading
from mag7cli.reporting.datasets import FundGrowth
from mag7cli.reporting.marks import HEIGHT, Dates, Spec, timed
from mag7cli.reporting.story import long_date
from mag7cli.reporting.whose import SEVEN, Whose

_BESIDE: Final[Mapping[str, str]] = {
    "rest": "the others",
    "index": "S&P 500",
    "equal_weight": "equal weight",
}
# So that there is room for the curves on a phone.
_SHORT: Final[Mapping[str, str]] = {
    "Information Technology": "Technology",
    "Communication Services": "Communication",
    "Consumer Discretionary": "Discretionary",
    "Consumer Staples": "Staples",
}
_RIGHT: Final = 8
# The fund lies upon the index.
_DASHED: Final[Spec] = {"condition": {"test": "datum.series == 'fund'", "value": [4, 3]}, "value": [1, 0]}


def growth(dates: Dates, whose: Whose = SEVEN, fund: FundGrowth | None = None) -> Chart:
    """What 100 became in those in question, in the others, in the index, in all companies alike, and in a fund."""
    curves = _curves(whose, fund)
    names = "{" + ", ".join(f"{field}: '{name}'" for field, name in curves.items()) + "}"
    fold: list[Spec] = [
        {"fold": list(curves), "as": ["series", "level"]},
        {"filter": "isValid(datum.level)"},
        {"calculate": f"({names})[datum.series]", "as": "ticker"},
    ]
    series = list(curves.values())
    line = {
        "mark": {"type": "line", "strokeWidth": 1.8},
        "encoding": {
            "y": marks.y("level", "growth of 100", zero=False),
            "color": marks.by_ticker(series),
            "strokeDash": _DASHED,
        },
    }
    layers = [line, marks.end_labels("level", series, HEIGHT, zero=False)]
    spec = timed("growth", dates, layers, right=_RIGHT)
    spec["transform"] += fold
    return Chart(
        "growth",
        f"Did {whose.them} beat the rest?",
        f"What 100 at the close of {long_date(dates.first)} became, by price alone, without dividends, weighted by "
        "market value at the close before; equal weight: all companies alike, bought for the same sum each quarter."
        + _method(fund, dates),
        spec,
        reads=tuple(Reading(name, field, 1) for field, name in curves.items()),
    )


def _curves(whose: Whose, fund: FundGrowth | None) -> dict[str, str]:
    return {"mag7": whose.short, **_BESIDE, **({"fund": fund.name} if fund else {})}


def _method(fund: FundGrowth | None, dates: Dates) -> str:
    """How the fund's growth is known, and where it begins."""
    if not fund:
        return ""
    late = f"; it begins on {long_date(fund.begins)}, at the level of the index" if fund.begins > dates.first else ""
    return f" {fund.name}: {fund.method}{late}."


def rolling(dates: Dates, whose: Whose = SEVEN, fund: FundGrowth | None = None) -> Chart:
    """What the same gained over the year that ends on each date."""
    curves = _curves(whose, fund)
    line = {
        "mark": {"type": "line", "strokeWidth": 1.5},
        "encoding": {
            "y": marks.y("gain", "% in a year"),
            "color": marks.by_ticker(list(curves.values())),
            "strokeDash": _DASHED,
        },
    }
    zero = {"mark": {"type": "rule", "style": "zero"}, "encoding": {"x": None, "y": {"datum": 0}}}
    spec = timed("rolling", dates, [zero, line], right=_RIGHT, height=220)
    names = "{" + ", ".join(f"{field}: '{name}'" for field, name in curves.items()) + "}"
    spec["transform"] += [
        {"fold": list(curves), "as": ["series", "gain"]},
        {"filter": "isValid(datum.gain)"},
        {"calculate": f"({names})[datum.series]", "as": "ticker"},
    ]
    return Chart(
        "rolling",
        "Over any year",
        "Price return over the 252 sessions that end on each date, without dividends; the colours are those above.",
        spec,
        reads=tuple(Reading(name, field, 1, " %", sign=True) for field, name in curves.items()),
    )


def sectors(dates: Dates) -> Chart:
    """The parts of the sectors at the end of each month, each in percent of the index."""
    short = "{" + ", ".join(f"'{name}': '{label}'" for name, label in _SHORT.items()) + "}"
    spec: Spec = {
        "width": "container",
        "height": HEIGHT + 60,
        "autosize": marks.AUTOSIZE,
        "padding": {"left": 2, "top": 6, "right": _RIGHT, "bottom": 2},
        "data": {"name": "sector"},
        "params": dates.visible(),
        "transform": [
            marks.TIME,
            marks.VISIBLE,
            {"calculate": f"({short})[datum.sector] || datum.sector", "as": "ticker"},
        ],
        "encoding": {"x": marks.x_time("[lo, hi]")},
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 1.5},
                "encoding": {
                    "y": marks.y("pct_of_sp500", "% of the S&P 500"),
                    "color": {"field": "sector", "type": "nominal", "legend": None},
                },
            },
            _sector_labels(),
        ],
    }
    return Chart(
        "sectors",
        "The sectors",
        "Each sector in percent of the index's full market value, at the end of each month, by the classification of "
        "that day: in March 2023 payment companies moved from Information Technology to Financials and Industrials.",
        spec,
    )


def _sector_labels() -> Spec:
    labels = marks.end_labels("pct_of_sp500", [], HEIGHT + 60)
    labels["encoding"]["color"] = {"field": "sector", "type": "nominal", "legend": None}
    return labels
