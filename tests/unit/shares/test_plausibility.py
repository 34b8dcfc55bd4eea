"""What no answer can be: outside of its high and low, an order of magnitude off its neighbours, above the index."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mag7cli.market.bar_series import BarSeries
from mag7cli.market.calendar import sessions
from mag7cli.market.records import Bar, Split
from mag7cli.shares.plausibility import are_ordinary_moves, are_sound, bar_problem, impossible_caps, price_problems

DAYS = sessions(date(2024, 6, 3), date(2024, 6, 14))


def bar(day: date, close: float) -> Bar:
    return Bar("KO", day, close, close * 1.01, close * 0.99, close, 1000.0, close)


def bars(**odd: float) -> list[Bar]:
    closes = {day: 62.0 + index / 10 for index, day in enumerate(DAYS)}
    closes.update({date.fromisoformat(day.lstrip("d").replace("_", "-")): close for day, close in odd.items()})
    return [bar(day, close) for day, close in closes.items()]


def test_ordinary_bars_are_plausible():
    assert price_problems(bars()) == {}


@pytest.mark.parametrize("day", ["2024-06-03", "2024-06-05", "2024-06-14"], ids=["first", "among others", "last"])
def test_a_price_of_another_order_of_magnitude_is_the_one_that_fits_no_other(day: str):
    found = price_problems(bars(**{f"d{day.replace('-', '_')}": 9.04e11}))

    assert list(found) == [date.fromisoformat(day)]
    assert "no split explains it" in found[date.fromisoformat(day)]


def test_two_odd_days_in_a_row_are_both_odd():
    found = price_problems(bars(d2024_06_05=0.01, d2024_06_06=0.01))

    assert set(found) == {date(2024, 6, 5), date(2024, 6, 6)}


@pytest.mark.parametrize("ratio", [10, 20, 50])
def test_a_split_of_a_round_ratio_is_no_fault_of_the_price_even_if_it_is_not_listed(ratio: int):
    whole = [bar(day, 1200.0 / (ratio if day >= DAYS[5] else 1)) for day in DAYS]

    assert price_problems(whole) == {}


def test_a_split_of_an_odd_ratio_has_to_be_listed():
    whole = [bar(day, 1200.0 / (35 if day >= DAYS[5] else 1)) for day in DAYS]

    assert price_problems(whole, [Split("KO", DAYS[5], 1, 35)]) == {}
    assert len(price_problems(whole)) == 5


def test_bars_that_are_far_apart_in_time_are_not_compared():
    assert price_problems([bar(date(2021, 1, 4), 0.5), *bars()]) == {}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"close_usd": 70.0}, "outside of low"),
        ({"close_usd": 50.0}, "outside of low"),
        ({"low_usd": 0.0}, "not above zero"),
        ({"close_usd": float("nan")}, "not above zero"),
    ],
)
def test_a_bar_that_denies_itself_is_none(change: dict[str, float], why: str):
    problem = bar_problem(replace(bar(DAYS[0], 62.0), **change))

    assert problem
    assert why in problem


def test_no_line_is_larger_than_all_others():
    caps = {f"T{number}": 1e11 for number in range(500)}

    assert impossible_caps(caps) == {}
    assert list(impossible_caps({**caps, "T7": 3.9e21})) == ["T7"]


def test_in_a_small_index_one_line_may_be_larger_than_all_others():
    assert impossible_caps({"A": 9e12, "B": 1e12}) == {}


@given(st.lists(st.floats(0.9, 1.1), min_size=1, max_size=len(DAYS)), st.floats(0.98, 1.02), st.floats(0.98, 1.02))
@example([1.0, 2.1], 1.0, 1.0)
@example([1.0], 1.0051, 1.0)
@example([1.0], 1.0, 0.9949)
@example([0.0], 1.0, 1.0)
def test_what_is_beyond_doubt_at_a_glance_is_so_looked_into(steps: list[float], low: float, high: float):
    closes = [100.0 * step for step in steps]
    several = [
        Bar("KO", day, close, close * high, close * low, close, 1000.0, None)
        for day, close in zip(DAYS, closes, strict=False)
    ]
    is_clear = are_sound(BarSeries.of("KO", several)) and are_ordinary_moves(closes)

    assert not (is_clear and price_problems(several))
    assert are_sound(BarSeries.of("KO", several)) == (not any(map(bar_problem, several)))
