"""A fund's holdings file of any issuer: its lines with their part of the fund, and how much of it the file leaves open.

Weights come from market values where those agree with the printed weights, for printed ones are rounded. What the lines
do not cover is unknown, never scaled away.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from mag7cli.core import numerals, spreadsheets, written_dates
from mag7cli.core.errors import HoldingsFormatError, NoHoldingsError, UnreadableTableError
from mag7cli.core.formatting import counted
from mag7cli.core.numerals import DecimalMark
from mag7cli.core.spreadsheets import Row
from mag7cli.market.holdings_file import EQUITY, Holdings
from mag7cli.portfolio import reading, table
from mag7cli.portfolio.classification import totals
from mag7cli.portfolio.entries import Entry, entries
from mag7cli.portfolio.figures import TwoReadingsError
from mag7cli.portfolio.securities import Kind, Security, kind_by, symbol_of
from mag7cli.portfolio.table import Table

HINT: Final = "save the holdings that the fund's site offers for download, as CSV or Excel"

_AS_OF: Final = re.compile(r"(fund )?holdings as of:?", re.IGNORECASE)
_NAMED_FUND: Final = re.compile(r"fund ?name:?", re.IGNORECASE)
_NAMED_SYMBOL: Final = re.compile(r"(ticker( symbol)?|symbol|fund ticker):?", re.IGNORECASE)
_OWN_SYMBOL: Final = frozenset({"fund ticker", "fund", "fund symbol"})
_BRACKETED_SYMBOL: Final = re.compile(r"\((?P<symbol>[A-Z]{2,5})\)")
_FRACTIONS_SUM: Final = (0.985, 1.011)
_ROUNDING_PCT: Final = 0.0087  # three standard deviations of a weight that is rounded to two places
_SLACK_PCT: Final = 0.01
_RELATIVE_SLACK: Final = 0.004
_PROVEN: Final = 0.95
_MOST_PCT: Final = 105.0


@dataclass(frozen=True, slots=True)
class FundHolding:
    """One line of a fund and its part of the fund, 1 being all of it; negative for what is owed.

    `notional` is the exposure of a derivative as a part of the fund, None where the file gives none.
    """

    security: Security
    kind: Kind
    weight: float
    sector: str = ""
    notional: float | None = None


@dataclass(frozen=True, slots=True)
class FundHoldings:
    """What a fund holds on `as_of`, None if the file does not say.

    The weights of `rows` and `unknown`, the part that the file leaves open, sum to one. `symbol` is the fund's own, as
    far as its file gives it. `notes` say how the weights were found, `warnings` what is doubtful.
    """

    name: str
    as_of: date | None
    rows: tuple[FundHolding, ...]
    unknown: float = 0.0
    symbol: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def gross(self) -> float:
        """The sum of its lines without their signs: above one, it owes money or has sold short."""
        return math.fsum(abs(row.weight) for row in self.rows)

    @property
    def derivatives(self) -> float:
        """The exposure of its futures, swaps and options as a part of the fund, where the file gives it."""
        return math.fsum(row.notional for row in self.rows if row.notional is not None)


def parse(
    data: bytes, name: str, *, as_of: date | None = None, decimal_mark: DecimalMark | None = None
) -> FundHoldings:
    """The holdings in a file of any issuer.

    Args:
        data: The bytes of a CSV file, a workbook or the XML that iShares calls .xls.
        name: What messages call the file.
        as_of: Its day, if it has none of its own.
        decimal_mark: How its figures are to be read where they can be read in two ways.

    Returns:
        Its lines with their weights.

    Raises:
        NoHoldingsError: It is an issuer's template for a day without data.
        HoldingsFormatError: It is no holdings file, or its figures contradict each other.
    """
    try:
        tables = table.find(spreadsheets.read(data, name))
        read = [(each, _entries(each, name, decimal_mark)) for each in tables]
    except UnreadableTableError as error:
        raise HoldingsFormatError(str(error), hint=HINT) from error
    _refuse_template(tables, name)
    rows = [entry for _, group in read for entry in group]
    if not rows:
        raise HoldingsFormatError(f"{name}: no line has columns for a security and its weight or value", hint=HINT)
    first = next(each for each, group in read if group)
    return _holdings(rows, first, name, _day(first, rows) or as_of)


def of_holdings(holdings: "FundHoldings | Holdings") -> FundHoldings:
    """The holdings of an index fund as read for its membership, for callers that have those."""
    if isinstance(holdings, FundHoldings):
        return holdings
    rows = [row for row in holdings.rows if row.weight_pct is not None or row.market_value_usd is not None]
    weights = [row.weight_pct for row in rows]
    values = [row.market_value_usd for row in rows]
    parts, unknown, notes = _weights(weights, values, holdings.fund, percent=True)
    fund_rows = (
        FundHolding(Security(row.ticker, row.name), "stock" if row.asset_class == EQUITY else "cash", part, row.sector)
        for row, part in zip(rows, parts, strict=True)
    )
    return FundHoldings(
        holdings.fund, holdings.as_of, tuple(fund_rows), unknown, notes=notes, warnings=holdings.warnings
    )


def _entries(each: Table, name: str, mark: DecimalMark | None) -> list[Entry]:
    try:
        how = reading.read(each)
    except reading.AmbiguousColumnsError as error:
        raise UnreadableTableError(f"{name}: {error}") from error
    if how is None or each.is_history:
        return []
    try:
        return entries(each, how, mark)
    except TwoReadingsError as error:
        columns = " and ".join(how.columns[role].heading or role for role in error.roles)
        raise UnreadableTableError(
            f"{name}: the figures under {columns} can be read in two ways, such as {error.first:,.2f} or"
            f" {error.second:,.3f}"
        ) from error


def _holdings(rows: Sequence[Entry], first: Table, name: str, as_of: date | None) -> FundHoldings:
    counted_by = [entry.weight if entry.weight is not None else entry.amount for entry in rows]
    sums = totals(rows, counted_by, lambda symbol: True)
    weighed = [entry for index, entry in enumerate(rows) if index not in sums and _says_how_much(entry)]
    if not weighed:
        raise HoldingsFormatError(f"{name}: has a header but no line with a weight or a value", hint=HINT)
    weights = [entry.weight for entry in weighed]
    values = [entry.amount if entry.amount is not None else entry.product for entry in weighed]
    parts, unknown, notes = _weights(weights, values, name, percent=_says_percent(first))
    whole = math.fsum(value for value in values if value is not None)
    fund_rows = (_line(entry, part, whole) for entry, part in zip(weighed, parts, strict=True))
    title, symbol = _fund(first, name)
    return FundHoldings(
        title,
        as_of,
        tuple(fund_rows),
        unknown,
        symbol=symbol,
        notes=notes,
        warnings=tuple(_warnings(rows, weighed, first)),
    )


def _says_how_much(entry: Entry) -> bool:
    return entry.weight is not None or entry.amount is not None or entry.product is not None


def _line(entry: Entry, part: float, whole: float) -> FundHolding:
    kind = _kind(entry)
    is_derivative = kind in ("future", "option") and entry.notional is not None and whole > 0
    notional = (entry.notional or 0.0) / whole if is_derivative else None
    return FundHolding(entry.security, kind, part, entry.sector, notional=notional)


def _kind(entry: Entry) -> Kind:
    """What a line is: by its column of kinds, by its coupon, by its name; a line with an identity is a share."""
    by_column = kind_by("kind", entry.kind_word) if entry.kind_word else None
    if by_column and by_column not in ("held", "total", "action"):
        return by_column
    name = entry.security.name or entry.label
    by_name = kind_by("name", name)
    if entry.is_debt or by_name == "bond":
        return "bond"
    if by_name in ("cash", "fund", "option"):
        return by_name
    if entry.sector and kind_by("kind", entry.sector) == "cash":
        return "cash"
    return "stock" if entry.is_named or by_name == "stock" else "other"


# Weights


def _weights(
    weights: Sequence[float | None], values: Sequence[float | None], name: str, *, percent: bool
) -> tuple[list[float], float, tuple[str, ...]]:
    """Each line's part of the fund, the part that is left open, and what there is to say of how they were found."""
    printed = [weight for weight in weights if weight is not None]
    total = math.fsum(values_known := [value for value in values if value is not None])
    has_values = len(values_known) == len(values) and total > 0
    if not printed:
        if not has_values:
            raise HoldingsFormatError(f"{name}: has neither weights nor market values for all lines", hint=HINT)
        return [(value or 0.0) / total for value in values], 0.0, ("weights are computed from market values",)
    fractions_fit = has_values and _agree(
        [(value or 0.0) / total for value in values], [w and 100 * w for w in weights]
    )
    scale = _scale(math.fsum(printed), name, percent=percent and not fractions_fit)
    in_percent = [None if weight is None else weight * scale for weight in weights]
    notes = ("weights are fractions, read as percent",) if scale != 1.0 else ()
    covered = _covered([weight for weight in in_percent if weight is not None], name)
    unknown = 1 - covered
    by_value = [covered * (value or 0.0) / total for value in values] if has_values else []
    if by_value and _agree(by_value, in_percent):
        return by_value, unknown, notes
    whole = math.fsum(weight or 0.0 for weight in in_percent) / covered
    return [(weight or 0.0) / whole for weight in in_percent], unknown, notes


