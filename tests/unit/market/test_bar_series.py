"""Bars as numbers in a row: what goes in comes out, and what is no bar does not go in."""

from array import array
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mag7cli.market.bar_series import BarSeries, iso_day, joined, ordinal
from mag7cli.market.records import Bar

MONDAY, TUESDAY, WEDNESDAY = date(2024, 6, 3), date(2024, 6, 4), date(2024, 6, 5)


def bar(day: date, close: float = 10.0, vwap: float | None = 9.5) -> Bar:
    return Bar("AAPL", day, 9.0, 11.0, 8.0, close, 1000.5, vwap)


def test_a_series_is_its_bars_also_where_a_vwap_was_not_given():
    bars = [bar(MONDAY, vwap=None), bar(TUESDAY, 10.5), bar(WEDNESDAY)]
    series = BarSeries.of("AAPL", bars)

    assert series == bars
    assert bars == series
    assert series[-1] == bars[-1]
    assert series[:2] == bars[:2]
    assert list(series.closes) == [10.0, 10.5, 10.0]
    assert BarSeries.of("AAPL", series) is series


def test_a_part_of_it_has_both_ends():
    series = BarSeries.of("AAPL", [bar(MONDAY), bar(TUESDAY), bar(WEDNESDAY)])

    assert series.between(MONDAY, TUESDAY) == [bar(MONDAY), bar(TUESDAY)]
    assert series.between(date.min, date.max) == series
    assert len(series.between(date(2024, 6, 6), date.max)) == 0


def test_two_that_follow_each_other_are_one():
    whole = joined([BarSeries.of("AAPL", [bar(MONDAY)]), BarSeries.of("AAPL", [bar(TUESDAY), bar(WEDNESDAY)])])

    assert whole == [bar(MONDAY), bar(TUESDAY), bar(WEDNESDAY)]


@pytest.mark.parametrize(
    "values",
    [[1.0, 2.0], ["1"] * 6, 5, [1.0, 2.0, 1.0, None, 5.0, 1.0]],
    ids=["too few", "texts", "no list", "no close"],
)
def test_what_is_no_bar_is_refused(values):
    with pytest.raises((TypeError, ValueError)):
        BarSeries.of_rows("AAPL", {MONDAY.toordinal(): values})


@given(
    st.dictionaries(
        st.dates(date(2021, 1, 1), date(2021, 3, 1)).map(date.toordinal),
        st.tuples(*[st.floats(0.01, 1e9)] * 5, st.none() | st.floats(0.01, 1e9)).map(list),
        max_size=20,
    )
)
def test_rows_come_out_as_they_went_in(rows):
    series = BarSeries.of_rows("AAPL", rows)

    assert dict(series.rows()) == {day: tuple(values) for day, values in sorted(rows.items())}
    assert series.days == array("i", sorted(rows))
    assert all(ordinal(iso_day(day)) == day for day in series.days)
