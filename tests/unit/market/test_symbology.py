"""Which security a ticker is: renames, successors, other carriers of a symbol, share classes."""

from dataclasses import dataclass
from datetime import date

import pytest

from mag7cli.market import symbology
from mag7cli.market.records import TickerDetails


@dataclass(frozen=True)
class Line:
    ticker: str
    cik: str | None = None


def details(
    symbol: str, on: date, *, name: str = "Some Company", cik: str | None = None, kind: str | None = "CS"
) -> TickerDetails:
    return TickerDetails(
        symbol=symbol,
        on=on,
        name=name,
        cik=cik,
        composite_figi=None,
        security_type=kind,
        currency="usd",
        market_cap_usd=None,
        weighted_shares=None,
        share_class_shares=None,
        description=None,
        list_date=None,
    )


def test_the_bundled_list_has_503_lines_of_500_companies() -> None:
    lines = symbology.bundled_constituents()

    companies = symbology.companies(lines)

    assert len(lines) == 503
    assert len(companies) == 500
    assert sum(len(company.others) for company in companies) == 3


def test_the_seven_are_lines_of_the_bundled_list_and_each_is_the_counted_one() -> None:
    counted = {company.counted for company in symbology.companies(symbology.bundled_constituents())}

    assert set(symbology.MAGNIFICENT_7) <= counted


@pytest.mark.parametrize(
    ("ticker", "on", "symbol"),
    [
        ("META", date(2022, 6, 8), "FB"),
        ("META", date(2022, 6, 9), "META"),
        ("FI", date(2023, 6, 6), "FISV"),
        ("FI", date(2024, 12, 13), "FI"),
        ("FI", date(2025, 11, 11), "FISV"),
        ("PARA", date(2022, 2, 16), "VIAC"),
        ("PARA", date(2025, 8, 7), "PSKY"),
        ("MMC", date(2026, 1, 14), "MRSH"),
        ("BK", date(2026, 5, 21), "BNY"),
        ("DOC", date(2024, 3, 1), "PEAK"),
        ("WBD", date(2022, 4, 8), "DISCA"),
        ("TT", date(2020, 2, 28), "IR"),
        ("IR", date(2021, 1, 4), "IR"),
        ("AAPL", date(2021, 1, 4), "AAPL"),
        ("BRK.B", date(2021, 1, 4), "BRK.B"),
    ],
)
def test_a_line_has_the_symbol_of_its_day(ticker: str, on: date, symbol: str) -> None:
    assert symbology.symbol_on(ticker, on) == symbol


@pytest.mark.parametrize(
    ("old", "new", "first_day"),
    [
        ("CTL", "LUMN", date(2020, 9, 18)),
        ("MYL", "VTRS", date(2020, 11, 17)),
        ("LB", "BBWI", date(2021, 8, 3)),
        ("COG", "CTRA", date(2021, 10, 4)),
        ("WLTW", "WTW", date(2022, 1, 10)),
        ("VIAC", "PARA", date(2022, 2, 17)),
        ("DISCA", "WBD", date(2022, 4, 11)),
        ("BLL", "BALL", date(2022, 5, 10)),
        ("FB", "META", date(2022, 6, 9)),
        ("ANTM", "ELV", date(2022, 6, 28)),
        ("NLOK", "GEN", date(2022, 11, 8)),
        ("FBHS", "FBIN", date(2022, 12, 15)),
        ("PKI", "RVTY", date(2023, 5, 16)),
        ("FISV", "FI", date(2023, 6, 7)),
        ("RE", "EG", date(2023, 7, 10)),
        ("ABC", "COR", date(2023, 8, 30)),
        ("CDAY", "DAY", date(2024, 2, 1)),
        ("PEAK", "DOC", date(2024, 3, 4)),
        ("FLT", "CPAY", date(2024, 3, 25)),
        ("GPS", "GAP", date(2024, 8, 22)),
        ("SQ", "XYZ", date(2025, 1, 21)),
    ],
)
def test_a_rename_keeps_the_ticker_and_changes_the_symbol_on_its_day(old: str, new: str, first_day: date) -> None:
    before = date.fromordinal(first_day.toordinal() - 1)

    assert symbology.ticker_for(old, before) == symbology.ticker_for(new, first_day) == new
    assert (symbology.symbol_on(new, before), symbology.symbol_on(new, first_day)) == (old, new)


