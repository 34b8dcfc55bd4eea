"""`mag7 exposure`."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import typer

from mag7cli.cli.app import TEXT_JSON_CSV, command
from mag7cli.cli.input_files import STANDARD_STREAM, called, read_bytes
from mag7cli.cli.options import DEFAULT_LAKE, SEVEN, GroupOption, LakeOption, parse_date, parse_out_file
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import EXIT_PARTIAL, UsageError
from mag7cli.core.formatting import counted, money, pct

if TYPE_CHECKING:
    from mag7cli.lake.layout import Lake
    from mag7cli.portfolio.answer import CompanyExposure, Exposure, Unvalued
    from mag7cli.portfolio.fund_file import FundHoldings
    from mag7cli.portfolio.positions import Portfolio, Position

_GROUPS_SHOWN: Final = 8
_MEMBERS_SHOWN: Final = 20
_SHOWN_PCT: Final = 0.005  # less is shown as 0.00 %
_OLD_DAYS: Final = 45  # funds tell their holdings every day or every month


class HoldingOptions(NamedTuple):
    """What is held besides the files, and how those are to be read."""

    fund: Annotated[list[str] | None, typer.Option("--fund", metavar="IVV=USD", help="An amount in a fund.")] = None
    stock: Annotated[list[str] | None, typer.Option("--stock", metavar="NVDA=USD", help="An amount in a stock.")] = None
    decimal: Annotated[
        Literal["point", "comma"] | None,
        typer.Option("--decimal", help="The decimal mark, where figures can be read in two ways."),
    ] = None
    on: Annotated[
        date | None,
        typer.Option(
            "--on", parser=parse_date, metavar="YYYY-MM-DD", help="The day that counts, of a file of several."
        ),
    ] = None

    def portfolio(self, output: Output | None, files: "Sequence[tuple[str, bytes]]", on: date | None) -> "Portfolio":
        """Everything that is held. With an output, it says how each file was read and what is doubtful or left out."""
        from mag7cli.portfolio.broker_file import parse
        from mag7cli.portfolio.positions import Portfolio, combined, parse_option

        parts = [parse(data, name, decimal_mark=self.decimal, on=on, is_security=_is_security) for name, data in files]
        for part in parts:
            _tell(output, part)
        typed: list[Position] = [parse_option(text, "fund") for text in self.fund or ()]
        typed += [parse_option(text, "stock") for text in self.stock or ()]
        return combined([*parts, Portfolio(tuple(typed))])


class OpeningOptions(NamedTuple):
    """By what the positions are opened and valued."""

    fund_file: Annotated[
        list[str] | None,
        typer.Option("--fund-file", metavar="FUND=FILE", help="A fund's holdings, as its issuer's site gives them."),
    ] = None
    rate: Annotated[
        list[str] | None,
        typer.Option("--rate", metavar="EUR=1.08", help="US dollars for one unit of a currency."),
    ] = None
    delta: Annotated[
        list[str] | None,
        typer.Option("--delta", metavar="NVDA=0.6", help="Count options on a share as so many shares each."),
    ] = None
    expense: Annotated[
        list[str] | None,
        typer.Option("--expense", metavar="QQQ=0.20", help="A fund's expense ratio, percent a year."),
    ] = None
    top: Annotated[int, typer.Option("--top", min=0, metavar="N", help="How many other companies to list.")] = 10
    group: GroupOption = SEVEN
    without: Annotated[
        str, typer.Option("--without", metavar="TICKERS", help="Companies to leave out of the group.")
    ] = ""

    def question(self, output: Output, lake: "Lake", held: "Portfolio") -> "Callable[[Portfolio], Exposure]":
        """What answers for a portfolio; holdings that open nothing of `held` are told."""
        from mag7cli import library

        group = library.group(self.group, without=self.without)
        funds = _funds(output, self.fund_file or ())
        _warn_of_unused(output, funds, held)
        rates = dict(_number(text, "--rate", "EUR=1.08") for text in self.rate or ())
        deltas = dict(_number(text, "--delta", "NVDA=0.6") for text in self.delta or ())
        expenses = dict(_number(text, "--expense", "QQQ=0.20") for text in self.expense or ())

        def answer(positions: "Portfolio") -> "Exposure":
            return library.exposure(
                lake,
                positions=positions,
                funds=funds,
                rates=rates,
                deltas=deltas,
                expenses=expenses,
                top=self.top,
                group=group,
            )

        return answer


@command(
    "mag7 exposure --fund IVV=10000 --stock NVDA=2500",
    "mag7 exposure Portfolio_Positions.csv --fund-file QQQ=QQQ_holdings.csv",
    "mag7 exposure broker.csv depot.csv --rate EUR=1.08 --target 20",
    formats=TEXT_JSON_CSV,
)
def exposure(
    output: Output,
    holding: HoldingOptions,
    opening: OpeningOptions,
    portfolio: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]...", help="A broker's export of positions, or a table of your own; - is stdin."),
    ] = None,
    over_time: Annotated[
        bool, typer.Option("--over-time", help="Of a file with positions of several days, the share on each.")
    ] = False,
    target: Annotated[
        float | None, typer.Option("--target", metavar="PCT", help="What it would take to have so much in the Mag 7.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", parser=parse_out_file, metavar="FILE", help="Write the answer as an HTML page, too."),
    ] = None,
    workbook: Annotated[
        Path | None,
        typer.Option("--workbook", parser=parse_out_file, metavar="FILE", help="Write the answer as XLSX, too."),
    ] = None,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Show how much of your money is in the Mag 7, or in another group.

    Brokers' exports are read as they are. Funds are opened by the holdings files that the lake keeps (mag7 funds), or
    by --fund-file. What is not covered is unknown: the answer is a range then, and the exit code is 3.
    """
    from mag7cli.lake.layout import Lake

    files = _read_files(portfolio or ())
    days = _days(files) if over_time else []
    held = holding.portfolio(output, files, days[-1] if days else holding.on)
    if not held.positions and not held.options:
        raise UsageError("nothing to look into", hint="mag7 exposure --fund IVV=10000, or a file of positions")
    ask = opening.question(output, Lake.typed(lake, DEFAULT_LAKE), held)
    without_typed = holding._replace(fund=None, stock=None)
    history = [(day, ask(without_typed.portfolio(None, files, day))) for day in days]
    answer = ask(held)
    if page:
        _write_page(output, answer, page, as_of=held.as_of, files=portfolio or ())
    result = _result(answer, held, target=target, history=history, lake=lake)
    if workbook:
        _write_workbook(output, result.document, workbook)
    output.show(result)
    if answer.is_range or answer.unvalued:
        raise typer.Exit(EXIT_PARTIAL)


