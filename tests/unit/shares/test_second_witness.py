"""Every step above 3 % of a watched company has an explanation, or its dates are in doubt; so has a strange count."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest

from mag7cli.market.records import Split
from mag7cli.shares.cover_pages import ClassCount, CoverPage, shipped_cover_pages
from mag7cli.shares.history import SecurityFacts, ShareHistory
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.stock_awards import AwardEvent, award_events

# Four quarters; the step is the one of July.
JANUARY, APRIL, JULY, OCTOBER = date(2024, 1, 10), date(2024, 4, 10), date(2024, 7, 10), date(2024, 10, 10)
COUNT = 1_000_000_000
WATCHED = SecurityFacts((), is_watched=True)


def award(shares: int, on: date) -> AwardEvent:
    return AwardEvent("TSLA", "An award", "granted", on, shares, "Form 4", "")


def cover(shares: float, period_end: date) -> CoverPage:
    classes = (ClassCount("common", "TSLA", shares),)
    as_of = period_end + timedelta(days=20)
    return CoverPage("TSLA", "0001318605", period_end, as_of, f"0001-{period_end}", 1.0, classes)


def doubts(counts: Mapping[date, float], facts: SecurityFacts, days: Sequence[date]) -> list[str | None]:
    """The kind of doubt about each date's count, None where there is none."""
    history = ShareHistory([ShareObservation(day, count, count) for day, count in counts.items()], facts)
    kinds: list[str | None] = []
    for day in days:
        count = history.on(day)
        assert count is not None
        kinds.append(next((why.kind for why in count.adjustments if why.doubtful), None))
    return kinds


def stepping(pct: float, on: date = JULY) -> dict[date, float]:
    return {
        day: round(COUNT * (1 + pct / 100)) if day >= on else COUNT for day in (JANUARY, APRIL, JULY, OCTOBER)
    }  # fmt: skip


@pytest.mark.parametrize("pct", [2.9, -2.9])
def test_a_step_of_less_than_three_percent_is_that_of_a_quarter(pct: float) -> None:
    assert doubts(stepping(pct), WATCHED, [JULY, OCTOBER]) == [None, None]


@pytest.mark.parametrize("pct", [3.1, 13.0, -3.1])
def test_a_larger_one_that_nothing_explains_is_in_doubt_on_every_date_that_inherits_it(pct: float) -> None:
    days = [APRIL, JULY, date(2024, 8, 20), OCTOBER, date(2024, 11, 29)]

    assert doubts(stepping(pct), WATCHED, days) == [None, "shares_step", "shares_step", "shares_step", "shares_step"]


def test_both_candidates_are_named() -> None:
    answers = [ShareObservation(day, count, count) for day, count in stepping(13.0).items()]
    count = ShareHistory(answers, WATCHED).on(OCTOBER)

    assert count is not None
    (why,) = count.adjustments
    assert (count.shares, why.other) == (1.13 * COUNT, COUNT)
    assert "it moved by +13.00 % between 2024-04-10 and 2024-07-10" in why.evidence


def test_only_the_companies_that_are_watched_are_held_to_it() -> None:
    assert doubts(stepping(13.0), replace(WATCHED, is_watched=False), [JULY, OCTOBER]) == [None, None]


def test_a_split_explains_it() -> None:
    split = Split("TSLA", date(2024, 6, 10), 1, 3)
    tripled = {day: 3 * COUNT if day >= JULY else COUNT for day in (JANUARY, APRIL, JULY, OCTOBER)}

    assert doubts(tripled, replace(WATCHED, splits=(split,)), [APRIL, JULY, OCTOBER]) == [None, None, None]


@pytest.mark.parametrize(
    ("shares", "on", "kind"),
    [
        (130_000_000, date(2024, 6, 3), None),
        # One percent of the count is left to what else a quarter brings, and no more.
        (123_000_000, date(2024, 6, 3), None),
        (50_000_000, date(2024, 6, 3), "shares_step"),
        # Counted on an earlier cover, or only on a later one.
        (130_000_000, date(2024, 3, 1), "shares_step"),
        (130_000_000, date(2024, 9, 2), "shares_step"),
    ],
)
def test_an_award_between_the_covers_explains_as_much_as_it_is_about(shares: int, on: date, kind: str | None) -> None:
    facts = replace(WATCHED, awards=(award(shares, on),))

    assert doubts(stepping(13.0), facts, [JULY, OCTOBER]) == [kind, kind]


def test_a_cover_page_explains_it_from_its_quarter_on() -> None:
    june = cover(1.13 * COUNT, date(2024, 6, 30))
    september = cover(1.13 * COUNT, date(2024, 9, 30))

    assert doubts(stepping(13.0), replace(WATCHED, covers=(june,)), [JULY, OCTOBER]) == [None, None]
    # The cover of September stands for the count of October, not for the dates before it.
    assert doubts(stepping(13.0), replace(WATCHED, covers=(september,)), [JULY, OCTOBER]) == ["shares_step", None]


def test_a_count_that_comes_back_ends_the_doubt() -> None:
    counts = {**stepping(13.0), OCTOBER: COUNT * 1.005}

    assert doubts(counts, WATCHED, [JULY, OCTOBER]) == ["shares_step", None]


def test_a_start_that_nothing_confirms_and_that_is_no_longer_than_a_quarter_is_in_doubt_too() -> None:
    short = {date(2024, 6, 3): COUNT, JULY: 1.13 * COUNT, OCTOBER: 1.13 * COUNT}

    assert doubts(short, WATCHED, [date(2024, 6, 3), OCTOBER]) == ["shares_step", "shares_step"]
    confirmed = replace(WATCHED, covers=(cover(COUNT, date(2024, 3, 31)),))
    assert doubts(short, confirmed, [date(2024, 6, 3), OCTOBER]) == [None, "shares_step"]


def test_every_large_step_of_tesla_s_shipped_covers_has_its_row() -> None:
    """3,325.8 to 3,752.4 million, and 3,755.7 to 3,949.5: awards, one of them net of one that was forfeited."""
    covers = [one for one in shipped_cover_pages()["TSLA"] if one.period_end >= date(2025, 9, 30)]
    answers = {one.period_end: one.shares for one in covers if one.shares}
    awards = [event for event in award_events() if event.company == "TSLA"]
    days = sorted(answers)
    steps = [day for before, day in pairwise(days) if abs(answers[day] / answers[before] - 1) > 0.03]

    assert steps == [date(2025, 12, 31), date(2026, 6, 30)]
    # Without the covers themselves as witnesses, which would explain anything.
    dates_only = [replace(one, classes=(replace(one.classes[0], shares=None),)) for one in covers]
    assert doubts(answers, SecurityFacts((), covers=dates_only, awards=awards, is_watched=True), days) == [None] * 4
    assert doubts(answers, SecurityFacts((), covers=dates_only, is_watched=True), steps) == ["shares_step"] * 2


def test_a_count_that_is_not_its_quarter_s_cover_page_is_flagged_with_both() -> None:
    facts = replace(WATCHED, covers=(cover(COUNT, date(2024, 3, 31)), cover(1.02 * COUNT, date(2024, 6, 30))))
    counts = {APRIL: COUNT, JULY: COUNT, date(2024, 9, 10): COUNT}

    # In July the report of June is not filed yet.
    assert doubts(counts, facts, [APRIL, JULY, date(2024, 9, 10)]) == [None, None, "cover_page_differs"]
    assert doubts({JULY: 1.02 * COUNT}, facts, [JULY]) == [None]
