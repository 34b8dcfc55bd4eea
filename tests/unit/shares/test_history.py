"""Shares outstanding in the units of their day, whatever the vendor says: each shape of its faults."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pytest

from mag7cli.market.calendar import sessions
from mag7cli.market.records import STEP_CONFIRMED, Split
from mag7cli.shares.close_moves import CloseHistory
from mag7cli.shares.cover_pages import shipped_cover_pages
from mag7cli.shares.history import SecurityFacts, ShareCount, ShareHistory
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.split_adjustment import settle_splits

TEN_FOR_ONE = Split("NVDA", date(2024, 6, 10), 1, 10)
FOUR_FOR_ONE = Split("NVDA", date(2021, 7, 20), 1, 4)
REVERSE = Split("GE", date(2021, 8, 2), 8, 1)
THREE_FOR_TWO = Split("WRB", date(2022, 3, 24), 2, 3)

Told = Callable[[date], float | None]


def true_count(day: date, splits: Iterable[Split], start: float = 600_000_000) -> float:
    """Falls by 0.3 % a quarter, and steps by the ratio on the day of each split."""
    quarters = (day.year - 2021) * 4 + (day.month - 1) // 3
    count = start * (1 - 0.003 * quarters)
    for split in splits:
        if day >= split.execution_date:
            count *= split.split_to / split.split_from
    return float(round(count))


def days(start: str, end: str) -> list[date]:
    return sessions(date.fromisoformat(start), date.fromisoformat(end))


def history(
    asked: Iterable[date], splits: list[Split], told: Told | None = None, share_class: Told | None = None
) -> ShareHistory:
    def truth(day: date) -> float:
        return true_count(day, splits)

    whole, own = told or truth, share_class or truth
    return ShareHistory([ShareObservation(day, whole(day), own(day)) for day in asked], SecurityFacts(splits))


def counted(found: ShareHistory, day: date) -> ShareCount:
    count = found.on(day)
    assert count is not None
    return count


def test_a_sound_history_passes_through_without_an_adjustment():
    asked = days("2024-05-01", "2024-07-31")

    found = history(asked, [TEN_FOR_ONE])

    assert [counted(found, day).shares for day in asked] == [true_count(day, [TEN_FOR_ONE]) for day in asked]
    assert not any(counted(found, day).adjustments for day in asked)


@pytest.mark.parametrize("split", [TEN_FOR_ONE, REVERSE, THREE_FOR_TWO], ids=lambda split: split.symbol)
@pytest.mark.parametrize("sessions_off", [-1, 0, 1, 3])
def test_a_count_that_is_early_or_late_for_a_split_is_read_in_its_own_units(split: Split, sessions_off: int):
    execution = split.execution_date
    asked = sessions(execution - timedelta(days=60), execution + timedelta(days=60))
    turn = asked[asked.index(execution) + sessions_off]
    wrong = [day for day in asked if min(turn, execution) <= day < max(turn, execution)]
    factor = split.ratio if sessions_off < 0 else 1 / split.ratio

    found = history(asked, [split], lambda day: round(true_count(day, [split]) * (factor if day in wrong else 1)))

    assert [counted(found, day).shares for day in asked] == pytest.approx(
        [true_count(day, [split]) for day in asked], abs=split.ratio + 8
    )
    assert [day for day in asked if counted(found, day).adjustments] == wrong


def test_on_the_day_itself_nothing_later_is_needed_to_see_it():
    asked = days("2024-05-01", "2024-06-07")

    found = history(asked, [TEN_FOR_ONE], lambda day: true_count(day, []) * (10 if day == date(2024, 6, 7) else 1))

    last = counted(found, date(2024, 6, 7))
    assert last.shares == true_count(date(2024, 6, 7), [])
    assert "10 for 1 of 2024-06-10" in last.adjustments[0].evidence


def test_a_frozen_history_of_one_class_is_replaced_by_the_class_count():
    asked = days("2021-01-04", "2022-03-31")
    splits = [FOUR_FOR_ONE]
    frozen = true_count(date(2021, 10, 1), splits)

    found = history(asked, splits, lambda day: frozen if day < date(2021, 10, 1) else true_count(day, splits))

    assert [counted(found, day).shares for day in asked] == [true_count(day, splits) for day in asked]
    assert counted(found, date(2021, 1, 4)).basis == "share_class"
    assert "frozen" in counted(found, date(2021, 1, 4)).adjustments[0].reason
    assert not counted(found, date(2022, 1, 4)).adjustments


def test_a_frozen_history_of_several_classes_is_unsplit():
    asked = days("2021-01-04", "2022-03-31")
    splits = [FOUR_FOR_ONE]
    frozen = true_count(date(2021, 10, 1), splits)

    found = history(
        asked,
        splits,
        lambda day: frozen if day < date(2021, 10, 1) else true_count(day, splits),
        lambda day: round(true_count(day, splits) / 2),
    )

    first = counted(found, date(2021, 1, 4))
    assert first.shares == pytest.approx(true_count(date(2021, 1, 4), splits), rel=0.02)
    assert first.basis == "weighted"
    assert first.adjustments


def test_two_splits_in_one_year_are_told_apart():
    first, second = Split("CPRT", date(2022, 11, 4), 1, 2), Split("CPRT", date(2023, 8, 22), 1, 2)
    asked = days("2022-09-01", "2023-10-31")
    early = date(2023, 8, 21)

    found = history(asked, [first, second], lambda day: true_count(day, [first, second]) * (2 if day == early else 1))

    assert [counted(found, day).shares for day in asked] == [true_count(day, [first, second]) for day in asked]
    assert [day for day in asked if counted(found, day).adjustments] == [early]


def test_a_jump_that_returns_is_held_and_makes_the_date_doubtful():
    asked = days("2023-04-03", "2023-06-30")
    odd = date(2023, 5, 5)

    found = history(asked, [], lambda day: true_count(day, []) * (10 if day == odd else 1))

    assert counted(found, odd).shares == true_count(odd, [])
    assert [day for day in asked if any(one.doubtful for one in counted(found, day).adjustments)] == [odd]


def test_a_jump_that_stays_is_believed():
    asked = days("2023-04-03", "2023-06-30")
    merger = date(2023, 5, 8)

    found = history(asked, [], lambda day: round(true_count(day, []) * (1.6 if day >= merger else 1)))

    assert counted(found, date(2023, 6, 30)).shares == round(true_count(date(2023, 6, 30), []) * 1.6)
    assert not any(counted(found, day).adjustments for day in asked)


@pytest.mark.parametrize(("until", "kinds"), [("2023-12-29", []), ("2023-06-30", ["shares_step"])])
def test_a_count_that_triples_says_on_its_date_whether_later_answers_have_it_so(until: str, kinds: list[str]):
    asked, merger = days("2023-01-03", until), date(2023, 5, 8)

    found = history(asked, [], lambda day: round(true_count(day, []) * (3.1 if day >= merger else 1)))

    reasons = [one.reason for one in counted(found, merger).adjustments if not one.doubtful]
    assert [one.kind for one in counted(found, merger).adjustments if one.doubtful] == kinds
    assert reasons == ([] if kinds else [STEP_CONFIRMED])
    assert bool(counted(found, asked[-1]).adjustments) == bool(kinds)


def test_a_missing_count_falls_back_to_the_class_count_of_a_one_class_company():
    asked = days("2024-10-01", "2024-12-13")
    gone = [day for day in asked if date(2024, 11, 4) <= day <= date(2024, 11, 29)]

    found = history(asked, [], lambda day: None if day in gone else true_count(day, []))

    assert [counted(found, day).shares for day in asked] == [true_count(day, []) for day in asked]
    assert [day for day in asked if counted(found, day).adjustments] == gone
    assert counted(found, gone[0]).basis == "share_class"


def test_a_missing_count_of_several_classes_falls_back_to_the_last_known_one():
    asked = days("2024-10-01", "2024-12-13")
    gone = date(2024, 11, 4)

    found = history(
        asked, [], lambda day: None if day == gone else true_count(day, []), lambda day: true_count(day, []) / 2
    )

    assert counted(found, gone).shares == true_count(date(2024, 11, 1), [])
    assert counted(found, gone).basis == "last_known"


def test_without_any_count_there_is_none():
    assert ShareHistory([]).on(date(2024, 1, 2)) is None


def test_between_two_answers_the_count_steps_on_the_expected_day():
    asked = [date(2024, 3, 1), date(2024, 5, 1)]
    observations = [ShareObservation(asked[0], 100.0, 100.0), ShareObservation(asked[1], 98.0, 98.0)]

    found = ShareHistory(observations, steps=[date(2024, 3, 28)])

    assert [counted(found, day).shares for day in (date(2024, 3, 27), date(2024, 3, 28))] == [100.0, 98.0]


def test_rows_of_the_splits_list_stand_if_the_close_confirms_them():
    wrong = Split("NVDA", TEN_FOR_ONE.execution_date, 1, 20)
    elsewhere = Split("NVDA", date(2024, 5, 22), 1, 10)
    steps = {TEN_FOR_ONE.execution_date: -2.295, elsewhere.execution_date: 0.01}

    stand, refused = settle_splits(
        [TEN_FOR_ONE, TEN_FOR_ONE, wrong, elsewhere], lambda split: steps[split.execution_date]
    )

    assert stand == [TEN_FOR_ONE]
    assert set(refused) == {wrong, elsewhere}


# What is frozen


def told_by(weighted: Told, share_class: Told, asked: Iterable[date], splits: Iterable[Split] = ()) -> ShareHistory:
    return ShareHistory(
        [ShareObservation(day, weighted(day), share_class(day)) for day in asked], SecurityFacts(splits)
    )


def frozen_until_october(day: date) -> float:
    return true_count(max(day, date(2021, 10, 1)), [])


def test_a_frozen_count_of_several_classes_moves_with_the_class_that_is_listed():
    asked = [date(2021, 1, 4), date(2021, 6, 30), date(2021, 10, 5), date(2021, 12, 31)]

    found = told_by(frozen_until_october, lambda day: round(true_count(day, []) * 0.45), asked)

    assert [counted(found, day).shares for day in asked] == pytest.approx([true_count(day, []) for day in asked])
    assert "as the class count" in counted(found, asked[0]).adjustments[0].evidence
    assert not counted(found, date(2021, 10, 5)).adjustments


def test_a_single_answer_of_a_frozen_history_is_known_by_the_part_that_its_class_is_of_it():
    """Nothing stands still where there is one answer; but the class was another part of the whole than it is later."""
    asked = [date(2021, 1, 4), date(2021, 10, 5), date(2021, 12, 31), date(2022, 3, 31)]
    frozen = true_count(date(2021, 7, 1), [])

    found = told_by(
        lambda day: frozen if day == asked[0] else true_count(day, []),
        lambda day: round(true_count(day, []) * 0.45),
        asked,
    )

    assert counted(found, asked[0]).shares == pytest.approx(true_count(asked[0], []))
    assert "frozen" in counted(found, asked[0]).adjustments[0].reason


def test_a_class_that_was_converted_into_another_is_not_followed():
    asked = [date(2021, 1, 4), date(2021, 6, 30), date(2021, 10, 5), date(2021, 12, 31)]

    found = told_by(frozen_until_october, lambda day: 3e8 if day < date(2021, 6, 1) else 4e8, asked)

    (why,) = counted(found, asked[0]).adjustments
    assert counted(found, asked[0]).shares == frozen_until_october(asked[0])
    assert "the class moved by x0.75, by issue or by conversion" in why.evidence
    assert why.open_part == pytest.approx(0.25)


# A vendor that begins to honour dates later than the real one is known to


def frozen_until_may(day: date) -> float:
    return issued_in_may_2021(max(day, date(2022, 5, 3)))


def issued_in_may_2021(day: date) -> float:
    return true_count(day, []) * (1.19 if day >= date(2021, 5, 24) else 1)


LATER = [date(2022, 9, 30), date(2023, 6, 30), date(2024, 6, 28)]


def test_counts_that_stand_still_say_nothing_of_the_part_that_a_class_is_of_its_company():
    asked = [date(2021, 1, 4), date(2021, 10, 5), date(2021, 12, 31), date(2022, 3, 31), *LATER]

    found = told_by(frozen_until_may, lambda day: issued_in_may_2021(day) * 0.45, asked)

    assert [counted(found, day).shares for day in asked] == pytest.approx(list(map(issued_in_may_2021, asked)))
    assert all(counted(found, day).adjustments for day in asked[:4])


def test_a_class_that_stays_the_same_part_is_followed_however_far_it_moved_before():
    asked = [date(2021, 3, 31), date(2021, 12, 31), *LATER]

    steady = told_by(frozen_until_may, lambda day: issued_in_may_2021(day) * 0.45, asked)
    moving = told_by(frozen_until_may, lambda day: issued_in_may_2021(day) * (0.45 + 0.01 * day.month), asked)

    assert counted(steady, asked[0]).shares == pytest.approx(issued_in_may_2021(asked[0]), rel=1e-6)
    assert counted(moving, asked[0]).shares == frozen_until_may(asked[0])


@pytest.mark.parametrize("part", [1.0, 0.45])
def test_a_first_count_after_october_is_held_against_what_the_class_says_for_years(part: float):
    """Of a line that was listed while the counts of all others stood still there is one such answer."""
    asked = [date(2021, 11, 10), *LATER]

    found = told_by(frozen_until_may, lambda day: issued_in_may_2021(day) * part, asked)

    assert counted(found, asked[0]).shares == pytest.approx(issued_in_may_2021(asked[0]))
    assert "frozen" in counted(found, asked[0]).adjustments[0].reason


@pytest.mark.parametrize("part", [1.0, 0.45])
def test_a_first_count_of_which_a_year_does_not_tell_stands(part: float):
    asked = [date(2021, 11, 10), date(2022, 7, 29), date(2022, 9, 30), date(2022, 12, 30)]

    found = told_by(frozen_until_may, lambda day: issued_in_may_2021(day) * part, asked)

    assert counted(found, asked[0]).shares == frozen_until_may(asked[0])


def test_a_month_of_a_frozen_history_is_known_by_the_only_class():
    asked = [*days("2021-07-01", "2021-07-30"), date(2021, 10, 5), date(2021, 12, 15)]

    found = told_by(frozen_until_october, lambda day: true_count(day, []), asked)

    assert counted(found, date(2021, 7, 15)).shares == true_count(date(2021, 7, 15), [])
    assert counted(found, date(2021, 7, 15)).basis == "share_class"


@pytest.mark.parametrize("split", [FOUR_FOR_ONE, REVERSE, Split("RJF", date(2021, 9, 22), 2, 3)], ids=str)
def test_half_a_year_of_a_frozen_history_is_in_the_units_of_its_end(split: Split):
    """Of several classes, and of no class count at all: only two answers from after the split say in whose units."""
    asked = [*days("2021-01-04", "2021-06-30"), date(2021, 10, 5), date(2021, 12, 15)]
    frozen = true_count(date(2021, 10, 5), [split])

    found = told_by(lambda day: frozen, lambda day: None, asked, [split])

    assert counted(found, asked[0]).shares == pytest.approx(true_count(asked[0], [split]), rel=0.02)
    assert counted(found, asked[0]).adjustments[0].reason == "frozen count un-split"


def test_a_real_doubling_is_not_taken_for_a_split_a_year_away():
    merger, split = date(2022, 3, 31), Split("CTRA", date(2023, 3, 30), 1, 2)

    def told(day: date) -> float:
        return true_count(day, [split]) * (2 if day >= merger else 1)

    asked = [day for month in range(1, 13) for day in days(f"2022-{month:02}-10", f"2022-{month:02}-17")[:1]]
    found = told_by(told, told, [*asked, date(2023, 3, 29), date(2023, 3, 30), date(2023, 6, 30)], [split])

    assert [counted(found, day).shares for day in asked] == [told(day) for day in asked]


# Between the answers


def test_without_an_expected_day_the_count_steps_midway():
    first, last = date(2024, 3, 1), date(2024, 3, 31)

    found = ShareHistory([ShareObservation(first, 100.0, None), ShareObservation(last, 90.0, None)])

    assert [counted(found, date(2024, 3, day)).shares for day in (16, 17)] == [100.0, 90.0]


def test_over_several_expected_days_the_count_steps_in_equal_parts():
    observations = [ShareObservation(date(2024, 1, 2), 100.0, None), ShareObservation(date(2024, 7, 1), 94.0, None)]

    found = ShareHistory(observations).stepping_on([date(2024, 3, 28), date(2024, 4, 30), date(2024, 6, 28)])

    asked = (date(2024, 3, 27), date(2024, 3, 28), date(2024, 4, 30), date(2024, 6, 28))
    assert [counted(found, day).shares for day in asked] == [100.0, 98.0, 96.0, 94.0]


def test_the_fraction_that_a_split_leaves_is_settled_by_the_first_answer_after_it():
    before, after = ShareObservation(date(2022, 3, 1), 1001.0, None), ShareObservation(date(2022, 4, 1), 1502.0, None)

    found = ShareHistory([before, after], SecurityFacts([THREE_FOR_TWO]))

    assert counted(found, date(2022, 3, 23)).shares == 1001.0
    assert counted(found, THREE_FOR_TWO.execution_date).shares == 1502.0
    assert found.changes() == []


# Answers that are no use


def test_a_glitch_says_nothing_of_the_days_around_it():
    told = {date(2023, 3, 1): 100.0, date(2023, 3, 31): 1000.0, date(2023, 5, 1): 99.0}

    found = ShareHistory(
        [ShareObservation(day, count, count) for day, count in told.items()], steps=[date(2023, 3, 15)]
    )

    assert [counted(found, date(2023, 3, day)).shares for day in (14, 15, 30, 31)] == [100.0, 99.0, 99.0, 99.0]
    assert not counted(found, date(2023, 3, 30)).adjustments
    assert counted(found, date(2023, 3, 31)).vendor == 1000.0
    assert found.changes() == [(date(2023, 3, 1), date(2023, 5, 1), -1.0)]


@pytest.mark.parametrize("odd", ["2023-05-01", "2023-05-12"], ids=["the first answer", "the last one"])
def test_an_odd_answer_at_an_end_is_held_too(odd: str):
    asked = days("2023-05-01", "2023-05-12")
    glitch = date.fromisoformat(odd)

    found = history(asked, [], lambda day: true_count(day, []) * (10 if day == glitch else 1))

    assert [counted(found, day).shares for day in asked] == [true_count(day, []) for day in asked]
    assert [day for day in asked if any(one.doubtful for one in counted(found, day).adjustments)] == [glitch]


def test_a_doubling_is_not_believed_until_some_days_have_passed():
    merger = date(2023, 5, 8)

    def told(day: date) -> float:
        return true_count(day, []) * (2.04 if day >= merger else 1)

    fresh, later = (history(days("2023-04-03", end), [], told) for end in ("2023-05-10", "2023-06-30"))

    assert counted(fresh, date(2023, 5, 10)).shares == true_count(date(2023, 5, 10), [])
    assert counted(fresh, date(2023, 5, 10)).adjustments[0].doubtful
    assert counted(later, date(2023, 5, 10)).shares == round(told(date(2023, 5, 10)))


def test_a_count_that_jumps_with_the_close_is_believed_at_once():
    split = date(2023, 5, 8)
    asked = days("2023-05-01", "2023-05-09")
    closes = CloseHistory.of({day: 100.0 if day >= split else 405.0 for day in asked})

    found = ShareHistory(
        [ShareObservation(day, 4e8 if day >= split else 1e8, None) for day in asked], SecurityFacts(closes=closes)
    )

    assert counted(found, split).shares == 4e8
    assert not any(one.doubtful for one in counted(found, split).adjustments)


def test_before_the_first_count_the_next_one_stands_flagged():
    asked = [date(2024, 1, 2), date(2024, 1, 3)]

    found = told_by(lambda day: None if day == asked[0] else 100.0, lambda day: 40.0, asked)

    assert counted(found, asked[0]).shares == 100.0
    assert counted(found, asked[0]).adjustments[0].reason == "share count missing: next known count used"


def test_a_class_count_alone_is_a_doubtful_one():
    found = told_by(lambda day: None, lambda day: 40.0, [date(2024, 1, 2)])

    assert counted(found, date(2024, 1, 2)).shares == 40.0
    assert counted(found, date(2024, 1, 2)).adjustments[0].doubtful


# The splits list


def test_of_two_rows_of_a_day_the_one_nearest_to_the_close_stands():
    right, wrong = Split("GOOGL", date(2022, 7, 18), 1, 20), Split("GOOGL", date(2022, 7, 18), 1, 10)

    stand, refused = settle_splits([wrong, right], lambda split: -2.97)

    assert stand == [right]
    assert refused == {wrong: "20 for 1 is listed on the same day"}


def test_a_reverse_split_is_confirmed_by_a_close_that_rises():
    assert settle_splits([REVERSE], lambda split: 2.1) == ([REVERSE], {})


def test_without_a_close_a_row_is_taken_at_its_word_once():
    assert settle_splits([THREE_FOR_TWO, THREE_FOR_TWO], lambda split: None) == ([THREE_FOR_TWO], {})


def test_between_two_cover_pages_only_the_class_that_does_not_trade_is_open():
    """Facebook's counts stood still until October 2021; its covers of then and of the October before are known."""
    covers = shipped_cover_pages()["META"]
    class_a = {date(2021, 1, 4): 2_405e6, date(2021, 6, 30): 2_380e6, date(2021, 10, 5): 2_366_277_848.0}
    answers = [ShareObservation(day, 2_781_759_516.0, own) for day, own in class_a.items()]
    later = [
        ShareObservation(date(2022, 3, 31), 2_706e6, 2_296e6),
        ShareObservation(date(2022, 6, 30), 2_687e6, 2_280e6),
    ]

    found = ShareHistory([*answers, *later], SecurityFacts(covers=covers))

    first, amid, last = (counted(found, day) for day in class_a)
    assert 415_481_668 < first.shares - 2_405e6 < 444_323_708
    assert first.adjustments[0].open_part < 0.008
    assert amid.shares - 2_380e6 == pytest.approx(444_323_708 - (444_323_708 - 415_481_668) * 273 / 365, abs=1)
    assert (last.shares, last.basis) == (2_781_759_516, "weighted")
