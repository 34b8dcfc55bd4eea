"""The rows of a table of positions as entries: what each row says of a security, a quantity and a value.

An entry is not yet a position: totals, cash and options are told apart from it in `broker_file`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

from mag7cli.core import numerals, written_dates
from mag7cli.core.numerals import DecimalMark, Numeral
from mag7cli.core.spreadsheets import Row, text_of
from mag7cli.portfolio.currencies import UNITED_STATES, Unit, listing_of, unit_of
from mag7cli.portfolio.figures import Evidence, Values, settle
from mag7cli.portfolio.reading import NUMERIC_ROLES, Reading
from mag7cli.portfolio.securities import Security, checked, identified, is_wkn, symbol_of
from mag7cli.portfolio.table import Table, numeral_of

_SUMMARY_WORDS: Final = frozenset({"", "summary", "position"})
_SCHEMES: Final[tuple[str, ...]] = ("isin", "cusip", "sedol", "wkn")
_WORDS: Final = 4
_UNREAD: Final = "other"  # columns that are known and not read prove decimal marks all the same
_DAY_CELLS: Final = 2  # November 20, and the year
_BARE_DOLLAR: Final = "$"
_VALUES: Final[tuple[str, ...]] = ("amount", "local_amount", "weight")
_NUMBERS: Final = (
    "quantity",
    "price",
    "amount",
    "local_amount",
    "multiplier",
    "fx_rate",
    "weight",
    "notional",
    "expense",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: the security it names, its first words, and its numbers; None is a number that it does not give.

    `weight` is as the file has it, in percent or as a fraction; `is_debt` says that it has a coupon or a maturity.
    `amount` counts `amount_unit`, `price` counts `price_unit`, `local_amount` counts `local_unit`; a unit is None where
    nothing names a currency.
    """

    number: int
    security: Security
    words: tuple[str, ...]
    kind_word: str
    account: str
    as_of: date | None
    quantity: float | None
    price: float | None
    amount: float | None
    local_amount: float | None
    multiplier: float
    fx_rate: float | None
    weight: float | None
    notional: float | None
    expense: float | None
    sector: str
    is_debt: bool
    amount_unit: Unit | None
    price_unit: Unit | None
    local_unit: Unit | None

    @property
    def label(self) -> str:
        """What the row calls the security, or whatever it stands for: a symbol, else a name."""
        return self.security.symbol or self.security.name or (self.words[0] if self.words else "")

    @property
    def is_named(self) -> bool:
        """Whether it names a security by a symbol or an identifier, and not by words alone."""
        security = self.security
        return bool(security.symbol or security.isin or security.cusip or security.sedol or security.wkn)

    @property
    def has_numbers(self) -> bool:
        """Whether it gives any number."""
        return any(value is not None for value in (self.quantity, self.price, self.amount, self.weight))

    @property
    def is_quoted(self) -> bool:
        """Whether it has a quantity and a price other than one, which only a security has."""
        return self.quantity is not None and self.price is not None and self.price != 1.0

    @property
    def product(self) -> float | None:
        """Quantity x price, None where one is missing."""
        if self.quantity is None or self.price is None:
            return None
        return self.quantity * self.price * self.multiplier


def entries(table: Table, reading: Reading, declared: DecimalMark | None) -> list[Entry]:
    """The rows of a table that say anything of a security or of a value.

    Raises:
        TwoReadingsError: Its figures can be read in two ways.
    """
    reader = _EntryReader(table, reading, declared)
    return [reader.entry(index, row) for index, row in enumerate(table.rows) if reader.is_entry(row)]


