"""By how much a count may be off beside what sampling leaves open."""

from datetime import date

import pytest

from mag7cli.market.records import Split
from mag7cli.shares.count_leeway import Leeway, leeways
from mag7cli.shares.fiscal_calendar import FiscalCalendar
from mag7cli.shares.history import SecurityFacts, ShareHistory
from mag7cli.shares.records import ShareObservation


def history(*counts: tuple[date, float], splits: tuple[Split, ...] = ()) -> ShareHistory:
    return ShareHistory([ShareObservation(day, count, None) for day, count in counts], SecurityFacts(splits=splits))


def of(shares: ShareHistory, day: date, *, sampled: bool = False) -> list[Leeway]:
    count = shares.on(day)
    assert count
    return list(leeways(shares, count, day, FiscalCalendar(), sampled=sampled))


@pytest.mark.parametrize(
    ("day", "part"),
    [
        (date(2024, 2, 1), 0.0),  # asked for
        (date(2024, 3, 15), 0.0),  # no quarter has ended since
        (date(2024, 4, 1), 0.02),
        (date(2023, 12, 29), 0.02),  # before the first answer
    ],
)
def test_an_old_answer_may_have_been_followed_by_a_quarter_s_step(day: date, part: float) -> None:
    leeway = [Leeway("stale_counts", part)] if part else []

    assert of(history((date(2024, 2, 1), 100.0)), day) == leeway
    assert of(history((date(2024, 2, 1), 100.0)), day, sampled=True) == []


def test_between_two_answers_that_differ_the_count_may_be_either() -> None:
    shares = history((date(2024, 2, 1), 100.0), (date(2024, 5, 1), 97.0))

    (leeway,) = of(shares, date(2024, 3, 1))

    assert leeway.part == pytest.approx(0.03)


def test_between_two_answers_that_agree_nothing_is_open() -> None:
    assert of(history((date(2024, 2, 1), 100.0), (date(2024, 5, 1), 100.0)), date(2024, 4, 2)) == []


@pytest.mark.parametrize(("last", "part"), [(date(2021, 3, 1), 0.02), (date(2022, 3, 1), 0.0)])
def test_a_count_of_the_frozen_years_is_open_unless_later_answers_tell(last: date, part: float) -> None:
    shares = history((date(2021, 2, 1), 100.0), (last, 100.0 if last.year == 2021 else 99.0))

    assert [one.part for one in of(shares, date(2021, 2, 1))] == ([part] if part else [])


def test_a_frozen_count_may_be_off_by_as_much_as_its_class_moved() -> None:
    classes = {date(2021, 2, 1): 30.0, date(2021, 9, 1): 40.0, date(2022, 3, 1): 41.0}
    answers = [ShareObservation(day, 101.0 if day.year == 2022 else 100.0, own) for day, own in classes.items()]

    (leeway,) = of(ShareHistory(answers), date(2021, 2, 1))

    assert leeway == Leeway("frozen_counts", pytest.approx(0.25))


def test_so_is_one_that_stands_still_for_longer_than_it_is_known_to() -> None:
    days = [date(2021, 2, 1), date(2021, 12, 1), date(2022, 3, 1), date(2022, 9, 1), date(2023, 3, 1)]
    counts = zip(days, (100.0, 100.0, 101.0, 102.0, 103.0), (40.0, 40.4, 41.41, 41.82, 42.23), strict=True)

    assert Leeway("frozen_counts", 0.02) in of(ShareHistory([ShareObservation(*row) for row in counts]), days[1])
