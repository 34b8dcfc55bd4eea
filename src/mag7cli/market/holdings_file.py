"""A fund's holdings file, the CSV that iShares publishes, read: what it holds, of which day, and what was left out.

Files differ: preamble or none, column order and names, footers, lines that are no company's. All that is decided here.
Knows nothing of bytes (`holdings_cells`), nor of where a file comes from or where it is kept.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from mag7cli.core import written_dates
from mag7cli.core.errors import HoldingsFormatError, NoHoldingsError
from mag7cli.core.numerals import DecimalMark, commonest_mark, dollars
from mag7cli.market import symbology
from mag7cli.market.holdings_cells import HINT, read_cells

EQUITY: Final = "Equity"

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "ticker": ("ticker", "symbol", "issuer ticker", "emittententicker"),
    "name": ("name", "security name", "issuer"),
    "sector": ("sector", "sektor"),
    "asset_class": ("asset class", "anlageklasse"),
    "market_value": ("market value", "market value (usd)", "marktwert"),
    "weight": ("weight (%)", "weight", "weight %", "% weight", "gewichtung (%)"),
    "shares": ("shares", "quantity", "shares held", "nominale"),
    "price": ("price", "price (usd)", "kurs"),
    "exchange": ("exchange", "börse"),
    "location": ("location", "standort"),
}
_NUMBERS: Final = ("market_value", "weight", "shares", "price")
_FACTS: Final = frozenset({"market_value", "weight", "shares", "asset_class"})

_DAY_LINE: Final = re.compile(r"(fund )?holdings as of:?|fondsposition(en)? per:?", re.IGNORECASE)
_NOTHING: Final = frozenset({"", "-", "--", "n/a"})
_EQUITY_WORDS: Final = frozenset({"equity", "equities", "stock", "common stock", "aktien"})
_UNITED_STATES: Final = frozenset({"united states", "vereinigte staaten", "usa"})
_NO_MARKET: Final = "no market"

# A footer is prose: the tickers in such files have at most a dozen letters, the names fifty.
_LONGEST_TICKER: Final = 20
_LONGEST_CELL: Final = 120

# The fund's cash and rounding: IVV's equities alone summed to 99.75 % on 2024-12-06.
_WEIGHTS_SUM: Final = (95.0, 101.0)


@dataclass(frozen=True, slots=True)
class Holding:
    """One line of a fund. `symbol` is as the file has it, `ticker` is ours (`BRKB` is `BRK.B`).

    `weight_pct` is 0-100. A number that the file leaves out is None. `location` is the country as the file has it, or
    empty.
    """

    ticker: str
    symbol: str
    name: str
    sector: str
    asset_class: str
    market_value_usd: float | None
    weight_pct: float | None
    shares: float | None
    price_usd: float | None
    location: str = ""

    @property
    def is_american(self) -> bool:
        """True if the file says that the line is of the United States, or says nothing of where it is."""
        return not self.location or self.location.lower() in _UNITED_STATES


@dataclass(frozen=True, slots=True)
class Dropped:
    """A line that is not among the equities, and why."""

    symbol: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a fund held on `as_of`, None if the file does not say. `rows` are all lines that mean something, cash too.

    `dropped` says of every line that is not in `equities` why; `warnings` are doubts about the file as a whole.
    `names_fund` tells whether `fund` is the fund's name, or the file's for want of one; `has_end` whether the issuer's
    closing lines are there, or the file may have been cut.
    """

    fund: str
    as_of: date | None
    rows: tuple[Holding, ...]
    dropped: tuple[Dropped, ...] = ()
    warnings: tuple[str, ...] = ()
    names_fund: bool = True
    has_end: bool = True

    @property
    def equities(self) -> tuple[Holding, ...]:
        """The shares of companies, in the order of the file; a ticker comes twice only if two countries have it."""
        return tuple(row for row in self.rows if row.asset_class == EQUITY)

    @property
    def tickers(self) -> list[str]:
        """The tickers of the equities, in the order of the file."""
        return [row.ticker for row in self.equities]


def parse(data: bytes, name: str, *, as_of: date | None = None) -> Holdings:
    """The holdings in the bytes of a file; `name` is what errors call it, `as_of` its day if the file has none.

    Raises NoHoldingsError for the issuer's empty template, HoldingsFormatError for what is no holdings file.
    """
    table = read_cells(data, name)
    position, columns = _header(table, name)
    preamble = table[:position]
    day = _as_of(preamble, name) or as_of
    body = table[position + 1 :]
    reader = _RowReader(
        columns,
        width=_width(table[position]),
        on=day or symbology.BUNDLED_AS_OF,
        mark=commonest_mark(_number_cells(body, columns)),
    )
    read = list(reader.read(body))
    rows, twice = _merge(row for row in read if isinstance(row, Holding))
    dropped = [row if isinstance(row, Dropped) else _not_equity(row) for row in read if not _is_equity(row)]
    if not rows:
        example = f" ({dropped[0].symbol}: {dropped[0].reason})" if dropped else ""
        raise HoldingsFormatError(f"{name}: has a header but no holdings that can be read{example}", hint=HINT)
    if len(reader.doubts) > len(rows) / 2:
        raise HoldingsFormatError(f"{name}: {reader.doubts[0]}, nor are most others", hint=HINT)
    fund = _fund(preamble)
    return Holdings(
        fund or name,
        day,
        tuple(rows),
        tuple(dropped),
        warnings=(*twice, *reader.doubts, *_weight_doubts(rows)),
        names_fund=fund is not None,
        has_end=reader.has_end,
    )


