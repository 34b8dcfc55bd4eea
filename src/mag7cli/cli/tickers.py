"""`mag7 tickers`."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mag7cli.cli.app import command
from mag7cli.cli.input_files import called, read_bytes
from mag7cli.cli.options import DEFAULT_LAKE, LakeOption, OutOption, parse_date
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.lake.holdings import JudgedHoldings
    from mag7cli.lake.layout import Lake
    from mag7cli.market.holdings_file import Holdings
    from mag7cli.market.index_history import IndexChange
    from mag7cli.market.membership import Membership

Every = Literal["week", "month", "quarter"]

_log = logging.getLogger(__name__)


@command(
    "mag7 tickers --as-of 2022-06-30",
    "mag7 tickers IVV_holdings.csv --format csv --out tickers.csv",
    "mag7 tickers --download --from 2021-01-01 --every month",
    formats=("text", "csv", "python", "json"),
)
def tickers(
    output: Output,
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="A holdings file of IVV as ishares.com gives it; - is stdin.")
    ] = None,
    download: Annotated[bool, typer.Option("--download", help="Get the file from ishares.com.")] = False,
    as_of: Annotated[
        date | None,
        typer.Option("--as-of", parser=parse_date, metavar="YYYY-MM-DD", help="The list of this day."),
    ] = None,
    from_: Annotated[
        date | None,
        typer.Option(
            "--from", parser=parse_date, metavar="YYYY-MM-DD", help="With --download: the files from this day on."
        ),
    ] = None,
    every: Annotated[Every, typer.Option("--every", help="With --from: one file of each.")] = "month",
    changes: Annotated[
        bool, typer.Option("--changes", help="Print the rows that mag7's table of joins and leaves lacks.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Keep the file although it is doubtful, or in place of another.")
    ] = False,
    out: OutOption = None,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Print the tickers of the S&P 500.

    They are those of a day, today by default: by the joins and leaves that come with mag7, from the lake's latest
    holdings file on or before it. A FILE or a download is printed as it is, and kept in the lake if it is what it
    should be. Tickers are spelt as the vendor does: BRK.B, BF.B.
    """
    from mag7cli.lake.layout import Lake

    _check(file, download, as_of, from_)
    place = Lake.at(lake) if file or download else Lake.typed(lake, DEFAULT_LAKE)
    if from_:
        output.show(_downloaded(output, place, from_, every, accept=accept), to=out)
        return
    if file or download:
        judged = _file(place, file, as_of, accept=accept)
        _tell(output, judged)
        result = _changes([judged.holdings]) if changes else _of_file(judged, "file" if file else "download")
    else:
        result = _changes(_newest(place, as_of)) if changes else _of_day(output, place, as_of)
    output.show(result, to=out)


def _check(file: str | None, download: bool, as_of: date | None, from_: date | None) -> None:
    """Raise UsageError for options that contradict each other."""
    if file and download:
        raise UsageError(f"either the file {file} or --download, not both")
    if from_ and not download:
        raise UsageError("--from needs --download", hint=f"mag7 tickers --download --from {from_}")
    if from_ and as_of:
        raise UsageError("either --as-of or --from, not both")


# A file or a download


def _file(lake: "Lake", file: str | None, as_of: date | None, *, accept: bool) -> "JudgedHoldings":
    """The file, or what the issuer has, kept in the lake if it is what it should be."""
    from mag7cli import library

    if file is None:
        return library.download_holdings(lake, as_of=as_of, accept=accept)
    return library.keep_holdings(lake, data=read_bytes(file), name=called(file), as_of=as_of, accept=accept)


def _tell(output: Output, judged: "JudgedHoldings") -> None:
    """Say what was read, and what is odd about it."""
    holdings, verdict = judged.holdings, judged.verdict
    for warning in holdings.warnings:
        output.warn(warning)
    for row in holdings.dropped:
        _log.info("left out %s (%s): %s", row.symbol, row.name, row.reason)
    for reason in verdict.reasons:
        output.warn(f"kept in the lake although {reason}" if verdict.is_kept else f"not kept in the lake: {reason}")
    for difference in verdict.differences:
        output.warn(str(difference))
    output.notice(
        _summary(holdings), as_of=holdings.as_of, tickers=len(holdings.equities), dropped=len(holdings.dropped)
    )


def _summary(holdings: "Holdings") -> str:
    """What was read, and how much was left out."""
    what = f"{counted(len(holdings.equities), 'ticker')} of {holdings.fund}, {holdings.as_of or 'no day'}"
    dropped = counted(len(holdings.dropped), "other line")
    return f"{what}; {dropped} left out, -v says which" if holdings.dropped else what