class _EntryReader:
    """Reads rows by the columns of a reading; its figures are settled once for the whole table."""

    def __init__(self, table: Table, reading: Reading, declared: DecimalMark | None) -> None:
        self._reading = reading
        self._cells: dict[str, list[Numeral | None]] = {
            role: table.numerals(column.index) for role, column in reading.columns.items() if role in _NUMBERS
        }
        self._texts = {role: column.index for role, column in reading.columns.items() if role not in NUMERIC_ROLES}
        self._schemes = [scheme for scheme in _SCHEMES if scheme in self._texts]
        self._marked = frozenset(role for role in reading.columns if self._has_marks(role))
        self._values = self._settled(table, declared)
        self._summaries = self._has_summaries(table)
        self._numbers = sorted(column.index for role, column in reading.columns.items() if role in _NUMBERS)
        self._fullest = max((len(row.cells) for row in table.rows), default=0)
        self._shortest = self._shortest_named(table)

    def is_entry(self, row: Row) -> bool:
        """Whether a row is one of the table's: it has more cells than one, or a lone amount, and is no lot of a row."""
        if sum(cell != "" for cell in row.cells) < 2 and not self._is_lone_amount(row):
            return False
        if self._is_prose(row):
            return False
        return not self._summaries or self._text(row, "row_kind").lower() in _SUMMARY_WORDS

    def _is_prose(self, row: Row) -> bool:
        """Whether a row is a sentence cut into cells by its commas: it ends before the columns of numbers or has words
        in them, is shorter than any that names a security, or is a day whose year lies in the next cell.
        """
        if len(row.cells) <= self._numbers[0] or (len(row.cells) < self._fullest and self._has_words_for_numbers(row)):
            return True
        is_short = len(row.cells) < self._shortest and sum(cell != "" for cell in row.cells) > 1
        is_day = len(row.cells) < self._fullest or len(row.cells) == _DAY_CELLS
        if not is_short and not is_day:
            return False
        texts = [text for text in row.texts if text]
        has_cut_day = written_dates.find(", ".join(texts)) and not any(map(written_dates.find, texts))
        return bool(is_short or has_cut_day) and not self._is_named(row)

    def _has_words_for_numbers(self, row: Row) -> bool:
        cells = (row.cells[index] for index in self._numbers if index < len(row.cells))
        return any(not numerals.is_nothing(text_of(cell)) and numeral_of(cell) is None for cell in cells)

    def _is_named(self, row: Row) -> bool:
        roles = ("symbol", *_SCHEMES, "identifier")
        security = self._security(row) if any(self._text(row, role) for role in roles) else None
        return security is not None and any((security.symbol, *(getattr(security, scheme) for scheme in _SCHEMES)))

    def _shortest_named(self, table: Table) -> int:
        """The fewest cells of a row that names a security, if rows differ; else none is short."""
        if all(len(row.cells) == self._fullest for row in table.rows):
            return 0
        full = (row for row in table.rows if len(row.cells) > self._numbers[0] and self._is_named(row))
        return min((len(row.cells) for row in full), default=0)

    def _is_lone_amount(self, row: Row) -> bool:
        """Whether the only cell of a row is a number in a column of amounts: money that nobody has named."""
        indexes = [column.index for role, column in self._reading.columns.items() if role in _VALUES]
        return any(
            index < len(row.cells) and row.cells[index] != "" and numeral_of(row.cells[index]) for index in indexes
        )

    def entry(self, index: int, row: Row) -> Entry:
        """The entry of a row; `index` is its place in the table."""
        security = self._security(row)
        return Entry(
            number=row.number,
            security=security,
            words=tuple(islice((text_of(cell) for cell in row.cells if cell != ""), _WORDS)),
            kind_word=self._text(row, "kind"),
            account=self._text(row, "account"),
            as_of=written_dates.find(self._text(row, "as_of")),
            quantity=self._value("quantity", index),
            price=self._value("price", index),
            amount=self._value("amount", index),
            local_amount=self._value("local_amount", index),
            multiplier=self._value("multiplier", index) or 1.0,
            fx_rate=self._value("fx_rate", index),
            weight=self._value("weight", index),
            notional=self._value("notional", index),
            expense=self._percentage("expense", index),
            sector=self._text(row, "sector"),
            is_debt=bool(self._text(row, "coupon") or self._text(row, "maturity")),
            amount_unit=self._unit("amount", index, row, security),
            price_unit=self._unit("price", index, row, security),
            local_unit=self._unit("local_amount", index, row, security),
        )

    def _settled(self, table: Table, declared: DecimalMark | None) -> dict[str, Values]:
        values = [role for role in _VALUES if role in self._cells]
        needed = values or ["quantity", "price"]
        used = {column.index for role, column in self._reading.columns.items() if role != _UNREAD}
        elsewhere = frozenset[DecimalMark]()
        if any(numeral and numeral.is_open for cells in self._cells.values() for numeral in cells):
            others = (index for index in range(table.width) if index not in used)
            elsewhere = frozenset(mark for index in others for mark in numerals.marks(table.numerals(index)))
        return settle(self._cells, Evidence(declared, elsewhere, table.delimiter), needed)

    def _has_marks(self, role: str) -> bool:
        """Whether anything in the table says which currency the numbers of a role are in."""
        if self._reading.columns[role].currency or "currency" in self._texts:
            return True
        return any(numeral.currency for numeral in self._cells.get(role, ()) if numeral)

    def _has_summaries(self, table: Table) -> bool:
        index = self._reading.index("row_kind")
        return index is not None and any(text.lower() == "summary" for text in table.texts(index))

    def _security(self, row: Row) -> Security:
        written = self._text(row, "symbol")
        known = identified(written)
        fields = {scheme: checked(scheme, self._text(row, scheme)) for scheme in self._schemes}
        identifier = self._identifier(row)
        unread = "" if any(identifier.values()) else self._text(row, "identifier")
        fields |= known | identifier
        symbol = "" if known else symbol_of(written) or ""
        symbol = symbol or fields.pop("symbol", "")
        listing = listing_of(symbol)
        is_american = listing is not None and listing.country == UNITED_STATES
        return Security(
            symbol=listing.symbol if listing and is_american else symbol,
            name=self._text(row, "name") or ("" if symbol else written or unread),
            country=self._text(row, "country") or (listing.country if listing else ""),
            exchange=self._text(row, "exchange") or (listing.exchange if listing else ""),
            currency=self._text(row, "market_currency").upper(),
            **{scheme: value for scheme, value in fields.items() if scheme != "symbol"},
        )

    def _identifier(self, row: Row) -> dict[str, str]:
        """What a column of identifiers of any scheme holds."""
        text = self._text(row, "identifier")
        if not text or numerals.is_nothing(text):
            return {}
        if scheme := identified(text):
            return scheme
        return {"wkn": text.upper()} if is_wkn(text.upper()) else {"symbol": symbol_of(text) or ""}

    def _unit(self, role: str, index: int, row: Row, security: Security) -> Unit | None:
        """What a number counts: as its cell, its heading, a column of currencies or the symbol's exchange says."""
        if role not in self._marked and "." not in security.symbol:
            return None
        return next(iter(self._units(role, index, row, security)), None)

    def _units(self, role: str, index: int, row: Row, security: Security) -> Iterator[Unit]:
        column = self._reading.columns.get(role)
        if column is None:
            return
        numeral = self._cells[role][index]
        listing = listing_of(security.symbol)
        marks: Sequence[str | None] = (numeral.currency if numeral else None, column.currency)
        # A bare $ may be the dollar of another country, which a column of currencies knows better.
        strong = (mark for mark in marks if mark != _BARE_DOLLAR)
        for mark in (*strong, self._text(row, "currency"), *marks):
            if unit := unit_of(mark):
                yield unit
        if listing:
            yield listing.unit

    def _percentage(self, role: str, index: int) -> float | None:
        """A number that says that it is percent: a ratio without a sign may be a fraction."""
        column = self._reading.columns.get(role)
        if column is None:
            return None
        numeral = self._cells[role][index]
        says_so = numeral is not None and (numeral.percent or "%" in column.heading)
        return self._value(role, index) if says_so else None

    def _value(self, role: str, index: int) -> float | None:
        values = self._values.get(role)
        return values[index] if values else None

    def _text(self, row: Row, role: str) -> str:
        index = self._texts.get(role)
        if index is None:
            return ""
        text = row.text(index)
        return "" if not text or numerals.is_nothing(text) else text


def extra_cells(table: Table, row: Row) -> int:
    """How many cells a row has beyond the columns of the header, not counting empty ones: a number cut in two."""
    extra = row.cells[table.width :]
    return sum(cell != "" for cell in extra) if table.header else 0
