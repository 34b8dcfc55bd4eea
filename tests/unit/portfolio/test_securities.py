"""Identifiers, kinds and options as brokers and issuers write them."""

from datetime import date

import pytest

from mag7cli.portfolio.securities import (
    Option,
    cusip_of,
    is_cusip,
    is_isin,
    is_sedol,
    is_wkn,
    kind_by,
    option_of,
    symbol_of,
)


def test_identifiers_are_known_by_their_check_digits() -> None:
    assert all(map(is_isin, ("US67066G1040", "IE00B5BMR087", "DE0006599905", "GB0007099541")))
    assert not any(map(is_isin, ("US67066G1041", "NVDA", "US67066G104", "")))
    assert all(map(is_cusip, ("67066G104", "084670702", "02079K305")))
    assert not any(map(is_cusip, ("67066G105", "NVDA", "123456789")))
    assert all(map(is_sedol, ("2379504", "BYVY8G0", "B7TL820")))
    assert not any(map(is_sedol, ("2379505", "NVDA")))
    assert is_wkn("918422")
    assert not is_wkn("GOOGLE")


def test_an_isin_of_the_united_states_holds_a_cusip() -> None:
    assert cusip_of("US67066G1040") == "67066G104"
    assert cusip_of("DE0006599905") is None


def test_a_symbol_loses_its_footnotes_and_nothing_else() -> None:
    assert [symbol_of(text) for text in ("SPAXX**", "brk.b", "BRK/B", "7203.T", " NVDA ", "BF B")] == [
        "SPAXX",
        "BRK.B",
        "BRK/B",
        "7203.T",
        "NVDA",
        "BF B",
    ]
    assert [symbol_of(text) for text in ("Positions Total", "Cash & Cash Investments", "", "NVDA270115C200")] == [
        None
    ] * 4


def test_words_are_no_symbols_and_exchange_codes_are_part_of_them() -> None:
    assert [symbol_of(text) for text in ("Apple Inc", "BRK/B US", "NVDA US EQUITY", "mrk gy")] == [
        None,
        "BRK/B US",
        "NVDA US",
        None,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "-NVDA270115C200",
        "NVDA  270115C00200000",
        "NVDA 01/15/2027 200.00 C",
        "NVDA 15JAN27 200 C",
        "NVDA Jan 15 '27 $200 Call",
        "NVDA JAN 15 2027 $200 CALL",
    ],
)
def test_one_option_in_the_spelling_of_each_broker(text: str) -> None:
    assert option_of(text) == Option("NVDA", date(2027, 1, 15), "C", 200.0)


def test_a_share_is_no_option() -> None:
    assert [option_of(text) for text in ("NVDA", "CALL", "NVDA 991515C200", "PUTNAM FUND")] == [None] * 4


@pytest.mark.parametrize(
    ("where", "text", "kind"),
    [
        ("kind", "ETFs & Closed End Funds", "fund"),
        ("kind", "Aktien", "stock"),
        ("kind", "Cash und/oder Derivate", "cash"),
        ("kind", "Margin", "held"),
        ("kind", "Fixed Income", "bond"),
        ("symbol", "SPAXX", "cash"),
        ("symbol", "VTSAX", "fund"),
        ("symbol", "GOOGL", None),
        ("name", "Cash & Cash Investments", "cash"),
        ("name", "CASH & CASH FUND & FTX CASH (EUR)", "cash"),
        ("name", "Vanguard Federal Money Market Fund", "cash"),
        ("name", "Positions Total", "total"),
        ("name", "TOTAL SE", "stock"),
        ("name", "U S TREASURY NOTE 1.875 01/15/36", "bond"),
        ("name", "ISHARES CORE S&P 500 ETF", "fund"),
        ("name", "NVIDIA CORPORATION COM", "stock"),
        ("name", "SOME CO WARRANT", "option"),
        ("name", "NVIDIA", None),
    ],
)
def test_words_name_a_kind(where: str, text: str, kind: str | None) -> None:
    assert kind_by(where, text) == kind
