"""`mag7 show`."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mag7cli.cli.app import TEXT_JSON_CSV, command
from mag7cli.cli.engines import EngineOptions, named
from mag7cli.cli.input_files import called, read_bytes
from mag7cli.cli.options import SEVEN, GroupOption, PeriodArgument, WithoutOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result, Style
from mag7cli.cli.quality import QUALITY_STYLES, SIMULATED, red_lines
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import MISSING, change, counted, pct, pct_within, usd

if TYPE_CHECKING:
    from mag7cli.analytics.indicators import IndicatorAnswer
    from mag7cli.analytics.period import PeriodAnswer
    from mag7cli.analytics.series import SeriesRow
    from mag7cli.analytics.summary import ConcentrationSummary, FundWeight
    from mag7cli.collection.benchmarks import Benchmark
    from mag7cli.lake.layout import Lake

_LISTED_COMPANIES: Final = 20

# What stands in each row of the CSV, so that a row is understood alone.
_OF_THE_DATE: Final = (
    *("group", "mag7_pct_of_sp500", "mag7_pct_low", "mag7_pct_high"),
    *("total_mag7_market_cap", "sp500_total_market_cap", "status", "simulated"),
)


@command(
    "mag7 show",
    "mag7 show 2024-06-07",
    "mag7 show 2024-06-07 2024-06-14",
    "mag7 show max --group top10 --without NVDA",
    "mag7 show --last 30 --format csv",
    formats=TEXT_JSON_CSV,
)
def show(
    output: Output,
    options: EngineOptions,
    dates: PeriodArgument = None,
    last: Annotated[
        int | None,
        typer.Option("--last", min=1, metavar="N", help="The latest N dates that are collected, a row each."),
    ] = None,
    with_: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="FILE|SYMBOL",
            help="Correlation and beta with a series: a CSV of dates and levels, or one of collect --benchmark.",
        ),
    ] = None,
    group: GroupOption = SEVEN,
    without: WithoutOption = "",
) -> None:
    """Print the answer: how much of the index is seven companies.

    With its date, the kind of number that it is, and whether to trust it. Beside it stands the fund's own weight, if
    the lake has its holdings. For two dates, or a period such as 2024 or ytd, what happened between these closes.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    lake, companies = Lake.at(options.lake), library.group(group, without=without)
    if last and dates:
        raise UsageError("--last and dates contradict each other", hint="mag7 show --last 30")
    if with_ and (last or dates):
        raise UsageError("--with is over all dates", hint="mag7 show --with small_caps.csv --format csv")
    with named(options) as engine:
        if with_:
            series = _series(output, lake, with_)
            answer = library.co_movement(
                lake, levels=series.closes_usd, name=series.symbol, group=companies, engine=engine
            )
            output.show(indicator_result(replace(answer, assumed_splits=tuple(series.splits))))
            return
        if last:
            output.show(series_result(library.series(lake, last=last, group=companies, engine=engine)))
            return
        when = library.period(lake, dates or (), engine=engine)
        if when is None or isinstance(when, date):
            output.show(answer_result(library.summary(lake, on=when, group=companies, engine=engine)))
        else:
            compared = library.compare(lake, since=when.base, until=when.last, group=companies, engine=engine)
            output.show(period_result(compared))


def _series(output: Output, lake: "Lake", name: str) -> "Benchmark":
    """A series by what it is called: the levels in a file, or prices that the lake keeps."""
    from mag7cli import library
    from mag7cli.analytics.indicators import parse_series
    from mag7cli.collection.benchmarks import Benchmark, is_symbol

    if Path(name).exists() or not is_symbol(name):
        return Benchmark(Path(called(name)).name, parse_series(read_bytes(name), called(name)), {})
    benchmark = library.benchmark(lake, symbol=name)
    for day, ratio in benchmark.splits.items():
        output.warn(f"{name}: the step of the close on {day} is taken for a split, {ratio:g} for 1")
    return benchmark