def _scale(total: float, name: str, *, percent: bool) -> float:
    """What printed weights are to be multiplied by to be percent: a hundred where they sum to one."""
    low, high = _FRACTIONS_SUM
    if not low <= total <= high:
        return 1.0
    if percent:
        raise HoldingsFormatError(f"{name}: the weights are called percent and sum to {total:.2f}", hint=HINT)
    return 100.0


def _covered(printed: Sequence[float], name: str) -> float:
    """The part of the fund that lines of these printed weights cover: all of it, if only their rounding is missing."""
    total = math.fsum(printed)
    if not 0 < total <= _MOST_PCT:
        raise HoldingsFormatError(f"{name}: the weights sum to {total:.2f} %: are lines there twice?", hint=HINT)
    rounding = _SLACK_PCT + _ROUNDING_PCT * math.sqrt(len(printed))
    return 1.0 if total >= 100 - rounding else total / 100


def _agree(by_value: Sequence[float], printed: Sequence[float | None]) -> bool:
    """Whether market values give the printed weights, on nearly all lines and as far as those are rounded."""
    pairs = [(100 * exact, weight) for exact, weight in zip(by_value, printed, strict=True) if weight is not None]
    close = sum(abs(exact - weight) <= _SLACK_PCT + _RELATIVE_SLACK * abs(weight) for exact, weight in pairs)
    return close >= _PROVEN * len(pairs)


