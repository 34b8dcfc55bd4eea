"""The bytes of a table as rows of cells: CSV in any dialect, Excel workbooks, and the XML that is called .xls.

Knows nothing of what the cells mean. Text cells are stripped; a cell of a workbook that holds a number stays one, so
that nobody has to guess its decimal mark.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from xml.etree import ElementTree

from mag7cli.core.errors import ExtraMissingError, UnreadableTableError
from mag7cli.core.text_files import decoded

Cell = str | float

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_REFUSED: Final = {
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_COMMA: Final = ","
_OTHER_DELIMITERS: Final = ";\t|"
_NEARLY: Final = 0.6
_SEP_LINE: Final = re.compile(r"sep=(?P<delimiter>.)\r?\n", re.IGNORECASE)
_SAMPLE_LINES: Final = 400
# A text that is to stay one in a spreadsheet: ="00123".
_TEXT_FORMULA: Final = re.compile(r'="(?P<text>[^"]*)"')
# iShares writes fund names such as "S&P 500" into its .xls without escaping the ampersand.
_BARE_AMPERSAND: Final = re.compile(r"&(?!#?\w{1,8};)")
_DECLARATION: Final = re.compile(r"<!(doctype|entity)", re.IGNORECASE)
_MOST_COLUMNS: Final = 16_384  # of an Excel sheet
_FEWEST_ATTRIBUTES: Final = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet: its number in the file, counted from 1, and its cells."""

    number: int
    cells: tuple[Cell, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The cells as texts."""
        return tuple(text_of(cell) for cell in self.cells)

    def text(self, index: int) -> str:
        """One cell as text; empty beyond the last."""
        return text_of(self.cells[index]) if index < len(self.cells) else ""

    @property
    def is_blank(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell != "" for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file, or of one sheet of a workbook, in their order. `delimiter` is None unless it was a CSV.

    `is_record` says that its rows are the elements of one name in an XML report, which may be about anything.
    """

    name: str
    rows: tuple[Row, ...]
    delimiter: str | None = None
    is_record: bool = False


def read(data: bytes, name: str) -> list[Sheet]:
    """The sheets of a file.

    Args:
        data: The bytes of a CSV file, an Excel workbook (.xlsx, .xls), SpreadsheetML or an XML report.
        name: What errors call the file.

    Raises:
        UnreadableTableError: It is something else: a PDF, a web page, an empty file.
        ExtraMissingError: It is a workbook, and the library that reads those is not installed.
    """
    _refuse_other_formats(data, name)
    if data.startswith((_ZIP, _OLE)):
        return _workbook(data, name)
    text = _decode(data, name)
    start = text.lstrip()[:2048].lower()
    if start.startswith("<"):
        return _markup(text, start, name)
    if start.startswith(("{", "[{")):
        raise UnreadableTableError(f"{name} is JSON, not a table", hint=_HINT)
    return [_separated(text, name)]


_HINT: Final = "save it as CSV or Excel, with a header such as `ticker,amount`"


def text_of(cell: Cell) -> str:
    """A cell as text; a whole number without a decimal point."""
    if isinstance(cell, str):
        return cell
    return str(int(cell)) if cell.is_integer() else repr(cell)


def _refuse_other_formats(data: bytes, name: str) -> None:
    for magic, kind in _REFUSED.items():
        if data.startswith(magic):
            raise UnreadableTableError(f"{name} is {kind}, not a table", hint=_HINT)


def _decode(data: bytes, name: str) -> str:
    """The bytes as text. Raises UnreadableTableError where there is none."""
    text = decoded(data)
    if not text.strip():
        raise UnreadableTableError(f"{name} is empty", hint=_HINT)
    if "\0" in text:
        raise UnreadableTableError(f"{name} is not a text file", hint=_HINT)
    return text


# CSV


def _separated(text: str, name: str) -> Sheet:
    declared = _SEP_LINE.match(text)
    if declared:
        text = text[declared.end() :]
    delimiter = declared["delimiter"] if declared else _delimiter(text)
    first = 2 if declared else 1
    return Sheet(name, tuple(_csv_rows(text, delimiter, name, first)), delimiter)


def _csv_rows(text: str, delimiter: str, name: str, first: int) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    number = first
    try:
        for cells in reader:
            yield Row(number, tuple(_csv_cell(cell) for cell in cells))
            number = reader.line_num + first
    except csv.Error as error:
        raise UnreadableTableError(f"{name}, line {reader.line_num}: {error}", hint=_HINT) from error


def _csv_cell(cell: str) -> str:
    plain = cell.strip()
    formula = _TEXT_FORMULA.fullmatch(plain) if plain.startswith("=") else None
    return formula["text"].strip() if formula else plain


def _delimiter(text: str) -> str:
    """What separates the columns: what cuts most rows into the same number of cells, the more the better.

    Commas also stand in numbers and in prose, and may be the commoner ones: another mark that cuts as many rows, or not
    much fewer into more cells, is the one.
    """
    sample = "".join(text.splitlines(keepends=True)[:_SAMPLE_LINES])
    evenness = {delimiter: _evenness(sample, delimiter) for delimiter in (_COMMA, *_OTHER_DELIMITERS)}
    other = max(_OTHER_DELIMITERS, key=lambda delimiter: evenness[delimiter])
    (rows, width), (by_comma, comma_width) = evenness[other], evenness[_COMMA]
    is_other = rows >= by_comma or rows * (width - 1) >= _NEARLY * by_comma * (comma_width - 1)
    return other if rows and is_other else _COMMA


def _evenness(sample: str, delimiter: str) -> tuple[int, int]:
    """How many rows of the sample have the commonest width above one, and that width."""
    try:
        rows = list(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return 0, 0
    # Some exports end a row with one empty cell more than their header, others have one that is empty.
    widths = Counter(
        width
        for cells in rows
        if any(map(str.strip, cells))
        for width in {len(cells), len(cells) - (cells[-1] == "")}
        if width > 1
    )
    if not widths:
        return 0, 0
    width, frequency = max(widths.items(), key=lambda item: (item[1], item[0]))
    return frequency, width


# Workbooks


def _workbook(data: bytes, name: str) -> list[Sheet]:
    try:
        import python_calamine
    except ImportError as error:
        raise ExtraMissingError(f"reading the workbook {name}", "excel") from error
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        tables = {
            title: workbook.get_sheet_by_name(title).to_python(skip_empty_area=False) for title in workbook.sheet_names
        }
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise UnreadableTableError(f"{name} is no workbook that can be read: {error}", hint=_HINT) from error
    sheets = [Sheet(title, tuple(_sheet_rows(rows))) for title, rows in tables.items()]
    return [sheet for sheet in sheets if sheet.rows]


def _sheet_rows(rows: Iterable[Sequence[Any]]) -> Iterator[Row]:
    for number, cells in enumerate(rows, start=1):
        yield Row(number, tuple(_cell(cell) for cell in cells))


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value).strip()


# XML: the workbooks that iShares and others call .xls, and reports whose elements carry their values as attributes


def _markup(text: str, start: str, name: str) -> list[Sheet]:
    if "<html" in start or _DECLARATION.search(text):
        raise UnreadableTableError(f"{name} is a web page, not a table", hint=_HINT)
    try:
        root = ElementTree.fromstring(_BARE_AMPERSAND.sub("&amp;", text))  # noqa: S314 - entities were refused above
    except ElementTree.ParseError as error:
        raise UnreadableTableError(f"{name} is no XML that can be read: {error}", hint=_HINT) from error
    sheets = [*_spreadsheet_ml(root)] or [*_attribute_tables(root)]
    if not sheets:
        raise UnreadableTableError(f"{name} is XML without a table", hint=_HINT)
    return sheets


def _spreadsheet_ml(root: ElementTree.Element) -> Iterator[Sheet]:
    for worksheet in root.iter():
        if _local(worksheet.tag) == "Worksheet":
            rows = (element for element in worksheet.iter() if _local(element.tag) == "Row")
            title = next((value for key, value in worksheet.items() if _local(key) == "Name"), "")
            yield Sheet(title, tuple(Row(number, _ml_cells(row)) for number, row in enumerate(rows, start=1)))


def _ml_cells(row: ElementTree.Element) -> tuple[Cell, ...]:
    """The cells of a row; one that names its column by an index leaves the columns before it empty."""
    cells: list[Cell] = []
    for cell in row:
        index = next((int(value) for key, value in cell.items() if _local(key) == "Index"), len(cells) + 1)
        cells.extend("" for _ in range(len(cells) + 1, min(index, _MOST_COLUMNS)))
        cells.append(next((_ml_value(data) for data in cell if _local(data.tag) == "Data"), ""))
    return tuple(cells)


def _ml_value(data: ElementTree.Element) -> Cell:
    kind = next((value for key, value in data.items() if _local(key) == "Type"), "String")
    text = "".join(data.itertext()).strip()
    try:
        return float(text) if kind == "Number" else text[:10] if kind == "DateTime" else text
    except ValueError:
        return text


def _attribute_tables(root: ElementTree.Element) -> Iterator[Sheet]:
    """A table for each kind of element that carries a row's values as attributes, such as the reports of a broker."""
    rows: dict[str, list[ElementTree.Element]] = {}
    for element in root.iter():
        if len(element.attrib) >= _FEWEST_ATTRIBUTES and len(element) == 0:
            rows.setdefault(_local(element.tag), []).append(element)
    for tag, elements in rows.items():
        names = list(dict.fromkeys(key for element in elements for key in element.attrib))
        body = (Row(i, tuple(element.get(key, "").strip() for key in names)) for i, element in enumerate(elements, 2))
        yield Sheet(tag, (Row(1, tuple(names)), *body), is_record=True)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
