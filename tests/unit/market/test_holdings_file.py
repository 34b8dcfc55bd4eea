"""Holdings files as they come: a whole one, every variation of it, and what only looks like one.

`holdings_files/accepted` are invented files that all hold the same three companies and some cash.
A new variation is a new file there; a new kind of rubbish is a new file in `holdings_files/refused`, with its message
below.
"""

from datetime import date
from pathlib import Path

import pytest

from mag7cli.core.errors import HoldingsFormatError, NoHoldingsError
from mag7cli.market import fund_check, holdings_file, symbology

FILES = Path(__file__).parents[2] / "data" / "holdings_files"
ACCEPTED = sorted((FILES / "accepted").iterdir())
WHOLE_INDEX = FILES / "whole_index.csv"
BASE = (FILES / "accepted" / "quantity_is_called_shares.csv").read_text(encoding="utf-8")

REFUSED = {
    "archive": "is a zip archive or an Excel workbook",
    "binary": "is a binary file",
    "blank": "is empty",
    "day_unreadable": "'Smarch 32, 2022' is not a date",
    "empty_template": "the issuer has no holdings for that date",
    "empty_template_without_header": "the issuer has no holdings for that date",
    "excel": "is an Excel workbook",
    "header_only": "has a header but no holdings",
    "json_error": "is JSON",
    "nothing": "is empty",
    "portfolio": "has no column Asset Class",
    "prices": "no line has the columns Ticker and Weight",
    "prose": "no line has the columns Ticker and Weight",
    "spreadsheet_xml": "is XML",
    "thousands_not_quoted": "AAPL: the line has more values than the header has columns",
    "web_page": "is a web page",
}


def parse(text: str) -> holdings_file.Holdings:
    return holdings_file.parse(text.encode(), "test.csv")


def with_line(line: str) -> holdings_file.Holdings:
    """The base file with one more line: ticker, name, sector, asset class, value, weight, price."""
    ticker, name, sector, kind, value, weight, price = line.split("|")
    cells = [ticker, name, sector, kind, value, weight, value, "1.00", price, "United States", "NASDAQ"]
    added = ",".join(f'"{cell}"' for cell in [*cells, "USD", "1.00", "USD", "-"])
    return parse(BASE.replace('"USD","USD CASH"', f'{added}\n"USD","USD CASH"'))


def reasons(found: holdings_file.Holdings) -> dict[str, str]:
    return {row.symbol: row.reason for row in found.dropped}


@pytest.fixture(scope="module")
def whole() -> holdings_file.Holdings:
    """The list of the index of 2024-12-06 as the issuer publishes it, with invented figures."""
    return holdings_file.parse(WHOLE_INDEX.read_bytes(), WHOLE_INDEX.name)


def test_a_whole_file_has_503_tickers_in_the_vendors_spelling(whole: holdings_file.Holdings) -> None:
    assert len(whole.tickers) == len(set(whole.tickers)) == 503
    assert [ticker for ticker in whole.tickers if "." in ticker] == ["BRK.B", "BF.B"]
    assert whole.tickers[:3] == ["AAPL", "NVDA", "MSFT"]


def test_a_whole_file_is_the_bundled_list(whole: holdings_file.Holdings) -> None:
    assert set(whole.tickers) == {line.ticker for line in symbology.bundled_constituents()}
    assert whole.as_of == symbology.BUNDLED_AS_OF
    assert fund_check.doubts(whole, today=date(2024, 12, 9)) == ()


def test_a_whole_file_says_what_it_is_and_what_was_left_out(whole: holdings_file.Holdings) -> None:
    assert whole.fund == "iShares Core S&P 500 ETF"
    assert whole.warnings == ()
    assert [row.symbol for row in whole.dropped] == ["USD", "XTSLA", "UBFUT", "ETD_USD", "ESZ4"]
    assert len(whole.rows) == 508


def test_the_numbers_of_a_whole_file_are_read_with_their_thousands(whole: holdings_file.Holdings) -> None:
    assert whole.rows[0] == holdings_file.Holding(
        ticker="AAPL",
        symbol="AAPL",
        name="APPLE",
        sector="Information Technology",
        asset_class="Equity",
        market_value_usd=13_520_346_726.64,
        weight_pct=2.70,
        shares=55_675_946.0,
        price_usd=242.84,
        location="United States",
    )


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_every_variation_of_a_file_gives_the_same_three_companies(path: Path) -> None:
    found = holdings_file.parse(path.read_bytes(), path.name)

    assert found.tickers == ["AAPL", "META", "BRK.B"]
    assert [row.weight_pct for row in found.equities] == [65.0, 24.0, 10.0]
    assert "USD" in reasons(found)
    assert found.warnings == ()


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_the_day_of_a_file_is_the_one_in_it_or_none(path: Path) -> None:
    days = {"without_preamble": None, "symbol_of_the_day_before_a_rename": date(2022, 6, 8)}

    assert holdings_file.parse(path.read_bytes(), path.name).as_of == days.get(path.stem, date(2022, 6, 30))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf"], ids=["none", "one", "two"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_byte_order_marks_and_line_ends_change_nothing(mark: bytes, ends: str) -> None:
    found = holdings_file.parse(mark + BASE.replace("\n", ends).encode(), "test.csv")

    assert found == holdings_file.parse(BASE.encode(), "test.csv")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_file_that_a_spreadsheet_saved_in_its_own_encoding_is_read(encoding: str) -> None:
    assert holdings_file.parse(BASE.encode(encoding), "test.csv") == holdings_file.parse(BASE.encode(), "test.csv")


