"""Workbooks as spreadsheet programs open them. The one importer of XlsxWriter.

Texts that begin with = stay texts: nothing that came out of somebody's file becomes a formula.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import IO, Any, Final

from mag7cli.core.errors import ExtraMissingError, UsageError

ROWS: Final = 1_048_576
"""Of a worksheet, the heading included. Source: Microsoft, "Excel specifications and limits"."""

_WIDTH: Final = 14
_OPTIONS: Final = {"constant_memory": True, "default_date_format": "yyyy-mm-dd", "strings_to_formulas": False}


def write(stream: IO[bytes], sheets: Mapping[str, tuple[Sequence[str], Iterable[Sequence[Any]]]]) -> int:
    """Write worksheets, row by row.

    Args:
        stream: Where the workbook goes.
        sheets: The columns and the rows of each, by its name.

    Returns:
        How many rows were written, headings left out.

    Raises:
        ExtraMissingError: XlsxWriter is not installed.
        UsageError: There are more rows than a worksheet has.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise ExtraMissingError("a workbook", "excel") from error
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, _OPTIONS) as book:
        bold = book.add_format({"bold": True})
        count = sum(_write_sheet(book.add_worksheet(name), bold, *sheet) for name, sheet in sheets.items())
    stream.write(content.getbuffer())
    return count


def _write_sheet(sheet: Any, bold: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, _WIDTH)
    sheet.write_row(0, 0, columns, bold)
    count = 0
    for count, row in enumerate(rows, 1):
        if count >= ROWS:
            raise UsageError(f"a worksheet has no more than {ROWS:,} rows", hint="--start, or --format parquet")
        sheet.write_row(count, 0, [float(value) if isinstance(value, Decimal) else value for value in row])
    return count