def _downloaded(output: Output, lake: "Lake", first: date, every: Every, *, accept: bool) -> Result:
    """Fetch the files that the lake does not have; each is kept at once, so that a run can be repeated."""
    from mag7cli import library

    rows: list[tuple[date | None, int]] = []
    for judged in library.download_holdings_history(lake, since=first, every=every, accept=accept, listener=output):
        _tell(output, judged)
        rows.append((judged.holdings.as_of, len(judged.holdings.equities)))
    output.notice(
        f"{counted(len(rows), 'file')} downloaded; the lake has {counted(len(lake.holdings_dates()), 'file')}"
    )
    grid = Grid((Column("as_of"), Column("tickers", right=True)), rows)
    return Result({"downloaded": grid.records()}, grid)


def _of_file(judged: "JudgedHoldings", source: str) -> Result:
    holdings, verdict = judged.holdings, judged.verdict
    return _result(
        holdings.tickers,
        {
            "as_of": holdings.as_of,
            "source": source,
            "kept": verdict.is_kept,
            "doubts": list(verdict.reasons),
            "differences": [{"ticker": row.ticker, "only_in": row.only_in} for row in verdict.differences],
        },
    )


# The list of a day


def _of_day(output: Output, lake: "Lake", as_of: date | None) -> Result:
    """The list of a day, today by default, and how it is known."""
    from mag7cli import library
    from mag7cli.core.clock import SystemClock
    from mag7cli.market import index_history
    from mag7cli.market.calendar import last_completed_session

    day = as_of or last_completed_session(SystemClock().now())
    membership = library.members(lake, on=day)
    output.notice(f"the S&P 500 on {day}, {_how_known(membership)}")
    if not index_history.is_known(day) and membership.kind != "observed":
        is_later = day > index_history.confirmed_until()
        remedy = "--download keeps a newer list" if is_later else f"FILE --as-of {day} keeps a list of that day"
        output.warn(f"{index_history.reach(day)}; mag7 tickers {remedy}")
    return _result(
        [constituent.ticker for constituent in membership.constituents],
        {
            "as_of": day,
            "source": membership.kind,
            "in_force_since": membership.as_of,
            "holdings": membership.file,
            "confirmed_until": index_history.confirmed_until(),
        },
    )


def _how_known(membership: "Membership") -> str:
    """The list's source in words."""
    from mag7cli.market import index_history

    file = f"the holdings file of {membership.file}"
    until = f"joins and leaves known until {index_history.confirmed_until()}"
    return {
        "observed": f"as {file} has it",
        "history": f"from {file} by the {until}" if membership.file else f"by the {until}",
        "nearest": f"by the nearest list, of {membership.as_of}",
        "bundled": f"by the nearest list that comes with mag7, of {membership.as_of}",
    }[membership.kind]


# What the table lacks


def _newest(lake: "Lake", as_of: date | None) -> "list[Holdings]":
    """The lake's holdings file of a day, or its newest one. Raises UsageError where there is none."""
    from mag7cli.lake.holdings import read_kept

    days = [day for day in lake.holdings_dates() if as_of is None or day <= as_of]
    if not days:
        raise UsageError("the lake has no holdings file to compare with", hint="mag7 tickers --download --changes")
    return [read_kept(lake, days[-1])]


def _changes(files: "Iterable[Holdings]") -> Result:
    """The rows with which `data/index_changes.csv` would say what the files say, in that table's form."""
    from mag7cli.market import index_history

    rows: list[IndexChange] = []
    for holdings in files:
        if holdings.as_of is None:
            raise UsageError("the file does not say of which day it is", hint="--as-of YYYY-MM-DD does")
        source = f"{holdings.fund} {holdings.as_of}"
        rows += index_history.missing_changes(holdings.tickers, holdings.as_of, source)
    columns = ("effective_date", "change", "ticker", "reason", "last_traded", "note", "source")
    note = f"by that day; known until {index_history.confirmed_until()}"
    cells = [[row.effective_date, row.change, row.ticker, "", None, note, row.source] for row in rows]
    grid = Grid(tuple(Column(name) for name in columns), cells)
    text: list[Line | Grid] = [grid] if rows else [Line("The table has every join and leave that the holdings show.")]
    return Result({"changes": grid.records()}, grid, text=text)


def _result(names: Sequence[str], facts: Mapping[str, Any]) -> Result:
    from mag7cli.market.holdings_file import python_list

    return Result(
        document={**facts, "count": len(names), "tickers": list(names)},
        grid=Grid((Column("ticker"),), [[ticker] for ticker in names]),
        text=[Line(ticker) for ticker in names],
        verbatim={"python": f"{python_list(names)}\n"},
    )
