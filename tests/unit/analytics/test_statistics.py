"""Change, contribution, co-movement and projection, against figures worked out by other means."""

import math
import random
import statistics
from datetime import date, timedelta
from itertools import pairwise

import pytest

from mag7cli.analytics.statistics import (
    YEAR_SESSIONS,
    Point,
    Snapshot,
    change_since,
    co_movement,
    contributions,
    log_changes,
    month_before,
    project,
    share_without,
    year_before,
)
from mag7cli.core.errors import UsageError

FIRST = date(2021, 1, 4)


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


def test_a_projection_needs_more_than_a_year() -> None:
    assert project(series(walk(YEAR_SESSIONS))) is None
    assert project(series(walk(YEAR_SESSIONS + 1))) is not None


@pytest.mark.parametrize("impossible", [0.0, 100.0])
def test_a_share_of_nothing_or_of_everything_is_not_projected(impossible: float) -> None:
    assert project(series([*walk(300), impossible])) is None


def test_a_projection_begins_at_the_last_share_and_widens() -> None:
    share = walk(600)

    projection = project(series(share))

    assert projection is not None
    start, *ahead = projection.points
    assert start.low_pct == pytest.approx(share[-1])
    assert start.high_pct == pytest.approx(share[-1])
    widths = [point.high_pct - point.low_pct for point in projection.points]
    assert widths == sorted(widths)
    assert [point.sessions for point in ahead] == list(range(21, 253, 21))


def test_a_projection_matches_the_formula_of_a_random_walk_with_drift() -> None:
    share = walk(600)
    odds = [math.log(value / (100 - value)) for value in share]
    steps = [b - a for a, b in pairwise(odds)]
    h = 252
    half = 1.2815515655446004 * statistics.stdev(steps) * math.sqrt(h * (1 + h / len(steps)))

    projection = project(series(share))

    assert projection is not None
    last = projection.points[-1]
    middle = odds[-1] + h * statistics.fmean(steps)
    for found, expected in ((last.low_pct, middle - half), (last.middle_pct, middle), (last.high_pct, middle + half)):
        assert math.log(found / (100 - found)) == pytest.approx(expected)
    assert last.on == series(share)[-1].on + timedelta(days=365)


def test_the_past_intervals_of_a_true_random_walk_hold_about_as_often_as_they_say() -> None:
    projections = [project(series(walk(1_005, seed))) for seed in range(20)]

    hits = sum(projection.hits for projection in projections if projection)
    trials = sum(projection.trials for projection in projections if projection)
    assert trials == 20 * len(range(252, 1_005 - 63, 21))
    assert 0.70 <= hits / trials <= 0.90
