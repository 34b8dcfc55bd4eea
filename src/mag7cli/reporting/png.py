"""The charts as PNG, drawn without a browser; the one module that renders."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mag7cli import __version__
from mag7cli.analytics.summary import ConcentrationSummary
from mag7cli.core.errors import ExtraMissingError
from mag7cli.reporting import theme
from mag7cli.reporting.charts import Chart
from mag7cli.reporting.datasets import Dataset

WIDTH: Final = 1_000
_SCALE: Final = 2.0
_CAPTION_LETTERS: Final = 130
_PADDING: Final = {"left": 24, "top": 20, "right": 24, "bottom": 16}


def draw(chart: Chart, datasets: Mapping[str, Dataset], answer: ConcentrationSummary) -> bytes:
    """One chart with its title, and what its figures are, and of when.

    Raises ExtraMissingError if the optional renderer is not installed.
    """
    renderer = load()
    png: bytes = renderer.vegalite_to_png(
        standalone(chart, datasets, answer), scale=_SCALE, config=theme.config(theme.LIGHT, theme.PNG_FONT)
    )
    return png


def standalone(chart: Chart, datasets: Mapping[str, Dataset], answer: ConcentrationSummary) -> dict[str, Any]:
    """The specification with its data, a fixed width and what the page would have written around it."""
    source = f"As of {answer.on}: {answer.kind}. Made by mag7 {__version__}."
    title = chart.title
    if answer.quality.simulated:
        title, source = f"SIMULATED: {title}", f"Simulated market, no figure is real. {source}"
    right = chart.spec["padding"]["right"]
    subtitle = [row for text in (_caption(chart), source) for row in textwrap.wrap(text, _CAPTION_LETTERS)]
    return {
        **chart.spec,
        "width": WIDTH,
        "autosize": "pad",
        "background": theme.LIGHT.background,
        "padding": {**_PADDING, "right": _PADDING["right"] + right},
        "title": {"text": title, "subtitle": subtitle, "fontSize": 20, "offset": 18},
        "datasets": {name: datasets[name].records() for name in datasets_of(chart.spec)},
    }


def _caption(chart: Chart) -> str:
    """The caption, with what the page shows in its controls."""
    chosen = {parameter["name"]: parameter["value"] for parameter in chart.spec.get("params", ())}
    if "dates" in chart.follows:
        return f"{chart.caption} Then: {chosen['then']}. Now: {chosen['now']}."
    return f"{chosen['company']}. {chart.caption}" if "company" in chart.follows else chart.caption


def datasets_of(spec: Any) -> frozenset[str]:
    """The names of the data sets that a specification asks for, at any depth."""
    return frozenset(_names(spec))


def _names(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        data = part.get("data")
        if isinstance(data, dict) and "name" in data:
            yield data["name"]
        yield from _names_in(part.values())
    elif isinstance(part, list):
        yield from _names_in(part)


def _names_in(parts: Iterable[Any]) -> Iterator[str]:
    for part in parts:
        yield from _names(part)


def load() -> Any:
    """The renderer. Raises ExtraMissingError."""
    try:
        import vl_convert
    except ImportError as error:
        raise ExtraMissingError("report", "report") from error
    return vl_convert
