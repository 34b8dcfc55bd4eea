"""Funds' holdings files of every issuer: each layout by an invented sample, and what no sample shows."""

from datetime import date
from pathlib import Path

import pytest
from tests.simulators.workbook import workbook

from mag7cli.core.errors import HoldingsFormatError, NoHoldingsError
from mag7cli.core.spreadsheets import read as read_sheets
from mag7cli.portfolio.fund_file import FundHoldings, parse

SAMPLES = Path(__file__).parents[2] / "data" / "funds"
REAL_FILE = Path(__file__).parents[3].parent / "shared" / "data" / "IVV_holdings_2024-12-06.csv"
DAY = date(2026, 11, 20)

# Of each sample: the fund's own name and symbol, its day, and its lines as name, kind and percent.
FUNDS = {
    "ishares_us": (
        ("Invented U.S. ETF", "", DAY),
        [
            ("NVIDIA CORP", "stock", 33.33),
            ("ALPHABET INC CLASS A", "stock", 22.22),
            ("ALPHABET INC CLASS C", "stock", 11.11),
            ("COCA-COLA", "stock", 32.34),
            ("BLK CSH FND TREASURY SL AGENCY", "cash", 0.9),
            ("S&P500 EMINI DEC 26", "future", 0),
            ("USD CASH", "cash", 0.1),
        ],
    ),
    "ishares_uk": (
        ("ishares_uk", "", date(2026, 9, 17)),
        [
            ("MERCK & CO INC", "stock", 40),
            ("MERCK", "stock", 30),
            ("NVIDIA CORP", "stock", 20),
            ("SCHNEIDER ELECTRIC", "stock", 9),
            ("USD CASH", "cash", 1),
        ],
    ),
    "ishares_de": (
        ("ishares_de", "", date(2026, 7, 31)),
        [("NVIDIA CORP", "stock", 80), ("SAP", "stock", 19), ("USD CASH", "cash", 1)],
    ),
    "ishares_ch": (
        ("ishares_ch", "", date(2026, 7, 15)),
        [("NVIDIA CORP", "stock", 80.467), ("SAP", "stock", 20.117), ("USD CASH", "cash", -0.583)],
    ),
    "ishares_fr": (
        ("ishares_fr", "", DAY),
        [("NVIDIA CORP", "stock", 80), ("LVMH", "stock", 19), ("USD CASH", "cash", 1)],
    ),
    "ishares_spreadsheetml": (
        ("Invented S&P 500 ETF", "", DAY),
        [("NVIDIA CORP", "stock", 80), ("AT&T INC", "stock", 19), ("USD CASH", "cash", 1)],
    ),
    "state_street": (
        ("Invented S&P 500 ETF Trust", "SPY", DAY),
        [("NVIDIA CORP", "stock", 60), ("BERKSHIRE HATHAWAY INC CL B", "stock", 39.5), ("US DOLLAR", "cash", 0.5)],
    ),
    "invesco": (
        ("invesco", "QQQ", DAY),
        [("NVIDIA Corp", "stock", 56), ("Microsoft Corp", "stock", 40), ("Linde PLC", "stock", 4)],
    ),
    "vanguard": (
        ("Invented World Stock ETF (VT)", "VT", date(2026, 9, 30)),
        [
            ("NVIDIA Corp.", "stock", 60),
            ("Merck KGaA", "stock", 20),
            ("Taiwan Semiconductor Manufacturing Co. Ltd.", "stock", 18),
            ("Vanguard Market Liquidity Fund Money Market", "cash", 2),
        ],
    ),
    "ark": (
        ("ark", "ARKK", DAY),
        [
            ("TESLA INC", "stock", 40),
            ("COINBASE GLOBAL INC -CLASS A", "stock", 55),
            ("GOLDMAN FS TRSY OBLIG INST 468", "other", 5),
        ],
    ),
    "xtrackers": (
        ("Invented Xtrackers MSCI World UCITS ETF 1C", "", DAY),
        [("NVIDIA CORP", "stock", 70), ("ASML HOLDING NV", "stock", 29.5), ("US DOLLAR", "cash", 0.5)],
    ),
    "amundi": (
        ("Invented Amundi MSCI World UCITS ETF", "", DAY),
        [("NVIDIA CORP", "stock", 70), ("ASML HOLDING NV", "stock", 29.5), ("CASH USD", "cash", 0.5)],
    ),
}


