"""The parts of a trading date, on ordinary days, early closes, weekends and across the change of clocks."""

from datetime import UTC, date, datetime

import pytest

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import CalendarError
from mag7cli.market.trading_hours import TradingPhase, trading_hours, trading_hours_at


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        ("2024-12-13T03:59:59", TradingPhase.CLOSED),
        ("2024-12-13T04:00:00", TradingPhase.PRE_MARKET),
        ("2024-12-13T09:29:59", TradingPhase.PRE_MARKET),
        ("2024-12-13T09:30:00", TradingPhase.REGULAR),
        ("2024-12-13T15:59:59", TradingPhase.REGULAR),
        ("2024-12-13T16:00:00", TradingPhase.AFTER_HOURS),
        ("2024-12-13T20:00:00", TradingPhase.CLOSED),
    ],
)
def test_each_moment_of_a_day_lies_in_one_phase(moment: str, phase: TradingPhase) -> None:
    assert trading_hours(date(2024, 12, 13)).phase(new_york(moment)) is phase


def test_an_early_close_ends_the_session_and_what_follows_earlier() -> None:
    hours = trading_hours(date(2024, 12, 24))

    assert hours.is_early_close
    assert hours.phase(new_york("2024-12-24T13:00")) is TradingPhase.AFTER_HOURS
    assert hours.phase(new_york("2024-12-24T17:00")) is TradingPhase.CLOSED


def test_hours_are_new_yorks_in_summer_and_winter() -> None:
    assert trading_hours(date(2024, 11, 1)).open.astimezone(UTC).hour == 13
    assert trading_hours(date(2024, 11, 4)).open.astimezone(UTC).hour == 14


@pytest.mark.parametrize(
    ("moment", "trading_date"),
    [
        ("2024-12-13T00:30", date(2024, 12, 13)),
        ("2024-12-13T19:59", date(2024, 12, 13)),
        ("2024-12-13T21:00", date(2024, 12, 16)),  # the evening belongs to Monday
        ("2024-12-14T12:00", date(2024, 12, 16)),
        ("2026-11-29T21:00", date(2026, 11, 30)),  # a night session's first evening, a Sunday
        ("2026-11-25T23:00", date(2026, 11, 27)),  # the evening before Thanksgiving: its session is Friday's
        ("2024-12-24T17:30", date(2024, 12, 26)),  # after an early close, before a holiday
    ],
)
def test_a_moment_belongs_to_its_date_until_after_hours_end(moment: str, trading_date: date) -> None:
    assert trading_hours_at(new_york(moment)).trading_date == trading_date


@pytest.mark.parametrize("moment", ["2026-11-29T21:00", "2026-11-29T23:59", "2026-11-30T00:00", "2026-11-30T03:59"])
def test_a_trade_of_the_night_is_of_the_next_date_and_in_none_of_its_phases(moment: str) -> None:
    hours = trading_hours_at(new_york(moment))

    assert hours.trading_date == date(2026, 11, 30)
    assert hours.phase(new_york(moment)) is TradingPhase.CLOSED
    assert hours.close == new_york("2026-11-30T16:00")


def test_a_day_without_a_session_has_no_hours() -> None:
    with pytest.raises(CalendarError, match="Saturday"):
        trading_hours(date(2024, 12, 14))