def test_a_merger_into_a_new_company_is_not_a_rename() -> None:
    assert symbology.ticker_for("WRK", date(2024, 7, 5)) == "WRK"
    assert symbology.symbol_on("SW", date(2024, 7, 5)) == "SW"


def test_a_range_is_cut_where_the_symbol_changes() -> None:
    assert symbology.symbol_periods("META", date(2022, 6, 1), date(2022, 6, 30)) == [
        ("FB", date(2022, 6, 1), date(2022, 6, 8)),
        ("META", date(2022, 6, 9), date(2022, 6, 30)),
    ]


def test_a_range_is_not_cut_where_only_the_registrant_changes() -> None:
    assert symbology.symbol_periods("BG", date(2021, 1, 1), date(2024, 12, 13)) == [
        ("BG", date(2021, 1, 1), date(2024, 12, 13))
    ]


@pytest.mark.parametrize(
    ("on", "symbols"),
    [
        (date(2022, 6, 1), ("FB",)),
        (date(2022, 6, 8), ("FB", "META")),
        (date(2022, 6, 9), ("FB", "META")),
        (date(2022, 6, 10), ("META", "FB")),
        (date(2022, 6, 30), ("META",)),
    ],
)
def test_details_follow_a_day_after_the_bars_so_both_symbols_are_tried_around_the_rename(
    on: date, symbols: tuple[str, ...]
) -> None:
    assert symbology.details_symbols_on("META", on) == symbols


def test_a_line_that_was_never_renamed_is_asked_for_once() -> None:
    assert symbology.details_symbols_on("AAPL", date(2022, 6, 9)) == ("AAPL",)


@pytest.mark.parametrize(
    ("symbol", "on", "ticker"),
    [
        ("META", date(2021, 9, 1), "META"),
        ("FB", date(2022, 6, 21), "META"),
        ("META", date(2022, 6, 3), "META"),
        ("FB", date(2025, 6, 24), "FB"),
        ("LB", date(2024, 9, 3), "LB"),
        ("RE", date(2024, 9, 3), "RE"),
        ("BNY", date(2024, 9, 3), "BNY"),
    ],
)
def test_a_symbol_off_its_days_is_ours_only_if_nobody_else_may_be_meant(symbol: str, on: date, ticker: str) -> None:
    assert symbology.ticker_for(symbol, on) == ticker


def test_another_carrier_of_a_symbol_is_known_by_its_days() -> None:
    fund = symbology.other_security("META", date(2022, 1, 28))

    assert fund is not None
    assert fund.name == "Roundhill Ball Metaverse ETF"
    assert symbology.other_security("META", date(2022, 1, 31)) is None


@pytest.mark.parametrize(
    ("written", "symbol"),
    [("BRKB", "BRK.B"), ("BFB", "BF.B"), ("BRK-B", "BRK.B"), ("BF/B", "BF.B"), ("GOOGL", "GOOGL")],
)
def test_share_classes_are_spelt_as_the_vendor_spells_them(written: str, symbol: str) -> None:
    assert symbology.vendor_symbol(written) == symbol


def test_the_registrant_is_the_one_of_the_day() -> None:
    before, after = symbology.history("BG")
    assert (before.cik, before.last_day, after.cik) == ("0001144519", date(2023, 10, 31), "0001996862")
    assert {period.cik for period in symbology.history("META")} == {"0001326801"}
    assert {period.cik for period in symbology.history("TWTR")} == {"0001418091"}
    assert not any(period.cik for period in symbology.history("QQQ"))


def test_an_etf_under_the_symbol_is_refused() -> None:
    on = date(2021, 9, 1)
    told = details("META", on, name="Roundhill Ball Metaverse ETF", kind="ETF")

    assert symbology.refusal("META", on, told) == (
        "META on 2021-09-01 is Roundhill Ball Metaverse ETF, a fund (type ETF), not META"
    )


def test_another_registrant_under_the_symbol_is_refused() -> None:
    on = date(2021, 9, 1)
    told = details("COR", on, name="CoreSite Realty", cik="1490892")

    assert symbology.refusal("COR", on, told) == (
        "COR on 2021-09-01 is CoreSite Realty (CIK 0001490892), not COR (CIK 0001140859)"
    )


