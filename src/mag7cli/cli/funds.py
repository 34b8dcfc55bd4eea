"""`mag7 funds`: the holdings files that `mag7 exposure` opens funds by."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from mag7cli.cli.app import TEXT_JSON, TEXT_JSON_CSV, command
from mag7cli.cli.input_files import called, read_bytes
from mag7cli.cli.options import DEFAULT_LAKE, LakeOption, parse_date
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import IncompleteError, Mag7Error, UsageError
from mag7cli.core.formatting import count, counted

if TYPE_CHECKING:
    from mag7cli.lake.layout import Lake
    from mag7cli.portfolio.kept_funds import KeptFile
    from mag7cli.vendors.ishares import HoldingsSite


@command(
    "mag7 funds add QQQ=QQQ_holdings.csv",
    "mag7 funds add SPY",
    "mag7 funds add XYZ --url https://example.com/xyz.csv",
    formats=TEXT_JSON,
)
def add(
    output: Output,
    fund: Annotated[
        str, typer.Argument(metavar="FUND[=FILE]", help="The fund's ticker or ISIN, and its file; - is stdin.")
    ],
    url: Annotated[
        str | None, typer.Option("--url", metavar="https://…", help="Where its issuer serves the file.")
    ] = None,
    as_of: Annotated[
        date | None,
        typer.Option("--as-of", parser=parse_date, metavar="YYYY-MM-DD", help="Its day, if the file does not say."),
    ] = None,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Keep the holdings file of a fund in the lake.

    The file is read before it is taken: its rows, its day and its fund have to be what they should be. Without a file
    it is got from the address that you give, or that its issuer is known to serve it at.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    place = Lake.at(lake)
    symbol, _, file = fund.partition("=")
    if file and url:
        raise UsageError("a file and --url contradict each other")
    if file:
        fund_file = library.keep_fund(place, symbol=symbol, data=read_bytes(file), name=called(file), as_of=as_of)
    else:
        fund_file = library.download_fund(place, symbol=symbol, url=url, as_of=as_of)
    _tell_warnings(output, place, fund_file)
    text = f"Kept the holdings of {fund_file.symbol} as of {fund_file.as_of}: {place.store.uri(fund_file.key)}."
    record = _record(fund_file, _today())
    output.show(Result(record, _grid([record]), [Line(text)]))


@command("mag7 funds list", formats=TEXT_JSON_CSV)
def list_(output: Output, lake: LakeOption = DEFAULT_LAKE) -> None:
    """List the funds whose holdings the lake keeps, and how old they are."""
    from mag7cli.lake.layout import Lake
    from mag7cli.portfolio import kept_funds

    place, today = Lake.at(lake).require(), _today()
    files, addresses = kept_funds.kept_files(place), kept_funds.addresses(place)
    newest = kept_funds.newest(files)
    records = [_fund_record(newest[symbol], files, addresses, today) for symbol in sorted(newest)]
    columns = (
        Column("fund"),
        Column("as_of", "as of"),
        Column("age_days", "days old", right=True, show=count),
        Column("files", right=True, show=count),
        Column("address", "newest from", optional=True),
    )
    grid = Grid(columns, [list(record.values()) for record in records])
    empty = [Line("The lake keeps no holdings of funds. mag7 funds add QQQ=QQQ_holdings.csv keeps one.")]
    output.show(Result({"funds": records}, grid, [grid] if records else empty))


@command("mag7 funds refresh", "mag7 funds refresh SPY QQQ", formats=TEXT_JSON)
def refresh(
    output: Output,
    funds: Annotated[
        list[str] | None, typer.Argument(metavar="[FUND]...", help="By default all whose address is known.")
    ] = None,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Get the newest holdings files of kept funds from their issuers.

    One at a time and slowly. What comes is read before it is kept; a file of a day that is there is left alone.
    """
    from mag7cli.lake.layout import Lake
    from mag7cli.portfolio import kept_funds
    from mag7cli.vendors.ishares import HoldingsSite

    place = Lake.at(lake).require()
    symbols = [kept_funds.plain_symbol(each) for each in funds or ()] or sorted(kept_funds.addresses(place))
    if not symbols:
        raise UsageError("no fund has an address to get its holdings from", hint="mag7 funds add SPY")
    before = {each.key for each in kept_funds.kept_files(place)}
    site = HoldingsSite()  # one at a time, and slowly
    outcomes = [_refreshed(output, place, symbol, site) for symbol in symbols]
    fund_files = [each for each in outcomes if each is not None]
    fresh = [each for each in fund_files if each.key not in before]
    failed = len(outcomes) - len(fund_files)
    text = f"{counted(len(fresh), 'new file')}, {len(fund_files) - len(fresh)} unchanged, {failed} failed."
    records = [_record(each, _today()) for each in fresh]
    document = {"new": records, "unchanged": len(fund_files) - len(fresh), "failed": failed}
    output.show(Result(document, _grid(records), [Line(text)]))
    if failed:
        raise IncompleteError(f"{counted(failed, 'fund')} of {len(symbols)} could not be refreshed")


def _refreshed(output: Output, lake: "Lake", symbol: str, site: "HoldingsSite") -> "KeptFile | None":
    """The newest file of a fund, kept; None if it could not be had, which is said."""
    from mag7cli import library

    try:
        fund_file = library.download_fund(lake, symbol=symbol, site=site)
    except Mag7Error as error:
        output.warn(f"{symbol}: {error}")
        return None
    _tell_warnings(output, lake, fund_file)
    return fund_file


def _tell_warnings(output: Output, lake: "Lake", fund_file: "KeptFile") -> None:
    from mag7cli.portfolio import kept_funds

    holdings = kept_funds.read(lake, fund_file)
    for text in (*holdings.notes, *holdings.warnings):
        output.warn(f"{fund_file.symbol}: {text}")
    if holdings.unknown:
        output.warn(f"{fund_file.symbol}: {100 * holdings.unknown:.2f} % of the fund is not in the file")


def _record(fund_file: "KeptFile", today: date) -> dict[str, Any]:
    return {
        "fund": fund_file.symbol,
        "as_of": fund_file.as_of,
        "age_days": (today - fund_file.as_of).days,
        "key": fund_file.key,
    }


def _grid(records: list[dict[str, Any]]) -> Grid:
    names = ("fund", "as_of", "age_days", "key")
    return Grid(tuple(Column(name) for name in names), [list(record.values()) for record in records])


def _fund_record(
    fund_file: "KeptFile", files: "Iterable[KeptFile]", addresses: dict[str, str], today: date
) -> dict[str, Any]:
    return {
        "fund": fund_file.symbol,
        "as_of": fund_file.as_of,
        "age_days": (today - fund_file.as_of).days,
        "files": sum(each.symbol == fund_file.symbol for each in files),
        "address": urlsplit(addresses.get(fund_file.symbol, "")).hostname,
    }


def _today() -> date:
    from mag7cli.core.clock import SystemClock

    return SystemClock().now().date()
