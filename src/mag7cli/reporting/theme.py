"""How the charts look: colours, type and marks, light and dark. Knows nothing of what is drawn.

The colours are Okabe and Ito's, which people with any of the common colour deficiencies can tell apart
(jfly.uni-koeln.de/color), without the yellow, which is too faint on white. Marks carry names (`mag7`, `suspect`); the
theme says what a name looks like, so one specification serves both themes and the PNG.
"""

from dataclasses import dataclass
from typing import Any, Final

Config = dict[str, Any]

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
# What the PNG renderer has with it, whatever the machine.
PNG_FONT: Final = "Liberation Sans, Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme. `series` are the companies', in the order of their tickers."""

    text: str
    faint_text: str
    grid: str
    background: str
    mag7: str
    rest: str
    gain: str
    loss: str
    suspect: str
    partial: str
    series: tuple[str, ...]


LIGHT: Final = Palette(
    text="#1c2430",
    faint_text="#5b6675",
    grid="#e3e7ec",
    background="#ffffff",
    mag7="#0072b2",
    rest="#ccd4dd",
    gain="#0072b2",
    loss="#d55e00",
    suspect="#d55e00",
    partial="#b04a86",
    series=("#0072b2", "#d55e00", "#009e73", "#b04a86", "#56b4e9", "#e69f00", "#444c56"),
)
DARK: Final = Palette(
    text="#e6eaf0",
    faint_text="#9aa5b4",
    grid="#2a323d",
    background="#12161c",
    mag7="#4aa8e0",
    rest="#3a4552",
    gain="#4aa8e0",
    loss="#f08a3c",
    suspect="#f08a3c",
    partial="#d98bbd",
    series=("#4aa8e0", "#f08a3c", "#2cc295", "#d98bbd", "#9bd3f5", "#ecb53a", "#c3cad3"),
)


def config(palette: Palette, font: str = FONT) -> Config:
    """The Vega-Lite configuration of a theme."""
    return {
        "background": None,
        "font": font,
        "padding": 2,
        "view": {"stroke": None},
        "mark": {"invalid": "break-paths-show-path-domains"},
        "axis": _axis(palette),
        "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
        "axisX": {"grid": False},
        "range": {
            "category": list(palette.series),
            "sign": [palette.loss, palette.gain],
            "shares": [palette.mag7, palette.faint_text],
        },
        "text": {"color": palette.text, "fontSize": 12},
        "title": {"color": palette.text, "subtitleColor": palette.faint_text, "anchor": "start"},
        "style": _styles(palette),
    }


def _axis(palette: Palette) -> Config:
    return {
        "domainColor": palette.faint_text,
        "tickColor": palette.faint_text,
        "gridColor": palette.grid,
        "labelColor": palette.faint_text,
        "titleColor": palette.faint_text,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    }


def _styles(palette: Palette) -> Config:
    return {
        "mag7": {"color": palette.mag7, "strokeWidth": 2},
        "mag7_label": {"color": palette.mag7, "fontWeight": "bold", "fontSize": 13},
        "fund": {"color": palette.faint_text, "strokeWidth": 1.2},
        "live": {"color": palette.loss, "size": 70, "opacity": 1},
        "live_bound": {"color": palette.loss, "strokeWidth": 1.5},
        "rest": {"color": palette.rest},
        "neutral": {"color": palette.faint_text},
        "suspect": _ring(palette, palette.suspect, 46),
        "partial": {"color": palette.partial, "strokeDash": [3, 3], "strokeWidth": 1},
        "zero": {"color": palette.faint_text, "strokeWidth": 1},
        "event": {"color": palette.faint_text, "strokeDash": [1, 3], "strokeWidth": 1},
        "event_label": {"color": palette.faint_text, "fontSize": 12, "fontStyle": "italic"},
        "then": _ring(palette, palette.faint_text, 90),
        "now": {"color": palette.mag7, "size": 110, "opacity": 1},
        "between": {"color": palette.rest, "strokeWidth": 3},
        "box": {"color": palette.mag7},
        "whisker": {"color": palette.mag7, "strokeWidth": 1.5},
        "median": {"color": palette.background, "thickness": 2, "opacity": 1},
        "band": {"color": palette.mag7, "opacity": 0.18},
        "label": {"color": palette.text, "fontSize": 12},
        "faint_label": {"color": palette.faint_text, "fontSize": 12},
    }


def _ring(palette: Palette, stroke: str, size: int) -> Config:
    """A circle that hides what is behind it."""
    return {"color": palette.background, "stroke": stroke, "strokeWidth": 1.5, "size": size, "opacity": 1}
