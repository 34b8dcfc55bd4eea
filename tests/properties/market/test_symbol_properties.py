"""What holds for every line, every symbol and every date of the tables of identity."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mag7cli.core import packaged_data
from mag7cli.market import symbology

RENAMED = sorted({row["ticker"] for row in packaged_data.read("symbol_history")})
LINES = sorted({line.ticker for line in symbology.bundled_constituents()} | set(RENAMED))
DAY = timedelta(days=1)

lines = st.sampled_from(LINES)
renamed = st.sampled_from(RENAMED)
days = st.dates(date(2003, 9, 10), date(2028, 12, 31))


@given(st.one_of(renamed, lines), days)
def test_the_symbol_of_a_line_on_a_day_means_that_line_on_that_day(ticker: str, on: date) -> None:
    assert symbology.ticker_for(symbology.symbol_on(ticker, on), on) == ticker


@given(st.one_of(renamed, lines), days)
def test_the_symbol_of_a_line_is_nobody_elses_on_that_day(ticker: str, on: date) -> None:
    other = symbology.other_security(symbology.symbol_on(ticker, on), on)

    assert other is None, f"{other} carried the symbol of {ticker} on {on}"


@given(days)
def test_no_two_lines_have_one_symbol_on_one_day(on: date) -> None:
    symbols = [symbology.symbol_on(ticker, on) for ticker in LINES]

    assert len(set(symbols)) == len(symbols)


@given(st.one_of(renamed, lines), days)
def test_the_symbols_to_ask_details_for_include_the_one_of_the_bars(ticker: str, on: date) -> None:
    asked = symbology.details_symbols_on(ticker, on)

    assert symbology.symbol_on(ticker, on) in asked
    assert len(set(asked)) == len(asked) <= 2


@given(st.one_of(renamed, lines), days, days)
def test_the_periods_of_a_range_cover_it_once_and_agree_day_by_day(ticker: str, a: date, b: date) -> None:
    first, last = sorted((a, b))

    periods = symbology.symbol_periods(ticker, first, last)

    assert periods[0][1] == first
    assert periods[-1][2] == last
    assert all(later[1] - earlier[2] == DAY for earlier, later in pairwise(periods))
    assert all(symbology.symbol_on(ticker, day) == symbol for symbol, *ends in periods for day in ends)


@given(renamed)
def test_the_periods_of_a_line_follow_each_other_without_gap_or_overlap(ticker: str) -> None:
    periods = symbology.history(ticker)

    assert (periods[0].first_day, periods[-1].last_day) == (None, None)
    for earlier, later in pairwise(periods):
        assert earlier.last_day is not None
        assert later.first_day == earlier.last_day + DAY