def _write_page(output: Output, answer: "Exposure", page: Path, *, as_of: date | None, files: Sequence[str]) -> None:
    from mag7cli.reporting.exposure_page import write

    names = [Path(file).name for file in files]
    write(answer, page, as_of=as_of, files=names, simulated=bool(output.origin()))
    output.notice(f"The page is {page}.")


def _write_workbook(output: Output, document: Mapping[str, Any], path: Path) -> None:
    """A sheet of the single values, and one for each list, under the names of --format json."""
    from mag7cli.core import workbooks
    from mag7cli.core.whole_files import replacing

    lists = {name: rows for name, rows in document.items() if isinstance(rows, list) and rows}
    single = [[name, _cell(value)] for name, value in document.items() if not isinstance(value, list)]
    single.append(["simulated", bool(output.origin())])
    sheets: dict[str, tuple[Sequence[str], Sequence[Sequence[Any]]]] = {"answer": (("key", "value"), single)}
    for name, rows in lists.items():
        records = [_fields(row) for row in rows]
        columns = list(dict.fromkeys(key for record in records for key in record))
        sheets[name] = (columns, [[_cell(record.get(key)) for key in columns] for record in records])
    with replacing(path) as stream:
        workbooks.write(stream, sheets)
    output.notice(f"The workbook is {path}.")