def answer_result(answer: "ConcentrationSummary") -> Result:
    """The answer, as a person and as a program read it."""
    from mag7cli.analytics.summary import sparkline

    columns = (
        Column("ticker"),
        Column("name", optional=True),
        Column("market_cap", "market cap", usd, right=True),
        Column("pct_of_sp500", "of index", pct, right=True),
        Column("pct_of_mag7", "of seven" if answer.group == SEVEN else "of group", pct, right=True, optional=True),
        Column("change_day", "day", usd, right=True, tone=_sign),
        Column("change_year", "year", usd, right=True, optional=True, tone=_sign),
        Column("trend", optional=True),
    )
    rows = [
        [
            company.ticker,
            company.name,
            company.market_cap_usd,
            company.pct_of_sp500,
            company.pct_of_mag7,
            company.changes.day.difference if company.changes.day else None,
            company.changes.year.difference if company.changes.year else None,
            sparkline(company.trend),
        ]
        for company in answer.companies
    ]
    grid = Grid(columns, rows)
    own = [
        *(answer.group, answer.share_pct, answer.low_pct, answer.high_pct),
        *(answer.mag7_cap_usd, answer.sp500_cap_usd, answer.quality.status, answer.quality.simulated),
    ]
    table = Grid(
        (Column("trading_date"), *columns[:-1], *map(Column, _OF_THE_DATE)),
        [[answer.on, *row[:-1], *own] for row in rows],
    )
    return Result(
        document={**asdict(answer), "companies": [asdict(company) for company in answer.companies]},
        grid=table,
        text=[*_answer_lines(answer), Line(""), grid, Line(""), *_quality_lines(answer)],
    )


def _sign(value: float | None) -> Style:
    return "" if not value else "good" if value > 0 else "bad"


def _answer_lines(answer: "ConcentrationSummary") -> Iterator[Line]:
    if answer.quality.simulated:
        yield Line(SIMULATED, "warn")
    yield Line(f"{answer.share_text} of the S&P 500 is {answer.subject}, at the close of {answer.on}.", "strong")
    yield Line(f"{usd(answer.mag7_cap_usd)} of {usd(answer.sp500_cap_usd)}: {answer.kind}.")
    moved = [
        f"{change(move.difference)} points in a {name}"
        for name, move in (("day", answer.changes.day), ("month", answer.changes.month), ("year", answer.changes.year))
        if move
    ]
    if moved:
        yield Line(", ".join(moved) + ".")
    if answer.effective_n:
        yield Line(f"The index is as concentrated as one of {answer.effective_n:.0f} equal companies.")
    if answer.fund and answer.group == SEVEN:
        yield Line(f"In the fund itself they weigh {answer.fund.mag7_pct:.2f} %: float-adjusted weight of "
                   f"{answer.fund.fund} as of {answer.fund.as_of}.")  # fmt: skip
        if answer.fund.on_pct is not None:
            yield Line(_taken_to_the_date(answer.fund))


def _taken_to_the_date(fund: "FundWeight") -> str:
    if fund.basis == "carried":
        return f"Taken to {fund.on} by prices, that is {fund.on_pct:.2f} %; no later file says so."
    return f"Between that file and the next, by prices, it is {fund.on_pct:.2f} % on {fund.on}."


def _quality_lines(answer: "ConcentrationSummary") -> Iterator[Line]:
    from mag7cli.market.index_knowledge import how_known

    quality = answer.quality
    yield Line(f"Data: {quality.status}; {counted(quality.failed_count, 'line')} failed, method {quality.method}.",
               QUALITY_STYLES[quality.status])  # fmt: skip
    stands_in = quality.membership_kind in ("nearest", "bundled") or answer.on > quality.membership_known_until
    yield Line(f"Constituents: {how_known(quality.membership_kind, quality.membership_as_of)}.",
               "warn" if stands_in else "")  # fmt: skip
    yield from red_lines(quality.failed_checks)
    if answer.low_pct is None:
        yield Line("Bound of the share: unknown.", "warn")
    for reason in quality.reasons:
        yield Line(f"  {reason}", "warn")
    for group in quality.partial_reasons:
        yield Line(f"Later without a figure: {counted(group.dates, 'date')}: {group.reason}", "warn")
    yield Line(f"mag7 explain {answer.on} shows what is behind it.", "faint")


