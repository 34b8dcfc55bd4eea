"""Funds opened to companies, with figures small enough to check by hand."""

from datetime import date
from pathlib import Path

import pytest

from mag7cli.analytics.exposure import CompanyExposure, expose, fund_weight
from mag7cli.analytics.portfolio import Position
from mag7cli.market import holdings_file
from mag7cli.market.holdings_file import EQUITY, Holding, Holdings

AS_OF = date(2024, 12, 6)
IVV = Path(__file__).parents[3].parent / "shared" / "data" / "IVV_holdings_2024-12-06.csv"


def row(ticker: str, weight: float | None, kind: str = EQUITY, value: float | None = None) -> Holding:
    return Holding(ticker, ticker, f"{ticker} INC", "", kind, value, weight, None, None)


def fund(*rows: Holding) -> Holdings:
    return Holdings("A fund", AS_OF, rows)


BIG = fund(row("NVDA", 10.0), row("GOOGL", 4.0), row("GOOG", 3.0), row("JPM", 80.0), row("XTSLA", 2.0, "Money Market"))


def amounts(companies: tuple[CompanyExposure, ...]) -> dict[str, float]:
    return {company.ticker: company.amount_usd for company in companies}


def test_a_fund_is_opened_to_companies_cash_and_what_is_unknown() -> None:
    found = expose([Position("BIG", 1_000.0)], {"BIG": BIG})

    assert amounts(found.mag7) == pytest.approx(
        {"NVDA": 100.0, "GOOGL": 70.0, "AAPL": 0.0, "AMZN": 0.0, "META": 0.0, "MSFT": 0.0, "TSLA": 0.0}
    )
    assert found.mag7_pct == pytest.approx(17.0)
    assert amounts(found.others) == pytest.approx({"JPM": 800.0})
    assert found.cash_usd == pytest.approx(20.0)
    assert [(part.symbol, round(part.amount_usd, 6), part.reason) for part in found.unknown] == [
        ("BIG", 10.0, "1.00 % of BIG is not in its holdings file")
    ]


def test_both_lines_of_a_company_are_one_company() -> None:
    found = expose([Position("BIG", 1_000.0), Position("GOOG", 50.0)], {"BIG": BIG})

    alphabet = next(company for company in found.mag7 if company.ticker == "GOOGL")
    assert alphabet.name == "Alphabet"
    assert alphabet.via == pytest.approx({"BIG": 70.0, "direct": 50.0})


def test_a_fund_without_a_holdings_file_is_unknown_not_dropped() -> None:
    found = expose([Position("VTI", 400.0, "fund"), Position("NVDA", 100.0)], {})

    assert found.total_usd == 500.0
    assert found.mag7_pct == pytest.approx(20.0)
    assert found.unknown_usd == 400.0
    assert found.unknown[0].reason == "there is no holdings file of this fund"


def test_a_symbol_that_nobody_knows_is_unknown_unless_it_is_said_to_be_a_company() -> None:
    unsure = expose([Position("SHOP", 5.0)], {})
    told = expose([Position("SHOP", 5.0, "stock")], {})

    assert (unsure.unknown_usd, unsure.others_usd) == (5.0, 0.0)
    assert (told.unknown_usd, told.others_usd) == (0.0, 5.0)


def test_cash_is_cash() -> None:
    assert expose([Position("USD", 7.0, "cash")], {}).cash_usd == 7.0


def test_a_fund_inside_a_fund_is_opened_too() -> None:
    outer = fund(row("BIG", 50.0), row("AAPL", 50.0))

    found = expose([Position("OUTER", 100.0)], {"OUTER": outer, "BIG": BIG})

    assert amounts(found.mag7)["NVDA"] == pytest.approx(5.0)
    assert next(c for c in found.mag7 if c.ticker == "NVDA").via == pytest.approx({"OUTER": 5.0})


def test_funds_that_hold_each_other_do_not_turn_for_ever() -> None:
    a, b = fund(row("B", 60.0), row("AAPL", 40.0)), fund(row("A", 50.0), row("AAPL", 50.0))

    found = expose([Position("A", 100.0)], {"A": a, "B": b})

    assert amounts(found.mag7)["AAPL"] == pytest.approx(40.0 + 60.0 * 0.5)
    assert found.others_usd == pytest.approx(60.0 * 0.5), "the fund inside itself stays closed"


def test_weights_beyond_a_hundred_are_scaled_down() -> None:
    found = expose([Position("F", 100.0)], {"F": fund(row("AAPL", 101.0), row("JPM", 101.0))})

    assert amounts(found.mag7)["AAPL"] == pytest.approx(50.0)
    assert found.unknown == ()


def test_a_file_without_weights_is_weighed_by_market_value() -> None:
    found = expose([Position("F", 100.0)], {"F": fund(row("AAPL", None, value=30.0), row("JPM", None, value=10.0))})

    assert amounts(found.mag7)["AAPL"] == pytest.approx(75.0)


def test_overlap_is_what_two_funds_have_in_common_by_company() -> None:
    other = fund(row("NVDA", 4.0), row("GOOG", 90.0), row("XOM", 6.0))

    found = expose([Position("BIG", 1.0), Position("OTHER", 1.0)], {"BIG": BIG, "OTHER": other})

    assert [(overlap.first, overlap.second) for overlap in found.overlaps] == [("BIG", "OTHER")]
    assert found.overlaps[0].pct == pytest.approx(4.0 + 7.0)


def test_only_the_largest_others_are_named_but_all_are_counted() -> None:
    found = expose([Position(ticker, 1.0 + i) for i, ticker in enumerate(("JPM", "XOM", "V"))], {}, top=2)

    assert [company.ticker for company in found.others] == ["V", "XOM"]
    assert (found.others_count, found.others_usd) == (3, 6.0)


@pytest.mark.skipif(not IVV.is_file(), reason="the real holdings file is not beside the repository")
def test_ivv_alone_reproduces_the_weights_of_its_holdings_file() -> None:
    file = holdings_file.parse(IVV.read_bytes(), IVV.name)

    found = expose([Position("IVV", 100.0)], {"IVV": file})

    in_file = {line.ticker: line.weight_pct or 0.0 for line in file.equities}
    assert amounts(found.mag7) == pytest.approx(
        {t: in_file[t] + (in_file["GOOG"] if t == "GOOGL" else 0.0) for t in amounts(found.mag7)}
    )
    assert found.mag7_pct == pytest.approx(32.78)
    assert fund_weight(file).mag7_pct == pytest.approx(32.78)
    assert found.others_count == 493
    assert found.funds[0].companies_pct == pytest.approx(99.75)
    assert found.funds[0].unknown_pct == pytest.approx(0.02)
