"""The shipped calendar: famous days, session ends, bounds, and agreement with the library that it stands in for."""

import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from mag7cli.core import packaged_data
from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import CalendarError
from mag7cli.market import calendar


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def test_the_years_of_the_original_have_994_sessions() -> None:
    found = calendar.sessions(date(2021, 1, 1), date(2024, 12, 13))

    assert len(found) == 994
    assert (found[0], found[-1]) == (date(2021, 1, 4), date(2024, 12, 13))


def test_the_table_agrees_with_the_library_on_every_session_and_every_close() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas_market_calendars

        exchange = pandas_market_calendars.get_calendar("NYSE")
        start, end = calendar.known_from(), calendar.known_until()
        schedule = exchange.schedule(start.isoformat(), end.isoformat(), tz="America/New_York")
    expected = {day.date(): close.time() for day, close in schedule["market_close"].items()}

    ours = {day: calendar.session_close(day).time() for day in calendar.sessions(start, end)}

    assert ours == expected


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2004, 6, 11), "National day of mourning for Ronald Reagan"),
        (date(2007, 1, 2), "National day of mourning for Gerald Ford"),
        (date(2012, 10, 29), "Hurricane Sandy"),
        (date(2012, 10, 30), "Hurricane Sandy"),
        (date(2018, 12, 5), "National day of mourning for George H. W. Bush"),
        (date(2025, 1, 9), "National day of mourning for Jimmy Carter"),
        (date(2022, 6, 20), "Juneteenth (observed)"),
        (date(2024, 3, 29), "Good Friday"),
        (date(2024, 6, 8), "Saturday"),
    ],
)
def test_a_day_without_a_session_says_why(day: date, reason: str) -> None:
    assert calendar.why_closed(day) == reason
    assert not calendar.is_session(day)


@pytest.mark.parametrize(
    "day",
    [
        date(2021, 6, 18),  # the first Juneteenth holiday of the exchange was in 2022
        date(2021, 12, 31),  # New Year's Day on a Saturday is not made up for
        date(2024, 11, 29),
    ],
)
def test_a_day_that_looks_like_a_holiday_is_a_session(day: date) -> None:
    assert calendar.why_closed(day) is None


def test_a_session_ends_at_four_or_at_its_early_close() -> None:
    assert calendar.session_close(date(2024, 12, 13)) == new_york("2024-12-13 16:00")
    assert calendar.session_close(date(2024, 11, 29)) == new_york("2024-11-29 13:00")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (new_york("2024-12-13 15:59:59"), date(2024, 12, 12)),
        (new_york("2024-12-13 16:00"), date(2024, 12, 13)),
        (new_york("2024-11-29 12:59"), date(2024, 11, 27)),
        (new_york("2024-11-29 13:00"), date(2024, 11, 29)),
        (new_york("2024-12-15 12:00"), date(2024, 12, 13)),
        (datetime(2024, 12, 14, 3, 0, tzinfo=UTC), date(2024, 12, 13)),
        (datetime(2024, 7, 8, 20, 0, tzinfo=UTC), date(2024, 7, 8)),
    ],
)
def test_a_session_counts_once_it_has_ended_in_new_york(now: datetime, expected: date) -> None:
    assert calendar.last_completed_session(now) == expected


def test_a_time_without_an_offset_is_a_bug() -> None:
    with pytest.raises(ValueError, match="has no offset"):
        calendar.last_completed_session(datetime(2024, 12, 13, 16, 0))  # noqa: DTZ001


def test_sessions_around_a_long_weekend() -> None:
    assert calendar.previous_session(date(2024, 9, 3)) == date(2024, 8, 30)
    assert calendar.next_session(date(2024, 8, 30)) == date(2024, 9, 3)
    assert calendar.session_on_or_before(date(2024, 9, 2)) == date(2024, 8, 30)


def test_an_offset_counts_sessions_from_the_one_on_or_before() -> None:
    assert calendar.session_offset(date(2024, 12, 15), 0) == date(2024, 12, 13)
    assert calendar.session_offset(date(2024, 12, 13), -9) == date(2024, 12, 2)
    assert calendar.session_offset(date(2024, 12, 2), 9) == date(2024, 12, 13)


