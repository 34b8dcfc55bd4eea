"""A broker's export as positions: known layouts, unknown ones by their content, histories refused by name.

Every row becomes a position, an option that is named, or is listed as skipped with its reason: an amount never
disappears.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import Final

from mag7cli.core import spreadsheets, written_dates
from mag7cli.core.errors import UnreadableTableError
from mag7cli.core.formatting import counted
from mag7cli.core.numerals import DecimalMark, marks
from mag7cli.core.spreadsheets import Row
from mag7cli.market import symbology
from mag7cli.portfolio import layouts, reading, statement, table
from mag7cli.portfolio.classification import (
    IsSecurity,
    KindWords,
    is_called_total,
    is_doubtful_total,
    kind_of,
    option_in,
    totals,
)
from mag7cli.portfolio.columns import roles_in
from mag7cli.portfolio.currencies import USD, Unit
from mag7cli.portfolio.entries import Entry, entries, extra_cells
from mag7cli.portfolio.figures import TwoReadingsError, agree
from mag7cli.portfolio.positions import OptionPosition, Portfolio, Position, PositionKind, merged
from mag7cli.portfolio.reading import Reading
from mag7cli.portfolio.securities import Kind, kind_by
from mag7cli.portfolio.table import Table

EXAMPLE: Final = "a header such as `ticker,amount`, then lines such as `IVV,10000`"

_HISTORY_HINT: Final = "export the positions (or holdings) instead: what is held, not what was bought and sold"
_OF_KIND: Final[Mapping[Kind, PositionKind]] = {
    "stock": "stock",
    "fund": "fund",
    "cash": "cash",
    "bond": "bond",
    "future": "other",
    "other": "other",
}
_MOSTLY: Final = 0.6
_FEWEST_PRODUCTS: Final = 3
_FEWEST_DAYS: Final = 3
_FACTORS: Final = (1.0, 0.01, 100.0)
_TEXT_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class _Options:
    """How somebody wants a file to be read: see `parse`."""

    mark: DecimalMark | None
    on: date | None
    is_security: IsSecurity


@dataclass(slots=True)
class _Contents:
    """What has been read of a file so far."""

    positions: list[Position] = field(default_factory=list)
    options: list[OptionPosition] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    prices: dict[str, float] = field(default_factory=dict)
    expenses: dict[str, float] = field(default_factory=dict)
    rates: dict[str, list[float]] = field(default_factory=dict)
    days: list[date] = field(default_factory=list)
    tables: list[set[tuple[str, str, float | None]]] = field(default_factory=list)


def parse(
    data: bytes,
    name: str,
    *,
    decimal_mark: DecimalMark | None = None,
    on: date | None = None,
    is_security: IsSecurity = lambda symbol: False,
) -> Portfolio:
    """The positions in a file.

    Args:
        data: The bytes of a CSV file, a workbook or an XML report.
        name: What messages call the file.
        decimal_mark: How its figures are to be read where they can be read in two ways.
        on: Of a file with positions of several days, the day whose positions count.
        is_security: Whether a symbol or a name is known to be that of a share or a fund, so that no column can call
            it cash, and no sum a total.

    Returns:
        The positions, and how they were read.

    Raises:
        UnreadableTableError: It holds no positions, only a history, or figures that can be read in two ways.
    """
    tables = table.find(spreadsheets.read(data, name))
    histories = [each for each in tables if _is_history(each)]
    contents = _Contents()
    for each in _of_positions(tables, histories):
        _TableReader(each, name, _Options(decimal_mark, on, is_security), contents).read()
    extras = statement.extras(tables)
    contents.positions += [statement.cash_position(*balance, name) for balance in extras.cash.items()]
    if not contents.positions and not contents.options:
        raise _nothing_in(name, tables, histories)
    if not contents.options and all(position.amount is None for position in contents.positions):
        raise UnreadableTableError(f"{name}: no line has a value", hint=_value_hint(tables))
    contents.skipped += [f"{name}: {_named_history(each)}" for each in histories]
    return Portfolio(
        positions=merged(statement.with_instruments(contents.positions, extras.instruments)),
        options=tuple(contents.options),
        skipped=tuple(contents.skipped),
        readings=tuple(dict.fromkeys(contents.readings)),
        warnings=tuple(contents.warnings),
        as_of=on or max(contents.days, default=None) or extras.as_of or _day_around(tables),
        rates={currency: median(rates) for currency, rates in contents.rates.items()} | dict(extras.rates),
        prices=contents.prices,
        expenses=contents.expenses,
    )


def days_in(data: bytes, name: str) -> list[date]:
    """The days that the positions in a file are of, oldest first; none if its lines have no day of their own.

    Raises UnreadableTableError if it is no table.
    """
    tables = table.find(spreadsheets.read(data, name))
    columns = ((each, column.index) for each in tables for column in each.columns if column.role == "as_of")
    texts = {text for each, index in columns for text in each.texts(index)}
    return sorted({day for text in texts if (day := written_dates.find(text))})


# Which tables are of positions


def _is_history(each: Table) -> bool:
    """Whether a table says what was traded: by its layout, by its headings, or by a column of actions."""
    layout = layouts.of(each.title, each.headings)
    if layout:
        return layout.holds == "history"
    sample = each.head(200)
    return each.is_history or any(_are_actions(sample.texts(index)) for index in range(each.width))


def _are_actions(texts: Iterable[str]) -> bool:
    words = [text for text in texts if text]
    actions = sum(kind_by("action", word) is not None for word in words)
    return len(words) > 1 and actions >= _MOSTLY * len(words)


def _of_positions(tables: Sequence[Table], histories: Sequence[Table]) -> list[Table]:
    """The tables that may hold positions; where a statement has a section of them, that section alone."""
    fitting = [(each, layouts.of(each.title, each.headings)) for each in tables if each not in histories]
    sections = [each for each, layout in fitting if layout and layout.section]
    return sections or [each for each, _ in fitting if each.title not in statement.SECTIONS and _may_be_positions(each)]


def _may_be_positions(each: Table) -> bool:
    """Whether a table may list positions: a section of a statement only with quantities, prices and values."""
    return not each.is_section or roles_in(each.headings) >= {"quantity", "price", "amount"}


def _nothing_in(name: str, tables: Sequence[Table], histories: Sequence[Table]) -> UnreadableTableError:
    if histories:
        return UnreadableTableError(
            f"{name} is no list of positions: {_named_history(histories[0])}", hint=_HISTORY_HINT
        )
    headings = next((each.headings for each in tables if each.headings), ())
    if headings and any(each.columns for each in tables):
        return UnreadableTableError(
            f"{name} holds no position: no line has a security and its value, or a quantity and a price", hint=EXAMPLE
        )
    instead = f", but {', '.join(filter(None, headings))}" if headings else ""
    return UnreadableTableError(
        f"{name} has no columns that name a security and its value, or a quantity and a price{instead}", hint=EXAMPLE
    )


def _value_hint(tables: Iterable[Table]) -> str:
    """What to do about lines without values: where there are weights, these can stand for amounts."""
    has_weights = any(column.role == "weight" for each in tables for column in each.columns)
    return "weights alone: call their column `amount`, and read the answer as percent" if has_weights else EXAMPLE


def _named_history(each: Table) -> str:
    layout = layouts.of(each.title, each.headings)
    broker = f"{layout.broker}'s " if layout else ""
    place = f"the table at line {each.header.number}" if each.header else "the table"
    return f"{place} is {broker or 'a '}history of transactions ({counted(len(each.rows), 'line')})"


def _day_around(tables: Iterable[Table]) -> date | None:
    """The day that a preamble or a footer names."""
    for each in tables:
        rows = (*each.preamble, *(row for row in each.rows if len([cell for cell in row.cells if cell != ""]) == 1))
        for row in rows:
            if day := written_dates.find(" ".join(row.texts)):
                return day
    return None


# One table


class _TableReader:
    """Reads one table of positions into the contents of its file."""

    def __init__(self, each: Table, name: str, options: _Options, contents: _Contents) -> None:
        self._table = each
        self._name = name
        self._options = options
        self._contents = contents

    def read(self) -> None:
        """Add the table's positions, if it can be read as one of positions."""
        try:
            how = reading.read(self._table)
        except reading.AmbiguousColumnsError as error:
            raise UnreadableTableError(f"{self._name}: {error}", hint="leave one of them out, or rename it") from error
        if how is None:
            return
        try:
            rows = entries(self._table, how, self._options.mark)
        except TwoReadingsError as error:
            raise self._two_readings(error, how) from error
        numbers = {entry.number for entry in rows}
        rows = list(self._of_the_day(rows))
        self._refuse_cut_numbers()
        if self._repeats(rows):
            return
        self._add(rows, how)
        self._contents.readings.append(f"{self._name}: {how.sentence}")
        self._contents.skipped.extend(self._texts(numbers))

    def _add(self, rows: Sequence[Entry], how: Reading) -> None:
        self._check_products(rows)
        self._check_days(rows)
        self._check_currency(rows, how)
        words = KindWords.of(rows, self._options.is_security)
        values = [_raw_value(entry) for entry in rows]
        sums = self._totals(rows, values)
        for index, entry in enumerate(rows):
            where = f"{self._name}, line {entry.number}"
            if index in sums:
                self._contents.skipped.append(f"{where}: a total{' that ' + sums[index] if sums[index] else ''}")
                if sums[index]:
                    self._contents.warnings.append(f"{where}: {entry.words[0]!r} {sums[index]}; lines may be missing")
            else:
                self._add_entry(entry, words, where)

    def _totals(self, rows: Sequence[Entry], values: Sequence[float | None]) -> dict[int, str]:
        """The lines that sum others, without companies that do by chance; one that may be either is refused."""
        sums = totals(rows, values, self._options.is_security)
        for index in list(sums):
            entry = rows[index]
            if not is_called_total(entry) and self._options.is_security(entry.security.name):
                del sums[index]
            elif is_doubtful_total(entry, values[index]):
                raise UnreadableTableError(
                    f"{self._name}, line {entry.number}: {entry.label[:_TEXT_SHOWN]!r} may be a position, or the sum of"
                    f" the others, {values[index]:,.2f}",
                    hint="call it Total if it is one, else give it a ticker or an ISIN",
                )
        return sums

    def _add_entry(self, entry: Entry, words: KindWords, where: str) -> None:
        amount, currency = _value(entry)
        if amount is None and not entry.is_named:
            self._contents.skipped.append(f"{where}: {entry.label[:_TEXT_SHOWN]!r} has no value")
            return
        is_option, option = option_in(entry, words)
        if is_option and (option or entry.quantity is None or amount is not None):
            held = OptionPosition(entry.label, option, entry.quantity, amount, currency=currency)
            self._contents.options.append(held)
            return
        if amount == 0:
            self._contents.skipped.append(f"{where}: {entry.label}: an amount of zero")
            return
        kind = kind_of(entry, words, self._options.is_security)
        self._note(entry, currency)
        self._contents.positions.append(
            Position(
                symbology.vendor_symbol(entry.security.symbol),
                amount,
                _OF_KIND.get(kind, "any") if kind else "any",
                security=entry.security,
                currency=currency,
                quantity=entry.quantity,
                where=where,
            )
        )

    def _note(self, entry: Entry, currency: str) -> None:
        """Keep what an entry says beside its own value: a price in dollars, what a fund costs, a rate, a day."""
        symbol = entry.security.symbol
        if entry.price is not None and symbol and currency == USD:
            self._contents.prices[symbol] = entry.price
        if entry.expense is not None and symbol:
            self._contents.expenses[symbol] = entry.expense
        if entry.as_of:
            self._contents.days.append(entry.as_of)
        foreign, local = entry.amount_unit, entry.local_unit
        if foreign and local and local.currency == USD and foreign.currency != USD and entry.amount:
            rate = (entry.local_amount or 0.0) * local.factor / (entry.amount * foreign.factor)
            self._contents.rates.setdefault(foreign.currency, []).append(rate)

    def _check_products(self, rows: Sequence[Entry]) -> None:
        """Refuse a table whose amounts are not quantity x price: its columns were taken for something else."""
        comparable = [entry for entry in rows if entry.product and _own_amount(entry) and _same_unit(entry)]
        strays = [entry for entry in comparable if not _product_fits(entry)]
        if len(comparable) >= _FEWEST_PRODUCTS and 2 * len(strays) > len(comparable):
            raise UnreadableTableError(
                f"{self._name}: quantity x price is not the amount on {len(strays)} of {len(comparable)} lines",
                hint="name the columns as ticker, quantity, price and amount",
            )
        for entry in strays:
            product = f"{entry.quantity:g} x {entry.price:g} is not {_own_amount(entry):,.2f}"
            self._contents.warnings.append(f"{self._name}, line {entry.number}: {product}; the amount is used")

    def _of_the_day(self, rows: Sequence[Entry]) -> Iterator[Entry]:
        """The entries of the day that counts; how many are of others is said."""
        day = self._options.on
        others = [entry for entry in rows if day and entry.as_of not in (None, day)]
        if others:
            self._contents.skipped.append(f"{self._name}: {counted(len(others), 'line')} of other days than {day}")
        skipped = {entry.number for entry in others}
        return (entry for entry in rows if entry.number not in skipped)

    def _check_days(self, rows: Sequence[Entry]) -> None:
        """Refuse one security on several days, which may be lots or snapshots, and nearly each line on another day, as
        transactions are listed.
        """
        days: dict[tuple[str, str], set[date]] = {}
        for entry in rows:
            if entry.as_of and entry.is_named:
                days.setdefault((entry.account, entry.label), set()).add(entry.as_of)
        several = sorted({day for held_on in days.values() if len(held_on) > 1 for day in held_on})
        if several:
            raise UnreadableTableError(
                f"{self._name} holds the same security on several days, from {several[0]} to {several[-1]}",
                hint="say which day counts: --on YYYY-MM-DD; or call the column Trade Date if they are lots",
            )
        listed = [entry.as_of for entry in rows if entry.as_of]
        if len(set(listed)) >= max(_FEWEST_DAYS, _MOSTLY * len(listed)):
            raise UnreadableTableError(
                f"{self._name} has another day on nearly every line, from {min(listed)} to {max(listed)}: a history?",
                hint=_HISTORY_HINT,
            )

    def _check_currency(self, rows: Sequence[Entry], how: Reading) -> None:
        """Say so where dollars are only guessed: nothing names a currency, and the decimal mark is a comma."""
        units = (unit for entry in rows for unit in (entry.amount_unit, entry.price_unit, entry.local_unit))
        columns = [how.columns[role].index for role in ("price", "amount") if role in how.columns]
        if rows and not any(units) and any("comma" in marks(self._table.numerals(index)) for index in columns):
            self._contents.warnings.append(f"{self._name} names no currency: its amounts are taken as US dollars")

    def _repeats(self, rows: Sequence[Entry]) -> bool:
        """Whether the lines are all in a table above, which is said: a file may show its largest positions again."""
        values = {(entry.account, entry.label, _raw_value(entry)) for entry in rows if entry.is_named}
        repeated = len(values) > 1 and any(values <= seen for seen in self._contents.tables)
        self._contents.tables.append(values)
        if repeated and self._table.header:
            text = f"{self._name}: the table at line {self._table.header.number} repeats lines of one above"
            self._contents.warnings.append(f"{text}, and is left out")
        return repeated

    def _refuse_cut_numbers(self) -> None:
        for row in self._table.rows:
            if extra_cells(self._table, row) and any(table.numeral_of(cell) for cell in row.cells if cell != ""):
                raise UnreadableTableError(
                    f"{self._name}, line {row.number} has more cells than the header has columns",
                    hint='put a number with a comma between quotes: "2,500"',
                )

    def _two_readings(self, error: TwoReadingsError, how: Reading) -> UnreadableTableError:
        names = " and ".join(how.columns[role].heading or role for role in error.roles)
        return UnreadableTableError(
            f"{self._name}: the figures under {names} can be read in two ways, such as {error.first:,.2f} or"
            f" {error.second:,.3f}",
            hint="say which: --decimal point, or --decimal comma",
        )

    def _texts(self, numbers: set[int]) -> Iterator[str]:
        """The rows of the table that are no entries: lines of text, and lots of a line that sums them."""
        for row in self._table.rows:
            if row.number not in numbers:
                what = "is part of a line that is counted" if _is_lot(row) else "is text"
                yield f"{self._name}, line {row.number}: {_shown(row)!r} {what}"