def period_result(period: "PeriodAnswer") -> Result:
    """What happened between two closes, as a person and as a program read it."""
    then, now = (period.fund.then, period.fund.now) if period.fund else (None, None)
    in_fund = f"in {period.fund.fund}" if period.fund else ""
    columns = (
        Column("ticker"),
        Column("name", optional=True),
        Column("market_cap_then", "then", usd, right=True, optional=True),
        Column("market_cap_now", "now", usd, right=True),
        Column("share_then_pct", "share then", pct, right=True),
        Column("share_now_pct", "share now", pct, right=True),
        Column("share_points", "points", change, right=True, tone=_sign),
        Column("return_pct", "return", _signed_pct, right=True, tone=_sign),
        Column("contribution_pct", "of index's", change, right=True, tone=_sign),
        *((Column("fund_weight_then_pct", f"{in_fund} then", pct, right=True, optional=True),) if then else ()),
        *((Column("fund_weight_now_pct", f"{in_fund} now", pct, right=True, optional=True),) if now else ()),
    )
    rows = [
        [
            company.ticker,
            company.name,
            company.cap_then_usd,
            company.cap_now_usd,
            company.share_then_pct,
            company.share_now_pct,
            company.share_points,
            company.return_pct,
            company.contribution_pct,
            *(close.weights_pct.get(company.ticker) for close in (then, now) if close),
        ]
        for company in period.companies
    ]
    own = (Column("base"), Column("last"), Column("simulated"))
    table = Grid((*own, *columns), [[period.base, period.last, period.simulated, *row] for row in rows])
    document = {**asdict(period), "share_points": period.share_points}
    text: list[Line | Grid] = [
        *_period_lines(period),
        Line(""),
        Grid(columns, rows[:_LISTED_COMPANIES]),
        Line(""),
        *_period_quality(period),
    ]
    return Result(document=document, grid=table, text=text)


def _signed_pct(value: float | None) -> str:
    return MISSING if value is None else f"{change(value, 1)} %"


def _period_lines(period: "PeriodAnswer") -> Iterator[Line]:
    if period.simulated:
        yield Line(SIMULATED, "warn")
    yield Line(
        f"{pct_within(period.now.share_pct, period.now_low_pct, period.now_high_pct)} of the S&P 500 is "
        f"{period.subject}, at the close of {period.last}; "
        f"{pct_within(period.then.share_pct, period.then_low_pct, period.then_high_pct)} at that of {period.base}: "
        f"{change(period.share_points)} points.",
        "strong",
    )
    returns = period.returns
    series = (
        ("the Mag 7" if period.group == SEVEN else "the group", returns.group_pct),
        ("the rest", returns.rest_pct),
        ("the index", returns.index_pct),
        ("all companies alike", returns.equal_weight_pct),
    )
    listed = ", ".join(f"{name} {_signed_pct(value)}" for name, value in series if value is not None)
    yield Line(f"In price {listed}.")
    yield from _fund_lines(period)
    yield Line(f"Shares: {period.kind}. Returns: {period.returns_kind}.", "faint")


def _fund_lines(period: "PeriodAnswer") -> Iterator[Line]:
    """The fund's own weight at both closes, another number, and how each is known."""
    if period.fund is None:
        return
    closes = [close for close in (period.fund.then, period.fund.now) if close]
    told = ", ".join(f"{close.mag7_pct:.2f} % on {close.on} ({_HOW[close.basis]} {close.as_of})" for close in closes)
    yield Line(f"In {period.fund.fund} they weigh, float-adjusted, {told}.")
    if period.fund.return_pct is not None:
        yield Line(f"{period.fund.fund} by the prices of what its files list: {_signed_pct(period.fund.return_pct)}.")


