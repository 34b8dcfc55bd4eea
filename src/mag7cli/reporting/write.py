"""The report: one HTML file that answers how much, as of when, and whether to trust it; and the charts as PNG.

This module puts the parts together and writes the files. It decides neither what is drawn nor how it looks.
"""

from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mag7cli.core.whole_files import replacing
from mag7cli.lake.layout import LIVE
from mag7cli.portfolio.kept_weights import NO_FUND, KeptWeights

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from mag7cli.analytics.report_data import ReportData
    from mag7cli.analytics.summary import ConcentrationSummary
    from mag7cli.core.clock import Clock
    from mag7cli.lake.failed_checks import FailedCheck
    from mag7cli.lake.layout import Lake
    from mag7cli.live.records import Record
    from mag7cli.market.groups import CompanyGroup
    from mag7cli.reporting.page import Page
    from mag7cli.warehouse.engines import SqlEngine


# Of a larger group the largest are drawn one by one.
_DRAWN_COMPANIES: Final = 10


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What was written: the page, its size, the pictures, and the answer that the page begins with."""

    page: Path
    size_bytes: int
    pictures: tuple[Path, ...]
    answer: "ConcentrationSummary"
    simulated: bool


def write_report(
    engine: "SqlEngine",
    out: Path,
    png_dir: Path | None,
    clock: "Clock",
    fund: KeptWeights = NO_FUND,
    *,
    lake: "Lake | None" = None,
    group: "CompanyGroup | None" = None,
) -> ReportResult:
    """Write the page to `out`, and each chart into `png_dir` if there is one.

    `fund` is the fund's own weight of the Mag 7, date by date, shown beside ours; so is the newest minute that `lake`
    has of a session after the last close. Of another `group` there is neither. Raises Mag7Error if no date has a
    figure, EngineError, ExtraMissingError without the optional part `report`, StoreError if a file cannot be written.
    """
    from mag7cli.lake import failed_checks
    from mag7cli.reporting import library, png
    from mag7cli.reporting.page import written

    renderer = png.load()
    failed = failed_checks.read(lake) if lake else ()
    page = compose(engine, clock, fund, lake, failed=failed, group=group)
    size = _write(out, written(page, library.script(renderer)))
    pictures = _draw(page, png_dir) if png_dir else ()
    return ReportResult(out, size, pictures, page.answer, page.data.concentration.simulated)


def _draw(page: "Page", folder: Path) -> tuple[Path, ...]:
    """Each chart as a picture; one that shows a company, once for each of them."""
    from mag7cli.reporting import png
    from mag7cli.reporting.charts import each_company
    from mag7cli.reporting.page import lacking

    tickers = [company.ticker for company in page.answer.companies]
    drawn = [chart for chart in page.charts if not lacking(page, chart.name)]
    pictures = []
    for chart in chain.from_iterable(each_company(chart, tickers) for chart in drawn):
        pictures.append(folder / f"{chart.name}.png")
        _write(pictures[-1], [png.draw(chart, page.datasets, page.answer)])
    return tuple(pictures)


def compose(
    engine: "SqlEngine",
    clock: "Clock",
    fund: KeptWeights = NO_FUND,
    lake: "Lake | None" = None,
    *,
    failed: "Sequence[FailedCheck]" = (),
    group: "CompanyGroup | None" = None,
) -> "Page":
    """Read the tables and make of them all that the page shows, marking what `failed` checks concern.

    Raises Mag7Error, EngineError.
    """
    from mag7cli.analytics import report_data, summary
    from mag7cli.market.groups import THE_SEVEN
    from mag7cli.reporting import datasets, story, whose
    from mag7cli.reporting.beside import read_beside
    from mag7cli.reporting.catalogue import all_charts
    from mag7cli.reporting.page import Page

    group = group or THE_SEVEN
    names = whose.of(group)
    tables = _of_group(engine, report_data.read(engine), group)
    days = tables.concentration.days
    weights = fund if names.is_the_seven else NO_FUND
    answer = summary.build(tables.concentration, fund=weights.on(None), group=group, failed=failed)
    intraday = _newest_minute(lake, answer.on) if lake and names.is_the_seven else None
    own = lake if names.is_the_seven else None
    beside = read_beside(engine, group, tables.concentration, lake=own, fund=weights, intraday=intraday)
    drawn = sorted(company.ticker for company in answer.companies[:_DRAWN_COMPANIES])
    embedded = datasets.build(_with_histories(engine, tables, drawn, group), beside)
    return Page(
        data=tables,
        answer=answer,
        story=story.tell(tables.concentration, answer, beside.returns, names),
        charts=all_charts(
            days,
            drawn,
            embedded["event"],
            datasets.projection_of(days),
            beside=beside,
            whose=names,
        ),
        datasets=embedded,
        made_at=clock.now(),
        failed_checks=failed,
        intraday=intraday,
        whose=names,
    )


def _of_group(engine: "SqlEngine", data: "ReportData", group: "CompanyGroup") -> "ReportData":
    """The same of another group: its share and its companies. Sessions and events are kept of the Mag 7 alone."""
    from mag7cli.analytics.groups import read_concentration

    if group.is_the_seven:
        return data
    return replace(data, concentration=read_concentration(engine, group), sessions=(), events=())


def _with_histories(
    engine: "SqlEngine", data: "ReportData", tickers: "Sequence[str]", group: "CompanyGroup"
) -> "ReportData":
    """The companies that are drawn at all times, also where they did not belong to the group; as parts of its total."""
    from mag7cli.analytics.groups import read_concentration
    from mag7cli.market.groups import CompanyGroup

    if group.is_the_seven:
        return data
    totals = {day.on: day.figure.mag7_cap_usd for day in data.concentration.days if day.figure}
    drawn = read_concentration(engine, CompanyGroup("drawn", tuple(tickers), without=group.without))
    caps = tuple(
        replace(cap, pct_of_mag7=float(100 * cap.market_cap_usd / totals[cap.on]))
        for cap in drawn.caps
        if cap.on in totals
    )
    return replace(data, concentration=replace(data.concentration, caps=caps))


def _newest_minute(lake: "Lake", after: "date") -> "Record | None":
    """The newest minute that was kept after a date. Most lakes have none, and need none of what keeps them."""
    if next(iter(lake.store.list(LIVE)), None) is None:
        return None
    from mag7cli.live.points import latest_record

    return latest_record(lake, after)


def _write(path: Path, pieces: "Iterable[bytes]") -> int:
    """Write a file piece by piece, all or nothing, and say how long it is. Raises StoreError."""
    with replacing(path, make_folder=True) as stream:
        return sum(map(stream.write, pieces))
