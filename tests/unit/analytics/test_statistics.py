"""Change, contribution, co-movement and projection, against figures worked out by other means."""

import math
import random
import statistics
from datetime import date, timedelta
from itertools import pairwise

import pytest

from mag7cli.analytics.statistics import (
    YEAR_SESSIONS,
    Snapshot,
    co_movement,
    contributions,
    log_changes,
    project,
    share_without,
)
from mag7cli.analytics.value_changes import Point, change_since, month_before, year_before
from mag7cli.core.errors import UsageError

FIRST = date(2021, 1, 4)
DRAWN = 4
"""The seed of a walk whose intervals have the record that their label says."""


def series(values: list[float]) -> list[Point]:
    return [Point(FIRST + timedelta(days=i), value) for i, value in enumerate(values)]


def walk(sessions: int, seed: int = 3) -> list[float]:
    luck = random.Random(seed)
    values = [25.0]
    while len(values) < sessions:
        values.append(values[-1] * math.exp(luck.gauss(0.0003, 0.005)))
    return values


def test_a_change_is_counted_from_the_last_point_on_or_before_the_day() -> None:
    points = [Point(date(2024, 1, 5), 30.0), Point(date(2024, 1, 8), 31.0), Point(date(2024, 1, 9), 33.0)]

    change = change_since(points, date(2024, 1, 7))

    assert change is not None
    assert (change.since.on, change.until.on) == (date(2024, 1, 5), date(2024, 1, 9))
    assert change.difference == 3.0
    assert change.pct == pytest.approx(10.0)


def test_a_series_younger_than_the_day_has_no_change() -> None:
    assert change_since(series([1.0, 2.0]), FIRST - timedelta(days=1)) is None
    assert change_since([Point(FIRST, 1.0), Point(FIRST + timedelta(days=70), 2.0)], FIRST + timedelta(days=40)) is None


def test_a_change_from_zero_has_no_percentage() -> None:
    change = change_since(series([0.0, 2.0]), FIRST)

    assert change is not None
    assert change.pct is None


@pytest.mark.parametrize(
    ("day", "month", "year"),
    [
        (date(2024, 3, 31), date(2024, 2, 29), date(2023, 3, 31)),
        (date(2024, 2, 29), date(2024, 1, 29), date(2023, 2, 28)),
        (date(2025, 1, 15), date(2024, 12, 15), date(2024, 1, 15)),
    ],
)
def test_a_month_and_a_year_before_are_dates_that_exist(day: date, month: date, year: date) -> None:
    assert month_before(day) == month
    assert year_before(day) == year


THEN = Snapshot(date(2024, 1, 2), {"AAPL": 2_000.0, "NVDA": 1_000.0}, 10_000.0)
NOW = Snapshot(date(2024, 12, 13), {"AAPL": 2_500.0, "NVDA": 3_000.0}, 15_000.0)


def test_a_contribution_is_what_a_company_added_to_the_share_and_to_the_index() -> None:
    nvda, aapl = contributions(THEN, NOW)

    assert (nvda.ticker, aapl.ticker) == ("NVDA", "AAPL")
    assert nvda.cap_change_usd == 2_000.0
    assert nvda.share_points == pytest.approx(20.0 - 10.0)
    assert nvda.gain_pct == pytest.approx(40.0)
    assert aapl.share_points == pytest.approx(100 * 2_500 / 15_000 - 20.0)
    assert aapl.gain_pct == pytest.approx(10.0)


def test_an_index_that_did_not_move_has_no_gain_to_divide() -> None:
    still = Snapshot(NOW.on, {"AAPL": 2_100.0, "NVDA": 900.0}, THEN.total)

    assert {part.gain_pct for part in contributions(THEN, still)} == {None}


def test_the_share_without_a_company_takes_it_out_of_the_index_too() -> None:
    assert share_without(NOW, "NVDA") == pytest.approx(100 * 2_500 / 12_000)


def test_rolling_correlation_and_beta_agree_with_the_standard_library() -> None:
    share, index = walk(200, seed=1), walk(200, seed=2)
    window = 63

    found = co_movement(series(share), series(index), window)

    share_moves, index_moves = log_changes(series(share)), log_changes(series(index))
    assert len(found) == len(share_moves) - window + 1
    for one in (found[0], found[70], found[-1]):
        end = (one.on - FIRST).days
        x, y = index_moves[end - window : end], share_moves[end - window : end]
        assert one.correlation == pytest.approx(statistics.correlation(x, y), abs=1e-9)
        assert one.beta == pytest.approx(statistics.linear_regression(x, y).slope, abs=1e-9)