_HOW: Final = {
    "file": "its file of",
    "interpolated": "by prices between its files, the earlier of",
    "carried": "by prices since its last file, of",
}


def _period_quality(period: "PeriodAnswer") -> Iterator[Line]:
    if len(period.companies) > _LISTED_COMPANIES:
        yield Line(f"The first {_LISTED_COMPANIES} of {len(period.companies)} by contribution; --format csv has all.")
    style: Style = "warn" if period.suspect or period.partial else "good"
    yield Line(
        f"Data: {period.base} and {counted(period.dates, 'date')} after it, {period.suspect} of them suspect, "
        f"{period.partial} partial.", style
    )  # fmt: skip


def series_result(series: "tuple[SeriesRow, ...]") -> Result:
    """A row for each date, as a person and as a program read it."""
    fund = next((each.fund for each in series if each.fund), None)
    columns = (
        Column("trading_date", "date"),
        Column("share_pct", "share", right=True),
        Column("group_cap_usd", "group", usd, right=True),
        Column("index_cap_usd", "index", usd, right=True),
        *((Column("fund_weight_pct", f"in {fund}", pct, right=True),) if fund else ()),
        Column("status", tone=lambda status: QUALITY_STYLES[status]),
        Column("reason", optional=True),
    )
    rows = [
        [
            each.on,
            MISSING if each.share_pct is None else pct_within(each.share_pct, each.low_pct, each.high_pct),
            each.group_cap_usd,
            each.index_cap_usd,
            *((each.fund_weight_pct,) if fund else ()),
            each.status,
            each.reason,
        ]
        for each in series
    ]
    first = series[-1] if series else None
    lead = [Line(SIMULATED, "warn")] if any(each.simulated for each in series) else []
    kind = [Line(f"Share of {first.subject} in the S&P 500: {first.kind}.")] if first else []
    if fund:
        kind.append(Line(f"In {fund}: the fund's own float-adjusted weight of them, by prices between its files."))
    grid = Grid(columns, rows)
    records = [asdict(each) for each in series]
    names = tuple(Column(name) for name in records[0]) if records else columns
    return Result(
        document={"days": records},
        grid=Grid(names, [list(record.values()) for record in records]),
        text=[*lead, *kind, grid],
    )


def indicator_result(answer: "IndicatorAnswer") -> Result:
    """How the share and the returns moved with a series, as a person and as a program read it."""
    columns = (
        Column("on"),
        *(Column(name, name.replace("_", " "), _two_digits, right=True) for name in _MOVED),
    )
    rows = [[row.on, *(getattr(row, name) for name in _MOVED)] for row in answer.rows]
    marks = (*map(Column, ("series", "group", "sessions", "simulated", "suspect_returns")),)
    own = [answer.series, answer.group, answer.sessions, answer.simulated, answer.suspect_returns]
    ends = [[f"{answer.first} to {answer.last}", *(getattr(answer.whole, name) for name in _MOVED)], *rows[-1:]]
    text: list[Line | Grid] = [
        *([Line(SIMULATED, "warn")] if answer.simulated else []),
        Line(
            f"The share of {answer.subject}, and their price return, beside {answer.series}: "
            f"{counted(answer.dates, 'date')} in common.",
            "strong",
        ),
        Grid(columns, ends),
        Line(
            f"{answer.kind.capitalize()}; the last row is of the {answer.sessions} sessions that end there. "
            "--format csv has every window.",
            "faint",
        ),
    ]
    if answer.suspect_returns:
        text.append(
            Line(
                f"{counted(answer.suspect_returns, 'date')} of these {'is' if answer.suspect_returns == 1 else 'are'} "
                "suspect: left out of the share, but in the returns, which are chained from date to date.",
                "warn",
            )
        )
    table = Grid((*columns, *marks), [[*row, *own] for row in rows])
    return Result(document=asdict(answer), grid=table, text=text)


_MOVED: Final = ("share_correlation", "share_beta", "return_correlation", "return_beta")


def _two_digits(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"
