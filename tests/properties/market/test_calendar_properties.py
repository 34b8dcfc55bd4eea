"""What holds for every date that the trading calendar covers."""

from datetime import date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mag7cli.core.clock import NEW_YORK
from mag7cli.market import calendar

days = st.dates(calendar.known_from() + timedelta(days=14), calendar.known_until() - timedelta(days=14))


@given(days, st.integers(0, 400))
def test_sessions_are_sorted_unique_weekdays_in_range(start: date, length: int) -> None:
    end = min(start + timedelta(days=length), calendar.known_until())

    found = calendar.sessions(start, end)

    assert found == sorted(set(found))
    assert all(start <= day <= end and day.weekday() < 5 for day in found)


@given(days, days)
def test_a_range_is_the_sum_of_its_parts(a: date, b: date) -> None:
    start, end = sorted((a, b))
    middle = start + (end - start) / 2

    parts = calendar.sessions(start, middle) + calendar.sessions(middle + timedelta(days=1), end)

    assert parts == calendar.sessions(start, end)


@given(days)
def test_the_session_before_the_next_one_is_the_last_one_by_that_day(day: date) -> None:
    following = calendar.next_session(day)

    assert calendar.previous_session(following) == calendar.session_on_or_before(day)


@given(days, st.integers(-60, 60))
def test_an_offset_moves_the_index_by_as_much(day: date, count: int) -> None:
    start = calendar.session_on_or_before(day)
    if not calendar.known_from() <= start + timedelta(days=2 * count) <= calendar.known_until():
        return

    moved = calendar.session_offset(start, count)

    assert len(calendar.sessions(min(start, moved), max(start, moved))) == abs(count) + 1
    assert (moved > start) == (count > 0)


@given(days, st.times())
def test_the_last_completed_session_has_ended_and_the_one_after_it_has_not(day: date, at: time) -> None:
    now = datetime.combine(day, at, tzinfo=NEW_YORK)

    last = calendar.last_completed_session(now)

    assert calendar.session_close(last) <= now
    assert calendar.session_close(calendar.next_session(last)) > now


@given(days)
def test_the_market_is_never_closed_for_more_than_five_days(day: date) -> None:
    assert calendar.next_session(day) - day <= timedelta(days=5)