def test_names_in_the_encoding_of_windows_keep_their_letters() -> None:
    found = holdings_file.parse((FILES / "accepted" / "umlauts_of_windows.csv").read_bytes(), "test.csv")

    assert found.fund == "Erfundener Index für Core S&P 500 Fund"
    assert found.rows[0].name == "ÄPPLE INC"


@pytest.mark.parametrize("path", sorted((FILES / "refused").iterdir()), ids=lambda path: path.stem)
def test_what_is_no_holdings_file_is_refused_in_one_line_that_names_it_with_a_hint(path: Path) -> None:
    with pytest.raises(HoldingsFormatError) as refused:
        holdings_file.parse(path.read_bytes(), path.name)

    assert str(refused.value).startswith(f"{path.name}: ")
    assert REFUSED[path.stem] in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize("name", ["empty_template", "empty_template_without_header"])
def test_a_day_without_holdings_is_told_from_a_file_that_is_none(name: str) -> None:
    with pytest.raises(NoHoldingsError):
        holdings_file.parse((FILES / "refused" / f"{name}.csv").read_bytes(), name)


def test_a_file_cut_off_in_the_middle_of_a_line_says_so() -> None:
    cut = BASE[: BASE.index("BERKSHIRE") + 5]

    found = parse(cut)

    assert found.tickers == ["AAPL", "META"]
    assert reasons(found) == {"BRKB": "the line is cut short"}
    assert found.warnings == ("the weights sum to 89.00 %, not to about 100 %: a part of the file may be missing",)


def test_rights_escrows_and_codes_are_left_out_with_a_reason_each() -> None:
    path = FILES / "accepted" / "tickers_without_a_company.csv"

    found = holdings_file.parse(path.read_bytes(), path.name)

    assert reasons(found) == {
        "-": "it has no ticker (a right, an escrow or a pending delivery)",
        "": "it has no ticker (a right, an escrow or a pending delivery)",
        "P5N994": "its ticker is a code, not a symbol of a US exchange",
        "SIVB": "its price is 0: it no longer trades",
        "GEC": "it is on no market",
        "USD": "Cash, not a share of a company",
    }


def test_cash_collateral_under_a_stocks_ticker_stays_apart_from_the_stock() -> None:
    found = with_line("AAPL|CASH COLLATERAL|Cash and/or Derivatives|Cash Collateral and Margins|1.00|0.01|100.00")

    assert [row.market_value_usd for row in found.rows if row.symbol == "AAPL"] == [6500.50, 1.00]
    assert [row.market_value_usd for row in found.equities if row.symbol == "AAPL"] == [6500.50]
    assert found.warnings == ()


def test_one_stock_on_two_lines_is_added_up_and_said() -> None:
    found = with_line("AAPL|APPLE INC|Information Technology|Equity|100.00|1.00|130.01")

    apple = found.equities[0]
    assert (apple.market_value_usd, apple.weight_pct, apple.shares) == (6600.50, 66.0, 51.0)
    assert found.tickers.count("AAPL") == 1
    assert found.warnings == ("AAPL: more than one line, added up (AAPL APPLE INC, AAPL APPLE INC)",)


def test_a_line_under_the_old_and_the_new_symbol_is_one_line() -> None:
    found = with_line("FB|META PLATFORMS INC CLASS A|Communication|Equity|100.00|1.00|160.00")

    assert found.tickers == ["AAPL", "META", "BRK.B"]
    assert found.equities[1].weight_pct == 25.0


def test_cash_under_a_symbol_that_a_company_had_is_not_that_company() -> None:
    found = with_line("FB|FUTURE OF SOMETHING|Cash and/or Derivatives|Futures|0.00|0.00|1.00")

    assert [row.ticker for row in found.rows if row.symbol == "FB"] == ["FB"]


def test_a_number_that_is_none_is_left_out_and_said() -> None:
    found = with_line("MSFT|MICROSOFT CORP|Information Technology|Equity|lots|1.00|250.00")

    assert found.equities[-1].ticker == "MSFT"
    assert found.equities[-1].market_value_usd is None
    assert found.warnings == ("MSFT: market value 'lots' is not a number",)