def sample(name: str) -> bytes:
    (path,) = SAMPLES.glob(f"{name}.*")
    return path.read_bytes()


def read(text: str) -> FundHoldings:
    return parse(text.encode(), "f.csv")


def percent(holdings: FundHoldings) -> list[tuple[str, str, float]]:
    return [(line.security.name, line.kind, pytest.approx(100 * line.weight, abs=1e-3)) for line in holdings.rows]


def weights(text: str) -> dict[str, float]:
    holdings = read(text)
    return {line.security.symbol or line.security.name: pytest.approx(100 * line.weight) for line in holdings.rows}


def test_every_sample_is_told_of() -> None:
    assert {path.stem for path in SAMPLES.iterdir()} == FUNDS.keys()


@pytest.mark.parametrize("name", FUNDS)
def test_an_issuers_file_is_read_as_what_it_is(name: str) -> None:
    (fund, symbol, day), lines = FUNDS[name]

    holdings = parse(sample(name), name)

    assert (holdings.name, holdings.symbol, holdings.as_of) == (fund, symbol, day)
    assert percent(holdings) == lines
    assert holdings.unknown == 0
    assert holdings.warnings == ()


@pytest.mark.parametrize("name", ["state_street", "xtrackers", "amundi", "vanguard"])
def test_a_workbook_is_read_as_the_same_table_in_csv(name: str) -> None:
    (sheet,) = read_sheets(sample(name), name)
    rows = [[_typed(cell) for cell in row.cells] for row in sheet.rows]

    from_excel = parse(workbook(rows), name)

    assert percent(from_excel) == percent(parse(sample(name), name))


def _typed(cell: str | float) -> str | float:
    try:
        return float(cell)
    except ValueError:
        return cell


def test_the_exposure_of_futures_is_shown() -> None:
    assert parse(sample("ishares_us"), "f").derivatives == pytest.approx(0.05)


HEADER = "Ticker,Name,Asset Class,Market Value,Weight (%)\n"


def test_weights_are_computed_from_market_values_that_agree_with_the_printed_ones() -> None:
    text = HEADER + "NVDA,NVIDIA CORP,Equity,33334,33.33\nKO,COCA COLA,Equity,66667,66.67\n"

    assert weights(text) == {"NVDA": 100 * 33334 / 100001, "KO": 100 * 66667 / 100001}


def test_printed_weights_count_where_the_values_say_something_else() -> None:
    text = HEADER + "NVDA,NVIDIA CORP,Equity,1000,60.00\nSAP,SAP SE,Equity,90000,40.00\n"

    assert weights(text) == {"NVDA": 60.0, "SAP": 40.0}


def test_what_the_lines_do_not_cover_is_open_and_never_scaled_away() -> None:
    holdings = read(HEADER + "NVDA,NVIDIA CORP,Equity,600,6.00\nKO,COCA COLA,Equity,3400,34.00\n")

    assert holdings.unknown == pytest.approx(0.6)
    assert sum(line.weight for line in holdings.rows) == pytest.approx(0.4)


def test_the_rounding_of_printed_weights_is_not_open() -> None:
    text = "Ticker,Name,Weight\n" + "".join(f"T{i},Company {i} Inc,{w}\n" for i, w in enumerate([3.33, 3.335] * 15))

    assert read(text).unknown == 0
    assert sum(line.weight for line in read(text).rows) == pytest.approx(1.0)
    assert read(text.replace("3.335", "3.32")).unknown == pytest.approx(0.0025)


def test_a_line_without_a_weight_is_told_and_open() -> None:
    holdings = read("Ticker,Name,Weight\nNVDA,NVIDIA CORP,60\nKO,COCA COLA,n/a\n")

    assert holdings.unknown == pytest.approx(0.4)
    assert holdings.warnings == ("1 line without a weight or a value, such as KO: unknown",)


def test_fractions_and_percents_are_told_apart() -> None:
    text = "Symbol,Name,Weight\nNVDA,NVIDIA CORP,0.60\nKO,COCA COLA,0.40\n"

    assert weights(text) == {"NVDA": 60.0, "KO": 40.0}
    assert read(text).notes == ("weights are fractions, read as percent",)
    with pytest.raises(HoldingsFormatError, match=r"are called percent and sum to 1\.00"):
        read(text.replace("Weight", "Weight (%)"))


