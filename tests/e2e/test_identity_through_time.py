"""A line stays itself through renames, new registrants and files without a date; no other company takes its place."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.small_index import holdings_file, market, new_lake

from mag7cli.collection.collector import collect
from mag7cli.collection.worklist import CollectOptions
from mag7cli.lake.holdings import keep
from mag7cli.lake.layout import Lake
from mag7cli.market.holdings_file import parse
from mag7cli.market.index_history import constituents_on
from mag7cli.market.records import TickerDetails
from mag7cli.market.symbology import symbol_on
from mag7cli.vendors.sandbox.market import Market

RANGE = date(2024, 6, 26), date(2024, 6, 27)

RENAMED = {"FI": "FISV", "COR": "ABC", "EG": "RE", "RVTY": "PKI"}
"""Lines that changed their symbol between the spring and the autumn of 2023."""


@cache
def whole_market() -> Market:
    return Market()


def undated_file(symbols: list[str]) -> bytes:
    """A fund's list as some people keep it: without the lines above the header that say of which day it is."""
    rows = [f'"{symbol}","{symbol} CO","Sector","Equity","1000","0.2","10","100"' for symbol in symbols]
    return "\n".join(["Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Quantity,Price", *rows, ""]).encode()


def test_a_kept_file_is_read_as_of_its_day_and_its_renamed_lines_are_valued(tmp_path: Path) -> None:
    kept, day = date(2023, 4, 28), date(2023, 11, 13)
    lake = Lake.at(str(tmp_path / "lake"))
    symbols = [symbol_on(ticker, kept) for ticker in constituents_on(kept)]
    assert set(RENAMED.values()) <= set(symbols)
    lake.write_holdings(kept, undated_file(symbols))

    result = collect(lake, AnsweringSource(whole_market()), CollectOptions(day, day), StandingClock())

    details = lake.read_document(day)["sp500_details"]
    assert result.is_clean
    assert details["membership"]["kind"] == "history"
    assert details["not_listed"] == []
    assert {line["ticker"] for line in details["constituents"]} == set(constituents_on(day))


class LingeringSource(AnsweringSource):
    """Goes on telling details of a company that was bought, as if it were listed still."""

    def details(self, symbol: str, on: date) -> TickerDetails:
        return super().details(symbol, min(on, date(2023, 10, 12)) if symbol == "ATVI" else on)


def test_a_company_that_was_bought_is_not_listed_even_if_its_details_linger(tmp_path: Path) -> None:
    """Activision traded for the last time on 12 October 2023, and left the index four sessions later."""
    lake, day = Lake.at(str(tmp_path / "lake")), date(2023, 10, 16)

    result = collect(lake, LingeringSource(whole_market()), CollectOptions(day, day), StandingClock())

    assert "ATVI" in constituents_on(day)
    assert result.is_clean
    assert lake.read_document(day)["sp500_details"]["not_listed"] == ["ATVI"]


def test_a_doubtful_list_that_was_accepted_says_so_in_every_document_that_uses_it(tmp_path: Path) -> None:
    lake = Lake.at(str(tmp_path / "lake"))
    data = holdings_file(date(2024, 6, 26))
    verdict = keep(lake, parse(data, "own.csv"), data, today=date(2025, 1, 2), accept=True)
    assert verdict.is_kept

    collect(lake, AnsweringSource(market()), CollectOptions(*RANGE), StandingClock())

    membership = lake.read_document(RANGE[1])["sp500_details"]["membership"]
    assert membership["holdings"] == "2024-06-26"
    assert membership["accepted"].startswith("it has 12 equities, the S&P 500 has about 503; ")


def test_a_name_that_nobody_knows_is_a_failure_where_its_company_is_priced_under_another(tmp_path: Path) -> None:
    """A list of an index of somebody's own has an old symbol, which the vendor does not list any more."""
    day = date(2024, 6, 27)
    lake = new_lake(tmp_path / "lake", {day: ("AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "META", "TSLA", "ABC", "ZZZQ")})

    result = collect(lake, AnsweringSource(whole_market()), CollectOptions(day, day), StandingClock())

    details = lake.read_document(day)["sp500_details"]
    assert details["not_listed"] == ["ZZZQ"]
    (failure,) = result.failed[day]
    assert failure["ticker"] == "ABC"
    assert failure["reason"].startswith("no price under this name; COR, which is or was called so")


# A company that reorganises under a new CIK, and one whose symbol another took over


class OtherRegistrant(AnsweringSource):
    """A vendor for which XOM has another CIK from a day on."""

    def __init__(self, since: date, name: str) -> None:
        super().__init__(market())
        self.since, self.company = since, name

    def details(self, symbol: str, on: date) -> TickerDetails:
        told = super().details(symbol, on)
        changed = replace(told, cik="0009999999", name=self.company, composite_figi=None)
        return changed if symbol == "XOM" and on >= self.since else told


@pytest.mark.parametrize("start", [date(2024, 6, 20), date(2024, 6, 26)])
def test_a_new_registrant_is_valued_and_said_wherever_the_run_begins(tmp_path, start):
    lake = new_lake(tmp_path / "lake")
    source = OtherRegistrant(date(2024, 6, 25), "Exxon Mobil Holdings Corp.")

    result = collect(lake, source, CollectOptions(start, date(2024, 6, 27), "details"), StandingClock())

    assert result.is_clean
    for day in result.written:
        document = lake.read_document(day)
        assert "XOM" in {line["ticker"] for line in document["sp500_details"]["constituents"]}
        doubts = [(one["ticker"], one["kind"]) for one in document.get("doubts", [])]
        assert doubts == ([("XOM", "new_registrant")] if day >= date(2024, 6, 25) else [])


def test_an_answer_of_another_company_is_reported_as_refused(tmp_path):
    lake = new_lake(tmp_path / "lake")
    day = date(2024, 6, 27)

    result = collect(
        lake, OtherRegistrant(date(2020, 1, 2), "Somebody Else"), CollectOptions(day, day, "details"), StandingClock()
    )

    (failure,) = result.failed[day]
    assert failure["ticker"] == "XOM"
    assert failure["reason"].startswith("no share count: refused: XOM on 2024-06-27 is Somebody Else (CIK 0009999999)")