def python_list(names: Iterable[str]) -> str:
    """One line of Python that assigns the tickers to `tickers`."""
    return f"tickers = [{', '.join(repr(name) for name in names)}]"


def _header(table: Sequence[Sequence[str]], name: str) -> tuple[int, dict[str, int]]:
    """Where the header is, and which column means what. Raises HoldingsFormatError."""
    for position, row in enumerate(table):
        columns = _columns(row)
        if "ticker" in columns and not _FACTS.isdisjoint(columns):
            if {"asset_class", "sector", "exchange"}.isdisjoint(columns):
                raise HoldingsFormatError(
                    f"{name}: has no column Asset Class (nor Sector or Exchange): cash cannot be told from shares",
                    hint=HINT,
                )
            if not any(len(row) > 1 for row in table[position + 1 :]):
                _refuse_empty_template(table, name)
            return position, columns
    _refuse_empty_template(table, name)
    raise HoldingsFormatError(
        f"{name}: no line has the columns Ticker and Weight (%); is this the fund's holdings file?", hint=HINT
    )


def _width(header: Sequence[str]) -> int:
    """How many columns the header names; spreadsheets add empty ones at the end."""
    return max(position for position, cell in enumerate(header, start=1) if cell)


def _columns(header: Sequence[str]) -> dict[str, int]:
    cells = [" ".join(cell.lower().split()) for cell in header]
    return {
        meaning: next(cells.index(spelling) for spelling in spellings if spelling in cells)
        for meaning, spellings in _COLUMNS.items()
        if any(spelling in cells for spelling in spellings)
    }


def _refuse_empty_template(table: Iterable[Sequence[str]], name: str) -> None:
    """Raise NoHoldingsError if the file says that it is of no day: what the issuer sends for a day without data."""
    if _as_of_text(table) in _NOTHING:
        raise NoHoldingsError(
            f"{name}: the issuer has no holdings for that date (the file is an empty template)",
            hint="ask for a trading date, or one before: mag7 tickers --download --as-of YYYY-MM-DD",
        )


def _as_of_text(rows: Iterable[Sequence[str]]) -> str | None:
    """What stands behind "Fund Holdings as of", None without such a line; unquoted, its comma makes two cells of it."""
    for row in rows:
        if row and _DAY_LINE.fullmatch(row[0]):
            return ", ".join(cell for cell in row[1:] if cell)
    return None


def _as_of(preamble: Iterable[Sequence[str]], name: str) -> date | None:
    text = _as_of_text(preamble)
    if text is None or text in _NOTHING:
        return None
    day = written_dates.parse(text)
    if day is None:
        raise HoldingsFormatError(f"{name}: {text!r} is not a date that can be read as its day", hint=HINT)
    return day


def _number_cells(rows: Iterable[Sequence[str]], columns: Mapping[str, int]) -> Iterator[str]:
    """What stands in the columns of numbers."""
    positions = [columns[column] for column in _NUMBERS if column in columns]
    for row in rows:
        yield from (row[position] for position in positions if position < len(row))


def _fund(preamble: Iterable[Sequence[str]]) -> str | None:
    """The fund's name: the first line that is no pair of a name and a value."""
    return next((row[0] for row in preamble if row and row[0] and not any(row[1:])), None)


