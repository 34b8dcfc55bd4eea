"""Positions as brokers and people write them."""

import pytest

from mag7cli.analytics.portfolio import Position, merged, parse, parse_option
from mag7cli.core.errors import UsageError


def positions(text: str) -> list[tuple[str, float, str]]:
    found = parse(text.encode(), "p.csv").positions
    return [(position.symbol, position.amount_usd, position.kind) for position in found]


@pytest.mark.parametrize(
    "text",
    [
        "ticker,amount\nIVV,10000\n",
        'Symbol,Current Value\nIVV,"$10,000.00"\n',
        "\ufeffSYMBOL;Market Value (USD)\nivv;10000\n",
        "symbol\tvalue\r\nIVV\t10_000\r\n",
        "Account,Ticker,Quantity,Last Price\nA1,IVV,20,500\n",
        "ticker,amount,shares,price\nIVV,,20,$500.00\n",
        "ticker,amount\nIVV,4000\n\nIVV,6000 USD\n",
    ],
    ids=["plain", "broker", "semicolons", "tabs", "shares and price", "amount left out", "in two lots"],
)
def test_a_file_is_read_however_it_is_laid_out(text: str) -> None:
    assert positions(text) == [("IVV", 10_000.0, "any")]


def test_symbols_are_read_in_any_spelling() -> None:
    assert positions("ticker,amount\nBRKB,1\nBRK-B,2\nBRK/B,3\n") == [("BRK.B", 6.0, "any")]


def test_kinds_and_cash_are_understood() -> None:
    text = "ticker,amount,type\nIVV,5,ETF\nNVDA,4,Stock\nUSD,3,\nCASH,2,\nXYZ,1,other\n"

    assert positions(text) == [
        ("IVV", 5.0, "fund"),
        ("NVDA", 4.0, "stock"),
        ("USD", 3.0, "cash"),
        ("CASH", 2.0, "cash"),
        ("XYZ", 1.0, "any"),
    ]


def test_lines_without_a_position_are_named_not_lost() -> None:
    found = parse(b"ticker,amount\nIVV,1\nOLD,0.00\nNONE,\nTotal,1\n", "p.csv")

    assert found.skipped == ("line 3: an amount of zero", "line 4: no amount", "line 5: a total")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.csv is empty"),
        ("ticker,amount\n", "p.csv holds no position"),
        ("name,amount\nIVV,1\n", "p.csv has no column ticker or symbol, but name, amount"),
        ("ticker,shares\nIVV,1\n", "neither a column amount or value, nor shares and price"),
        ("ticker,amount\nIVV,10.000,50\n".replace(",50", ";50"), "line 2: '10.000;50' is not an amount"),
        ('ticker,amount\nIVV,"10,00"\n', "line 2: '10,00' is not an amount in USD"),
        ("ticker,amount\nIVV,-5\n", "line 2: the amount is to be above zero, not -5"),
        ("ticker,amount\nIVV,lots\n", "line 2: 'lots' is not an amount in USD"),
        ("ticker,amount\n,5\n", "line 2: an amount without a ticker"),
        ("ticker,shares,price\nIVV,5,\n", "line 2: '' is not an amount in USD"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=r"^p\.csv") as refused:
        parse(text.encode(), "p.csv")

    assert message in str(refused.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UsageError, match=r"p\.xlsx is not a text file"):
        parse(b"PK\x03\x04\xff\xfe", "p.xlsx")


def test_an_option_is_a_symbol_and_an_amount() -> None:
    assert parse_option("ivv=$10,000", "fund") == Position("IVV", 10_000.0, "fund")


@pytest.mark.parametrize("text", ["IVV", "=5", "IVV=", "IVV=0", "IVV=-1", "IVV=ten"])
def test_an_option_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_option(text, "fund")


def test_positions_of_one_symbol_are_merged_in_their_first_place() -> None:
    found = merged([Position("IVV", 1.0), Position("NVDA", 2.0), Position("IVV", 3.0), Position("IVV", 4.0, "fund")])

    assert found == (Position("IVV", 4.0), Position("NVDA", 2.0), Position("IVV", 4.0, "fund"))
