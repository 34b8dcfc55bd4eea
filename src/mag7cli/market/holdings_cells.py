"""The bytes of a holdings file as cells: encoding, byte order marks, line ends, quotes, separators; and what is no CSV.

Knows nothing of what the cells mean.
"""

import csv
import io
import re
from collections.abc import Mapping
from typing import Final

from mag7cli.core.errors import HoldingsFormatError
from mag7cli.core.text_files import decoded

HINT: Final = "save the fund's holdings as CSV from ishares.com, or run: mag7 tickers --download"

_MAGIC: Final[Mapping[bytes, str]] = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
}


def read_cells(data: bytes, name: str) -> list[list[str]]:
    """The cells of every line, stripped; the no-break spaces that separate the parts of a file become empty lines.

    `name` is what errors call the file. Raises HoldingsFormatError for what is no CSV file.
    """
    text = _text(data, name)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), skipinitialspace=True))
    except csv.Error as error:
        raise HoldingsFormatError(f"{name}: is no CSV file ({error})", hint=HINT) from error
    return [[cell.strip() for cell in row] for row in rows]


def _text(data: bytes, name: str) -> str:
    """The bytes as text. Raises HoldingsFormatError where there is none."""
    _refuse_other_formats(data, name)
    text = decoded(data)
    if not text.strip():
        raise HoldingsFormatError(f"{name}: is empty", hint=HINT)
    if "\0" in text:
        raise HoldingsFormatError(f"{name}: is a binary file, not the fund's holdings as CSV", hint=HINT)
    _refuse_markup(text, name)
    return text


def _refuse_other_formats(data: bytes, name: str) -> None:
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            raise HoldingsFormatError(f"{name}: is {kind}, not the fund's holdings as CSV", hint=HINT)


def _refuse_markup(text: str, name: str) -> None:
    start = text.lstrip()[:1024].lower()
    if not start.startswith(("<", "{", "[")):
        return
    kind = "a web page" if "<html" in start or "<!doctype html" in start else "XML" if start[0] == "<" else "JSON"
    raise HoldingsFormatError(f"{name}: is {kind}, not the fund's holdings as CSV", hint=HINT)


def _delimiter(text: str) -> str:
    """What separates the columns, by the line of the header: a comma, or what a spreadsheet made of it."""
    header = re.search(r"^.*ticker\b.*$", text, re.IGNORECASE | re.MULTILINE)
    return max(",;\t", key=header.group().count) if header else ","
