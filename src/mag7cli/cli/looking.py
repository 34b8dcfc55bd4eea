"""`mag7 show`, `report`, `status` and `explain`: what people look at."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mag7cli.cli.engines import EngineOptions, opened
from mag7cli.cli.frame import TEXT_JSON, TEXT_JSON_CSV, command
from mag7cli.cli.options import DEFAULT_LAKE, DateArgument, LakeOption, OptionalDateArgument
from mag7cli.cli.output import Column, Grid, Line, Output, Result, Style
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import change, count, counted, pct, size, usd

if TYPE_CHECKING:
    from mag7cli.analytics.lake_status import Status
    from mag7cli.analytics.lineage import Receipt
    from mag7cli.analytics.summary import Answer
    from mag7cli.reporting.write import ReportResult

_SIMULATED: Final = "SIMULATED: these figures come from the sandbox market, not from the real one."
_QUALITY: Final[dict[str, Style]] = {"complete": "good", "suspect": "warn", "partial": "bad"}
_SHOWN: Final = 8


@command("mag7 show", "mag7 show 2024-06-07", "mag7 show --format json", formats=TEXT_JSON_CSV)
def show(output: Output, options: EngineOptions, on: OptionalDateArgument = None) -> None:
    """Print the answer: how much of the index is seven companies.

    With its date, the kind of number that it is, and whether to trust it. Beside it stands the fund's own weight, if
    the lake has its holdings.
    """
    from mag7cli.analytics.fund_weight import weight_on
    from mag7cli.analytics.summary import answer
    from mag7cli.lake.layout import Lake

    with opened(options) as engine:
        output.show(answer_result(answer(engine, on, weight_on(Lake.at(options.lake), on))))


def answer_result(found: "Answer") -> Result:
    """The answer, as a person and as a program read it."""
    from mag7cli.analytics.summary import sparkline

    columns = (
        Column("ticker"),
        Column("name", optional=True),
        Column("market_cap", "market cap", usd, right=True),
        Column("pct_of_sp500", "of index", pct, right=True),
        Column("pct_of_mag7", "of seven", pct, right=True, optional=True),
        Column("change_day", "day", usd, right=True, tone=_sign),
        Column("change_year", "year", usd, right=True, optional=True, tone=_sign),
        Column("trend", optional=True),
    )
    rows = [
        [
            one.ticker,
            one.name,
            one.market_cap_usd,
            one.pct_of_sp500,
            one.pct_of_mag7,
            one.changes.day.difference if one.changes.day else None,
            one.changes.year.difference if one.changes.year else None,
            sparkline(one.trend),
        ]
        for one in found.companies
    ]
    grid = Grid(columns, rows)
    table = Grid(columns[:-1], [row[:-1] for row in rows])
    return Result(
        document={**asdict(found), "companies": [asdict(one) for one in found.companies]},
        grid=table,
        text=[*_answer_lines(found), Line(""), grid, Line(""), *_quality_lines(found)],
    )


def _sign(value: float | None) -> Style:
    return "" if not value else "good" if value > 0 else "bad"


def _answer_lines(found: "Answer") -> Iterator[Line]:
    if found.quality.simulated:
        yield Line(_SIMULATED, "warn")
    yield Line(f"{found.share_pct:.2f} % of the S&P 500 is seven companies, at the close of {found.on}.", "strong")
    yield Line(f"{usd(found.mag7_cap_usd)} of {usd(found.sp500_cap_usd)}: {found.kind}.")
    moved = [
        f"{change(one.difference)} points in a {name}"
        for name, one in (("day", found.changes.day), ("month", found.changes.month), ("year", found.changes.year))
        if one
    ]
    if moved:
        yield Line(", ".join(moved) + ".")
    if found.effective_n:
        yield Line(f"The index is as concentrated as one of {found.effective_n:.0f} equal companies.")
    if found.fund:
        yield Line(f"In the fund itself they weigh {found.fund.mag7_pct:.2f} %: float-adjusted weight of "
                   f"{found.fund.fund} as of {found.fund.as_of}.")  # fmt: skip


def _quality_lines(found: "Answer") -> Iterator[Line]:
    quality = found.quality
    yield Line(f"Data: {quality.status}; constituents {quality.membership_kind} as of {quality.membership_as_of}, "
               f"{counted(quality.failed_count, 'line')} failed, method {quality.method}.",
               _QUALITY[quality.status])  # fmt: skip
    for reason in quality.reasons:
        yield Line(f"  {reason}", "warn")
    if quality.partial_since:
        yield Line(f"Later dates without a figure: {', '.join(map(str, quality.partial_since[-3:]))}.", "warn")
    yield Line(f"mag7 explain {found.on} shows what is behind it.", "faint")


@command("mag7 report", "mag7 report --out concentration.html --png charts --open", formats=TEXT_JSON)
def report(
    output: Output,
    options: EngineOptions,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where the page goes; by default into the lake.")
    ] = None,
    png: Annotated[Path | None, typer.Option("--png", metavar="DIR", help="Draw each chart as a PNG, too.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Draw the report: one HTML file that needs no network.

    The answer first, then the figures over time. Charts as PNG need no browser.
    """
    from mag7cli.analytics.fund_weight import weight_on
    from mag7cli.core.clock import SystemClock
    from mag7cli.lake.layout import Lake
    from mag7cli.pipeline import report_path
    from mag7cli.reporting.write import write_report

    lake = Lake.at(options.lake)
    page = out or report_path(lake)
    if page is None:
        raise UsageError("a lake on S3 has no place for the report", hint="mag7 report --out report.html")
    with opened(options) as engine:
        result = write_report(engine, page, png, SystemClock(), weight_on(lake, None))
    output.show(report_result(result))
    if open_:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def report_result(result: "ReportResult") -> Result:
    """What was drawn, as a person and as a program read it."""
    text = [Line(f"{result.page} ({size(result.size_bytes)})"), *(Line(str(one)) for one in result.pictures)]
    return Result(
        document={
            "page": str(result.page),
            "size_bytes": result.size_bytes,
            "pictures": [str(one) for one in result.pictures],
            "trading_date": result.answer.on,
            "mag7_pct_of_sp500": result.answer.share_pct,
            "simulated": result.simulated,
        },
        grid=Grid((Column("file"),), [[str(result.page)], *([str(one)] for one in result.pictures)]),
        text=text,
    )