def _is_lot(row: Row) -> bool:
    """Whether a row without a position of its own is a lot of one: it has several numbers."""
    return sum(bool(table.numeral_of(cell)) for cell in row.cells if cell != "") > 1


def _shown(row: Row) -> str:
    text = " ".join(filter(None, row.texts))
    return text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}…"


# The value of an entry


def _raw_value(entry: Entry) -> float | None:
    """The number that a sum of the same column would count."""
    for value in (entry.amount, entry.local_amount, entry.product):
        if value is not None:
            return value
    return None


def _value(entry: Entry) -> tuple[float | None, str]:
    """The value of an entry and its currency: in dollars where it is given in dollars and in another currency."""
    if entry.amount is not None:
        unit = entry.amount_unit or entry.price_unit
        if not (unit and unit.currency != USD and entry.local_unit and entry.local_unit.currency == USD):
            return _signed(entry, entry.amount) * _factor(entry, unit), unit.currency if unit else USD
    if entry.local_amount is not None:
        local = entry.local_unit or Unit(USD)
        return _signed(entry, entry.local_amount) * local.factor, local.currency
    unit = entry.price_unit or Unit(USD)
    return (None if entry.product is None else entry.product * unit.factor), unit.currency


def _signed(entry: Entry, amount: float) -> float:
    """The amount, negative for a negative quantity: some brokers show what is sold short without a sign."""
    return -abs(amount) if entry.quantity is not None and entry.quantity < 0 else amount


def _factor(entry: Entry, unit: Unit | None) -> float:
    """How many units of the currency one of the amount is; where the price is in pence, the amount may be in pounds."""
    if unit is None or unit.factor == 1.0:
        return 1.0
    in_whole_units = entry.product is not None and entry.amount is not None
    return 1.0 if in_whole_units and agree(entry.product or 0.0, unit.factor, entry.amount or 0.0) else unit.factor


def _own_amount(entry: Entry) -> float:
    """The amount in the currency of the price, as far as the entry gives one."""
    return entry.local_amount or entry.amount or 0.0


def _same_unit(entry: Entry) -> bool:
    if entry.local_amount is not None:
        return True
    return entry.amount_unit is None or entry.price_unit is None or entry.amount_unit == entry.price_unit


def _product_fits(entry: Entry) -> bool:
    """Whether quantity x price is the amount, also by the hundred as bonds and pence are quoted."""
    return any(agree(abs(entry.product or 0.0), factor, abs(_own_amount(entry))) for factor in _FACTORS)
