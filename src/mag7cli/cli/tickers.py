"""`mag7 tickers`."""

import logging
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from mag7cli.cli.app import command
from mag7cli.cli.options import DEFAULT_LAKE, LakeOption, OutOption, parse_date
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.lake.layout import Lake
    from mag7cli.market.holdings_file import Holdings

_STANDARD_INPUT: Final = "-"

_log = logging.getLogger(__name__)


@command(
    "mag7 tickers IVV_holdings.csv --format csv --out tickers.csv",
    "mag7 tickers --download",
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
    every: Annotated[
        Literal["week", "month", "quarter"], typer.Option("--every", help="With --from: one file of each.")
    ] = "month",
    out: OutOption = None,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Print the tickers of the S&P 500.

    They are read from a holdings file, which is kept in the lake; without one, from the lake's newest file, or else
    from the list that comes with mag7. Tickers are spelt as the vendor does: BRK.B, BF.B.
    """
    from mag7cli.lake.layout import Lake

    _check(file, download, as_of, from_)
    place = Lake.at(lake)
    if from_:
        output.show(_downloaded(output, place, from_, every), to=out)
    elif file:
        output.show(_of_file(output, place, *_read(file), as_of), to=out)
    elif download:
        output.show(_of_site(output, place, as_of), to=out)
    else:
        output.show(_of_lake(output, place, as_of), to=out)


def _check(file: str | None, download: bool, as_of: date | None, from_: date | None) -> None:
    """Raise UsageError for options that contradict each other."""
    if file and download:
        raise UsageError(f"either the file {file} or --download, not both")
    if from_ and not download:
        raise UsageError("--from needs --download", hint=f"mag7 tickers --download --from {from_}")
    if from_ and as_of:
        raise UsageError("either --as-of or --from, not both")


def _read(file: str) -> tuple[bytes, str]:
    """The bytes, and what to call them."""
    if file == _STANDARD_INPUT:
        return sys.stdin.buffer.read(), "stdin"
    try:
        return Path(file).read_bytes(), file
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _of_file(output: Output, lake: "Lake", data: bytes, name: str, as_of: date | None) -> Result:
    from mag7cli.market import holdings_file

    found = holdings_file.parse(data, name, as_of=as_of)
    _keep(output, lake, found, data)
    return _result(found.tickers, found.as_of, "file")


def _of_site(output: Output, lake: "Lake", as_of: date | None) -> Result:
    from mag7cli.vendors.ishares import HoldingsSite

    found, data = HoldingsSite().download(as_of)
    _keep(output, lake, found, data)
    return _result(found.tickers, found.as_of, "download")


def _keep(output: Output, lake: "Lake", found: "Holdings", data: bytes) -> None:
    """Keep the file in the lake if it can be told whose it is and of which day, and say what is odd about it."""
    from mag7cli.market.holdings_file import sp500_doubt

    for warning in found.warnings:
        output.warn(warning)
    for row in found.dropped:
        _log.info("left out %s (%s): %s", row.symbol, row.name, row.reason)
    doubt = sp500_doubt(found)
    if doubt:
        output.warn(f"not kept in the lake: {doubt}")
    elif found.as_of is None:
        output.warn("not kept in the lake: the file does not say of which day it is; --as-of does")
    else:
        lake.write_holdings(found.as_of, data)
    output.notice(_summary(found), as_of=found.as_of, tickers=len(found.equities), dropped=len(found.dropped))


def _summary(found: "Holdings") -> str:
    """What was read, and how much was left out."""
    told = f"{counted(len(found.equities), 'ticker')} of {found.fund}, {found.as_of or 'no day'}"
    return f"{told}; {counted(len(found.dropped), 'other line')} left out, -v says which" if found.dropped else told


def _downloaded(output: Output, lake: "Lake", first: date, every: Literal["week", "month", "quarter"]) -> Result:
    """Fetch the files that the lake does not have; each is kept at once, so that a run can be repeated."""
    from mag7cli.core.clock import SystemClock
    from mag7cli.core.progress import Note
    from mag7cli.market import calendar
    from mag7cli.vendors.ishares import HoldingsSite, days_to_ask

    days = days_to_ask(first, calendar.last_completed_session(SystemClock().now()), every)
    kept = lake.holdings_dates()
    rows: list[tuple[date | None, int]] = []
    with output.progress("holdings", unit="file") as progress:
        progress.start(len(days))
        for found, data in HoldingsSite().history(days, kept):
            _keep(output, lake, found, data)
            rows.append((found.as_of, len(found.equities)))
            progress.note(Note(doing=str(found.as_of)))
            progress.advance()
    output.notice(
        f"{counted(len(rows), 'file')} downloaded; the lake has {counted(len(lake.holdings_dates()), 'file')}"
    )
    grid = Grid((Column("as_of"), Column("tickers", right=True)), rows)
    return Result({"downloaded": grid.records()}, grid)


def _of_lake(output: Output, lake: "Lake", as_of: date | None) -> Result:
    """The list in force on a day by the lake's files, otherwise the newest, otherwise one that comes with mag7."""
    from mag7cli.lake.holdings import read_kept
    from mag7cli.market import symbology

    known = lake.holdings_dates()
    day = _in_force(known, as_of)
    if day is None and as_of:
        return _of_history(output, as_of)
    if day is None:
        output.notice(f"the list that comes with mag7, of {symbology.BUNDLED_AS_OF}: the lake has no holdings file")
        return _result([line.ticker for line in symbology.bundled_constituents()], symbology.BUNDLED_AS_OF, "bundled")
    holdings = read_kept(lake, day)
    output.notice(_summary(holdings))
    return _result(holdings.tickers, day, "lake")


def _of_history(output: Output, as_of: date) -> Result:
    """The list of a day by the joins and leaves that come with mag7; beyond them the nearest that is known."""
    from mag7cli.market import index_history
    from mag7cli.market.membership import members_on

    members = members_on(as_of, {})
    output.notice(
        f"{counted(len(members.lines), 'constituent')}, {members.kind} as of {members.as_of}: joins and leaves are "
        f"known from {index_history.FIRST_KNOWN} to {index_history.confirmed_until()}"
    )
    return _result([line.ticker for line in members.lines], members.as_of, members.kind)


def _in_force(known: Sequence[date], as_of: date | None) -> date | None:
    """The newest file, or the newest one on or before a day, or else the oldest; None without any."""
    until = [day for day in known if as_of is None or day <= as_of]
    return until[-1] if until else next(iter(known), None)


def _result(found: Sequence[str], as_of: date | None, source: str) -> Result:
    from mag7cli.market.holdings_file import python_list

    return Result(
        document={"as_of": as_of, "source": source, "count": len(found), "tickers": list(found)},
        grid=Grid((Column("ticker"),), [[ticker] for ticker in found]),
        text=[Line(ticker) for ticker in found],
        verbatim={"python": f"{python_list(found)}\n"},
    )
