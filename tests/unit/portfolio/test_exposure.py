"""Funds opened to companies, with figures small enough to check by hand."""

from datetime import date
from pathlib import Path

import pytest

from mag7cli.lake.layout import Lake
from mag7cli.market import holdings_file
from mag7cli.market.groups import parse
from mag7cli.portfolio.answer import CompanyExposure, Exposure
from mag7cli.portfolio.exposure import expose
from mag7cli.portfolio.fund_file import FundHolding, FundHoldings, of_holdings
from mag7cli.portfolio.group_members import decided
from mag7cli.portfolio.positions import OptionPosition, Portfolio, Position
from mag7cli.portfolio.securities import Kind, Security, option_of

AS_OF = date(2024, 12, 6)
IVV = Path(__file__).parents[3].parent / "shared" / "data" / "IVV_holdings_2024-12-06.csv"


def row(ticker: str, weight_pct: float, kind: Kind = "stock", **fields: str) -> FundHolding:
    return FundHolding(Security(ticker, **fields), kind, weight_pct / 100)


def fund(*lines: FundHolding, unknown_pct: float = 0.0) -> FundHoldings:
    return FundHoldings("A fund", AS_OF, lines, unknown_pct / 100)


BIG = fund(
    row("NVDA", 10.0), row("GOOGL", 4.0), row("GOOG", 3.0), row("JPM", 80.0), row("XTSLA", 2.0, "cash"), unknown_pct=1.0
)


def amounts(companies: tuple[CompanyExposure, ...]) -> dict[str, float]:
    return {company.ticker: company.amount for company in companies}


def seven(answer: Exposure) -> dict[str, float]:
    return {ticker: amount for ticker, amount in amounts(answer.mag7).items() if amount}


def test_a_fund_is_opened_to_companies_cash_and_what_is_unknown() -> None:
    answer = expose([Position("BIG", 1_000.0)], {"BIG": BIG})

    assert len(answer.mag7) == 7
    assert seven(answer) == pytest.approx({"NVDA": 100.0, "GOOGL": 70.0})
    assert (answer.mag7_pct, answer.low_pct, answer.high_pct) == pytest.approx((17.0, 17.0, 18.0))
    assert answer.is_range
    assert amounts(answer.others) == pytest.approx({"JPM": 800.0})
    assert answer.cash == pytest.approx(20.0)
    assert [(part.symbol, round(part.amount, 6), part.reason) for part in answer.unknown] == [
        ("BIG", 10.0, "1.00 % of BIG is not in its holdings file")
    ]


def test_both_lines_of_a_company_are_one_company() -> None:
    answer = expose([Position("BIG", 1_000.0), Position("GOOG", 50.0)], {"BIG": BIG})

    alphabet = next(company for company in answer.mag7 if company.ticker == "GOOGL")
    assert alphabet.name == "Alphabet"
    assert alphabet.via == pytest.approx({"BIG": 70.0, "direct": 50.0})


def test_a_fund_without_a_holdings_file_is_unknown_and_makes_the_answer_a_range() -> None:
    answer = expose([Position("VTI", 400.0, "fund"), Position("NVDA", 100.0)], {})

    assert answer.total == 500.0
    assert (answer.mag7_pct, answer.low_pct, answer.high_pct) == pytest.approx((20.0, 20.0, 100.0))
    assert answer.unknown_amount == 400.0
    assert answer.unknown[0].reason == "there is no holdings file of this fund (Vanguard Total Stock Market ETF)"


@pytest.mark.parametrize(("symbol", "low", "high"), [("TQQQ", 0.0, 300.0), ("SQQQ", -300.0, 0.0), ("SPY", 0.0, 100.0)])
def test_a_geared_fund_may_hold_a_multiple_of_its_money(symbol: str, low: float, high: float) -> None:
    answer = expose([Position(symbol, 100.0)], {})

    assert (answer.low_pct, answer.high_pct) == (low, high)


def test_a_fund_is_no_company_even_if_somebody_says_so() -> None:
    answer = expose([Position("QQQ", 100.0, "stock")], {})

    assert (answer.unknown_amount, answer.others_count) == (100.0, 0)
    assert expose([Position("BIG", 100.0, "stock")], {"BIG": BIG}).others_count == 1, "a share may have a fund's symbol"


