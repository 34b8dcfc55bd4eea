"""Groups of companies: what their words mean, and what is refused."""

from datetime import date

import pytest

from mag7cli.core.errors import UsageError
from mag7cli.market import groups, sectors
from mag7cli.market.groups import THE_SEVEN, parse
from mag7cli.market.symbology import MAGNIFICENT_7


def test_the_seven_are_the_default_group() -> None:
    assert parse("mag7") == THE_SEVEN
    assert THE_SEVEN.is_the_seven
    assert THE_SEVEN.tickers == MAGNIFICENT_7
    assert THE_SEVEN.subject == "seven companies"


@pytest.mark.parametrize(
    ("text", "without", "name", "subject"),
    [
        ("top5", "", "top5", "the five largest companies"),
        ("TOP-10", "", "top10", "the ten largest companies"),
        ("top1", "", "top1", "the largest company"),
        ("top25", "", "top25", "the 25 largest companies"),
        ("sector:information technology", "", "sector:Information Technology", "the sector Information Technology"),
        ("fb, goog,GOOGL,brk-b", "", "META,GOOGL,BRK.B", "three companies"),
        ("mag7", "NVDA", "mag7", "six companies, without NVDA in group and index"),
        ("top10", "aapl,FB", "top10", "the ten largest companies, without AAPL, META in group and index"),
    ],
)
def test_words_and_what_they_are_called_in_a_sentence(text: str, without: str, name: str, subject: str) -> None:
    group = parse(text, without)

    assert (group.name, group.subject) == (name, subject)
    assert not group.is_the_seven


@pytest.mark.parametrize(
    ("text", "without", "hint"),
    [
        ("top0", "", "top10"),
        ("top501", "", "top10"),
        ("sector:Enrgy", "", "sector:Energy"),
        ("sector:Banks and such", "", "Financials"),
        ("MSFTT", "", "MSFT"),
        ("AAPL;MSFT", "", "sector:Energy"),
        ("'; DROP TABLE x", "", "top10"),
        ("NVDA", "NVDA", "top10"),
        ("mag7", "QQQ", "top10"),
    ],
)
def test_what_is_no_group_is_refused_and_the_hint_helps(text: str, without: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text, without)

    assert hint in (refused.value.hint or "")


@pytest.mark.parametrize(
    "content", ["AAPL\nMSFT\n", "# mine\nAAPL,Apple\nMSFT,Microsoft\n", "name,ticker\nApple,AAPL\nMicrosoft,MSFT\n"]
)
def test_a_file_has_a_ticker_a_line_or_a_column_of_them(content: str) -> None:
    assert groups.of_file("mine.csv", content).tickers == ("AAPL", "MSFT")


def test_an_empty_file_is_refused_by_its_name() -> None:
    with pytest.raises(UsageError, match=r"mine\.txt has no ticker"):
        groups.of_file("mine.txt", "# nobody\n")


def test_who_belongs_by_the_market_values_of_a_date() -> None:
    caps = {"AAPL": 3.0, "V": 0.6, "NVDA": 2.0, "XOM": 0.5}
    friday = date(2023, 3, 17)

    assert groups.members(parse("top2"), caps, friday) == ("AAPL", "NVDA")
    assert groups.members(parse("sector:Information Technology"), caps, friday) == ("AAPL", "NVDA", "V")
    assert groups.members(parse("sector:Information Technology"), caps, date(2023, 3, 20)) == ("AAPL", "NVDA")
    assert groups.members(parse("mag7", "TSLA"), caps, friday) == MAGNIFICENT_7[:6]


def test_a_sector_is_that_of_the_day() -> None:
    friday, monday = date(2023, 3, 17), date(2023, 3, 20)

    assert [sectors.sector_on("V", day) for day in (friday, monday)] == ["Information Technology", "Financials"]
    assert [sectors.sector_on("AAPL", day) for day in (friday, monday)] == ["Information Technology"] * 2
    assert sectors.sector_on("QQQ", monday) == sectors.UNKNOWN
    assert len(sectors.sectors()) == 11


def test_the_new_sector_of_a_changed_line_is_the_one_of_the_table_of_lines() -> None:
    from mag7cli.core import packaged_data
    from mag7cli.market.symbology import known_constituents

    today = {line.ticker: line.sector for line in known_constituents()}
    changes = packaged_data.read("sector_changes")

    assert len(changes) == 14
    assert all(today[row["ticker"]] == row["to_sector"] != row["from_sector"] for row in changes)
