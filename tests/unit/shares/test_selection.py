"""Which intervals are asked about: as many as must go, the most worth first."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest

from mag7cli.market.calendar import sessions
from mag7cli.shares import selection
from mag7cli.shares.fiscal_calendar import FiscalCalendar
from mag7cli.shares.history import SecurityFacts
from mag7cli.shares.sampling import SecurityToSample
from mag7cli.shares.selection import sums
from mag7cli.shares.uncertainty import Interval, SampledSecurity

DAYS = sessions(date(2022, 1, 3), date(2022, 1, 14))


def interval(errors: Sequence[float], *, start: int = 0, steps: int = 2, below: Sequence[float] = ()) -> Interval:
    closes = [1.0] * len(DAYS)
    own = SecurityToSample("X", DAYS, closes, SecurityFacts(), FiscalCalendar(), exact=False, counted=True)
    return Interval(
        sampled=SampledSecurity(own, DAYS, lambda calendar: ()),
        first=DAYS[0],
        last=DAYS[-1],
        base_shares=1.0,
        expected=DAYS[:steps],
        is_settled=False,
        is_exceptional=False,
        start=start,
        errors=(np.array(errors), np.array(below or [0.0] * len(errors))),
    )


def excessive(intervals: Sequence[Interval], allowed: Sequence[float]) -> list[Interval]:
    return selection.excessive(intervals, np.array(allowed))


def test_nothing_is_asked_about_while_all_is_within_the_bound():
    assert excessive([interval([1.0] * 10)], [1.0] * 10) == []


def test_as_many_go_as_bring_every_date_within_the_bound():
    intervals = [interval([size] * 10) for size in (5.0, 1.0, 3.0, 0.5)]

    assert excessive(intervals, [1.5] * 10) == [intervals[0], intervals[2]]


def test_what_is_too_much_on_many_dates_goes_before_what_is_so_on_one():
    wide, narrow = interval([1.0] * 10), interval([1.2], start=4)

    assert excessive([narrow, wide], [0.9] * 10) == [wide, narrow]
    assert excessive([narrow, wide], [1.1] * 10) == [narrow]


def test_a_date_without_excess_makes_nothing_worth_asking():
    early, late = interval([9.0] * 2), interval([1.0] * 2, start=8)

    assert excessive([late, early], [1.0] * 10) == [early]


def test_each_side_has_a_bound_of_its_own():
    above, below = interval([1.0] * 10), interval([0.0] * 10, below=[1.0] * 10)

    assert excessive([above, below], [1.0] * 10) == []
    assert [side.tolist() for side in sums([above, below], 10)] == [[1.0] * 10, [1.0] * 10]


def test_a_single_step_takes_two_questions():
    single, double = interval([1.5] * 10, steps=1), interval([1.0] * 10)

    assert excessive([single, double], [1.6] * 10) == [double]


@pytest.mark.parametrize("allowed", [0.1, 0.7, 2.0, 20.0])
def test_what_is_left_is_within_the_bound(allowed: float):
    intervals = [interval([0.1 * size] * 5, start=size % 6) for size in range(30)]

    chosen = excessive(intervals, [allowed] * 10)

    rest = [one for one in intervals if one not in chosen]
    assert max(sums(rest, 10)[0]) <= allowed + 1e-9


def test_an_interval_without_errors_is_never_asked_about():
    settled, open_one = interval([]), interval([2.0] * 10)

    assert excessive([settled, open_one, settled], [1.0] * 10) == [open_one]


def test_the_errors_of_each_date_are_those_of_the_intervals_that_have_it():
    intervals = [interval([1.0, 2.0], start=3), interval([]), interval([4.0], start=9), interval([8.0] * 4, start=2)]

    above, below = sums(intervals, 10)

    assert above.tolist() == [0.0, 0.0, 8.0, 9.0, 10.0, 8.0, 0.0, 0.0, 0.0, 4.0]
    assert below.tolist() == [0.0] * 10
    assert [side.tolist() for side in sums([], 3)] == [[0.0] * 3] * 2
