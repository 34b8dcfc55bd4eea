"""Which company a security is of, whatever a file calls it."""

import itertools
from datetime import date

import pytest

from mag7cli.core import packaged_data
from mag7cli.portfolio.identity import Companies, Company, country_code, last_day_of, line_of, plain_name
from mag7cli.portfolio.securities import Security, is_cusip, is_sedol

NASDAQ, NYSE, XETRA = "NASDAQ", "New York Stock Exchange Inc.", "Xetra"


def companies(*securities: Security, day: date | None = None) -> list[Company]:
    register = Companies([(security, day) for security in securities])
    return [register.of(security, day) for security in securities]


def company(security: Security, day: date | None = None) -> Company:
    return companies(security, day=day)[0]


def test_one_ticker_on_two_exchanges_is_two_companies() -> None:
    american = Security("MRK", "MERCK & CO INC", country="United States", exchange=NYSE)
    german = Security("MRK", "MERCK", country="Germany", exchange=XETRA)
    british = Security("PRU", "PRUDENTIAL PLC", country="United Kingdom", exchange="London Stock Exchange")

    assert [(c.ticker, c.country) for c in companies(american, german, british)] == [
        ("MRK", "US"),
        ("MRK", "DE"),
        ("PRU", "GB"),
    ]
    assert len(set(companies(american, german))) == 2


@pytest.mark.parametrize(
    "security",
    [
        Security("NVDA"),
        Security("NVDA", "NVIDIA CORP", country="Vereinigte Staaten", exchange=NASDAQ),
        Security(isin="US67066G1040"),
        Security(cusip="67066G104"),
        Security(sedol="2379504"),
        Security(wkn="918422"),
        Security("NVD.DE", country="Germany"),
        Security("NVD", "NVIDIA CORP", isin="US67066G1040", exchange="IBIS", currency="EUR"),
        Security(name="NVIDIA Corp"),
        Security("NVD GY", "NVIDIA"),
    ],
)
def test_one_of_the_seven_is_known_by_any_of_its_marks(security: Security) -> None:
    assert company(security) == Company("NVDA", "Nvidia", "US")


@pytest.mark.parametrize(
    "security",
    [
        Security("NVDA", "SOMETHING ELSE", country="Canada", exchange="Toronto Stock Exchange"),
        Security("META", "META BEREDNING AB", country="Sweden", exchange="Nasdaq Stockholm"),
        Security("AAPL", "APPLE HOSPITALITY", currency="EUR"),
        Security(name="NVIDIA Something Trust"),
        Security(name="NVIDIA CORP", country="Malta"),
    ],
)
def test_a_symbol_or_a_word_alone_makes_none_of_the_seven(security: Security) -> None:
    assert company(security).ticker not in ("NVDA", "META", "AAPL") or company(security).country != "US"
    assert company(security) != Company("NVDA", "Nvidia", "US")


def test_share_classes_are_one_company_by_the_index_and_by_the_issuer_of_a_number() -> None:
    assert {company(Security("GOOGL")), company(Security("GOOG"))} == {Company("GOOGL", "Alphabet", "US")}
    assert len(set(companies(Security(cusip="25470F104"), Security(cusip="25470F302")))) == 1


def test_a_depositary_receipt_and_the_share_at_home_are_one_company() -> None:
    receipt = Security("TSM", "TAIWAN SEMICONDUCTOR MANUFACTURING CO LTD ADR", country="Taiwan", exchange=NYSE)
    share = Security("2330", "TAIWAN SEMICONDUCTOR MANUFACTURING", country="Taiwan", exchange="Taiwan Stock Exchange")

    assert len(set(companies(receipt, share))) == 1


def test_links_go_through_other_files_and_no_order_matters() -> None:
    securities = [
        Security("ASML", "ASML HOLDING NV", country="Netherlands", exchange="Euronext Amsterdam"),
        Security(isin="NL0010273215", name="ASML Holding"),
        Security(sedol="B929F46", name="ASML Holding NV", country="Netherlands"),
        Security("ASML", "ASML HOLDING ADR REP", country="Netherlands", exchange=NASDAQ),
    ]
    answers = set()
    for order in itertools.permutations(securities):
        register = Companies([(security, None) for security in order])
        answers.add(tuple(register.of(security) for security in securities))

    assert len(answers) == 1
    assert len(set(answers.pop()[:3])) == 1


def test_an_old_symbol_is_read_by_the_day_of_the_file() -> None:
    meta = Company("META", "Meta Platforms", "US")
    assert company(Security("FB"), date(2021, 6, 1)) == meta
    assert company(Security("FB")) == meta
    assert company(Security("FB", "SOME BUFFER ETF"), date(2026, 11, 20)) != meta
    assert (line_of("FB"), last_day_of("FB"), last_day_of("META")) == ("META", date(2022, 6, 8), None)


def test_names_are_compared_without_legal_forms() -> None:
    assert plain_name("Berkshire Hathaway Inc Class B") == plain_name("BERKSHIRE HATHAWAY INC. CL B")
    assert plain_name("MERCK & CO INC") != plain_name("MERCK KGAA") == "merck"
    assert plain_name("The Co") != ""


def test_countries_have_one_code_in_every_language() -> None:
    assert {country_code(name) for name in ("United States", "USA", "Vereinigte Staaten", "États-Unis", "us")} == {"US"}
    assert country_code("Nowhere at all") == ""


def test_the_numbers_of_the_table_have_the_right_check_digits() -> None:
    rows = packaged_data.read("security_identifiers")

    assert all(is_cusip(row["value"]) for row in rows if row["scheme"] == "cusip")
    assert all(is_sedol(row["value"]) for row in rows if row["scheme"] == "sedol")