def _fields(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    names = getattr(type(value), "__dataclass_fields__", None)
    return {name: getattr(value, name) for name in names} if names else {"text": str(value)}


def _cell(value: Any) -> Any:
    """What a cell can hold: numbers, dates and texts as they are, everything else as a text."""
    if value is None or isinstance(value, bool | int | float | str | date):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    return str(value)


# What is given


def _read_files(names: Sequence[str]) -> list[tuple[str, bytes]]:
    """The files by name, each once."""
    if list(names).count(STANDARD_STREAM) > 1:
        raise UsageError("- is standard input, which can be read once", hint="give the other files by name")
    files = [(called(name), read_bytes(name)) for name in names]
    first: dict[bytes, str] = {}
    for name, data in files:
        if data in first:
            raise UsageError(f"{name} is the same file as {first[data]}", hint="give each account once")
        first[data] = name
    return files


def _days(files: Sequence[tuple[str, bytes]]) -> list[date]:
    """The days of positions in the files; raises UsageError if there is but one."""
    from mag7cli.portfolio.broker_file import days_in

    days = sorted({day for name, data in files for day in days_in(data, name)})
    if len(days) < 2:
        raise UsageError("--over-time needs positions of several days", hint="a column Date beside the positions")
    return days


def _is_security(text: str) -> bool:
    from mag7cli.portfolio.identity import is_known_name, line_of
    from mag7cli.portfolio.known_funds import known_fund

    return line_of(text) is not None or known_fund(text) is not None or is_known_name(text)


def _tell(output: Output | None, part: "Portfolio") -> None:
    if output is not None:
        for sentence in (*part.readings, *part.skipped):
            output.notice(sentence)
        for warning in part.warnings:
            output.warn(warning)


def _funds(output: Output, files: Iterable[str]) -> "Mapping[str, FundHoldings]":
    """The holdings that were given, by symbol."""
    from mag7cli.portfolio import fund_file

    funds = {}
    for text in files:
        symbol, separator, file = text.partition("=")
        if not separator or not symbol or not file:
            raise UsageError(f"{text!r} is not FUND=FILE", hint="--fund-file QQQ=QQQ_holdings.csv")
        holdings = fund_file.parse(read_bytes(file), called(file))
        if holdings.symbol and holdings.symbol != symbol.upper():
            output.warn(f"{file} is of {holdings.symbol}, and is taken for {symbol.upper()}")
        for note in holdings.notes:
            output.notice(f"{file}: {note}")
        for warning in holdings.warnings:
            output.warn(f"{file}: {warning}")
        funds[symbol.upper()] = holdings
    return funds


def _warn_of_unused(output: Output, funds: "Mapping[str, FundHoldings]", held: "Portfolio") -> None:
    """Say which holdings open nothing: neither a position nor a line of another fund is that fund."""
    keys = {key for position in held.positions for key in position.fund_keys}
    for holdings in funds.values():
        keys |= {key for row in holdings.rows for key in (row.security.symbol, row.security.isin)}
    for symbol in funds.keys() - keys:
        output.warn(f"--fund-file {symbol}: no position is in that fund")


def _number(text: str, option: str, example: str) -> tuple[str, float]:
    """A name and a number written as `EUR=1.08`."""
    name, separator, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not separator or not name.strip() or not 0 < value < float("inf"):
        raise UsageError(f"{option}: {text!r} is not a name and a number above zero", hint=f"{option} {example}")
    return name.strip().upper(), value


# For machines


History = Sequence[tuple[date, "Exposure"]]


def _result(answer: "Exposure", held: "Portfolio", *, target: float | None, history: History, lake: str) -> Result:
    rows = [*_rows("mag7", answer.mag7), *_rows("other", answer.others), *_rest(answer)]
    columns = ("kind", "ticker", "name", _key("amount", answer), "pct")
    document = _document(answer, held, target) | {"over_time": [_point(day, each) for day, each in history]}
    text = [*_text(answer, target), *_unknown_lines(answer, lake), *_history_lines(history)]
    return Result(document, Grid(tuple(Column(name) for name in columns), rows), text)


def _point(day: date, answer: "Exposure") -> dict[str, Any]:
    """The answer of one day in short."""
    amounts = {_key("held", answer): answer.held, _key("mag7", answer): answer.mag7_amount}
    shares = {"mag7_pct": answer.mag7_pct, "mag7_pct_low": answer.low_pct, "mag7_pct_high": answer.high_pct}
    return {"on": day, **amounts, **shares}


def _key(name: str, answer: "Exposure") -> str:
    """The name of an amount with its currency: `total_usd`."""
    return f"{name}_{answer.currency.lower()}"


def _rows(kind: str, companies: "Sequence[CompanyExposure]") -> list[list[Any]]:
    return [[kind, company.ticker, company.name, company.amount, company.pct] for company in companies]


def _rest(answer: "Exposure") -> Iterator[list[Any]]:
    """What is no company listed by name, so that the rows sum to the whole."""
    listed = sum(company.amount for company in answer.others)
    unlisted = answer.others_count - len(answer.others)
    if unlisted:
        rest = answer.others_amount - listed
        yield ["other", None, counted(unlisted, "further company", "further companies"), rest, _pct(rest, answer)]
    yield ["cash", None, "cash and other", answer.cash, _pct(answer.cash, answer)]
    yield from (
        ["unknown", part.symbol, part.reason, part.amount, _pct(part.amount, answer)] for part in answer.unknown
    )


def _pct(amount: float, answer: "Exposure") -> float:
    return 100 * amount / answer.held if answer.held else 0.0


def _document(answer: "Exposure", held: "Portfolio", target: float | None) -> dict[str, Any]:
    amounts = {
        "total": answer.total,
        "held": answer.held,
        "mag7": answer.mag7_amount,
        "others": answer.others_amount,
        "cash": answer.cash,
        "unknown": answer.unknown_amount,
    }
    lists = ("mag7", "others", "unknown", "funds", "sectors", "countries", "benchmarks")
    return {
        "currency": answer.currency,
        "group": answer.group,
        **{_key(name, answer): amount for name, amount in amounts.items()},
        "mag7_pct": answer.mag7_pct,
        "mag7_pct_low": answer.low_pct,
        "mag7_pct_high": answer.high_pct,
        "mag7_pct_of_net": answer.mag7_pct_of_net,
        **{name: [_record(each, answer) for each in getattr(answer, name)] for name in lists},
        "others_count": answer.others_count,
        "cash_via": answer.cash_via,
        "overlaps": list(answer.overlaps),
        "unvalued": list(answer.unvalued),
        "options": list(answer.options),
        "cost": _record(answer.cost, answer) if answer.cost else None,
        "target": _target(answer, target),
        "as_of": held.as_of,
        "readings": list(held.readings),
        "skipped": list(held.skipped),
        "notes": list(answer.notes),
    }


def _record(value: Any, answer: "Exposure") -> dict[str, Any]:
    """A value by its fields, amounts with their currency."""
    return {_key(name, answer) if name == "amount" else name: each for name, each in _fields(value).items()}


def _target(answer: "Exposure", target: float | None) -> dict[str, float] | None:
    """What it would take to have `target` percent in the Mag 7: moved out of them, or new money in others alone."""
    if target is None:
        return None
    if not 0 < target < 100:
        raise UsageError(f"--target {target:g} is not between 0 and 100 %")
    move = answer.mag7_amount - answer.held * target / 100
    return {
        "pct": target,
        _key("move", answer): move,
        _key("add", answer): answer.mag7_amount * 100 / target - answer.held,
    }


# For people


def _text(answer: "Exposure", target: float | None) -> Iterator[Line | Grid]:
    yield from _headline(answer)
    yield Line()
    held = [company for company in answer.mag7 if company.amount or answer.group == SEVEN]
    yield _company_grid(answer, held[:_MEMBERS_SHOWN])
    if len(held) > _MEMBERS_SHOWN:
        yield Line(f"The largest {_MEMBERS_SHOWN} of {len(held)}; --format csv has all.")
    if answer.others:
        yield from (Line(), Line("The largest other companies", "strong"), _company_grid(answer, answer.others))
    yield Line()
    yield _parts_grid(answer)
    if answer.benchmarks:
        yield from (Line(), *_beside(answer))
    if answer.funds:
        yield from (Line(), _fund_grid(answer))
        yield from _old_files(answer)
    yield from _groups(answer)
    yield from (
        Line(f"{overlap.first} and {overlap.second} have {pct(overlap.pct, 1)} in common.")
        for overlap in answer.overlaps
    )
    if answer.cost:
        amount, share = _money(answer.cost.amount, answer), pct(answer.cost.pct, 3)
        covered = f", as far as {pct(answer.cost.covered_pct, 0)} of the money in them is known to cost"
        yield Line(
            f"The funds cost {amount} a year, {share} of the whole{covered if answer.cost.covered_pct < 99.9 else ''}."
        )
    yield from _target_lines(answer, target)


def _headline(answer: "Exposure") -> Iterator[Line]:
    """The answer in one sentence, a range where something is unknown; and what it leaves out."""
    chosen, held = _money(answer.mag7_amount, answer), _money(answer.held, answer)
    if answer.is_range:
        share = _pct(answer.unknown_amount, answer)
        rest = f"{pct(share)} is unknown" if share > _SHOWN_PCT else "futures and swaps may change it"
        yield Line(
            f"Between {answer.low_pct:.2f} and {pct(answer.high_pct)} of {held} is in {answer.subject}: {chosen} is,"
            f" {rest}.",
            "strong",
        )
    else:
        whole = f"the {held} that has a value" if answer.unvalued else held
        yield Line(f"{chosen} of {whole} is in {answer.subject}: {pct(answer.mag7_pct)}.", "strong")
    owed = answer.held - answer.total
    if owed > 0.005 and answer.mag7_pct_of_net is not None:
        net = _money(answer.total, answer)
        yield Line(
            f"{_money(owed, answer)} is owed or sold short: {pct(answer.mag7_pct_of_net)} of the {net} left net."
        )
    if answer.unvalued:
        count = counted(len(answer.unvalued), "line is", "lines are")
        yield Line(f"{count} in no total: {', '.join(map(_unvalued, answer.unvalued))}.", "warn")
    yield from (Line(f"Note: {note}.", "warn") for note in answer.notes)


def _unvalued(position: "Unvalued") -> str:
    what = position.reason if position.amount is None else money(position.amount, position.currency)
    return f"{position.symbol} ({what})"


def _company_grid(answer: "Exposure", companies: "Sequence[CompanyExposure]") -> Grid:
    columns = (
        Column("ticker"),
        Column("company", optional=True),
        Column("amount", "amount", lambda amount: _money(amount, answer), right=True),
        Column("share", "of the whole", pct, right=True),
        Column("via", "by way of", lambda amounts: _via(amounts, answer), optional=True),
    )
    return Grid(columns, [[each.ticker, _name(each), each.amount, each.pct, each.via] for each in companies])


def _name(company: "CompanyExposure") -> str:
    """A company's name, with its country if that is not the United States."""
    return company.name if company.country in ("", "US") else f"{company.name} ({company.country})"


def _via(amounts: Mapping[str, float], answer: "Exposure") -> str:
    return ", ".join(f"{symbol} {_money(amount, answer)}" for symbol, amount in amounts.items())


def _money(amount: float, answer: "Exposure") -> str:
    return money(amount, answer.currency)


def _parts_grid(answer: "Exposure") -> Grid:
    """The whole in its parts, which sum to it."""
    direct = answer.cash_via.get("direct", 0.0)
    parts = [
        (answer.subject, answer.mag7_amount),
        (counted(answer.others_count, "other company", "other companies"), answer.others_amount),
        ("cash, bonds and other", direct),
        ("cash and other in funds", answer.cash - direct),
        ("unknown", answer.unknown_amount),
        ("total", answer.total),
    ]
    columns = (
        Column("part", ""),
        Column("amount", "amount", lambda amount: _money(amount, answer), right=True),
        Column("share", "share", pct, right=True),
    )
    return Grid(columns, [[name, amount, _pct(amount, answer)] for name, amount in parts])


def _beside(answer: "Exposure") -> Iterator[Line]:
    """What the same money would have in the Mag 7 in the index, and in the same companies in equal parts."""
    for benchmark in answer.benchmarks:
        name = "in the S&P 500" if benchmark.name == "S&P 500" else "in its companies in equal parts"
        day = f" (holdings of {benchmark.as_of})" if benchmark.as_of else ""
        yield Line(
            f"The same money {name} would have {_money(benchmark.amount, answer)} in them: {pct(benchmark.pct)}{day}."
        )


def _fund_grid(answer: "Exposure") -> Grid:
    columns = (
        Column("fund"),
        Column("as_of", "as of"),
        Column("amount", "amount", lambda amount: _money(amount, answer), right=True),
        Column("mag7", f"in {answer.them}", pct, right=True),
        Column("unknown", "not covered", pct, right=True, optional=True),
        Column("derivatives", "futures, swaps", pct, right=True, optional=True),
    )
    rows = [
        [fund.symbol, fund.as_of, fund.amount, fund.mag7_pct, fund.unknown_pct, fund.derivatives_pct]
        for fund in answer.funds
    ]
    return Grid(columns, rows)


def _old_files(answer: "Exposure") -> Iterator[Line]:
    """Which holdings are of long ago, or of no day."""
    from mag7cli.core.clock import SystemClock

    today = SystemClock().now().date()
    for fund in answer.funds:
        if fund.as_of is None:
            yield Line(f"The file of {fund.symbol} does not say of which day it is.", "warn")
        elif (today - fund.as_of).days > _OLD_DAYS:
            yield Line(f"The holdings of {fund.symbol} are {(today - fund.as_of).days:,} days old.", "warn")


def _groups(answer: "Exposure") -> Iterator[Line]:
    """Sectors and countries, the largest first."""
    for title, groups in (("Sectors", answer.sectors), ("Countries", answer.countries)):
        if len(groups) > 1:
            shown = ", ".join(f"{group.name} {pct(group.pct, 1)}" for group in groups[:_GROUPS_SHOWN])
            yield Line(f"{title}: {shown}{', …' if len(groups) > _GROUPS_SHOWN else ''}.")


def _target_lines(answer: "Exposure", target: float | None) -> Iterator[Line]:
    sums = _target(answer, target)
    if sums is None:
        return
    move, add = sums[_key("move", answer)], sums[_key("add", answer)]
    ways = ("out of them into others", "in others alone") if move > 0 else (f"into {answer.them}", f"in {answer.them}")
    extra = add if move > 0 else -move / (1 - sums["pct"] / 100)
    amounts = f"{_money(abs(move), answer)} {ways[0]}, or {_money(extra, answer)} more {ways[1]}"
    yield Line(f"To have {sums['pct']:g} % in them: {amounts}. This is arithmetic, not advice.")


def _unknown_lines(answer: "Exposure", lake: str) -> Iterator[Line]:
    """What is unknown and how to make it known; what is named and not counted."""
    for part in answer.unknown:
        yield Line(f"Unknown: {_money(part.amount, answer)} in {part.symbol}, {part.reason}.", "warn")
        if part.fund:
            yield Line(f"  {_how_to_open(part.fund, lake)}", "warn")
    currencies = sorted({position.currency for position in answer.unvalued if position.amount is not None})
    if currencies:
        yield Line(f"  {' '.join(f'--rate {currency}=…' for currency in currencies)} converts what is in them.", "warn")
    for option in answer.options:
        value = "" if option.amount is None else f", {money(option.amount, option.currency)}"
        yield Line(f"Not counted: {option.option or option.label}, {option.contracts or 0:g} contracts{value}.", "warn")


def _history_lines(history: History) -> Iterator[Line | Grid]:
    """The share on each day, a range where something is unknown."""
    if history:
        columns = (
            Column("on"),
            Column("held", right=True),
            Column("share", f"in {history[0][1].them}", right=True),
        )
        rows = [[day, _money(each.held, each), _share(each)] for day, each in history]
        yield from (Line(), Grid(columns, rows))


def _share(answer: "Exposure") -> str:
    return f"{answer.low_pct:.2f} to {pct(answer.high_pct)}" if answer.is_range else pct(answer.mag7_pct)


def _how_to_open(symbol: str, lake: str) -> str:
    """The commands that make a fund known, as they can be pasted."""
    from mag7cli.portfolio.kept_funds import can_be_kept

    place = "" if lake == DEFAULT_LAKE else f" --lake {shlex.quote(lake)}"
    if symbol == "IVV":
        return f"mag7 tickers --download{place} fetches the holdings of IVV."
    word = f"{shlex.quote(symbol)}=FILE"
    keep = f"; mag7 funds add {word}{place} keeps the file" if can_be_kept(symbol) else ""
    return f"mag7 exposure --fund-file {word} opens it{keep}."
