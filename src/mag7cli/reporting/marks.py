"""The pieces that charts share: axes, the visible time, hovering, and what marks a doubtful day.

Knows Vega-Lite, not what any chart means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

Spec = dict[str, Any]

TIME: Final[Spec] = {"calculate": "toDate(datum.trading_date)", "as": "time"}
VISIBLE: Final[Spec] = {"filter": "datum.time >= lo && datum.time <= hi"}
# One colour for what is `gained`, another for the rest.
SIGN: Final[Spec] = {
    "field": "gained",
    "type": "nominal",
    "scale": {"domain": [False, True], "range": "sign"},
    "legend": None,
}
# As many pixels as the visible days leave for one of them, weekends included, less a gap.
DAY_MS: Final = 86_400_000
DAY_WIDTH: Final[Spec] = {"expr": f"max(1, 0.8 * width * {DAY_MS} / (hi - lo))"}
# Rings of neighbouring days would hide the curve where a day has few pixels.
_RING: Final[Spec] = {"expr": f"clamp(24 * width * {DAY_MS} / (hi - lo), 10, 46)"}
# Measured again whenever the labels of an axis become wider.
AUTOSIZE: Final[Spec] = {"type": "fit-x", "contains": "padding", "resize": True}
# Beside a label behind the end of a line, for which the chart itself makes room.
END_LABEL: Final = 12
_LETTER_PX: Final = 11
# Labels of a count: half a day is none.
WHOLE: Final = "datum.value % 1 ? '' : format(datum.value, 'd')"
# So few days have a label each, and no hours between them.
_FEW_DAYS: Final = f"hi - lo < 12 * {DAY_MS}"
HEIGHT: Final = 300


@dataclass(frozen=True, slots=True)
class Dates:
    """The first and the last date with a figure: what is visible, and compared, until somebody chooses."""

    first: date
    last: date

    def visible(self) -> list[Spec]:
        """The parameters of the visible time."""
        return [{"name": "lo", "value": epoch_ms(self.first)}, {"name": "hi", "value": epoch_ms(self.last)}]

    def compared(self) -> list[Spec]:
        """The parameters of the two dates."""
        return [{"name": "then", "value": self.first.isoformat()}, {"name": "now", "value": self.last.isoformat()}]


def epoch_ms(day: date) -> int:
    """The beginning of a day in UTC, milliseconds since 1970."""
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)


def timed(
    dataset: str,
    dates: Dates,
    layers: Sequence[Spec],
    *,
    height: int = HEIGHT,
    right: int = 8,
    bars: bool = False,
    domain: str = "[lo, hi]",
) -> Spec:
    """A chart over the visible time; with `bars` it begins and ends half a day outside, so that each is whole.

    `domain` is another expression for the two ends of the axis.
    """
    return {
        "width": "container",
        "height": height,
        "autosize": AUTOSIZE,
        "padding": {"left": 2, "top": 6, "right": right, "bottom": 2},
        "data": {"name": dataset},
        "params": dates.visible(),
        "transform": [TIME, VISIBLE],
        "encoding": {"x": x_time("[lo - 43200000, hi + 43200000]" if bars else domain)},
        "layer": list(layers),
    }


def x_time(domain: str | None = None) -> Spec:
    """Time in UTC, because a trading date is a date and not a moment somewhere; the first label names its year.

    `domain` is an expression for its two ends, of the visible time, else they are the data's.
    """
    scale = {"type": "utc"} | ({"domain": {"expr": domain}} if domain else {})
    year = "utcFormat(datum.value, '%Y')"
    few = _FEW_DAYS if domain else "false"
    label = f"({few} ? utcFormat(datum.value, '%-d %b') : datum.label)"
    axis = {
        "tickCount": {"expr": f"{few} ? 'day' : max(2, floor(width / 80))"},
        "labelOverlap": True,
        "labelExpr": f"datum.index == 0 && datum.label != {year} ? {label} + ' ' + {year} : {label}",
    }
    return {"field": "time", "type": "temporal", "title": None, "scale": scale, "axis": axis}


def y(
    field: str,
    title: str,
    *,
    zero: bool = True,
    side: str = "left",
    ticks: int = 5,
    domain: tuple[float, float] | None = None,
) -> Spec:
    """An amount on the vertical axis; the title lies flat above it, where it can be read."""
    scale = {"zero": zero, "nice": True} | ({"domain": list(domain)} if domain else {})
    axis = {
        "orient": side,
        "title": title,
        "titleAngle": 0,
        "titleAlign": side,
        "titleAnchor": "end",
        "titleX": 0,
        "titleY": -18,
        "tickCount": ticks,
        "grid": side == "left",
    }
    return {"field": field, "type": "quantitative", "stack": None, "scale": scale, "axis": axis}


def by_ticker(tickers: Sequence[str]) -> Spec:
    """A company keeps its colour in every chart."""
    return {"field": "ticker", "type": "nominal", "scale": {"domain": list(tickers)}, "legend": None}


def suspect(y_at: Spec) -> Spec:
    """A ring on each suspect day, as high as `y_at` and as large as there is room; unseen on the others.

    Those are drawn since an empty layer has no extent.
    """
    seen = {"condition": {"test": "datum.status == 'suspect'", "value": 1}, "value": 0}
    return {
        "mark": {"type": "point", "filled": True, "style": "suspect", "size": _RING},
        "encoding": {"y": y_at, "opacity": seen},
    }


def partial() -> Spec:
    """A dashed line through each day without a figure."""
    return {"transform": [{"filter": "datum.status == 'partial'"}], "mark": {"type": "rule", "style": "partial"}}


def events() -> Spec:
    """A letter above each split and new symbol; the caption says what the letter stands for."""
    crowded = f"datum.gap_days * {DAY_MS} * width / (hi - lo) < {_LETTER_PX}"
    letter = {
        "mark": {
            "type": "text",
            "style": "event_label",
            "dy": {"expr": f"-7 + ({crowded} ? {_LETTER_PX} * datum.level : 0)"},
        },
        "encoding": {"text": {"field": "letter"}, "y": {"value": 0}, "tooltip": {"field": "label"}},
    }
    rule = {"mark": {"type": "rule", "style": "event"}, "encoding": {"tooltip": {"field": "label"}}}
    return {"data": {"name": "event"}, "transform": [TIME, VISIBLE], "layer": [rule, letter]}


DATE: Final[Spec] = {"field": "trading_date", "type": "nominal", "title": "Date"}


def category(field: str, order: str) -> Spec:
    """Companies from top to bottom, the largest `order` first."""
    axis = {"ticks": False, "domain": False}
    return {
        "field": field,
        "type": "nominal",
        "title": None,
        "axis": axis,
        "sort": {"field": order, "order": "descending"},
    }


def number(field: str, title: str, form: str = ".2f") -> Spec:
    """A line of a tooltip."""
    return {"field": field, "type": "quantitative", "title": title, "format": form}


def last_label(field: str, form: str, style: str = "mag7_label", **where: Any) -> Spec:
    """The last value, written at the end of its line."""
    return {
        "transform": [
            {"filter": f"isValid(datum.{field})"},
            {"joinaggregate": [{"op": "max", "field": "time", "as": "last_time"}]},
            {"filter": "datum.time == datum.last_time"},
            {"calculate": f"format(datum.{field}, '{form}')", "as": "label"},
        ],
        "mark": {"type": "text", "style": style, "align": "left", "dx": 6, **where},
        "encoding": {"y": {"field": field, "type": "quantitative"}, "text": {"field": "label"}},
    }


def end_labels(field: str, tickers: Sequence[str], height: int, *, zero: bool = True) -> Spec:
    """Each company's ticker at the end of its line, moved up as far as the one below it needs.

    With the values in rising order, the least move that keeps `gap` between labels is a running maximum. `zero` says
    whether the axis begins there, and so how much of it a label takes.
    """
    gap = f"{14 / height} * {'datum.top' if zero else '1.15 * (datum.top - datum.bottom)'}"
    return {
        "transform": [
            {
                "joinaggregate": [
                    {"op": "max", "field": field, "as": "top"},
                    {"op": "min", "field": field, "as": "bottom"},
                    {"op": "max", "field": "time", "as": "last"},
                ]
            },
            {"filter": "datum.time == datum.last"},
            {"window": [{"op": "row_number", "as": "place"}], "sort": [{"field": field}]},
            {"calculate": f"datum.{field} - {gap} * datum.place", "as": "pushed"},
            {"window": [{"op": "max", "field": "pushed", "as": "push"}], "sort": [{"field": field}]},
            {"calculate": f"datum.push + {gap} * datum.place", "as": "label_y"},
        ],
        "mark": {"type": "text", "style": "label", "align": "left", "dx": 6},
        "encoding": {
            "y": {"field": "label_y", "type": "quantitative"},
            "text": {"field": "ticker"},
            "color": by_ticker(tickers),
        },
    }
