"""Which calendar is tried first for a company of which none is known for certain."""

from mag7cli.shares.calendar_census import CalendarCensus
from mag7cli.shares.fiscal_calendar import CALENDARS, FiscalCalendar


def first(census: CalendarCensus, prior: FiscalCalendar) -> FiscalCalendar:
    return next(iter(census.likely(prior)))


def test_before_anything_is_proven_the_prior_comes_first_and_every_calendar_is_in():
    likely = CalendarCensus().likely(FiscalCalendar(2, "near", "thu"))

    assert next(iter(likely)) == FiscalCalendar(2, "near", "thu")
    assert set(likely) >= set(CALENDARS)


def test_a_prior_that_is_no_common_calendar_is_in_as_well():
    odd = FiscalCalendar(1, "near", "tue")

    assert odd in CalendarCensus().likely(odd)


def test_priors_that_were_two_months_early_are_moved():
    census = CalendarCensus()
    for _ in range(8):
        census.enter(FiscalCalendar(1), [FiscalCalendar(0)])

    assert first(census, FiscalCalendar(1)) == FiscalCalendar(0)
    assert first(census, FiscalCalendar(0, "last", "sat")) == FiscalCalendar(2, "last", "sat")


def test_priors_that_proved_right_are_kept():
    census = CalendarCensus()
    for _ in range(8):
        census.enter(FiscalCalendar(), [FiscalCalendar()])

    assert first(census, FiscalCalendar(1, "near", "fri")) == FiscalCalendar(1, "near", "fri")


def test_after_the_prior_the_calendars_that_lines_have_come_in_the_order_of_how_many_have_them():
    census = CalendarCensus()
    for number in range(9):
        census.enter(FiscalCalendar(), [FiscalCalendar(2, "last", "fri")] if number < 3 else [FiscalCalendar()])

    assert list(census.likely(FiscalCalendar()))[:2] == [FiscalCalendar(), FiscalCalendar(2, "last", "fri")]