def test_asking_for_the_close_of_a_closed_day_names_the_day_and_the_reason() -> None:
    with pytest.raises(CalendarError, match=r"2024-03-29 is not a trading date \(Good Friday\)"):
        calendar.session_close(date(2024, 3, 29))


def test_a_range_that_ends_before_it_starts_is_empty() -> None:
    assert calendar.sessions(date(2024, 12, 13), date(2024, 12, 12)) == []


@pytest.mark.parametrize("day", [date(2002, 12, 31), date(2101, 1, 1), date(9999, 12, 31)])
def test_a_date_out_of_reach_is_refused_with_the_bounds(day: date) -> None:
    with pytest.raises(CalendarError, match=f"covers 2003-01-01 to .*, not {day.year}"):
        calendar.sessions(day, day)


def test_a_slip_of_the_keyboard_is_refused_before_the_library_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(CalendarError):
        calendar.sessions(date(2024, 1, 1), date(2924, 1, 1))
    assert caplog.records == []


def test_beyond_the_table_the_library_answers_with_one_warning_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    calendar._library.cache_clear()
    calendar._forecast_closures.cache_clear()
    beyond = calendar.known_until() + timedelta(days=1)

    with caplog.at_level(logging.WARNING):
        found = calendar.sessions(date(2028, 12, 26), date(beyond.year + 1, 1, 4))

    assert beyond not in found
    assert date(beyond.year, 1, 2) in found
    assert calendar.session_close(date(2029, 7, 3)) == new_york("2029-07-03 13:00")
    assert [record.getMessage() for record in caplog.records] == [
        "the trading calendar is announced to 2028-12-31; later dates are a forecast by rule"
    ]


def test_years_before_a_leap_day() -> None:
    assert calendar.years_before(date(2024, 2, 29), 1) == date(2023, 2, 28)
    assert calendar.years_before(date(2024, 2, 29), 4) == date(2020, 2, 29)


def test_listing_sessions_loads_neither_the_library_nor_pandas() -> None:
    code = (
        "import sys; from datetime import date; from mag7cli.market import calendar as c;"
        "c.sessions(date(2021, 1, 1), date(2024, 12, 13));"
        "sys.exit(' '.join({'pandas', 'pandas_market_calendars', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.strip() == ""


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The table with two rows more: a day of mourning announced today for tomorrow, and a close moved by a storm."""
    rows = packaged_data.read("xnys_closures")
    rows.append({"date": "2026-12-09", "name": "Day of mourning", "kind": "closed", "close": "", "source": "test"})
    rows.append({"date": "2026-12-10", "name": "Storm", "kind": "early_close", "close": "14:00", "source": "test"})
    monkeypatch.setattr(packaged_data, "read", lambda _: rows)
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for cached in (calendar._known_closures, calendar._known_years, calendar._sessions_of, calendar._sessions_of_years):
        cached.cache_clear()


@pytest.mark.usefixtures("announced")
def test_a_closure_announced_for_tomorrow_is_one_row() -> None:
    assert calendar.why_closed(date(2026, 12, 9)) == "Day of mourning"
    assert calendar.next_session(date(2026, 12, 8)) == date(2026, 12, 10)
    assert calendar.last_completed_session(new_york("2026-12-09 18:00")) == date(2026, 12, 8)
    assert calendar.session_offset(date(2026, 12, 8), 1) == date(2026, 12, 10)
    assert calendar.sessions(date(2026, 12, 9), date(2026, 12, 9)) == []


@pytest.mark.usefixtures("announced")
def test_an_early_close_announced_today_is_one_row() -> None:
    assert calendar.session_close(date(2026, 12, 10)) == new_york("2026-12-10 14:00")
    assert calendar.last_completed_session(new_york("2026-12-10 14:00")) == date(2026, 12, 10)
    assert calendar.last_completed_session(new_york("2026-12-10 13:59")) == date(2026, 12, 8)


def test_a_weekend_has_no_sessions_and_says_so() -> None:
    assert calendar.sessions(date(2026, 12, 12), date(2026, 12, 13)) == []
    assert calendar.why_closed(date(2026, 12, 12)) == "Saturday"
    assert calendar.session_on_or_before(date(2026, 12, 13)) == date(2026, 12, 11)
