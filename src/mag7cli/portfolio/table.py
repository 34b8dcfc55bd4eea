"""The tables of securities in a file: where each begins, what stands above it, and where the next one begins.

Preambles, footers and several tables in one file are the rule. Knows nothing of what a row means.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from mag7cli.core import numerals
from mag7cli.core.numerals import Numeral
from mag7cli.core.spreadsheets import Cell, Row, Sheet
from mag7cli.portfolio.columns import IDENTITY_ROLES, Column, columns_of, is_header, roles_in

_SECTION_WORDS: Final = frozenset({"Header", "Data", "Total", "SubTotal", "Notes", "MetaInfo"})
_SECTION_DATA: Final = "Data"
_SECTIONED: Final = 0.9

_FIRST_OF_NUMBERS: Final = frozenset("0123456789$€£¥+(.-")

HISTORY_ROLES: Final = frozenset({"action", "trade_date"})
"""What a history of transactions has and a list of positions has not."""


@dataclass(frozen=True)
class Table:
    """A header and the rows below it; None is the header of a table whose columns nobody has named.

    `title` names its sheet or section, `preamble` are the rows above it that belong to no table. `is_section` says that
    it is one of many sections of a statement, which may be about anything.
    """

    title: str
    header: Row | None
    rows: tuple[Row, ...]
    preamble: tuple[Row, ...] = ()
    delimiter: str | None = None
    is_section: bool = False

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns whose headings are known."""
        return columns_of(self.header.texts) if self.header else ()

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings as they are written."""
        return self.header.texts if self.header else ()

    @property
    def width(self) -> int:
        """How many columns the header names; an export may end its rows with an empty cell more."""
        named = [index for index, heading in enumerate(self.headings, start=1) if heading]
        return named[-1] if named else max((len(row.cells) for row in self.rows), default=0)

    @property
    def is_history(self) -> bool:
        """Whether the headings are those of transactions, or each name and amount has its day as in a bank account."""
        roles = roles_in(self.headings)
        if not HISTORY_ROLES.isdisjoint(roles):
            return True
        days = [column.index for column in self.columns if column.role == "as_of"]
        names_alone = roles & IDENTITY_ROLES == {"name"} and "quantity" not in roles
        return names_alone and any(len(set(filter(None, self.texts(index)))) > 1 for index in days)

    def head(self, count: int) -> "Table":
        """The same table with its first rows only."""
        return self if len(self.rows) <= count else replace(self, rows=self.rows[:count])

    def texts(self, index: int) -> list[str]:
        """The cells of a column as texts; empty where a row is too short."""
        return [row.text(index) for row in self.rows]

    def numerals(self, index: int) -> list[Numeral | None]:
        """The cells of a column as numerals; None where a cell holds none."""
        return [numeral_of(row.cells[index]) if index < len(row.cells) else None for row in self.rows]


def find(sheets: Iterable[Sheet]) -> list[Table]:
    """The tables of a file in their order; a sheet in which no header is known is one table without a header."""
    return [table for sheet in sheets for table in _tables(sheet)]


def numeral_of(cell: Cell) -> Numeral | None:
    """The number in a cell, None if it holds none."""
    return numerals.parse(cell) if isinstance(cell, str) else numerals.number(cell)


def _tables(sheet: Sheet) -> Iterator[Table]:
    rows = [row for row in sheet.rows if not row.is_blank]
    if _is_sectioned(rows):
        yield from _sections(rows, sheet.delimiter)
        return
    starts = [index for index, row in enumerate(rows) if _starts_table(row)]
    if not starts:
        yield _unnamed(sheet, rows)
        return
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        preamble = tuple(rows[: starts[0]]) if start == starts[0] else ()
        body = tuple(rows[start + 1 : end])
        yield Table(sheet.name, rows[start], body, preamble, delimiter=sheet.delimiter, is_section=sheet.is_record)


def _unnamed(sheet: Sheet, rows: Sequence[Row]) -> Table:
    """A table whose headings nobody knows: it begins with the first row of numbers, its header is the row before."""
    first = next((index for index, row in enumerate(rows) if _is_entry(row)), 0)
    has_header = first > 0 and sum(cell != "" for cell in rows[first - 1].cells) > 1
    header = rows[first - 1] if has_header else None
    preamble = rows[: first - has_header]
    return Table(sheet.name, header, tuple(rows[first:]), tuple(preamble), delimiter=sheet.delimiter)


def _is_entry(row: Row) -> bool:
    """Whether a row may stand for a security: it has texts and numbers, at least three of both together."""
    numbers = sum(bool(numeral_of(cell)) for cell in row.cells if cell != "")
    return numbers > 0 and sum(cell != "" for cell in row.cells) > max(2, numbers)


def _starts_table(row: Row) -> bool:
    if any(not isinstance(cell, str) or cell[:1] in _FIRST_OF_NUMBERS for cell in row.cells if cell != ""):
        return False
    return is_header(row.texts)


def _is_sectioned(rows: Sequence[Row]) -> bool:
    """Whether each row starts with the name of its section and says whether it is a header, as statements do."""
    marked = sum(len(row.cells) > 2 and row.cells[1] in _SECTION_WORDS for row in rows)
    return bool(rows) and marked >= _SECTIONED * len(rows)


def _sections(rows: Iterable[Row], delimiter: str | None) -> Iterator[Table]:
    """A table for each header of each section; its totals are left out, for the file marks them as such."""
    header: Row | None = None
    title, body = "", list[Row]()
    for row in rows:
        name, word = row.texts[0], row.texts[1]
        content = Row(row.number, row.cells[2:])
        if word == "Header":
            if header:
                yield Table(title, header, tuple(body), delimiter=delimiter, is_section=True)
            title, header, body = name, content, []
        elif word == _SECTION_DATA and name == title:
            body.append(content)
    if header:
        yield Table(title, header, tuple(body), delimiter=delimiter, is_section=True)