def test_a_known_other_carrier_is_refused_even_without_cik_and_type() -> None:
    on = date(2024, 2, 1)
    told = details("DOC", on, name="Physicians Realty", kind=None)

    reason = symbology.refusal("DOC", on, told)

    assert reason == "DOC on 2024-02-01 is Physicians Realty, and the symbol was Physicians Realty Trust's on that date"


@pytest.mark.parametrize("cik", ["0001326801", "1326801", None, ""])
def test_the_company_itself_is_accepted_also_where_the_vendor_leaves_the_cik_out(cik: str | None) -> None:
    on = date(2024, 11, 8)

    assert symbology.refusal("META", on, details("META", on, name="Meta Platforms", cik=cik)) is None


@pytest.mark.parametrize("cik", ["0001144519", "0001996862"])
def test_the_registrant_before_and_after_a_change_of_domicile_are_the_same_company(cik: str) -> None:
    on = date(2022, 3, 1)

    assert symbology.refusal("BG", on, details("BG", on, cik=cik)) is None


def test_a_line_that_our_tables_do_not_have_is_accepted_as_it_is() -> None:
    on = date(2021, 9, 1)

    assert symbology.refusal("ZZZZ", on, details("ZZZZ", on, name="Somebody", cik="0001418099")) is None


def test_lines_of_one_registrant_are_one_company_counted_by_the_line_that_the_table_names() -> None:
    found = symbology.companies([Line("GOOG"), Line("AAPL"), Line("GOOGL")])

    assert [(company.counted, company.others, company.name) for company in found] == [
        ("GOOGL", ("GOOG",), "Alphabet"),
        ("AAPL", (), "Apple"),
    ]


def test_the_second_class_counts_where_the_first_is_not_in_the_list() -> None:
    assert [company.counted for company in symbology.companies([Line("GOOG")])] == ["GOOG"]


def test_lines_that_our_tables_do_not_have_are_joined_by_the_cik_that_they_bring() -> None:
    found = symbology.companies([Line("AAA", "0000000042"), Line("BBB"), Line("AAB", "42")])

    assert [(company.counted, company.others) for company in found] == [("AAA", ("AAB",)), ("BBB", ())]


def test_lines_that_left_the_index_with_two_classes_are_one_company_too() -> None:
    found = symbology.companies([Line("WBD"), Line("DISCK"), Line("UA"), Line("UAA")])

    assert [(company.counted, company.others) for company in found] == [("WBD", ("DISCK",)), ("UAA", ("UA",))]


# Under each of these symbols the registrant or its domicile changed; the vendor's names before and after.
REORGANISED = {
    "LIN": ("Linde plc", "Linde PLC"),
    "LH": ("Labcorp", "Labcorp Holdings Inc."),
    "TEL": ("TE Connectivity Ltd.", "TE Connectivity plc"),
    "APTV": ("Aptiv PLC", "Aptiv Holdings Limited"),
    "CCL": ("Carnival Corporation & plc", "Carnival Corporation Ltd."),
    "XOM": ("Exxon Mobil Corporation", "ExxonMobil Holdings Corporation"),
}


@pytest.mark.parametrize("ticker", REORGANISED)
def test_a_company_that_moved_is_known_by_its_name_under_whatever_cik(ticker: str) -> None:
    before, after = REORGANISED[ticker]
    known = symbology.names_of(ticker)

    assert symbology.is_same_name(before, after)
    assert all(any(symbology.is_same_name(name, ours) for ours in known) for name in (before, after))


@pytest.mark.parametrize("cik", ["0000034088", "0002115436"])
def test_both_registrants_of_exxon_mobil_are_confirmed_by_rows(cik: str) -> None:
    assert symbology.is_registrant("XOM", cik)


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("Exxon Mobil Corporation", "ExxonMobil Holdings Corporation", True),
        ("ExxonMobil", "ExxonMobil Holdings Corporation Common Stock", True),
        ("Carnival Corporation", "Carnival Corporation Ltd.", True),
        ("McDonald's", "MCDONALDS CORP", True),
        ("Coherent Corp.", "Coherent, Inc.", True),
        ("Merck & Co., Inc.", "Merck KGaA", False),
        ("Chemical Bank", "JPMorgan Chase & Co.", False),
        ("Corporation", "Company", False),
    ],
)
def test_names_are_compared_without_the_legal_form(name: str, other: str, same: bool) -> None:
    assert symbology.is_same_name(name, other) is same