def test_a_symbol_that_nobody_knows_is_unknown_unless_it_is_a_company_by_kind_or_name() -> None:
    unsure = expose([Position("ZZZQ", 5.0)], {})
    called = expose([Position("ZZZQ", 5.0, "stock")], {})
    named = expose([Position("ZZZQ", 5.0, security=Security("ZZZQ", "Something Inc"))], {})

    assert (unsure.unknown_amount, unsure.others_amount) == (5.0, 0.0)
    assert [(a.unknown_amount, a.others_amount) for a in (called, named)] == [(0.0, 5.0)] * 2


def test_a_foreign_share_with_the_symbol_of_one_of_ours_is_another_company() -> None:
    merck = Security("MRK", "MERCK KGAA", isin="DE0006599905", exchange="IBIS", currency="EUR")

    answer = expose([Position("MRK", 5.0, "stock", security=merck), Position("MRK", 7.0)], {})

    assert [(c.ticker, c.country, c.amount) for c in answer.others] == [("MRK", "US", 7.0), ("MRK", "DE", 5.0)]


def test_what_is_known_by_its_number_alone_is_opened() -> None:
    by_isin = Position("", 10.0, security=Security(isin="US67066G1040"))
    in_fund = Position("", 100.0, security=Security(isin="IE00B5BMR087"))

    answer = expose([by_isin, in_fund], {"IE00B5BMR087": BIG})

    assert seven(answer) == pytest.approx({"NVDA": 20.0, "GOOGL": 7.0})


def test_cash_and_bonds_are_in_none_of_the_companies() -> None:
    answer = expose([Position("USD", 7.0, "cash"), Position("AAPL", 3.0, "bond")], {})

    assert (answer.cash, answer.cash_via, answer.mag7_amount) == (10.0, {"direct": 10.0}, 0.0)


# What is owed and sold short


def test_a_debit_is_netted_and_both_shares_are_given() -> None:
    answer = expose([Position("NVDA", 5_000.0), Position("KO", 5_000.0), Position("CASH", -4_000.0, "cash")], {})

    assert (answer.held, answer.total) == (10_000.0, 6_000.0)
    assert (answer.mag7_pct, answer.mag7_pct_of_net) == pytest.approx((50.0, 5_000 / 60))


def test_a_short_sale_is_netted_against_what_a_fund_holds() -> None:
    answer = expose([Position("BIG", 1_000.0), Position("NVDA", -100.0, "stock")], {"BIG": BIG})

    assert seven(answer) == pytest.approx({"GOOGL": 70.0}, abs=1e-9)
    assert (answer.held, answer.total) == (1_000.0, 900.0)


# Currencies and values


def test_foreign_lines_are_named_and_never_added_as_dollars() -> None:
    positions = [Position("NVDA", 100.0), Position("SAP", 50.0, "stock", currency="EUR")]

    without, with_rate = expose(positions, {}), expose(positions, {}, rates={"EUR": 1.1})

    assert without.total == 100.0
    assert [(line.symbol, line.amount, line.currency) for line in without.unvalued] == [("SAP", 50.0, "EUR")]
    assert (with_rate.total, with_rate.unvalued) == (pytest.approx(155.0), ())


def test_a_rate_in_the_file_is_used_and_one_that_is_given_wins() -> None:
    portfolio = Portfolio((Position("NVDA", 100.0, currency="EUR"), Position("KO", 1.0)), rates={"EUR": 1.1})

    assert expose(portfolio, {}).mag7_amount == pytest.approx(110.0)
    assert expose(portfolio, {}, rates={"EUR": 1.2}).mag7_amount == pytest.approx(120.0)


def test_a_portfolio_wholly_in_one_currency_is_answered_in_it() -> None:
    positions = [Position("NVDA", 30.0, currency="EUR"), Position("KO", 70.0, currency="EUR")]

    answer = expose(positions, {})

    assert (answer.currency, answer.total, answer.mag7_pct) == ("EUR", 100.0, pytest.approx(30.0))
    assert expose(positions, {}, rates={"EUR": 2.0}).total == 200.0


