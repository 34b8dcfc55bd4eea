"""`mag7 exposure`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mag7cli.cli.app import TEXT_JSON_CSV, command
from mag7cli.cli.options import DEFAULT_LAKE, LakeOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import counted, pct, usd

if TYPE_CHECKING:
    from mag7cli.analytics.exposure import CompanyExposure, Exposure
    from mag7cli.analytics.portfolio import Position
    from mag7cli.market.holdings_file import Holdings


@command(
    "mag7 exposure --fund IVV=10000 --stock NVDA=2500",
    "mag7 exposure portfolio.csv --fund-file ITOT=ITOT_holdings.csv",
    formats=TEXT_JSON_CSV,
)
def exposure(
    output: Output,
    portfolio: Annotated[
        Path | None, typer.Argument(metavar="[PORTFOLIO.csv]", help="Columns: ticker, and amount or shares and price.")
    ] = None,
    fund: Annotated[list[str] | None, typer.Option("--fund", metavar="IVV=USD", help="An amount in a fund.")] = None,
    stock: Annotated[
        list[str] | None, typer.Option("--stock", metavar="NVDA=USD", help="An amount in a stock.")
    ] = None,
    fund_file: Annotated[
        list[str] | None,
        typer.Option("--fund-file", metavar="FUND=FILE", help="A fund's holdings, as ishares.com gives them."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=0, metavar="N", help="How many other companies to list.")] = 10,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Show how much of your money is in the seven.

    Funds are opened by their holdings files: IVV by the lake's newest, others by --fund-file. What is not covered is
    shown as unknown.
    """
    from mag7cli.lake.layout import Lake
    from mag7cli.library import exposure

    positions = list(_positions(output, portfolio, fund or (), stock or ()))
    if not positions:
        raise UsageError("nothing to look into", hint="mag7 exposure --fund IVV=10000, or a CSV file of positions")
    funds = _funds(fund_file or ())
    output.show(_result(exposure(Lake.at(lake), positions=positions, funds=funds, top=top)))


def _positions(
    output: Output, portfolio: Path | None, funds: Iterable[str], stocks: Iterable[str]
) -> "Iterator[Position]":
    from mag7cli.analytics import portfolio as portfolios

    if portfolio:
        read = portfolios.parse(_bytes_of(portfolio), str(portfolio))
        for skipped in read.skipped:
            output.warn(f"{portfolio}, {skipped}")
        yield from read.positions
    yield from (portfolios.parse_option(text, "fund") for text in funds)
    yield from (portfolios.parse_option(text, "stock") for text in stocks)


def _funds(files: Iterable[str]) -> "Mapping[str, Holdings]":
    """The holdings that were given, by symbol."""
    from mag7cli.market import holdings_file

    funds = {}
    for text in files:
        symbol, separator, file = text.partition("=")
        if not separator or not symbol or not file:
            raise UsageError(f"{text!r} is not FUND=FILE", hint="--fund-file ITOT=ITOT_holdings.csv")
        funds[symbol.upper()] = holdings_file.parse(_bytes_of(Path(file)), file)
    return funds


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _result(found: "Exposure") -> Result:
    rows = [*_rows("mag7", found.mag7), *_rows("other", found.others), *_rest(found)]
    columns = ("kind", "ticker", "name", "amount_usd", "pct")
    return Result(_document(found), Grid(tuple(Column(name) for name in columns), rows), list(_text(found)))


def _rows(kind: str, companies: "Sequence[CompanyExposure]") -> list[list[Any]]:
    return [[kind, one.ticker, one.name, one.amount_usd, one.pct] for one in companies]


def _rest(found: "Exposure") -> Iterator[list[Any]]:
    """What is no company listed by name, so that the rows sum to the whole."""
    listed = sum(one.amount_usd for one in found.others)
    unlisted = found.others_count - len(found.others)
    if unlisted:
        rest = found.others_usd - listed
        yield ["other", None, counted(unlisted, "further company", "further companies"), rest, _pct(rest, found)]
    yield ["cash", None, "cash and other", found.cash_usd, _pct(found.cash_usd, found)]
    yield from (
        ["unknown", one.symbol, one.reason, one.amount_usd, _pct(one.amount_usd, found)] for one in found.unknown
    )


def _pct(amount: float, found: "Exposure") -> float:
    return 100 * amount / found.total_usd


def _document(found: "Exposure") -> dict[str, Any]:
    return {
        "total_usd": found.total_usd,
        "mag7_usd": found.mag7_usd,
        "mag7_pct": found.mag7_pct,
        "mag7": list(found.mag7),
        "others_usd": found.others_usd,
        "others_count": found.others_count,
        "others": list(found.others),
        "cash_usd": found.cash_usd,
        "unknown_usd": found.unknown_usd,
        "unknown": list(found.unknown),
        "funds": list(found.funds),
        "overlaps": list(found.overlaps),
    }


# For people


def _text(found: "Exposure") -> Iterator[Line | Grid]:
    from mag7cli.analytics.fund_weight import LAKE_FUND

    yield Line(
        f"{usd(found.mag7_usd)} of {usd(found.total_usd)} is in the Magnificent 7: {pct(found.mag7_pct)}.", "strong"
    )
    yield Line()
    yield _company_grid(found.mag7)
    if found.others:
        yield from (Line(), Line("The largest other companies", "strong"), _company_grid(found.others))
    yield Line()
    yield _parts_grid(found)
    if found.funds:
        yield from (Line(), _fund_grid(found))
    for overlap in found.overlaps:
        yield Line(f"{overlap.first} and {overlap.second} have {pct(overlap.pct, 1)} in common.")
    for unknown in found.unknown:
        yield Line(f"Unknown: {usd(unknown.amount_usd)} in {unknown.symbol}, {unknown.reason}.", "warn")
        if unknown.symbol == LAKE_FUND and not any(fund.symbol == LAKE_FUND for fund in found.funds):
            yield Line("  mag7 tickers --download fetches the holdings of IVV.", "warn")


def _company_grid(companies: "Sequence[CompanyExposure]") -> Grid:
    columns = (
        Column("ticker"),
        Column("company", optional=True),
        Column("amount", "amount", usd, right=True),
        Column("share", "of the whole", pct, right=True),
        Column("via", "by way of", _via, optional=True),
    )
    return Grid(columns, [[one.ticker, one.name, one.amount_usd, one.pct, one.via] for one in companies])


def _via(amounts: Mapping[str, float]) -> str:
    return ", ".join(f"{symbol} {usd(amount)}" for symbol, amount in amounts.items())


def _parts_grid(found: "Exposure") -> Grid:
    """The whole in its parts, which sum to it."""
    parts = [
        ("the Magnificent 7", found.mag7_usd),
        (counted(found.others_count, "other company", "other companies"), found.others_usd),
        ("cash and other", found.cash_usd),
        ("unknown", found.unknown_usd),
    ]
    columns = (
        Column("part", ""),
        Column("amount", "amount", usd, right=True),
        Column("share", "share", pct, right=True),
    )
    return Grid(columns, [[name, amount, _pct(amount, found)] for name, amount in [*parts, ("total", found.total_usd)]])


def _fund_grid(found: "Exposure") -> Grid:
    columns = (
        Column("fund"),
        Column("as_of", "as of"),
        Column("amount", "amount", usd, right=True),
        Column("mag7", "in the seven", pct, right=True),
        Column("unknown", "not covered", pct, right=True),
    )
    rows = [[one.symbol, one.as_of, one.amount_usd, one.mag7_pct, one.unknown_pct] for one in found.funds]
    return Grid(columns, rows)
