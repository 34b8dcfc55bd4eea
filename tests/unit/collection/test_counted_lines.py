"""The share counts of lines from date to date: made anew where one is another, as if each date were the only one."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from tests.simulators.fake_clock import FakeClock

from mag7cli.collection.counted_lines import Companies, CountedLines
from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.share_counts import Counts
from mag7cli.lake.layout import Lake
from mag7cli.market.calendar import sessions
from mag7cli.market.membership import Constituent
from mag7cli.market.records import Split
from mag7cli.shares.history import SecurityFacts, ShareHistory
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.sampling import CountErrors

DAYS = sessions(date(2022, 5, 2), date(2022, 8, 31))
FIRST, MIDDLE, LAST = DAYS[0], date(2022, 6, 20), DAYS[-1]
SPLIT = Split("GOOG", date(2022, 7, 18), 1, 20)  # GOOGL's as well
TICKERS = ("AAPL", "META", "GOOGL", "GOOG", "NVDA", "KO")


def history(*counts: tuple[date, float, float], splits: tuple[Split, ...] = ()) -> ShareHistory:
    answers = [ShareObservation(day, whole, own, None) for day, whole, own in counts]
    return ShareHistory(answers, SecurityFacts(splits=splits))


def counted_lines(folder: Path) -> CountedLines:
    whole, before, after = 13.1e9, 12.9e9 / 2, 12.8e9 / 2
    alphabet = [(FIRST, whole / 20, before / 20), (MIDDLE, whole / 20, after / 20), (LAST, whole, after)]
    histories = {
        "AAPL": history((FIRST, 16.1e9, 16.1e9), (LAST, 16.0e9, 16.0e9)),
        "META": history((FIRST, 2.7e9, 2.3e9), (LAST, 2.7e9, 2.3e9)),  # FB until 2022-06-08
        "GOOGL": history(*alphabet, splits=(SPLIT,)),
        "GOOG": history(*alphabet, splits=(SPLIT,)),
        "NVDA": history((FIRST, 2.5e9, 2.5e9)),
    }
    counts = Counts(histories, errors=dict.fromkeys(DAYS, CountErrors()))
    return CountedLines(counts, DetailsCache(Lake.at(str(folder)), FakeClock()))


def companies() -> Companies:
    constituents = tuple(Constituent(ticker, None, None, ticker) for ticker in TICKERS)
    return Companies(constituents, frozenset(TICKERS) - {"GOOG"}, frozenset({"GOOGL", "GOOG"}))


def test_every_date_has_the_counts_that_it_would_have_alone(tmp_path: Path) -> None:
    known, lists = counted_lines(tmp_path), companies()

    every = [known.on(day, lists, TICKERS) for day in DAYS]

    assert every == [counted_lines(tmp_path).on(day, lists, TICKERS) for day in DAYS]
    shares = [{line.ticker: line for line in roster.lines} for roster, _ in every]
    assert {line["META"].symbol for line in shares} == {"FB", "META"}
    assert len({line["GOOG"].class_shares for line in shares}) == 3, "its own step, and the split"
    assert {line["AAPL"].count.shares for line in shares} == {16.1e9, 16.0e9}
    assert all(reasons == {"KO": "the vendor gave no share count"} for _, reasons in every)


def test_the_same_counts_are_the_same_roster(tmp_path: Path) -> None:
    known, lists = counted_lines(tmp_path), companies()

    rosters = [known.on(day, lists, TICKERS)[0] for day in DAYS]

    assert len({id(roster) for roster in rosters}) == len({roster.lines for roster in rosters}) < 10


def test_earlier_dates_and_other_lines_may_come_after_later_ones(tmp_path: Path) -> None:
    known, lists = counted_lines(tmp_path), companies()
    known.on(LAST, lists, TICKERS)

    for day in (FIRST, MIDDLE, LAST - timedelta(days=1)):
        assert known.on(day, lists, TICKERS[1:]) == counted_lines(tmp_path).on(day, lists, TICKERS[1:])
    others = Companies(lists.constituents[:1], frozenset({"AAPL"}), frozenset())
    assert [line.ticker for line in known.on(LAST, others, ["AAPL"])[0].lines] == ["AAPL"]


def test_only_the_lines_that_another_list_has_otherwise_are_looked_up_again(tmp_path: Path) -> None:
    lists = companies()
    of_another_company = replace(lists.constituents[0], cik="0000000001")
    others = Companies((of_another_company, *lists.constituents[2:]), lists.counted | {"GOOG"}, frozenset())
    known = counted_lines(tmp_path)
    before, _ = known.on(DAYS[40], lists, TICKERS)

    priced = [ticker for ticker in TICKERS if ticker != "META"]
    after = known.on(DAYS[41], others, priced)

    assert after == counted_lines(tmp_path).on(DAYS[41], others, priced)
    standing = {line.ticker for line in after[0].lines if any(line is one for one in before.lines)}
    assert standing == {"NVDA"}  # AAPL is of another company, GOOGL of one with no other line


def test_a_line_that_left_and_came_back_has_the_count_of_its_date(tmp_path: Path) -> None:
    lists = companies()
    without = Companies(lists.constituents[1:], lists.counted - {"AAPL"}, lists.of_several)
    known = counted_lines(tmp_path)

    for day, of in ((FIRST, lists), (MIDDLE, without), (LAST, lists)):
        priced = [constituent.ticker for constituent in of.constituents]
        assert known.on(day, of, priced) == counted_lines(tmp_path).on(day, of, priced)