@command("mag7 status", "mag7 status --format json", formats=TEXT_JSON)
def status(output: Output, lake: LakeOption = DEFAULT_LAKE) -> None:
    """Print what the lake holds and lacks.

    Dates, gaps, partial dates, failures by reason, sizes; and the command that would bring it up to date.
    """
    from mag7cli.analytics.lake_status import status
    from mag7cli.core.clock import SystemClock
    from mag7cli.lake.layout import Lake
    from mag7cli.market.calendar import last_completed_session

    output.show(_status_result(status(Lake.at(lake), last_completed_session(SystemClock().now()))))


def _status_result(found: "Status") -> Result:
    grid = Grid(
        (Column("zone"), Column("files", right=True, show=count), Column("bytes", "size", size, right=True)),
        [[one.zone, one.files, one.bytes] for one in found.sizes],
    )
    document = {**asdict(found), "partial": _by_day(found.partial), "failed": _by_day(found.failed)}
    return Result(document=document, grid=grid, text=[*_status_lines(found), Line(""), grid])


def _by_day(found: Any) -> dict[str, Any]:
    return {day.isoformat(): value for day, value in found.items()}


def _status_lines(found: "Status") -> Iterator[Line]:
    if found.is_empty:
        yield Line("The lake is empty. mag7 collect --plan-only tells what filling it costs.")
        return
    if found.simulated:
        yield Line(_SIMULATED, "warn")
    yield Line(f"{found.first} to {found.last}: {counted(found.complete, 'complete date')}.", "strong")
    yield Line(f"Last collected {found.last_collected_at}.")
    for gap in found.gaps[:_SHOWN]:
        yield Line(f"Gap: {gap.first} to {gap.last}, {counted(gap.count, 'date')}.", "warn")
    for day, why in list(found.partial.items())[-_SHOWN:]:
        yield Line(f"Partial: {day}: {why}", "warn")
    for reason, lines in list(found.reasons.items())[:_SHOWN]:
        yield Line(f"Failed: {counted(lines, 'line')}: {reason}", "warn")
    held = found.holdings
    yield Line(f"Holdings files: {len(held)}, {held[0]} to {held[-1]}." if held else "Holdings files: none; the list "
               "that comes with mag7 is used.")  # fmt: skip
    if found.behind or found.gaps or found.partial or found.failed:
        yield Line(f"{counted(found.behind, 'session')} behind. mag7 collect --plan-only tells what catching up costs.")