def test_a_line_without_a_value_is_in_no_total() -> None:
    answer = expose([Position("NVDA", 100.0), Position("XYZWS", None)], {})

    assert answer.total == 100.0
    assert [(line.symbol, line.reason) for line in answer.unvalued] == [("XYZWS", "it has no value in the file")]


# Options


def test_options_are_named_and_counted_by_a_delta_only() -> None:
    call = OptionPosition("a call", option_of("NVDA270115C200"), -2.0, -800.0)
    put = OptionPosition("a put", option_of("NVDA270115P100"), 1.0, 300.0)
    portfolio = Portfolio((Position("NVDA", 15_000.0),), (call, put), prices={"NVDA": 150.0})

    without, with_delta = expose(portfolio, {}), expose(portfolio, {}, deltas={"a call": 0.4})

    assert (without.total, without.options) == (15_000.0, (call, put))
    assert seven(with_delta) == {"NVDA": pytest.approx(15_000.0 - 2 * 100 * 0.4 * 150)}
    assert with_delta.options == (put,)


# Funds of funds


def test_a_fund_inside_a_fund_is_opened_too() -> None:
    outer = fund(row("BIG", 50.0, "fund"), row("AAPL", 50.0))

    answer = expose([Position("OUTER", 100.0)], {"OUTER": outer, "BIG": BIG})

    assert seven(answer) == pytest.approx({"AAPL": 50.0, "NVDA": 5.0, "GOOGL": 3.5})
    assert next(c for c in answer.mag7 if c.ticker == "NVDA").via == pytest.approx({"OUTER": 5.0})


@pytest.mark.parametrize("kind", ["fund", "stock"])
def test_a_fund_inside_a_fund_that_nobody_has_a_file_of_is_unknown(kind: Kind) -> None:
    answer = expose([Position("OUTER", 100.0)], {"OUTER": fund(row("QQQ", 60.0, kind), row("AAPL", 40.0))})

    assert (answer.low_pct, answer.high_pct) == pytest.approx((40.0, 100.0))
    assert answer.unknown[0].reason == "QQQ inside OUTER has no holdings file here"


def test_a_foreign_share_with_the_symbol_of_a_fund_is_no_fund() -> None:
    line = row("VT", 100.0, name="Something AB", country="Sweden", exchange="Nasdaq Stockholm")

    assert expose([Position("OUTER", 1.0)], {"OUTER": fund(line), "VT": BIG}).others_count == 1


def test_funds_that_hold_each_other_do_not_turn_for_ever() -> None:
    a, b = fund(row("B", 60.0), row("AAPL", 40.0)), fund(row("A", 50.0), row("AAPL", 50.0))

    answer = expose([Position("A", 100.0)], {"A": a, "B": b})

    assert seven(answer) == pytest.approx({"AAPL": 40.0 + 60.0 * 0.5})
    assert answer.unknown_amount == pytest.approx(60.0 * 0.5), "the fund inside itself stays closed"


# Beside it


def test_overlap_is_what_two_funds_have_in_common_by_company() -> None:
    other = fund(row("NVDA", 4.0), row("GOOG", 90.0), row("XOM", 6.0))

    answer = expose([Position("BIG", 1.0), Position("OTHER", 1.0)], {"BIG": BIG, "OTHER": other})

    assert [(overlap.first, overlap.second) for overlap in answer.overlaps] == [("BIG", "OTHER")]
    assert answer.overlaps[0].pct == pytest.approx(4.0 + 7.0)


def test_the_same_money_in_the_index_and_in_equal_parts() -> None:
    index = fund(
        *(row(ticker, 10.0) for ticker in ("AAPL", "MSFT", "GOOGL", "GOOG", "KO", "XOM", "JPM", "V", "MA", "PG"))
    )

    answer = expose([Position("KO", 200.0)], {}, index=index)

    assert [(b.name, b.pct, b.amount) for b in answer.benchmarks] == [
        ("S&P 500", pytest.approx(40.0), pytest.approx(80.0)),
        ("equal weight", pytest.approx(100 * 3 / 9), pytest.approx(200 * 3 / 9)),
    ]


