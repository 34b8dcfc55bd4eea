"""The page: the answer as plain HTML first, then the charts. One file, which asks nobody for anything.

The policy in its head forbids every request; scripts are allowed by their hashes. The chart library lies in the page as
text and is read only after the answer has been painted.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from importlib import resources
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import orjson

from mag7cli import __version__
from mag7cli.analytics.report_data import ReportData
from mag7cli.analytics.statistics import QUARTER_SESSIONS
from mag7cli.analytics.summary import ConcentrationSummary
from mag7cli.core.formatting import count, usd
from mag7cli.lake.failed_checks import FailedCheck
from mag7cli.market.money import json_literal
from mag7cli.reporting import fragments, theme
from mag7cli.reporting.charts import Chart
from mag7cli.reporting.datasets import Dataset
from mag7cli.reporting.png import datasets_of
from mag7cli.reporting.story import long_date
from mag7cli.reporting.whose import SEVEN, Whose

if TYPE_CHECKING:
    from mag7cli.live.records import Record

_PLACEHOLDER: Final = re.compile(r"\{\{(\w+)\}\}")
_ROWS_AT_ONCE: Final = 5_000
_PAIRS: Final = (("then_and_now", "contribution"), ("gains", "gain_distribution"), ("correlation", "beta"))


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the page is made of."""

    data: ReportData
    answer: ConcentrationSummary
    story: Sequence[str]
    charts: Sequence[Chart]
    datasets: Mapping[str, Dataset]
    made_at: datetime
    failed_checks: Sequence[FailedCheck] = ()
    intraday: "Record | None" = None
    whose: Whose = SEVEN


def render(page: Page, library: str) -> str:
    """The page as HTML. `library` is the chart library, a script that gives the window `vegaEmbed`."""
    return b"".join(written(page, library)).decode()


def written(page: Page, library: str) -> Iterator[bytes]:
    """The page as `render` has it, piece by piece: a page of twenty years is nowhere in memory as a whole."""
    values = _values(page, library)
    pieces = _PLACEHOLDER.split(_asset("template.html"))
    for text, name in zip_longest(pieces[::2], pieces[1::2], fillvalue=""):
        yield text.encode()
        if name == "data":
            yield from _embedded(page)
        elif name:
            yield values[name].encode()


def _values(page: Page, library: str) -> dict[str, str]:
    """What stands in the template's places, but for the data."""
    script = _asset("page.js")
    library = _harmless(library)
    answer, simulated = page.answer, page.data.concentration.simulated
    return {
        "root_class": ' class="simulated"' if simulated else "",
        "script_hashes": f"{_hash(script)} {_hash(library)}",
        "version": __version__,
        "title": escape(_title(page)),
        "style": _asset("page.css"),
        "banner": (fragments.banner() if simulated else "") + fragments.red_banner(page.failed_checks),
        "as_of": f"{answer.on:%A} {long_date(answer.on)}",
        "share": fragments.share(answer),
        "mag7_cap": fragments.plain(usd(answer.mag7_cap_usd)),
        "sp500_cap": fragments.plain(usd(answer.sp500_cap_usd)),
        "subject": escape(page.whose.subject),
        "them": escape(page.whose.title),
        "kind": escape(answer.kind),
        **fragments.hero(page.data.concentration.days, answer),
        "facts": fragments.facts(page.data.concentration, answer, page.whose) + fragments.intraday_fact(page.intraday),
        "companies": fragments.companies(answer),
        "story": "".join(f"<li>{fragments.plain(sentence)}</li>" for sentence in page.story),
        "range_buttons": fragments.range_buttons(),
        "figures": _figures(page, simulated),
        "published": fragments.published(page.data.concentration.days, answer),
        "quality_summary": fragments.quality_summary(page.data.concentration.days),
        "quality_figures": _figure(page, "failures", simulated),
        "quality_tables": fragments.quality_tables(page.data),
        "provenance": escape(_provenance(page)),
        "downloads": fragments.downloads(page.datasets),
        "library": library,
        "script": script,
    }


def _title(page: Page) -> str:
    title = f"{page.whose.short}: {page.answer.share_text} of the S&P 500 on {page.answer.on}"
    return f"SIMULATED: {title}" if page.data.concentration.simulated else title


def _provenance(page: Page) -> str:
    """Where the figures come from and when the page was made."""
    quality = page.answer.quality
    constituents = ""
    if quality.membership_kind and quality.membership_as_of:
        constituents = (
            f" Constituents: {quality.membership_kind} list of {long_date(quality.membership_as_of)},"
            f" joins and leaves known until {long_date(quality.membership_known_until)}."
        )
    method = f" Collected by the {quality.method} method." if quality.method else ""
    dates = count(len(page.data.concentration.days))
    moment = f"{page.made_at:%Y-%m-%d %H:%M %Z}".strip()
    return f"Made by mag7 {__version__} on {moment} from {dates} trading dates.{constituents}{method}"


