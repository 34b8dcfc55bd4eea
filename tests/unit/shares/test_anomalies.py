"""What the guard flags, and what it lets pass."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from mag7cli.market.records import Split
from mag7cli.shares.anomalies import DaySnapshot, Suspicion, check, standing

THURSDAY, FRIDAY, MONDAY = date(2024, 6, 6), date(2024, 6, 7), date(2024, 6, 10)
SPLIT = {"NVDA": [Split("NVDA", MONDAY, 1, 10)]}


def flagged(
    was: tuple[float, float],
    now: tuple[float, float],
    *,
    on: date = FRIDAY,
    splits: dict[str, list[Split]] | None = None,
) -> list[str]:
    before = THURSDAY if on == FRIDAY else FRIDAY
    events = check(DaySnapshot(before, {"NVDA": was}), DaySnapshot(on, {"NVDA": now}), splits or {})
    return [event.kind for event in events]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ((100, 1e9), (103, 1e9)),
        ((100, 1e9), (74, 1e9)),
        ((100, 1e9), (100, 0.97e9)),
        ((100, 1e9), (78, 1e9)),
        ((100, 1e9), (101, 1.34e9)),
        ((100, 1e9), (101, 1.6e9)),
    ],
    ids=["an ordinary day", "bad news", "a buyback", "a spin-off", "a merger", "a large merger"],
)
def test_what_happens_to_companies_is_not_flagged(was, now):
    assert flagged(was, now) == []


def test_a_listed_split_moves_nothing():
    assert flagged((1208.88, 2.46e9), (121.79, 24.6e9), on=MONDAY, splits=SPLIT) == []


@pytest.mark.parametrize("old", [5, 3, 2], ids=["AMCR 2026-01-15", "DD 2026-06-24", "HON 2026-06-29"])
def test_a_listed_reverse_split_explains_close_and_count_together(old: int):
    reverse = {"NVDA": [Split("NVDA", MONDAY, old, 1)]}

    assert flagged((40.0, 1e9), (40.3 * old, 1e9 / old), on=MONDAY, splits=reverse) == []
    assert flagged((40.0, 1e9), (40.3 * old, 1e9), on=MONDAY, splits=reverse) == ["split_misaligned"]


def test_a_count_that_is_early_for_a_listed_split_is_flagged_with_both_values():
    events = check(
        DaySnapshot(THURSDAY, {"NVDA": (1209.98, 2.46e9)}), DaySnapshot(FRIDAY, {"NVDA": (1208.88, 24.6e9)}), SPLIT
    )

    assert [(one.kind, one.severity, one.from_value, one.to_value) for one in events] == [
        ("split_misaligned", "suspect", 2.46e9, 24.6e9)
    ]


def test_a_count_that_is_late_for_a_listed_split_is_flagged():
    assert flagged((1208.88, 2.46e9), (121.79, 2.46e9), on=MONDAY, splits=SPLIT) == ["split_misaligned"]


def test_close_and_count_that_move_as_in_a_split_are_flagged_if_none_is_listed():
    assert flagged((400, 1e9), (101, 4e9)) == ["unlisted_split"]


def test_a_close_that_moves_as_in_a_split_is_flagged_if_none_is_listed():
    assert flagged((400, 1e9), (100.5, 1e9)) == ["unlisted_split"]


def test_a_count_that_jumps_for_no_reason_is_flagged():
    assert flagged((100, 1e9), (100, 10e9)) == ["shares_step"]


def test_dates_more_than_a_week_apart_are_not_compared():
    apart = check(
        DaySnapshot(date(2024, 5, 1), {"NVDA": (100, 1e9)}), DaySnapshot(date(2024, 6, 3), {"NVDA": (10, 1e10)}), {}
    )

    assert apart == []


def test_a_name_that_was_not_there_before_is_not_compared():
    assert check(DaySnapshot(THURSDAY, {}), DaySnapshot(FRIDAY, {"GEV": (170, 2.7e8)}), {}) == []


# Where the share counts were held against the closes of the weeks around


def judged(was: tuple[float, float], now: tuple[float, float]) -> list[str]:
    before, after = (
        DaySnapshot(day, {"DELL": values}, closes_judged=True) for day, values in ((THURSDAY, was), (FRIDAY, now))
    )
    return [event.kind for event in check(before, after, {})]


def test_a_close_alone_says_nothing_that_the_counts_have_not_decided():
    assert judged((400, 1e9), (200.5, 1e9)) == []


def test_a_count_that_steps_in_a_round_ratio_was_judged_by_the_answers_around():
    assert judged((100, 1e9), (100, 1.5e9)) == []


def test_close_and_count_that_move_as_in_a_split_are_flagged_all_the_same():
    assert judged((400, 1e9), (101, 4e9)) == ["unlisted_split"]


def test_so_is_a_count_that_more_than_doubles():
    assert judged((100, 1e9), (100, 2.7e9)) == ["shares_step"]


# What later dates inherit

NEXT_WEEK = date(2024, 6, 14)


def raised(on: date, was: float, now: float) -> Suspicion:
    before = THURSDAY if on == FRIDAY else FRIDAY
    (event,) = check(DaySnapshot(before, {"NVDA": (100, was)}), DaySnapshot(on, {"NVDA": (100, now)}), {})
    return Suspicion(on, event, now)


@pytest.mark.parametrize(
    ("shares", "splits", "is_inherited"),
    [(3e9, {}, True), (3.01e9, {}, False), (3e10, SPLIT, True), (3e9, SPLIT, False)],
    ids=["the same count", "a later answer", "the same in other units", "a later answer in old units"],
)
def test_a_doubt_stands_while_the_count_does(shares: float, splits: dict[str, list[Split]], is_inherited: bool):
    events = standing([raised(FRIDAY, 1e9, 3e9)], DaySnapshot(NEXT_WEEK, {"NVDA": (120, shares)}), splits)

    assert [one.kind for one in events] == (["shares_step"] if is_inherited else [])
    assert all(one.reason.startswith(f"since {FRIDAY} the share count moved by x3") for one in events)


def test_a_count_that_comes_back_ends_the_doubt_and_raises_none():
    doubts = [raised(MONDAY, 3e9, 1.01e9), raised(FRIDAY, 1e9, 3e9)]

    assert standing(doubts, DaySnapshot(NEXT_WEEK, {"NVDA": (100, 1.01e9)}), {}) == []
    assert standing(doubts[:1], DaySnapshot(NEXT_WEEK, {"NVDA": (100, 1.01e9)}), {})


def test_a_step_back_is_no_doubt_when_the_one_that_it_ended_would_be_over():
    doubts = [raised(MONDAY, 3e9, 1.01e9), replace(raised(FRIDAY, 1e9, 3e9), on=MONDAY - timedelta(days=18))]
    late = DaySnapshot(MONDAY + timedelta(days=90), {"NVDA": (100, 1.01e9)})

    assert standing(doubts, late, {}) == []
    assert standing(doubts[:1], late, {})
    assert standing(doubts[:1], replace(late, trading_date=MONDAY + timedelta(days=101)), {}) == []


def test_a_line_that_is_gone_inherits_nothing():
    assert standing([raised(FRIDAY, 1e9, 3e9)], DaySnapshot(NEXT_WEEK, {}), {}) == []