def test_sectors_and_countries_are_of_the_companies() -> None:
    world = fund(
        row("NVDA", 50.0, country="United States"),
        FundHolding(Security("SAP", "SAP", country="Deutschland", exchange="Xetra"), "stock", 0.5, "Software"),
    )

    answer = expose([Position("W", 100.0)], {"W": world})

    assert [(group.name, group.pct) for group in answer.sectors] == [
        ("Information Technology", 50.0),
        ("Software", 50.0),
    ]
    assert [(group.name, group.pct) for group in answer.countries] == [("DE", 50.0), ("US", 50.0)]


def test_an_old_symbol_is_read_and_said() -> None:
    answer = expose([Position("FB", 100.0, "stock")], {})

    assert seven(answer) == {"META": 100.0}
    assert answer.notes == ("FB is read as META: it was its symbol until 2022-06-08",)


def test_only_the_largest_others_are_named_but_all_are_counted() -> None:
    answer = expose([Position(ticker, 1.0 + i) for i, ticker in enumerate(("JPM", "XOM", "V"))], {}, top=2)

    assert [company.ticker for company in answer.others] == ["V", "XOM"]
    assert (answer.others_count, answer.others_amount) == (3, 6.0)


@pytest.mark.skipif(not IVV.is_file(), reason="the real holdings file is not beside the repository")
def test_ivv_alone_has_the_weights_of_its_file() -> None:
    file = holdings_file.parse(IVV.read_bytes(), IVV.name)

    answer = expose([Position("IVV", 100.0)], {"IVV": of_holdings(file)})

    printed = {line.ticker: line.weight_pct or 0.0 for line in file.equities}
    for ticker, amount in amounts(answer.mag7).items():
        assert amount == pytest.approx(printed[ticker] + (printed["GOOG"] if ticker == "GOOGL" else 0.0), abs=0.01)
    assert answer.mag7_pct == pytest.approx(32.78, abs=0.005)
    assert (answer.others_count, answer.unknown) == (493, ())


def test_what_the_funds_cost_as_far_as_it_is_known() -> None:
    positions = [Position("BIG", 1_000.0), Position("VTI", 3_000.0), Position("NVDA", 1_000.0)]

    cost = expose(positions, {"BIG": BIG}, expenses={"BIG": 0.2, "NVDA": 9.0}).cost

    assert cost is not None
    assert (cost.amount, cost.pct, cost.covered_pct) == pytest.approx((2.0, 0.04, 25.0))
    assert expose(positions, {"BIG": BIG}).cost is None


def test_large_derivatives_widen_the_range_and_small_ones_do_not() -> None:
    def with_swap(notional: float) -> FundHoldings:
        return fund(
            row("NVDA", 80.0),
            row("CASH", 20.0, "cash"),
            FundHolding(Security(name="SWAP"), "future", 0.0, notional=notional),
        )

    geared = expose([Position("G", 100.0)], {"G": with_swap(1.2)})
    index_fund = expose([Position("G", 100.0)], {"G": with_swap(0.003)})

    assert (geared.low_pct, geared.high_pct) == pytest.approx((80.0, 200.0))
    assert geared.notes == ("futures and swaps of G come to 120.0 % of it, and are not opened",)
    assert not index_fund.is_range


def test_another_group_is_answered_for_as_the_seven_are() -> None:
    index = fund(row("JPM", 30.0), row("XOM", 20.0), row("NVDA", 40.0), row("AAPL", 10.0))
    group = decided(Lake.at("nowhere"), parse("JPM,XOM,NVDA", without="NVDA"), None)
    answer = expose([Position("BIG", 1_000.0)], {"BIG": BIG}, index=index, group=group)

    assert seven(answer) == pytest.approx({"JPM": 800.0})
    assert (answer.group, answer.them) == ("JPM,XOM,NVDA without NVDA", "the group")
    assert answer.subject == "two companies without NVDA"
    assert (answer.mag7_pct, answer.high_pct) == pytest.approx((80.0, 81.0))
    assert amounts(answer.others) == pytest.approx({"NVDA": 100.0, "GOOGL": 70.0})
    assert [round(each.pct, 6) for each in answer.benchmarks] == [50.0, 50.0]
    assert answer.funds[0].mag7_pct == pytest.approx(80.0)