def _figures(page: Page, simulated: bool) -> str:
    """The charts in their order; some stand side by side where there is room, and some have controls."""
    parts = []
    seconds = {second for _, second in _PAIRS}
    pairs = dict(_PAIRS)
    for chart in page.charts:
        if chart.name == "failures" or chart.name in seconds:
            continue
        figure = _figure(page, chart.name, simulated)
        if chart.name in pairs:
            figure = f'<div class="pair">{figure}{_figure(page, pairs[chart.name], simulated)}</div>'
        parts.append(_section(page, chart.name) + figure)
    return "\n".join(parts)


def _section(page: Page, name: str) -> str:
    """The heading and the controls that come before a chart."""
    dates = [day.on for day in page.data.concentration.days if day.figure]
    if name == "then_and_now":
        return fragments.comparison_controls(len(dates))
    if name == "gains":
        return fragments.company_control(page.answer)
    return _HEADINGS.get(name, "")


# A curve needs two dates; what is counted over a quarter, one more than its sessions.
_CURVE_DATES: Final = 2
_NEEDED_DATES: Final = dict.fromkeys(("correlation", "beta", "benchmarks"), QUARTER_SESSIONS + 1)

_FROM_OPEN_TO_CLOSE: Final = ("gains", "gain_distribution", "gain_series")

_HEADINGS: Final = {
    "share": "<section><h2>How much, since when</h2></section>",
    "company_share": "<section><h2>Company by company</h2></section>",
    "growth": "<section><h2>How it performed</h2></section>",
    "sectors": "<section><h2>Where it lies</h2></section>",
    "correlation": "<section><h2>With the index, or without it</h2></section>",
    "projection": "<section><h2>And then?</h2></section>",
}


def _figure(page: Page, name: str, simulated: bool) -> str:
    chart = next(chart for chart in page.charts if chart.name == name)
    return fragments.figure(chart, simulated, lacking(page, name))


def lacking(page: Page, name: str) -> str | None:
    """What a chart would need in order to show something; None if there is enough of it."""
    days = page.data.concentration.days
    if name == "failures":
        return None if any(day.failed_count for day in days) else "No line failed on any date."
    if name in _FROM_OPEN_TO_CLOSE and not page.data.sessions:
        return "The tables have no price of an open."
    figured, needed = sum(day.figure is not None for day in days), _NEEDED_DATES.get(name, _CURVE_DATES)
    if figured >= needed:
        return None
    return f"This needs {needed} trading dates with a figure; the lake has {figured}."


def _embedded(page: Page) -> Iterator[bytes]:
    """The data sets, the charts and the themes as JSON that no HTML parser can misread; money with all its digits."""
    concentration = page.data.concentration
    before: dict[str, Any] = {
        "simulated": concentration.simulated,
        "group": page.whose.name,
        "dates": [day.on.isoformat() for day in concentration.days if day.figure],
        "company": page.answer.companies[0].ticker,
    }
    after: dict[str, Any] = {
        "charts": {
            chart.name: {
                "spec": chart.spec,
                "follows": sorted(chart.follows),
                "datasets": sorted(datasets_of(chart.spec)),
                "reads": chart.reads,
            }
            for chart in page.charts
            if lacking(page, chart.name) is None
        },
        "themes": {"light": theme.config(theme.LIGHT), "dark": theme.config(theme.DARK)},
    }
    yield _json(before)[:-1]
    for name, dataset in page.datasets.items():
        yield (b"," if name != next(iter(page.datasets)) else b',"datasets":{') + _json(name) + b":"
        yield from _json_of(dataset)
    yield b"}," + _json(after)[1:]


def _json_of(dataset: Dataset) -> Iterator[bytes]:
    """The columns of a data set and its rows, some at a time."""
    yield b'{"columns":' + _json(dataset.columns) + b',"rows":['
    for start in range(0, len(dataset.rows), _ROWS_AT_ONCE):
        yield (b"," if start else b"") + _json(dataset.rows[start : start + _ROWS_AT_ONCE])[1:-1]
    yield b"]}"


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=json_literal).replace(b"<", b"\\u003c")


def _asset(name: str) -> str:
    return resources.files("mag7cli.reporting").joinpath("assets", name).read_text(encoding="utf-8").strip()


def _harmless(library: str) -> str:
    """The library as a classic script that keeps its names to itself and cannot end its element early."""
    closed = library.replace("</script", "<\\/script").replace("<!--", "<\\!--").replace("\r", "")
    return f"(()=>{{{closed}}})()"


def _hash(script: str) -> str:
    """The source expression that allows exactly this script."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