def test_lines_that_are_there_twice_are_refused() -> None:
    with pytest.raises(HoldingsFormatError, match=r"sum to 200\.00 %: are lines there twice"):
        read("Symbol,Name,Weight\n" + "NVDA,NVIDIA CORP,60\nKO,COCA COLA,40\n" * 2)


def test_a_total_is_no_line() -> None:
    assert weights("Symbol,Name,Weight\nNVDA,NVIDIA CORP,60\nKO,COCA COLA,40\n,Total,100\n") == {"NVDA": 60, "KO": 40}


def test_a_file_without_weights_is_weighed_by_value_or_by_shares_and_price() -> None:
    assert weights("Symbol,Name,Market Value\nNVDA,NVIDIA CORP,30\nKO,COCA COLA,10\n") == {"NVDA": 75, "KO": 25}
    assert weights("Symbol,Name,Shares,Price\nNVDA,NVIDIA CORP,3,10\nKO,COCA COLA,1,10\n") == {"NVDA": 75, "KO": 25}


def test_bonds_of_the_seven_are_bonds() -> None:
    text = (
        "Ticker,Name,Weight,Coupon,Maturity\nAAPL,APPLE INC,60,3.85,2043-05-04\nMSFT,MICROSOFT CORP,40,2.5,2050-06-01\n"
    )

    assert {line.kind for line in read(text).rows} == {"bond"}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", HoldingsFormatError, "f.csv is empty"),
        ("a,b\n1,2\n", HoldingsFormatError, "no line has columns"),
        ("Ticker,Name,Shares\nNVDA,NVIDIA,5\n", HoldingsFormatError, "no line has columns"),
        ("Ticker;Name;Weight\nNVDA;NVIDIA;60,000\nKO;COCA;40,000\n", HoldingsFormatError, "in two ways"),
        (
            'A fund\nFund Holdings as of,"-"\n\nTicker,Name,Asset Class,Market Value,Weight (%)\n',
            NoHoldingsError,
            "the issuer has no holdings for that date",
        ),
    ],
)
def test_what_is_no_holdings_file_is_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(text)


@pytest.mark.skipif(not REAL_FILE.exists(), reason=f"needs the real file {REAL_FILE.name}")
def test_the_real_file_has_its_printed_weights_and_nothing_open() -> None:
    holdings = parse(REAL_FILE.read_bytes(), REAL_FILE.name)
    printed = {
        row.texts[0]: row.texts[5] for row in read_sheets(REAL_FILE.read_bytes(), "f")[0].rows if len(row.cells) > 5
    }

    assert (holdings.unknown, holdings.warnings, len(holdings.rows)) == (0, (), 508)
    assert all(
        abs(100 * line.weight - float(printed[line.security.symbol])) < 0.006
        for line in holdings.rows
        if line.kind == "stock"
    )


def test_a_workbook_that_stores_percents_as_fractions_is_known_by_its_values() -> None:
    rows = [
        ["Ticker", "Name", "Market Value", "Weight (%)"],
        ["NVDA", "NVIDIA CORP", 60.0, 0.6],
        ["KO", "COCA", 40.0, 0.4],
    ]

    assert [line.weight for line in parse(workbook(rows), "f").rows] == pytest.approx([0.6, 0.4])


def test_symbols_with_the_exchange_codes_of_bloomberg_and_reuters() -> None:
    text = "Ticker,Name,Weight\nNVDA US,N,25\nMRK GY,M,25\nAAPL.OQ,A,25\nBRK/B UN,B,25\n"

    places = [(row.security.symbol, row.security.country) for row in read(text).rows]
    assert places == [
        ("NVDA", "United States"),
        ("MRK GY", "Germany"),
        ("AAPL", "United States"),
        ("BRK/B", "United States"),
    ]


def test_a_total_is_called_one_in_whichever_column_it_stands() -> None:
    text = "Weight (%),Market Value,Name,Ticker\n60.00,600,NVIDIA,NVDA\n40.00,400,COCA COLA,KO\n100.00,1000,,Total\n"

    holdings = parse(text.encode(), "f.csv")

    assert [(row.security.symbol, row.weight) for row in holdings.rows] == [("NVDA", 0.6), ("KO", 0.4)]