def test_weights_far_from_a_hundred_are_doubted() -> None:
    found = with_line("MSFT|MICROSOFT CORP|Information Technology|Equity|1.00|2.00|250.00")

    assert found.warnings == ("the weights sum to 101.90 %, not to about 100 %: a part of the file may be missing",)


def test_a_code_abroad_is_a_ticker_there() -> None:
    text = BASE.replace('"AAPL","APPLE INC"', '"7203","TOYOTA MOTOR CORP"').replace(
        '"United States","NASDAQ"', '"Japan","Tokyo"'
    )

    assert parse(text).tickers[0] == "7203"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("Dec 06, 2024", date(2024, 12, 6)),
        ("Dec 6, 2024", date(2024, 12, 6)),
        ("December 6, 2024", date(2024, 12, 6)),
        ("06-Dec-2024", date(2024, 12, 6)),
        ("06/Dec/2024", date(2024, 12, 6)),
        ("2024-12-06", date(2024, 12, 6)),
        ("12/06/2024", date(2024, 12, 6)),
        ("06.12.2024", date(2024, 12, 6)),
    ],
)
def test_the_day_is_read_however_it_is_written(written: str, day: date) -> None:
    assert parse(BASE.replace("Jun 30, 2022", written)).as_of == day


def test_a_file_without_a_day_takes_the_given_one_and_a_file_with_one_keeps_its_own() -> None:
    path = FILES / "accepted" / "without_preamble.csv"
    given = date(2022, 7, 1)

    assert holdings_file.parse(path.read_bytes(), path.name, as_of=given).as_of == given
    assert holdings_file.parse(BASE.encode(), "test.csv", as_of=given).as_of == date(2022, 6, 30)


def test_a_file_without_a_name_for_the_fund_is_called_by_its_own() -> None:
    path = FILES / "accepted" / "without_preamble.csv"

    assert holdings_file.parse(path.read_bytes(), path.name).fund == "without_preamble.csv"


def test_another_fund_is_not_taken_for_the_sp500() -> None:
    found = fund_check.doubts(parse(BASE), today=date(2024, 12, 9))

    assert found[0] == "it has 3 equities, the S&P 500 has about 503"
    assert found[1] == "MSFT, GOOGL, AMZN, NVDA, TSLA are not in it"


@pytest.mark.parametrize(
    ("fund", "is_doubtful"),
    [
        ("iShares Core S&P 500 ETF", False),
        ("SPDR® S&P 500® ETF Trust", False),
        ("Vanguard S&P 500 ETF", False),
        ("iShares Core S&P 500 UCITS ETF USD (Acc)", False),
        ("iShares S&P 500 Growth ETF", True),
        ("Invesco S&P 500 Equal Weight ETF", True),
        ("iShares S&P 500 Scored & Screened ETF", True),
        ("iShares MSCI USA ETF", True),
        ("Invented India Small-Cap ETF", True),
    ],
)
def test_a_fund_is_judged_by_its_name(fund: str, is_doubtful: bool) -> None:
    found = fund_check.doubts(parse(BASE.replace("Invented Core S&P 500 Fund", fund)), today=date(2024, 12, 9))

    assert (f"{fund} is not a fund of the whole S&P 500" in found) == is_doubtful


def test_a_fund_of_another_country_is_doubtful() -> None:
    rows = "\n".join(
        f'"{name}IN","{name} LTD","IT","Equity","1.00","0.01","1.00","1.00","1.00","India","NSE","INR","1.00","INR","-"'
        for name in "ABCDEF"
    )

    text = BASE.replace('"USD","USD CASH"', f'{rows}\n"USD","USD CASH"')
    found = fund_check.doubts(parse(text), today=date(2024, 12, 9))

    assert "6 of its lines are outside the United States, as AIN, BIN, CIN" in found


def test_two_companies_of_one_ticker_in_two_countries_stay_two() -> None:
    rows = (
        '"MRK","MERCK","Health Care","Equity","4.00","40.00","4.00","4.00","1.00","United States","NYSE","USD","1"\n'
        '"MRK","MERCK","Health Care","Equity","3.00","30.00","3.00","2.00","1.50","Germany","Xetra","EUR","1"\n'
    )

    found = parse(BASE.replace('"USD","USD CASH"', f'{rows}"USD","USD CASH"'))

    assert [(row.ticker, row.location, row.weight_pct) for row in found.equities][3:] == [
        ("MRK", "United States", 40.0),
        ("MRK", "Germany", 30.0),
    ]


def test_the_python_line_can_be_executed() -> None:
    line = holdings_file.python_list(["AAPL", "BRK.B"])

    assert line == "tickers = ['AAPL', 'BRK.B']"
