"""Tables in the dialects and containers that people hand over."""

import pytest
from tests.simulators.workbook import workbook

from mag7cli.core.errors import UnreadableTableError
from mag7cli.core.spreadsheets import read, text_of

SPREADSHEET_ML = """\ufeff<?xml version="1.0"?>
<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<ss:Worksheet ss:Name="Holdings"><ss:Table>
<ss:Row><ss:Cell><ss:Data ss:Type="String">S&P 500 &amp; more</ss:Data></ss:Cell></ss:Row>
<ss:Row><ss:Cell><ss:Data ss:Type="String">NVDA</ss:Data></ss:Cell>
<ss:Cell ss:Index="3"><ss:Data ss:Type="Number">1234.567</ss:Data></ss:Cell></ss:Row>
</ss:Table></ss:Worksheet></ss:Workbook>"""

FLEX = """<FlexQueryResponse><FlexStatements><OpenPositions>
<OpenPosition symbol="NVDA" position="10" markPrice="150" />
<OpenPosition symbol="SAP" position="5" currency="EUR" markPrice="200" />
</OpenPositions></FlexStatements></FlexQueryResponse>"""


def cells(text: str | bytes) -> list[tuple[object, ...]]:
    data = text.encode() if isinstance(text, str) else text
    return [row.cells for row in read(data, "f")[0].rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_what_cuts_the_rows_evenly(delimiter: str) -> None:
    text = delimiter.join(["a", "b", "c"]) + "\n" + delimiter.join(['"1,5"', "2", "x;y" if delimiter != ";" else "x"])

    assert read(text.encode(), "f")[0].delimiter == delimiter
    assert cells(text)[1][0] == "1,5"


def test_decimal_commas_do_not_make_a_comma_the_delimiter() -> None:
    assert cells("ticker;shares;price\nIVV;23,5;541,25\nNVDA;1,5;150,25\n")[1] == ("IVV", "23,5", "541,25")


@pytest.mark.parametrize(
    "text",
    [
        "as of 10:00 AM, 2026\nas of 10:00 AM, 2026\nKurs;Symbol;Name\n1,50 €;KO;Coca\n2,50 €;NVDA;Nvidia\n",
        "Value;Symbol;Name\n$2,895,000.00;XOM;Exxon\n$3,092,343.00;AAPL;Apple\n$5,987,343.00;Total;\n",
        "Symbol;Value\n" + "NVDA;1,234,567.00\n" * 9 + "A disclaimer, with a comma\n",
    ],
)
def test_commas_in_numbers_and_prose_may_be_commoner_than_the_delimiter(text: str) -> None:
    (sheet,) = read(text.encode(), "t.csv")

    assert sheet.delimiter == ";"


def test_another_mark_inside_the_texts_of_a_column_is_none() -> None:
    (sheet,) = read(b"ticker,amount,tags\nNVDA,100,tech;us\nKO,200,food;us\n", "t.csv")

    assert sheet.delimiter == ","


def test_a_delimiter_that_excel_declares_is_used_and_lines_keep_their_numbers() -> None:
    sheet = read(b"sep=|\r\na|b;c\r\n1|2;3\r\n", "f")[0]

    assert [(row.number, row.cells) for row in sheet.rows] == [(2, ("a", "b;c")), (3, ("1", "2;3"))]


def test_a_row_that_spans_lines_has_the_number_of_its_first() -> None:
    sheet = read(b'a,b\n"x\ny",1\nz,2\n', "f")[0]

    assert [row.number for row in sheet.rows] == [1, 2, 4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    assert cells("Börse,Währung\nXetra,EUR\n".encode(encoding))[0] == ("Börse", "Währung")


def test_the_xml_that_is_called_xls_is_read_with_bare_ampersands_and_skipped_cells() -> None:
    assert cells(SPREADSHEET_ML) == [("S&P 500 & more",), ("NVDA", "", 1234.567)]


def test_elements_with_attributes_become_a_table() -> None:
    assert [sheet.name for sheet in read(FLEX.encode(), "f")] == ["OpenPosition"]
    assert cells(FLEX) == [
        ("symbol", "position", "markPrice", "currency"),
        ("NVDA", "10", "150", ""),
        ("SAP", "5", "200", "EUR"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f is empty"),
        (b"  \n \n", "f is empty"),
        (b"%PDF-1.7", "f is a PDF document"),
        (b"<!DOCTYPE html><html></html>", "f is a web page"),
        (b"<html><table></table></html>", "f is a web page"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>', "f is a web page"),
        (b"<a><b></a>", "f is no XML that can be read"),
        (b"<a/>", "f is XML without a table"),
        (b'{"a": 1}', "f is JSON"),
        (b"a\0b", "f is not a text file"),
        (b"PK\x03\x04 no workbook", "f is no workbook that can be read"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableTableError, match=f"^{message}"):
        read(data, "f")


def test_a_number_as_text_has_no_point_that_it_does_not_need() -> None:
    assert [text_of(cell) for cell in ("a", 10.0, 1.5)] == ["a", "10", "1.5"]


def test_a_workbook_keeps_its_numbers_apart_from_its_texts() -> None:
    data = workbook([["Ticker", "Weight"], ["NVDA", 1234.567], ["BRK.B", "39.5"]])

    assert cells(data) == [("Ticker", "Weight"), ("NVDA", 1234.567), ("BRK.B", "39.5")]
    assert read(data, "f")[0].name == "holdings"