# What a file says around its table


def _refuse_template(tables: Iterable[Table], name: str) -> None:
    """Raise NoHoldingsError for what an issuer sends for a day without data: a file that is of no day."""
    for each in tables:
        for row in (*each.preamble, *each.rows[:12]):
            texts = row.texts
            if _AS_OF.fullmatch(texts[0]) and len(texts) > 1 and numerals.is_nothing(texts[1]):
                raise NoHoldingsError(
                    f"{name}: the issuer has no holdings for that date (the file is an empty template)", hint=HINT
                )


def _day(first: Table, rows: Sequence[Entry]) -> date | None:
    """The day of the holdings: of the preamble, else the newest that the lines name."""
    for row in first.preamble:
        day = None if _is_inception(row) else written_dates.find(", ".join(row.texts))
        if day:
            return day
    return max((entry.as_of for entry in rows if entry.as_of), default=None)


def _is_inception(row: Row) -> bool:
    return row.texts[0].lower().startswith(("inception", "auflegung", "date de lancement"))


def _fund(first: Table, name: str) -> tuple[str, str]:
    """The fund's name and its symbol, as its preamble or a column of its own gives them."""
    title = next(_titles(first.preamble), name)
    pairs = [row.texts for row in first.preamble if len(row.texts) > 1]
    symbol = next((texts[1].upper() for texts in pairs if _NAMED_SYMBOL.fullmatch(texts[0])), "")
    bracketed = _BRACKETED_SYMBOL.search(title)
    return title, symbol or _own_symbol(first) or (bracketed["symbol"] if bracketed else "")


def _own_symbol(first: Table) -> str:
    """The fund's symbol in a column that repeats it on every line."""
    indexes = [index for index, heading in enumerate(first.headings) if heading.lower() in _OWN_SYMBOL]
    values = [{text for text in first.texts(index) if symbol_of(text)} for index in indexes]
    return next((value.pop().upper() for value in values if len(value) == 1), "")


def _titles(preamble: Iterable[Row]) -> Iterator[str]:
    """What may be the fund's name: a cell behind `Fund Name:`, else the first line of a single cell."""
    rows = list(preamble)
    yield from (row.texts[1] for row in rows if len(row.texts) > 1 and _NAMED_FUND.fullmatch(row.texts[0]))
    singles = (texts[0] for row in rows if len(texts := [text for text in row.texts if text]) == 1)
    yield from (text for text in singles if not written_dates.find(text) and text.lower() != "holdings details")


def _says_percent(first: Table) -> bool:
    """Whether the heading of the weights, or a sign beside one of them, says that they are percent."""
    columns = [column for column in first.columns if column.role == "weight"]
    signs = (numeral.percent for column in columns for numeral in first.numerals(column.index) if numeral)
    return any("%" in column.heading for column in columns) or any(signs)


def _warnings(rows: Sequence[Entry], weighed: Sequence[Entry], first: Table) -> Iterator[str]:
    silent = [entry for entry in rows if entry.is_named and not _says_how_much(entry)]
    if silent:
        yield f"{counted(len(silent), 'line')} without a weight or a value, such as {silent[0].label}: unknown"
    unread = sum(entry.weight is None for entry in weighed) if any(entry.weight is not None for entry in weighed) else 0
    if unread:
        yield f"{counted(unread, 'line')} with a value and without a weight"
