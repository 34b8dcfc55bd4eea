"""`mag7 report`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.engines import EngineOptions, opened
from mag7cli.cli.options import SEVEN, GroupOption, WithoutOption, parse_folder, parse_out
from mag7cli.cli.output import STANDARD_STREAM, Column, Grid, Line, Output, Result
from mag7cli.core.formatting import size

if TYPE_CHECKING:
    from mag7cli.reporting.write import ReportResult


@command(
    "mag7 report",
    "mag7 report --out concentration.html --png charts --open",
    "mag7 report --group top10 --out top10.html",
    formats=TEXT_JSON,
)
def report(
    output: Output,
    options: EngineOptions,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            parser=parse_out,
            metavar="FILE",
            help="Where the page goes (- is stdout), if not into the lake.",
        ),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option("--png", parser=parse_folder, metavar="DIR", help="Draw each chart as a PNG, too."),
    ] = None,
    group: GroupOption = SEVEN,
    without: WithoutOption = "",
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Draw the report: one HTML file that needs no network.

    The answer first, then the figures over time. Charts as PNG need no browser.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    lake, companies = Lake.at(options.lake), library.group(group, without=without)
    with opened(options) as engine:
        if out == STANDARD_STREAM:
            draw = partial(library.report, lake, png_dir=png, group=companies, engine=engine)
            output.lines([_page_text(lambda page: draw(out=page))])
            return
        result = library.report(lake, out=out, png_dir=png, group=companies, engine=engine)
    output.show(report_result(result))
    if open_:
        import webbrowser

        webbrowser.open(result.page.resolve().as_uri())


def _page_text(write: "Callable[[Path], ReportResult]") -> str:
    with TemporaryDirectory() as folder:
        return write(Path(folder) / "report.html").page.read_text(encoding="utf-8")


def report_result(result: "ReportResult") -> Result:
    """What was drawn, as a person and as a program read it."""
    text = [Line(f"{result.page} ({size(result.size_bytes)})"), *(Line(str(picture)) for picture in result.pictures)]
    return Result(
        document={
            "page": str(result.page),
            "size_bytes": result.size_bytes,
            "pictures": [str(picture) for picture in result.pictures],
            "trading_date": result.answer.on,
            "group": result.answer.group,
            "mag7_pct_of_sp500": result.answer.share_pct,
            "simulated": result.simulated,
        },
        grid=Grid((Column("file"),), [[str(result.page)], *([str(picture)] for picture in result.pictures)]),
        text=text,
    )
