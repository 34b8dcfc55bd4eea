"""`mag7 show`."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from mag7cli.cli.app import TEXT_JSON_CSV, command
from mag7cli.cli.engines import EngineOptions, opened
from mag7cli.cli.options import OptionalDateArgument
from mag7cli.cli.output import Column, Grid, Line, Output, Result, Style
from mag7cli.cli.quality import QUALITY_STYLES, SIMULATED
from mag7cli.core.formatting import change, counted, pct, usd

if TYPE_CHECKING:
    from mag7cli.analytics.summary import Answer


# What stands in each row of the CSV, so that a row is understood alone.
_OF_THE_DATE: Final = (
    *("mag7_pct_of_sp500", "total_mag7_market_cap", "sp500_total_market_cap", "status", "simulated"),
)


@command("mag7 show", "mag7 show 2024-06-07", "mag7 show --format json", formats=TEXT_JSON_CSV)
def show(output: Output, options: EngineOptions, on: OptionalDateArgument = None) -> None:
    """Print the answer: how much of the index is seven companies.

    With its date, the kind of number that it is, and whether to trust it. Beside it stands the fund's own weight, if
    the lake has its holdings.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    with opened(options) as engine:
        output.show(answer_result(library.summary(Lake.at(options.lake), on=on, engine=engine)))


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
    own = [found.share_pct, found.mag7_cap_usd, found.sp500_cap_usd, found.quality.status, found.quality.simulated]
    table = Grid(
        (Column("trading_date"), *columns[:-1], *map(Column, _OF_THE_DATE)),
        [[found.on, *row[:-1], *own] for row in rows],
    )
    return Result(
        document={**asdict(found), "companies": [asdict(one) for one in found.companies]},
        grid=table,
        text=[*_answer_lines(found), Line(""), grid, Line(""), *_quality_lines(found)],
    )


def _sign(value: float | None) -> Style:
    return "" if not value else "good" if value > 0 else "bad"


def _answer_lines(found: "Answer") -> Iterator[Line]:
    if found.quality.simulated:
        yield Line(SIMULATED, "warn")
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
    from mag7cli.market.membership import how_known

    quality = found.quality
    yield Line(f"Data: {quality.status}; {counted(quality.failed_count, 'line')} failed, method {quality.method}.",
               QUALITY_STYLES[quality.status])  # fmt: skip
    stands_in = quality.membership_kind in ("nearest", "bundled")
    yield Line(f"Constituents: {how_known(quality.membership_kind, quality.membership_as_of)}.",
               "warn" if stands_in else "")  # fmt: skip
    for reason in quality.reasons:
        yield Line(f"  {reason}", "warn")
    if quality.partial_since:
        yield Line(f"Later dates without a figure: {', '.join(map(str, quality.partial_since[-3:]))}.", "warn")
    yield Line(f"mag7 explain {found.on} shows what is behind it.", "faint")
