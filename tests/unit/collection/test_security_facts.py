"""What share counts are held against: whose cover pages and awards, which neighbours, which closes."""

from datetime import date
from pathlib import Path

import pytest

from mag7cli.collection.price_cache import PriceCache
from mag7cli.collection.security_facts import (
    COVER_PAGES,
    FactsOfSecurities,
    is_exact,
    known_awards,
    known_cover_pages,
    price_request,
)
from mag7cli.collection.split_cache import SplitCache
from mag7cli.collection.worklist import DateBatch, Worklist
from mag7cli.core.errors import DocumentError
from mag7cli.lake.layout import Lake
from mag7cli.market.calendar import sessions
from mag7cli.market.membership import members_by_date
from mag7cli.market.records import Split
from mag7cli.shares.cover_pages import COLUMNS, shipped_cover_pages

REACH = (date(2021, 1, 4), date(2024, 12, 31))
OURS = "GOOGL,0001652044,2021-03-31,2021-04-20,A,GOOGL,1,1,ours"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.at(str(tmp_path / "lake"))


def facts(lake: Lake, splits: dict[str, tuple[Split, ...]] | None = None) -> FactsOfSecurities:
    return FactsOfSecurities(
        PriceCache(lake), SplitCache(splits or {}), shipped_cover_pages(), known_awards(simulated=False), REACH
    )


def to_do(first: date, last: date) -> Worklist:
    days = tuple(sessions(first, last))
    return Worklist((DateBatch(days, days, members_by_date(days, {})),), present=0)


def test_both_lines_of_a_company_are_held_against_its_cover_pages(lake):
    google, goog = (facts(lake).of(ticker, [date(2021, 6, 1)]) for ticker in ("GOOGL", "GOOG"))

    assert google.covers == goog.covers == shipped_cover_pages()["GOOGL"]
    assert google.is_watched
    assert goog.is_watched
    assert facts(lake).of("KO", [date(2021, 6, 1)]).covers == ()


def test_awards_are_the_company_s_own(lake):
    assert {event.company for event in facts(lake).of("TSLA", [date(2025, 6, 2)]).awards} == {"TSLA"}
    assert facts(lake).of("AAPL", [date(2025, 6, 2)]).awards == []


def test_a_simulated_market_has_none_of_the_real_facts(lake):
    assert known_cover_pages(lake, simulated=True) == {}
    assert known_awards(simulated=True) == ()
    assert known_cover_pages(lake, simulated=False) == shipped_cover_pages()


def test_the_lake_s_own_cover_pages_stand_against_the_shipped_ones(lake):
    lake.write_reference(COVER_PAGES, f"{','.join(COLUMNS)}\n{OURS}\n".encode())

    assert known_cover_pages(lake, simulated=True)["GOOGL"][0].shares == 1
    ours = {cover.period_end: cover for cover in known_cover_pages(lake, simulated=False)["GOOGL"]}
    assert ours[date(2021, 3, 31)].accession == "ours"
    assert len(ours) == len(shipped_cover_pages()["GOOGL"])


def test_a_file_that_is_no_table_of_cover_pages_is_named(lake):
    lake.write_reference(COVER_PAGES, b"as_of,shares\n2021-04-20,1\n")

    with pytest.raises(DocumentError, match=r"cover_pages\.csv"):
        known_cover_pages(lake, simulated=False)


def test_the_lines_of_the_seven_have_neighbours_on_both_sides_as_far_as_the_plan_serves(lake):
    near = facts(lake).neighbours("GOOG", date(2024, 6, 7), date(2024, 6, 7))

    assert near == [date(2024, 5, 13), date(2024, 6, 24)]
    assert facts(lake).neighbours("NVDA", date(2024, 12, 20), date(2024, 12, 20)) == [date(2024, 11, 25)]
    assert facts(lake).neighbours("KO", date(2024, 6, 7), date(2024, 6, 7)) == []


def test_so_has_any_line_with_a_split_near_an_end_of_the_range(lake):
    known = facts(lake, {"KO": (Split("KO", date(2024, 6, 20), 1, 2),)})

    assert len(known.neighbours("KO", date(2024, 6, 3), date(2024, 6, 7))) == 2
    assert known.neighbours("KO", date(2024, 3, 1), date(2024, 3, 8)) == []


def test_evenings_of_one_week_have_the_same_neighbours(lake):
    monday, friday = (facts(lake).neighbours("NVDA", day, day) for day in (date(2024, 6, 3), date(2024, 6, 7)))

    assert monday == friday


def test_few_dates_have_closes_of_some_weeks_before_and_after_besides(lake):
    request = price_request(to_do(date(2024, 6, 6), date(2024, 6, 7)), REACH)

    assert request.sessions == (date(2024, 5, 13), date(2024, 6, 6), date(2024, 6, 7), date(2024, 6, 24))


def test_the_dates_of_a_longer_range_are_all_that_it_asks_for(lake):
    work = to_do(date(2024, 6, 3), date(2024, 7, 15))

    assert price_request(work, REACH).sessions == work.valued


@pytest.mark.parametrize(("ticker", "exact"), [("GOOGL", True), ("GOOG", True), ("TSLA", True), ("KO", False)])
def test_the_counts_of_all_lines_of_the_seven_are_located_to_the_day(ticker: str, exact: bool):
    assert is_exact(ticker) is exact