class _RowReader:
    """Reads the lines below the header: each becomes a Holding, or is Dropped with the reason."""

    def __init__(self, columns: Mapping[str, int], *, width: int, on: date, mark: DecimalMark) -> None:
        self.doubts: list[str] = []
        self.has_end = False
        self._mark: DecimalMark = mark
        self._columns = columns
        self._width = width
        self._on = on

    def read(self, rows: Iterable[Sequence[str]]) -> Iterator[Holding | Dropped]:
        """The lines as far as the footer, which is a line of one cell or of prose."""
        for row in rows:
            cells = list(row)
            while len(cells) > self._width and not cells[-1]:
                cells.pop()
            if not any(cells):
                continue
            if self._is_footer(cells):
                self.has_end = True
                return
            yield self._row(cells)

    def _is_footer(self, cells: Sequence[str]) -> bool:
        prose = len(self._cell(cells, "ticker")) > _LONGEST_TICKER or max(map(len, cells)) > _LONGEST_CELL
        return len(cells) == 1 or prose

    def _row(self, cells: Sequence[str]) -> Holding | Dropped:
        symbol, name = self._cell(cells, "ticker"), self._cell(cells, "name")
        if len(cells) > self._width:
            return Dropped(symbol, name, "the line has more values than the header has columns")
        if len(cells) < self._width and len(cells) <= 1 + max(self._columns.values()):
            return Dropped(symbol, name, "the line is cut short")
        holding = self._holding(cells)
        reason = self._fault(cells, holding) if holding.asset_class == EQUITY else None
        return Dropped(symbol, name, reason) if reason else holding

    def _holding(self, cells: Sequence[str]) -> Holding:
        symbol = self._cell(cells, "ticker")
        clean = symbol.rstrip("*,+ ")  # marks of old files: `AAPL*`, `GE,`
        asset_class = self._asset_class(cells)
        spelt = symbology.vendor_symbol(clean)
        return Holding(
            ticker=symbology.ticker_for(spelt, self._on) if asset_class == EQUITY else spelt,
            symbol=symbol,
            name=self._cell(cells, "name"),
            sector=self._cell(cells, "sector"),
            asset_class=asset_class,
            market_value_usd=self._number(cells, "market_value"),
            weight_pct=self._number(cells, "weight"),
            shares=self._number(cells, "shares"),
            price_usd=self._number(cells, "price"),
            location=self._cell(cells, "location"),
        )

    def _asset_class(self, cells: Sequence[str]) -> str:
        """What kind of asset the line is; without that column, the sector or the exchange tells cash from shares."""
        if "asset_class" in self._columns:
            asset_class = self._cell(cells, "asset_class")
            return EQUITY if asset_class.lower() in _EQUITY_WORDS else asset_class or "-"
        if "sector" in self._columns:
            sector = self._cell(cells, "sector")
            return "Cash" if sector.lower().startswith("cash") else EQUITY
        return "Cash" if self._cell(cells, "exchange") in _NOTHING else EQUITY

    def _fault(self, cells: Sequence[str], holding: Holding) -> str | None:
        """Why an equity is no constituent, None if it is one."""
        if holding.symbol in _NOTHING:
            return "it has no ticker (a right, an escrow or a pending delivery)"
        if self._cell(cells, "exchange").lower().startswith(_NO_MARKET):
            return "it is on no market"
        if holding.price_usd == 0 or (holding.price_usd is None and holding.market_value_usd == 0):
            return "its price is 0: it no longer trades"
        if holding.is_american and any(letter.isdigit() for letter in holding.symbol):
            return "its ticker is a code, not a symbol of a US exchange"
        return None

    def _number(self, cells: Sequence[str], column: str) -> float | None:
        """A number with thousands separators, a sign, a currency or a percent sign, or None; what is none is told."""
        text = self._cell(cells, column)
        if text.lower() in _NOTHING:
            return None
        value = dollars(text, self._mark)
        if value is None:
            self.doubts.append(f"{self._cell(cells, 'ticker')}: {column.replace('_', ' ')} {text!r} is not a number")
        return value

    def _cell(self, cells: Sequence[str], column: str) -> str:
        position = self._columns.get(column)
        return cells[position] if position is not None and position < len(cells) else ""


def _is_equity(row: Holding | Dropped) -> bool:
    return isinstance(row, Holding) and row.asset_class == EQUITY


def _not_equity(row: Holding) -> Dropped:
    return Dropped(row.symbol, row.name, f"{row.asset_class}, not a share of a company")


def _merge(rows: Iterable[Holding]) -> tuple[list[Holding], list[str]]:
    """The rows with the lines of one equity added up, and a sentence for each that came more than once."""
    merged: dict[tuple[str, str], Holding] = {}
    twice: list[str] = []
    for position, row in enumerate(rows):
        # Merck is of the United States and of Germany: one ticker, two companies.
        key = (row.ticker, row.location) if row.asset_class == EQUITY else (str(position), "")
        first = merged.get(key)
        if first is None:
            merged[key] = row
            continue
        merged[key] = replace(
            first,
            market_value_usd=_sum(first.market_value_usd, row.market_value_usd),
            weight_pct=_sum(first.weight_pct, row.weight_pct),
            shares=_sum(first.shares, row.shares),
        )
        twice.append(
            f"{row.ticker}: more than one line, added up ({first.symbol} {first.name}, {row.symbol} {row.name})"
        )
    return list(merged.values()), twice


def _sum(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else a + b


def _weight_doubts(rows: Iterable[Holding]) -> Iterator[str]:
    weights = [row.weight_pct for row in rows if row.weight_pct is not None]
    total = math.fsum(weights)
    low, high = _WEIGHTS_SUM
    if weights and not low <= total <= high:
        yield f"the weights sum to {total:.2f} %, not to about 100 %: a part of the file may be missing"