@command("mag7 explain 2024-06-07", "mag7 explain 2024-06-07 NVDA", formats=TEXT_JSON)
def explain(
    output: Output,
    on: DateArgument,
    ticker: Annotated[str | None, typer.Argument(metavar="[TICKER]", help="One line of the index.")] = None,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Print the receipt of a number.

    Every input with its hash and time, every share count with its origin, every correction with its evidence.
    """
    from mag7cli.analytics.lineage import explain
    from mag7cli.core.clock import SystemClock
    from mag7cli.lake.layout import Lake

    output.show(_receipt_result(explain(Lake.at(lake), on, SystemClock(), ticker.upper() if ticker else None)))


def _receipt_result(found: "Receipt") -> Result:
    grid = Grid(
        (
            Column("ticker"),
            Column("close_price", "close", lambda value: f"{value:,.2f}", right=True),
            Column("shares_outstanding", "x shares", count, right=True),
            Column("market_cap", "= market cap", lambda value: f"{value:,.2f}", right=True),
            Column("pct_of_sp500", "of index", pct, right=True),
            Column("asked_for", "answer for", optional=True),
            Column("fetched_at", "fetched", lambda value: str(value or "")[:19], optional=True),
        ),
        [
            [
                one.ticker,
                one.close_price,
                one.shares_outstanding,
                one.market_cap,
                one.pct_of_sp500,
                one.asked_for,
                one.fetched_at,
            ]
            for one in found.lines[: _SHOWN * 2]
        ],
    )
    return Result(document=asdict(found), grid=grid, text=[*_receipt_head(found), grid, *_receipt_tail(found)])


def _receipt_head(found: "Receipt") -> Iterator[Line]:
    if found.source.get("simulated"):
        yield Line(_SIMULATED, "warn")
    if found.mag7_pct_of_sp500 is None:
        yield Line(f"{found.trading_date} has no figure: {found.partial}", "bad")
    else:
        yield Line(
            f"{found.trading_date}: {found.total_mag7_market_cap:,.2f} / {found.sp500_total_market_cap:,.2f} "
            f"= {found.mag7_pct_of_sp500:.6f} %",
            "strong",
        )
    if found.gross_market_cap:
        yield Line(f"Each line counted, companies with two twice, the total would be {found.gross_market_cap:,.2f}.")
    yield Line(f"Data: {found.status}.", _QUALITY[found.status])
    yield Line("")


def _receipt_tail(found: "Receipt") -> Iterator[Line]:
    corrected = [(one.ticker, made) for one in found.lines for made in one.corrections]
    yield Line("")
    yield Line(f"Corrections: {len(corrected) or 'none'}", "strong")
    for ticker, made in corrected[: _SHOWN * 2]:
        yield Line(f"  {ticker} {made['field']} {count(made['from'])} -> {count(made['to'])}: {made['reason']}; "
                   f"{made['evidence']}")  # fmt: skip
    if len(corrected) > _SHOWN * 2:
        yield Line(f"  ... and {len(corrected) - _SHOWN * 2:,} more; --format json has them all", "faint")
    for doubt in found.doubts:
        yield Line(f"Doubt: {doubt['ticker']} {doubt['field']}: used {count(doubt['used'])}, the vendor has "
                   f"{count(doubt['other'])}: {doubt['reason']}", "warn")  # fmt: skip
    for event in found.events:
        yield Line(f"Suspect: {event.ticker}: {event.reason}; {event.evidence}", "warn")
    for sentence in found.splits:
        yield Line(f"Split: {sentence}")
    for failed in found.failed:
        yield Line(f"Failed: {failed['ticker']}: {failed['reason']}", "warn")
    if found.not_listed:
        yield Line(f"Not listed on that date: {', '.join(found.not_listed)}")
    yield Line("")
    yield Line(f"Constituents: {found.membership['kind']} as of {found.membership['as_of']}")
    yield Line(f"Source: {found.source.get('vendor')}, method {found.source.get('method')}, "
               f"client {found.source.get('version')}, collected {found.collected_at}")  # fmt: skip
    for one in found.inputs:
        yield Line(f"  sha256 {one.sha256}  {one.uri}", "faint")
    yield Line(f"mag7 {found.code_version}", "faint")
