"""Bars by days or by lines: the cheaper way, what is kept, what is asked again, and when the vendor clipped."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from tests.simulators.answering import AnsweringSource
from tests.simulators.small_index import market

from mag7cli.collection import known_bars
from mag7cli.collection.bar_files import BarFiles
from mag7cli.collection.price_cache import PriceCache, PriceRequest
from mag7cli.core.errors import DocumentError, MalformedResponseError, PlanError, VendorUnavailableError
from mag7cli.lake.layout import Lake
from mag7cli.market.calendar import sessions

FEW = tuple(sessions(date(2024, 6, 20), date(2024, 6, 25)))
MANY = tuple(sessions(date(2024, 6, 3), date(2024, 6, 28)))
LINES = ("AAPL", "NVDA", "CMG", "JPM", "XOM")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.at(str(tmp_path / "lake"))


@pytest.fixture
def source() -> AnsweringSource:
    return AnsweringSource(market())


def loaded(lake: Lake, source: AnsweringSource | None = None) -> PriceCache:
    return PriceCache(lake, source.asking() if source else None)


def test_few_dates_are_asked_by_days_and_many_by_lines(lake, source):
    prices = loaded(lake, source)

    assert prices.calls(PriceRequest(LINES, FEW)) == ("days", 4)
    assert prices.calls(PriceRequest(LINES, MANY)) == ("lines", 5)


@pytest.mark.parametrize("dates", [FEW, MANY], ids=["days", "lines"])
def test_bars_are_the_vendor_s_and_are_asked_for_once(lake, source, dates):
    request = PriceRequest(LINES, dates)
    loaded(lake, source).get(request)
    asked = len(source.questions)

    again = loaded(lake, source)
    again.get(request)

    assert len(source.questions) == asked
    for line in LINES:
        expected = {bar.trading_date: bar for bar in market().bars(line, dates[0], dates[-1])}
        assert {day: again.bar(line, day) for day in dates} == expected


def test_by_lines_the_session_before_comes_along(lake, source):
    prices = loaded(lake, source)
    prices.get(PriceRequest(LINES, MANY))

    assert prices.bar("AAPL", date(2024, 5, 31)) is not None
    assert source.asked("bars")[0] == ("AAPL", date(2024, 5, 31), MANY[-1])


def test_a_line_that_joins_the_list_is_asked_for_on_days_that_are_there(lake, source):
    loaded(lake, source).get(PriceRequest(LINES[:4], FEW))
    prices = loaded(lake, source)
    prices.get(PriceRequest(LINES, FEW))

    assert all(prices.bar("XOM", day) for day in FEW)
    assert len(source.asked("grouped")) == 2 * len(FEW)
    after = loaded(lake)
    assert all(after.bar("AAPL", day) for day in FEW)


@pytest.mark.parametrize(("few", "looks"), [(64, 1), (1, 2)])
def test_days_that_are_asked_for_again_take_a_look_or_two_into_each_file(lake, source, monkeypatch, few, looks):
    loaded(lake, source).get(PriceRequest(LINES, MANY))
    monkeypatch.setattr(known_bars, "_WHOLE_LINES", 1)
    monkeypatch.setattr(known_bars, "_FEW_BARS", few)
    opened, line = Counter(), BarFiles.line
    monkeypatch.setattr(BarFiles, "line", lambda files, ticker, *_: opened.update([ticker]) or line(files, ticker))

    assert not loaded(lake, source).ask_again(PriceRequest(LINES, FEW), lambda ticker: ())
    assert opened == dict.fromkeys(LINES, looks)


def test_a_line_without_a_bar_is_not_asked_for_again(lake, source):
    request = PriceRequest(("AAPL", "ZZZQ"), FEW)
    loaded(lake, source).get(request)

    assert loaded(lake).calls(request) == ("days", 0)
    assert loaded(lake).bar("ZZZQ", FEW[0]) is None


def test_a_line_without_a_bar_where_it_should_have_one_is_asked_for_again(lake, source):
    loaded(lake, source).get(PriceRequest(LINES, MANY))
    lake.store.write(
        "raw/reference/bars/ticker=XOM.json",
        b'{"schema_version":1,"ticker":"XOM","covers":["2024-05-31","2024-06-28"],"bars":{}}\n',
    )
    prices = loaded(lake, source)
    assert prices.calls(PriceRequest(LINES, MANY)) == ("days", 0)
    prices.doubt([("XOM", MANY[3]), ("AAPL", MANY[3])])

    assert prices.calls(PriceRequest(LINES, MANY)) == ("days", 1)
    prices.get(PriceRequest(LINES, MANY))

    assert source.asked("bars")[-1][0] == "XOM"
    assert all(prices.bar("XOM", day) for day in MANY)
    assert loaded(lake).calls(PriceRequest(LINES, MANY)) == ("days", 0)


def test_a_longer_range_keeps_what_a_line_s_file_had(lake, source):
    early = tuple(sessions(date(2024, 2, 1), date(2024, 2, 29)))
    loaded(lake, source).get(PriceRequest(LINES, early))
    loaded(lake, source).get(PriceRequest(LINES, MANY))

    prices = loaded(lake)
    assert all(prices.bar("JPM", day) for day in (*early, *MANY))
    assert prices.calls(PriceRequest(LINES, early))[1] == 0


def test_a_day_that_could_not_be_had_says_why_and_the_others_are_kept(lake, source):
    source.fails = lambda question: VendorUnavailableError("broken") if question == ("grouped", FEW[1]) else None
    prices = loaded(lake, source)
    prices.get(PriceRequest(LINES, FEW))

    assert prices.failures == {FEW[1]: "broken"}
    assert loaded(lake).calls(PriceRequest(LINES, FEW)) == ("days", 1)


def test_a_trading_date_without_any_bar_is_a_failure(lake, source):
    request = PriceRequest(LINES, (date(2023, 6, 20),))
    prices = loaded(lake, source)
    prices.get(request)

    assert "no bars at all on 2023-06-20" in prices.failures[date(2023, 6, 20)]


def test_a_line_of_which_one_symbol_failed_is_not_kept(lake, source):
    source.fails = lambda question: MalformedResponseError("bad") if question[:2] == ("bars", "JPM") else None
    prices = loaded(lake, source)
    prices.get(PriceRequest(LINES, MANY))

    assert prices.failures == {"JPM": "bad"}
    assert loaded(lake).calls(PriceRequest(LINES, MANY)) == ("lines", 1)


def test_a_range_that_the_vendor_clipped_without_a_word_is_refused(lake, source):
    before_the_market = tuple(sessions(date(2023, 12, 1), date(2024, 1, 31)))

    with pytest.raises(PlanError, match="from 2024-01-02 on only") as caught:
        loaded(lake, source).get(PriceRequest(LINES, before_the_market))

    assert "--start 2024-01-02" in str(caught.value.hint)


def test_a_ticker_from_outside_is_no_path(lake, source, tmp_path):
    prices = loaded(lake, source)
    prices.get(PriceRequest(("AAPL", "../../../x", "A/B"), MANY))

    assert {path.name for path in tmp_path.rglob("*.json")} == {
        "ticker=AAPL.json", "ticker=..%2F..%2F..%2Fx.json", "ticker=A%2FB.json",
    }  # fmt: skip
    assert loaded(lake).calls(PriceRequest(("AAPL", "../../../x", "A/B"), MANY)) == ("days", 0)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"date":"x","bars":{}}', b'{"date":"2024-06-20"}'])
def test_a_damaged_file_is_named(lake, content):
    lake.store.write("raw/reference/bars/date=2024-06-20.json", content)

    with pytest.raises(DocumentError, match=r"bars/date=2024-06-20\.json: not a bars file .+ delete it"):
        loaded(lake).calls(PriceRequest(LINES, FEW))
