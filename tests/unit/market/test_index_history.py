"""The dated joins and leaves: consistent in themselves, of the right size every day, and equal to what funds held."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from mag7cli.core import packaged_data
from mag7cli.market import index_history, symbology
from mag7cli.market.calendar import sessions
from mag7cli.market.index_history import FIRST_KNOWN, changes, confirmed_until, constituents_on, differences, replay

FUND_LISTS = Path(__file__).parents[2] / "data" / "fund_lists"

# A spin-off is in the index for the days before the line that leaves for it does.
LARGER = {
    date(2021, 6, 3): 506,
    date(2023, 1, 4): 504,
    date(2023, 10, 2): 504,
    date(2024, 4, 1): 504,
    date(2024, 4, 2): 505,
    date(2024, 9, 30): 504,
    date(2025, 10, 30): 504,
    date(2025, 11, 3): 504,
    date(2026, 6, 1): 504,
    date(2026, 6, 29): 504,
    date(2026, 10, 1): 504,
    date(2026, 10, 2): 504,
    date(2026, 10, 5): 504,
}


def usual_size(day: date) -> int:
    return 505 if day < date(2022, 4, 11) else 504 if day < date(2022, 6, 21) else 503


def test_the_index_has_its_size_on_every_session() -> None:
    days = sessions(FIRST_KNOWN, confirmed_until())

    sizes = {day: len(constituents_on(day)) for day in days}

    assert len(days) == 1449
    assert sizes == {day: LARGER.get(day, usual_size(day)) for day in days}


def test_the_bundled_list_is_the_list_of_its_day() -> None:
    bundled = tuple(line.ticker for line in symbology.bundled_constituents())

    assert constituents_on(symbology.BUNDLED_AS_OF) == bundled


def test_nobody_joins_who_is_in_or_leaves_who_is_out() -> None:
    for change in changes():
        before, after = (constituents_on(day) for day in (change.effective_date - timedelta(1), change.effective_date))
        assert (change.ticker in before, change.ticker in after) == (
            change.change == "leaves",
            change.change == "joins",
        ), change


def test_every_change_is_of_a_known_line_on_a_session_and_has_two_sources() -> None:
    known = {line.ticker for line in symbology.known_constituents()}

    assert {change.ticker for change in changes()} <= known
    assert [change for change in changes() if sessions(change.effective_date, change.effective_date) == []] == []
    assert [change for change in changes() if len(change.source.split("; ")) < 2] == []


def test_every_letter_of_a_source_is_in_the_legend() -> None:
    for table in ("index_changes", "index_lines"):
        legend = {line.split()[0].rstrip("+") for line in packaged_data.provenance(table) if line[1:2] in (" ", "+")}
        used = {
            word.split()[-1][0] if word.startswith(("last", "listing")) else word.strip()[0]
            for row in packaged_data.read(table)
            for word in row["source"].split("; ")
        }
        assert used <= legend


def test_each_line_is_in_one_table_and_has_a_registrant() -> None:
    bundled = {line.ticker for line in symbology.bundled_constituents()}
    others = packaged_data.read("index_lines")

    assert not bundled & {row["ticker"] for row in others}
    assert len(others) == 104
    assert all(len(row["cik"]) == 10 and row["cik"].isdigit() for row in others)
    assert all(row["sector"] and row["name"] for row in others)


def test_every_ticker_is_the_name_that_its_symbols_of_all_days_mean() -> None:
    for day in sessions(date(2021, 1, 4), confirmed_until())[::40]:
        for ticker in constituents_on(day):
            assert symbology.ticker_for(symbology.symbol_on(ticker, day), day) == ticker, (ticker, day)


def test_outside_what_is_known_the_nearest_list_answers() -> None:
    assert constituents_on(date(2019, 1, 2)) == constituents_on(FIRST_KNOWN)
    assert constituents_on(date(2030, 1, 2)) == constituents_on(confirmed_until())
    assert not index_history.is_known(FIRST_KNOWN - timedelta(1))
    assert index_history.is_known(confirmed_until())
    assert not index_history.is_known(confirmed_until() + timedelta(1))


def test_the_list_is_in_force_since_the_last_change() -> None:
    assert index_history.in_force_since(date(2024, 12, 20)) == date(2024, 11, 26)
    assert index_history.in_force_since(date(2024, 12, 23)) == date(2024, 12, 23)
    assert index_history.in_force_since(date(2021, 1, 4)) == FIRST_KNOWN


@pytest.mark.parametrize(
    ("start", "end"), [(date(2021, 1, 4), date(2026, 10, 9)), (date(2022, 6, 20), date(2022, 6, 21))]
)
def test_a_replayed_list_is_the_list_of_the_later_day(start: date, end: date) -> None:
    assert set(replay(constituents_on(start), start, end)) == set(constituents_on(end))


def test_a_replay_keeps_the_order_and_takes_nothing_twice() -> None:
    given = ("UA", "META", "KDP", "UAA")

    assert replay(given, date(2022, 6, 20), date(2022, 6, 21)) == ("META", "KDP", "ON")
    assert replay(given, date(2022, 6, 21), date(2022, 6, 21)) == given


def test_differences_are_told_line_by_line() -> None:
    theirs = [ticker for ticker in constituents_on(date(2024, 12, 6)) if ticker != "NWS"] + ["FTRE"]

    found = differences(theirs, date(2024, 12, 6))

    assert [(row.ticker, row.only_in) for row in found] == [("FTRE", "file"), ("NWS", "table")]
    rows = index_history.missing_changes(theirs, date(2024, 12, 6), "IVV 2024-12-06")
    assert [(row.change, row.ticker) for row in rows] == [("joins", "FTRE"), ("leaves", "NWS")]


def test_the_last_session_of_a_line_is_known_where_it_is_not_the_one_before_it_leaves() -> None:
    assert index_history.last_trading_day("SIVB") == date(2023, 3, 9)
    assert index_history.last_trading_day("HOLX") == date(2026, 4, 6)
    assert index_history.last_trading_day("AAPL") is None
    assert index_history.listed_from("SNDK") == date(2025, 2, 24)


def test_a_line_that_ended_ended_when_or_after_it_was_in_the_index() -> None:
    for row in packaged_data.read("index_lines"):
        left = [change for change in changes() if change.ticker == row["ticker"] and change.change == "leaves"]
        last = index_history.last_trading_day(row["ticker"])
        if last and left[-1].reason.startswith(("merger", "receivership")):
            assert last < left[-1].effective_date
            assert (left[-1].effective_date - last).days <= 10


# Against what funds of the S&P 500 held: lists that the table was not written from


@dataclass(frozen=True)
class FundList:
    day: date
    tickers: frozenset[str]
    only_in_fund: frozenset[str]
    only_in_table: frozenset[str]


def fund_list(path: Path) -> FundList:
    day = date.fromisoformat(path.name[:10])
    lines = path.read_text("utf-8").splitlines()
    symbols = [symbol for line in lines if not line.startswith("#") for symbol in line.split()]
    named = [line.removeprefix("# difference: ") for line in lines if line.startswith("# difference: ")]
    assert len(symbols) == len(set(symbols))
    return FundList(
        day,
        frozenset(symbology.ticker_for(symbology.vendor_symbol(symbol), day) for symbol in symbols),
        frozenset(text[2:].partition(":")[0] for text in named if text.startswith("+ ")),
        frozenset(text[2:].partition(":")[0] for text in named if text.startswith("- ")),
    )


@pytest.mark.parametrize("path", sorted(FUND_LISTS.glob("*.txt")), ids=lambda path: path.stem)
def test_the_list_of_a_day_is_the_funds_but_for_differences_that_are_named(path: Path) -> None:
    fund = fund_list(path)

    found = differences(fund.tickers, fund.day)

    assert {row.ticker for row in found if row.only_in == "file"} == fund.only_in_fund
    assert {row.ticker for row in found if row.only_in == "table"} == fund.only_in_table