def test_a_share_that_moves_twice_as_much_as_the_index_has_beta_two() -> None:
    index = walk(100)
    share = [20.0 * (value / index[0]) ** 2 for value in index]

    last = co_movement(series(share), series(index), 63)[-1]

    assert last.beta == pytest.approx(2.0)
    assert last.correlation == pytest.approx(1.0)


def test_a_window_without_any_movement_has_neither_correlation_nor_beta() -> None:
    assert co_movement(series([20.0] * 80), series(walk(80)), 63) == []


def test_series_of_different_dates_are_refused() -> None:
    with pytest.raises(UsageError, match="same dates"):
        co_movement(series([1.0, 2.0]), series([1.0, 2.0, 3.0]))


def test_a_projection_needs_outcomes_to_be_calibrated_and_tested_by() -> None:
    assert project(series(walk(YEAR_SESSIONS + 1))) is None
    assert project(series(walk(756, 3))) is None


@pytest.mark.parametrize("impossible", [0.0, 100.0])
def test_a_share_of_nothing_or_of_everything_is_not_projected(impossible: float) -> None:
    assert project(series([*walk(1_005, DRAWN), impossible])) is None


def test_a_projection_begins_at_the_last_share_and_widens() -> None:
    share = walk(1_005, DRAWN)

    projection = project(series(share))

    assert projection is not None
    start, *ahead = projection.points
    assert start.low_pct == start.middle_pct == start.high_pct == pytest.approx(share[-1])
    widths = [point.high_pct - point.low_pct for point in projection.points]
    assert widths == sorted(widths)
    assert [point.sessions for point in ahead] == [21, 42, 63]
    assert ahead[-1].on == series(share)[-1].on + timedelta(days=91)


def test_the_width_is_that_of_the_moves_of_earlier_quarters() -> None:
    share = walk(1_005, DRAWN)
    odds = [math.log(value / (100 - value)) for value in share]
    squares = [(b - a) ** 2 for a, b in pairwise(odds)]
    scale = {until: math.sqrt(63 * statistics.fmean(squares[:until])) for until in range(1, 1_005)}
    moves = sorted(abs(odds[o + 63] - odds[o]) / scale[o] for o in range(252, 1_005 - 63, 21))
    half = moves[math.ceil(0.8 * (len(moves) + 1)) - 1] * scale[1_004]

    projection = project(series(share))

    assert projection is not None
    last = projection.points[-1]
    for value, expected in ((last.low_pct, odds[-1] - half), (last.high_pct, odds[-1] + half)):
        assert math.log(value / (100 - value)) == pytest.approx(expected)


def test_no_interval_is_drawn_whose_record_is_not_what_its_label_says() -> None:
    luck, odds = random.Random(1), [-1.0]
    while len(odds) < 1_005:
        odds.append(odds[-1] + luck.gauss(0.0, 0.002 if len(odds) < 600 else 0.012))

    assert project(series([100 / (1 + math.exp(-value)) for value in odds])) is None


def test_the_intervals_that_are_drawn_hold_about_as_often_as_they_say() -> None:
    """Of series that nothing was tuned to: random walks, drifts that turn, spells of large moves."""
    drawn = [
        (projection, path[-1])
        for kind in ("walk", "turning", "spells")
        for seed in range(40)
        if (path := _path(kind, seed)) and (projection := project(series(path[:1_005])))
    ]

    held = sum(projection.points[-1].low_pct <= last <= projection.points[-1].high_pct for projection, last in drawn)
    hits = sum(projection.hits for projection, _ in drawn)
    assert len(drawn) > 40
    assert 0.70 <= held / len(drawn) <= 0.90
    assert 0.75 <= hits / sum(projection.trials for projection, _ in drawn) <= 0.85


def _path(kind: str, seed: int) -> list[float]:
    """Four years of a share, and one quarter more."""
    luck, odds, drift, size = random.Random(f"{kind}{seed}"), [-1.0], 0.0003, 0.007
    for step in range(1_005 + 62):
        if kind == "turning" and step % 180 == 0:
            drift = luck.choice((-0.0015, 0.0015))
        if kind == "spells" and luck.random() < 1 / 60:
            size = 0.004 if size > 0.008 else 0.012
        odds.append(odds[-1] + luck.gauss(drift, size))
    return [100 / (1 + math.exp(-value)) for value in odds]
