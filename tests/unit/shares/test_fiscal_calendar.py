"""When a company's quarters end, and on which trading dates its share count may then step."""

from datetime import date

import pytest

from mag7cli.market.calendar import sessions
from mag7cli.shares.fiscal_calendar import CALENDARS, FiscalCalendar, known_calendars

YEAR = sessions(date(2022, 1, 3), date(2022, 12, 30))


def test_most_quarters_end_with_the_month():
    ends = list(FiscalCalendar().period_ends(date(2022, 1, 1), date(2022, 12, 31)))

    assert ends == [date(2022, 3, 31), date(2022, 6, 30), date(2022, 9, 30), date(2022, 12, 31)]


@pytest.mark.parametrize(
    ("ticker", "ends"),
    [
        ("AAPL", [date(2022, 3, 26), date(2022, 6, 25), date(2022, 9, 24), date(2022, 12, 31)]),
        ("WMT", [date(2022, 1, 31), date(2022, 4, 30), date(2022, 7, 31), date(2022, 10, 31)]),
        ("DIS", [date(2022, 1, 1), date(2022, 4, 2), date(2022, 7, 2), date(2022, 10, 1), date(2022, 12, 31)]),
    ],
)
def test_the_calendars_that_are_known_are_those_of_the_reports_of_2022(ticker: str, ends: list[date]):
    assert list(known_calendars()[ticker].period_ends(date(2022, 1, 1), date(2022, 12, 31))) == ends


def test_a_step_is_on_the_first_trading_date_from_the_period_end_on():
    # 2022-12-31 is a Saturday, and the next trading date is out of the range.
    assert FiscalCalendar().steps(YEAR) == [date(2022, 3, 31), date(2022, 6, 30), date(2022, 9, 30)]
    # The Saturday nearest to the end of December 2021 is New Year's Day.
    weeks = FiscalCalendar(0, "near", "sat")
    assert weeks.steps(sessions(date(2021, 12, 27), date(2022, 1, 7))) == [date(2022, 1, 3)]


def test_the_first_trading_date_is_no_step_since_nothing_was_before_it():
    assert FiscalCalendar().steps(sessions(date(2022, 6, 30), date(2022, 7, 8))) == []
    assert FiscalCalendar().steps([]) == []


def test_the_candidates_have_the_commonest_first_and_none_twice():
    assert CALENDARS[0] == FiscalCalendar()
    assert len(set(CALENDARS)) == len(CALENDARS)


def test_every_known_calendar_is_a_candidate():
    assert set(known_calendars().values()) <= set(CALENDARS)
